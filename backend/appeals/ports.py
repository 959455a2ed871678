"""What the appeals engine needs from outside: storage, triage, the directory of units and a clock.

`backend.storage` implements the repository; tests use fakes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import TracebackType
from typing import Protocol, Self

from backend.appeals.model import Appeal, HistoryEvent, Level, State, Supervision
from backend.appeals.notices import Message
from backend.appeals.penalties import Penalty

Clock = Callable[[], datetime]
"""Answers the present moment as an aware datetime."""


class DuplicateKey(Exception):
    """Another transaction has filed under the same idempotency key; read again."""


class StaleVersion(Exception):
    """The appeal was changed by somebody else since it was read."""


class Proposal(Protocol):
    """One separate problem found in a text, as triage proposes it (names, not ids)."""

    @property
    def text(self) -> str:
        """The part of the text that tells of this problem."""
        ...

    @property
    def category(self) -> str:
        """One of the ten boards."""
        ...

    @property
    def level(self) -> str:
        """``simple``, ``single`` or ``whistle``."""
        ...

    @property
    def lead_department(self) -> str | None:
        """The most likely department."""
        ...

    @property
    def co_departments(self) -> Sequence[str]:
        """The other departments involved."""
        ...

    @property
    def reasons(self) -> Sequence[str]:
        """Why, in words."""
        ...


class Triage(Protocol):
    """Splits a text into problems and proposes level and departments for each."""

    def propose(self, text: str, territory: str | None = None) -> Sequence[Proposal]:
        """Propose for each separate problem, in the order of the text."""
        ...


class Directory(Protocol):
    """The official names of departments and territories."""

    def department(self, text: str) -> str | None:
        """The official name for a name or alias; None if there is no such department."""
        ...

    def territory(self, text: str) -> str | None:
        """The official name for a name or alias; None if there is no such territory.

        Raises:
            InvalidInput: Several territories may be meant, or another district.
        """
        ...


@dataclass(frozen=True)
class StoredGroup:
    """A filing as it was stored.

    Attributes:
        group: Its id.
        content_hash: Fingerprint of what was sent; tells a repeat from a different filing under the same key.
        idempotency_key: None where the sender gave none.
        created_at: When it was stored.
    """

    group: str
    content_hash: str
    idempotency_key: str | None
    created_at: datetime


@dataclass(frozen=True)
class Scope:
    """Which appeals a desk may see; None means no limit on that side.

    Attributes:
        department: Only those that this department leads or co-handles, once assigned.
        territory: Only those of this territory, and those whose territory nobody has confirmed.
        liaison: Only those of the enterprises that the account of this name is paired with.
    """

    department: str | None = None
    territory: str | None = None
    liaison: str | None = None


@dataclass(frozen=True)
class AppealQuery:
    """Filters of the desk list; None means any.

    Attributes:
        category: One of the ten boards.
        open: True for those on which somebody in the administration has to act, False for the others.
        overdue: True for past due and unresolved, False for the others.
        direct_line: Those that came by the direct line, or those that did not.
        phone: A contact's number in its normal form.
        text: Words that number, enterprise or problem contain.
        page: From 1.
        page_size: 1 to 100.
    """

    state: State | None = None
    level: Level | None = None
    department: str | None = None
    territory: str | None = None
    category: str | None = None
    open: bool | None = None
    overdue: bool | None = None
    direct_line: bool | None = None
    phone: str | None = None
    text: str | None = None
    page: int = 1
    page_size: int = 20


@dataclass(frozen=True)
class Correction:
    """What the territory decided otherwise than proposed; triage learns from it.

    Attributes:
        number: The appeal's number.
        text: The problem, masked.
        category: One of the ten boards.
        level: ``simple``, ``single`` or ``whistle``.
        lead_department: Who leads, or the first of those that co-handle; None where nobody is named.
        at: When it was decided.
    """

    number: str
    text: str
    category: str
    level: str
    lead_department: str | None
    at: datetime


@dataclass(frozen=True)
class AppealPage:
    """One page of a desk list, newest first.

    Attributes:
        appeals: Those on the page.
        total: How many fit; exact unless ``total_is_least``.
        total_is_least: More than ``total`` fit, and nobody counted them to the end.
    """

    appeals: tuple[Appeal, ...]
    total: int
    page: int
    page_size: int
    total_is_least: bool = False


class AppealRepository(Protocol):
    """Keeps appeals, their history and their supervision."""

    async def add_group(self, group: StoredGroup) -> None:
        """Store a filing.

        Raises:
            DuplicateKey: The idempotency key is taken.
        """
        ...

    async def group_by_key(self, idempotency_key: str) -> StoredGroup | None:
        """The filing stored under a key."""
        ...

    async def next_numbers(self, day: date, count: int) -> range:
        """Reserve ``count`` consecutive numbers of a day, from 1, unique and without gaps if committed."""
        ...

    async def add(self, appeal: Appeal, supervision: Sequence[Supervision], line: HistoryEvent) -> Appeal:
        """Store a new appeal with its supervision moments and the first line of its record."""
        ...

    async def get(self, number: str, *, scope: Scope | None = None, lock: bool = False) -> Appeal | None:
        """The appeal of a number.

        Args:
            number: Its number.
            scope: Only if a desk with this scope may see it; None sees all.
            lock: Keep it from being changed by others until this transaction ends.
        """
        ...

    async def of_group(self, group: str) -> tuple[Appeal, ...]:
        """The appeals of a filing, in their order."""
        ...

    async def save(self, appeal: Appeal, line: HistoryEvent, *, same_version: bool = False) -> Appeal:
        """Store a changed appeal over the version it was read at, with the line of its record.

        Args:
            appeal: As it shall be.
            line: What happened.
            same_version: Only the record has grown: nobody who looks at the appeal has to look again.

        Returns:
            The appeal as it is stored.

        Raises:
            StaleVersion: It was changed in between.
        """
        ...

    async def follow_up(self, number: str, messages: Sequence[Message], penalties: Sequence[Penalty]) -> None:
        """Keep what a change of an appeal gives rise to; what is there already is not kept twice."""
        ...

    async def history(self, number: str) -> tuple[HistoryEvent, ...]:
        """The record, oldest first."""
        ...

    async def supervision(self, number: str) -> tuple[Supervision, ...]:
        """Moments and orders, by time."""
        ...

    async def replace_supervision(self, number: str, supervision: Sequence[Supervision]) -> None:
        """Make the stored rows equal to these; rows that stay the same keep their identity."""
        ...

    async def add_correction(self, correction: Correction) -> None:
        """Keep what the territory decided otherwise than proposed; the last decision counts."""
        ...

    async def corrections(self, limit: int) -> tuple[Correction, ...]:
        """The newest corrections, newest first."""
        ...

    async def not_yet_due(self, now: datetime) -> tuple[Appeal, ...]:
        """The unresolved appeals that are due after a moment."""
        ...

    async def moments_not_yet_due(self, now: datetime) -> Mapping[str, Sequence[Supervision]]:
        """The moments of the same appeals, by number."""
        ...

    async def find(self, query: AppealQuery, scope: Scope, now: datetime) -> AppealPage:
        """One page of the appeals that fit both, newest first."""
        ...


class AppealUnitOfWork(Protocol):
    """One transaction; leaving it without `commit` undoes everything."""

    @property
    def appeals(self) -> AppealRepository:
        """The appeals as this transaction sees them."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def commit(self) -> None:
        """Make everything durable."""
        ...


class AppealUnitOfWorkFactory(Protocol):
    """Opens transactions; ``read_only`` ones never wait for writers."""

    def __call__(self, *, read_only: bool = False) -> AppealUnitOfWork:
        """A transaction, not yet begun."""
        ...
