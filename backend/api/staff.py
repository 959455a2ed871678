"""Signing in and out."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from backend import errors
from backend.api import authentication
from backend.api.endpoints import Call, Table
from backend.api.fields import Moment, Request, Response, Word
from backend.people.accounts import Account
from backend.people.roles import Role

TABLE = Table("staff")


class LoginRequest(Request):
    """User name and password."""

    username: Annotated[Word, Field(title="用户名")]
    password: Annotated[str, Field(title="密码", min_length=1, max_length=200)]


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
    """Who is signed in."""

    account: AccountShape


class LogoutAnswer(Response):
    """That the token ended."""

    signed_out: bool = True


@TABLE.post(
    "/api/v1/staff/login",
    "Exchanges a password for a bearer token and a session cookie.",
    gives=LoginAnswer,
    errors=(errors.NotAuthenticated, errors.TooMany),
)
async def post_login(call: Call, data: LoginRequest) -> web.Response:
    """Signs in."""
    issued = await call.container.people.login(data.username, data.password)
    answer = LoginAnswer(token=issued.token, expires_at=issued.expires_at, account=_shape(issued.account))
    response = web.Response(
        text=answer.model_dump_json(), content_type="application/json", headers={"Cache-Control": "no-store"}
    )
    authentication.keep(response, call.request, issued.token, issued.expires_at, call.container.clock())
    return response


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
    return MeAnswer(account=_shape(call.staff.account))


def _shape(account: Account) -> AccountShape:
    return AccountShape(username=account.username, role=account.role, unit=account.unit)
