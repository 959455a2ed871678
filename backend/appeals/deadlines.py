"""When an appeal is due, and when it is supervised.

The project's reading (docs/135.md: 1, 3, 4): the day of filing is not counted; an appeal is due at the close
of business of working day 1, 3 or 5 after it; the clock starts at submission and no re-routing or reopening
moves that start. "Working day k" below is the k-th working day after the calendar day of filing.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from backend.appeals.calendar import SHANGHAI, WorkCalendar, local
from backend.appeals.model import Level

CLOSE_OF_BUSINESS = time(17, 30)
"""Default end of a working day."""

TASKFORCE = "专班"
TASKFORCE_INSPECTION = "专班督查考评组"
INSPECTION_OFFICE = "两办督查室"

HOTLINE = "企业服务热线"

SILENCE_DAYS = (1, 3, 7)
"""Days after a resolve on which a silent enterprise is asked again (docs/135.md, 7)."""

_NOON = time(12, 0)
_MORNING = time(9, 0)

# level: (working day, hour, who supervises)
_MOMENTS: dict[Level, tuple[tuple[int, time, str], ...]] = {
    Level.SIMPLE: ((2, _MORNING, TASKFORCE),),
    Level.SINGLE: ((3, _NOON, TASKFORCE), (4, _MORNING, TASKFORCE_INSPECTION)),
    Level.WHISTLE: ((5, _NOON, TASKFORCE), (6, _MORNING, TASKFORCE_INSPECTION)),
}


class Moment(NamedTuple):
    """One supervision moment.

    Attributes:
        at: When, in the office's local time.
        by: Who supervises.
    """

    at: datetime
    by: str


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, tzinfo=SHANGHAI)


def due_at(
    level: Level, submitted_at: datetime, calendar: WorkCalendar, close: time = CLOSE_OF_BUSINESS
) -> datetime:
    """When an appeal of a level is due.

    Args:
        level: Its level.
        submitted_at: Aware moment of submission.
        calendar: The working days.
        close: End of a working day, local time.

    Returns:
        The due moment in the office's local time.

    Raises:
        InvalidInput: ``submitted_at`` has no offset.
    """
    return due_on_working_day(level.working_days, submitted_at, calendar, close)


def due_on_working_day(
    n: int, submitted_at: datetime, calendar: WorkCalendar, close: time = CLOSE_OF_BUSINESS
) -> datetime:
    """Close of business of the n-th working day after the day of submission.

    Raises:
        InvalidInput: ``submitted_at`` has no offset.
    """
    return _at(calendar.nth_working_day_after(local(submitted_at).date(), n), close)


def supervision_moments(
    level: Level, submitted_at: datetime, calendar: WorkCalendar, *, direct_line: bool = False
) -> tuple[Moment, ...]:
    """The moments at which an unresolved appeal is supervised, in their order.

    A direct-line appeal is under the inspection office from its submission; the task force's own moments
    stay, because it assists (docs/135.md, 4).

    Raises:
        InvalidInput: ``submitted_at`` has no offset.
    """
    submitted = local(submitted_at)
    moments = tuple(
        Moment(_at(calendar.nth_working_day_after(submitted.date(), day), hour), by)
        for day, hour, by in _MOMENTS[level]
    )
    return (Moment(submitted, INSPECTION_OFFICE), *moments) if direct_line else moments


def silence_moments(since: datetime, calendar: WorkCalendar) -> tuple[Moment, ...]:
    """When an enterprise that says nothing is asked again, and when it goes on the list for a phone call.

    It is asked at nine in the morning of the first, third and seventh day; called on the first working day
    after these. Nothing is ever closed by silence (docs/135.md, 7).

    Args:
        since: When the lead resolved the appeal.
        calendar: The working days, for the call.

    Returns:
        The questions in their order, and the call as the last.

    Raises:
        InvalidInput: ``since`` has no offset.
    """
    day = local(since).date()
    asks = [Moment(_at(day + timedelta(days=days), _MORNING), HOTLINE) for days in SILENCE_DAYS]
    call = calendar.nth_working_day_after(asks[-1].at.date(), 1)
    return (*asks, Moment(_at(call, _MORNING), HOTLINE))


def supervisor(*, direct_line: bool) -> str:
    """Who supervises an appeal as a whole."""
    return INSPECTION_OFFICE if direct_line else TASKFORCE


def due_after_upgrade(
    present_due_at: datetime,
    submitted_at: datetime,
    calendar: WorkCalendar,
    close: time = CLOSE_OF_BUSINESS,
) -> datetime:
    """When an appeal that has just become a whistle appeal is due: never earlier than it was.

    Raises:
        InvalidInput: A time has no offset.
    """
    return max(local(present_due_at), due_at(Level.WHISTLE, submitted_at, calendar, close))


def is_provisional(submitted_at: datetime, last: datetime, calendar: WorkCalendar) -> bool:
    """Whether what was computed from submission to ``last`` rests on a year without a notice."""
    return calendar.touches_provisional(local(submitted_at).date(), local(last).date())
