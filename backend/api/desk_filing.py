"""Filing for an enterprise that called, was visited, or came to the counter."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from backend import errors
from backend.api import likeness, shapes
from backend.api.appeals import FilingRequest
from backend.api.endpoints import Call, Table
from backend.api.fields import Response
from backend.appeals import views
from backend.appeals.model import Filing
from backend.people.roles import Role
from backend.permissions import Action

TABLE = Table("desk")

_CHANNELS = {
    Role.OPERATOR: "hotline",
    Role.LIAISON: "assistant_visit",
    Role.TERRITORY: "platform",
}
"""How appeals come in that a role files, where nothing else is said."""


class DeskFilingRequest(FilingRequest):
    """An appeal as an enterprise put it to a member of staff."""

    channel: Annotated[
        str | None, Field(title="渠道", description="The way it came in; left out: as the role has it.")
    ] = None  # type: ignore[assignment]


class SimilarToFiled(Response):
    """What the enterprise had filed before that is like one of the new appeals."""

    number: str
    similar: list[likeness.SimilarAppeal]


class DeskFiled(shapes.FiledAppeals):
    """What came of a filing, and what may be the same matter; merging them is for people."""

    similar: list[SimilarToFiled]


@TABLE.post(
    "/api/v1/desk/appeals",
    "Files an appeal for an enterprise; a liaison for those that they are paired with.",
    status=201,
    access="staff",
    action=Action.APPEALS_FILE,
    errors=(errors.Conflict,),
)
async def post_desk_appeal(call: Call, data: DeskFilingRequest) -> DeskFiled:
    """Files in somebody's name; the record says who did it."""
    actor = call.staff.actor
    paired = call.container.liaisons.looks_after
    if actor.role is Role.LIAISON and not await paired(actor.name, data.enterprise):
        raise errors.NotAllowed("这家企业没有与您结对，请核对企业名称，或者请专班先结对。", code="not_paired")
    sent = data.model_dump()
    sent["channel"] = data.channel or _CHANNELS.get(call.staff.account.role, "other")
    if actor.role is Role.TERRITORY:
        sent["territory"] = data.territory or actor.unit
    filed = await call.container.appeals.file(Filing(**sent), actor)
    if filed.created:
        for appeal in filed.appeals:
            call.metrics.filed(appeal.level.value)
    similar = [await _similar(call, appeal.number) for appeal in filed.appeals]
    known = [one for one in similar if one.similar]
    return DeskFiled.model_validate({**views.filed(filed), "similar": known})


async def _similar(call: Call, number: str) -> SimilarToFiled:
    try:
        found = await call.container.likeness.similar(call.staff.actor, number)
    except errors.QifuError:
        # the appeal is filed: that nothing can be compared now must not look like a failure
        found = ()
    return SimilarToFiled(number=number, similar=[likeness.similar(one) for one in found])
