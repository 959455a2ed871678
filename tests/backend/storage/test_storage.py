from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sqlite3
import threading
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from backend_vault import VAULT
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError, StatementError

from backend.appeals.model import Appeal, Event, HistoryEvent, Level, State, Supervision
from backend.appeals.ports import DuplicateKey, StaleVersion, StoredGroup
from backend.errors import InvalidInput, Unavailable
from backend.people.actors import Actor, Party
from backend.storage.database import Database, UnitOfWork, async_url, sync_url
from backend.storage.handoffs import Handoff
from backend.storage.schema import configuration, is_current, migrate, open_engine
from backend.storage.unanswered import Asked

NOW = datetime(2026, 11, 19, 10, 0, tzinfo=timezone(timedelta(hours=8)))
DAY = date(2026, 11, 19)


FILED = HistoryEvent(NOW, Actor("x", Party.SYSTEM), Event.FILE, "已提交", after={"state": "filed"})
NOTED = HistoryEvent(NOW, Actor("x", Party.SYSTEM), Event.NOTE, "备注", "写了字", public=False)


def appeal(number: str = "QT20261119-0001", group: str = "g1") -> Appeal:
    return Appeal(
        number=number,
        group=group,
        enterprise="企业",
        contact="王芳",
        phone="13812345678",
        text="积水😀",
        channel="portal",
        category="项目",
        level=Level.WHISTLE,
        initial_level=Level.SINGLE,
        state=State.FILED,
        direct_line=False,
        territory="下沙街道",
        lead_department=None,
        co_departments=("乙局", "甲局"),
        submitted_at=NOW,
        due_at=NOW + timedelta(days=7),
        led_by=("乙局",),
        reasons=("理由",),
    )


async def found(work: UnitOfWork) -> Appeal:
    there = await work.appeals.get("QT20261119-0001")
    assert there is not None
    return there


async def stored(database: Database, key: str | None = None) -> None:
    async with database.unit_of_work() as work:
        await work.appeals.add_group(StoredGroup("g1", "hash", key, NOW))
        await work.appeals.add(appeal(), [Supervision(NOW, "专班")], FILED)
        await work.commit()


# -- schema ------------------------------------------------------------------------------------------------


