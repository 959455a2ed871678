"""Answering beside the event loop, while an encoder makes single questions slow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

_Result = TypeVar("_Result")
_THREADS = 2  # encoding lets others run; everything else does not, so that more would only get in the way


class Aside:
    """Runs work in a thread when it may take long, and at once when it cannot.

    Args:
        takes_long: Tells whether it may.

    Attributes:
        running: How much work is in threads now, or waits for one.
    """

    def __init__(self, takes_long: Callable[[], bool] = lambda: False) -> None:
        self._takes_long = takes_long
        self._threads: ThreadPoolExecutor | None = None
        self.running = 0

    async def run(self, work: Callable[..., _Result], *args: Any, **options: Any) -> _Result:
        """Returns what a function returns, or raises what it raises."""
        if not self._takes_long():
            return work(*args, **options)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="answers")
        call = partial(work, *args, **options)
        self.running += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        finally:
            self.running -= 1

    def close(self) -> None:
        """Lets the threads end."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)
            self._threads = None
