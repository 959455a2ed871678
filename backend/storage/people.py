"""Accounts, tokens, login attempts and the enterprises of liaisons in the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.people.accounts import (
    Account,
    AccountPage,
    AccountQuery,
    Attempts,
    LiaisonLoad,
    LiaisonPage,
    Pairing,
    PairingPage,
    Token,
    TokenPage,
)
from backend.people.ports import NameTaken
from backend.people.roles import Role
from backend.storage.records import token_signature
from backend.storage.tables import AccountRow, AttemptsRow, LiaisonEnterpriseRow, TokenRow
from backend.storage.upserts import upsert
from backend.storage.vault import Vault


class SqlPeople:
    """Implements `backend.people.ports.PeopleRepository`."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def add_account(self, account: Account) -> None:
        """Store a new account.

        Raises:
            NameTaken: The user name is in use.
        """
        self._session.add(
            AccountRow(
                username=account.username,
                role=account.role.value,
                unit=account.unit,
                password_hash=account.password_hash,
                created_at=account.created_at,
                disabled_at=account.disabled_at,
            )
        )
        try:
            await self._session.flush()
        except IntegrityError:
            raise NameTaken from None

    async def account(self, username: str, *, lock: bool = False) -> Account | None:
        """The account of a user name, kept from others' changes where ``lock`` is set."""
        query = select(AccountRow).where(AccountRow.username == username)
        if lock:
            query = query.with_for_update().execution_options(populate_existing=True)
        row = await self._session.scalar(query)
        return _account(row) if row else None

    async def accounts(self) -> tuple[Account, ...]:
        """All accounts by user name."""
        rows = await self._session.scalars(select(AccountRow).order_by(AccountRow.username))
        return tuple(map(_account, rows))

    async def find_accounts(self, query: AccountQuery) -> AccountPage:
        """One page of accounts by user name."""
        total = await self._session.scalar(_filtered(select(func.count(AccountRow.id)), query))
        rows = await self._session.scalars(
            _filtered(select(AccountRow), query)
            .order_by(AccountRow.username)
            .limit(query.page_size)
            .offset((query.page - 1) * query.page_size)
        )
        return AccountPage(tuple(map(_account, rows)), total or 0)

    async def admins_in_use(self) -> frozenset[str]:
        """User names of the admins that work, none of which others change until this transaction ends."""
        query = (
            select(AccountRow.username)
            .where(AccountRow.role == Role.ADMIN.value, AccountRow.disabled_at.is_(None))
            .order_by(AccountRow.username)
            .with_for_update()
        )
        return frozenset(await self._session.scalars(query))

    async def save_account(self, account: Account) -> None:
        """Store a changed account."""
        await self._session.execute(
            update(AccountRow)
            .where(AccountRow.username == account.username)
            .values(
                role=account.role.value,
                unit=account.unit,
                password_hash=account.password_hash,
                disabled_at=account.disabled_at,
            )
        )

    async def add_token(self, token: Token) -> Token:
        """Store a new token; answers it with its number."""
        row = TokenRow(
            fingerprint=token.fingerprint,
            account_id=await self._session.scalar(_select_id(token.username)),
            label=token.label,
            created_at=token.created_at,
            expires_at=token.expires_at,
            revoked_at=token.revoked_at,
            signature=token_signature(
                self._vault,
                fingerprint=token.fingerprint,
                username=token.username,
                label=token.label,
                created_at=token.created_at,
                expires_at=token.expires_at,
            ),
        )
        self._session.add(row)
        await self._session.flush()
        return replace(token, id=row.id)

    async def token(self, fingerprint: str) -> tuple[Token, Account] | None:
        """The token of a fingerprint with its account."""
        query = (
            select(TokenRow, AccountRow)
            .join(AccountRow, AccountRow.id == TokenRow.account_id)
            .where(TokenRow.fingerprint == fingerprint)
        )
        found = (await self._session.execute(query)).first()
        if found is None:
            return None
        row, owner = found
        return _token(row, owner.username), _account(owner)

    async def tokens(self, username: str, page: int, page_size: int, good_at: datetime | None) -> TokenPage:
        """One page of an account's tokens, newest first."""
        conditions = [TokenRow.account_id == _id_of(username)]
        if good_at is not None:
            conditions += [TokenRow.revoked_at.is_(None), TokenRow.expires_at > good_at]
        total = await self._session.scalar(select(func.count(TokenRow.id)).where(*conditions))
        rows = await self._session.scalars(
            select(TokenRow)
            .where(*conditions)
            .order_by(TokenRow.id.desc())
            .limit(page_size)
            .offset((page - 1) * page_size)
        )
        return TokenPage(tuple(_token(row, username) for row in rows), total or 0)

    async def token_of(self, username: str, token_id: int) -> Token | None:
        """The token of a number, if it is the account's."""
        query = select(TokenRow).where(TokenRow.id == token_id, TokenRow.account_id == _id_of(username))
        row = await self._session.scalar(query)
        return _token(row, username) if row else None

    async def note_use(self, fingerprint: str, at: datetime) -> None:
        """Remember when a token was used."""
        await self._session.execute(
            update(TokenRow).where(TokenRow.fingerprint == fingerprint).values(last_used_at=at)
        )

    async def revoke_token(self, fingerprint: str, at: datetime) -> None:
        """Take a token back."""
        await self._session.execute(
            update(TokenRow)
            .where(TokenRow.fingerprint == fingerprint, TokenRow.revoked_at.is_(None))
            .values(revoked_at=at)
        )

    async def revoke_tokens_of(
        self, username: str, at: datetime, *, label: str | None = None, but: str | None = None
    ) -> int:
        """Take back all good tokens of an account; answers how many."""
        conditions = [
            TokenRow.account_id == _id_of(username),
            TokenRow.revoked_at.is_(None),
            TokenRow.expires_at > at,
        ]
        if label is not None:
            conditions.append(TokenRow.label == label)
        if but is not None:
            conditions.append(TokenRow.fingerprint != but)
        result = await self._session.execute(
            update(TokenRow)
            .where(*conditions)
            .values(revoked_at=at)
            .execution_options(synchronize_session=False)
        )
        assert isinstance(result, CursorResult)  # noqa: S101 - what an UPDATE answers
        return int(result.rowcount)

    async def drop_tokens(self, expired_before: datetime) -> None:
        """Forget tokens that ended before a moment."""
        await self._session.execute(delete(TokenRow).where(TokenRow.expires_at < expired_before))

    async def attempts(self, key: str, at: datetime) -> Attempts:
        """Tries under a key; the row is made if need be, because only a row can be locked."""
        await self._session.execute(
            upsert(self._session, AttemptsRow)
            .values(username=key, count=0, last_at=at)
            .on_conflict_do_nothing()
        )
        query = select(AttemptsRow).where(AttemptsRow.username == key).with_for_update()
        row = (await self._session.scalars(query)).one()
        return Attempts(row.username, row.count, row.last_at, row.locked_until)

    async def save_attempts(self, attempts: Attempts) -> None:
        """Store the tries under a key."""
        await self._session.execute(
            update(AttemptsRow)
            .where(AttemptsRow.username == attempts.key)
            .values(count=attempts.count, last_at=attempts.last_at, locked_until=attempts.locked_until)
        )

    async def clear_attempts(self, key: str, older_than: datetime | None = None) -> None:
        """Forget the tries under a key, and all whose last one is older than a moment."""
        condition = AttemptsRow.username == key
        if older_than is not None:
            condition = or_(condition, AttemptsRow.last_at < older_than)
        await self._session.execute(delete(AttemptsRow).where(condition))

    async def add_pairing(self, pairing: Pairing) -> Pairing | None:
        """Pair a liaison with an enterprise; answers what was there already, None if it is new."""
        account_id = await self._session.scalar(_select_id(pairing.username))
        row = await self._session.get(LiaisonEnterpriseRow, (account_id, pairing.key))
        if row is not None:
            return _pairing(row, pairing.username)
        self._session.add(
            LiaisonEnterpriseRow(
                account_id=account_id,
                enterprise_key=pairing.key,
                enterprise=pairing.enterprise,
                since=pairing.since,
            )
        )
        await self._session.flush()
        return None

    async def remove_pairing(self, username: str, key: str) -> Pairing | None:
        """Part a liaison from an enterprise; answers what was there."""
        query = _of_liaison(username).where(LiaisonEnterpriseRow.enterprise_key == key)
        return next(iter(await self._parted(query, username)), None)

    async def remove_pairings(self, username: str) -> tuple[Pairing, ...]:
        """Part a liaison from all enterprises; answers what was there."""
        return await self._parted(_of_liaison(username), username)

    async def pairings(self, username: str, page: int, page_size: int) -> PairingPage:
        """One page of a liaison's enterprises, by name."""
        counted = select(func.count()).select_from(_of_liaison(username).subquery())
        rows = await self._session.scalars(
            _of_liaison(username)
            .order_by(LiaisonEnterpriseRow.enterprise, LiaisonEnterpriseRow.enterprise_key)
            .limit(page_size)
            .offset((page - 1) * page_size)
        )
        pairings = tuple(_pairing(row, username) for row in rows)
        return PairingPage(pairings, await self._session.scalar(counted) or 0)

    async def is_paired(self, username: str, key: str) -> bool:
        """Whether a liaison is paired with the enterprise of a key."""
        query = _of_liaison(username).where(LiaisonEnterpriseRow.enterprise_key == key)
        return await self._session.scalar(query) is not None

    async def liaisons(self, page: int, page_size: int) -> LiaisonPage:
        """One page of the liaisons that work, by user name."""
        working = (AccountRow.role == Role.LIAISON.value, AccountRow.disabled_at.is_(None))
        total = await self._session.scalar(select(func.count(AccountRow.id)).where(*working))
        query = (
            select(AccountRow.username, AccountRow.unit, func.count(LiaisonEnterpriseRow.enterprise_key))
            .outerjoin(LiaisonEnterpriseRow, LiaisonEnterpriseRow.account_id == AccountRow.id)
            .where(*working)
            .group_by(AccountRow.id, AccountRow.username, AccountRow.unit)
            .order_by(AccountRow.username)
            .limit(page_size)
            .offset((page - 1) * page_size)
        )
        rows = (await self._session.execute(query)).tuples()
        return LiaisonPage(tuple(LiaisonLoad(*row) for row in rows), total or 0)

    async def _parted(self, query: Select[Any], username: str) -> tuple[Pairing, ...]:
        rows = (await self._session.scalars(query)).all()
        for row in rows:
            await self._session.delete(row)
        await self._session.flush()
        return tuple(_pairing(row, username) for row in rows)


