from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from itertools import product

import pytest
from people_helpers import Log, StillClock, Written
from sqlalchemy import select

from backend.errors import Conflict, InvalidInput, NotAllowed, NotAuthenticated, NotFound, TooMany
from backend.people.accounts import AccountQuery
from backend.people.actors import ENTERPRISE, Actor
from backend.people.roles import Role
from backend.people.service import PeopleService
from backend.permissions import PERMISSIONS, Action, may, require
from backend.storage.database import Database
from backend.storage.tables import TokenRow

PASSWORD = "correct horse battery"


async def test_login_and_logout(people: PeopleService) -> None:
    await people.create_account("Wang.Fang", "department", "住建局", PASSWORD)
    issued = await people.login(" wang.fang ", PASSWORD)
    account = await people.authenticate(issued.token)
    assert (account.username, account.role, account.unit) == ("wang.fang", Role.DEPARTMENT, "区住建局")
    assert (account.actor.name, account.actor.unit) == ("wang.fang", "区住建局")
    await people.logout(issued.token)
    with pytest.raises(NotAuthenticated):
        await people.authenticate(issued.token)
    await people.logout(issued.token)
    await people.logout("never issued")


async def test_only_the_fingerprint_of_a_token_is_stored(people: PeopleService, database: Database) -> None:
    await people.create_account("wang", "operator")
    issued = await people.issue_token("wang")
    async with database.engine.connect() as connection:
        stored = (await connection.execute(select(TokenRow.fingerprint))).scalar_one()
    assert stored == hashlib.sha256(issued.token.encode()).hexdigest()
    assert len(issued.token) >= 43
    assert issued.token not in repr(issued)


async def test_passwords_are_hashed_and_not_printed(people: PeopleService) -> None:
    account = await people.create_account("wang", "operator", password=PASSWORD)
    assert account.password_hash
    assert account.password_hash.startswith("$argon2id$")
    assert "argon2" not in repr(account)


async def test_tokens_end(people: PeopleService, clock: StillClock) -> None:
    await people.create_account("wang", "operator", password=PASSWORD)
    login, cli = await people.login("wang", PASSWORD), await people.issue_token("wang")
    clock.now += timedelta(hours=12)
    with pytest.raises(NotAuthenticated):
        await people.authenticate(login.token)
    assert (await people.authenticate(cli.token)).username == "wang"
    clock.now += timedelta(days=365)
    with pytest.raises(NotAuthenticated):
        await people.authenticate(cli.token)


async def test_tokens_can_be_taken_back_all_at_once(people: PeopleService) -> None:
    await people.create_account("wang", "operator")
    await people.create_account("li", "operator")
    tokens = [await people.issue_token("wang") for _ in range(3)]
    other = await people.issue_token("li")
    assert await people.revoke_all("wang") == 3
    assert await people.revoke_all("wang") == 0
    for issued in tokens:
        with pytest.raises(NotAuthenticated):
            await people.authenticate(issued.token)
    assert (await people.authenticate(other.token)).username == "li"


async def test_disabling_ends_tokens_and_logins(people: PeopleService) -> None:
    await people.create_account("wang", "operator", password=PASSWORD)
    issued = await people.issue_token("wang")
    await people.disable("wang")
    with pytest.raises(NotAuthenticated):
        await people.authenticate(issued.token)
    with pytest.raises(NotAuthenticated):
        await people.login("wang", PASSWORD)
    with pytest.raises(NotFound):
        await people.issue_token("wang")


async def test_a_new_password_ends_old_tokens_and_the_lock(people: PeopleService) -> None:
    await people.create_account("wang", "operator", password=PASSWORD)
    issued = await people.login("wang", PASSWORD)
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            await people.login("wang", "wrong password")
    await people.set_password("wang", "another long password")
    with pytest.raises(NotAuthenticated):
        await people.authenticate(issued.token)
    await people.login("wang", "another long password")


