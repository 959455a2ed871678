"""What an appeal is: frozen records that the rules compute on and the storage keeps.

All times are aware. Names follow the glossary of the house. Personal data is left out of ``repr``, because
that is what ends in logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from backend.people.actors import Actor

TERRITORY_WORDING = "平台、街道"
"""What the rules call the territory where no single one is meant."""

TERRITORY_UNKNOWN = "待属地确认"
"""Shown in place of the territory until somebody has confirmed it."""


class Level(StrEnum):
    """The three levels of 135, in rising order."""

    SIMPLE = "simple"
    SINGLE = "single"
    WHISTLE = "whistle"

    @property
    def text(self) -> str:
        """The level as the documents call it."""
        return {"simple": "简单问题", "single": "单一部门问题", "whistle": "吹哨问题"}[self.value]

    @property
    def working_days(self) -> int:
        """Working days promised for this level (the 1, 3 and 5 of "135")."""
        return {"simple": 1, "single": 3, "whistle": 5}[self.value]


class State(StrEnum):
    """Where an appeal stands."""

    FILED = "filed"
    ASSIGNED = "assigned"
    IN_WORK = "in_work"
    REPLIED = "replied"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REOPENED = "reopened"
    WITHDRAWN = "withdrawn"

    @property
    def text(self) -> str:
        """The state as people read it."""
        return _STATE_TEXTS[self.value]


_STATE_TEXTS = {
    "filed": "已提交",
    "assigned": "已交办",
    "in_work": "办理中",
    "replied": "已答复",
    "resolved": "已办结待确认",
    "closed": "已闭环",
    "reopened": "重新办理",
    "withdrawn": "已撤回",
}


class Event(StrEnum):
    """What can happen to an appeal."""

    FILE = "file"
    ASSIGN = "assign"
    TRANSFER = "transfer"
    REASSIGN = "reassign"
    START = "start"
    REPLY = "reply"
    RESOLVE = "resolve"
    CONFIRM = "confirm"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    NOTE = "note"
    SUPERVISE = "supervise"
    ESCALATE = "escalate"
    RECOMPUTE = "recompute"


class FeedbackResult(StrEnum):
    """The enterprise's word on a resolved appeal."""

    RESOLVED = "resolved"
    UNRESOLVED = "unresolved"

    @property
    def text(self) -> str:
        """The word as the documents print it."""
        return {"resolved": "已解决", "unresolved": "未解决"}[self.value]


@dataclass(frozen=True)
class Filing:
    """What an enterprise, or somebody for it, sends in; not yet checked.

    Attributes:
        enterprise: Name of the enterprise.
        contact: Person to call back.
        phone: Mobile number or landline.
        text: The problem or problems in the person's own words.
        territory: Platform or street; None where the person does not know.
        channel: The way it came in, such as ``portal``, ``chat``, ``hotline``, ``wechat``; ``direct`` (or a
            name with 直通车) marks the direct line.
        idempotency_key: Chosen by the sender; the same key never files twice.
    """

    enterprise: str = field(repr=False)
    contact: str = field(repr=False)
    phone: str = field(repr=False)
    text: str = field(repr=False)
    territory: str | None = None
    channel: str = "portal"
    idempotency_key: str | None = None


@dataclass(frozen=True)
class Feedback:
    """The enterprise's word after the lead's resolve.

    Attributes:
        at: When it was given.
        result: Resolved or not.
        stars: 1 to 5; may be missing where the result is unresolved.
        comment: In the enterprise's own words; may be empty.
    """

    at: datetime
    result: FeedbackResult
    stars: int | None
    comment: str = field(repr=False)


@dataclass(frozen=True)
class Appeal:
    """One problem of one enterprise.

    Attributes:
        number: Public reference, such as QT20261121-0042.
        group: Shared by the appeals that one filing was split into.
        category: One of the ten boards.
        level: Present level.
        initial_level: Level proposed at filing.
        direct_line: Came by 书记区长直通车; the inspection office supervises from the start.
        territory: Platform or street; None until confirmed.
        lead_department: Leads the handling. None in a whistle appeal that the territory leads.
            Before the assignment this is the proposal.
        co_departments: Help with the handling.
        led_by: Distinct departments that have led so far, in order; the first one keeps first-asked
            responsibility.
        reasons: Why this level and department were proposed.
        submitted_at: The clock's start; never changes.
        due_at: Close of business of the promised working day.
        due_provisional: Due time or supervision touch a year whose holidays are not published yet.
        first_reply_at: When the enterprise first got an answer.
        escalation_level: 1 to 4 of the coordination levels.
        dissatisfied: How often the enterprise has said 未解决; counts for territory and lead alike.
        version: Grows with each change; a change made on an older version is refused.
    """

    number: str
    group: str
    enterprise: str = field(repr=False)
    contact: str = field(repr=False)
    phone: str = field(repr=False)
    text: str = field(repr=False)
    channel: str
    category: str
    level: Level
    initial_level: Level
    state: State
    direct_line: bool
    territory: str | None
    lead_department: str | None
    co_departments: tuple[str, ...]
    submitted_at: datetime
    due_at: datetime
    due_provisional: bool = False
    led_by: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    assigned_at: datetime | None = None
    first_reply_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    escalation_level: int = 1
    feedback: Feedback | None = None
    dissatisfied: int = 0
    version: int = 1

    @property
    def lead(self) -> str:
        """Who leads: the lead department, else the territory, else the rules' wording for it."""
        return self.lead_department or self.territory or TERRITORY_WORDING

    @property
    def territory_text(self) -> str:
        """The territory as shown."""
        return self.territory or TERRITORY_UNKNOWN

    @property
    def first_department(self) -> str | None:
        """The department with first-asked responsibility; None before the first assignment."""
        return self.led_by[0] if self.led_by else None

    @property
    def is_open(self) -> bool:
        """Whether somebody in the administration still has to act (resolve stops the reminders)."""
        return self.state not in (State.RESOLVED, State.CLOSED, State.WITHDRAWN)

    def is_overdue(self, now: datetime) -> bool:
        """Whether the promise is broken: past due and not resolved."""
        return self.is_open and now > self.due_at


@dataclass(frozen=True)
class HistoryEvent:
    """One line of an appeal's record; lines are only ever added.

    Attributes:
        at: When.
        actor: Who.
        event: What, by its name in the life cycle.
        summary: What happened, as a sentence that the enterprise may read when ``public``.
        text: What the actor wrote: the reply, the note, the order, the comment.
        public: Whether the enterprise sees the line.
        before: The fields that changed, as they were.
        after: The same fields, as they are now.
    """

    at: datetime
    actor: Actor
    event: Event
    summary: str
    text: str = field(default="", repr=False)
    public: bool = True
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


class SupervisionState(StrEnum):
    """Whether a moment still has to be acted on."""

    PENDING = "pending"
    STOPPED = "stopped"
    DONE = "done"


class SupervisionKind(StrEnum):
    """A moment of the clock, or an order that a person gave."""

    MOMENT = "moment"
    ORDER = "order"


@dataclass(frozen=True)
class Supervision:
    """One reminder or order of an appeal.

    Attributes:
        at: When it is due, or was given.
        by: Who supervises: 专班, 专班督查考评组 or 两办督查室.
        kind: Moment or order.
        state: A moment is pending until the worker has acted on it, or stopped because it is no longer
            needed.
        text: Words of an order.
    """

    at: datetime
    by: str
    kind: SupervisionKind = SupervisionKind.MOMENT
    state: SupervisionState = SupervisionState.PENDING
    text: str = field(default="", repr=False)
