"""Signing in and out, and what everybody may do with their own account."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from backend import errors
from backend.api import authentication
from backend.api.endpoints import Call, Table
from backend.api.fields import Moment, Page, PageSize, Request, Response, Word
from backend.people.accounts import Account, IssuedToken
from backend.people.checks import MAX_PASSWORD, MIN_PASSWORD
from backend.people.roles import Role
from backend.permissions import Action, may

TABLE = Table("staff")

Password = Annotated[str, Field(min_length=1, max_length=MAX_PASSWORD)]
"""A password as it is typed."""

NewPassword = Annotated[str, Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)]
"""A password to be set."""

TokenId = Annotated[int, Field(title="编号", ge=1, le=2**31 - 1)]


class LoginRequest(Request):
    """User name and password."""

    username: Annotated[Word, Field(title="用户名")]
    password: Annotated[Password, Field(title="密码")]


class AccountShape(Response):
    """Who is signed in."""

    username: str
    role: Role
    unit: str | None


class LoginAnswer(Response):
    """The token for programs; pages get the same as a cookie that scripts cannot read."""

    token: str
    expires_at: Moment
    account: AccountShape


class MeAnswer(Response):
    """Who is signed in.

    Attributes:
        actions: What the role may do at all, as docs/permissions.md names it; a page shows these only.
    """

    account: AccountShape
    actions: list[Action]


class LogoutAnswer(Response):
    """That the token ended."""

    signed_out: bool = True


class SessionsQuery(Request):
    """Which page."""

    page: Page = 1
    page_size: PageSize = 20


class SessionShape(Response):
    """A token with which somebody may be signed in.

    Attributes:
        label: ``login``, or what a token for programs is for.
        last_used_at: The hour in which it was used last; null before its first use.
        current: Whether it is the one of this request.
    """

    id: int
    label: str
    created_at: Moment
    expires_at: Moment
    last_used_at: Moment | None
    current: bool


class SessionList(Response):
    """One page, newest first."""

    sessions: list[SessionShape]
    total: int
    page: int
    page_size: int


class SessionRequest(Request):
    """Which session."""

    id: TokenId


class RevokedAnswer(Response):
    """That a token opens nothing any more."""

    id: int


class ChangePasswordRequest(Request):
    """The present password and the next one."""

    old_password: Annotated[Password, Field(title="原密码")]
    new_password: Annotated[NewPassword, Field(title="新密码", description="Not easily guessed.")]


class ChangedAnswer(Response):
    """That the password is the new one; other sessions ended."""

    changed: bool = True


@TABLE.post(
    authentication.LOGIN_PATH,
    "Exchanges a password for a bearer token and a session cookie.",
    gives=LoginAnswer,
    errors=(errors.NotAuthenticated, errors.TooMany),
)
async def post_login(call: Call, data: LoginRequest) -> web.Response:
    """Signs in."""
    issued = await _login(call, data)
    answer = LoginAnswer(token=issued.token, expires_at=issued.expires_at, account=shape(issued.account))
    response = web.Response(
        text=answer.model_dump_json(), content_type="application/json", headers={"Cache-Control": "no-store"}
    )
    authentication.keep(response, call.request, issued.token, issued.expires_at, call.container.clock())
    authentication.keep_devices(response, call.request, issued.devices)
    return response


async def _login(call: Call, data: LoginRequest) -> IssuedToken:
    """Tries a password; an address that has failed often only gets through from a browser that is known."""
    people, limit, caller = call.container.people, call.limits.login, call.caller
    devices = authentication.devices_of(call.request)
    if not caller:
        return await people.login(data.username, data.password, devices)
    if limit.is_spent(caller):
        if not await people.knows_browser(data.username, devices):
            limit.check(caller)
        return await people.login(data.username, data.password, devices)
    # counted before the answer is known: tries at the same time are tries too
    limit.take(caller)
    try:
        issued = await people.login(data.username, data.password, devices)
    except errors.NotAuthenticated:
        raise
    except BaseException:
        limit.give_back(caller)
        raise
    limit.give_back(caller)
    return issued


@TABLE.post(
    "/api/v1/staff/logout", "Ends the token that the request carries.", gives=LogoutAnswer, access="staff"
)
async def post_logout(call: Call, data: None) -> web.Response:
    """Signs out."""
    await call.container.people.logout(call.staff.token)
    response = web.Response(text=LogoutAnswer().model_dump_json(), content_type="application/json")
    authentication.forget(response, call.request)
    return response


@TABLE.get("/api/v1/staff/me", "Tells who is signed in.", access="staff")
async def get_me(call: Call, data: None) -> MeAnswer:
    """Tells who is signed in."""
    account = call.staff.account
    return MeAnswer(
        account=shape(account), actions=[action for action in Action if may(account.role, action)]
    )


@TABLE.get("/api/v1/staff/sessions", "Lists where one is signed in oneself.", access="staff")
async def get_sessions(call: Call, data: SessionsQuery) -> SessionList:
    """Lists the own good tokens."""
    people = call.container.people
    found = await people.sessions(call.staff.account, data.page, data.page_size)
    sessions = [
        SessionShape(
            id=token.id,
            label=token.label,
            created_at=token.created_at,
            expires_at=token.expires_at,
            last_used_at=token.last_used_at,
            current=people.is_token(token, call.staff.token),
        )
        for token in found.tokens
    ]
    return SessionList(sessions=sessions, total=found.total, page=data.page, page_size=data.page_size)


@TABLE.post("/api/v1/staff/sessions/{id}/revoke", "Ends one of one's own sessions.", access="staff")
async def post_session_revoke(call: Call, data: SessionRequest) -> RevokedAnswer:
    """Takes one of the own tokens back; another's answers like none."""
    await call.container.people.revoke(call.staff.account.username, data.id, by=call.staff.actor)
    return RevokedAnswer(id=data.id)


@TABLE.post(
    "/api/v1/staff/password",
    "Changes one's own password.",
    access="staff",
    errors=(errors.TooMany,),
)
async def post_password(call: Call, data: ChangePasswordRequest) -> ChangedAnswer:
    """Changes the own password; asks for the old one."""
    await call.container.people.change_password(
        call.staff.account, call.staff.token, data.old_password, data.new_password
    )
    return ChangedAnswer()


def shape(account: Account) -> AccountShape:
    """Shows who an account is."""
    return AccountShape(username=account.username, role=account.role, unit=account.unit)
