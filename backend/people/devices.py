"""Browsers in which somebody has signed in before, known again by a mark that is worth nothing by itself.

A mark opens nothing: whoever shows one has five tries of their own at the password of that one account,
beside the five that all strangers share. So strangers who fail on purpose do not shut the owner out
(docs/decisions/lockout-and-known-browsers.md). A mark is signed with the account's password hash: it needs no
table, and a new password ends it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from typing import Final

from backend.people.accounts import Account

_NONCE_CHARS: Final = 22
_MARK_CHARS: Final = _NONCE_CHARS + 43
_MOST: Final = 5
"""Marks that one browser keeps: of so many people who share it."""


def known_by(account: Account, devices: str) -> str | None:
    """Which of a browser's marks is of an account.

    Args:
        account: Who wants to sign in.
        devices: The marks, as the browser kept them; anything at all.

    Returns:
        The mark's public part; None if the account never signed in here, or not with its present password.
    """
    return next((mark[:_NONCE_CHARS] for mark in _marks(devices) if _fits(account, mark)), None)


def remember(account: Account, devices: str) -> str:
    """The marks that a browser is to keep after an account has signed in.

    Args:
        account: Who signed in with a password.
        devices: The marks that the browser has kept until now.
    """
    known = [mark for mark in _marks(devices) if _fits(account, mark)]
    own = known[0] if known else _made(account)
    return ".".join((own, *[mark for mark in _marks(devices) if mark not in known][: _MOST - 1]))


def _made(account: Account) -> str:
    nonce = secrets.token_urlsafe(16)
    return nonce + _signature(account, nonce)


def _marks(devices: str) -> list[str]:
    if len(devices) > _MOST * (_MARK_CHARS + 1) or not devices.isascii():
        return []
    return [mark for mark in devices.split(".") if len(mark) == _MARK_CHARS]


def _fits(account: Account, mark: str) -> bool:
    if account.password_hash is None:
        return False
    nonce, signature = mark[:_NONCE_CHARS], mark[_NONCE_CHARS:]
    return hmac.compare_digest(signature, _signature(account, nonce))


def _signature(account: Account, nonce: str) -> str:
    content = f"qifu device\0{account.username}\0{nonce}"
    digest = hmac.new((account.password_hash or "").encode(), content.encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")