def _select_id(username: str) -> Select[tuple[int]]:
    return select(AccountRow.id).where(AccountRow.username == username)


def _id_of(username: str) -> Any:
    return _select_id(username).scalar_subquery()


def _of_liaison(username: str) -> Select[Any]:
    return select(LiaisonEnterpriseRow).where(LiaisonEnterpriseRow.account_id == _id_of(username))


def _filtered(statement: Select[Any], query: AccountQuery) -> Select[Any]:
    conditions = []
    if query.text:
        columns = (AccountRow.username, AccountRow.unit)
        conditions.append(or_(*(column.icontains(query.text, autoescape=True) for column in columns)))
    if query.role is not None:
        conditions.append(AccountRow.role == query.role.value)
    if query.in_use is not None:
        shut = AccountRow.disabled_at
        conditions.append(shut.is_(None) if query.in_use else shut.is_not(None))
    return statement.where(*conditions)


def _pairing(row: LiaisonEnterpriseRow, username: str) -> Pairing:
    return Pairing(username, row.enterprise_key, row.enterprise, row.since)


def _token(row: TokenRow, username: str) -> Token:
    return Token(
        fingerprint=row.fingerprint,
        username=username,
        label=row.label,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        id=row.id,
    )


def _account(row: AccountRow) -> Account:
    return Account(
        username=row.username,
        role=Role(row.role),
        unit=row.unit,
        password_hash=row.password_hash,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )
