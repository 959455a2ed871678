"""What supervision keeps and lists: frozen records between the rules and the storage."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from backend.appeals.model import Appeal, HistoryEvent, Supervision
from backend.appeals.notices import Audience, Desk, Message, MessageKind
from backend.appeals.penalties import Penalty, PenaltyKind
from backend.appeals.service_times import ServiceKind

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list.

    Attributes:
        items: What is on it.
        total: How many there are on all pages.
        page: From 1.
        page_size: How many fit on a page.
    """

    items: tuple[T, ...]
    total: int
    page: int
    page_size: int


@dataclass(frozen=True)
class DueRow:
    """A supervision row that is due.

    Attributes:
        id: Given by the database.
        row: What it says.
    """

    id: int
    row: Supervision


@dataclass(frozen=True)
class DueAppeal:
    """An appeal that this transaction holds, with its rows that are due.

    Attributes:
        id: Given by the database.
        appeal: As it is now.
        rows: By time.
        penalised: Kinds that count once and that it has already.
    """

    id: int
    appeal: Appeal
    rows: tuple[DueRow, ...]
    penalised: frozenset[PenaltyKind] = frozenset()


@dataclass(frozen=True)
class Deed:
    """What is done about one appeal's due rows, all of it in one transaction.

    Attributes:
        due: The appeal and its rows.
        done: Ids of the rows that were acted on.
        stopped: Ids of rows that are no longer needed.
        lines: New lines of the record, in their order.
        messages: Whom it is told.
        penalties: What it costs.
    """

    due: DueAppeal
    done: tuple[int, ...] = ()
    stopped: tuple[int, ...] = ()
    lines: tuple[HistoryEvent, ...] = ()
    messages: tuple[Message, ...] = ()
    penalties: tuple[Penalty, ...] = ()


@dataclass(frozen=True)
class Backlog:
    """What a pass of the clock has left.

    Attributes:
        pending: Moments that are due and not acted on.
        oldest: When the oldest of them was due; None where there is none.
        dead: Messages that could not be delivered after all tries.
    """

    pending: int = 0
    oldest: datetime | None = None
    dead: int = 0


class Delivery(StrEnum):
    """Where a message is on its way.

    Attributes:
        WAITING: Will be tried.
        AT_DESK: Is read at the desk; nothing else delivers it.
        DELIVERED: A gateway or a door has taken it.
        DEAD: All tries failed; a person decides.
        NO_WAY: No gateway and no door reaches the enterprise; the phone list does.
    """

    WAITING = "waiting"
    AT_DESK = "at_desk"
    DELIVERED = "delivered"
    DEAD = "dead"
    NO_WAY = "no_way"

    @property
    def text(self) -> str:
        """The state as people read it."""
        return {
            "waiting": "待发送",
            "at_desk": "工作台可读",
            "delivered": "已送达",
            "dead": "多次发送失败",
            "no_way": "无法送达，列入电话回访",
        }[self.value]


@dataclass(frozen=True)
class Outgoing:
    """A message as it is kept.

    Attributes:
        id: Given by the database.
        message: What it says, and to whom.
        state: Where it is on its way.
        attempts: How often it was tried.
        next_try_at: When it is tried next, while waiting.
        delivered_at: When it was taken.
        read_at: When somebody at the desk read it.
        read_by: User name of who did.
        last_error: Why the last try failed, without anything private.
    """

    id: int
    message: Message
    state: Delivery
    attempts: int
    next_try_at: datetime
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    read_by: str | None = None
    last_error: str | None = None


@dataclass(frozen=True)
class Claimed:
    """A message that a worker delivers now.

    Attributes:
        id: Given by the database.
        message: What it says.
        attempts: Which try this is, from 1; the outcome counts only while no later try has begun.
        phone: The enterprise's number, where the gateway is to be given it.
    """

    id: int
    message: Message
    attempts: int
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class OutboxQuery:
    """Filters of the list of messages on their way; None means any."""

    state: Delivery | None = None
    audience: Audience | None = None
    kind: MessageKind | None = None
    page: int = 1
    page_size: int = 20


@dataclass(frozen=True)
class MessageQuery:
    """Filters of a desk's messages.

    Attributes:
        desk: Whose.
        unread: Only those that nobody there has read.
    """

    desk: Desk
    unread: bool = False
    page: int = 1
    page_size: int = 20


@dataclass(frozen=True)
class PhoneCall:
    """An enterprise to be called.

    Attributes:
        appeal: The appeal on which it stays silent.
        since: When the call fell due.
        tried: Outcomes of calls so far, oldest first.
        unreached: Messages that no gateway and no door could take to it.
    """

    appeal: Appeal
    since: datetime
    tried: tuple[Supervision, ...] = ()
    unreached: int = 0


@dataclass(frozen=True)
class PenaltyQuery:
    """Filters of the list of penalties; None means any.

    Attributes:
        since: Happened at or after.
        before: Happened before.
    """

    unit: str | None = None
    kind: PenaltyKind | None = None
    since: datetime | None = None
    before: datetime | None = None
    page: int = 1
    page_size: int = 20


@dataclass(frozen=True)
class KeptPenalty:
    """A penalty with the number of its appeal."""

    number: str
    penalty: Penalty


class ClockState(StrEnum):
    """Whether a time limit still runs."""

    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True)
class ServiceClock:
    """A time limit beside 135.

    Attributes:
        kind: What for.
        subject: The matter in one line.
        units: Who is concerned.
        number: The appeal that it belongs to, if any.
        started_at: Hand-over or application.
        due_at: When the units must have answered.
        state: Whether it runs.
        ended_at: When the outcome was given.
        ended_by: User name of who gave it.
        reminded_at: When the units were reminded.
        outcome: In words.
        created_by: User name of who started it.
        id: Given by the database; 0 before.
    """

    kind: ServiceKind
    subject: str
    units: tuple[str, ...]
    started_at: datetime
    due_at: datetime
    created_by: str
    number: str | None = None
    state: ClockState = ClockState.RUNNING
    ended_at: datetime | None = None
    ended_by: str | None = None
    reminded_at: datetime | None = None
    outcome: str = field(default="", repr=False)
    id: int = 0

    def is_overdue(self, now: datetime) -> bool:
        """Whether it is over without an outcome, or the outcome came late."""
        return (self.ended_at or now) > self.due_at


@dataclass(frozen=True)
class ClockQuery:
    """Filters of the list of time limits; None means any.

    Attributes:
        viewer: Only those that concern this unit, or that ``starter`` has started.
        starter: User name of who looks.
        unit: The same, as a filter.
        overdue: True for those past due that nobody ended, False for the others.
    """

    viewer: str | None = None
    starter: str | None = None
    kind: ServiceKind | None = None
    state: ClockState | None = None
    unit: str | None = None
    overdue: bool | None = None
    number: str | None = None
    page: int = 1
    page_size: int = 20
