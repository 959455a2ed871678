"""The log of changes that are no appeal's own: accounts, calendar, liaisons, exports of data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from backend.people.actors import Actor


@dataclass(frozen=True)
class AuditEntry:
    """One line of the log; lines are only ever added, and chained by signatures.

    Attributes:
        at: When.
        actor: Who.
        action: What, such as ``account.create``.
        subject: On what: a user name, a date, an export; never a contact.
        before: The fields that changed, as they were.
        after: The same fields, as they are now.
        position: From 1; 0 before it is stored.
    """

    at: datetime
    actor: Actor
    action: str
    subject: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    position: int = field(default=0, compare=False)


class AuditLog(Protocol):
    """Keeps the log; reached as ``work.audit`` in a unit of work."""

    def mark(self, *secret: str) -> str:
        """A keyed fingerprint of something that may not be read, by which an audit knows it again."""
        ...

    async def add(self, entry: AuditEntry) -> None:
        """Add a line in the same transaction as the change that it tells of."""
        ...

    async def page(self, page: int, page_size: int) -> tuple[tuple[AuditEntry, ...], int]:
        """One page, newest first, and how many lines there are."""
        ...
