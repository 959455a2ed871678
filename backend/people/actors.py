"""Who does something: staff in a role, the enterprise, or the service itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backend.people.roles import Role


class Party(StrEnum):
    """Who acts without being staff."""

    ENTERPRISE = "enterprise"
    SYSTEM = "system"


@dataclass(frozen=True)
class Actor:
    """Who does something.

    Attributes:
        name: User name of the account, or the party's own name.
        role: A staff role, or a party that is not staff.
        unit: Official name of the department or territory that a staff account acts for.
    """

    name: str
    role: Role | Party
    unit: str | None = None


ENTERPRISE = Actor(name="enterprise", role=Party.ENTERPRISE)
"""The enterprise itself, known by the phone it left."""

SYSTEM = Actor(name="system", role=Party.SYSTEM)
"""The service acting on a rule."""

COMMAND_LINE = Actor(name="qifu", role=Party.SYSTEM)
"""Whoever runs the `qifu` command: who can do that has the database anyway."""
