"""Time limits beside 135: catch-all, policy and open service, the direct line."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from backend import errors
from backend.api.endpoints import Call, Table
from backend.api.fields import Moment, Number, Page, PageSize, Request, Response, Word, Written
from backend.appeals.service_times import ServiceKind
from backend.permissions import Action
from backend.supervision.model import ClockQuery, ClockState, ServiceClock

TABLE = Table("clocks")


class StartClockRequest(Request):
    """What is to be done by whom, from when."""

    kind: Annotated[ServiceKind, Field(title="类型")]
    subject: Annotated[str, Field(title="事项", description="One line; numbers of persons are masked.")]
    units: Annotated[
        list[Word], Field(title="承办单位", min_length=1, max_length=24, description="Names or aliases.")
    ]
    appeal: Annotated[Number | None, Field(title="诉求编号", description="An appeal that it belongs to.")] = (
        None
    )
    started_at: Annotated[
        AwareDatetime | None,
        Written,
        Field(title="开始时间", description="Hand-over or application; now unless given."),
    ] = None
    due_at: Annotated[
        AwareDatetime | None,
        Written,
        Field(title="办理期限", description="For `direct_line` only, for which the documents give no limit."),
    ] = None


class ClockShape(Response):
    """A time limit.

    Attributes:
        due_provisional: The due time touches a year whose holidays are not published yet.
        overdue: Past due without an outcome, or the outcome came late.
        reminded_at: When the units were reminded that it is over.
    """

    id: int
    kind: ServiceKind
    kind_text: str
    subject: str
    units: list[str]
    appeal: str | None
    started_at: Moment
    due_at: Moment
    due_provisional: bool
    state: ClockState
    overdue: bool
    reminded_at: Moment | None
    ended_at: Moment | None
    ended_by: str | None
    outcome: str
    created_by: str


class ClockAnswer(Response):
    """One time limit."""

    clock: ClockShape


class ClocksQuery(Request):
    """Which time limits; everything left out means any."""

    kind: Annotated[ServiceKind | None, Field(title="类型")] = None
    state: Annotated[ClockState | None, Field(title="状态")] = None
    unit: Annotated[Word | None, Field(title="承办单位", description="Name or alias.")] = None
    appeal: Annotated[Number | None, Field(title="诉求编号")] = None
    overdue: Annotated[bool | None, Field(title="超期", description="Past due and not ended.")] = None
    page: Page = 1
    page_size: PageSize = 20


class ClockList(Response):
    """One page: running ones first, due soonest first."""

    clocks: list[ClockShape]
    total: int
    page: int
    page_size: int


class EndClockRequest(Request):
    """The outcome."""

    id: Annotated[int, Field(title="编号", ge=1, le=2**31 - 1, description="The time limit's id.")]
    outcome: Annotated[str, Field(title="办理结果", description="In own words.")]


@TABLE.post(
    "/api/v1/desk/clocks",
    "Starts a time limit beside 135.",
    access="staff",
    action=Action.CLOCKS_START,
    status=201,
    errors=(errors.NotFound,),
)
async def post_clock(call: Call, data: StartClockRequest) -> ClockAnswer:
    """Starts; the due time follows from the kind."""
    clock = await call.container.supervision.limits.start(
        call.staff.actor,
        data.kind,
        data.subject,
        data.units,
        number=data.appeal,
        started_at=data.started_at,
        due_at=data.due_at,
    )
    return ClockAnswer(clock=_shape(call, clock))


@TABLE.get(
    "/api/v1/desk/clocks",
    "Lists time limits beside 135.",
    access="staff",
    action=Action.CLOCKS_VIEW,
)
async def get_clocks(call: Call, data: ClocksQuery) -> ClockList:
    """Lists; departments and territories see those that concern them."""
    query = ClockQuery(
        kind=data.kind,
        state=data.state,
        unit=data.unit,
        overdue=data.overdue,
        number=data.appeal,
        page=data.page,
        page_size=data.page_size,
    )
    found = await call.container.supervision.limits.list(call.staff.actor, query)
    return ClockList(
        clocks=[_shape(call, one) for one in found.items],
        total=found.total,
        page=found.page,
        page_size=found.page_size,
    )


@TABLE.post(
    "/api/v1/desk/clocks/{id}/end",
    "Gives the outcome, which ends a time limit.",
    access="staff",
    action=Action.CLOCKS_END,
    errors=(errors.Conflict,),
)
async def post_clock_end(call: Call, data: EndClockRequest) -> ClockAnswer:
    """Ends."""
    clock = await call.container.supervision.limits.end(call.staff.actor, data.id, data.outcome)
    return ClockAnswer(clock=_shape(call, clock))


def _shape(call: Call, clock: ServiceClock) -> ClockShape:
    return ClockShape(
        id=clock.id,
        kind=clock.kind,
        kind_text=clock.kind.text,
        subject=clock.subject,
        units=list(clock.units),
        appeal=clock.number,
        started_at=clock.started_at,
        due_at=clock.due_at,
        due_provisional=call.container.supervision.limits.is_provisional(clock),
        state=clock.state,
        overdue=clock.is_overdue(call.container.clock()),
        reminded_at=clock.reminded_at,
        ended_at=clock.ended_at,
        ended_by=clock.ended_by,
        outcome=clock.outcome,
        created_by=clock.created_by,
    )
