"""Who calls: a bearer token for programs, a session cookie for the pages.

The cookie alone proves nothing on a request that changes something, because a foreign page can make a browser
send it. Such a request must also carry the header `CSRF_HEADER`, which a foreign page cannot set.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aiohttp import hdrs, web

from backend import errors
from backend.people.accounts import Account
from backend.people.actors import Actor

COOKIE = "qifu_session"
DEVICES_COOKIE = "qifu_devices"
LOGIN_PATH = "/api/v1/staff/login"
CSRF_HEADER = "X-Qifu-CSRF"
_SAFE_METHODS = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})
_LONGEST_TOKEN = 512
_DEVICES_SECONDS = 180 * 24 * 3600


class TokenPort(Protocol):
    """What signing in needs of the accounts."""

    async def authenticate(self, token: str) -> Account:
        """Whose a token is.

        Raises:
            NotAuthenticated: It is nobody's, or no longer.
        """


@dataclass(frozen=True)
class SignedIn:
    """A member of staff on one request.

    Attributes:
        account: Who.
        token: By which token; never logged.
    """

    account: Account
    token: str

    @property
    def actor(self) -> Actor:
        """The account as the one who acts on appeals."""
        return self.account.actor


async def authenticate(people: TokenPort, request: web.Request) -> SignedIn:
    """Finds out who calls.

    Args:
        people: Knows the tokens.
        request: With a bearer token, which wins, or a session cookie.

    Returns:
        Who it is.

    Raises:
        NotAuthenticated: Nobody, or no longer.
        NotAllowed: A cookie without the header that a foreign page cannot set.
    """
    token = _bearer(request)
    if not token:
        token = request.cookies.get(COOKIE, "")
        if token and request.method not in _SAFE_METHODS and not request.headers.get(CSRF_HEADER):
            raise errors.NotAllowed(
                f"请求缺少 {CSRF_HEADER} 标头，为了安全没有执行。", code="csrf_header_missing"
            )
    if not _may_be_token(token):
        raise errors.NotAuthenticated("请先登录。")
    return SignedIn(await people.authenticate(token), token)


async def recognise(people: TokenPort, request: web.Request) -> SignedIn | None:
    """Whose credentials a request carries, where none are needed; None without any that hold.

    For refusing what staff must not do in somebody's name, so the cookie alone is enough here.
    """
    token = _bearer(request) or request.cookies.get(COOKIE, "")
    if not _may_be_token(token):
        return None
    try:
        return SignedIn(await people.authenticate(token), token)
    except errors.NotAuthenticated:
        return None


def _bearer(request: web.Request) -> str:
    scheme, _, given = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def _may_be_token(token: str) -> bool:
    return bool(token) and len(token) <= _LONGEST_TOKEN and token.isascii()


def keep(
    response: web.Response, request: web.Request, token: str, expires_at: datetime, now: datetime
) -> None:
    """Gives the browser its session cookie."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=max(0, int((expires_at - now).total_seconds())),
        path="/",
        httponly=True,
        samesite="Lax",
        secure=_is_secure(request),
    )


def devices_of(request: web.Request) -> str:
    """What the browser keeps of earlier logins; anything at all."""
    return request.cookies.get(DEVICES_COOKIE, "")


def keep_devices(response: web.Response, request: web.Request, devices: str) -> None:
    """Gives the browser what it shows at the next login, and nowhere else."""
    response.set_cookie(
        DEVICES_COOKIE,
        devices,
        max_age=_DEVICES_SECONDS,
        path=LOGIN_PATH,
        httponly=True,
        samesite="Strict",
        secure=_is_secure(request),
    )


def forget(response: web.Response, request: web.Request) -> None:
    """Takes the session cookie back."""
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Lax", secure=_is_secure(request))


def _is_secure(request: web.Request) -> bool:
    # a proxy that ends TLS says so; a caller that lies only makes its own browser stricter
    return request.secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https"
