"""Whatever is done to the database behind the system is found, and nothing that the system does is."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from appeal_district import PHONE, District
from backend_vault import VAULT
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from record_samples import audited, behind_the_system, district_on, everything, tamper
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from backend.storage.anchoring import Anchoring, restart_anchors
from backend.storage.anchors import ANCHOR_FILE, AnchorFile, BrokenAnchors
from backend.storage.auditing import Audit
from backend.storage.database import Database
from backend.storage.schema import migrate
from backend.storage.vault import Vault, WrongKey

FIRST = "(SELECT min(id) FROM appeals)"
LAST = "(SELECT max(id) FROM appeals)"


async def test_nothing_that_the_system_does_is_found(district: District, database_url: str) -> None:
    assert audited(database_url) == []
    await everything(district)
    audit = Audit(database_url, VAULT)
    assert list(audit.findings()) == []
    assert audit.counts.appeals == 8
    assert audit.counts.lines > 25
    assert audit.counts.entries == 13


async def test_nothing_is_found_while_others_write(district: District, database_url: str) -> None:
    async def file(sender: int) -> None:
        sent = district.filing(enterprise=f"杭州第{sender}测试有限公司", text=f"第 {sender} 个问题要解决")
        for appeal in (await district.service.file(sent)).appeals:
            await district.service.assign(district.xiasha, appeal.number)

    for _ in range(3):
        filing = [asyncio.create_task(file(sender)) for sender in range(8)]
        found = await asyncio.to_thread(audited, database_url)
        await asyncio.gather(*filing)
        assert found == []
    assert audited(database_url) == []


# where it is found, and what is done
TAMPERING: dict[str, tuple[str, list[str]]] = {
    "a line's summary": ("-0001", [f"UPDATE appeal_history SET summary = '改' WHERE id = {FIRST}"]),
    "a line's moment": (
        "-0001",
        ["UPDATE appeal_history SET at = '2026-11-18 01:00:00.000000' WHERE id = 2"],
    ),
    "a line's actor": ("-0001", ["UPDATE appeal_history SET actor_name = 'x' WHERE id = 2"]),
    "a line's role": ("-0001", ["UPDATE appeal_history SET actor_role = 'admin' WHERE id = 2"]),
    "a role that is none": ("-0001", ["UPDATE appeal_history SET actor_role = 'king' WHERE id = 2"]),
    "an event that is none": ("-0001", ["UPDATE appeal_history SET event = 'dance' WHERE id = 2"]),
    "a line's text": ("-0001", ["UPDATE appeal_history SET text = '改' WHERE event = 'note'"]),
    "a text taken away": ("-0001", ["UPDATE appeal_history SET text = '' WHERE event = 'note'"]),
    "a text and its signature taken away": (
        "-0001",
        ["UPDATE appeal_history SET text = '', text_signature = '' WHERE event = 'note'"],
    ),
    "a line made public": ("-0001", ["UPDATE appeal_history SET public = NOT public WHERE event = 'note'"]),
    "what a line says it changed": (
        "-0001",
        ["""UPDATE appeal_history SET "after" = '{"state": "closed"}' WHERE id = 2"""],
    ),
    "a line deleted in the middle": ("-0001", ["DELETE FROM appeal_history WHERE id = 3"]),
    "the first line deleted": ("-0001", [f"DELETE FROM appeal_history WHERE id = {FIRST}"]),
    "the last line deleted": (
        "-0001",
        ["DELETE FROM appeal_history WHERE id = (SELECT max(id) FROM appeal_history WHERE appeal_id = 1)"],
    ),
    "the last line deleted and the count corrected": (
        "-0001",
        [
            "DELETE FROM appeal_history WHERE id = (SELECT max(id) FROM appeal_history WHERE appeal_id = 1)",
            "UPDATE appeals SET record_length = record_length - 1 WHERE id = 1",
            "UPDATE appeals SET record_head = (SELECT signature FROM appeal_history WHERE appeal_id = 1 "
            "ORDER BY position DESC LIMIT 1) WHERE id = 1",
        ],
    ),
    "all lines deleted": ("20-0002", [f"DELETE FROM appeal_history WHERE appeal_id = {LAST}"]),
    "two lines exchanged": (
        "-0001",
        [
            "UPDATE appeal_history SET position = -2 WHERE id = 2",
            "UPDATE appeal_history SET position = 2 WHERE id = 3",
            "UPDATE appeal_history SET position = 3 WHERE id = 2",
        ],
    ),
    "two lines shown in another order": (
        "-0001",
        [
            "UPDATE appeal_history SET id = -2 WHERE id = 2",
            "UPDATE appeal_history SET id = 2 WHERE id = 3",
            "UPDATE appeal_history SET id = 3 WHERE id = -2",
        ],
    ),
    "a line copied to the end": (
        "-0001",
        [
            "INSERT INTO appeal_history (id, appeal_id, at, actor_name, actor_role, actor_unit, event, "
            'summary, text, public, "before", "after", position, text_signature, signature) '
            "SELECT 999, appeal_id, at, actor_name, actor_role, actor_unit, event, summary, text, public, "
            '"before", "after", 99, text_signature, signature FROM appeal_history WHERE id = 2'
        ],
    ),
    "a line given to another appeal": (
        "-0002",
        ["UPDATE appeal_history SET appeal_id = 2, position = 99 WHERE event = 'note'"],
    ),
    "texts of two lines exchanged": (
        "-0001",
        [
            "UPDATE appeal_history SET text = (SELECT text FROM appeal_history WHERE event = 'confirm'), "
            "text_signature = (SELECT text_signature FROM appeal_history WHERE event = 'confirm') "
            "WHERE event = 'note'"
        ],
    ),
    "closed by hand": ("20-0002", [f"UPDATE appeals SET state = 'closed' WHERE id = {LAST}"]),
    "another due time": (
        "20-0002",
        [f"UPDATE appeals SET due_at = '2027-01-01 09:30:00.000000' WHERE id = {LAST}"],
    ),
    "an enterprise's word": ("-0001", ["UPDATE appeals SET feedback_stars = 4 WHERE id = 1"]),
    "an enterprise's comment": ("-0001", ["UPDATE appeals SET feedback_comment = '好' WHERE id = 1"]),
    "dissatisfaction forgotten": ("-0001", ["UPDATE appeals SET dissatisfied = 0 WHERE id = 1"]),
    "the problem's text": ("-0001", ["UPDATE appeals SET text = '没有问题' WHERE id = 1"]),
    "the enterprise": ("-0001", ["UPDATE appeals SET enterprise = '另一家公司' WHERE id = 1"]),
    "the enterprise's key": ("-0001", ["UPDATE appeals SET enterprise_key = '另一家' WHERE id = 1"]),
    "another's contact": (
        "-0001",
        ["UPDATE appeals SET contact_sealed = phone_sealed WHERE id = 1"],
    ),
    "a contact taken away": ("-0001", ["UPDATE appeals SET contact_sealed = '' WHERE id = 1"]),
    "a broken seal": ("-0001", ["UPDATE appeals SET phone_sealed = 'v1:AAAA' WHERE id = 1"]),
    "a number that is found": ("-0001", ["UPDATE appeals SET phone_hash = 'aa' WHERE id = 1"]),
    "the moment of filing": (
        "-0001",
        ["UPDATE appeals SET submitted_at = '2026-11-20 01:00:00.000000' WHERE id = 1"],
    ),
    "erased without a line": (
        "-0001",
        ["UPDATE appeals SET erased_at = '2026-11-20 01:00:00.000000' WHERE id = 1"],
    ),
    "a helper added": (
        "-0001",
        ["INSERT INTO appeal_co_departments (appeal_id, position, department) VALUES (1, 0, '区人社局')"],
    ),
    "a helper taken away": (
        "20-0001",
        [
            "DELETE FROM appeal_co_departments WHERE position = 0 AND appeal_id = "
            "(SELECT max(appeal_id) FROM appeal_co_departments)"
        ],
    ),
    "an order taken away": (
        "-0002",
        [
            "DELETE FROM appeal_supervision WHERE id = "
            "(SELECT max(id) FROM appeal_supervision WHERE kind = 'order')"
        ],
    ),
    "an order reworded": ("-0002", ["UPDATE appeal_supervision SET text = '不急' WHERE text = '请尽快办理'"]),
    "an appeal deleted with everything": (
        "2026-11-19",
        [
            "DELETE FROM triage_corrections WHERE appeal_id >= 0 OR 1 = 1",
            *(
                f"DELETE FROM {table} WHERE {column} = 5"
                for table, column in (
                    ("appeal_history", "appeal_id"),
                    ("appeal_supervision", "appeal_id"),
                    ("appeals", "id"),
                )
            ),
        ],
    ),
    "the last appeal deleted with everything and its counter": (
        "总账",
        [
            *(
                f"DELETE FROM {table} WHERE {column} = {LAST}"
                for table, column in (("appeal_history", "appeal_id"), ("appeal_supervision", "appeal_id"))
            ),
            f"DELETE FROM appeals WHERE id = {LAST}",
            "UPDATE appeal_counters SET last = last - 1 WHERE day = '2026-11-20'",
        ],
    ),
    "an appeal deleted and its record left": ("内部编号 8", [f"DELETE FROM appeals WHERE id = {LAST}"]),
    "a counter": ("2026-11-19", ["UPDATE appeal_counters SET last = 17 WHERE day = '2026-11-19'"]),
    "a counter deleted": ("2026-11-19", ["DELETE FROM appeal_counters WHERE day = '2026-11-19'"]),
    "the total": ("总账", ["UPDATE integrity SET appeals_filed = 6"]),
    "the total's key": ("总账", ["UPDATE integrity SET key_check = 'x'"]),
    "the total deleted": ("总账", ["DELETE FROM integrity"]),
    "an entry of the log": ("操作日志", ["UPDATE audit_log SET subject = 'x' WHERE position = 2"]),
    "a role that is none in the log": (
        "操作日志",
        ["UPDATE audit_log SET actor_role = 'x' WHERE position = 2"],
    ),
    "an entry deleted": ("操作日志", ["DELETE FROM audit_log WHERE position = 2"]),
    "the last entry deleted": ("操作日志", ["DELETE FROM audit_log WHERE position = 13"]),
    "two entries exchanged": (
        "操作日志",
        [
            "UPDATE audit_log SET position = -2 WHERE position = 2",
            "UPDATE audit_log SET position = 2 WHERE position = 3",
            "UPDATE audit_log SET position = 3 WHERE position = -2",
        ],
    ),
    "a day of the calendar": (
        "工作日历",
        [
            "INSERT INTO calendar_days (day, working, note, changed_at, changed_by) "
            "VALUES ('2026-11-23', false, '', '2026-11-20 01:00:00.000000', 'x')"
        ],
    ),
    "a year of the calendar": (
        "工作日历",
        [
            "INSERT INTO calendar_years (year, note, changed_at, changed_by) "
            "VALUES (2029, '', '2026-11-20 01:00:00.000000', 'x')"
        ],
    ),
}


@pytest.mark.parametrize("done", TAMPERING)
async def test_what_was_done_behind_the_system_is_found(
    district: District, database_url: str, done: str
) -> None:
    place, statements = TAMPERING[done]
    await everything(district)
    try:
        tamper(database_url, *statements)
    except IntegrityError:
        return  # this database does not even let it be done
    found = audited(database_url)
    assert any(place in finding.place for finding in found), found
    # an attack on one appeal accuses no other one
    assert len({finding.place for finding in found}) <= 4, found
    shown = "\n".join(finding.message for finding in found)
    assert not any(word in shown for word in ("王芳", "13812345678", "积水", "谢谢"))


# -- any column of any row -----------------------------------------------------------------------------------

COVERED = (
    "appeals",
    "appeal_co_departments",
    "appeal_history",
    "appeal_counters",
    "integrity",
    "audit_log",
    "calendar_days",
    "calendar_years",
)
# only their order has a meaning, and that is tampered with above
ORDER_ONLY = {("appeal_history", "id"), ("audit_log", "id")}
MOMENTS = (
    st.datetimes()
    .filter(lambda at: (at.month, at.day) != (2, 29))
    .map(lambda at: f"{at.replace(year=2000 + at.year % 90):%Y-%m-%d %H:%M:%S.%f}")
)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
).map(json.dumps)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "DATETIME": MOMENTS | st.none() | st.text(max_size=4),
    "DATE": st.dates().map(str) | st.text(max_size=4),
    "BOOLEAN": st.sampled_from([0, 1, None]),
    "INTEGER": st.integers(-3, 12) | st.none(),
    "JSON": JSONS | st.text(max_size=4),
}
TEXTS = st.text(max_size=8) | st.none() | st.sampled_from(["closed", "filed", "single", "区住建局", "admin"])


@pytest.fixture(scope="session")
def whole(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database in which everything has happened, without its guards."""
    path = tmp_path_factory.mktemp("whole") / "qifu.db"
    shutil.copy(sqlite_template, path)

    async def fill() -> None:
        database = Database(f"sqlite:///{path}", VAULT)
        await everything(district_on(database))
        await database.close()

    with ThreadPoolExecutor(1) as own_loop:
        own_loop.submit(asyncio.run, fill()).result()
    assert audited(f"sqlite:///{path}") == []
    return path


