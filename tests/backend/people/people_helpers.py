"""What the tests of the people share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


class StillClock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 9, 20, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Written:
    """A line of the log, as far as these tests look."""

    actor: str
    action: str
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]


Log = Callable[[], Awaitable[list[Written]]]
