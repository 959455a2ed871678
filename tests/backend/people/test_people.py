from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from backend.errors import Conflict, InvalidInput, NotAllowed, NotAuthenticated, NotFound, TooMany
from backend.people.passwords import Passwords
from backend.people.roles import Role
from backend.people.service import PeopleService
from backend.permissions import PERMISSIONS, Action, may, require
from backend.storage.database import Database
from backend.storage.tables import TokenRow

PASSWORD = "correct horse battery"


class StillClock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def people(database: Database, clock: Callable[[], datetime]) -> PeopleService:
    def units(role: Role, name: str) -> str | None:
        return {"住建局": "区住建局", "区住建局": "区住建局"}.get(name)

    quick = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return PeopleService(database.unit_of_work, clock, units, quick)


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


@pytest.mark.parametrize("ask", ["revoke_all", "disable", "issue_token"])
async def test_unknown_accounts(people: PeopleService, ask: str) -> None:
    with pytest.raises(NotFound):
        await getattr(people, ask)("nobody")


# -- the permission table ----------------------------------------------------------------------------------

_ALLOWED = {
    Action.APPEALS_VIEW: "operator territory department taskforce inspection leader admin",
    Action.APPEALS_ASSIGN: "operator territory taskforce admin",
    Action.APPEALS_TRANSFER: "operator territory department taskforce admin",
    Action.APPEALS_REASSIGN: "taskforce admin",
    Action.APPEALS_START: "territory department",
    Action.APPEALS_REPLY: "territory department",
    Action.APPEALS_RESOLVE: "territory department",
    Action.APPEALS_ESCALATE: "territory taskforce",
    Action.APPEALS_SUPERVISE: "taskforce inspection",
    Action.APPEALS_NOTE: "operator territory department taskforce inspection leader admin",
    Action.HANDOFFS_VIEW: "operator taskforce admin",
    Action.HANDOFFS_ANSWER: "operator taskforce",
    Action.UNANSWERED_VIEW: "operator taskforce editor admin",
    Action.UNANSWERED_HANDLE: "taskforce editor admin",
    Action.ACCOUNTS_MANAGE: "admin",
    Action.CONTENT_EDIT: "editor admin",
}


def test_every_action_is_in_the_table() -> None:
    assert set(PERMISSIONS) == set(Action) == set(_ALLOWED)


@pytest.mark.parametrize(("role", "action"), list(product(Role, Action)))
def test_every_cell_of_the_permission_table(role: Role, action: Action) -> None:
    allowed = role.value in _ALLOWED[action].split()
    assert may(role, action) is allowed
    if allowed:
        require(role, action)
    else:
        with pytest.raises(NotAllowed):
            require(role, action)
