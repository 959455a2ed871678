"""Limits on how often: against guessing and against floods, in the memory of this process."""

from __future__ import annotations

import time
from collections.abc import Callable

from backend import errors
from backend.hotline.memory import Recent


class Allowance:
    """A bucket of tokens for each key: ``burst`` at once, then one every ``seconds``.

    Keys are only held in memory, and forgotten as soon as their bucket is full again.
    """

    def __init__(
        self, burst: int, seconds: float, *, size: int = 50_000, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Sets the rate.

        Args:
            burst: How many at once; 0 means no limit.
            seconds: Time in which one comes back.
            size: How many keys are remembered.
            now: A clock that never goes back, in seconds.
        """
        self._burst = burst
        self._seconds = seconds
        self._now = now
        self._full_at: Recent[str, float] = Recent(size, burst * seconds + 1, now)

    def check(self, key: str) -> None:
        """Refuses if nothing is left for the key, and takes nothing.

        Raises:
            TooMany: With ``retry_after`` in seconds.
        """
        wait = self._wait(key)
        if wait > 0:
            raise errors.TooMany(
                f"操作太频繁了，请过 {wait} 秒再试。"
                if wait < 120
                else f"操作太频繁了，请过 {wait // 60 + 1} 分钟再试。",
                retry_after=wait,
            )

    def take(self, key: str) -> None:
        """Takes one; to be called for each failure, or after `check` for each use."""
        if self._burst:
            now = self._now()
            full_at = max(self._full_at.get(key) or now, now)
            self._full_at.set(key, min(full_at + self._seconds, now + self._burst * self._seconds))

    def _wait(self, key: str) -> int:
        if not self._burst:
            return 0
        missing = (self._full_at.get(key) or 0.0) - self._now()
        over = missing - (self._burst - 1) * self._seconds
        return int(over) + 1 if over > 0 else 0


class Limits:
    """The limits that the API knows.

    Attributes:
        chat: Messages of one sender.
        lookup: Failed look-ups of one appeal number, and of one phone.
    """

    def __init__(self, *, chat_per_minute: int = 0) -> None:
        self.chat = Allowance(chat_per_minute, 60 / chat_per_minute if chat_per_minute else 1)
        self.lookup = Allowance(10, 60)
