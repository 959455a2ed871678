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
    TRANSFERRED = "transferred"
    IN_WORK = "in_work"
    REPLIED = "replied"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REOPENED = "reopened"
    ESCALATED = "escalated"
    RETURNED = "returned"
    NOT_ACCEPTED = "not_accepted"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"

    @property
    def text(self) -> str:
        """The state as people read it."""
        return _STATE_TEXTS[self.value]


_STATE_TEXTS = {
    "filed": "已提交",
    "assigned": "已交办",
    "transferred": "已转办",
    "in_work": "办理中",
    "replied": "已答复",
    "resolved": "已办结待确认",
    "closed": "已闭环",
    "reopened": "重新办理",
    "escalated": "提级协调中",
    "returned": "专班退回",
    "not_accepted": "不予受理，待确认",
    "withdrawn": "已撤回",
    "merged": "已并案",
}

SETTLED = frozenset({State.RESOLVED, State.CLOSED, State.NOT_ACCEPTED, State.WITHDRAWN, State.MERGED})
"""States in which nobody in the administration has to act; the reminders rest."""

AWAITING = frozenset({State.RESOLVED, State.NOT_ACCEPTED})
"""States in which the enterprise has the word; its silence changes nothing, but it is asked again."""


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
    RETURN = "return"
    DECLINE = "decline"
    MERGE = "merge"
    UNMERGE = "unmerge"
    REMIND = "remind"
    RECOMPUTE = "recompute"
    ERASE = "erase"


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
        first_resolved_at: When the lead first said that it is done; a reopening does not move it.
        escalation_level: 1 to 4 of the coordination levels.
        major: A major matter, which may go straight to the district's leaders.
        dissatisfied: How often the enterprise has said 未解决; counts for territory and lead alike.
        merged_into: Number of the appeal that goes on for this one; None unless it was merged.
        erased_at: When the personal data were erased after the period of keeping.
        version: Grows with each change; a change made on an older version is refused.
        record_length: Lines of its record.
        record_head: What the next one is signed together with.
        last_at: When the last line of its record was written, where it was read to be changed.
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
    first_resolved_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    escalation_level: int = 1
    major: bool = False
    feedback: Feedback | None = None
    dissatisfied: int = 0
    merged_into: str | None = None
    erased_at: datetime | None = None
    version: int = 1
    record_length: int = field(default=0, compare=False, repr=False)
    record_head: str = field(default="", compare=False, repr=False)
    last_at: datetime | None = field(default=None, compare=False, repr=False)

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
        return self.state not in SETTLED

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
        position: From 1; 0 before it is stored.
    """

    at: datetime
    actor: Actor
    event: Event
    summary: str
    text: str = field(default="", repr=False)
    public: bool = True
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    position: int = field(default=0, compare=False)


class SupervisionState(StrEnum):
    """Whether a moment still has to be acted on."""

    PENDING = "pending"
    STOPPED = "stopped"
    DONE = "done"


class SupervisionKind(StrEnum):
    """A moment of the clock, an order that a person gave, or a question to a silent enterprise.

    Attributes:
        MOMENT: A supervision moment of 135.
        ORDER: An order (督办) given by a person.
        ASK: The enterprise is asked again whether it is solved.
        CALL: The enterprise stayed silent and goes on the list for a phone call.
    """

    MOMENT = "moment"
    ORDER = "order"
    ASK = "ask"
    CALL = "call"


@dataclass(frozen=True)
class Supervision:
    """One reminder or order of an appeal.

    Attributes:
        at: When it is due, or was given.
        by: Who supervises: 专班, 专班督查考评组 or 两办督查室; who asks or calls a silent enterprise.
        kind: What it is.
        state: Pending until the worker has acted on it (a call: until somebody has phoned), or stopped
            because it is no longer needed.
        text: Words of an order; the outcome of a call.
        acted_at: When it was acted on.
    """

    at: datetime
    by: str
    kind: SupervisionKind = SupervisionKind.MOMENT
    state: SupervisionState = SupervisionState.PENDING
    text: str = field(default="", repr=False)
    acted_at: datetime | None = field(default=None, compare=False)
