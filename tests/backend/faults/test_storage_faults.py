"""Full, locked, read-only and restarted databases: refused with a sentence, nothing by halves, well again."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from backend_vault import VAULT
from fault_office import Answer, Hands, Office, open_office
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from backend.composition import Knowledge
from backend.errors import Unavailable
from backend.storage import database as storage
from backend.storage.auditing import Audit
from backend.storage.database import Database, sync_url

TRIES = 12


@asynccontextmanager
async def opened(
    folder: Path,
    url: str,
    knowledge: Knowledge,
    clock: Hands | None = None,
    begin: Callable[[Any], None] | None = None,
) -> AsyncIterator[Office]:
    office, client = await open_office(folder, url, knowledge, clock, begin)
    try:
        yield office
    finally:
        await client.close()


def refused(answer: Answer) -> None:
    """Nothing has happened, and a sentence says so."""
    assert (answer.status, answer.code) == (503, "unavailable"), answer.body
    assert "没有生效" in answer.body["error"]["message"]


async def whole(office: Office, url: str, confirmed: list[str]) -> None:
    """Exactly what was confirmed is there, the record is whole, and the service goes on by itself."""
    assert sorted(await office.numbers()) == sorted(confirmed)
    assert [str(finding) for finding in Audit(url, VAULT, ()).findings()] == []
    number = await office.assigned()
    assert (await office.lead(number, "resolve", text="已经疏通")).status == 200
    assert (await office.of_enterprise(number, "feedback", result="resolved", stars=5)).status == 200


async def files(office: Office, confirmed: list[str], tries: int = TRIES) -> list[Answer]:
    """Files several at once; what is confirmed is remembered, the refusals are returned."""
    answers = await office.at_once(*(office.try_to_file() for _ in range(tries)))
    for answer in answers:
        if answer.status == 201:
            confirmed += [appeal["number"] for appeal in answer.body["appeals"]]
    return [answer for answer in answers if answer.status != 201]


@pytest.mark.database
async def test_a_full_sqlite_file(tmp_path: Path, sqlite_template: Path, read_knowledge: Knowledge) -> None:
    path = tmp_path / "qifu.db"
    shutil.copy(sqlite_template, path)
    limit = {"pages": 1_000_000}
    url = f"sqlite:///{path}"

    def keep_to_it(connection: Any) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {limit['pages']}")

    async with opened(tmp_path, url, read_knowledge, begin=keep_to_it) as office:
        confirmed = [await office.filed()]
        number = confirmed[0]
        assert (await office.office(number, "assign", lead_department=office.departments[0])).status == 200
        await office.lead(number, "note", text="先看一下")
        with closing(create_engine(url).raw_connection()) as connection:
            limit["pages"] = int(connection.cursor().execute("PRAGMA page_count").fetchone()[0]) + 1
        failed: list[Answer] = []
        while not failed:
            failed = await files(office, confirmed)
        for answer in failed:
            refused(answer)
        version = (await office.opened(number))["version"]  # what is there can be read
        long = "说明" * 2000
        while (answer := await office.lead(number, "reply", text=long, version=version)).status == 200:
            version += 1
        refused(answer)
        assert (await office.opened(number))["version"] == version
        limit["pages"] = 1_000_000
        await whole(office, url, confirmed)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    folder.mkdir()
    made = (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        if shutil.which("mount")
        else None
    )
    if made is None or made.returncode:
        pytest.skip("a small disk can only be mounted by root in a container that allows it")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(ballast: Path) -> None:
    """Takes all the room that is left."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.mark.database
async def test_a_full_disk(tmp_path: Path, sqlite_template: Path, read_knowledge: Knowledge) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        shutil.copy(sqlite_template, disk / "qifu.db")
        url = f"sqlite:///{disk / 'qifu.db'}"
        async with opened(disk, url, read_knowledge) as office:
            confirmed = [await office.filed()]
            number = confirmed[0]
            assert (
                await office.office(number, "assign", lead_department=office.departments[0])
            ).status == 200
            ballast = disk / "ballast"
            await office.lead(number, "note", text="先看一下")
            fill(ballast)
            failed: list[Answer] = []
            for _ in range(50):
                failed = await files(office, confirmed)
                if failed:
                    break
            assert failed
            for answer in failed:
                refused(answer)
            refused(await office.lead(number, "reply", text="说明" * 2000))
            assert (await office.opened(number))["state"] == "assigned"
            ballast.unlink()
            await whole(office, url, confirmed)


