"""Accounts, tokens, clocks, filings, penalties and pending reminders are what the signed lines say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest
from appeal_district import PHONE, District, StillClock, StubDirectory, StubTriage
from argon2 import PasswordHasher
from backend_vault import VAULT
from record_samples import audited, tamper
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from backend.appeals.almanac import Almanac, CalendarService
from backend.appeals.likeness import enterprise_key
from backend.appeals.model import State
from backend.appeals.penalties import PenaltyKind
from backend.appeals.ports import AppealQuery
from backend.appeals.retention import Retention
from backend.appeals.service import AppealService
from backend.appeals.service_times import ServiceKind
from backend.people.audit import AuditEntry
from backend.people.liaisons import LiaisonService
from backend.people.passwords import Passwords
from backend.people.roles import Role
from backend.people.service import PeopleService
from backend.storage.database import Database, sync_url
from backend.storage.schema import migrate
from backend.supervision.service import Supervision

PASSWORD = "correct horse battery"
DAYS = 730


@dataclass
class Office:
    """A district with its clock, its accounts and its calendar."""

    district: District
    people: PeopleService
    liaisons: LiaisonService
    supervision: Supervision
    almanac: Almanac
    calendar: CalendarService

    async def pass_by(self, **span: float) -> None:
        """Time goes by, and the clock does what is due."""
        self.district.clock.pass_by(**span)
        await self.supervision.clock.run_once()


@pytest.fixture
def office(database: Database) -> Office:
    clock, directory, triage = StillClock(), StubDirectory(), StubTriage()
    almanac = Almanac(database.unit_of_work, clock)
    service = AppealService(database.unit_of_work, triage, almanac, clock, directory)
    supervision = Supervision(database.unit_of_work, clock, directory, almanac, seconds=0)
    almanac.changed += [service.recompute, supervision.limits.recompute]
    quick = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return Office(
        District(service, triage, clock, database),
        PeopleService(database.unit_of_work, clock, lambda _role, name: name, quick),
        LiaisonService(database.unit_of_work, clock, enterprise_key),
        supervision,
        almanac,
        CalendarService(database.unit_of_work, clock, almanac),
    )


async def staff(office: Office) -> None:
    """Accounts, pairings and tokens with a past."""
    people, clock = office.people, office.district.clock
    await people.create_account("root", Role.ADMIN, password=PASSWORD)
    await people.create_account("depb", Role.DEPARTMENT, "区住建局", PASSWORD)
    await people.create_account("zhuqi", Role.LIAISON)
    await people.create_account("former", Role.LIAISON)
    for name in ("杭州甲有限公司", "杭州乙有限公司"):
        await office.liaisons.pair("zhuqi", name)
        await office.liaisons.pair("former", name)
    await office.liaisons.unpair("zhuqi", "杭州乙有限公司")
    await people.set_role("former", Role.OPERATOR)
    await people.set_password("zhuqi", PASSWORD + "1")
    await people.disable("former")
    await people.enable("former")
    await people.disable("former")
    lost = await people.issue_token("root", "lost")
    await people.issue_token("root", "script")
    await people.revoke("root", lost.id)
    await people.issue_token("depb", "script")
    clock.pass_by(hours=3)
    await people.revoke_all("depb")
    signed_in = await people.login("root", PASSWORD)
    elsewhere = await people.login("root", PASSWORD)
    clock.pass_by(hours=3)
    await people.change_password(signed_in.account, signed_in.token, PASSWORD, PASSWORD + "2")
    assert elsewhere.id
    async with office.district.database.unit_of_work() as work:
        entered = {"visits": 3}
        await work.figures.save_liaison_month("zhuqi", "2026-11", entered, clock(), "zb")
        entry = AuditEntry(clock(), office.district.taskforce, "liaison.month", "zhuqi 2026-11", {}, entered)
        await work.audit.add(entry)
        await work.commit()


async def matters(office: Office) -> dict[str, str]:
    """Appeals that cost somebody something, and time limits beside 135; answers their numbers."""
    district, service = office.district, office.district.service
    late = await district.assigned(text="没有按时办好的一件事")
    limits = office.supervision.limits
    started = await limits.start(district.operator, ServiceKind.ON_SITE, "现场办", ["区住建局"], number=late)
    await limits.start(district.operator, ServiceKind.OPEN_SERVICE, "开放服务申请", ["区人社局"])
    await limits.end(district.housing, started.id, "现场已经办好")
    undone = await district.filed(text="没有人交办的一件事情")
    await office.pass_by(days=4)
    await office.pass_by(days=2)
    await service.resolve(district.housing, late, "已经处理完毕")
    await service.give_feedback(late, PHONE, "unresolved", 1, "没有解决")
    for kind in (PenaltyKind.FIRST_ASKED, PenaltyKind.CRITICISM):
        await office.supervision.penalties.record(
            district.taskforce, late, kind, f"王芳（{PHONE}）来电说推诿", "区住建局"
        )
    await office.pass_by(hours=1)
    silent = await district.resolved(text="等企业确认的一件事")
    fresh = await district.assigned(text="刚刚交办的一件事情", channel="书记区长直通车")
    await office.calendar.set_day(district.taskforce, date(2026, 11, 30), working=False, note="演练放假")
    await office.almanac.refresh()
    await office.pass_by(days=2)
    return {"late": late, "undone": undone.number, "silent": silent, "fresh": fresh}


async def test_nothing_that_the_office_does_is_found(office: Office, database_url: str) -> None:
    await staff(office)
    assert audited(database_url) == []
    numbers = await matters(office)
    assert audited(database_url) == []
    district, service = office.district, office.district.service
    await service.merge(district.xiasha, numbers["undone"], into=numbers["late"], reason="同一件事")
    await office.calendar.remove_day(district.taskforce, date(2026, 11, 30))
    await office.almanac.refresh()
    await service.transfer(
        district.housing, numbers["fresh"], department="区经信科技局", reason="不是本局职责"
    )
    await office.pass_by(days=20)
    assert audited(database_url) == []
    await service.separate(numbers["undone"], PHONE, "不是同一件事")
    await office.pass_by(days=20)
    assert audited(database_url) == []
    page = await service.list(district.taskforce, AppealQuery(page_size=100))
    for appeal in page.appeals:
        if appeal.state is State.RESOLVED:
            await service.give_feedback(appeal.number, PHONE, "resolved", 5, "谢谢")
        elif appeal.is_open:
            await service.withdraw(appeal.number, PHONE, "都不用办了")
    district.clock.pass_by(days=DAYS, hours=1)
    await Retention(district.database.unit_of_work, district.clock, DAYS).erase_due()
    assert audited(database_url) == []


# place, and what is done
TAMPERING: dict[str, tuple[str, str]] = {
    "a role": ("账号", "UPDATE accounts SET role = 'admin', unit = NULL WHERE username = 'depb'"),
    "a unit": ("账号", "UPDATE accounts SET unit = '区人社局' WHERE username = 'depb'"),
    "a ghost": (
        "账号",
        "INSERT INTO accounts (id, username, role, created_at) "
        "VALUES (99, 'ghost', 'admin', '2026-11-22 00:00:00.000000')",
    ),
    "a password": ("账号", "UPDATE accounts SET password_hash = 'x' WHERE username = 'root'"),
    "another's password": (
        "账号",
        "UPDATE accounts SET password_hash = (SELECT password_hash FROM accounts WHERE username = 'depb') "
        "WHERE username = 'root'",
    ),
    "a password given": ("账号", "UPDATE accounts SET password_hash = 'x' WHERE username = 'former'"),
    "a password taken": ("账号", "UPDATE accounts SET password_hash = NULL WHERE username = 'root'"),
    "an account opened": ("账号", "UPDATE accounts SET disabled_at = NULL WHERE username = 'former'"),
    "an account renamed": ("账号", "UPDATE accounts SET username = 'boss' WHERE username = 'root'"),
    "a pairing": (
        "结对",
        "INSERT INTO liaison_enterprises (account_id, enterprise_key, enterprise, since) "
        "SELECT account_id, '杭州丙', '杭州丙有限公司', since FROM liaison_enterprises",
    ),
    "a pairing taken away": ("结对", "DELETE FROM liaison_enterprises"),
    "a pairing's key": ("结对", "UPDATE liaison_enterprises SET enterprise_key = '杭州丙'"),
    "a liaison's month": ("月度", "UPDATE liaison_months SET entries = '{\"visits\": 30}'"),
    "tokens revived": (
        "令牌",
        "UPDATE tokens SET revoked_at = NULL, expires_at = '2099-01-01 00:00:00.000000'",
    ),
    "one token revived": ("令牌", "UPDATE tokens SET revoked_at = NULL WHERE label = 'lost'"),
    "a department's token revived": (
        "令牌",
        "UPDATE tokens SET revoked_at = NULL WHERE label = 'script' AND revoked_at IS NOT NULL",
    ),
    "a login revived after a new password": (
        "令牌",
        "UPDATE tokens SET revoked_at = NULL WHERE label = 'login' AND revoked_at IS NOT NULL",
    ),
    "another's token": (
        "令牌",
        "UPDATE tokens SET account_id = (SELECT id FROM accounts WHERE username = 'root') "
        "WHERE account_id <> (SELECT id FROM accounts WHERE username = 'root')",
    ),
    "a token made": (
        "令牌",
        "INSERT INTO tokens (id, fingerprint, account_id, label, created_at, expires_at) "
        "SELECT 99, 'ff', id, 'login', '2026-11-22 00:00:00.000000', '2026-11-22 06:00:00.000000' "
        "FROM accounts WHERE username = 'root'",
    ),
    "a clock's due time": ("时限", "UPDATE service_clocks SET due_at = '2099-01-01 00:00:00.000000'"),
    "a clock's units": ("时限", "UPDATE service_clocks SET units = '[\"区市场监管局\"]' WHERE id = 2"),
    "a clock deleted": ("时限", "DELETE FROM service_clocks WHERE id = 2"),
    "a clock ended": ("时限", "UPDATE service_clocks SET state = 'ended' WHERE state = 'running'"),
    "a clock's end moved": (
        "时限",
        "UPDATE service_clocks SET ended_at = '2026-11-19 02:00:01.000000' WHERE ended_at IS NOT NULL",
    ),
    "penalties deleted": ("QT20261119-0001", "DELETE FROM penalties"),
    **{
        f"penalties of {kind} deleted": (number, f"DELETE FROM penalties WHERE kind = '{kind}'")
        for kind, number in (
            ("late_handling", "-0001"),
            ("late_dispatch", "-0002"),
            ("dissatisfied", "-0001"),
            ("first_asked", "-0001"),
            ("criticism", "-0001"),
        )
    },
    "a penalty of one unit deleted": (
        "-0001",
        "DELETE FROM penalties WHERE kind = 'late_handling' AND unit = '区住建局'",
    ),
    "a penalty's unit": (
        "-0001",
        "UPDATE penalties SET unit = '区人社局' WHERE kind = 'dissatisfied' AND unit = '区住建局'",
    ),
    "a penalty's moment": (
        "-0001",
        "UPDATE penalties SET at = '2025-11-19 02:00:00.000000' WHERE kind = 'criticism'",
    ),
    "a penalty's words": ("-0001", "UPDATE penalties SET note = '没事' WHERE kind = 'criticism'"),
    "who recorded a penalty": (
        "-0001",
        "UPDATE penalties SET actor_name = 'dc' WHERE kind = 'criticism'",
    ),
    "a penalty made up": (
        "QT20261125-0001",
        "INSERT INTO penalties (appeal_id, kind, unit, at, note, actor_name) "
        "SELECT 3, kind, unit, at, note, actor_name FROM penalties WHERE kind = 'criticism'",
    ),
    "a filing deleted": ("-0001", "DELETE FROM filings WHERE id = 1"),
    "a filing made up": (
        "提交登记",
        "INSERT INTO filings (id, group_id, content_hash, created_at) "
        "VALUES (99, 'gg', '', '2026-11-22 00:00:00.000000')",
    ),
    "pending reminders stopped": (
        "-0002",
        "UPDATE appeal_supervision SET state = 'stopped' WHERE state = 'pending'",
    ),
    "pending reminders put off": (
        "-0002",
        "UPDATE appeal_supervision SET at = '2099-01-01 00:00:00.000000' "
        "WHERE state = 'pending' AND kind = 'moment'",
    ),
    "pending reminders deleted": ("-0002", "DELETE FROM appeal_supervision WHERE state = 'pending'"),
    "questions stopped": (
        "-0001",
        "UPDATE appeal_supervision SET state = 'stopped' WHERE state = 'pending' AND kind IN ('ask', 'call')",
    ),
}


@pytest.mark.parametrize("done", TAMPERING)
async def test_what_was_done_behind_the_office_is_found(office: Office, database_url: str, done: str) -> None:
    place, statement = TAMPERING[done]
    await staff(office)
    await matters(office)
    try:
        tamper(database_url, statement)
    except IntegrityError:
        return  # this database does not even let it be done
    found = audited(database_url)
    assert any(place in finding.place for finding in found), found
    shown = "\n".join(finding.message for finding in found)
    assert not any(word in shown for word in ("王芳", PHONE, "推诿"))


# -- what an older version has left --------------------------------------------------------------------------


def run(url: str, *statements: str) -> None:
    engine = create_engine(sync_url(url))
    with engine.begin() as connection:
        for statement in statements:
            assert connection.execute(text(statement)).rowcount != 0, statement
    engine.dispose()


LEFT: dict[str, str] = {
    "a role": "UPDATE accounts SET role = 'admin' WHERE username = 'depb'",
    "a password": "UPDATE accounts SET password_hash = 'x' WHERE username = 'root'",
    "a pairing": "DELETE FROM liaison_enterprises",
    "a month": "DELETE FROM liaison_months",
    "a token": "UPDATE tokens SET expires_at = '2099-01-01 00:00:00.000000'",
    "a clock": "UPDATE service_clocks SET due_at = '2099-01-01 00:00:00.000000'",
    "a penalty": "DELETE FROM penalties WHERE kind = 'dissatisfied'",
    "a penalty made up": "UPDATE penalties SET unit = '区人社局' WHERE kind = 'criticism'",
}


@pytest.mark.parametrize("done", [None, *LEFT])
async def test_what_an_older_version_has_left_is_believed_once(
    office: Office, database_url: str, done: str | None
) -> None:
    await staff(office)
    numbers = await matters(office)
    migrate(database_url, VAULT, "0006")
    # in the older version nobody compared these
    run(
        database_url,
        "UPDATE accounts SET role = 'leader', unit = NULL WHERE username = 'depb'",
        "DELETE FROM penalties WHERE kind = 'first_asked'",
        "UPDATE service_clocks SET due_at = '2026-12-24 09:30:00.000000' WHERE id = 2",
    )
    migrate(database_url, VAULT)
    assert audited(database_url) == []
    await office.people.set_password("depb", PASSWORD + "3")
    await office.supervision.penalties.record(
        office.district.taskforce, numbers["late"], PenaltyKind.CRITICISM, "仍然没有办好", "区住建局"
    )
    await office.pass_by(days=3)
    await office.district.service.give_feedback(numbers["silent"], PHONE, "unresolved", 1, "没有解决")
    await office.pass_by(days=10)
    assert audited(database_url) == []
    if done is not None:
        tamper(database_url, LEFT[done])
        assert audited(database_url)


async def test_what_was_left_of_erased_people_goes_with_the_upgrade(
    office: Office, database_url: str
) -> None:
    district = office.district
    number = await district.assigned()
    await district.service.assign(
        district.xiasha, (await district.filed()).number, lead_department="区人社局"
    )
    await office.supervision.penalties.record(
        district.taskforce, number, PenaltyKind.CRITICISM, "王芳说的", "区住建局"
    )
    migrate(database_url, VAULT, "0006")
    run(
        database_url, f"UPDATE appeals SET erased_at = '2026-11-20 02:00:00.000000' WHERE number = '{number}'"
    )
    run(database_url, "UPDATE appeals SET erased_at = '2026-11-20 02:00:00.000000' WHERE id = 2")
    migrate(database_url, VAULT)
    engine = create_engine(sync_url(database_url))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT note FROM penalties")).scalars().all() == [""]
        assert connection.execute(text("SELECT count(*) FROM triage_corrections")).scalar() == 0
    engine.dispose()


async def test_a_forged_total_is_not_signed_over_by_an_upgrade(office: Office, database_url: str) -> None:
    await staff(office)
    migrate(database_url, VAULT, "0006")
    run(database_url, "UPDATE integrity SET appeals_filed = 7")
    migrate(database_url, VAULT)
    assert any(finding.place == "总账" for finding in audited(database_url))
