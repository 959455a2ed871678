"""A small memory of recent things that forgets the oldest first."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Keeps at most ``size`` values, each for at most ``seconds`` after it was last set."""

    def __init__(self, size: int, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._seconds = seconds
        self._now = now
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Returns what is kept under the key, or None."""
        found = self._kept.get(key)
        if found is None:
            return None
        if found[0] < self._now():
            del self._kept[key]
            return None
        return found[1]

    def set(self, key: K, value: V) -> None:
        """Keeps a value, and forgets the oldest where there are too many."""
        self._kept[key] = (self._now() + self._seconds, value)
        self._kept.move_to_end(key)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)

    def forget(self, key: K) -> None:
        """Forgets one key, if it is there."""
        self._kept.pop(key, None)

    def __len__(self) -> int:
        return len(self._kept)
