"""What had no answer is kept without personal data, counted, grouped, handled and opened again."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from backend_vault import VAULT
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from backend.errors import NotAllowed, NotFound, Unavailable
from backend.hotline import unanswered
from backend.hotline.unanswered import UnansweredService, grouped, prepared
from backend.masking import mask
from backend.people.actors import Actor, Party
from backend.people.roles import Role
from backend.storage.database import Database
from backend.storage.unanswered import Unanswered

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
EDITOR = Actor("bianji", Role.EDITOR)


class Room:
    """The service and a clock that a test moves."""

    def __init__(self, database: Database) -> None:
        self.now = NOW
        self.database = database
        self.service = UnansweredService(database, lambda: self.now)

    async def ask(self, *questions: str) -> None:
        for question in questions:
            self.service.record(question)
        await self.service.finish()

    async def counts(self, days: int = 30) -> dict[str, int]:
        return {group.question: group.count for group in await self.service.all_groups(days)}


@pytest.fixture
async def room(database: Database) -> AsyncIterator[Room]:
    there = Room(database)
    yield there
    await there.service.finish()


async def rows(database: Database) -> str:
    """Everything in the table, as text."""
    async with database.engine.connect() as connection:
        return "\n".join(map(str, await connection.execute(text("SELECT * FROM unanswered_questions"))))


# -- what is kept ----------------------------------------------------------------------------------------


async def test_the_same_question_is_one_row_that_counts(room: Room) -> None:
    await room.ask("红烧肉怎么做")
    room.now += timedelta(hours=1)
    await room.ask("请问红烧肉 怎么做呀？", "红烧肉怎么做！", "光伏补贴有吗")
    first, second = await room.service.all_groups(30)
    assert (first.question, first.count, first.first_at, first.last_at) == (
        "红烧肉怎么做",
        3,
        NOW,
        NOW + timedelta(hours=1),
    )
    assert len(first.questions) == 1
    assert (second.question, second.count) == ("光伏补贴有吗", 1)


async def test_twenty_tasks_at_once_are_one_row(room: Room) -> None:
    others = [UnansweredService(room.database, lambda: NOW) for _ in range(20)]

    async def ask(service: UnansweredService) -> None:
        service.record("红烧肉怎么做")
        await service.finish()

    await asyncio.gather(*map(ask, others))
    assert await room.counts() == {"红烧肉怎么做": 20}
    async with room.database.unit_of_work(read_only=True) as work:
        assert len(await work.unanswered.open_since(NOW, 100)) == 1


async def test_many_questions_from_several_processes_do_not_wait_for_each_other(room: Room) -> None:
    questions = [f"第{number}号楼的电梯什么时候修" for number in range(600)]
    others = [UnansweredService(room.database, lambda: NOW) for _ in range(4)]
    for position, service in enumerate(others):
        for question in random.Random(position).sample(questions, len(questions)):
            service.record(question)
    await asyncio.gather(*(service.finish() for service in others))
    async with room.database.unit_of_work(read_only=True) as work:
        found = await work.unanswered.open_since(NOW, 1000)
    assert {one.question: one.count for one in found} == dict.fromkeys(questions, 4)


PRIVATE = ["13812345678", "138 1234 5678", "１３８１２３４５６７８", "0571-88881234", "330102199001011234"]


@pytest.mark.parametrize("number", PRIVATE)
async def test_no_number_of_a_person_is_ever_in_the_table(room: Room, number: str) -> None:
    await room.ask(
        f"我叫王小明，{number}，红烧肉怎么做", f"{number}", "红烧肉怎么做" + "，真的" * 95 + number * 3
    )
    kept = await rows(room.database)
    digits = "".join(sign for sign in kept if sign.isdigit())
    assert "红烧肉怎么做" in kept
    assert mask(number) not in ("", number)
    assert not {"8881234", "12345678", "199001011234"} & {
        digits[at : at + size] for size in (7, 8, 12) for at in range(len(digits))
    }
    assert "王小明" not in kept


@given(
    before=st.text("红烧肉怎么做,。 abc123我叫", max_size=320),
    number=st.from_regex(r"1[3-9]\d{9}", fullmatch=True),
    after=st.text("红烧肉怎么做,。 \n", max_size=40),
)
def test_no_mobile_survives_wherever_the_cut_falls(before: str, number: str, after: str) -> None:
    for asked in prepared([(f"{before}啊{number}{after}", NOW)]):
        assert number not in asked.question
        assert len(asked.question) <= 300
        assert mask(asked.question) == asked.question


@given(
    st.lists(st.sampled_from(["红烧肉怎么做", "红烧肉 怎么做?", "光伏", "？", "13812345678", "😀", "谢谢"]))
)
def test_counts_add_up_and_what_has_no_words_is_left_out(typed: list[str]) -> None:
    asked = prepared([(question, NOW) for question in typed])
    worded = [question for question in typed if "红" in question or "光" in question]
    assert sum(one.count for one in asked) == len(worded)
    assert len(asked) == len({question[0] for question in worded})


async def test_long_questions_are_shortened(room: Room) -> None:
    await room.ask("红烧肉怎么做" * 200)
    ((question, _),) = (await room.counts()).items()
    assert len(question) == 300


# -- a database that is slow or away ---------------------------------------------------------------------


async def test_a_database_that_is_away_costs_one_line_without_content(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(f"sqlite:///{tmp_path}/empty.db", VAULT)  # without tables
    service = UnansweredService(database, lambda: NOW)
    with caplog.at_level(logging.INFO):
        service.record("红烧肉怎么做13812345678")
        service.record("红烧肉怎么做")
        await service.finish()
    await database.close()
    (line,) = caplog.records
    assert line.__dict__["questions"] == 2
    assert "红烧肉" not in caplog.text
    assert "13812345678" not in caplog.text


async def test_after_an_outage_questions_are_kept_again(
    room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(**_: bool) -> None:
        raise Unavailable("忙。")

    with monkeypatch.context() as patch:
        patch.setattr(room.database, "unit_of_work", away)
        await room.ask("红烧肉怎么做")
    await room.ask("光伏补贴有吗")
    assert await room.counts() == {"光伏补贴有吗": 1}
    assert len(caplog.records) == 1


async def test_recording_does_not_wait_and_a_flood_is_counted(
    room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(unanswered, "_MOST_WAITING", 3)
    await room.ask(*["红烧肉怎么做"] * 10)
    assert await room.counts() == {"红烧肉怎么做": 3}
    assert [line.__dict__["questions"] for line in caplog.records] == [7]


async def test_closing_does_not_wait_for_ever(
    room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(unanswered, "_LAST_SECONDS", 0.05)
    async with room.database.unit_of_work() as work:
        await work.unanswered.add(prepared([("红烧肉怎么做", NOW)]))
        room.service.record("红烧肉怎么做")
        async with asyncio.timeout(5):
            await room.service.finish()
    assert len(caplog.records) == 1
    assert await room.counts() == {}


# -- grouping --------------------------------------------------------------------------------------------


def asked(number: int, question: str, count: int = 1) -> Unanswered:
    return Unanswered(number, question, count, NOW, NOW + timedelta(minutes=number))


QUESTIONS = st.lists(
    st.tuples(
        st.lists(
            st.sampled_from(["高企", "补贴", "怎么", "申请", "多少", "人才", "公寓"]), min_size=1, max_size=5
        ),
        st.integers(1, 50),
    ),
    max_size=25,
).map(lambda found: [asked(at, "".join(words), count) for at, (words, count) in enumerate(found, 1)])


@given(QUESTIONS)
def test_groups_lose_nothing_and_stand_in_order(questions: list[Unanswered]) -> None:
    ordered = sorted(questions, key=lambda one: (-one.count, one.first_at, one.id))
    groups = grouped(ordered)
    assert grouped(list(ordered)) == groups
    assert sorted(one.id for group in groups for one in group.questions) == [one.id for one in questions]
    assert sum(group.count for group in groups) == sum(one.count for one in questions)
    assert [group.count for group in groups] == sorted((group.count for group in groups), reverse=True)
    for group in groups:
        assert group.question == group.questions[0].question
        assert group.questions[0].count == max(one.count for one in group.questions)
        assert group.first_at == min(one.first_at for one in group.questions)
        assert group.last_at == max(one.last_at for one in group.questions)


async def test_pages_of_groups(room: Room) -> None:
    await room.ask(*["光伏补贴有吗"] * 3, *["红烧肉怎么做"] * 2, "食堂几点开门")
    page = await room.service.groups(EDITOR, days=30, page=2, page_size=2)
    assert ([group.question for group in page.groups], page.total) == (["食堂几点开门"], 3)
    assert (await room.service.groups(EDITOR, days=30, page=9, page_size=2)).groups == ()


async def test_only_the_last_days_are_listed(room: Room) -> None:
    await room.ask("光伏补贴有吗")
    room.now += timedelta(days=8)
    await room.ask("红烧肉怎么做")
    assert list(await room.counts(7)) == ["红烧肉怎么做"]
    assert len(await room.counts(9)) == 2


async def test_at_most_so_many_are_listed_the_last_ones(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unanswered, "_MOST_LISTED", 1)
    await room.ask("光伏补贴有吗", "光伏补贴有吗")
    room.now += timedelta(seconds=1)
    await room.ask("红烧肉怎么做")
    assert await room.counts() == {"红烧肉怎么做": 1}


# -- handling --------------------------------------------------------------------------------------------


async def test_handled_is_gone_until_it_is_asked_again(room: Room) -> None:
    await room.ask("光伏补贴有吗", "红烧肉怎么做")
    ids = {group.question: group.questions[0].id for group in await room.service.all_groups(30)}
    assert await room.service.handle(EDITOR, [ids["光伏补贴有吗"], 2**31 - 1]) == (ids["光伏补贴有吗"],)
    assert await room.counts() == {"红烧肉怎么做": 1}
    assert "bianji" in await rows(room.database)
    with pytest.raises(NotFound):
        await room.service.handle(EDITOR, [ids["光伏补贴有吗"]])
    room.now += timedelta(days=1)
    await room.ask("光伏补贴有吗")
    assert await room.counts() == {"光伏补贴有吗": 2, "红烧肉怎么做": 1}
    assert "bianji" not in await rows(room.database)


async def test_many_are_handled_at_once(room: Room) -> None:
    await room.ask(*[f"第{number}号楼的电梯什么时候修" for number in range(900)])
    ids = [one.id for group in await room.service.all_groups(30) for one in group.questions]
    assert len(await room.service.handle(EDITOR, ids + list(range(10_000, 11_000)))) == 900
    assert await room.counts() == {}


@pytest.mark.parametrize(
    "actor", [Actor("x", Party.SYSTEM), Actor("l", Role.LEADER), Actor("d", Role.DEPARTMENT)]
)
async def test_others_have_nothing_to_do_with_it(room: Room, actor: Actor) -> None:
    with pytest.raises(NotAllowed):
        await room.service.groups(actor, days=30)
    with pytest.raises(NotAllowed):
        await room.service.handle(actor, [1])


async def test_an_operator_looks_only(room: Room) -> None:
    operator = replace(EDITOR, role=Role.OPERATOR)
    assert (await room.service.groups(operator, days=30)).total == 0
    with pytest.raises(NotAllowed):
        await room.service.handle(operator, [1])


async def test_an_older_moment_does_not_turn_the_clock_back(room: Room) -> None:
    await room.ask("光伏补贴有吗")
    room.now -= timedelta(days=1)
    await room.ask("光伏补贴有吗")
    room.now = NOW
    (group,) = await room.service.all_groups(30)
    assert (group.count, group.last_at) == (2, NOW)
