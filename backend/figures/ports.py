"""What the figures need from outside; `backend.storage` implements it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, Self

from backend.appeals.calendar import WorkCalendar
from backend.appeals.ports import Scope
from backend.figures.model import Grouping, Row, Selection
from backend.people.audit import AuditLog


@dataclass(frozen=True)
class Exported:
    """An appeal as an export shows it, its contact still in the clear.

    Attributes:
        id: Grows with each appeal; where a batch ends, the next begins.
        values: Columns by name.
    """

    id: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class LiaisonFacts:
    """What the appeals tell of a liaison's month.

    Attributes:
        uploads: Valid problems that the liaison filed (助企员录入), of those submitted in the month.
        appeals: Appeals of the liaison's enterprises that were submitted in the month.
        overdue: Of these, unresolved when due.
        solved: Of these, called solved by the enterprise.
        answered: Of these, with the enterprise's word.
        stars: Sum of the stars given.
        rated: How many gave stars.
    """

    uploads: int = 0
    appeals: int = 0
    overdue: int = 0
    solved: int = 0
    answered: int = 0
    stars: int = 0
    rated: int = 0


@dataclass(frozen=True)
class Entered:
    """What the task force entered for a liaison's month.

    Attributes:
        entries: By field.
        at: When it was entered last.
        by: User name of who did.
    """

    entries: Mapping[str, Any]
    at: datetime
    by: str


class FigureRepository(Protocol):
    """Counts appeals."""

    async def rows(
        self, by: Grouping, selection: Selection, now: datetime, calendar: WorkCalendar
    ) -> tuple[tuple[Row, ...], Row]:
        """The figures by group, and of all groups together."""
        ...

    async def export_size(self, selection: Selection, scope: Scope) -> tuple[int, int]:
        """How many appeals an export would have, and the id of the last one."""
        ...

    async def export_batch(
        self, selection: Selection, scope: Scope, after: int, last: int, limit: int
    ) -> Sequence[Exported]:
        """The next appeals by id."""
        ...

    async def liaison_facts(
        self, username: str, since: datetime, before: datetime, now: datetime
    ) -> LiaisonFacts | None:
        """What the appeals tell of a liaison's month; None where there is no such liaison."""
        ...

    async def liaison_month(self, username: str, month: str) -> Entered | None:
        """What was entered for a month; None where nothing was."""
        ...

    async def save_liaison_month(
        self, username: str, month: str, entries: Mapping[str, Any], at: datetime, by: str
    ) -> None:
        """Keep what was entered for a month."""
        ...


class FigureUnitOfWork(Protocol):
    """One transaction; leaving it without `commit` undoes everything."""

    @property
    def figures(self) -> FigureRepository:
        """The figures as this transaction sees them."""
        ...

    @property
    def audit(self) -> AuditLog:
        """The log of what was exported and entered."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def commit(self) -> None:
        """Make everything durable."""
        ...


class FigureUnitOfWorkFactory(Protocol):
    """Opens transactions; ``read_only`` ones never wait for writers."""

    def __call__(self, *, read_only: bool = False) -> FigureUnitOfWork:
        """A transaction, not yet begun."""
        ...
