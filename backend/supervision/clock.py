"""The clock: one loop over what is due, in batches, each batch one transaction.

Several backend processes may run it at once. A batch holds the appeals whose rows it acts on, so that no
moment is acted on twice, and commits everything about them together, so that none is lost: killed in between,
nothing has happened, and the next pass does it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from backend.appeals.calendar import local
from backend.appeals.notices import (
    DESK_CHANNEL,
    INSPECTION_DESK,
    TASKFORCE_DESK,
    Desk,
    Message,
    MessageKind,
    message_key,
)
from backend.appeals.ports import Clock
from backend.appeals.service_times import ServiceKind
from backend.errors import QifuError
from backend.people.roles import Role
from backend.supervision.model import Backlog, Deed, DueAppeal, ServiceClock
from backend.supervision.moments import deed
from backend.supervision.ports import SupervisionUnitOfWorkFactory

log = logging.getLogger(__name__)

BATCH: Final = 500
"""Appeals in one transaction: few enough that nobody waits long, many enough that few commits are needed."""

_PATIENCE: Final = 5.0
"""Seconds in which a pass may end when the service stops."""


@dataclass(frozen=True)
class Pass:
    """What one pass did.

    Attributes:
        acted: Moments, questions and time limits acted on.
        appeals: Of so many appeals.
        messages: Messages written.
        penalties: Penalties recorded.
        failed: Appeals that could not be acted on; the log names them.
        seconds: How long it took.
    """

    acted: int = 0
    appeals: int = 0
    messages: int = 0
    penalties: int = 0
    failed: int = 0
    seconds: float = 0.0


@dataclass
class Gauges:
    """What the clock shows of itself.

    Attributes:
        passes: Passes since the start.
        acted: Moments acted on since the start.
        failures: Passes that the database or an error ended early.
        backlog: What the last pass has left.
        lag_seconds: How long the oldest moment left over has been due.
        last_pass_at: Unix time of the end of the last pass; 0 before the first.
    """

    passes: int = 0
    acted: int = 0
    failures: int = 0
    backlog: Backlog = field(default_factory=Backlog)
    lag_seconds: float = 0.0
    last_pass_at: float = 0.0


class SupervisionClock:
    """Acts on what is due.

    Args:
        unit_of_work: Opens a transaction.
        clock: The present moment.
        directory_role: Role of a unit by its official name; None where it is unknown.
        batch: Appeals in one transaction.
    """

    def __init__(
        self,
        unit_of_work: SupervisionUnitOfWorkFactory,
        clock: Clock,
        directory_role: Callable[[str], Role | None],
        *,
        batch: int = BATCH,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._role_of = directory_role
        self._batch = batch
        self.gauges = Gauges()

    async def run_once(self) -> Pass:
        """One pass: everything that is due now, those due longest first.

        What somebody else holds at the moment is left for the next pass.

        Raises:
            Unavailable: The database does not answer; what was committed stays.
        """
        began = time.perf_counter()
        acted = appeals = messages = penalties = 0
        failed: set[int] = set()
        moments, limits = await self._is_due()
        while moments:
            deeds = await self._act(self._clock(), failed)
            if deeds is None:
                break
            acted += sum(len(one.done) for one in deeds)
            appeals += sum(bool(one.done) for one in deeds)
            messages += sum(len(one.messages) for one in deeds)
            penalties += sum(len(one.penalties) for one in deeds)
            await asyncio.sleep(0)
        while limits and (reminded := await self._remind()):
            acted += reminded
        done = Pass(acted, appeals, messages, penalties, len(failed), time.perf_counter() - began)
        await self._measure()
        self.gauges.passes += 1
        self.gauges.acted += done.acted
        if done.acted or done.failed:
            log.info(
                "clock pass",
                extra={
                    "acted": done.acted,
                    "appeals": done.appeals,
                    "messages": done.messages,
                    "penalties": done.penalties,
                    "failed": done.failed,
                    "ms": round(done.seconds * 1000, 1),
                },
            )
        return done

    async def _is_due(self) -> tuple[bool, bool]:
        """Whether moments, and time limits, are due; asked without keeping any writer waiting."""
        now = self._clock()
        async with self._unit_of_work(read_only=True) as work:
            pending, _ = await work.supervision.backlog(now)
            return pending > 0, await work.service_clocks.is_due(now)

    async def _act(self, now: datetime, failed: set[int]) -> list[Deed] | None:
        """One batch; None where nothing is left that this worker can hold."""
        async with self._unit_of_work() as work:
            due = await work.supervision.claim(now, self._batch, failed)
            if not due:
                return None
            deeds = [one for found in due if (one := self._deed(found, now, failed)) is not None]
            if deeds:
                await work.supervision.act(deeds, now)
                await work.commit()
            return deeds

    def _deed(self, due: DueAppeal, now: datetime, failed: set[int]) -> Deed | None:
        try:
            return deed(due, now)
        except Exception:
            # one appeal that cannot be understood must not stop the clock for all others
            failed.add(due.id)
            log.exception("appeal not supervised", extra={"number": due.appeal.number})
            return None

    async def _remind(self) -> int:
        """One batch of time limits beside 135 that are over."""
        now = self._clock()
        async with self._unit_of_work() as work:
            due = await work.service_clocks.claim_due(now, self._batch)
            if due:
                await work.service_clocks.reminded([one.id for one in due], now)
                await work.outbox.add_all(
                    [(None, message) for one in due for message in self._limit_is_over(one, now)]
                )
                await work.commit()
            return len(due)

    def _limit_is_over(self, clock: ServiceClock, now: datetime) -> list[Message]:
        about = f"（诉求 {clock.number}）" if clock.number else ""
        body = (
            f"{clock.kind.text}第 {clock.id} 号{about}应于 {local(clock.due_at):%Y-%m-%d %H:%M} 前反馈，"
            "尚未登记办理结果，请抓紧办理并在工作台登记。"
        )
        supervisor = INSPECTION_DESK if clock.kind is ServiceKind.DIRECT_LINE else TASKFORCE_DESK
        desks = [Desk(role, unit) for unit in clock.units if (role := self._role_of(unit)) is not None]
        return [
            Message(
                message_key(f"clock-{clock.id}", f"{to.role.value}/{to.unit or ''}"),
                MessageKind.CLOCK,
                to,
                DESK_CHANNEL,
                clock.number,
                f"时限提醒：{clock.kind.text}第 {clock.id} 号",
                body,
                now,
            )
            for to in dict.fromkeys((*desks, supervisor))
        ]

    async def _measure(self) -> None:
        now = self._clock()
        async with self._unit_of_work(read_only=True) as work:
            pending, oldest = await work.supervision.backlog(now)
            dead = await work.outbox.dead()
        self.gauges.backlog = Backlog(pending, oldest, dead)
        self.gauges.lag_seconds = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
        self.gauges.last_pass_at = time.time()


class Loop:
    """Calls something again and again beside the requests; no failure ends it.

    Args:
        name: For the log.
        work: What is called; True calls it again at once.
        seconds: Pause between two calls.
        failed: Told of each failure.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[bool]],
        seconds: float,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self._name = name
        self._work = work
        self._seconds = seconds
        self._failed = failed
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, with the first call at once."""
        if self._task is None:
            self._stopping.clear()
            self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """Let the present call end for some seconds, then end."""
        task, self._task = self._task, None
        if task is None:
            return
        self._stopping.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(task), _PATIENCE)
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while not self._stopping.is_set():
            again = False
            try:
                again = await self._work()
            except QifuError as error:
                self._failed()
                log.warning("not done, tried again later", extra={"task": self._name, "code": error.code})
            except Exception:
                self._failed()
                log.exception("not done, tried again later", extra={"task": self._name})
            if not again:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), self._seconds)
