"""Making accounts, signing in and out, and knowing who a token belongs to.

Every change of an account is written down in the same transaction, with who made it; nothing secret is.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from backend.errors import Conflict, InvalidInput, NotAllowed, NotAuthenticated, NotFound, Unavailable
from backend.people import devices, tries
from backend.people.accounts import Account, AccountPage, AccountQuery, IssuedToken, Token, TokenPage
from backend.people.actors import COMMAND_LINE, Actor, Party
from backend.people.audit import AuditEntry
from backend.people.checks import (
    MAX_PASSWORD,
    Units,
    check_label,
    check_password,
    check_role,
    check_unit,
    check_username,
    normal_username,
)
from backend.people.passwords import Passwords
from backend.people.ports import NameTaken, PeopleUnitOfWork, PeopleUnitOfWorkFactory
from backend.people.roles import Role
from backend.permissions import Action, require

LOGIN = "login"
"""Label of a token that a password was exchanged for."""

LOGIN_LIFETIME: Final = timedelta(hours=12)
TOKEN_LIFETIME: Final = timedelta(days=365)
MOST_DAYS: Final = 3660
"""Longest life of a token, in days."""

_KEPT_AFTER_END = timedelta(days=30)
_REST = timedelta(minutes=5)
"""So long no use of a token is noted after the database could not take one."""


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
        self._rests_until: datetime | None = None
        self._noting = False

    # -- accounts --------------------------------------------------------------

    async def create_account(
        self,
        username: str,
        role: Role | str,
        unit: str | None = None,
        password: str | None = None,
        *,
        by: Actor = COMMAND_LINE,
    ) -> Account:
        """Make an account.

        Args:
            username: 2 to 64 letters, digits, ``_ . @ -``; capital letters become small.
            role: One of the roles.
            unit: Needed for departments and territories.
            password: 10 to 200 characters; without one the account only uses tokens.
            by: Who makes it.

        Raises:
            NotAllowed: The role keeps no accounts.
            InvalidInput: Something of this cannot be used.
            Conflict: The user name is taken (``username_taken``).
        """
        _require_manager(by)
        name = check_username(username)
        known_role = check_role(role)
        official = check_unit(known_role, unit, self._units)
        hashed = None
        if password is not None:
            hashed = await self._passwords.hash(check_password(password, name))
        account = Account(name, known_role, official, hashed, self._clock())
        async with self._unit_of_work() as work:
            try:
                await work.people.add_account(account)
            except NameTaken:
                raise Conflict("这个用户名已经有人使用。", code="username_taken") from None
            after = {**_shown(account), **_password(work, account)}
            await self._write(work, by, "account.create", name, {}, after)
            await work.commit()
        return account

    async def accounts(self) -> tuple[Account, ...]:
        """All accounts by user name."""
        async with self._unit_of_work(read_only=True) as work:
            return await work.people.accounts()

    async def find(self, query: AccountQuery, *, by: Actor = COMMAND_LINE) -> AccountPage:
        """One page of accounts by user name.

        Raises:
            NotAllowed: The role keeps no accounts.
        """
        _require_manager(by)
        async with self._unit_of_work(read_only=True) as work:
            return await work.people.find_accounts(query)

    async def account(self, username: str, *, by: Actor = COMMAND_LINE) -> Account:
        """The account of a user name.

        Raises:
            NotAllowed: The role keeps no accounts.
            NotFound: There is no such account.
        """
        _require_manager(by)
        async with self._unit_of_work(read_only=True) as work:
            return _found(await work.people.account(normal_username(username) or ""))

    async def set_role(
        self, username: str, role: Role | str, unit: str | None = None, *, by: Actor = COMMAND_LINE
    ) -> Account:
        """Give an account another role or unit; its tokens end, and a former liaison's pairings with them.

        Raises:
            NotAllowed: The role keeps no accounts.
            InvalidInput: Role and unit cannot be used.
            NotFound: There is no such account.
            Conflict: It is the last admin (``last_admin``).
        """
        _require_manager(by)
        known_role = check_role(role)
        official = check_unit(known_role, unit, self._units)
        async with self._unit_of_work() as work:
            account = await self._changed(work, username)
            changed = replace(account, role=known_role, unit=official)
            if changed == account:
                return account
            if known_role is not Role.ADMIN:
                await self._keep_an_admin(work, account, by)
            await work.people.save_account(changed)
            await work.people.revoke_tokens_of(account.username, self._clock())
            before = _shown(account)
            if account.role is Role.LIAISON and known_role is not Role.LIAISON:
                parted = await work.people.remove_pairings(account.username)
                before["enterprises"] = sorted(pairing.enterprise for pairing in parted)
            await self._write(work, by, "account.role", account.username, before, _shown(changed))
            await work.commit()
        return changed

    async def set_password(self, username: str, password: str, *, by: Actor = COMMAND_LINE) -> None:
        """Give an account a new password; its tokens end.

        Raises:
            NotAllowed: The role keeps no accounts.
            InvalidInput: The password cannot be used.
            NotFound: There is no such account.
        """
        _require_manager(by)
        name = normal_username(username) or ""
        hashed = await self._passwords.hash(check_password(password, name))
        async with self._unit_of_work() as work:
            account = await self._changed(work, username)
            changed = replace(account, password_hash=hashed)
            await work.people.save_account(changed)
            await work.people.revoke_tokens_of(account.username, self._clock())
            await work.people.clear_attempts(account.username)
            await work.people.clear_attempts(tries.change_key(account.username))
            had = account.password_hash is not None
            after = _password(work, changed)
            await self._write(work, by, "account.password", account.username, {"password": had}, after)
            await work.commit()

    async def disable(self, username: str, *, by: Actor = COMMAND_LINE) -> Account:
        """Shut an account; its tokens end at once. Shutting it twice counts once.

        Raises:
            NotAllowed: The role keeps no accounts.
            NotFound: There is no such account.
            Conflict: It is the last admin (``last_admin``).
        """
        _require_manager(by)
        async with self._unit_of_work() as work:
            account = await self._changed(work, username)
            if account.disabled_at is not None:
                return account
            await self._keep_an_admin(work, account, by)
            now = self._clock()
            changed = replace(account, disabled_at=now)
            await work.people.save_account(changed)
            await work.people.revoke_tokens_of(account.username, now)
            await self._write(work, by, "account.disable", account.username, _shown(account), _shown(changed))
            await work.commit()
        return changed

    async def enable(self, username: str, *, by: Actor = COMMAND_LINE) -> Account:
        """Open a shut account again; its former tokens stay ended.

        Raises:
            NotAllowed: The role keeps no accounts.
            NotFound: There is no such account.
        """
        _require_manager(by)
        async with self._unit_of_work() as work:
            account = await self._changed(work, username)
            if account.disabled_at is None:
                return account
            changed = replace(account, disabled_at=None)
            await work.people.save_account(changed)
            await work.people.clear_attempts(account.username)
            await self._write(work, by, "account.enable", account.username, _shown(account), _shown(changed))
            await work.commit()
        return changed

    # -- signing in and out ----------------------------------------------------

    async def login(self, username: str, password: str, devices_kept: str = "") -> IssuedToken:
        """Exchange a password for a token.

        An unknown name, a shut account and a wrong password answer alike, and are counted alike.

        Args:
            username: As typed.
            password: As typed.
            devices_kept: What the browser keeps of earlier logins.

        Raises:
            NotAuthenticated: Name and password do not fit.
            TooMany: Five tries failed; nothing is looked at for fifteen minutes.
            Unavailable: Too many sign in at once.
        """
        name = normal_username(username)
        if name is None or not password or len(password) > MAX_PASSWORD:
            raise _wrong_login()
        now = self._clock()
        async with self._unit_of_work() as work:
            account = await work.people.account(name)
            mark = devices.known_by(account, devices_kept) if account else None
            key = tries.device_key(name, mark) if mark else name
            await tries.count(work.people, key, now)
            await work.commit()
        usable = account is not None and account.disabled_at is None
        if not await self._passwords.verify(account.password_hash if account and usable else None, password):
            raise _wrong_login()
        assert account is not None  # noqa: S101 - verify is never true without a stored hash
        async with self._unit_of_work() as work:
            # the password may have been changed, or the account shut, while this one was compared
            present = await work.people.account(name, lock=True)
            if present is None or present.disabled_at or present.password_hash != account.password_hash:
                raise _wrong_login()
            issued = await self._issue(work, present, LOGIN, self._login_lifetime)
            await work.people.clear_attempts(key, older_than=now - tries.FORGET)
            await work.commit()
        return replace(issued, devices=devices.remember(present, devices_kept))

    async def knows_browser(self, username: str, devices_kept: str) -> bool:
        """Whether an account has signed in from a browser before."""
        name = normal_username(username)
        if name is None or not devices_kept:
            return False
        async with self._unit_of_work(read_only=True) as work:
            account = await work.people.account(name)
        return account is not None and devices.known_by(account, devices_kept) is not None

    async def authenticate(self, token: str) -> Account:
        """Whose a token is.

        Raises:
            NotAuthenticated: The token is unknown, ended or taken back, or its account is shut.
        """
        now = self._clock()
        fingerprint = _fingerprint(token)
        async with self._unit_of_work(read_only=True) as work:
            found = await work.people.token(fingerprint)
        if found is None or not found[0].is_good(now) or found[1].disabled_at:
            raise _not_signed_in()
        await self._note_use(found[0], now)
        return found[1]

    async def logout(self, token: str) -> None:
        """Take a token back; an unknown one is as good as taken back."""
        async with self._unit_of_work() as work:
            await work.people.revoke_token(_fingerprint(token), self._clock())
            await work.commit()

    async def change_password(self, account: Account, token: str, old: str, new: str) -> None:
        """Let somebody change their own password; all their other tokens end.

        Args:
            account: Who is signed in.
            token: By which token, which stays good.
            old: The present password.
            new: The next one.

        Raises:
            InvalidInput: The old password does not fit (``wrong_password``), or the new one cannot be used.
            TooMany: The old one was wrong five times.
            NotAuthenticated: The account was shut meanwhile.
        """
        name = account.username
        check_password(new, name, "new_password")
        now = self._clock()
        async with self._unit_of_work() as work:
            await tries.count(work.people, tries.change_key(name), now)
            present = await work.people.account(name)
            await work.commit()
        stored = present.password_hash if present else None
        if len(old) > MAX_PASSWORD or not await self._passwords.verify(stored, old):
            raise InvalidInput("原密码不正确。", code="wrong_password", field="old_password")
        if old == new:
            raise InvalidInput("新密码不能与原密码相同。", field="new_password")
        hashed = await self._passwords.hash(new)
        async with self._unit_of_work() as work:
            again = await work.people.account(name, lock=True)
            if again is None or again.disabled_at or again.password_hash != stored:
                raise _not_signed_in()
            changed = replace(again, password_hash=hashed)
            await work.people.save_account(changed)
            await work.people.revoke_tokens_of(name, now, but=_fingerprint(token))
            await work.people.clear_attempts(tries.change_key(name))
            after = _password(work, changed)
            await self._write(work, again.actor, "account.own_password", name, {"password": True}, after)
            await work.commit()

    # -- tokens ----------------------------------------------------------------

    async def issue_token(
        self,
        username: str,
        label: str = "cli",
        lifetime: timedelta = TOKEN_LIFETIME,
        *,
        by: Actor = COMMAND_LINE,
    ) -> IssuedToken:
        """Make a token for an account without its password, for programs.

        Raises:
            NotAllowed: The role keeps no accounts.
            InvalidInput: The label is empty or too long, or is that of a login; or the life is too long.
            NotFound: There is no such account, or it is shut.
        """
        _require_manager(by)
        words = check_label(label)
        if words == LOGIN:
            raise InvalidInput("这个用途名称由登录使用，请换一个。", field="label")
        if not timedelta(0) < lifetime <= timedelta(days=MOST_DAYS):
            raise InvalidInput(f"令牌有效期应为 1 到 {MOST_DAYS} 天。", field="days")
        async with self._unit_of_work() as work:
            account = await self._changed(work, username)
            if account.disabled_at is not None:
                raise _no_account()
            issued = await self._issue(work, account, words, lifetime)
            after = {"token": issued.id, "label": words, "expires_at": issued.expires_at.isoformat()}
            await self._write(work, by, "token.issue", account.username, {}, after)
            await work.commit()
        return issued

    async def tokens(
        self, username: str, page: int = 1, page_size: int = 100, *, by: Actor = COMMAND_LINE
    ) -> TokenPage:
        """One page of an account's tokens, newest first, ended ones included as long as they are kept.

        Raises:
            NotAllowed: The role keeps no accounts.
            NotFound: There is no such account.
        """
        _require_manager(by)
        async with self._unit_of_work(read_only=True) as work:
            account = _found(await work.people.account(normal_username(username) or ""))
            return await work.people.tokens(account.username, page, page_size, None)

    async def sessions(self, account: Account, page: int = 1, page_size: int = 20) -> TokenPage:
        """One page of the tokens with which somebody may be signed in at present, newest first."""
        async with self._unit_of_work(read_only=True) as work:
            return await work.people.tokens(account.username, page, page_size, self._clock())

    def is_token(self, token: Token, text: str) -> bool:
        """Whether a stored token is the one of this text."""
        return secrets.compare_digest(token.fingerprint, _fingerprint(text))

    async def revoke(self, username: str, token_id: int, *, by: Actor = COMMAND_LINE) -> None:
        """Take one token of an account back; its owner may do that too. Twice counts once.

        Raises:
            NotAllowed: Neither the owner nor one who keeps accounts.
            NotFound: There is no such account, or the token is not its.
        """
        name = normal_username(username) or ""
        if by.name != name or not isinstance(by.role, Role):
            _require_manager(by)
        async with self._unit_of_work() as work:
            token = await work.people.token_of(name, token_id)
            if token is None:
                raise NotFound("没有找到这个令牌或登录。")
            now = self._clock()
            if token.is_good(now):
                await work.people.revoke_token(token.fingerprint, now)
                before = {"token": token.id, "label": token.label, "good": True}
                await self._write(work, by, "token.revoke", name, before, {**before, "good": False})
                await work.commit()

    async def revoke_all(self, username: str, *, label: str | None = None, by: Actor = COMMAND_LINE) -> int:
        """Take back all tokens of an account, or those with a label; answers how many were good.

        Raises:
            NotAllowed: The role keeps no accounts.
            NotFound: There is no such account.
        """
        _require_manager(by)
        async with self._unit_of_work() as work:
            account = await self._changed(work, username)
            count = await work.people.revoke_tokens_of(account.username, self._clock(), label=label)
            if count:
                after = {"revoked": count} if label is None else {"revoked": count, "label": label}
                await self._write(work, by, "token.revoke_all", account.username, {}, after)
            await work.commit()
        return count

    # -- inside ----------------------------------------------------------------

    async def _issue(
        self, work: PeopleUnitOfWork, account: Account, label: str, lifetime: timedelta
    ) -> IssuedToken:
        token = secrets.token_urlsafe(32)
        now = self._clock()
        stored = await work.people.add_token(
            Token(_fingerprint(token), account.username, label, now, now + lifetime)
        )
        await work.people.drop_tokens(now - _KEPT_AFTER_END)
        return IssuedToken(token, stored.expires_at, account, stored.id)

    async def _note_use(self, token: Token, now: datetime) -> None:
        """Remember the hour of a token's use; that is no reason to refuse or to keep anybody waiting."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        if token.last_used_at is not None and token.last_used_at >= hour:
            return
        # one at a time: while the database cannot take it, only one request waits to learn that
        if self._noting or (self._rests_until is not None and now < self._rests_until):
            return
        self._noting = True
        try:
            async with self._unit_of_work() as work:
                await work.people.note_use(token.fingerprint, hour)
                await work.commit()
        except Unavailable:
            self._rests_until = now + _REST
        finally:
            self._noting = False

    async def _write(
        self,
        work: PeopleUnitOfWork,
        by: Actor,
        action: str,
        username: str,
        before: dict[str, Any],
        after: dict[str, Any],
    ) -> None:
        await work.audit.add(AuditEntry(self._clock(), by, action, username, before, after))

    async def _changed(self, work: PeopleUnitOfWork, username: str) -> Account:
        return _found(await work.people.account(normal_username(username) or "", lock=True))

    async def _keep_an_admin(self, work: PeopleUnitOfWork, account: Account, by: Actor) -> None:
        """Refuse to lock everybody out; the command line can make another admin and may do it."""
        if account.role is not Role.ADMIN or account.disabled_at or not isinstance(by.role, Role):
            return
        if not await work.people.admins_in_use() - {account.username}:
            raise Conflict(
                "这是最后一个管理员账号，不能停用或改为其他角色；请先设置另一个管理员。", code="last_admin"
            )


def _require_manager(by: Actor) -> None:
    if isinstance(by.role, Role):
        require(by.role, Action.ACCOUNTS_MANAGE)
    elif by.role is not Party.SYSTEM:
        raise NotAllowed("请用工作人员账号登录。")


def _shown(account: Account) -> dict[str, Any]:
    """What is written down of an account."""
    return {"role": account.role.value, "unit": account.unit, "disabled": account.disabled_at is not None}


def _password(work: PeopleUnitOfWork, account: Account) -> dict[str, Any]:
    """What is written down of a password: that there is one, and what an audit knows its hash by."""
    hashed = account.password_hash
    mark = work.audit.mark(account.username, hashed) if hashed is not None else None
    return {"password": hashed is not None, "password_mark": mark}


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _no_account() -> NotFound:
    return NotFound("没有找到这个账号，或者账号已停用。")


def _found(account: Account | None) -> Account:
    if account is None:
        raise _no_account()
    return account


def _wrong_login() -> NotAuthenticated:
    return NotAuthenticated("用户名或密码不正确。", code="wrong_login")


def _not_signed_in() -> NotAuthenticated:
    return NotAuthenticated("请先登录，或者登录已过期，请重新登录。")
