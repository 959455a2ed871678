"""What the database counts is what the definitions say, appeal by appeal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from backend_vault import VAULT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update

from backend.appeals.calendar import SHANGHAI, WorkCalendar, local
from backend.appeals.model import (
    TERRITORY_UNKNOWN,
    Appeal,
    Feedback,
    FeedbackResult,
    Level,
    State,
)
from backend.appeals.penalties import PenaltyKind
from backend.appeals.ports import Scope
from backend.figures.definitions import counts_of, lead_unit, median, total, working_seconds
from backend.figures.model import Grouping, Key, Row, Selection, month_bounds
from backend.figures.ports import Entered, LiaisonFacts
from backend.people.accounts import Account, Pairing
from backend.people.roles import Role
from backend.storage.database import Database
from backend.storage.tables import AppealRow, CoDepartmentRow, FilingRow, HistoryRow, PenaltyRow

NOW = datetime(2026, 11, 19, 10, 0, tzinfo=SHANGHAI)
CALENDAR = WorkCalendar()
DEPARTMENTS = ("甲局", "乙局", "丙局")
TERRITORIES = ("一街道", "二平台")
START = datetime(2026, 9, 20, tzinfo=SHANGHAI)


@dataclass(frozen=True)
class Case:
    """An appeal with the events recorded against it."""

    appeal: Appeal
    penalties: tuple[tuple[PenaltyKind, str, datetime], ...]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    submitted = START + timedelta(seconds=draw(st.integers(0, 70 * 86_400)))

    def later() -> datetime | None:
        seconds = draw(st.none() | st.integers(0, 15 * 86_400))
        return None if seconds is None else submitted + timedelta(seconds=seconds)

    word = later()
    feedback = None
    if word is not None:
        result = draw(st.sampled_from(FeedbackResult))
        feedback = Feedback(word, result, draw(st.none() | st.integers(1, 5)), "")
    level = draw(st.sampled_from(Level))
    lead = draw(st.none() | st.sampled_from(DEPARTMENTS))
    territory = draw(st.none() | st.sampled_from(TERRITORIES))
    appeal = Appeal(
        number="",
        group="g",
        enterprise="杭州测试有限公司",
        contact="王芳",
        phone="13800000001",
        text="停水了",
        channel="portal",
        category=draw(st.sampled_from(["人才", "项目"])),
        level=level,
        initial_level=level,
        state=draw(st.sampled_from(State)),
        direct_line=draw(st.booleans()),
        territory=territory,
        lead_department=lead,
        co_departments=tuple(draw(st.lists(st.sampled_from(DEPARTMENTS), unique=True, max_size=2))),
        submitted_at=submitted,
        due_at=submitted + timedelta(hours=draw(st.integers(1, 200))),
        assigned_at=later(),
        first_reply_at=later(),
        first_resolved_at=later(),
        escalation_level=draw(st.integers(1, 4)),
        feedback=feedback,
        dissatisfied=draw(st.integers(0, 2)),
    )
    units = (*DEPARTMENTS, *([territory] if territory else []), TERRITORY_UNKNOWN)
    found = draw(
        st.lists(st.tuples(st.sampled_from(PenaltyKind), st.sampled_from(units)), unique=True, max_size=2)
    )
    return Case(appeal, tuple((kind, unit, NOW) for kind, unit in found))


async def fill(database: Database, drawn: Sequence[Case]) -> None:
    async with database.engine.begin() as connection:
        for table in (PenaltyRow, CoDepartmentRow, AppealRow, FilingRow):
            await connection.execute(delete(table))
        await connection.execute(
            insert(FilingRow).values(id=1, group_id="g", content_hash="h", created_at=NOW)
        )
        for number, case in enumerate(drawn, 1):
            await connection.execute(insert(AppealRow).values(**columns(number, case.appeal)))
            for position, name in enumerate(case.appeal.co_departments):
                await connection.execute(
                    insert(CoDepartmentRow).values(appeal_id=number, position=position, department=name)
                )
            for kind, unit, at in case.penalties:
                await connection.execute(
                    insert(PenaltyRow).values(
                        appeal_id=number, kind=kind.value, unit=unit, at=at, note="", actor_name="system"
                    )
                )


def columns(number: int, appeal: Appeal) -> dict[str, Any]:
    feedback = appeal.feedback
    return {
        "id": number,
        "number": f"QT20261119-{number:04}",
        "group_id": "g",
        "enterprise": appeal.enterprise,
        "contact_sealed": VAULT.seal(appeal.contact),
        "phone_sealed": VAULT.seal(appeal.phone),
        "text": appeal.text,
        "channel": appeal.channel,
        "category": appeal.category,
        "level": appeal.level.value,
        "initial_level": appeal.initial_level.value,
        "state": appeal.state.value,
        "direct_line": appeal.direct_line,
        "territory": appeal.territory,
        "lead_department": appeal.lead_department,
        "led_by": [],
        "reasons": [],
        "submitted_at": appeal.submitted_at,
        "due_at": appeal.due_at,
        "due_provisional": False,
        "assigned_at": appeal.assigned_at,
        "first_reply_at": appeal.first_reply_at,
        "first_resolved_at": appeal.first_resolved_at,
        "escalation_level": appeal.escalation_level,
        "feedback_at": feedback.at if feedback else None,
        "feedback_result": feedback.result.value if feedback else None,
        "feedback_stars": feedback.stars if feedback else None,
        "feedback_comment": "" if feedback else None,
        "dissatisfied": appeal.dissatisfied,
        "version": 1,
    }


def key_of(by: Grouping, appeal: Appeal) -> Key:
    if by is Grouping.DEPARTMENT:
        return Key(*lead_unit(appeal))
    if by is Grouping.TERRITORY:
        return Key(appeal.territory, False)
    if by is Grouping.CATEGORY:
        return Key(appeal.category)
    if by is Grouping.MONTH:
        return Key(f"{local(appeal.submitted_at):%Y-%m}")
    return Key(appeal.level.value)


def common(appeal: Appeal, selection: Selection) -> bool:
    return (
        (selection.since is None or appeal.submitted_at >= selection.since)
        and (selection.before is None or appeal.submitted_at < selection.before)
        and selection.territory in (None, appeal.territory)
        and selection.category in (None, appeal.category)
        and selection.level in (None, appeal.level)
        and selection.state in (None, appeal.state)
        and selection.direct_line in (None, appeal.direct_line)
    )


def led(appeal: Appeal, selection: Selection) -> bool:
    wanted = [one for one in (selection.own_department, selection.department) if one is not None]
    return all(lead_unit(appeal) == (one, True) for one in wanted) and (
        selection.own_territory in (None, appeal.territory)
    )


def reference(by: Grouping, drawn: Sequence[Case], selection: Selection) -> tuple[dict[Key, Row], Row]:
    """The same figures, one appeal after the other."""
    chosen = [case for case in drawn if common(case.appeal, selection)]
    groups: dict[Key, list[Case]] = defaultdict(list)
    for case in chosen:
        if led(case.appeal, selection):
            groups[key_of(by, case.appeal)].append(case)
    territories = {case.appeal.territory for case in drawn} | {TERRITORY_UNKNOWN}
    penalties: dict[Key, Counter[PenaltyKind]] = defaultdict(Counter)
    for case in chosen:
        for kind, unit, _ in case.penalties:
            if selection.own_unit not in (None, unit):
                continue
            named = Key(None if unit == TERRITORY_UNKNOWN else unit, unit not in territories)
            if by is Grouping.DEPARTMENT:
                if selection.department in (None, unit):
                    penalties[named][kind] += 1
            elif by is Grouping.TERRITORY:
                if unit in territories and selection.territory in (None, unit):
                    penalties[replace(named, is_department=False)][kind] += 1
            elif selection.own_unit is not None or led(case.appeal, selection):
                penalties[key_of(by, case.appeal)][kind] += 1
    helped: Counter[Key] = Counter()
    if by is Grouping.DEPARTMENT:
        for case in chosen:
            if case.appeal.assigned_at is None:
                continue
            if selection.own_territory in (None, case.appeal.territory):
                helped.update(
                    Key(name, True)
                    for name in case.appeal.co_departments
                    if selection.own_department in (None, name) and selection.department in (None, name)
                )
    rows = {}
    all_waits: list[int] = []
    for key in {*groups, *penalties, *helped}:
        held = groups[key]
        waits = [
            working_seconds(case.appeal.submitted_at, case.appeal.first_reply_at, CALENDAR)
            for case in held
            if case.appeal.first_reply_at is not None
        ]
        all_waits += waits
        rows[key] = Row(
            key,
            total(counts_of(case.appeal, NOW, {kind for kind, *_ in case.penalties}) for case in held),
            median(waits),
            helped[key] if by is Grouping.DEPARTMENT and key.is_department else None,
            dict(penalties[key]),
        )
    events: Counter[PenaltyKind] = Counter()
    for row in rows.values():
        events.update(row.penalties)
    whole = Row(Key(None), total(row.counts for row in rows.values()), median(all_waits), None, dict(events))
    return rows, whole


SELECTIONS = st.builds(
    Selection,
    since=st.none() | st.just(datetime(2026, 10, 1, tzinfo=SHANGHAI)),
    before=st.none() | st.just(datetime(2026, 11, 1, tzinfo=SHANGHAI)),
    department=st.none() | st.sampled_from(DEPARTMENTS),
    territory=st.none() | st.sampled_from(TERRITORIES),
    category=st.none() | st.just("人才"),
    level=st.none() | st.just(Level.WHISTLE),
    direct_line=st.none() | st.booleans(),
    own_department=st.none() | st.sampled_from(DEPARTMENTS),
    own_territory=st.none() | st.sampled_from(TERRITORIES),
)


# each example empties the tables itself
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=SLOW,
)
@given(drawn=st.lists(cases(), max_size=12), selection=st.just(Selection()) | SELECTIONS)
async def test_the_database_counts_as_the_definitions_do(
    database: Database, drawn: list[Case], selection: Selection
) -> None:
    await fill(database, drawn)
    async with database.unit_of_work(read_only=True) as work:
        for by in Grouping:
            rows, whole = await work.figures.rows(by, selection, NOW, CALENDAR)
            assert len(rows) == len({row.key for row in rows})
            assert ({row.key: row for row in rows}, whole) == reference(by, drawn, selection), by


async def test_nothing_filed_is_no_row_and_zeros_in_all(database: Database) -> None:
    async with database.unit_of_work(read_only=True) as work:
        rows, whole = await work.figures.rows(Grouping.DEPARTMENT, Selection(), NOW, CALENDAR)
    assert rows == ()
    assert whole.counts.filed == 0
    assert whole.counts.solve_rate.value is None
    assert whole.reply_seconds is None


def plain(**changes: Any) -> Appeal:
    """An appeal of 甲局 that waits to be handled."""
    known: dict[str, Any] = {
        "number": "",
        "group": "g",
        "enterprise": "杭州测试有限公司",
        "contact": "王芳",
        "phone": "13800000001",
        "text": "停水了",
        "channel": "portal",
        "category": "项目",
        "level": Level.SINGLE,
        "initial_level": Level.SINGLE,
        "state": State.ASSIGNED,
        "direct_line": False,
        "territory": TERRITORIES[0],
        "lead_department": DEPARTMENTS[0],
        "co_departments": (),
        "submitted_at": NOW - timedelta(days=1),
        "due_at": NOW + timedelta(days=2),
        "assigned_at": NOW - timedelta(hours=20),
    }
    return Appeal(**{**known, **changes})


@pytest.mark.parametrize(
    ("utc", "month"),
    [
        (datetime(2026, 10, 31, 15, 59, 59, tzinfo=UTC), "2026-10"),
        (datetime(2026, 10, 31, 16, 0, 0, tzinfo=UTC), "2026-11"),
    ],
)
async def test_a_month_begins_at_midnight_in_the_office(
    database: Database, utc: datetime, month: str
) -> None:
    await fill(database, [Case(plain(submitted_at=utc), ())])
    async with database.unit_of_work(read_only=True) as work:
        (row,), _ = await work.figures.rows(Grouping.MONTH, Selection(), NOW, CALENDAR)
        assert row.key == Key(month)
        within = Selection(*month_bounds(month))
        assert (await work.figures.rows(Grouping.MONTH, within, NOW, CALENDAR))[0] == (row,)


# -- exports -----------------------------------------------------------------------------------------------


async def test_an_export_comes_in_batches_that_hold_each_appeal_once(database: Database) -> None:
    drawn = [Case(plain(co_departments=DEPARTMENTS[1:]), ()) for _ in range(5)]
    await fill(database, drawn)
    async with database.unit_of_work(read_only=True) as work:
        count, last = await work.figures.export_size(Selection(), Scope())
        assert (count, last) == (5, 5)
        found = []
        after = 0
        while batch := await work.figures.export_batch(Selection(), Scope(), after, last, 2):
            assert len(batch) <= 2
            found += batch
            after = batch[-1].id
    assert [one.id for one in found] == [1, 2, 3, 4, 5]
    values = found[0].values
    assert values["co_departments"] == list(DEPARTMENTS[1:])
    assert (values["contact"], values["phone"]) == ("王芳", "13800000001")
    assert values["submitted_at"] == NOW - timedelta(days=1)
    assert values["first_reply_at"] is None


async def test_an_export_keeps_to_what_its_reader_may_see(database: Database) -> None:
    led = plain()
    helped = plain(lead_department=DEPARTMENTS[1], co_departments=(DEPARTMENTS[0],), territory=TERRITORIES[1])
    proposed = plain(assigned_at=None, state=State.FILED)
    unconfirmed = plain(lead_department=DEPARTMENTS[2], territory=None)
    await fill(database, [Case(one, ()) for one in (led, helped, proposed, unconfirmed)])

    async def ids(selection: Selection, scope: Scope) -> list[int]:
        async with database.unit_of_work(read_only=True) as work:
            batch = await work.figures.export_batch(selection, scope, 0, 99, 99)
            count, last = await work.figures.export_size(selection, scope)
        assert (count, last) == (len(batch), max((one.id for one in batch), default=0))
        return [one.id for one in batch]

    assert await ids(Selection(), Scope(department=DEPARTMENTS[0])) == [1, 2]
    assert await ids(Selection(), Scope(territory=TERRITORIES[0])) == [1, 3, 4]
    assert await ids(Selection(department=DEPARTMENTS[0]), Scope()) == [1, 2, 3]
    assert await ids(Selection(state=State.FILED), Scope()) == [3]
    assert await ids(Selection(territory=TERRITORIES[1]), Scope(department=DEPARTMENTS[1])) == [2]


# -- liaisons' months --------------------------------------------------------------------------------------


async def test_a_liaisons_month_is_kept_and_replaced(database: Database) -> None:
    async with database.unit_of_work() as work:
        await work.people.add_account(Account("zhuqi", Role.LIAISON, None, None, NOW))
        await work.people.add_account(Account("lead", Role.DEPARTMENT, DEPARTMENTS[0], None, NOW))
        assert await work.figures.liaison_month("zhuqi", "2026-11") is None
        await work.figures.save_liaison_month("zhuqi", "2026-11", {"visit": True}, NOW, "boss")
        await work.figures.save_liaison_month("zhuqi", "2026-11", {"media": ["市"]}, NOW, "chief")
        await work.figures.save_liaison_month("zhuqi", "2026-10", {"posts": 1}, NOW, "boss")
        await work.commit()
    async with database.unit_of_work(read_only=True) as work:
        assert await work.figures.liaison_month("zhuqi", "2026-11") == Entered(
            {"media": ["市"]}, NOW, "chief"
        )
        assert await work.figures.liaison_month("nobody", "2026-11") is None
        bounds = month_bounds("2026-11")
        assert await work.figures.liaison_facts("zhuqi", *bounds, NOW) == LiaisonFacts()
        assert await work.figures.liaison_facts("lead", *bounds, NOW) is None
        assert await work.figures.liaison_facts("nobody", *bounds, NOW) is None


async def test_a_liaisons_facts_are_of_paired_enterprises_and_own_uploads(database: Database) -> None:
    key = "杭州测试"
    late = plain(submitted_at=NOW - timedelta(days=9), due_at=NOW - timedelta(days=6))
    rated = plain(
        state=State.CLOSED,
        first_resolved_at=NOW,
        feedback=Feedback(NOW, FeedbackResult.RESOLVED, 4, ""),
        channel="assistant_visit",
    )
    elsewhere = plain(channel="assistant_visit")
    last_month = plain(submitted_at=datetime(2026, 10, 31, 23, 59, tzinfo=SHANGHAI))
    await fill(database, [Case(one, ()) for one in (late, rated, elsewhere, last_month)])
    async with database.unit_of_work() as work:
        await work.people.add_account(Account("zhuqi", Role.LIAISON, None, None, NOW))
        await work.people.add_pairing(Pairing("zhuqi", key, "杭州测试有限公司", NOW))
        await work.commit()
    async with database.engine.begin() as connection:
        paired = update(AppealRow).where(AppealRow.id != 3).values(enterprise_key=key)
        await connection.execute(paired)
        for number, name in ((2, "zhuqi"), (3, "bieren")):
            await connection.execute(insert(HistoryRow).values(first_line(number, name)))
    async with database.unit_of_work(read_only=True) as work:
        facts = await work.figures.liaison_facts("zhuqi", *month_bounds("2026-11"), NOW)
    assert facts == LiaisonFacts(uploads=1, appeals=2, overdue=1, solved=1, answered=1, stars=4, rated=1)


def first_line(number: int, name: str) -> dict[str, Any]:
    return {
        "appeal_id": number,
        "at": NOW,
        "actor_name": name,
        "actor_role": Role.LIAISON.value,
        "event": "file",
        "summary": "已提交",
        "text": "",
        "public": True,
        "before": {},
        "after": {},
        "position": 1,
    }