@given(data=st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_other_value_in_any_column_is_found(whole: Path, data: st.DataObject) -> None:
    copy = whole.with_name("changed.db")
    for left in whole.parent.glob("changed.db-*"):
        left.unlink()  # of an example that broke off
    shutil.copy(whole, copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        for (guard,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {guard}")
        table = data.draw(st.sampled_from(COVERED), "table")
        kinds = {name: kind for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})")}
        column = data.draw(st.sampled_from([c for c in kinds if (table, c) not in ORDER_ONLY]), "column")
        rows = connection.execute(f'SELECT rowid, "{column}" FROM {table} ORDER BY rowid').fetchall()
        assume(rows)
        row, old = data.draw(st.sampled_from(rows), "row")
        new = data.draw(VALUES.get(kinds[column], TEXTS), "value")
        try:
            connection.execute(f'UPDATE {table} SET "{column}" = ? WHERE rowid = ?', (new, row))
        except sqlite3.IntegrityError:
            assume(False)  # the database itself refuses it
        if column in ("before", "after", "led_by", "reasons"):
            assume(_parsed(new) != _parsed(old))
        moved = connection.execute(f'SELECT "{column}" FROM {table} ORDER BY rowid').fetchall()
        assume(moved != [(value,) for _, value in rows])
    # the guards are gone too, but that is not what is looked for here
    found = [one for one in audited(f"sqlite:///{copy}") if one.place != "数据库"]
    assert found, (table, column, row, old, new)


def _parsed(value: Any) -> Any:
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value


def test_a_guard_that_was_taken_away_is_found(whole: Path) -> None:
    copy = whole.with_name("unguarded.db")
    shutil.copy(whole, copy)
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("DROP TRIGGER appeal_history_no_update")
        connection.execute("DROP TRIGGER audit_log_no_delete")
        connection.execute(
            "CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log BEGIN SELECT 1; END"
        )
    assert [one.place for one in audited(f"sqlite:///{copy}")] == ["数据库", "数据库"]


def test_another_key_says_only_that(whole: Path) -> None:
    with pytest.raises(WrongKey):
        audited(f"sqlite:///{whole}", vault=Vault(bytes(32)))


# -- anchors -------------------------------------------------------------------------------------------------


@pytest.fixture
def anchors(tmp_path: Path) -> AnchorFile:
    return AnchorFile(tmp_path / ANCHOR_FILE, VAULT)


_OF_AN_APPEAL = (
    ("appeal_history", "appeal_id"),
    ("appeal_supervision", "appeal_id"),
    ("appeal_co_departments", "appeal_id"),
    ("penalties", "appeal_id"),
    ("appeals", "id"),
)


def _copied(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """The first appeal with all that belongs to it, as somebody with a backup has it."""
    return {
        table: [
            dict(row) for row in connection.execute(text(f"SELECT * FROM {table} WHERE {key} = 1")).mappings()
        ]
        for table, key in _OF_AN_APPEAL
    }


def _put_back(connection: Connection, saved: dict[str, list[dict[str, Any]]]) -> None:
    """Bring the first appeal into an older state, exactly as it was."""
    for table, key in _OF_AN_APPEAL[:-1]:
        connection.execute(text(f"DELETE FROM {table} WHERE {key} = 1"))
    (appeal,) = saved["appeals"]
    columns = ", ".join(f'"{name}" = :{name}' for name in appeal)
    connection.execute(text(f"UPDATE appeals SET {columns} WHERE id = 1"), _values(appeal))
    for table, _ in _OF_AN_APPEAL[:-1]:
        for row in saved[table]:
            names = ", ".join(f'"{name}"' for name in row)
            marks = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), _values(row))


def _values(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
        for name, value in row.items()
    }


async def test_an_older_state_of_an_appeal_is_found_by_the_anchors(
    district: District, database_url: str, anchors: AnchorFile
) -> None:
    anchoring = Anchoring(district.database, anchors, district.clock)
    assert await anchoring.drop() is not None
    number = await district.resolved()
    assert await anchoring.drop() is not None
    with behind_the_system(database_url) as connection:
        saved = _copied(connection)
    await district.service.give_feedback(number, PHONE, "unresolved", 1, "没有解决")
    assert await anchoring.drop() is not None
    assert await anchoring.drop() is None
    await district.filed(text="后来的另一件事")
    assert audited(database_url, anchors.read()) == []
    with behind_the_system(database_url) as connection:
        _put_back(connection, saved)
    assert audited(database_url) == []  # it was once true, and every signature is good
    (found,) = audited(database_url, anchors.read())
    assert found.place.startswith("锚点")


async def test_a_whole_database_put_back_is_found_by_the_anchors(
    whole: Path, tmp_path: Path, anchors: AnchorFile
) -> None:
    copy, url = tmp_path / "qifu.db", f"sqlite:///{tmp_path}/qifu.db"
    shutil.copy(whole, copy)
    database = Database(url, VAULT)
    district = district_on(database)
    anchoring = Anchoring(database, anchors, district.clock)
    await anchoring.drop()
    district.clock.pass_by(days=3)
    await district.filed(text="后来的事")
    await anchoring.drop()
    await database.close()
    assert audited(url, anchors.read()) == []
    shutil.copy(whole, copy)
    for ending in ("-wal", "-shm"):
        copy.with_name(copy.name + ending).unlink(missing_ok=True)
    assert len(audited(url, anchors.read())) == 2
    database = Database(url, VAULT)
    assert await Anchoring(database, anchors, district.clock).drop() is None
    await database.close()
    assert len(anchors.read()) == 2


async def test_a_database_that_grows_while_anchors_are_dropped(
    district: District, database_url: str, anchors: AnchorFile
) -> None:
    anchoring = Anchoring(district.database, anchors, district.clock)

    async def file(sender: int) -> None:
        await district.service.file(
            district.filing(enterprise=f"杭州第{sender}测试公司", text=f"第 {sender} 个问题")
        )

    for begin in range(0, 24, 8):
        filing = [asyncio.create_task(file(begin + step)) for step in range(8)]
        await asyncio.sleep(0)
        await anchoring.drop()
        await asyncio.gather(*filing)
    assert anchors.read()
    assert audited(database_url, anchors.read()) == []


async def test_the_file_of_anchors_is_signed_itself(district: District, anchors: AnchorFile) -> None:
    anchoring = Anchoring(district.database, anchors, district.clock)
    for step in range(3):
        await district.filed(text=f"第 {step} 件事情")
        await anchoring.drop()
    lines = anchors.path.read_text().splitlines(keepends=True)
    assert len(lines) == 3
    assert anchors.path.stat().st_mode & 0o777 == 0o600
    for changed in (
        [lines[0], lines[2]],
        [lines[1], lines[0], lines[2]],
        [lines[0], lines[1].replace('"filed": 2', '"filed": 1'), lines[2]],
        ["nonsense\n", *lines],
        [lines[0], lines[0], *lines[1:]],
    ):
        anchors.path.write_text("".join(changed))
        with pytest.raises(BrokenAnchors):
            anchors.read()
    with pytest.raises(BrokenAnchors):
        await anchoring.drop()


async def test_a_kill_while_an_anchor_is_written_spoils_nothing(
    district: District, database_url: str, anchors: AnchorFile
) -> None:
    anchoring = Anchoring(district.database, anchors, district.clock)
    await district.filed()
    await anchoring.drop()
    with anchors.path.open("a") as file:
        file.write('{"at": "2026-11-19T10:00:00+08:00", "upto": 7')
    await district.filed(text="另一件事情要办")
    await anchoring.drop()
    assert len(anchors.read()) == 2
    assert audited(database_url, anchors.read()) == []


def counted(url: str, anchors: AnchorFile) -> list[str]:
    """What an audit finds that has the installation's own file of anchors."""
    return [one.place for one in Audit(url, VAULT, anchors.read(), all_anchors=True).findings()]


async def test_anchors_that_were_taken_away_are_missed(
    district: District, database_url: str, anchors: AnchorFile, caplog: pytest.LogCaptureFixture
) -> None:
    assert counted(database_url, anchors) == []  # a new installation
    anchoring = Anchoring(district.database, anchors, district.clock)
    for step in range(4):
        await district.filed(text=f"第 {step} 件事情")
        await anchoring.drop()
        assert counted(database_url, anchors) == []
    whole_file = anchors.path.read_text()
    lines = whole_file.splitlines(keepends=True)
    for left in (lines[:3], lines[:1], [*lines[:3], lines[3][:40]], []):
        anchors.path.write_text("".join(left))
        assert counted(database_url, anchors) == ["锚点"]
        assert audited(database_url, anchors.read()) == []  # a copy may be older
    anchors.path.unlink()
    assert counted(database_url, anchors) == ["锚点"]
    # the service goes on, and what is missing stays missing
    for step in range(3):
        await district.filed(text=f"又是第 {step} 件事")
        await anchoring.drop()
    assert "anchors are missing" in caplog.text
    assert counted(database_url, anchors) == ["锚点"]
    assert await restart_anchors(database_url, VAULT, anchors.read(), district.clock()) == 7
    assert counted(database_url, anchors) == []
    await district.filed(text="以后的一件事情")
    await anchoring.drop()
    assert counted(database_url, anchors) == []
    anchors.path.write_text(whole_file)
    assert counted(database_url, anchors) == ["锚点"]  # as many, but others


async def test_the_count_of_anchors_is_signed(
    district: District, database_url: str, anchors: AnchorFile
) -> None:
    await district.filed()
    await Anchoring(district.database, anchors, district.clock).drop()
    anchors.path.unlink()
    tamper(database_url, "UPDATE integrity SET anchors = 0, anchor_head = ''")
    assert counted(database_url, anchors) == ["总账"]


async def test_a_kill_before_an_anchor_is_counted_accuses_nobody(
    district: District, database_url: str, anchors: AnchorFile
) -> None:
    anchoring = Anchoring(district.database, anchors, district.clock)
    await district.filed()
    first = await anchoring.drop()
    assert first is not None
    await district.filed(text="另一件事情要办")
    second = await anchoring.drop()
    assert second is not None
    async with district.database.unit_of_work() as work:  # as if the second had not been counted
        assert await work.anchors.restart(anchors.read()[:1]) == 2
        await work.commit()
    assert counted(database_url, anchors) == []
    await district.filed(text="第三件事情要办")
    await anchoring.drop()
    assert counted(database_url, anchors) == []
    anchors.path.write_text("".join(anchors.path.read_text().splitlines(keepends=True)[:2]))
    assert counted(database_url, anchors) == ["锚点"]


async def test_an_upgraded_installation_has_more_anchors_than_were_counted(
    district: District, database_url: str, anchors: AnchorFile
) -> None:
    anchoring = Anchoring(district.database, anchors, district.clock)
    for step in range(3):
        await district.filed(text=f"第 {step} 件事情")
        await anchoring.drop()
    migrate(database_url, VAULT, "0006")
    migrate(database_url, VAULT)
    assert counted(database_url, anchors) == []
    await district.filed(text="升级以后的事")
    await anchoring.drop()
    assert counted(database_url, anchors) == []
    anchors.path.write_text("".join(anchors.path.read_text().splitlines(keepends=True)[:3]))
    assert counted(database_url, anchors) == ["锚点"]
