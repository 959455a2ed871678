"""Accounts, tokens, tries and pairings as records."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from backend.people.actors import Actor
from backend.people.roles import Role


@dataclass(frozen=True)
class Account:
    """A member of staff.

    Attributes:
        username: Lower case, unique.
        role: What the account may do.
        unit: Official name of the department or territory; only such roles have one that matters.
        password_hash: Argon2 hash; None for an account that only uses tokens.
        created_at: When it was made.
        disabled_at: When it was shut; None while it works.
    """

    username: str
    role: Role
    unit: str | None
    password_hash: str | None = field(repr=False)
    created_at: datetime
    disabled_at: datetime | None = None

    @property
    def actor(self) -> Actor:
        """The account as the one who acts on appeals."""
        return Actor(name=self.username, role=self.role, unit=self.unit)


@dataclass(frozen=True)
class AccountQuery:
    """Filters of the list of accounts; None means any.

    Attributes:
        text: Letters that user name or unit contain.
        in_use: True for accounts that work, False for those that are shut.
        page: From 1.
        page_size: 1 to 100.
    """

    text: str | None = None
    role: Role | None = None
    in_use: bool | None = None
    page: int = 1
    page_size: int = 20


@dataclass(frozen=True)
class AccountPage:
    """One page of accounts by user name."""

    accounts: tuple[Account, ...]
    total: int


@dataclass(frozen=True)
class Token:
    """A bearer token; only its fingerprint is ever stored.

    Attributes:
        fingerprint: SHA-256 of the token, in hexadecimal.
        username: Whose it is.
        label: What it is for, such as ``login`` or ``cli``.
        created_at: When it was issued.
        expires_at: When it ends by itself.
        revoked_at: When it was taken back; None while it is good.
        last_used_at: The hour in which it was used last; None before its first use.
        id: Its number, by which it is taken back; 0 before it is stored.
    """

    fingerprint: str = field(repr=False)
    username: str
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    id: int = 0

    def is_good(self, now: datetime) -> bool:
        """Whether it still opens anything; its account may be shut all the same."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True)
class TokenPage:
    """One page of tokens, newest first."""

    tokens: tuple[Token, ...]
    total: int


@dataclass(frozen=True)
class Attempts:
    """Passwords tried under a key since the last one that fitted.

    Attributes:
        key: A user name as tried, whether or not there is such an account, or another key of
            `backend.people.tries`.
        count: Tries, the one under way included.
        last_at: The latest try.
        locked_until: No try is looked at before this moment.
    """

    key: str
    count: int
    last_at: datetime
    locked_until: datetime | None = None


@dataclass(frozen=True)
class IssuedToken:
    """A token at the only moment when it can be read.

    Attributes:
        token: To be sent as ``Authorization: Bearer``.
        expires_at: When it ends by itself.
        account: Whose it is.
        id: Its number.
        devices: After a login, what the browser keeps to be known again (`backend.people.devices`).
    """

    token: str = field(repr=False)
    expires_at: datetime
    account: Account
    id: int = 0
    devices: str = field(default="", repr=False)


@dataclass(frozen=True)
class Pairing:
    """An enterprise that a liaison looks after.

    Attributes:
        username: The liaison.
        key: The enterprise's name in the form in which names are compared.
        enterprise: The name as it was written.
        since: When they were paired.
    """

    username: str
    key: str
    enterprise: str
    since: datetime


@dataclass(frozen=True)
class PairingPage:
    """One page of a liaison's enterprises, by name."""

    pairings: tuple[Pairing, ...]
    total: int


@dataclass(frozen=True)
class LiaisonLoad:
    """A liaison and how many enterprises they look after."""

    username: str
    unit: str | None
    enterprises: int


@dataclass(frozen=True)
class LiaisonPage:
    """One page of liaisons by user name."""

    liaisons: tuple[LiaisonLoad, ...]
    total: int
