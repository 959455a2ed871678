"""Calling for a person."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from backend.api.endpoints import Call, Table
from backend.api.fields import Moment, OptionalText, Page, PageSize, Request, Response, Sender
from backend.permissions import Action
from backend.replies import Message

TABLE = Table("handoffs")


class HandoffRequest(Request):
    """Who wants a person, and why."""

    sender: Annotated[Sender, Field(title="发送者", description="The id used in the chat.")]
    reason: Annotated[OptionalText, Field(title="原因", description="Why, in own words; may be empty.")] = ""
    channel: Annotated[
        str, Field(title="渠道", pattern="^[a-z][a-z0-9_-]{0,31}$", description="The door.")
    ] = "web"


class HandoffAnswer(Response):
    """That it is recorded, and whom to call meanwhile."""

    recorded_at: Moment
    hotline: Message | None


@TABLE.post(
    "/api/v1/handoffs",
    "Records that a person is wanted, and names the hotline.",
    status=201,
)
async def post_handoff(call: Call, data: HandoffRequest) -> HandoffAnswer:
    """Records a call for a person."""
    recorded_at = await call.container.handoffs.record(data.sender, data.reason, data.channel)
    return HandoffAnswer(recorded_at=recorded_at, hotline=call.container.directory.hotline())


class WaitingHandoff(Response):
    """A call that nobody has taken up."""

    id: int
    sender: str
    reason: str
    created_at: Moment


class WaitingQuery(Request):
    """Which page."""

    page: Page = 1
    page_size: PageSize = 20


class WaitingHandoffs(Response):
    """One page, longest waiting first."""

    handoffs: list[WaitingHandoff]
    total: int
    page: int
    page_size: int


class TakeUpRequest(Request):
    """Which call."""

    id: Annotated[int, Field(title="编号", ge=1, le=2**31 - 1, description="The call's id.")]


class TakenUp(Response):
    """That the call is the operator's now."""

    id: int


@TABLE.get(
    "/api/v1/desk/handoffs",
    "Lists the calls for a person that nobody took up.",
    access="staff",
    action=Action.HANDOFFS_VIEW,
)
async def get_handoffs(call: Call, data: WaitingQuery) -> WaitingHandoffs:
    """Lists waiting calls."""
    handoffs, actor = call.container.handoffs, call.staff.actor
    waiting = await handoffs.waiting(actor, data.page, data.page_size)
    return WaitingHandoffs(
        handoffs=[WaitingHandoff.model_validate(found) for found in waiting],
        total=await handoffs.count_waiting(actor),
        page=data.page,
        page_size=data.page_size,
    )


@TABLE.post(
    "/api/v1/desk/handoffs/{id}/take-up",
    "Takes a call for a person up.",
    access="staff",
    action=Action.HANDOFFS_ANSWER,
)
async def post_take_up(call: Call, data: TakeUpRequest) -> TakenUp:
    """Takes a call up."""
    await call.container.handoffs.take_up(call.staff.actor, data.id)
    return TakenUp(id=data.id)
