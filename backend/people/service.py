"""Making accounts, logging in and out, and knowing who a token belongs to."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from backend.errors import Conflict, InvalidInput, NotAuthenticated, NotFound, TooMany
from backend.people.accounts import Account, Attempts, IssuedToken, Token
from backend.people.passwords import Passwords
from backend.people.ports import NameTaken, PeopleUnitOfWorkFactory
from backend.people.roles import Role
from backend.text import clean

MAX_FAILURES = 5
LOCK = timedelta(minutes=15)
LOGIN_LIFETIME = timedelta(hours=12)
TOKEN_LIFETIME = timedelta(days=365)
MIN_PASSWORD = 10
MAX_PASSWORD = 200
MAX_UNIT = 100

_USERNAME = re.compile(r"^\w[\w.@-]{1,63}$")
_FORGET_ATTEMPTS = timedelta(days=1)

Units = Callable[[Role, str], str | None]
"""Answers the official name of a unit for a role, or None if there is no such unit."""


class PeopleService:
    """All that can be done with accounts.

    Args:
        unit_of_work: Opens a transaction.
        clock: The present moment, aware.
        units: Official names of units; without it, a unit is taken as it is written.
        passwords: Hashing.
        login_lifetime: How long a login lasts.
    """

    def __init__(
        self,
        unit_of_work: PeopleUnitOfWorkFactory,
        clock: Callable[[], datetime],
        units: Units | None = None,
        passwords: Passwords | None = None,
        login_lifetime: timedelta = LOGIN_LIFETIME,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._units = units
        self._passwords = passwords or Passwords()
        self._login_lifetime = login_lifetime

    async def create_account(
        self, username: str, role: Role | str, unit: str | None = None, password: str | None = None
    ) -> Account:
        """Make an account.

        Args:
            username: 2 to 64 letters, digits, ``_ . @ -``; capital letters become small.
            role: One of the roles.
            unit: Needed for departments and territories.
            password: 10 to 200 characters; without one the account only uses tokens.

        Raises:
            InvalidInput: Something of this cannot be used.
            Conflict: The user name is taken (``username_taken``).
        """
        name = _normal(username)
        if name is None:
            raise InvalidInput("用户名应为 2 到 64 个字母、数字或 _ . @ - 符号。", field="username")
        known_role = _role(role)
        hashed = await self._passwords.hash(_checked(password)) if password is not None else None
        account = Account(name, known_role, self._unit(known_role, unit), hashed, self._clock())
        async with self._unit_of_work() as work:
            try:
                await work.people.add_account(account)
            except NameTaken:
                raise Conflict("这个用户名已经有人使用。", code="username_taken") from None
            await work.commit()
        return account

    async def accounts(self) -> tuple[Account, ...]:
        """All accounts by user name."""
        async with self._unit_of_work(read_only=True) as work:
            return await work.people.accounts()

    async def set_password(self, username: str, password: str) -> None:
        """Give an account a new password; its tokens end.

        Raises:
            InvalidInput: The password is too short or too long.
            NotFound: There is no such account.
        """
        hashed = await self._passwords.hash(_checked(password))
        async with self._unit_of_work() as work:
            account = _found(await work.people.account(_normal(username) or ""))
            await work.people.save_account(replace(account, password_hash=hashed))
            await work.people.revoke_tokens_of(account.username, self._clock())
            await work.people.clear_attempts(account.username)
            await work.commit()

    async def disable(self, username: str) -> None:
        """Shut an account; its tokens end at once.

        Raises:
            NotFound: There is no such account.
        """
        async with self._unit_of_work() as work:
            account = _found(await work.people.account(_normal(username) or ""))
            now = self._clock()
            await work.people.save_account(replace(account, disabled_at=account.disabled_at or now))
            await work.people.revoke_tokens_of(account.username, now)
            await work.commit()

    async def login(self, username: str, password: str) -> IssuedToken:
        """Exchange a password for a token.

        An unknown name, a shut account and a wrong password answer alike, and are counted alike.

        Raises:
            NotAuthenticated: Name and password do not fit.
            TooMany: Five tries failed; nothing is looked at for fifteen minutes.
        """
        name = _normal(username)
        if name is None or not password or len(password) > MAX_PASSWORD:
            raise _wrong_login()
        account = await self._try(name)
        usable = account is not None and account.disabled_at is None
        if not await self._passwords.verify(account.password_hash if account and usable else None, password):
            raise _wrong_login()
        assert account is not None  # noqa: S101 - verify is never true without a stored hash
        return await self._issue(account, "login", self._login_lifetime)

    async def issue_token(
        self, username: str, label: str = "cli", lifetime: timedelta = TOKEN_LIFETIME
    ) -> IssuedToken:
        """Make a token for an account without its password, for programs.

        Raises:
            NotFound: There is no such account, or it is shut.
        """
        async with self._unit_of_work(read_only=True) as work:
            account = _found(await work.people.account(_normal(username) or ""))
        if account.disabled_at is not None:
            raise NotFound("没有找到这个账号，或者账号已停用。")
        return await self._issue(account, label, lifetime)

    async def authenticate(self, token: str) -> Account:
        """Whose a token is.

        Raises:
            NotAuthenticated: The token is unknown, ended or taken back, or its account is shut.
        """
        async with self._unit_of_work(read_only=True) as work:
            found = await work.people.token(_fingerprint(token)) if token else None
        if found is None:
            raise _not_signed_in()
        stored, account = found
        if stored.revoked_at or stored.expires_at <= self._clock() or account.disabled_at:
            raise _not_signed_in()
        return account

    async def logout(self, token: str) -> None:
        """Take a token back; an unknown one is as good as taken back."""
        async with self._unit_of_work() as work:
            await work.people.revoke_token(_fingerprint(token), self._clock())
            await work.commit()

    async def revoke_all(self, username: str) -> int:
        """Take back all tokens of an account; answers how many were good.

        Raises:
            NotFound: There is no such account.
        """
        async with self._unit_of_work() as work:
            account = _found(await work.people.account(_normal(username) or ""))
            count = await work.people.revoke_tokens_of(account.username, self._clock())
            await work.commit()
        return count

    async def _try(self, name: str) -> Account | None:
        """Count a try before it is looked at, so that many at once cannot exceed the limit."""
        now = self._clock()
        async with self._unit_of_work() as work:
            before = await work.people.attempts(name, now)
            if before.locked_until and before.locked_until > now:
                minutes = -(-(before.locked_until - now) // timedelta(minutes=1))
                raise TooMany(f"登录失败次数过多，请 {minutes} 分钟后再试。", retry_after=minutes * 60)
            count = 1 if before.locked_until else before.count + 1
            locked = now + LOCK if count >= MAX_FAILURES else None
            await work.people.save_attempts(Attempts(name, count, now, locked))
            account = await work.people.account(name)
            await work.commit()
        return account

    async def _issue(self, account: Account, label: str, lifetime: timedelta) -> IssuedToken:
        token = secrets.token_urlsafe(32)
        now = self._clock()
        stored = Token(_fingerprint(token), account.username, clean(label)[:40], now, now + lifetime)
        async with self._unit_of_work() as work:
            await work.people.add_token(stored)
            await work.people.drop_tokens(now - timedelta(days=30))
            if label == "login":
                await work.people.clear_attempts(account.username, older_than=now - _FORGET_ATTEMPTS)
            await work.commit()
        return IssuedToken(token, stored.expires_at, account)

    def _unit(self, role: Role, unit: str | None) -> str | None:
        name = clean((unit or "")[: 2 * MAX_UNIT])
        if not name:
            if role.needs_unit:
                raise InvalidInput("部门和平台、街道的账号需要填写单位。", field="unit")
            return None
        if len(name) > MAX_UNIT:
            raise InvalidInput(f"单位名称最多 {MAX_UNIT} 个字。", field="unit")
        if not self._units or not role.needs_unit:
            return name
        official = self._units(role, name)
        if official is None:
            raise InvalidInput("没有找到这个单位，请使用部门或平台、街道列表中的名称。", field="unit")
        return official


def _normal(username: str) -> str | None:
    name = unicodedata.normalize("NFKC", username[:200]).strip().casefold()
    return name if _USERNAME.match(name) else None


def _role(role: Role | str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise InvalidInput(f"角色只能是：{'、'.join(Role)}。", field="role") from None


def _checked(password: str) -> str:
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidInput(f"密码应为 {MIN_PASSWORD} 到 {MAX_PASSWORD} 个字符。", field="password")
    return password


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _found(account: Account | None) -> Account:
    if account is None:
        raise NotFound("没有找到这个账号，或者账号已停用。")
    return account


def _wrong_login() -> NotAuthenticated:
    return NotAuthenticated("用户名或密码不正确。", code="wrong_login")


def _not_signed_in() -> NotAuthenticated:
    return NotAuthenticated("请先登录，或者登录已过期，请重新登录。")