@pytest.mark.parametrize("name", ["wang", "nobody"])
async def test_five_failures_lock_for_fifteen_minutes_whoever_it_is(
    people: PeopleService, clock: StillClock, name: str
) -> None:
    await people.create_account("wang", "operator", password=PASSWORD)
    for _ in range(5):
        with pytest.raises(NotAuthenticated, match="用户名或密码不正确"):
            await people.login(name, "wrong password")
    with pytest.raises(TooMany, match="15 分钟后再试") as refused:
        await people.login(name, PASSWORD)
    assert refused.value.details["retry_after"] == 900
    clock.now += timedelta(minutes=14, seconds=30)
    with pytest.raises(TooMany, match="1 分钟后再试"):
        await people.login(name, PASSWORD)
    clock.now += timedelta(seconds=30)
    if name == "wang":
        assert await people.login(name, PASSWORD)
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            await people.login(name, "wrong password")
    with pytest.raises(TooMany):
        await people.login(name, "wrong password")


async def test_a_good_login_forgets_the_failures(people: PeopleService) -> None:
    await people.create_account("wang", "operator", password=PASSWORD)
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(NotAuthenticated):
                await people.login("wang", "wrong password")
        await people.login("wang", PASSWORD)


async def test_many_tries_at_once_are_still_only_five(people: PeopleService) -> None:
    await people.create_account("wang", "operator", password=PASSWORD)
    outcomes = await asyncio.gather(
        *(people.login("wang", "wrong password") for _ in range(20)), return_exceptions=True
    )
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds.count(NotAuthenticated) == 5
    assert kinds.count(TooMany) == 15


