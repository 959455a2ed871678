"""What supervision does beside the requests, and what staff can ask of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from datetime import time

from backend.appeals.calendar import WorkCalendar
from backend.appeals.deadlines import CLOSE_OF_BUSINESS
from backend.appeals.ports import Clock, Directory
from backend.errors import InvalidInput
from backend.people.roles import Role
from backend.supervision.assessment import PenaltyService
from backend.supervision.calls import PhoneService
from backend.supervision.clock import Gauges, Loop, SupervisionClock
from backend.supervision.delivery import Dispatcher
from backend.supervision.limits import ServiceClockService
from backend.supervision.messages import MessageService
from backend.supervision.ports import Deliverer, SupervisionUnitOfWorkFactory


class Supervision:
    """The clock, the dispatcher, and the desks' side of both.

    Args:
        unit_of_work: Opens a transaction.
        clock: The present moment.
        directory: Official names of departments and territories.
        calendar: The working days; a function, where overrides may change while the service runs.
        gateway: Takes messages out of the house; None where none is set.
        doors: Take messages to enterprises, by the channel that an appeal came in by.
        close: Close of business.
        seconds: Pause between two passes; 0 runs none.
        tries: Tries after which a message is left to people.
        timeout: Seconds that one delivery may take.
        phones: Whether deliverers are given the enterprise's number.

    Attributes:
        clock: Acts on what is due.
        dispatcher: Delivers what waits.
        messages: Messages as people see them.
        calls: The phone list.
        penalties: What counts in the yearly assessment.
        limits: Time limits beside 135.
    """

    def __init__(
        self,
        unit_of_work: SupervisionUnitOfWorkFactory,
        clock: Clock,
        directory: Directory,
        calendar: WorkCalendar | Callable[[], WorkCalendar],
        gateway: Deliverer | None = None,
        doors: Mapping[str, Deliverer] | None = None,
        *,
        close: time = CLOSE_OF_BUSINESS,
        seconds: float = 20.0,
        tries: int = 12,
        timeout: float = 10.0,
        phones: bool = False,
    ) -> None:
        self.clock = SupervisionClock(unit_of_work, clock, lambda unit: role_of(unit, directory))
        self.dispatcher = Dispatcher(
            unit_of_work, clock, gateway, doors, tries=tries, timeout=timeout, phones=phones
        )
        days = calendar if callable(calendar) else lambda: calendar
        self.messages = MessageService(unit_of_work, clock)
        self.calls = PhoneService(unit_of_work, clock, days)
        self.penalties = PenaltyService(unit_of_work, clock, directory)
        self.limits = ServiceClockService(unit_of_work, clock, directory, days, close)
        self._seconds = seconds
        self._loops = (
            Loop("supervision clock", self._pass, seconds, self._failed),
            Loop("message delivery", self._deliver, min(seconds, 5.0), self._failed),
        )

    @property
    def gauges(self) -> Gauges:
        """What the clock shows of itself."""
        return self.clock.gauges

    def start(self) -> None:
        """Begin the loops, unless they are switched off."""
        if self._seconds > 0:
            for loop in self._loops:
                loop.start()

    async def stop(self) -> None:
        """Let what has begun end, then stop."""
        for loop in self._loops:
            await loop.stop()
        await self.dispatcher.close()

    async def _pass(self) -> bool:
        await self.clock.run_once()
        return False

    async def _deliver(self) -> bool:
        return bool(await self.dispatcher.run_once())

    def _failed(self) -> None:
        self.gauges.failures += 1


def role_of(unit: str, directory: Directory) -> Role | None:
    """Whether a unit is a department or a territory; None where nobody knows it."""
    if directory.department(unit) == unit:
        return Role.DEPARTMENT
    with contextlib.suppress(InvalidInput):  # a name of another district
        return Role.TERRITORY if directory.territory(unit) == unit else None
    return None
