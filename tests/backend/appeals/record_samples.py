"""A database in which everything has happened that can, and ways to change it behind the system."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from appeal_district import PHONE, District, StillClock, StubDirectory, StubTriage
from backend_vault import VAULT
from sqlalchemy import text
from sqlalchemy.engine import Connection

from backend.appeals.almanac import Almanac, CalendarService
from backend.appeals.calendar import WorkCalendar
from backend.appeals.model import Level
from backend.appeals.service import AppealService
from backend.people.audit import AuditEntry
from backend.storage.anchors import Anchor
from backend.storage.auditing import Audit, Finding
from backend.storage.database import Database
from backend.storage.schema import open_engine
from backend.storage.vault import Vault

GUARDED = ("appeal_history", "audit_log")
_SQLITE_GUARDS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"


def district_on(database: Database) -> District:
    """A district on a database of one's own."""
    triage, clock = StubTriage(), StillClock()
    service = AppealService(database.unit_of_work, triage, WorkCalendar(), clock, StubDirectory())
    return District(service, triage, clock, database)


async def everything(district: District) -> None:
    """All that can happen to appeals, and some entries of the log."""
    service, clock = district.service, district.clock
    closed = await district.resolved()
    clock.pass_by(hours=1)
    await service.give_feedback(closed, PHONE, "unresolved", 2, "还没有修好")
    await service.reply(district.housing, closed, "今天再去看一次")
    await service.resolve(district.housing, closed)
    await service.give_feedback(closed, PHONE, "resolved", 5, "谢谢")
    await service.note(district.operator, closed, "电话里也说好了")
    passed_on = await district.assigned(channel="书记区长直通车")
    await service.start(district.housing, passed_on)
    await service.transfer(district.housing, passed_on, department="区经信科技局", reason="不是本局职责")
    await service.supervise(district.taskforce, passed_on, "请尽快办理")
    clock.pass_by(hours=-3)
    await service.supervise(district.inspection, passed_on, "再次督办")
    await service.escalate(district.xiasha, passed_on, to_level=4, reason="重大事项", major=True)
    await service.return_escalated(
        district.taskforce, passed_on, reason="可以自己办", lead_department="区人社局"
    )
    refused = await district.filed(text="请把隔壁的厂搬走吧")
    await service.decline(district.xiasha, refused.number, "这件事不属于受理范围")
    await service.give_feedback(refused.number, PHONE, "unresolved", None, "请再看看")
    again = await district.filed(text="厂区门口道路积水没人管")
    await service.merge(district.xiasha, again.number, into=refused.number, reason="同一件事")
    third = await district.filed(text="厂区门口的路又积水了")
    await service.merge(district.xiasha, third.number, into=refused.number, reason="同一件事")
    await service.separate(third.number, PHONE, "不是同一件事")
    gone = await district.filed(text="想撤回的一件事情", territory=None)
    await service.withdraw(gone.number, PHONE, "已经好了")
    clock.pass_by(days=1)
    several = await district.filed(text="涉及几个部门的问题")
    await service.assign(
        district.operator,
        several.number,
        co_departments=["区住建局", "区经信科技局", "区市场监管局"],
        level=Level.WHISTLE,
        category="项目",
        territory="医药港",
    )
    await district.filed(text="只提交过的一件事")
    almanac = Almanac(district.database.unit_of_work, clock)
    calendar = CalendarService(district.database.unit_of_work, clock, almanac)
    await calendar.set_day(district.taskforce, date(2027, 3, 1), working=False, note="演练放假")
    await calendar.set_day(district.taskforce, date(2027, 3, 2), working=False, note="演练放假")
    await calendar.remove_day(district.taskforce, date(2027, 3, 2))
    for day in range(24, 29):
        await calendar.set_day(district.taskforce, date(2028, 1, day), working=False, note="春节放假")
    await calendar.settle(district.taskforce, 2028, "国办发明电")
    async with district.database.unit_of_work() as work:
        for step in range(4):
            at = clock() + timedelta(minutes=step)
            await work.audit.add(AuditEntry(at, district.taskforce, "export", f"u{step}", {}, {"rows": step}))
        await work.commit()


def audited(url: str, anchors: Sequence[Anchor] = (), vault: Vault = VAULT) -> list[Finding]:
    """What an audit finds."""
    return list(Audit(url, vault, anchors).findings())


@contextmanager
def behind_the_system(url: str) -> Iterator[Connection]:
    """A transaction of somebody who may do everything with the database but has no key; guards are off."""
    engine = open_engine(url)
    try:
        if engine.dialect.name == "sqlite":
            with engine.connect() as connection:
                connection.rollback()
                connection.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")
                with connection.begin():
                    guards = connection.execute(text(_SQLITE_GUARDS)).all()
                    for name, _ in guards:
                        connection.execute(text(f"DROP TRIGGER {name}"))
                    yield connection
                    for _, sql in guards:
                        connection.execute(text(sql))
        else:
            with engine.begin() as connection:
                for table in GUARDED:
                    connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
                yield connection
                for table in GUARDED:
                    connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    finally:
        engine.dispose()


def tamper(url: str, *statements: str, **values: Any) -> None:
    """Run statements behind the system; each must touch something."""
    with behind_the_system(url) as connection:
        for statement in statements:
            assert connection.execute(text(statement), values).rowcount != 0, statement
