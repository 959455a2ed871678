"""The chain that makes an appeal's record evident: each line is signed together with the line before it.

A line that is edited, removed, inserted or moved no longer fits its signature or its successor's. The appeal
itself keeps the number of lines and a head, which is signed from the last line but cannot be had from it
without the key, so that nothing can be cut off at the end either. Texts enter by their own signatures: erased
after the period of keeping, they leave the chain whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from backend.appeals.model import HistoryEvent

Sign = Callable[[bytes], str]
"""Signs bytes with the installation's key; hexadecimal."""

# one for all lines: making an encoder takes longer than encoding
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))

START = ""
"""The head before the first line."""


def head(sign: Sign, number: str, position: int, signature: str) -> str:
    """What the appeal keeps after a line, and the next line is signed together with.

    Args:
        sign: Signs bytes.
        number: The appeal's number.
        position: Of the last line.
        signature: Of the last line.
    """
    return sign(_bytes(["head", number, position, signature]))


def text_signature(sign: Sign, number: str, position: int, text: str) -> str:
    """The signature of a line's text, bound to its place so that texts cannot be exchanged."""
    return sign(_bytes(["text", number, position, text])) if text else ""


def link(sign: Sign, previous: str, number: str, position: int, line: HistoryEvent, text_signed: str) -> str:
    """The signature of one line.

    Args:
        sign: Signs bytes.
        previous: The head after the line before, `START` for the first.
        number: The appeal's number.
        position: From 1.
        line: The line; its text is represented by ``text_signed``.
        text_signed: What `text_signature` gave when the line was written.
    """
    actor = line.actor
    return sign(
        _bytes(
            [
                previous,
                number,
                position,
                moment(line.at),
                [actor.name, actor.role.value, actor.unit],
                line.event.value,
                line.summary,
                text_signed,
                line.public,
                dict(line.before),
                dict(line.after),
            ]
        )
    )


def content_signature(sign: Sign, number: str, content: Mapping[str, Any]) -> str:
    """The signature of what an enterprise sent in, which nobody may change afterwards."""
    return sign(_bytes(["content", number, dict(content)]))


def moment(at: datetime) -> str:
    """A moment as it is signed: UTC, so that the database's own zone does not matter."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _bytes(value: Any) -> bytes:
    return _ENCODER.encode(value).encode("utf-8", "surrogatepass")
