"""The calendar that the task force edits: counted with at once, everywhere, and told in the log."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from appeal_district import District, StillClock, StubDirectory, StubTriage
from hypothesis import given, settings
from hypothesis import strategies as st
from record_samples import audited, tamper
from sqlalchemy import func, select

from backend.appeals.almanac import Almanac, CalendarService
from backend.appeals.calendar import NOTICE_YEARS, WorkCalendar
from backend.appeals.deadlines import due_at, supervision_moments
from backend.appeals.model import Event, Level, SupervisionState
from backend.appeals.service import AppealService
from backend.calculators import Calculators
from backend.errors import Conflict, InvalidInput, NotAllowed, NotFound
from backend.people.actors import SYSTEM
from backend.storage.database import Database
from backend.storage.tables import OutboxRow

FIRST_FREE = NOTICE_YEARS[-1] + 1
"""The first year whose notice the program does not know."""


class Office:
    """A district whose calendar is edited."""

    def __init__(self, database: Database) -> None:
        self.clock = StillClock()
        self.almanac = Almanac(database.unit_of_work, self.clock)
        self.calendar = CalendarService(database.unit_of_work, self.clock, self.almanac)
        triage = StubTriage()
        service = AppealService(database.unit_of_work, triage, self.almanac, self.clock, StubDirectory())
        self.almanac.changed.append(service.recompute)
        self.district = District(service, triage, self.clock, database)
        self.database = database


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database)


async def test_an_override_moves_what_is_not_due_yet_and_is_told(office: Office, database_url: str) -> None:
    service, taskforce = office.district.service, District.taskforce
    number = await office.district.assigned()  # Thursday the 19th; due on Tuesday the 24th
    due = (await service.get(taskforce, number)).appeal.due_at
    counted = await office.calendar.set_day(taskforce, date(2026, 11, 23), working=False, note="区府办通知")
    assert date(2026, 11, 23) not in counted.working_days
    record = await service.get(taskforce, number)
    assert record.appeal.due_at == due + timedelta(days=1)
    assert record.history[-1].event is Event.RECOMPUTE
    pending = [row for row in record.supervision if row.state is SupervisionState.PENDING]
    assert [row.at.astimezone(UTC).day for row in pending] == [25, 26]
    counted = await office.calendar.remove_day(taskforce, date(2026, 11, 23))
    assert counted.overrides == ()
    assert (await service.get(taskforce, number)).appeal.due_at == due
    async with office.database.unit_of_work(read_only=True) as work:
        entries, total = await work.audit.page(1, 10)
    assert total == 2
    assert [(entry.action, entry.subject, entry.actor.name) for entry in entries] == [
        ("calendar.day", "2026-11-23", "zb")
    ] * 2
    assert (entries[0].before, entries[0].after) == (entries[1].after, {})
    assert audited(database_url) == []


async def test_a_day_behind_the_due_day_moves_the_moment_only(office: Office, database_url: str) -> None:
    service, taskforce = office.district.service, District.taskforce
    number = await office.district.assigned()
    before = await service.get(taskforce, number)
    await office.calendar.set_day(taskforce, date(2026, 11, 25), working=False, note="区府办通知")
    after = await service.get(taskforce, number)
    assert after.appeal.due_at == before.appeal.due_at
    pending = [row for row in after.supervision if row.state is SupervisionState.PENDING]
    assert [row.at.astimezone(UTC).day for row in pending] == [24, 26]
    assert not after.history[-1].public
    assert await service.recompute() == 0
    assert audited(database_url) == []


async def test_another_process_finds_the_change_by_itself(office: Office, database: Database) -> None:
    other = Office(database)
    await other.almanac.refresh()
    day = date(2026, 11, 23)
    await office.calendar.set_day(District.taskforce, day, working=False, note="区府办通知")
    assert other.almanac().is_working_day(day)
    assert await other.almanac.refresh()
    assert not other.almanac().is_working_day(day)
    assert not await other.almanac.refresh()


async def test_what_could_not_be_brought_in_line_is_tried_again(office: Office) -> None:
    calls = []

    async def fails_once() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise Conflict("不巧")

    office.almanac.changed.append(fails_once)
    with pytest.raises(Conflict):
        await office.calendar.set_day(District.taskforce, date(2026, 11, 23), working=False, note="通知")
    await office.almanac.refresh()
    await office.almanac.refresh()
    assert len(calls) == 2


async def test_calculators_count_with_the_overrides(office: Office) -> None:
    calculators = Calculators(office.almanac)
    asked = {"level": "single", "submitted_at": "2026-11-19T10:00:00+08:00"}
    assert calculators.run("deadline", asked).result["due_at"] == "2026-11-24T17:30:00+08:00"
    await office.calendar.set_day(District.taskforce, date(2026, 11, 21), working=True, note="调休上班")
    assert calculators.run("deadline", asked).result["due_at"] == "2026-11-23T17:30:00+08:00"


async def _enter_holidays(office: Office, year: int) -> None:
    days = [date(year, 2, day) for day in range(1, 15)]
    for day in [day for day in days if day.weekday() < 5][:8]:
        await office.calendar.set_day(District.taskforce, day, working=False, note="春节放假")


async def test_a_year_is_provisional_until_its_notice_is_entered(office: Office, database_url: str) -> None:
    office.clock.now = datetime(FIRST_FREE, 1, 5, 2, tzinfo=UTC)
    taskforce, service = District.taskforce, office.district.service
    number = await office.district.assigned()
    assert (await service.get(taskforce, number)).appeal.due_provisional
    assert office.calendar.year(FIRST_FREE).provisional
    with pytest.raises(Conflict, match="不像完整"):
        await office.calendar.settle(taskforce, FIRST_FREE, "国办发明电")
    await _enter_holidays(office, FIRST_FREE)
    counted = await office.calendar.settle(taskforce, FIRST_FREE, "国办发明电")
    assert not counted.provisional
    assert counted.settled is not None
    assert not (await service.get(taskforce, number)).appeal.due_provisional
    assert (await office.calendar.unsettle(taskforce, FIRST_FREE)).provisional
    assert (await service.get(taskforce, number)).appeal.due_provisional
    with pytest.raises(NotFound):
        await office.calendar.unsettle(taskforce, FIRST_FREE)
    assert audited(database_url) == []


async def test_operators_are_told_once_that_results_are_provisional(office: Office) -> None:
    async def told() -> int:
        async with office.database.unit_of_work(read_only=True) as work:
            query = select(func.count()).select_from(OutboxRow).where(OutboxRow.kind == "calendar")
            return (await work._session.execute(query)).scalar_one()  # type: ignore[union-attr]

    office.clock.now = datetime(FIRST_FREE - 1, 11, 30, 2, tzinfo=UTC)
    await office.almanac.refresh()
    assert await told() == 0
    office.clock.now = datetime(FIRST_FREE - 1, 12, 20, 2, tzinfo=UTC)
    await office.almanac.refresh()
    await office.almanac.refresh()
    await Almanac(office.database.unit_of_work, office.clock).refresh()
    assert await told() == 2  # operators and task force


@pytest.mark.parametrize(
    "actor", [District.housing, District.xiasha, District.operator, District.inspection, SYSTEM]
)
async def test_only_the_task_force_edits(office: Office, actor: Any) -> None:
    day = date(2026, 11, 23)
    for ask in (
        office.calendar.set_day(actor, day, working=False, note="通知"),
        office.calendar.remove_day(actor, day),
        office.calendar.settle(actor, FIRST_FREE, "通知"),
        office.calendar.unsettle(actor, FIRST_FREE),
    ):
        with pytest.raises(NotAllowed):
            await ask


async def test_what_cannot_be_meant_is_refused(office: Office) -> None:
    taskforce, day = District.taskforce, date(2026, 11, 23)
    with pytest.raises(InvalidInput, match="依据"):
        await office.calendar.set_day(taskforce, day, working=False, note=" ")
    with pytest.raises(InvalidInput, match="年份"):
        await office.calendar.set_day(taskforce, date(1999, 1, 1), working=False, note="通知")
    with pytest.raises(NotFound):
        await office.calendar.remove_day(taskforce, day)
    with pytest.raises(Conflict, match="已有"):
        await office.calendar.settle(taskforce, NOTICE_YEARS[-1], "通知")
    with pytest.raises(InvalidInput):
        office.calendar.year(1999)


@pytest.mark.parametrize(
    "done",
    [
        "UPDATE calendar_days SET working = NOT working",
        "UPDATE calendar_days SET note = 'x'",
        "UPDATE calendar_days SET changed_by = 'x'",
        "DELETE FROM calendar_days",
    ],
)
async def test_a_calendar_edited_behind_the_system_is_found(
    office: Office, database_url: str, done: str
) -> None:
    await office.calendar.set_day(District.taskforce, date(2026, 11, 23), working=False, note="通知")
    assert audited(database_url) == []
    tamper(database_url, done)
    assert [one.place for one in audited(database_url)] == ["工作日历"]


DAYS = st.dates(date(2026, 1, 1), date(2028, 12, 31))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 6, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


@given(overrides=st.dictionaries(DAYS, st.booleans(), max_size=40), level=st.sampled_from(Level), at=MOMENTS)
@settings(max_examples=150, deadline=None)
def test_overrides_decide_and_nothing_else_changes(
    overrides: dict[date, bool], level: Level, at: datetime
) -> None:
    plain, changed = WorkCalendar(), WorkCalendar(overrides)
    for day, working in overrides.items():
        assert changed.is_working_day(day) is working
    due = due_at(level, at, changed)
    between = [at.date() + timedelta(days=step) for step in range(-1, (due.date() - at.date()).days + 2)]
    assert changed.is_working_day(due.date())
    working = sum(changed.is_working_day(day) for day in between if local_day(at) < day <= due.date())
    assert working == level.working_days
    if not any(day in overrides for day in between):
        assert due == due_at(level, at, plain)
    assert due.date() <= supervision_moments(level, at, changed)[-1].at.date()


@given(day=DAYS, at=MOMENTS, level=st.sampled_from(Level))
@settings(max_examples=100, deadline=None)
def test_a_day_off_more_never_makes_it_due_earlier(day: date, at: datetime, level: Level) -> None:
    assert due_at(level, at, WorkCalendar({day: False})) >= due_at(level, at, WorkCalendar())
    assert due_at(level, at, WorkCalendar({day: True})) <= due_at(level, at, WorkCalendar())


def local_day(at: datetime) -> date:
    return (at + timedelta(hours=8)).date()
