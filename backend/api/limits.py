"""Limits on how often: against guessing and against floods, in the memory of this process."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable

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

    def is_spent(self, key: str) -> bool:
        """Whether nothing is left for the key."""
        return self._wait(key) > 0

    def give_back(self, key: str) -> None:
        """Puts back one that was taken."""
        full_at = self._full_at.get(key)
        if full_at is not None:
            self._full_at.set(key, full_at - self._seconds)

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


class Turns:
    """Lets the tries of one key through one after another, with a pause in between.

    A caller has few places in a key's line, so that one caller cannot keep the others from their turns.
    """

    def __init__(
        self,
        seconds: float,
        *,
        places: int = 3,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Sets the pace.

        Args:
            seconds: From one turn to the next.
            places: How many tries of one caller may wait for one key.
            now: A clock that never goes back, in seconds.
            sleep: Waits for so many seconds.
        """
        self._seconds = seconds
        self._places = places
        self._now = now
        self._sleep = sleep
        self._next: Recent[str, float] = Recent(50_000, 3600, now)
        self._waiting: Counter[tuple[str, str]] = Counter()

    async def wait(self, key: str, caller: str) -> None:
        """Returns when it is the caller's turn.

        Raises:
            TooMany: The caller waits for this key as often as it may.
        """
        place = (key, caller)
        if self._waiting[place] >= self._places:
            seconds = max(1, round(self._places * self._seconds))
            raise errors.TooMany(f"操作太频繁了，请过 {seconds} 秒再试。", retry_after=seconds)
        now = self._now()
        turn = max(self._next.get(key) or now, now)
        self._next.set(key, turn + self._seconds)
        if turn == now:
            return
        self._waiting[place] += 1
        try:
            await self._sleep(turn - now)
        finally:
            self._waiting[place] -= 1
            if not self._waiting[place]:
                del self._waiting[place]


class Limits:
    """The limits that the API knows.

    Attributes:
        chat: Messages of one sender.
        lookup: Failed look-ups of one appeal number, and of one phone.
        turns: Look-ups of a number or phone that has failed too often.
        login: Failed logins of one network address: twenty at once, then eighty an hour.
    """

    def __init__(self, *, chat_per_minute: int = 0, turn_seconds: float = 2.0) -> None:
        self.chat = Allowance(chat_per_minute, 60 / chat_per_minute if chat_per_minute else 1)
        self.lookup = Allowance(10, 60)
        self.turns = Turns(turn_seconds)
        self.login = Allowance(20, 45)
