"""Keep child processes running: start, restart with growing pauses, pass signals on, stop cleanly.

Every child is in a session of its own, so that Ctrl-C in a terminal reaches the supervisor only and the
children are stopped in order. On Linux the kernel ends the children if the supervisor itself is killed.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A child that ran this long starts again from the shortest pause."""

GRACE_SECONDS = 20.0
"""How long a child may take to stop before it is killed."""

START_SECONDS = 300.0
"""How long a child may take until it is ready; before that, its silence is no sign of trouble."""

CHECK_SECONDS = 10.0
CHECKS_MISSED = 6
"""A child that gives no answer at all to so many checks in a row hangs, and is killed and started again."""

MISCONFIGURED = 2
"""A child that ends with this has said in one sentence what is missing; starting it again would not help."""

_PR_SET_PDEATHSIG = 1


def next_pause(pause: float, ran_for: float) -> float:
    """Return how long to wait before a child is started again.

    Args:
        pause: The pause before its last start, 0 for its first.
        ran_for: How long it ran, in seconds.
    """
    if ran_for >= STEADY_SECONDS or pause == 0:
        return FIRST_PAUSE_SECONDS
    return min(pause * 2, LONGEST_PAUSE_SECONDS)


_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def dies_with_parent() -> None:
    """Ask the kernel, in a new child before it becomes its program, to end it when its parent dies."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """One supervised process.

    Attributes:
        name: For the log.
        process: The running process, or None between two runs.
        misconfigured: It ended with ``MISCONFIGURED`` and is not started again.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        check: Callable[[], Awaitable[bool | None]] | None = None,
    ) -> None:
        """Prepare the child; it is not started yet.

        Args:
            name: For the log.
            command: The program and its arguments.
            environment: The program's environment, complete.
            check: Ask the child how it is: True ready, False it answers, None no answer. Without it, a child
                that hangs is not noticed.
        """
        self.name = name
        self._check = check
        self.process: asyncio.subprocess.Process | None = None
        self.misconfigured = False
        self._command = command
        self._environment = environment

    async def keep_running(self) -> None:
        """Run the child again and again, until cancelled or misconfigured; cancelled, stop it."""
        pause = 0.0
        try:
            while True:
                started = time.monotonic()
                self.process = await asyncio.create_subprocess_exec(
                    *self._command,
                    env=self._environment,
                    stdin=asyncio.subprocess.DEVNULL,
                    start_new_session=True,
                    preexec_fn=dies_with_parent,
                )
                code = await self._wait(self.process)
                self.process = None
                if code == MISCONFIGURED:
                    self.misconfigured = True
                    log.error("child cannot run", extra={"child": self.name})
                    return
                pause = next_pause(pause, time.monotonic() - started)
                log.warning("child ended", extra={"child": self.name, "code": code, "restart_in": pause})
                await asyncio.sleep(pause)
        finally:
            await self._stop()

    async def _wait(self, process: asyncio.subprocess.Process) -> int:
        if self._check is None:
            return await process.wait()
        watch = asyncio.create_task(self._kill_if_it_hangs(process, self._check))
        try:
            return await process.wait()
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def _kill_if_it_hangs(
        self, process: asyncio.subprocess.Process, check: Callable[[], Awaitable[bool | None]]
    ) -> None:
        started, was_ready, missed = time.monotonic(), False, 0
        while missed < CHECKS_MISSED:
            await asyncio.sleep(CHECK_SECONDS)
            answer = await check()
            was_ready = was_ready or answer is True
            if answer is not None or not (was_ready or time.monotonic() - started > START_SECONDS):
                missed = 0
            else:
                missed += 1
        log.error("child hangs", extra={"child": self.name, "checks_missed": missed})
        with suppress(ProcessLookupError):
            process.kill()

    async def _stop(self) -> None:
        process = self.process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), GRACE_SECONDS)
        except TimeoutError:
            log.warning("child killed", extra={"child": self.name})
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
