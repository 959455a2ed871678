"""Accounts, tokens and login attempts in the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.people.accounts import Account, Attempts, Token
from backend.people.ports import NameTaken
from backend.people.roles import Role
from backend.storage.tables import AccountRow, AttemptsRow, TokenRow
from backend.storage.upserts import upsert


class SqlPeople:
    """Implements `backend.people.ports.PeopleRepository`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

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

    async def account(self, username: str) -> Account | None:
        """The account of a user name."""
        row = await self._session.scalar(select(AccountRow).where(AccountRow.username == username))
        return _account(row) if row else None

    async def accounts(self) -> tuple[Account, ...]:
        """All accounts by user name."""
        rows = await self._session.scalars(select(AccountRow).order_by(AccountRow.username))
        return tuple(map(_account, rows))

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

    async def add_token(self, token: Token) -> None:
        """Store a new token."""
        owner = select(AccountRow.id).where(AccountRow.username == token.username)
        self._session.add(
            TokenRow(
                fingerprint=token.fingerprint,
                account_id=await self._session.scalar(owner),
                label=token.label,
                created_at=token.created_at,
                expires_at=token.expires_at,
                revoked_at=token.revoked_at,
            )
        )
        await self._session.flush()

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
        return (
            Token(
                fingerprint=row.fingerprint,
                username=owner.username,
                label=row.label,
                created_at=row.created_at,
                expires_at=row.expires_at,
                revoked_at=row.revoked_at,
            ),
            _account(owner),
        )

    async def revoke_token(self, fingerprint: str, at: datetime) -> None:
        """Take a token back."""
        await self._session.execute(
            update(TokenRow)
            .where(TokenRow.fingerprint == fingerprint, TokenRow.revoked_at.is_(None))
            .values(revoked_at=at)
        )

    async def revoke_tokens_of(self, username: str, at: datetime) -> int:
        """Take back all good tokens of an account; answers how many."""
        owner = select(AccountRow.id).where(AccountRow.username == username).scalar_subquery()
        result = await self._session.execute(
            update(TokenRow)
            .where(TokenRow.account_id == owner, TokenRow.revoked_at.is_(None), TokenRow.expires_at > at)
            .values(revoked_at=at)
            .execution_options(synchronize_session=False)
        )
        assert isinstance(result, CursorResult)  # noqa: S101 - what an UPDATE answers
        return int(result.rowcount)

    async def drop_tokens(self, expired_before: datetime) -> None:
        """Forget tokens that ended before a moment."""
        await self._session.execute(delete(TokenRow).where(TokenRow.expires_at < expired_before))

    async def attempts(self, username: str, at: datetime) -> Attempts:
        """Tries under a user name; the row is made if need be, because only a row can be locked."""
        await self._session.execute(
            upsert(self._session, AttemptsRow)
            .values(username=username, count=0, last_at=at)
            .on_conflict_do_nothing()
        )
        query = select(AttemptsRow).where(AttemptsRow.username == username).with_for_update()
        row = (await self._session.scalars(query)).one()
        return Attempts(row.username, row.count, row.last_at, row.locked_until)

    async def save_attempts(self, attempts: Attempts) -> None:
        """Store the tries under a user name."""
        await self._session.execute(
            update(AttemptsRow)
            .where(AttemptsRow.username == attempts.username)
            .values(count=attempts.count, last_at=attempts.last_at, locked_until=attempts.locked_until)
        )

    async def clear_attempts(self, username: str, older_than: datetime | None = None) -> None:
        """Forget the tries under a user name, and all whose last one is older than a moment."""
        condition = AttemptsRow.username == username
        if older_than is not None:
            condition = or_(condition, AttemptsRow.last_at < older_than)
        await self._session.execute(delete(AttemptsRow).where(condition))


def _account(row: AccountRow) -> Account:
    return Account(
        username=row.username,
        role=Role(row.role),
        unit=row.unit,
        password_hash=row.password_hash,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )
