"""Data of an older version are taken along up, and come back readable down."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from backend_vault import VAULT
from sqlalchemy import create_engine, inspect, text

from backend.storage.auditing import Audit
from backend.storage.database import Database, sync_url
from backend.storage.schema import migrate, open_engine
from backend.storage.vault import Vault, WrongKey

PEOPLE = (("王芳", "13800000001"), ("李·欧阳", "0571-88880001"), ("张三", "13800000003"))
AT = "2026-11-19 02:00:00.000000"


def older(url: str) -> None:
    """A database as version 0002 left it: three appeals, with and without helpers, words and feedback."""
    migrate(url, VAULT, "0002")
    engine = open_engine(url)
    with engine.begin() as connection:

        def put(table: str, **values: Any) -> None:
            columns = ", ".join(f'"{name}"' for name in values)
            marks = ", ".join(f":{name}" for name in values)
            connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({marks})"), values)

        for n, (contact, phone) in enumerate(PEOPLE, 1):
            closed = n == 2
            put("filings", id=n, group_id=f"g{n}", content_hash="h", created_at=AT)
            put(
                "appeals",
                id=n,
                number=f"QT20261119-000{n}",
                group_id=f"g{n}",
                enterprise="杭州测试科技有限公司",
                contact=contact,
                phone=phone,
                text=f"第{n}个问题😀",
                channel="portal",
                category="项目",
                level="single",
                initial_level="simple",
                state="closed" if closed else "filed",
                direct_line=False,
                territory=None,
                lead_department="区住建局",
                led_by='["区住建局"]',
                reasons='["理由"]',
                submitted_at=AT,
                due_at="2026-11-24 09:30:00.000000",
                due_provisional=False,
                assigned_at=AT if closed else None,
                first_reply_at=None,
                resolved_at=AT if closed else None,
                closed_at=AT if closed else None,
                escalation_level=1,
                feedback_at=AT if closed else None,
                feedback_result="resolved" if closed else None,
                feedback_stars=5 if closed else None,
                feedback_comment="谢谢" if closed else None,
                dissatisfied=0,
                version=4 if closed else 1,
            )
            for step, event in enumerate(("file", "assign", "resolve", "confirm")[: 4 if closed else 1]):
                put(
                    "appeal_history",
                    id=10 * n + step,
                    appeal_id=n,
                    at=AT,
                    actor_name="x",
                    actor_role="enterprise",
                    actor_unit=None,
                    event=event,
                    summary=event,
                    text="谢谢" if event == "confirm" else "",
                    public=True,
                    before="{}",
                    after='{"state": "closed"}' if event == "confirm" else "{}",
                )
        put("appeal_co_departments", appeal_id=3, position=0, department="区人社局")
        put("appeal_counters", day="2026-11-19", last=3)
        if engine.dialect.name == "postgresql":
            for table in ("filings", "appeals", "appeal_history"):
                connection.execute(text(f"SELECT setval('{table}_id_seq', 100)"))
    engine.dispose()


@pytest.fixture
def older_url(database_url: str) -> Iterator[str]:
    older(database_url)
    yield database_url
    migrate(database_url, VAULT)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    engine = create_engine(sync_url(url))
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return found


async def test_older_appeals_are_sealed_chained_and_proved(older_url: str) -> None:
    migrate(older_url, VAULT)
    (columns,) = rows(older_url, "SELECT count(*) FROM appeals WHERE phone_sealed LIKE 'v1:%'")
    assert columns == (3,)
    assert list(Audit(older_url, VAULT).findings()) == []
    database = Database(older_url, VAULT)
    async with database.unit_of_work(read_only=True) as work:
        for n, (contact, phone) in enumerate(PEOPLE, 1):
            appeal = await work.appeals.get(f"QT20261119-000{n}")
            assert appeal is not None
            assert (appeal.contact, appeal.phone, appeal.text) == (contact, phone, f"第{n}个问题😀")
            assert (await work.appeals.history(appeal.number))[0].event == "file"
    await database.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE appeals SET text = 'x' WHERE id = 2",
        "UPDATE appeals SET state = 'closed' WHERE id = 1",
        "UPDATE appeals SET feedback_comment = 'x' WHERE id = 2",
        "UPDATE appeals SET version = 9 WHERE id = 2",
        "DELETE FROM appeal_co_departments",
    ],
)
def test_what_is_done_to_older_appeals_afterwards_is_found(older_url: str, change: str) -> None:
    migrate(older_url, VAULT)
    engine = open_engine(older_url)
    with engine.begin() as connection:
        assert connection.execute(text(change)).rowcount == 1
    engine.dispose()
    assert len(list(Audit(older_url, VAULT).findings())) == 1


def test_going_down_gives_the_contacts_back(older_url: str) -> None:
    migrate(older_url, VAULT)
    migrate(older_url, VAULT, "0002")
    assert rows(older_url, "SELECT contact, phone FROM appeals ORDER BY id") == list(PEOPLE)
    assert "integrity" not in tables(older_url)
    migrate(older_url, VAULT)
    assert list(Audit(older_url, VAULT).findings()) == []


def test_another_key_changes_nothing(older_url: str) -> None:
    migrate(older_url, VAULT)
    with pytest.raises(WrongKey):
        migrate(older_url, Vault(bytes(32)), "0002")
    with pytest.raises(WrongKey):
        migrate(older_url, Vault(bytes(32)))
    assert list(Audit(older_url, VAULT).findings()) == []


def tables(url: str) -> list[str]:
    engine = create_engine(sync_url(url))
    try:
        return inspect(engine).get_table_names()
    finally:
        engine.dispose()


class _Dying(Vault):
    """Kills its process, as a power cut would, when it has sealed a few contacts."""

    def seal(self, text: str) -> str:
        if text == PEOPLE[2][1]:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().seal(text)


def _migrate_and_die(url: str) -> None:
    migrate(url, _Dying(bytes(range(32))))


def test_a_kill_in_the_middle_leaves_the_older_version_whole(older_url: str) -> None:
    before = rows(older_url, "SELECT * FROM appeals ORDER BY id")
    worker = multiprocessing.get_context("spawn").Process(target=_migrate_and_die, args=(older_url,))
    worker.start()
    worker.join()
    assert worker.exitcode == -signal.SIGKILL
    assert "integrity" not in tables(older_url)
    assert rows(older_url, "SELECT * FROM appeals ORDER BY id") == before
    assert rows(older_url, "SELECT version_num FROM alembic_version") == [("0002",)]
    migrate(older_url, VAULT)
    assert list(Audit(older_url, VAULT).findings()) == []
