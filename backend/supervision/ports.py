"""What supervision needs from outside: storage, and a way for messages to leave the house."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Protocol, Self

from backend.appeals.notices import Audience, Desk, Message
from backend.appeals.penalties import PenaltyKind
from backend.appeals.ports import AppealRepository, Scope
from backend.people.audit import AuditLog
from backend.supervision.model import (
    Claimed,
    ClockQuery,
    Deed,
    Delivery,
    DueAppeal,
    KeptPenalty,
    MessageQuery,
    OutboxQuery,
    Outgoing,
    Page,
    PenaltyQuery,
    PhoneCall,
    ServiceClock,
)


class SupervisionRepository(Protocol):
    """Rows that are due, and the phone list."""

    async def claim(self, now: datetime, limit: int, but: Collection[int] = ()) -> tuple[DueAppeal, ...]:
        """Hold appeals with rows that are due, those due longest first; what others hold is passed over."""
        ...

    async def act(self, deeds: Sequence[Deed], now: datetime) -> None:
        """Write down what was done about appeals that this transaction holds."""
        ...

    async def backlog(self, now: datetime) -> tuple[int, datetime | None]:
        """How many rows are due and not acted on, and since when the oldest is."""
        ...

    async def phone_list(self, now: datetime, scope: Scope, page: int, size: int) -> Page[PhoneCall]:
        """One page of the enterprises to be called, those due longest first."""
        ...


class OutboxRepository(Protocol):
    """Messages on their way."""

    async def add(self, appeal_id: int | None, messages: Sequence[Message]) -> None:
        """Keep messages; one whose key is there already is not kept twice."""
        ...

    async def add_all(self, messages: Sequence[tuple[int | None, Message]]) -> None:
        """Keep messages about several appeals; one whose key is there already is not kept twice."""
        ...

    async def is_due(self, now: datetime) -> bool:
        """Whether a message waits to be delivered now."""
        ...

    async def settle(
        self, now: datetime, audiences: Collection[Audience], channels: Collection[str], state: Delivery
    ) -> int:
        """Take waiting messages that nothing delivers off the way; those of the channels stay."""
        ...

    async def claim(
        self, now: datetime, limit: int, lease: timedelta, *, phones: bool
    ) -> tuple[Claimed, ...]:
        """Waiting messages that are due; others leave them alone until the lease is over."""
        ...

    async def finish(
        self,
        claimed: Claimed,
        state: Delivery,
        *,
        at: datetime,
        next_try_at: datetime | None = None,
        error: str | None = None,
    ) -> bool:
        """Write down what became of a delivery; False if a later try has begun meanwhile."""
        ...

    async def of_desk(self, query: MessageQuery) -> Page[Outgoing]:
        """One page of a desk's messages: unread first, then newest first."""
        ...

    async def unread(self, desk: Desk) -> int:
        """How many messages nobody at a desk has read."""
        ...

    async def read(self, message_id: int, desk: Desk, by: str, at: datetime) -> bool:
        """Mark a desk's message as read; False where it is not the desk's."""
        ...

    async def find(self, query: OutboxQuery) -> Page[Outgoing]:
        """One page of all messages, newest first."""
        ...

    async def again(self, message_id: int, now: datetime) -> bool | None:
        """Put a message that stays undelivered on its way again; None where there is no such message."""
        ...

    async def dead(self) -> int:
        """How many could not be delivered after all tries."""
        ...


class PenaltyRepository(Protocol):
    """Events that count in the yearly assessment."""

    async def once(self, appeal_ids: Collection[int]) -> Mapping[int, frozenset[PenaltyKind]]:
        """Which of the kinds that count once appeals have already."""
        ...

    async def find(self, query: PenaltyQuery) -> Page[KeptPenalty]:
        """One page, newest first."""
        ...


class ServiceClockRepository(Protocol):
    """Time limits beside 135."""

    async def add(self, clock: ServiceClock, appeal_number: str | None) -> ServiceClock:
        """Keep a new time limit; answers it with its id."""
        ...

    async def get(self, clock_id: int, *, lock: bool = False) -> ServiceClock | None:
        """A time limit, kept from others' changes where ``lock`` is set."""
        ...

    async def end(self, clock: ServiceClock) -> None:
        """Write down the outcome."""
        ...

    async def not_yet_due(self, now: datetime) -> tuple[ServiceClock, ...]:
        """Hold running time limits that are due after a moment."""
        ...

    async def move(self, clock_id: int, due_at: datetime) -> None:
        """Give a time limit another due time."""
        ...

    async def is_due(self, now: datetime) -> bool:
        """Whether a running time limit is over and not reminded of."""
        ...

    async def claim_due(self, now: datetime, limit: int) -> tuple[ServiceClock, ...]:
        """Hold running time limits that are over and not reminded of."""
        ...

    async def reminded(self, ids: Sequence[int], at: datetime) -> None:
        """Mark time limits as reminded of."""
        ...

    async def find(self, query: ClockQuery, now: datetime) -> Page[ServiceClock]:
        """One page: those that run first, due soonest first."""
        ...


class SupervisionUnitOfWork(Protocol):
    """One transaction; leaving it without `commit` undoes everything."""

    @property
    def appeals(self) -> AppealRepository:
        """Appeals with their record."""
        ...

    @property
    def audit(self) -> AuditLog:
        """The log of changes that are no appeal's own."""
        ...

    @property
    def supervision(self) -> SupervisionRepository:
        """Rows that are due."""
        ...

    @property
    def outbox(self) -> OutboxRepository:
        """Messages on their way."""
        ...

    @property
    def penalties(self) -> PenaltyRepository:
        """What counts in the yearly assessment."""
        ...

    @property
    def service_clocks(self) -> ServiceClockRepository:
        """Time limits beside 135."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def commit(self) -> None:
        """Make everything durable."""
        ...


class SupervisionUnitOfWorkFactory(Protocol):
    """Opens transactions; ``read_only`` ones never wait for writers."""

    def __call__(self, *, read_only: bool = False) -> SupervisionUnitOfWork:
        """A transaction, not yet begun."""
        ...


class NotDelivered(Exception):
    """A try failed; the reason says why, without anything private, and is kept with the message."""


class Deliverer(Protocol):
    """Takes messages out of the house: a notice gateway, or the door that an appeal came in by."""

    async def deliver(self, claimed: Claimed) -> None:
        """Deliver one message; a second time under the same key must do no harm.

        Raises:
            NotDelivered: It was not taken; it is tried again later.
        """
        ...

    async def close(self) -> None:
        """Give back what is open."""
        ...
