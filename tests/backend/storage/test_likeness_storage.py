"""Appeals are read to be compared: the right ones, in order, as a desk may see them, without a contact."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.appeals.likeness import enterprise_key
from backend.appeals.model import Appeal, Event, HistoryEvent, Level, State
from backend.appeals.ports import Scope, StoredGroup
from backend.people.actors import SYSTEM
from backend.storage.database import Database

NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
NAME = "杭州某某制造有限公司"
FILED = HistoryEvent(NOW, SYSTEM, Event.FILE, "已提交")


def appeal(number: int, **changes: Any) -> Appeal:
    made = Appeal(
        number=f"QT20261120-{number:04}",
        group=f"group{number}",
        enterprise=NAME,
        contact="王小明",
        phone="13800000001",
        text=f"停电{number}",
        channel="portal",
        category="项目",
        level=Level.SINGLE,
        initial_level=Level.SINGLE,
        state=State.FILED,
        direct_line=False,
        territory="下沙街道",
        lead_department="区住建局",
        co_departments=(),
        submitted_at=NOW - timedelta(hours=number),
        due_at=NOW + timedelta(days=3),
    )
    return replace(made, **changes)


async def keep(database: Database, *appeals: Appeal) -> None:
    async with database.unit_of_work() as work:
        for one in appeals:
            await work.appeals.add_group(StoredGroup(one.group, "hash", None, NOW))
            await work.appeals.add(one, (), FILED)
        await work.commit()


async def of_enterprise(
    database: Database, name: str = NAME, scope: Scope | None = None, limit: int = 10
) -> list[str]:
    async with database.unit_of_work(read_only=True) as work:
        since = NOW - timedelta(days=90)
        found = await work.likeness.of_enterprise(enterprise_key(name), since, scope or Scope(), limit)
        return [one.number[-4:] for one in found]


async def letters(database: Database, scope: Scope | None = None, limit: int = 10) -> list[str]:
    async with database.unit_of_work(read_only=True) as work:
        found = await work.likeness.letters(NOW - timedelta(days=14), scope or Scope(), limit)
        return [one.number[-4:] for one in found]


async def test_an_enterprise_is_found_by_any_spelling(database: Database) -> None:
    await keep(
        database,
        appeal(1),
        appeal(2, enterprise="杭州（某某）制造股份有限公司"),
        appeal(3, enterprise="别家"),
    )
    assert await of_enterprise(database) == ["0001", "0002"]


async def test_what_has_ended_is_left_out(database: Database) -> None:
    closed = {"state": State.CLOSED}
    await keep(
        database,
        appeal(1),
        appeal(2, state=State.WITHDRAWN),
        appeal(3, state=State.MERGED, merged_into="QT20261120-0001"),
        appeal(4, closed_at=NOW - timedelta(days=89), **closed),
        appeal(5, closed_at=NOW - timedelta(days=91), **closed),
        appeal(6, state=State.RESOLVED),
    )
    assert await of_enterprise(database) == ["0001", "0004", "0006"]
    assert await letters(database) == ["0001", "0004", "0005", "0006"]


async def test_the_newest_come_first_and_no_more_than_asked(database: Database) -> None:
    await keep(database, appeal(3), appeal(1), appeal(2))
    assert await of_enterprise(database, limit=2) == ["0001", "0002"]
    assert await letters(database, limit=2) == ["0001", "0002"]


async def test_letters_are_of_the_window_alone(database: Database) -> None:
    await keep(database, appeal(1), appeal(2, submitted_at=NOW - timedelta(days=15)))
    assert await letters(database) == ["0001"]


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (Scope(), ["0001", "0002", "0003", "0004"]),
        (Scope(territory="下沙街道"), ["0001", "0003", "0004"]),
        (Scope(territory="白杨街道"), ["0002", "0003"]),
        (Scope(territory=""), ["0003"]),
        (Scope(department="区住建局"), ["0004"]),
        (Scope(liaison="nobody"), []),
    ],
)
async def test_a_desk_reads_what_it_may_see(database: Database, scope: Scope, seen: list[str]) -> None:
    await keep(
        database,
        appeal(1),
        appeal(2, territory="白杨街道"),
        appeal(3, territory=None),
        appeal(4, assigned_at=NOW, state=State.ASSIGNED),
    )
    assert await of_enterprise(database, scope=scope) == seen
    assert await letters(database, scope) == seen
    async with database.unit_of_work(read_only=True) as work:
        for number in ("0001", "0002", "0003", "0004"):
            found = await work.likeness.matter(f"QT20261120-{number}", scope)
            assert (found is not None) == (number in seen)


async def test_what_is_read_is_the_appeal_without_its_contact(database: Database) -> None:
    one = appeal(1)
    await keep(database, one)
    async with database.unit_of_work(read_only=True) as work:
        matter = await work.likeness.matter(one.number, Scope())
        [letter] = await work.likeness.letters(NOW - timedelta(days=1), Scope(), 5)
        assert await work.likeness.newest_texts(5) == (one.text,)
    assert matter is not None
    for name in (
        "number",
        "group",
        "enterprise",
        "text",
        "category",
        "state",
        "territory",
        "lead_department",
    ):
        assert getattr(matter, name) == getattr(one, name)
    assert matter.submitted_at == letter.submitted_at == one.submitted_at
    assert (letter.number, letter.enterprise_key, letter.text) == (one.number, "杭州某某制造", one.text)
    assert not hasattr(matter, "phone")


async def test_what_is_not_there_is_not_found(database: Database) -> None:
    async with database.unit_of_work(read_only=True) as work:
        assert await work.likeness.matter("QT20261120-0001", Scope()) is None
        assert await work.likeness.newest_texts(5) == ()
    assert await of_enterprise(database) == await letters(database) == []