async def test_a_locked_database(
    tmp_path: Path, database_url: str, read_knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "BUSY_SECONDS", 1)
    async with opened(tmp_path, database_url, read_knowledge) as office:
        confirmed = [await office.assigned()]
        await office.lead(confirmed[0], "note", text="先看一下")
        with held(database_url):
            answers = await files(office, confirmed, 3)
            assert len(answers) == 3
            for answer in (*answers, await office.lead(confirmed[0], "resolve", text="已经疏通")):
                refused(answer)
        assert (await office.opened(confirmed[0]))["state"] == "assigned"
        await whole(office, database_url, confirmed)


@contextmanager
def held(url: str) -> Iterator[None]:
    """Another program that keeps everybody from writing."""
    engine = create_engine(sync_url(url))
    try:
        with closing(engine.raw_connection()) as connection:
            connection.rollback()
            if url.startswith("sqlite"):
                connection.isolation_level = None  # type: ignore[attr-defined]
                connection.cursor().execute("BEGIN IMMEDIATE")
            else:
                connection.cursor().execute("LOCK TABLE appeals, appeal_counters IN EXCLUSIVE MODE")
            yield
            connection.rollback()
    finally:
        engine.dispose()


async def test_who_waits_for_a_turn_is_told_too(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    if database.writers is None:
        pytest.skip("on PostgreSQL nobody waits inside the process")
    monkeypatch.setattr(storage, "BUSY_SECONDS", 0.05)
    async with database.writers:
        with pytest.raises(Unavailable, match="没有生效"):
            async with database.unit_of_work():
                pass
    async with database.unit_of_work() as work:
        assert await work.appeals.group_by_key("k") is None


async def test_a_database_that_only_reads(
    tmp_path: Path, database_url: str, read_knowledge: Knowledge
) -> None:
    readable_only = {"sqlite": "PRAGMA query_only = {}", "postgresql": "SET TRANSACTION {}"}
    words = {"sqlite": ("OFF", "ON"), "postgresql": ("READ WRITE", "READ ONLY")}
    kind = make_url(database_url).get_backend_name()
    state = {"now": 0}

    def begin(connection: Any) -> None:
        connection.exec_driver_sql(readable_only[kind].format(words[kind][state["now"]]))

    async with opened(tmp_path, database_url, read_knowledge, begin=begin) as office:
        confirmed = [await office.assigned()]
        await office.lead(confirmed[0], "note", text="先看一下")
        state["now"] = 1
        for answer in await files(office, confirmed, 3):
            refused(answer)
        refused(await office.lead(confirmed[0], "resolve", text="已经疏通"))
        assert (await office.opened(confirmed[0]))["state"] == "assigned"
        state["now"] = 0
        # a connection of SQLite that has only read once does not write again
        await office.container.database.engine.dispose()
        await whole(office, database_url, confirmed)


@pytest.mark.database
async def test_a_database_that_is_restarted_under_load(
    tmp_path: Path, request: pytest.FixtureRequest, read_knowledge: Knowledge
) -> None:
    request.getfixturevalue("postgresql_url")
    url: str = request.getfixturevalue("emptied_postgresql_url")
    named = make_url(url).update_query_dict({"application_name": "qifu_restarted"})
    end_all = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE application_name = 'qifu_restarted'"
    )
    other = create_engine(sync_url(url))
    ended = 0
    async with opened(tmp_path, named.render_as_string(hide_password=False), read_knowledge) as office:
        confirmed: list[str] = [await office.filed()]
        await office.numbers()
        for _ in range(6):
            work = asyncio.create_task(files(office, confirmed))
            while not work.done():
                await asyncio.sleep(0.02)
                with other.begin() as connection:
                    ended += connection.execute(end_all).scalar_one()
            for answer in await work:
                refused(answer)
        assert ended
        await whole(office, url, confirmed)
    other.dispose()


async def test_a_clock_set_back_an_hour_over_a_restart(
    tmp_path: Path, database_url: str, read_knowledge: Knowledge
) -> None:
    clock = Hands()
    async with opened(tmp_path, database_url, read_knowledge, clock) as office:
        new, resolved = await office.filed(), await office.resolved()
        tokens = office.tokens
    clock.forward(hours=-1)
    async with opened(tmp_path, database_url, read_knowledge, clock) as office:
        office.tokens = tokens
        assert (await office.of_enterprise(resolved, "feedback", result="resolved", stars=5)).status == 200
        assert (await office.office(new, "assign", lead_department=office.departments[0])).status == 200
        assert (await office.lead(new, "resolve", text="已经疏通")).status == 200
        later = await office.filed()
        for number in (new, resolved):
            now = await office.opened(number)
            times = [line["at"] for line in now["history"]]
            assert times == sorted(times)
            assert now["submitted_at"] <= now["assigned_at"] <= now["resolved_at"]
        assert later == f"{resolved[:-4]}{int(resolved[-4:]) + 1:04d}"
        assert [str(finding) for finding in Audit(database_url, VAULT, ()).findings()] == []
