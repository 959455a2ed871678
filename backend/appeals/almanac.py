"""The calendar as the task force keeps it: days that differ from the notices, and years entered completely.

One `Almanac` is shared by everything in a process that counts working days. It is read again at once where
it was changed, and every half a minute elsewhere; whoever finds it changed brings the due times in line.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import TracebackType
from typing import Any, Final, Protocol, Self

from backend.appeals.calendar import NOTICE_YEARS, WorkCalendar, local
from backend.appeals.notices import (
    DESK_CHANNEL,
    OPERATOR_DESK,
    TASKFORCE_DESK,
    Desk,
    Message,
    MessageKind,
    message_key,
)
from backend.appeals.ports import Clock
from backend.errors import Conflict, InvalidInput, NotAllowed, NotFound
from backend.people.actors import Actor
from backend.people.audit import AuditEntry, AuditLog
from backend.people.roles import Role
from backend.permissions import Action, require
from backend.text import clean

log = logging.getLogger(__name__)

MOST_NOTE: Final = 200
_WARNED: Final = (OPERATOR_DESK, TASKFORCE_DESK)
_YEARS: Final = range(2020, 2100)
_FEWEST: Final = 243
_MOST: Final = 252
"""Working days of a year with a whole notice; 2020 to 2026 have 248 to 251."""


@dataclass(frozen=True)
class Override:
    """A day that differs from the notice.

    Attributes:
        day: Which.
        working: Whether offices work on it.
        note: Why, such as the number of a notice.
        changed_at: When it was entered.
        changed_by: By whom.
    """

    day: date
    working: bool
    note: str
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True)
class SettledYear:
    """A year whose notice has been entered completely.

    Attributes:
        year: Which.
        note: Why.
        changed_at: When it was entered.
        changed_by: By whom.
    """

    year: int
    note: str
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True)
class CalendarYear:
    """A year as it is counted.

    Attributes:
        year: Which.
        provisional: Whether its holidays are not published yet, so that results in it may still change.
        working_days: All of them.
        overrides: Days of it that the task force has entered, by day.
        settled: The mark that its notice was entered completely; None where there is none.
    """

    year: int
    provisional: bool
    working_days: tuple[date, ...]
    overrides: tuple[Override, ...]
    settled: SettledYear | None


class CalendarRepository(Protocol):
    """Keeps overrides and settled years."""

    async def days(self) -> tuple[Override, ...]:
        """All days that differ, by day."""
        ...

    async def years(self) -> tuple[SettledYear, ...]:
        """All settled years, by year."""
        ...

    async def put_day(self, override: Override) -> None:
        """Enter a day, or enter it anew."""
        ...

    async def remove_day(self, day: date) -> None:
        """Take a day out."""
        ...

    async def put_year(self, settled: SettledYear) -> None:
        """Mark a year as complete."""
        ...

    async def remove_year(self, year: int) -> None:
        """Take the mark away."""
        ...


class MessageKeeper(Protocol):
    """Takes messages to desks."""

    async def add(self, appeal_id: int | None, messages: Sequence[Message]) -> None:
        """Keep messages; one whose key is there already is not kept twice."""
        ...


class CalendarUnitOfWork(Protocol):
    """One transaction."""

    @property
    def outbox(self) -> MessageKeeper:
        """Messages on their way."""
        ...

    @property
    def calendar(self) -> CalendarRepository:
        """Overrides and settled years."""
        ...

    @property
    def audit(self) -> AuditLog:
        """The log."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def commit(self) -> None:
        """Make everything durable."""
        ...


class CalendarUnitOfWorkFactory(Protocol):
    """Opens transactions."""

    def __call__(self, *, read_only: bool = False) -> CalendarUnitOfWork:
        """A transaction, not yet begun."""
        ...


