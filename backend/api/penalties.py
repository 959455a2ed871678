"""What counts in the yearly assessment."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated

from pydantic import Field

from backend.api.endpoints import Call, Table
from backend.api.fields import LOCAL_TIME, Moment, Number, Page, PageSize, Request, Response, Word
from backend.appeals.penalties import PenaltyKind
from backend.permissions import Action
from backend.supervision.model import KeptPenalty, PenaltyQuery

TABLE = Table("penalties")

_FIRST = date(1990, 1, 1)
_LAST = date(2100, 12, 30)


class PenaltyRequest(Request):
    """What is held against whom, and why."""

    number: Annotated[Number, Field(title="诉求编号")]
    kind: Annotated[
        PenaltyKind,
        Field(title="考评事项", description="`first_asked` or `criticism`; others follow from rules."),
    ]
    unit: Annotated[
        Word | None,
        Field(
            title="单位", description="Name or alias; for `first_asked` the first department unless given."
        ),
    ] = None
    reason: Annotated[str, Field(title="理由", description="Why; kept in the record.")]


class PenaltyShape(Response):
    """One event.

    Attributes:
        at: When it happened; of lateness, when the appeal was due.
        by: User name of who recorded it; ``system`` where it followed from a rule.
    """

    number: str
    kind: PenaltyKind
    kind_text: str
    unit: str
    at: Moment
    note: str
    by: str


class PenaltyAnswer(Response):
    """What was recorded."""

    penalty: PenaltyShape


class PenaltiesQuery(Request):
    """Which events; everything left out means any. Days are the office's, both included."""

    unit: Annotated[Word | None, Field(title="单位", description="Name or alias.")] = None
    kind: Annotated[PenaltyKind | None, Field(title="考评事项")] = None
    since: Annotated[
        date | None, Field(title="起始日期", alias="from", ge=_FIRST, le=_LAST, description="First day.")
    ] = None
    until: Annotated[
        date | None, Field(title="截止日期", alias="to", ge=_FIRST, le=_LAST, description="Last day.")
    ] = None
    page: Page = 1
    page_size: PageSize = 20


class PenaltyList(Response):
    """One page, newest first."""

    penalties: list[PenaltyShape]
    total: int
    page: int
    page_size: int


@TABLE.post(
    "/api/v1/desk/appeals/{number}/penalty",
    "Records what only people can judge: first-asked duty, criticism.",
    access="staff",
    action=Action.PENALTIES_RECORD,
    status=201,
)
async def post_penalty(call: Call, data: PenaltyRequest) -> PenaltyAnswer:
    """Records by hand."""
    kept = await call.container.supervision.penalties.record(
        call.staff.actor, data.number, data.kind, data.reason, data.unit
    )
    return PenaltyAnswer(penalty=_shape(kept))


@TABLE.get(
    "/api/v1/desk/penalties",
    "Lists what counts in the yearly assessment.",
    access="staff",
    action=Action.PENALTIES_VIEW,
)
async def get_penalties(call: Call, data: PenaltiesQuery) -> PenaltyList:
    """Lists; departments and territories see their own."""
    query = PenaltyQuery(
        unit=data.unit,
        kind=data.kind,
        since=_midnight(data.since) if data.since else None,
        before=_midnight(data.until + timedelta(days=1)) if data.until else None,
        page=data.page,
        page_size=data.page_size,
    )
    found = await call.container.supervision.penalties.list(call.staff.actor, query)
    return PenaltyList(
        penalties=[_shape(one) for one in found.items],
        total=found.total,
        page=found.page,
        page_size=found.page_size,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=LOCAL_TIME)


def _shape(kept: KeptPenalty) -> PenaltyShape:
    penalty = kept.penalty
    return PenaltyShape(
        number=kept.number,
        kind=penalty.kind,
        kind_text=penalty.kind.text,
        unit=penalty.unit,
        at=penalty.at,
        note=penalty.note,
        by=penalty.by,
    )
