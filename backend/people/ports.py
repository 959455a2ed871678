"""What the accounts need from outside; `backend.storage` implements it."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from backend.people.accounts import Account, Attempts, Token


class NameTaken(Exception):
    """There is an account of this user name already."""


class PeopleRepository(Protocol):
    """Keeps accounts, tokens and login attempts."""

    async def add_account(self, account: Account) -> None:
        """Store a new account.

        Raises:
            NameTaken: The user name is in use.
        """
        ...

    async def account(self, username: str) -> Account | None:
        """The account of a user name."""
        ...

    async def accounts(self) -> tuple[Account, ...]:
        """All accounts by user name."""
        ...

    async def save_account(self, account: Account) -> None:
        """Store a changed account."""
        ...

    async def add_token(self, token: Token) -> None:
        """Store a new token."""
        ...

    async def token(self, fingerprint: str) -> tuple[Token, Account] | None:
        """The token of a fingerprint with its account."""
        ...

    async def revoke_token(self, fingerprint: str, at: datetime) -> None:
        """Take a token back."""
        ...

    async def revoke_tokens_of(self, username: str, at: datetime) -> int:
        """Take back all good tokens of an account; answers how many."""
        ...

    async def drop_tokens(self, expired_before: datetime) -> None:
        """Forget tokens that ended before a moment."""
        ...

    async def attempts(self, username: str, at: datetime) -> Attempts:
        """Tries under a user name, none at first; others who ask wait until this transaction ends.

        Args:
            username: As tried.
            at: Moment to note for the first try.
        """
        ...

    async def save_attempts(self, attempts: Attempts) -> None:
        """Store the tries under a user name."""
        ...

    async def clear_attempts(self, username: str, older_than: datetime | None = None) -> None:
        """Forget the tries under a user name, and all whose last one is older than a moment."""
        ...


class PeopleUnitOfWork(Protocol):
    """One transaction; leaving it without `commit` undoes everything."""

    @property
    def people(self) -> PeopleRepository:
        """Accounts as this transaction sees them."""
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