class Almanac:
    """The working days as they are now, for everything that counts them; called, it answers the calendar.

    Args:
        unit_of_work: Opens a transaction.
        clock: The present moment.
    """

    def __init__(self, unit_of_work: CalendarUnitOfWorkFactory, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._calendar = WorkCalendar()
        self._days: tuple[Override, ...] = ()
        self._years: tuple[SettledYear, ...] = ()
        self._warned: frozenset[int] = frozenset()
        self._behind = False
        self.changed: list[Callable[[], Awaitable[object]]] = []
        """Called, one after the other, when the calendar was found changed."""

    def __call__(self) -> WorkCalendar:
        """The calendar as it was last read."""
        return self._calendar

    async def refresh(self) -> bool:
        """Read the calendar again, and bring due times in line where it has changed.

        Returns:
            Whether it has changed.

        Raises:
            Unavailable: The database does not answer; the calendar stays as it was.
        """
        async with self._unit_of_work(read_only=True) as work:
            days, years = await work.calendar.days(), await work.calendar.years()
        changed = (days, years) != (self._days, self._years)
        if changed:
            overrides = {one.day: one.working for one in days}
            calendar = WorkCalendar(overrides, [one.year for one in years])
            self._days, self._years, self._calendar = days, years, calendar
            self._behind = True
        if self._behind:
            for follow in self.changed:
                await follow()
            self._behind = False
        await self._warn()
        return changed

    async def _warn(self) -> None:
        """Tell operators and task force, once for each year, that results are provisional from now on."""
        provisional = frozenset(self.provisional_years())
        for year in sorted(provisional - self._warned):
            log.warning(
                "the holidays of a year that is counted with are not published; results are provisional",
                extra={"year": year},
            )
            async with self._unit_of_work() as work:
                await work.outbox.add(None, [_warning(year, desk, self._clock()) for desk in _WARNED])
                await work.commit()
        self._warned = provisional

    def provisional_years(self) -> tuple[int, ...]:
        """Years that appeals filed now may be timed by, whose holidays are not published."""
        today = local(self._clock()).date()
        # a whistle appeal filed today reaches at most some three weeks ahead, over the longest holidays
        ahead = today + timedelta(days=21)
        return tuple(
            year for year in range(today.year, ahead.year + 1) if self._calendar.is_provisional(year)
        )

    def year(self, year: int) -> CalendarYear:
        """A year as it is counted now.

        Raises:
            InvalidInput: Out of range.
        """
        _check_year(year)
        first = date(year, 1, 1)
        span = (first + timedelta(days=step) for step in range((date(year + 1, 1, 1) - first).days))
        return CalendarYear(
            year,
            self._calendar.is_provisional(year),
            tuple(day for day in span if self._calendar.is_working_day(day)),
            tuple(one for one in self._days if one.day.year == year),
            next((one for one in self._years if one.year == year), None),
        )


class CalendarService:
    """What the task force does with the calendar; each change is one transaction with its line of the log.

    Args:
        unit_of_work: Opens a transaction.
        clock: The present moment.
        almanac: Read again after each change, and brings due times in line.
    """

    def __init__(self, unit_of_work: CalendarUnitOfWorkFactory, clock: Clock, almanac: Almanac) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._almanac = almanac

    def year(self, year: int) -> CalendarYear:
        """A year as it is counted now.

        Raises:
            InvalidInput: Out of range.
        """
        return self._almanac.year(year)

    async def set_day(self, actor: Actor, day: date, *, working: bool, note: str) -> CalendarYear:
        """Enter a day that differs from the notice.

        Raises:
            NotAllowed: Not the task force.
            InvalidInput: Out of range, or no reason given.
            Unavailable: Nothing was changed.
        """
        _may(actor)
        _check_year(day.year)
        words = _note(note)
        async with self._unit_of_work() as work:
            before = next((one for one in await work.calendar.days() if one.day == day), None)
            now = self._now()
            await work.calendar.put_day(Override(day, working, words, now, actor.name))
            await work.audit.add(
                AuditEntry(
                    now,
                    actor,
                    "calendar.day",
                    day.isoformat(),
                    {"working": before.working, "note": before.note} if before else {},
                    {"working": working, "note": words},
                )
            )
            await work.commit()
        return await self._after(day.year)

    async def remove_day(self, actor: Actor, day: date) -> CalendarYear:
        """Take a day out again; the notice holds for it.

        Raises:
            NotAllowed: Not the task force.
            NotFound: It was not entered.
            Unavailable: Nothing was changed.
        """
        _may(actor)
        async with self._unit_of_work() as work:
            before = next((one for one in await work.calendar.days() if one.day == day), None)
            if before is None:
                raise NotFound("这一天没有调整过。")
            await work.calendar.remove_day(day)
            values: dict[str, Any] = {"working": before.working, "note": before.note}
            entry = AuditEntry(self._now(), actor, "calendar.day", day.isoformat(), values, {})
            await work.audit.add(entry)
            await work.commit()
        return await self._after(day.year)

    async def settle(self, actor: Actor, year: int, note: str) -> CalendarYear:
        """Say that a year's notice has been entered completely; its results are no longer provisional.

        Raises:
            NotAllowed: Not the task force.
            InvalidInput: Out of range, or no reason given.
            Conflict: The program knows the notice already, or the days entered cannot be a whole notice.
            Unavailable: Nothing was changed.
        """
        _may(actor)
        words = _note(note)
        await self._almanac.refresh()
        counted = self._almanac.year(year)
        if year in NOTICE_YEARS:
            raise Conflict(f"系统已有 {year} 年的放假安排，不需要标记。", code="wrong_state")
        if not counted.overrides or not _FEWEST <= len(counted.working_days) <= _MOST:
            raise Conflict(
                f"{year} 年目前录入 {len(counted.overrides)} 天调整，"
                f"全年 {len(counted.working_days)} 个工作日，"
                "不像完整的放假安排；请先录入全部放假和调休上班的日期。",
                code="wrong_state",
            )
        async with self._unit_of_work() as work:
            before = next((one for one in await work.calendar.years() if one.year == year), None)
            now = self._now()
            await work.calendar.put_year(SettledYear(year, words, now, actor.name))
            entry = AuditEntry(
                now,
                actor,
                "calendar.year",
                str(year),
                {"note": before.note} if before else {},
                {"note": words},
            )
            await work.audit.add(entry)
            await work.commit()
        return await self._after(year)

    async def unsettle(self, actor: Actor, year: int) -> CalendarYear:
        """Take the mark away; the year is provisional again.

        Raises:
            NotAllowed: Not the task force.
            NotFound: It was not marked.
            Unavailable: Nothing was changed.
        """
        _may(actor)
        _check_year(year)
        async with self._unit_of_work() as work:
            before = next((one for one in await work.calendar.years() if one.year == year), None)
            if before is None:
                raise NotFound(f"{year} 年没有标记为已录入完整。")
            await work.calendar.remove_year(year)
            entry = AuditEntry(self._now(), actor, "calendar.year", str(year), {"note": before.note}, {})
            await work.audit.add(entry)
            await work.commit()
        return await self._after(year)

    def _now(self) -> datetime:
        return local(self._clock())

    async def _after(self, year: int) -> CalendarYear:
        await self._almanac.refresh()
        return self._almanac.year(year)


def _warning(year: int, desk: Desk, at: datetime) -> Message:
    return Message(
        message_key("calendar", str(year), desk.role.value),
        MessageKind.CALENDAR,
        desk,
        DESK_CHANNEL,
        None,
        f"{year} 年放假安排尚未录入",
        f"新提交的诉求已涉及 {year} 年，而系统还没有该年的放假安排，"
        "办理时限按周末和固定节假日暂算，并标明“暂定”。"
        "国务院办公厅通知公布后，请专班在工作日历中录入全部放假和调休日期，"
        "并标记录入完整；系统会自动重算。",
        at,
    )


def _may(actor: Actor) -> None:
    if not isinstance(actor.role, Role):
        raise NotAllowed("请用工作人员账号登录。")
    require(actor.role, Action.CALENDAR_EDIT)


def _check_year(year: int) -> None:
    if year not in _YEARS:
        raise InvalidInput(f"年份应在 {_YEARS[0]} 到 {_YEARS[-1]} 之间。", field="year")


def _note(note: str) -> str:
    words = clean(note)
    if len(words) < 2:
        raise InvalidInput("请写明依据，例如通知的文号。", field="note")
    if len(words) > MOST_NOTE:
        raise InvalidInput(f"依据最多 {MOST_NOTE} 个字。", field="note")
    return words
