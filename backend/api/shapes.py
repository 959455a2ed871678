"""What appeals look like in answers; the values are put together by `backend.appeals.views`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from backend.api.fields import Moment, Response
from backend.appeals import views
from backend.appeals.model import (
    Appeal,
    Event,
    FeedbackResult,
    Level,
    State,
    SupervisionKind,
    SupervisionState,
)
from backend.appeals.service import AppealRecord
from backend.knowledge.entries import BoardName
from backend.people.actors import Actor


class AppealCard(Response):
    """What the enterprise sees of an appeal.

    Attributes:
        lead_department: Who leads; before the assignment the proposal. The territory in a whistle appeal.
        territory: Platform or street, or that it is still to be confirmed.
        due_provisional: The due time touches a year whose holidays are not published yet.
        merged_into: Number of the appeal that goes on for this one.
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
    merged_into: str | None


class FeedbackGiven(Response):
    """The enterprise's word."""

    at: Moment
    result: FeedbackResult
    result_text: str
    stars: int | None
    comment: str


class ReplyGiven(Response):
    """A department's answer to the enterprise."""

    at: Moment
    department: str
    text: str


class PublicLine(Response):
    """A line of the record that the enterprise may read."""

    at: Moment
    event: Event
    text: str


class FollowedAppeal(AppealCard):
    """An appeal as the enterprise follows it."""

    replies: list[ReplyGiven]
    history: list[PublicLine]
    feedback: FeedbackGiven | None


class DeskRow(AppealCard):
    """What a desk sees of an appeal in a list.

    Attributes:
        supervisor: Who supervises it.
        first_department: Keeps first-asked responsibility.
        contact: Masked unless the desk handles the appeal; the phone likewise.
        version: To be sent with a change, which is refused if somebody else was faster.
    """

    group: str
    enterprise: str
    contact: str
    phone: str
    channel: str
    direct_line: bool
    supervisor: str
    overdue: bool
    escalation_level: int
    major: bool
    first_department: str | None
    dissatisfied: int
    version: int


class ActorShape(Response):
    """Who did it."""

    name: str
    role: str
    unit: str | None


class DeskLine(Response):
    """A line of the record with who did it and what changed."""

    at: Moment
    actor: ActorShape
    event: Event
    summary: str
    text: str
    public: bool
    before: dict[str, Any]
    after: dict[str, Any]


class SupervisionRow(Response):
    """A reminder or an order."""

    at: Moment
    by: str
    kind: SupervisionKind
    state: SupervisionState
    text: str
    acted_at: Moment | None


class DeskAppeal(DeskRow):
    """An appeal opened at a desk."""

    initial_level: Level
    led_by: list[str]
    reasons: list[str]
    assigned_at: Moment | None
    first_reply_at: Moment | None
    first_resolved_at: Moment | None
    resolved_at: Moment | None
    closed_at: Moment | None
    erased_at: Moment | None
    feedback: FeedbackGiven | None
    supervision: list[SupervisionRow]
    history: list[DeskLine]


class FiledAppeals(Response):
    """What came of a filing: one appeal for each separate problem."""

    group: str
    appeals: list[AppealCard]


class FollowAnswer(Response):
    """An appeal as the enterprise follows it."""

    appeal: FollowedAppeal


class OpenAnswer(Response):
    """An appeal at a desk, as it is after what was done."""

    appeal: DeskAppeal


def followed(record: AppealRecord) -> FollowAnswer:
    """Shows an appeal with its public record to its enterprise."""
    return FollowAnswer.model_validate(views.enterprise(record))


def row(appeal: Appeal, now: datetime, actor: Actor) -> DeskRow:
    """Shows an appeal in a desk's list."""
    return DeskRow.model_validate(views.desk_row(appeal, now, actor))


def opened(record: AppealRecord, now: datetime, actor: Actor) -> OpenAnswer:
    """Shows an appeal with its whole record at a desk."""
    return OpenAnswer.model_validate({"appeal": views.desk(record, now, actor)})


def lines(record: AppealRecord) -> list[DeskLine]:
    """Shows a whole record at a desk."""
    return [DeskLine.model_validate(views.desk_line(line)) for line in record.history]
