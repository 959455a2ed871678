"""Which enterprises a liaison looks after."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from backend.api.endpoints import Call, Table
from backend.api.fields import Line, Moment, Page, PageSize, Request, Response, Word
from backend.people.accounts import Pairing
from backend.permissions import Action

TABLE = Table("liaisons")

_Username = Annotated[Word, Field(title="助企员", description="User name of the liaison.")]


class LiaisonsQuery(Request):
    """Which page."""

    page: Page = 1
    page_size: PageSize = 20


class LiaisonRow(Response):
    """A liaison and how many enterprises they look after."""

    username: str
    unit: str | None
    enterprises: int


class LiaisonList(Response):
    """One page by user name."""

    liaisons: list[LiaisonRow]
    total: int
    page: int
    page_size: int


class PairingsQuery(Request):
    """Whose enterprises, and which page."""

    username: _Username
    page: Page = 1
    page_size: PageSize = 20


class PairingShape(Response):
    """An enterprise that a liaison looks after."""

    enterprise: str
    since: Moment


class PairingList(Response):
    """One page by name."""

    enterprises: list[PairingShape]
    total: int
    page: int
    page_size: int


class PairRequest(Request):
    """A liaison and an enterprise."""

    username: _Username
    enterprise: Annotated[Line, Field(title="企业名称", description="Name of the enterprise.")]


class PairAnswer(Response):
    """That they are paired."""

    username: str
    enterprise: str
    since: Moment


class UnpairAnswer(Response):
    """That they are no longer paired."""

    unpaired: bool = True


_ONE = "/api/v1/liaisons/{username}"


@TABLE.get("/api/v1/liaisons", "Lists the liaisons that work.", access="staff", action=Action.LIAISONS_PAIR)
async def get_liaisons(call: Call, data: LiaisonsQuery) -> LiaisonList:
    """Lists liaisons."""
    found = await call.container.liaisons.liaisons(data.page, data.page_size, by=call.staff.actor)
    rows = [LiaisonRow.model_validate(liaison) for liaison in found.liaisons]
    return LiaisonList(liaisons=rows, total=found.total, page=data.page, page_size=data.page_size)


@TABLE.get(
    _ONE + "/enterprises",
    "Lists the enterprises of a liaison; a liaison sees their own.",
    access="staff",
    action=Action.LIAISONS_VIEW,
)
async def get_pairings(call: Call, data: PairingsQuery) -> PairingList:
    """Lists a liaison's enterprises; another's answer like nobody's."""
    found = await call.container.liaisons.pairings(
        data.username, data.page, data.page_size, by=call.staff.actor
    )
    rows = [_shape(pairing) for pairing in found.pairings]
    return PairingList(enterprises=rows, total=found.total, page=data.page, page_size=data.page_size)


@TABLE.post(
    _ONE + "/pair", "Pairs a liaison with an enterprise.", access="staff", action=Action.LIAISONS_PAIR
)
async def post_pair(call: Call, data: PairRequest) -> PairAnswer:
    """Pairs; twice counts once."""
    pairing = await call.container.liaisons.pair(data.username, data.enterprise, by=call.staff.actor)
    return PairAnswer(username=pairing.username, enterprise=pairing.enterprise, since=pairing.since)


@TABLE.post(
    _ONE + "/unpair", "Parts a liaison from an enterprise.", access="staff", action=Action.LIAISONS_PAIR
)
async def post_unpair(call: Call, data: PairRequest) -> UnpairAnswer:
    """Parts a liaison from an enterprise."""
    await call.container.liaisons.unpair(data.username, data.enterprise, by=call.staff.actor)
    return UnpairAnswer()


def _shape(pairing: Pairing) -> PairingShape:
    return PairingShape(enterprise=pairing.enterprise, since=pairing.since)
