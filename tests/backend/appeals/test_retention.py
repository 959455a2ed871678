"""Personal data go after the period of keeping; figures, record and audit stay as they were."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from appeal_district import PHONE, District, StubDirectory
from record_samples import audited, everything, tamper
from sqlalchemy import create_engine, inspect, text

from backend.appeals.calendar import WorkCalendar
from backend.appeals.model import Event, State
from backend.appeals.penalties import PenaltyKind
from backend.appeals.ports import AppealQuery
from backend.appeals.retention import ERASED_TEXT, Retention
from backend.appeals.service_times import ServiceKind
from backend.errors import Conflict, NotFound
from backend.masking import mask
from backend.people.accounts import Account, Attempts, Token
from backend.people.actors import Actor
from backend.people.roles import Role
from backend.storage.database import sync_url
from backend.storage.dialogues import forget_dialogues
from backend.storage.handoffs import Handoff
from backend.storage.unanswered import Asked
from backend.supervision.model import PenaltyQuery
from backend.supervision.service import Supervision

DAYS = 730
SECRETS = (
    "王芳",
    "13812345678",
    "积水",
    "请尽快办理",
    "还没有修好",
    "谢谢",
    "电话里也说好了",
)


def whole_dump(url: str) -> str:
    """Everything in every table, whoever made it, and on SQLite every byte of the file."""
    engine = create_engine(sync_url(url))
    found = []
    with engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            if not (url.startswith("sqlite") and table.startswith("appeal_words")):
                found += [str(row) for row in connection.execute(text(f'SELECT * FROM "{table}"'))]
    engine.dispose()
    if url.startswith("sqlite"):
        file = Path(url.removeprefix("sqlite:///"))
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        found.append(file.read_bytes().decode("utf-8", "replace"))
    return "\n".join(found)


async def test_nothing_of_the_person_is_left_anywhere(district: District, database_url: str) -> None:
    service, clock, database = district.service, district.clock, district.database
    supervision = Supervision(database.unit_of_work, clock, StubDirectory(), WorkCalendar(), seconds=0)
    said = "杭州测试科技有限公司的王芳（王女士）138-1234-5678：厂区门口道路积水，测试科技的货车进不来"
    number = (await district.filed(text=said, idempotency_key="k" * 30)).number
    await service.assign(district.xiasha, number, lead_department="区人社局", text="请联系王芳13812345678")
    await supervision.penalties.record(
        district.taskforce, number, PenaltyKind.FIRST_ASKED, "王芳 13812345678 来电说没人理", "区住建局"
    )
    for of_appeal in (number, None):
        clock_of = await supervision.limits.start(
            district.operator, ServiceKind.ON_SITE, "王芳的现场办事项", ["区住建局"], number=of_appeal
        )
        await supervision.limits.end(district.housing, clock_of.id, "已回复王芳 13812345678")
    async with database.unit_of_work() as work:
        await work.handoffs.add(Handoff("s1", "王芳 13812345678 想找人", clock(), number=number))
        await work.unanswered.add([Asked("k1", mask("我叫王芳，电话13812345678"), 1, clock(), clock())])
        await work.commit()
    clock.pass_by(days=5)
    await supervision.clock.run_once()
    actor = Actor("rs", Role.DEPARTMENT, "区人社局")
    await service.resolve(actor, number, "已经答复王芳")
    clock.pass_by(days=15)
    await supervision.clock.run_once()
    await supervision.calls.called(district.operator, number, "王芳说过几天看")
    await service.give_feedback(number, PHONE, "resolved", 5, "王芳谢谢")
    kept = whole_dump(database_url)
    assert "王芳" in kept
    clock.pass_by(days=DAYS, hours=1)
    assert await retention(district).erase_due() == 1
    await retention(district).tidy()
    await database.engine.dispose()
    left = whole_dump(database_url)
    secrets = ("王芳", "王女士", "13812345678", "1234-5678", "没人理", "过几天")
    assert [secret for secret in secrets if secret in left] == []
    async with database.unit_of_work(read_only=True) as work:
        (correction,) = await work.appeals.corrections(10)
        penalties = (await work.penalties.find(PenaltyQuery())).items
    # what triage learns stays, and so does what counts
    assert correction.text == "[企业]的[姓名]([姓名])[手机号]:厂区门口道路积水,[企业]的货车进不来"
    assert {(one.penalty.kind, one.penalty.note) for one in penalties} >= {(PenaltyKind.FIRST_ASKED, "")}
    assert audited(database_url) == []


async def test_words_kept_by_an_older_version_lose_their_sender_too(
    district: District, database_url: str
) -> None:
    numbers = []
    for step, words in enumerate(("王芳说路面积水", "测试科技门口积水", "王-芳说积水", "门口积水")):
        number = (await district.filed(text=f"第 {step} 件事情要办")).number
        await district.service.assign(district.xiasha, number, lead_department="区人社局")
        tamper(
            database_url,
            "UPDATE triage_corrections SET text = :words WHERE appeal_id = "
            "(SELECT id FROM appeals WHERE number = :number)",
            words=words,
            number=number,
        )
        await district.service.withdraw(number, PHONE)
        numbers.append(number)
    district.clock.pass_by(days=DAYS + 1)
    assert await retention(district).erase_due() == 4
    async with district.database.unit_of_work(read_only=True) as work:
        left = {one.number: one.text for one in await work.appeals.corrections(10)}
    assert [left.get(number) for number in numbers] == [
        "[姓名]说路面积水",
        "[企业]门口积水",
        "[姓名]说积水",
        "门口积水",
    ]


def retention(district: District, days: int = DAYS) -> Retention:
    return Retention(district.database.unit_of_work, district.clock, days)


def everything_stored(url: str) -> str:
    """All that stands in the tables of appeals, as one text."""
    engine = create_engine(sync_url(url))
    tables = (
        "appeals",
        "appeal_history",
        "appeal_supervision",
        "outbox",
        "service_clocks",
        "filings",
        "handoffs",
    )
    with engine.connect() as connection:
        found = [str(row) for table in tables for row in connection.execute(text(f"SELECT * FROM {table}"))]
    engine.dispose()
    return "\n".join(found)


async def test_nothing_of_the_person_is_left_and_the_record_is_whole(
    district: District, database_url: str
) -> None:
    await everything(district)
    # what is still open keeps its data: close or withdraw the rest
    for _ in range(2):  # what was merged comes back when the one that went on is withdrawn
        page = await district.service.list(district.taskforce, AppealQuery(page_size=100))
        for appeal in page.appeals:
            if appeal.is_open:
                await district.service.withdraw(appeal.number, PHONE, "都不用办了")
    district.clock.pass_by(days=DAYS, hours=1)
    before = {one.number: one for one in page.appeals}
    assert await retention(district).erase_due() == 8
    assert await retention(district).erase_due() == 0
    assert audited(database_url) == []
    stored = everything_stored(database_url)
    assert [secret for secret in SECRETS if secret in stored] == []
    after = await district.service.list(district.taskforce, AppealQuery(page_size=100))
    for erased in after.appeals:
        old = before[erased.number]
        assert (erased.contact, erased.phone, erased.text) == ("", "", ERASED_TEXT)
        assert erased.erased_at is not None
        for name in (
            "enterprise",
            "category",
            "level",
            "lead_department",
            "submitted_at",
            "due_at",
            "dissatisfied",
        ):
            assert getattr(erased, name) == getattr(old, name)
        if old.feedback:
            assert erased.feedback is not None
            assert (erased.feedback.stars, erased.feedback.at) == (old.feedback.stars, old.feedback.at)
        lines = (await district.service.get(district.taskforce, erased.number)).history
        assert [line.event for line in lines].count(Event.ERASE) == 1
        assert not any(line.text for line in lines)
        assert all(line.summary for line in lines)


async def test_erased_words_leave_the_index_too(district: District, database_url: str) -> None:
    number = (await district.filed(text="龘龘小区的化粪池堵了")).number
    await district.service.withdraw(number, PHONE)
    district.clock.pass_by(days=DAYS, hours=1)
    assert await retention(district).erase_due() == 1
    if database_url.startswith("sqlite"):
        async with district.database.engine.connect() as connection:
            blocks = await connection.scalars(text("SELECT block FROM appeal_words_data"))
            assert not any("龘".encode() in block for block in blocks)
    found = await district.service.list(district.taskforce, AppealQuery(text="龘"))
    assert found.total == 0


async def test_what_is_erased_is_not_found_by_number_and_phone(district: District) -> None:
    number = await district.resolved()
    await district.service.give_feedback(number, PHONE, "resolved", 5, "谢谢")
    district.clock.pass_by(days=DAYS, hours=1)
    assert (await district.service.lookup(number, PHONE)).appeal.number == number
    assert await retention(district).erase_due() == 1
    for ask in (
        district.service.lookup(number, PHONE),
        district.service.lookup(number, ""),
        district.service.give_feedback(number, PHONE, "resolved", 5, "谢谢"),
        district.service.withdraw(number, PHONE),
    ):
        with pytest.raises(NotFound):
            await ask
    page = await district.service.list(district.taskforce, AppealQuery(phone=PHONE))
    assert page.total == 0
    with pytest.raises(Conflict):
        await district.service.note(district.taskforce, number, "王芳又来电")


async def test_what_was_merged_waits_for_the_one_that_goes_on(district: District, database_url: str) -> None:
    number = await district.assigned()
    merged = await district.filed(text="厂区门口道路又积水")
    await district.service.merge(district.xiasha, merged.number, into=number, reason="同一件事")
    await district.service.resolve(district.housing, number, "已经安排疏通")
    await district.service.give_feedback(number, PHONE, "resolved", 5)
    district.clock.pass_by(days=DAYS, hours=1)
    assert [await retention(district).erase_due() for _ in range(3)] == [1, 1, 0]
    assert audited(database_url) == []


async def test_what_goes_on_is_kept_however_old(district: District, database_url: str) -> None:
    open_still = await district.assigned()
    waiting = await district.resolved(text="等企业确认的一件事")
    merged = await district.filed(text="厂区门口道路积水")
    await district.service.merge(district.xiasha, merged.number, into=open_still, reason="同一件事")
    district.clock.pass_by(days=10 * DAYS)
    assert await retention(district).erase_due() == 0
    for number in (open_still, waiting, merged.number):
        assert (await district.service.lookup(number, PHONE)).appeal.phone == PHONE


async def test_the_day_is_counted_from_the_end(district: District) -> None:
    number = await district.resolved()
    district.clock.pass_by(days=100)
    await district.service.give_feedback(number, PHONE, "resolved", 5)
    district.clock.pass_by(days=DAYS, seconds=-1)
    assert await retention(district).erase_due() == 0
    assert await retention(district, days=0).erase_due() == 0
    district.clock.pass_by(seconds=1)
    assert await retention(district).erase_due() == 1


async def test_a_limit_leaves_the_rest_for_the_next_time(district: District) -> None:
    for step in range(3):
        appeal = await district.filed(text=f"第 {step} 件事情")
        await district.service.withdraw(appeal.number, PHONE)
    district.clock.pass_by(days=DAYS + 1)
    assert [await retention(district).erase_due(2) for _ in range(3)] == [2, 1, 0]


@pytest.mark.parametrize(
    "done",
    [
        "UPDATE appeals SET enterprise = '另一家公司'",
        "UPDATE appeals SET text = '没有问题'",
        "UPDATE appeals SET erased_at = NULL",
        "UPDATE appeals SET feedback_comment = '很好'",
        "UPDATE appeal_history SET text = '很好' WHERE event = 'resolve'",
        "DELETE FROM appeal_history WHERE event = 'erase'",
        "UPDATE appeals SET phone_hash = 'aa'",
    ],
)
async def test_what_is_done_to_an_erased_appeal_is_found(
    district: District, database_url: str, done: str
) -> None:
    number = await district.resolved()
    await district.service.give_feedback(number, PHONE, "resolved", 5, "谢谢")
    district.clock.pass_by(days=DAYS + 1)
    await retention(district).erase_due()
    tamper(database_url, done)
    assert audited(database_url)


async def test_a_filing_is_forgotten_with_the_last_of_its_appeals(
    district: District, database_url: str
) -> None:
    from appeal_district import StubProblem

    district.triage.problems = [StubProblem("第一件事情"), StubProblem("第二件事情")]
    key = "k" * 30
    first, second = (await district.service.file(district.filing(idempotency_key=key))).appeals
    await district.service.withdraw(first.number, PHONE)
    district.clock.pass_by(days=DAYS + 1)
    assert await retention(district).erase_due() == 1
    assert (await district.service.filed_under(key)).group == first.group
    await district.service.withdraw(second.number, PHONE)
    district.clock.pass_by(days=DAYS + 1)
    assert await retention(district).erase_due() == 1
    with pytest.raises(NotFound):
        await district.service.filed_under(key)
    assert audited(database_url) == []
    assert (await district.service.get(district.taskforce, first.number)).appeal.state is State.WITHDRAWN


async def test_what_is_about_no_appeal_goes_too(district: District) -> None:
    clock = district.clock
    async with district.database.unit_of_work() as work:
        for age in (10, 100, 200, 400):
            at = clock() - timedelta(days=age)
            await work.unanswered.add([Asked(f"key{age}", "一个问题", 1, at, at)])
            await work.handoffs.add(Handoff(f"s{age}", "想找人", at))
            await work.people.add_account(Account(f"u{age}", Role.OPERATOR, None, None, at))
            await work.people.add_token(Token(f"f{age}", f"u{age}", "cli", at, at))
            await work.people.attempts(f"u{age}", at)
            await work.people.save_attempts(Attempts(f"u{age}", 1, at, None))
        await work.commit()
    # questions after a year, calls after half a year, tokens and attempts after a month
    assert await retention(district).tidy() == 1 + 2 + 3 + 3
    assert await retention(district).tidy() == 0


def test_old_conversations_go_and_running_ones_stay(database_url: str, tmp_path: Any) -> None:
    from datetime import UTC, datetime

    url = f"sqlite:///{tmp_path}/tracker.db"
    now = datetime(2026, 11, 19, tzinfo=UTC)
    assert forget_dialogues(url, now) == 0
    engine = create_engine(sync_url(url))
    with engine.begin() as connection:
        connection.execute(
            text("CREATE TABLE events (id INTEGER, sender_id TEXT, timestamp FLOAT, data TEXT)")
        )
        for sender, ages in (("old", (400, 300)), ("running", (400, 1)), ("new", (2,))):
            for age in ages:
                at = (now - timedelta(days=age)).timestamp()
                row = {"sender": sender, "at": at}
                connection.execute(text("INSERT INTO events VALUES (1, :sender, :at, '')"), row)
    assert forget_dialogues(url, now - timedelta(days=180)) == 2
    with engine.connect() as connection:
        left = list(connection.execute(text("SELECT sender_id FROM events")).scalars())
    engine.dispose()
    assert sorted(left) == ["new", "running", "running"]
