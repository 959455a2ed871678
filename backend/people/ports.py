"""What the accounts need from outside; `backend.storage` implements it."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from backend.people.accounts import (
    Account,
    AccountPage,
    AccountQuery,
    Attempts,
    LiaisonPage,
    Pairing,
    PairingPage,
    Token,
    TokenPage,
)
from backend.people.audit import AuditLog


class NameTaken(Exception):
    """There is an account of this user name already."""


class PeopleRepository(Protocol):
    """Keeps accounts, tokens, login attempts and the enterprises of liaisons."""

    async def add_account(self, account: Account) -> None:
        """Store a new account.

        Raises:
            NameTaken: The user name is in use.
        """
        ...

    async def account(self, username: str, *, lock: bool = False) -> Account | None:
        """The account of a user name.

        Args:
            username: In its stored form.
            lock: Keep it from being changed by others until this transaction ends.
        """
        ...

    async def accounts(self) -> tuple[Account, ...]:
        """All accounts by user name."""
        ...

    async def find_accounts(self, query: AccountQuery) -> AccountPage:
        """One page of accounts by user name."""
        ...

    async def admins_in_use(self) -> frozenset[str]:
        """User names of the admins that work, none of which others change until this transaction ends."""
        ...

    async def save_account(self, account: Account) -> None:
        """Store a changed account."""
        ...

    async def add_token(self, token: Token) -> Token:
        """Store a new token; answers it with its number."""
        ...

    async def token(self, fingerprint: str) -> tuple[Token, Account] | None:
        """The token of a fingerprint with its account."""
        ...

    async def tokens(self, username: str, page: int, page_size: int, good_at: datetime | None) -> TokenPage:
        """One page of an account's tokens, newest first.

        Args:
            username: Whose.
            page: From 1.
            page_size: At least 1.
            good_at: Only those that open something at this moment; None for all that are kept.
        """
        ...

    async def token_of(self, username: str, token_id: int) -> Token | None:
        """The token of a number, if it is the account's."""
        ...

    async def note_use(self, fingerprint: str, at: datetime) -> None:
        """Remember when a token was used."""
        ...

    async def revoke_token(self, fingerprint: str, at: datetime) -> None:
        """Take a token back."""
        ...

    async def revoke_tokens_of(
        self, username: str, at: datetime, *, label: str | None = None, but: str | None = None
    ) -> int:
        """Take back all good tokens of an account; answers how many.

        Args:
            username: Whose.
            at: The present moment.
            label: Only those with this label.
            but: Fingerprint of one that stays good.
        """
        ...

    async def drop_tokens(self, expired_before: datetime) -> None:
        """Forget tokens that ended before a moment."""
        ...

    async def attempts(self, key: str, at: datetime) -> Attempts:
        """Tries under a key, none at first; others who ask wait until this transaction ends.

        Args:
            key: As in `Attempts`.
            at: Moment to note for the first try.
        """
        ...

    async def save_attempts(self, attempts: Attempts) -> None:
        """Store the tries under a key."""
        ...

    async def clear_attempts(self, key: str, older_than: datetime | None = None) -> None:
        """Forget the tries under a key, and all whose last one is older than a moment."""
        ...

    async def add_pairing(self, pairing: Pairing) -> Pairing | None:
        """Pair a liaison with an enterprise; answers what was there already, None if it is new."""
        ...

    async def remove_pairing(self, username: str, key: str) -> Pairing | None:
        """Part a liaison from an enterprise; answers what was there."""
        ...

    async def remove_pairings(self, username: str) -> tuple[Pairing, ...]:
        """Part a liaison from all enterprises; answers what was there."""
        ...

    async def pairings(self, username: str, page: int, page_size: int) -> PairingPage:
        """One page of a liaison's enterprises, by name."""
        ...

    async def is_paired(self, username: str, key: str) -> bool:
        """Whether a liaison is paired with the enterprise of a key."""
        ...

    async def liaisons(self, page: int, page_size: int) -> LiaisonPage:
        """One page of the liaisons that work, by user name."""
        ...


class PeopleUnitOfWork(Protocol):
    """One transaction; leaving it without `commit` undoes everything."""

    @property
    def people(self) -> PeopleRepository:
        """Accounts as this transaction sees them."""
        ...

    @property
    def audit(self) -> AuditLog:
        """Where changes are written down, in the same transaction."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def commit(self) -> None:
        """Make everything durable."""
        ...


class PeopleUnitOfWorkFactory(Protocol):
    """Opens transactions."""

    def __call__(self, *, read_only: bool = False) -> PeopleUnitOfWork:
        """A transaction, not yet begun."""
        ...