def test_migrations_and_tables_agree(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.begin() as connection:
        command.check(configuration(connection))
    engine.dispose()


def test_migrating_down_and_up_again(database_url: str) -> None:
    migrate(database_url, VAULT, "base")
    engine = open_engine(database_url)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    engine.dispose()
    assert not is_current(database_url)
    migrate(database_url, VAULT)
    migrate(database_url, VAULT)
    assert is_current(database_url)


def test_migrating_from_several_places_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/deep/folder/new.db"
    errors: list[BaseException] = []

    def run() -> None:
        try:
            migrate(url, VAULT)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert is_current(url)


async def test_data_survive_a_second_migration(database: Database, database_url: str) -> None:
    await stored(database)
    await asyncio.to_thread(migrate, database_url, VAULT)
    async with database.unit_of_work(read_only=True) as work:
        assert await work.appeals.get("QT20261119-0001") is not None


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://localhost/x", "sqlite", "http://example.org"])
def test_other_databases_are_refused_with_a_sentence(url: str) -> None:
    for ask in (async_url, sync_url):
        with pytest.raises(InvalidInput, match="QIFU_DATABASE_URL"):
            ask(url)


def test_a_url_is_taken_as_people_write_it() -> None:
    assert async_url("sqlite:///x.db").drivername == "sqlite+aiosqlite"
    for written in ("postgresql://h/d", "postgres://h/d", "postgresql+asyncpg://h/d"):
        assert async_url(written).drivername == "postgresql+psycopg"


async def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/missing/../file.db/x.db", "postgresql://127.0.0.1:1/none"):
        (tmp_path / "file.db").touch()
        try:
            gone = Database(url, VAULT)
        except OSError:
            continue  # the folder cannot even be made
        with pytest.raises(Unavailable, match="数据库"):
            await gone.ping()
        with pytest.raises(Unavailable, match="没有生效"):
            await gone.unit_of_work().__aenter__()
        await gone.close()
    with pytest.raises(Unavailable):
        migrate("postgresql://127.0.0.1:1/none", VAULT)


# -- transactions ------------------------------------------------------------------------------------------


async def test_an_appeal_comes_back_as_it_was(database: Database) -> None:
    await stored(database)
    async with database.unit_of_work(read_only=True) as work:
        found = await work.appeals.get("QT20261119-0001")
        assert found == appeal()
        assert found.submitted_at.tzinfo is UTC
        assert await work.appeals.of_group("g1") == (appeal(),)
        (line,) = await work.appeals.history("QT20261119-0001")
        assert (line.at, line.actor, line.after["state"]) == (NOW, Actor("x", Party.SYSTEM), "filed")
        assert await work.appeals.supervision("QT20261119-0001") == (Supervision(NOW, "专班"),)


async def _break_off(database: Database) -> None:
    with suppress(RuntimeError):
        async with database.unit_of_work() as work:
            await work.appeals.add_group(StoredGroup("g1", "hash", "key", NOW))
            raise RuntimeError("boom")


async def test_without_commit_nothing_stays(database: Database) -> None:
    async with database.unit_of_work() as work:
        await work.appeals.add_group(StoredGroup("g1", "hash", "key", NOW))
        assert await work.appeals.next_numbers(DAY, 3) == range(1, 4)
        await work.appeals.add(appeal(), [], FILED)
    await _break_off(database)
    async with database.unit_of_work() as work:
        assert await work.appeals.get("QT20261119-0001") is None
        assert await work.appeals.group_by_key("key") is None
        assert await work.appeals.next_numbers(DAY, 2) == range(1, 3)


async def test_a_cancelled_caller_gives_back_its_turn(database: Database) -> None:
    inside = asyncio.Event()

    async def waits() -> None:
        async with database.unit_of_work() as work:
            await work.appeals.add_group(StoredGroup("g1", "hash", "key", NOW))
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(waits())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        await stored(database, "key")


async def test_a_key_is_taken_once(database: Database) -> None:
    await stored(database, "key")
    async with database.unit_of_work() as work:
        with pytest.raises(DuplicateKey):
            await work.appeals.add_group(StoredGroup("g2", "hash", "key", NOW))
    async with database.unit_of_work() as work:
        await work.appeals.add_group(StoredGroup("g3", "hash", None, NOW))
        await work.appeals.add_group(StoredGroup("g4", "hash", None, NOW))
        await work.commit()


async def test_a_stale_version_is_not_stored(database: Database) -> None:
    await stored(database)
    async with database.unit_of_work() as work:
        newer = await work.appeals.save(await found(work), NOTED)
        assert newer.version == 2
        await work.commit()
    async with database.unit_of_work() as work:
        with pytest.raises(StaleVersion):
            await work.appeals.save(appeal(), NOTED)


async def test_the_record_cannot_be_changed_or_removed(database: Database) -> None:
    await stored(database)
    for statement in ("UPDATE appeal_history SET summary = 'x'", "DELETE FROM appeal_history"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.engine.begin() as connection:
                await connection.execute(text(statement))


async def test_naive_times_are_not_stored(database: Database) -> None:
    naive = datetime(2026, 11, 19)  # noqa: DTZ001
    async with database.unit_of_work() as work:
        with pytest.raises(StatementError, match="naive"):
            await work.appeals.add_group(StoredGroup("g1", "hash", None, naive))


@pytest.mark.database
async def test_a_value_that_postgresql_cannot_hold_is_no_crash(postgresql_url: str) -> None:
    database = Database(postgresql_url, VAULT)
    for sender, handoff_id in [("web\x00:1", 1), ("x" * 500, 1), ("web:1", 2**40)]:
        with pytest.raises(InvalidInput, match="无法保存"):
            await _hand_off(database, sender, handoff_id)
    await database.close()


async def _hand_off(database: Database, sender: str, handoff_id: int) -> None:
    async with database.unit_of_work() as work:
        await work.handoffs.add(Handoff(sender, "", NOW))
        await work.handoffs.answer(handoff_id, "op", NOW)


async def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    await stored(database)
    async with database.unit_of_work() as writer:
        await writer.appeals.next_numbers(DAY, 1)
        async with asyncio.timeout(5), database.unit_of_work(read_only=True) as reader:
            assert await reader.appeals.get("QT20261119-0001") is not None


async def test_handoffs(database: Database) -> None:
    async with database.unit_of_work() as work:
        first = await work.handoffs.add(Handoff("web:1", "问题复杂", NOW))
        second = await work.handoffs.add(Handoff("web:2", "", NOW + timedelta(minutes=1), "QT20261119-0001"))
        await work.commit()
    async with database.unit_of_work() as work:
        assert await work.handoffs.waiting() == (first, second)
        assert await work.handoffs.answer(first.id, "op", NOW)
        assert not await work.handoffs.answer(first.id, "op", NOW)
        await work.commit()
    async with database.unit_of_work(read_only=True) as work:
        assert await work.handoffs.waiting() == (second,)


async def test_unanswered_questions(database: Database) -> None:
    later = NOW + timedelta(hours=1)
    async with database.unit_of_work() as work:
        await work.unanswered.add([Asked("b", "乙", 2, NOW, later), Asked("a", "甲", 2, NOW, NOW)])
        await work.unanswered.add([Asked("a", "甲，又问", 1, later, later)])
        await work.unanswered.add([])
        await work.commit()
    async with database.unit_of_work() as work:
        first, second = await work.unanswered.open_since(NOW, 10)
        assert (first.question, first.count, first.first_at, first.last_at) == ("甲", 3, NOW, later)
        assert (second.question, second.count) == ("乙", 2)
        assert await work.unanswered.open_since(later + timedelta(seconds=1), 10) == ()
        assert len(await work.unanswered.open_since(NOW, 1)) == 1
        assert await work.unanswered.handle([first.id, 999], "op", later) == (first.id,)
        assert await work.unanswered.handle([first.id], "op", later) == ()
        assert await work.unanswered.open_since(NOW, 10) == (second,)
        await work.unanswered.add([Asked("a", "甲", 1, NOW, NOW)])
        again, _ = await work.unanswered.open_since(NOW, 10)
        assert (again.id, again.count, again.last_at) == (first.id, 4, later)
        await work.commit()


# -- a busy SQLite file, and a killed process --------------------------------------------------------------


async def test_a_file_that_another_program_holds_is_answered_with_a_sentence(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "held.db"
    path.write_bytes(sqlite_template.read_bytes())
    monkeypatch.setattr("backend.storage.database.BUSY_SECONDS", 0)
    database = Database(f"sqlite:///{path}", VAULT)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="没有生效"):
        await stored(database)
    other.execute("ROLLBACK")
    other.close()
    await stored(database)
    await database.close()


def _write_and_report(path: str, pipe: object) -> None:
    async def run() -> None:
        database = Database(f"sqlite:///{path}", VAULT)
        for count in range(10_000):
            async with database.unit_of_work() as work:
                (number,) = await work.appeals.next_numbers(DAY, 1)
                await work.appeals.add_group(StoredGroup(f"g{number}", "hash", f"key-{number}", NOW))
                await work.appeals.add(
                    appeal(f"QT20261119-{number:04d}", f"g{number}"), [Supervision(NOW, "专班")], FILED
                )
                await work.commit()
            pipe.send(count + 1)  # type: ignore[attr-defined]

    asyncio.run(run())


@pytest.mark.parametrize("confirmed", [1, 7])
def test_a_killed_process_keeps_what_it_confirmed_and_nothing_by_halves(
    tmp_path: Path, sqlite_template: Path, confirmed: int
) -> None:
    path = tmp_path / "killed.db"
    path.write_bytes(sqlite_template.read_bytes())
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_write_and_report, args=(str(path), sender))
    process.start()
    for _ in range(confirmed):
        assert receiver.poll(30)
        receiver.recv()
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    connection = sqlite3.connect(path)
    ((filings,),) = connection.execute("SELECT count(*) FROM filings")
    ((appeals,),) = connection.execute("SELECT count(*) FROM appeals")
    ((moments,),) = connection.execute("SELECT count(*) FROM appeal_supervision")
    ((last,),) = connection.execute("SELECT last FROM appeal_counters")
    assert filings == appeals == moments == last
    assert filings >= confirmed
    assert list(connection.execute("PRAGMA integrity_check")) == [("ok",)]
    connection.close()
