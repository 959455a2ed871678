"""Accounts and tokens as records."""

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
class Token:
    """A bearer token; only its fingerprint is ever stored.

    Attributes:
        fingerprint: SHA-256 of the token, in hexadecimal.
        username: Whose it is.
        label: What it is for, such as ``login`` or ``cli``.
        created_at: When it was issued.
        expires_at: When it ends by itself.
        revoked_at: When it was taken back; None while it is good.
    """

    fingerprint: str = field(repr=False)
    username: str
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class Attempts:
    """Logins tried under a user name since the last one that succeeded.

    Attributes:
        username: As tried, whether or not there is such an account.
        count: Tries, the one under way included.
        last_at: The latest try.
        locked_until: No try is looked at before this moment.
    """

    username: str
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
    """

    token: str = field(repr=False)
    expires_at: datetime
    account: Account
