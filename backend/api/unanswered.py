"""Questions that had no answer, for those who write entries."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictInt

from backend import errors
from backend.api.endpoints import Call, Table
from backend.api.fields import Moment, Request, Response
from backend.permissions import Action

TABLE = Table("unanswered")

_MOST = 2_000
"""Questions in one request; all their ids fit into the longest body that is read."""


class UnansweredQuery(Request):
    """Which questions."""

    days: Annotated[
        int, Field(title="天数", ge=1, le=3650, description="Only what was asked in the last days.")
    ] = 30
    page: Annotated[int, Field(title="页码", ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(title="每页条数", ge=1, le=100)] = 20


class UnansweredQuestion(Response):
    """One question, without personal data."""

    id: int
    question: str
    count: int
    first_at: Moment
    last_at: Moment


class UnansweredGroup(Response):
    """Questions that are alike; ``question`` is the most frequent, ``count`` is of all together."""

    question: str
    count: int
    first_at: Moment
    last_at: Moment
    questions: list[UnansweredQuestion]


class UnansweredList(Response):
    """One page of groups, largest first; ``total`` counts groups."""

    groups: list[UnansweredGroup]
    total: int
    page: int
    page_size: int


class HandledRequest(Request):
    """Which questions have been seen to."""

    ids: Annotated[
        list[Annotated[StrictInt, Field(ge=1, le=2**31 - 1)]],
        Field(title="编号", min_length=1, max_length=_MOST, description="Ids of questions."),
    ]


class HandledAnswer(Response):
    """Those of them that were open until now."""

    ids: list[int]


@TABLE.get(
    "/api/v1/desk/unanswered",
    "Lists the questions that had no answer, like ones together.",
    access="staff",
    action=Action.UNANSWERED_VIEW,
)
async def get_unanswered(call: Call, data: UnansweredQuery) -> UnansweredList:
    """Lists what was asked in vain."""
    page = await call.container.unanswered.groups(
        call.staff.actor, days=data.days, page=data.page, page_size=data.page_size
    )
    return UnansweredList.model_validate(page)


@TABLE.post(
    "/api/v1/desk/unanswered/handled",
    "Marks questions as seen to.",
    access="staff",
    action=Action.UNANSWERED_HANDLE,
    errors=(errors.NotFound,),
)
async def post_unanswered_handled(call: Call, data: HandledRequest) -> HandledAnswer:
    """Marks questions: an entry was written, or they are not ours."""
    return HandledAnswer(ids=list(await call.container.unanswered.handle(call.staff.actor, data.ids)))
