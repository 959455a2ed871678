"""Keeping the accounts of staff, for admins."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, StrictInt

from backend import errors
from backend.api.endpoints import Call, Table
from backend.api.fields import Line, Moment, Page, PageSize, Request, Response, Word
from backend.api.staff import NewPassword, RevokedAnswer, TokenId
from backend.people.accounts import Account, AccountQuery, Token
from backend.people.roles import Role
from backend.people.service import MOST_DAYS
from backend.permissions import Action

TABLE = Table("accounts")

_Username = Annotated[Word, Field(title="用户名")]
_Unit = Annotated[
    Line | None, Field(title="单位", description="Name or alias; needed for departments and territories.")
]
_Label = Annotated[str, Field(title="用途", description="What the token is for, in at most 40 characters.")]


class AccountsQuery(Request):
    """Which accounts; everything left out means any."""

    q: Annotated[Word | None, Field(title="关键词", description="In user name or unit.")] = None
    role: Annotated[Role | None, Field(title="角色")] = None
    in_use: Annotated[bool | None, Field(title="在用", description="False: those that are shut.")] = None
    page: Page = 1
    page_size: PageSize = 20


class AccountRow(Response):
    """An account.

    Attributes:
        disabled_at: When it was shut; null while it works.
        password: Whether it has one; otherwise it only uses tokens.
    """

    username: str
    role: Role
    unit: str | None
    created_at: Moment
    disabled_at: Moment | None
    password: bool


class AccountList(Response):
    """One page by user name."""

    accounts: list[AccountRow]
    total: int
    page: int
    page_size: int


class AccountAnswer(Response):
    """An account as it is now."""

    account: AccountRow


class CreateRequest(Request):
    """A new account; without a password it only uses tokens."""

    username: Annotated[
        Word,
        Field(
            title="用户名",
            description="2 to 64 letters, digits, `_ . @ -`; capital letters become small.",
            json_schema_extra={"minLength": 2, "pattern": r"^\w[\w.@-]{1,63}$"},
        ),
    ]
    role: Annotated[Role, Field(title="角色")]
    unit: _Unit = None
    password: Annotated[NewPassword | None, Field(title="密码", description="Not easily guessed.")] = None


class UsernameRequest(Request):
    """Which account."""

    username: _Username


class RoleRequest(UsernameRequest):
    """Another role or unit."""

    role: Annotated[Role, Field(title="角色")]
    unit: _Unit = None


class ResetRequest(UsernameRequest):
    """A new password."""

    password: Annotated[NewPassword, Field(title="密码", description="Not easily guessed.")]


class TokensQuery(UsernameRequest):
    """Whose tokens, and which page."""

    page: Page = 1
    page_size: PageSize = 20


class TokenRow(Response):
    """A token; its text is shown only when it is issued.

    Attributes:
        last_used_at: The hour in which it was used last; null before its first use.
        good: Whether it opens anything.
    """

    id: int
    label: str
    created_at: Moment
    expires_at: Moment
    revoked_at: Moment | None
    last_used_at: Moment | None
    good: bool


class TokenList(Response):
    """One page, newest first."""

    tokens: list[TokenRow]
    total: int
    page: int
    page_size: int


class IssueRequest(UsernameRequest):
    """A token for a program."""

    label: _Label
    days: Annotated[
        StrictInt | None,
        Field(title="有效天数", ge=1, le=MOST_DAYS, description="Left out: as the settings say."),
    ] = None


class IssuedAnswer(Response):
    """The token, which is never shown again."""

    id: int
    token: str
    expires_at: Moment


class RevokeRequest(UsernameRequest):
    """Which token of which account."""

    id: TokenId


class RevokeAllRequest(UsernameRequest):
    """All tokens of an account, or those with one label."""

    label: Annotated[Word | None, Field(title="用途")] = None


class RevokedCount(Response):
    """How many tokens were good until now."""

    revoked: int


_ALL = "/api/v1/accounts"
_ONE = "/api/v1/accounts/{username}"
_MANAGE = Action.ACCOUNTS_MANAGE


@TABLE.get(_ALL, "Lists the accounts of staff.", access="staff", action=_MANAGE)
async def get_accounts(call: Call, data: AccountsQuery) -> AccountList:
    """Lists accounts."""
    query = AccountQuery(data.q, data.role, data.in_use, data.page, data.page_size)
    found = await call.container.people.find(query, by=call.staff.actor)
    rows = [_row(account) for account in found.accounts]
    return AccountList(accounts=rows, total=found.total, page=data.page, page_size=data.page_size)


@TABLE.post(_ALL, "Makes an account.", status=201, access="staff", action=_MANAGE, errors=(errors.Conflict,))
async def post_account(call: Call, data: CreateRequest) -> AccountAnswer:
    """Makes an account."""
    account = await call.container.people.create_account(
        data.username, data.role, data.unit, data.password, by=call.staff.actor
    )
    return AccountAnswer(account=_row(account))


@TABLE.get(_ONE, "Shows an account.", access="staff", action=_MANAGE)
async def get_account(call: Call, data: UsernameRequest) -> AccountAnswer:
    """Shows an account."""
    return AccountAnswer(
        account=_row(await call.container.people.account(data.username, by=call.staff.actor))
    )


@TABLE.post(
    _ONE + "/role",
    "Gives an account another role or unit; its tokens end.",
    access="staff",
    action=_MANAGE,
    errors=(errors.Conflict,),
)
async def post_role(call: Call, data: RoleRequest) -> AccountAnswer:
    """Changes role and unit."""
    account = await call.container.people.set_role(data.username, data.role, data.unit, by=call.staff.actor)
    return AccountAnswer(account=_row(account))


@TABLE.post(
    _ONE + "/disable",
    "Shuts an account; its tokens end at once.",
    access="staff",
    action=_MANAGE,
    errors=(errors.Conflict,),
)
async def post_disable(call: Call, data: UsernameRequest) -> AccountAnswer:
    """Shuts an account."""
    return AccountAnswer(
        account=_row(await call.container.people.disable(data.username, by=call.staff.actor))
    )


@TABLE.post(_ONE + "/enable", "Opens a shut account again.", access="staff", action=_MANAGE)
async def post_enable(call: Call, data: UsernameRequest) -> AccountAnswer:
    """Opens an account."""
    return AccountAnswer(account=_row(await call.container.people.enable(data.username, by=call.staff.actor)))


@TABLE.post(
    _ONE + "/password", "Gives an account a new password; its tokens end.", access="staff", action=_MANAGE
)
async def post_account_password(call: Call, data: ResetRequest) -> AccountAnswer:
    """Sets a password for who has forgotten theirs."""
    people = call.container.people
    await people.set_password(data.username, data.password, by=call.staff.actor)
    return AccountAnswer(account=_row(await people.account(data.username, by=call.staff.actor)))


@TABLE.get(_ONE + "/tokens", "Lists the tokens of an account.", access="staff", action=_MANAGE)
async def get_tokens(call: Call, data: TokensQuery) -> TokenList:
    """Lists tokens, ended ones included as long as they are kept."""
    found = await call.container.people.tokens(data.username, data.page, data.page_size, by=call.staff.actor)
    tokens = [_token(call, token) for token in found.tokens]
    return TokenList(tokens=tokens, total=found.total, page=data.page, page_size=data.page_size)


@TABLE.post(_ONE + "/tokens", "Issues a token for a program.", status=201, access="staff", action=_MANAGE)
async def post_token(call: Call, data: IssueRequest) -> IssuedAnswer:
    """Issues a token."""
    days = data.days or call.container.settings.token_lifetime_days
    issued = await call.container.people.issue_token(
        data.username, data.label, timedelta(days=days), by=call.staff.actor
    )
    return IssuedAnswer(id=issued.id, token=issued.token, expires_at=issued.expires_at)


@TABLE.post(
    _ONE + "/tokens/{id}/revoke", "Takes one token of an account back.", access="staff", action=_MANAGE
)
async def post_token_revoke(call: Call, data: RevokeRequest) -> RevokedAnswer:
    """Takes a token back."""
    await call.container.people.revoke(data.username, data.id, by=call.staff.actor)
    return RevokedAnswer(id=data.id)


@TABLE.post(
    _ONE + "/tokens/revoke",
    "Takes all tokens of an account back, or those with one label.",
    access="staff",
    action=_MANAGE,
)
async def post_tokens_revoke(call: Call, data: RevokeAllRequest) -> RevokedCount:
    """Takes tokens back."""
    count = await call.container.people.revoke_all(data.username, label=data.label, by=call.staff.actor)
    return RevokedCount(revoked=count)


def _row(account: Account) -> AccountRow:
    return AccountRow(
        username=account.username,
        role=account.role,
        unit=account.unit,
        created_at=account.created_at,
        disabled_at=account.disabled_at,
        password=account.password_hash is not None,
    )


def _token(call: Call, token: Token) -> TokenRow:
    return TokenRow(
        id=token.id,
        label=token.label,
        created_at=token.created_at,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
        last_used_at=token.last_used_at,
        good=token.is_good(call.container.clock()),
    )
