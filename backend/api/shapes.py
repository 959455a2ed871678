"""How appeals look in answers: to the enterprise, and at a desk."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from backend.api.fields import Moment, Response
from backend.appeals.model import Appeal, Event, Feedback, FeedbackResult, HistoryEvent, Level, State
from backend.appeals.service import AppealRecord
from backend.knowledge.entries import BoardName


class PublicAppeal(Response):
    """What the enterprise sees of an appeal.

    Attributes:
        lead_department: Who leads; before the assignment the proposal. The territory in a whistle appeal.
        territory: Platform or street, or that it is still to be confirmed.
        due_provisional: The due time touches a year whose holidays are not published yet.
    """

    number: str
    text: str
    category: BoardName
    level: Level
    level_text: str
    lead_department: str
    co_departments: list[str]
    territory: str
    state: State
    state_text: str
    submitted_at: Moment
    due_at: Moment
    due_provisional: bool


class FeedbackShape(Response):
    """The enterprise's word."""

    at: Moment
    result: FeedbackResult
    result_text: str
    stars: int | None
    comment: str


class ReplyShape(Response):
    """A department's answer to the enterprise."""

    at: Moment
    department: str
    text: str


class PublicEvent(Response):
    """A line of the record that the enterprise may read."""

    at: Moment
    event: Event
    text: str


class FollowedAppeal(PublicAppeal):
    """An appeal as the enterprise follows it."""

    replies: list[ReplyShape]
    history: list[PublicEvent]
    feedback: FeedbackShape | None


class DeskAppeal(PublicAppeal):
    """What a desk sees of an appeal in a list.

    Attributes:
        first_department: Keeps first-asked responsibility.
        version: To be sent with a change, which is refused if somebody else was faster.
    """

    group: str
    enterprise: str
    contact: str
    phone: str
    channel: str
    direct_line: bool
    initial_level: Level
    first_department: str | None
    reasons: list[str]
    assigned_at: Moment | None
    first_reply_at: Moment | None
    resolved_at: Moment | None
    closed_at: Moment | None
    overdue: bool
    escalation_level: int
    dissatisfied: int
    version: int


class DeskEvent(PublicEvent):
    """A line of the record with who and what changed."""

    actor: str
    role: str
    unit: str | None
    words: str
    public: bool
    before: dict[str, Any]
    after: dict[str, Any]


class SupervisionShape(Response):
    """A reminder or an order."""

    at: Moment
    by: str
    kind: str
    state: str
    text: str


class OpenAppeal(DeskAppeal):
    """An appeal opened at a desk."""

    feedback: FeedbackShape | None
    history: list[DeskEvent]
    supervision: list[SupervisionShape]


def public(appeal: Appeal) -> PublicAppeal:
    """Shows an appeal to its enterprise."""
    return PublicAppeal(**_public(appeal))


def followed(record: AppealRecord) -> FollowedAppeal:
    """Shows an appeal with its public record to its enterprise."""
    return FollowedAppeal(
        **_public(record.appeal),
        replies=[
            ReplyShape(at=line.at, department=line.actor.unit or record.appeal.lead, text=line.text)
            for line in record.history
            if line.public and line.text and line.event in (Event.REPLY, Event.RESOLVE)
        ],
        history=[
            PublicEvent(at=line.at, event=line.event, text=line.summary) for line in record.history if line.public
        ],
        feedback=_feedback(record.appeal.feedback),
    )


def listed(appeal: Appeal, now: datetime) -> DeskAppeal:
    """Shows an appeal in a desk's list."""
    return DeskAppeal(**_desk(appeal, now))


def opened(record: AppealRecord, now: datetime) -> OpenAppeal:
    """Shows an appeal with its whole record at a desk."""
    return OpenAppeal(
        **_desk(record.appeal, now),
        feedback=_feedback(record.appeal.feedback),
        history=events(record.history),
        supervision=[
            SupervisionShape(at=row.at, by=row.by, kind=row.kind.value, state=row.state.value, text=row.text)
            for row in record.supervision
        ],
    )


def events(history: Iterable[HistoryEvent]) -> list[DeskEvent]:
    """Shows a whole record at a desk."""
    return [
        DeskEvent(
            at=line.at,
            event=line.event,
            text=line.summary,
            actor=line.actor.name,
            role=line.actor.role.value,
            unit=line.actor.unit,
            words=line.text,
            public=line.public,
            before=dict(line.before),
            after=dict(line.after),
        )
        for line in history
    ]


def _public(appeal: Appeal) -> dict[str, Any]:
    return {
        "number": appeal.number,
        "text": appeal.text,
        "category": appeal.category,
        "level": appeal.level,
        "level_text": appeal.level.text,
        "lead_department": appeal.lead,
        "co_departments": list(appeal.co_departments),
        "territory": appeal.territory_text,
        "state": appeal.state,
        "state_text": appeal.state.text,
        "submitted_at": appeal.submitted_at,
        "due_at": appeal.due_at,
        "due_provisional": appeal.due_provisional,
    }


def _desk(appeal: Appeal, now: datetime) -> dict[str, Any]:
    return {
        **_public(appeal),
        "group": appeal.group,
        "enterprise": appeal.enterprise,
        "contact": appeal.contact,
        "phone": appeal.phone,
        "channel": appeal.channel,
        "direct_line": appeal.direct_line,
        "initial_level": appeal.initial_level,
        "first_department": appeal.first_department,
        "reasons": list(appeal.reasons),
        "assigned_at": appeal.assigned_at,
        "first_reply_at": appeal.first_reply_at,
        "resolved_at": appeal.resolved_at,
        "closed_at": appeal.closed_at,
        "overdue": appeal.is_overdue(now),
        "escalation_level": appeal.escalation_level,
        "dissatisfied": appeal.dissatisfied,
        "version": appeal.version,
    }


def _feedback(given: Feedback | None) -> FeedbackShape | None:
    if given is None:
        return None
    return FeedbackShape(
        at=given.at,
        result=given.result,
        result_text=given.result.text,
        stars=given.stars,
        comment=given.comment,
    )