async def test_a_lost_password_hash_never_fits(people: PeopleService) -> None:
    await people.create_account("robot", "operator")
    with pytest.raises(NotAuthenticated):
        await people.login("robot", "nobody")
    with pytest.raises(NotAuthenticated):
        await people.login("robot", "")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (("", "operator", None, PASSWORD), "username"),
        (("a", "operator", None, PASSWORD), "username"),
        (("a b", "operator", None, PASSWORD), "username"),
        (("x" * 65, "operator", None, PASSWORD), "username"),
        (("wang", "king", None, PASSWORD), "role"),
        (("wang", "department", None, PASSWORD), "unit"),
        (("wang", "territory", " ", PASSWORD), "unit"),
        (("wang", "department", "火星局", PASSWORD), "unit"),
        (("wang", "operator", "室" * 101, PASSWORD), "unit"),
        (("wang", "operator", "室" * 100_000, PASSWORD), "unit"),
        (("wang", "operator", None, "short"), "password"),
        (("wang", "operator", None, "x" * 201), "password"),
        (("wang", "operator", None, "ab" * 10), "password"),
        (("wang.fang.operator", "operator", None, "Wang.Fang.Operator"), "password"),
    ],
)
async def test_bad_accounts(
    people: PeopleService, given: tuple[str, str, str | None, str], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await people.create_account(*given)
    assert refused.value.details["field"] == field
    assert await people.accounts() == ()


async def test_a_name_is_taken_in_any_case(people: PeopleService) -> None:
    await people.create_account("wang", "operator")
    with pytest.raises(Conflict) as refused:
        await people.create_account("WANG", "admin")
    assert refused.value.code == "username_taken"
    assert [account.role for account in await people.accounts()] == [Role.OPERATOR]


@pytest.mark.parametrize("token", ["", "x", "é\ud800", "0" * 100_000])
async def test_rubbish_is_no_token(people: PeopleService, token: str) -> None:
    with pytest.raises(NotAuthenticated):
        await people.authenticate(token)


@pytest.mark.parametrize("ask", ["revoke_all", "disable", "enable", "issue_token", "tokens", "account"])
async def test_unknown_accounts(people: PeopleService, ask: str) -> None:
    with pytest.raises(NotFound):
        await getattr(people, ask)("nobody")


# -- tries, and browsers that are known -------------------------------------------------------------------


async def fail(people: PeopleService, name: str, kept: str = "", times: int = 5) -> None:
    for _ in range(times):
        with pytest.raises(NotAuthenticated):
            await people.login(name, "wrong password", kept)


async def test_strangers_who_fail_do_not_shut_the_owners_browser_out(people: PeopleService) -> None:
    await people.create_account("wang", "operator", password=PASSWORD)
    kept = (await people.login("wang", PASSWORD)).devices
    await fail(people, "wang")
    with pytest.raises(TooMany):
        await people.login("wang", PASSWORD)
    again = await people.login("wang", PASSWORD, kept)
    assert (await people.authenticate(again.token)).username == "wang"
    assert await people.knows_browser("wang", again.devices)
    with pytest.raises(TooMany):
        await people.login("wang", PASSWORD)


async def test_a_known_browser_has_five_tries_as_well(people: PeopleService) -> None:
    await people.create_account("wang", "operator", password=PASSWORD)
    kept = (await people.login("wang", PASSWORD)).devices
    await fail(people, "wang", kept)
    with pytest.raises(TooMany):
        await people.login("wang", PASSWORD, kept)
    assert await people.login("wang", PASSWORD)


async def test_a_mark_is_of_one_account_and_one_password(people: PeopleService) -> None:
    await people.create_account("wang", "operator", password=PASSWORD)
    await people.create_account("li", "operator", password=PASSWORD)
    kept = (await people.login("wang", PASSWORD)).devices
    assert await people.knows_browser("wang", kept)
    assert not await people.knows_browser("li", kept)
    assert not await people.knows_browser("nobody", kept)
    both = (await people.login("li", PASSWORD, kept)).devices
    assert await people.knows_browser("wang", both)
    assert await people.knows_browser("li", both)
    await people.set_password("wang", "another long password")
    assert not await people.knows_browser("wang", both)
    assert await people.knows_browser("li", both)


# -- one's own account -------------------------------------------------------------------------------------


async def test_ones_own_sessions(people: PeopleService, clock: StillClock) -> None:
    account = await people.create_account("wang", "operator", password=PASSWORD)
    await people.create_account("li", "operator", password=PASSWORD)
    first = await people.login("wang", PASSWORD)
    program = await people.issue_token("wang", "日报程序", timedelta(days=30))
    gone = await people.login("wang", PASSWORD)
    await people.login("li", PASSWORD)
    await people.logout(gone.token)
    await people.authenticate(first.token)
    clock.now += timedelta(hours=2)
    await people.authenticate(first.token)
    found = await people.sessions(account)
    assert found.total == 2
    assert [(token.id, token.label) for token in found.tokens] == [
        (program.id, "日报程序"),
        (first.id, "login"),
    ]
    assert found.tokens[0].last_used_at is None
    assert found.tokens[1].last_used_at == clock.now.replace(minute=0)
    assert people.is_token(found.tokens[1], first.token)
    assert not people.is_token(found.tokens[0], first.token)
    clock.now += timedelta(hours=12)
    assert [token.id for token in (await people.sessions(account)).tokens] == [program.id]
    assert (await people.sessions(account, page=2, page_size=1)).tokens == ()


async def test_a_session_is_ended_by_its_owner_only(people: PeopleService, log: Log) -> None:
    wang = await people.create_account("wang", "operator", password=PASSWORD)
    li = await people.create_account("li", "operator", password=PASSWORD)
    issued = await people.login("wang", PASSWORD)
    with pytest.raises(NotFound) as theirs:
        await people.revoke("li", issued.id, by=li.actor)
    with pytest.raises(NotFound) as missing:
        await people.revoke("li", 999, by=li.actor)
    assert str(theirs.value) == str(missing.value)
    with pytest.raises(NotAllowed):
        await people.revoke("wang", issued.id, by=li.actor)
    with pytest.raises(NotAllowed):
        await people.revoke("wang", issued.id, by=ENTERPRISE)
    assert await people.authenticate(issued.token)
    await people.revoke("wang", issued.id, by=wang.actor)
    with pytest.raises(NotAuthenticated):
        await people.authenticate(issued.token)
    await people.revoke("wang", issued.id, by=wang.actor)
    lines = [line for line in await log() if line.action == "token.revoke"]
    before = {"token": issued.id, "label": "login", "good": True}
    assert lines == [Written("wang", "token.revoke", "wang", before, {**before, "good": False})]


async def test_a_new_password_needs_the_old_one(people: PeopleService, log: Log) -> None:
    account = await people.create_account("wang", "operator", password=PASSWORD)
    here, elsewhere = await people.login("wang", PASSWORD), await people.login("wang", PASSWORD)
    for old, new, field in [
        ("wrong password", "another long password", "old_password"),
        ("x" * 500, "another long password", "old_password"),
        (PASSWORD, PASSWORD, "new_password"),
        (PASSWORD, "short", "new_password"),
    ]:
        with pytest.raises(InvalidInput) as refused:
            await people.change_password(account, here.token, old, new)
        assert refused.value.details["field"] == field
    await people.change_password(account, here.token, PASSWORD, "another long password")
    assert await people.authenticate(here.token)
    with pytest.raises(NotAuthenticated):
        await people.authenticate(elsewhere.token)
    with pytest.raises(NotAuthenticated):
        await people.login("wang", PASSWORD)
    assert await people.login("wang", "another long password")
    assert [line.actor for line in await log() if line.action == "account.own_password"] == ["wang"]


async def test_a_borrowed_session_cannot_try_passwords_for_long(people: PeopleService) -> None:
    account = await people.create_account("wang", "operator", password=PASSWORD)
    issued = await people.login("wang", PASSWORD)
    for _ in range(5):
        with pytest.raises(InvalidInput, match="原密码不正确"):
            await people.change_password(account, issued.token, "wrong password", "another long password")
    with pytest.raises(TooMany):
        await people.change_password(account, issued.token, PASSWORD, "another long password")
    assert await people.login("wang", PASSWORD)


# -- keeping accounts --------------------------------------------------------------------------------------


@pytest.fixture
async def chief(people: PeopleService) -> Actor:
    return (await people.create_account("chief", "admin")).actor


async def test_every_change_is_written_down(people: PeopleService, chief: Actor, log: Log) -> None:
    await people.create_account("wang", "operator", password=PASSWORD, by=chief)
    await people.disable("wang", by=chief)
    await people.disable("wang", by=chief)
    await people.enable("wang", by=chief)
    await people.set_role("wang", "department", "住建局", by=chief)
    await people.set_role("wang", "department", "区住建局", by=chief)
    await people.set_password("wang", "another long password", by=chief)
    issued = await people.issue_token("wang", "日报", timedelta(days=1), by=chief)
    assert await people.revoke_all("wang", label="日报", by=chief) == 1
    assert await people.revoke_all("wang", by=chief) == 0
    operator = {"role": "operator", "unit": None, "disabled": False}
    department = {"role": "department", "unit": "区住建局", "disabled": False}
    token = {"token": issued.id, "label": "日报", "expires_at": issued.expires_at.isoformat()}
    lines = await log()
    # what an audit knows the password's hash by; another for each
    first, second = (
        line.after.pop("password_mark")
        for line in lines[1:]
        if line.action in ("account.create", "account.password")
    )
    assert len(first) == len(second) == 64
    assert first != second
    assert lines[0].actor == "qifu"
    assert lines[1:] == [
        Written("chief", "account.create", "wang", {}, {**operator, "password": True}),
        Written("chief", "account.disable", "wang", operator, {**operator, "disabled": True}),
        Written("chief", "account.enable", "wang", {**operator, "disabled": True}, operator),
        Written("chief", "account.role", "wang", operator, department),
        Written("chief", "account.password", "wang", {"password": True}, {"password": True}),
        Written("chief", "token.issue", "wang", {}, token),
        Written("chief", "token.revoke_all", "wang", {}, {"revoked": 1, "label": "日报"}),
    ]
    assert PASSWORD not in str(lines)
    assert issued.token not in str(lines)


async def test_what_fails_is_not_written_down(people: PeopleService, chief: Actor, log: Log) -> None:
    before = await log()
    with pytest.raises(Conflict):
        await people.create_account("chief", "operator", by=chief)
    with pytest.raises(NotFound):
        await people.disable("nobody", by=chief)
    with pytest.raises(InvalidInput):
        await people.set_role("chief", "department", "火星局", by=chief)
    with pytest.raises(InvalidInput):
        await people.issue_token("chief", "login", by=chief)
    for label, days in [("", 1), ("字" * 41, 1), ("日报", 0), ("日报", 3661)]:
        with pytest.raises(InvalidInput):
            await people.issue_token("chief", label, timedelta(days=days), by=chief)
    assert await log() == before


async def test_nobody_else_keeps_accounts(people: PeopleService) -> None:
    await people.create_account("wang", "operator", password=PASSWORD)
    for actor in [ENTERPRISE, *(Actor("x", role) for role in Role if role is not Role.ADMIN)]:
        for attempt in [
            people.create_account("new", "operator", by=actor),
            people.find(AccountQuery(), by=actor),
            people.account("wang", by=actor),
            people.set_role("wang", "admin", by=actor),
            people.set_password("wang", "another long password", by=actor),
            people.disable("wang", by=actor),
            people.enable("wang", by=actor),
            people.issue_token("wang", by=actor),
            people.tokens("wang", by=actor),
            people.revoke("wang", 1, by=actor),
            people.revoke_all("wang", by=actor),
        ]:
            with pytest.raises(NotAllowed):
                await attempt
    assert await people.login("wang", PASSWORD)


async def test_a_shut_account_opens_again_without_its_old_tokens(people: PeopleService) -> None:
    await people.create_account("wang", "operator", password=PASSWORD)
    issued = await people.login("wang", PASSWORD)
    await people.disable("wang")
    await fail(people, "wang")
    await people.enable("wang")
    with pytest.raises(NotAuthenticated):
        await people.authenticate(issued.token)
    assert await people.login("wang", PASSWORD)


async def test_another_role_holds_at_once_and_ends_the_tokens(people: PeopleService) -> None:
    await people.create_account("wang", "operator", password=PASSWORD)
    issued = await people.login("wang", PASSWORD)
    changed = await people.set_role("wang", Role.TASKFORCE)
    assert (changed.role, changed.unit) == (Role.TASKFORCE, None)
    with pytest.raises(NotAuthenticated):
        await people.authenticate(issued.token)
    assert (await people.authenticate((await people.login("wang", PASSWORD)).token)).role is Role.TASKFORCE


async def test_the_last_admin_stays(people: PeopleService, chief: Actor) -> None:
    await people.create_account("shut", "admin")
    await people.disable("shut")
    for attempt in [people.disable("chief", by=chief), people.set_role("chief", "operator", by=chief)]:
        with pytest.raises(Conflict) as refused:
            await attempt
        assert refused.value.code == "last_admin"
    await people.enable("shut", by=chief)
    await people.disable("chief", by=chief)
    # the command line can always make another one
    await people.disable("shut")


async def test_two_admins_cannot_shut_each_other_out(people: PeopleService) -> None:
    one = (await people.create_account("one", "admin")).actor
    two = (await people.create_account("two", "admin")).actor
    outcomes = await asyncio.gather(
        people.disable("two", by=one), people.disable("one", by=two), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes].count(Conflict) == 1
    assert len([account for account in await people.accounts() if account.disabled_at is None]) == 1


async def test_accounts_are_found_page_by_page(people: PeopleService) -> None:
    for number in range(5):
        await people.create_account(f"staff{number}", "operator")
    await people.create_account("zhu_1", "department", "住建局")
    await people.disable("staff3")
    found = await people.find(AccountQuery(page=2, page_size=4))
    assert (found.total, [account.username for account in found.accounts]) == (6, ["staff4", "zhu_1"])
    for query, names in [
        (AccountQuery(text="STAFF4"), ["staff4"]),
        (AccountQuery(text="住建"), ["zhu_1"]),
        (AccountQuery(text="_"), ["zhu_1"]),
        (AccountQuery(role=Role.DEPARTMENT), ["zhu_1"]),
        (AccountQuery(in_use=False), ["staff3"]),
        (AccountQuery(in_use=True, text="staff"), ["staff0", "staff1", "staff2", "staff4"]),
    ]:
        assert [account.username for account in (await people.find(query)).accounts] == names


async def test_a_password_changed_during_a_login_wins(
    people: PeopleService, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people.create_account("wang", "operator", password=PASSWORD)
    verify = people._passwords.verify

    async def meanwhile(stored: str | None, password: str) -> bool:
        fits = await verify(stored, password)
        monkeypatch.undo()
        await people.set_password("wang", "another long password")
        return fits

    monkeypatch.setattr(people._passwords, "verify", meanwhile)
    with pytest.raises(NotAuthenticated):
        await people.login("wang", PASSWORD)
    assert (await people.tokens("wang")).total == 0


# -- the permission table ----------------------------------------------------------------------------------


def test_every_action_is_somebodys() -> None:
    assert set(PERMISSIONS) == set(Action)
    assert [action for action, roles in PERMISSIONS.items() if not roles] == []


@pytest.mark.parametrize(("role", "action"), list(product(Role, Action)))
def test_the_table_decides(role: Role, action: Action) -> None:
    assert may(role, action) is (role in PERMISSIONS[action])
    if may(role, action):
        require(role, action)
    else:
        with pytest.raises(NotAllowed) as refused:
            require(role, action)
        assert refused.value.details == {"action": action.value}
