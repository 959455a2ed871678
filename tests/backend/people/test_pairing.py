"""Which enterprises a liaison looks after, and who decides it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from people_helpers import Log, StillClock, Written

from backend.errors import InvalidInput, NotAllowed, NotFound
from backend.people.actors import ENTERPRISE, Actor
from backend.people.liaisons import LiaisonService
from backend.people.roles import Role
from backend.people.service import PeopleService

FORCE = Actor("force", Role.TASKFORCE)


@pytest.fixture
async def liaison(people: PeopleService) -> Actor:
    return (await people.create_account("zhu", "liaison")).actor


async def names(liaisons: LiaisonService, username: str = "zhu") -> list[str]:
    return [pairing.enterprise for pairing in (await liaisons.pairings(username)).pairings]


async def test_pairing_and_parting(
    liaisons: LiaisonService, liaison: Actor, clock: StillClock, log: Log
) -> None:
    first = await liaisons.pair(" ZHU ", " 甲科技有限公司 ", by=FORCE)
    assert (first.username, first.enterprise, first.key) == ("zhu", "甲科技有限公司", "甲科技")
    clock.now += timedelta(days=1)
    again = await liaisons.pair("zhu", "甲科技", by=FORCE)
    assert again == first
    assert await names(liaisons) == ["甲科技有限公司"]
    assert await liaisons.looks_after("zhu", "甲科技")
    assert not await liaisons.looks_after("zhu", "乙科技")
    assert not await liaisons.looks_after("nobody", "甲科技")
    await liaisons.unpair("zhu", "甲科技", by=FORCE)
    assert await names(liaisons) == []
    with pytest.raises(NotFound):
        await liaisons.unpair("zhu", "甲科技", by=FORCE)
    assert [line for line in await log() if line.action.startswith("liaison.")] == [
        Written("force", "liaison.pair", "zhu", {}, {"enterprise": "甲科技有限公司"}),
        Written("force", "liaison.unpair", "zhu", {"enterprise": "甲科技有限公司"}, {}),
    ]


async def test_only_the_task_force_and_admins_pair(liaisons: LiaisonService, liaison: Actor) -> None:
    for actor in [ENTERPRISE, *(Actor("zhu", role) for role in Role)]:
        if actor.role in (Role.TASKFORCE, Role.ADMIN):
            await liaisons.pair("zhu", "甲科技", by=actor)
            await liaisons.unpair("zhu", "甲科技", by=actor)
            continue
        for attempt in [
            liaisons.pair("zhu", "甲科技", by=actor),
            liaisons.unpair("zhu", "甲科技", by=actor),
            liaisons.liaisons(by=actor),
        ]:
            with pytest.raises(NotAllowed):
                await attempt


async def test_a_liaison_sees_their_own_and_learns_nothing_of_others(
    people: PeopleService, liaisons: LiaisonService, liaison: Actor
) -> None:
    await people.create_account("other", "liaison")
    await people.create_account("wang", "operator")
    await liaisons.pair("zhu", "甲科技", by=FORCE)
    await liaisons.pair("other", "乙科技", by=FORCE)
    own = await liaisons.pairings("zhu", by=liaison)
    assert [pairing.enterprise for pairing in own.pairings] == ["甲科技"]
    sentences = set()
    for name in ("other", "wang", "nobody", "!"):
        with pytest.raises(NotFound) as refused:
            await liaisons.pairings(name, by=liaison)
        sentences.add(str(refused.value))
    assert len(sentences) == 1
    for role in Role:
        if role not in (Role.TASKFORCE, Role.ADMIN, Role.LIAISON):
            with pytest.raises(NotAllowed):
                await liaisons.pairings("zhu", by=Actor("x", role))


async def test_only_a_liaison_who_works_is_paired(
    people: PeopleService, liaisons: LiaisonService, liaison: Actor
) -> None:
    await people.create_account("wang", "operator")
    await people.disable("zhu")
    for name in ("zhu", "wang", "nobody"):
        with pytest.raises(NotFound):
            await liaisons.pair(name, "甲科技", by=FORCE)


@pytest.mark.parametrize("enterprise", ["", "   ", "有限公司", "企" * 101, "企" * 100_000])
async def test_names_that_are_no_enterprise(
    liaisons: LiaisonService, liaison: Actor, enterprise: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await liaisons.pair("zhu", enterprise, by=FORCE)
    assert refused.value.details["field"] == "enterprise"


async def test_who_is_no_liaison_any_more_keeps_no_enterprises(
    people: PeopleService, liaisons: LiaisonService, liaison: Actor, log: Log
) -> None:
    for name in ("乙科技", "甲科技"):
        await liaisons.pair("zhu", name, by=FORCE)
    await people.set_role("zhu", "liaison", "综合组")
    assert len(await names(liaisons)) == 2
    await people.set_role("zhu", "operator")
    await people.set_role("zhu", "liaison")
    assert await names(liaisons) == []
    removed = [line.before["enterprises"] for line in await log() if "enterprises" in line.before]
    assert [sorted(found) for found in removed] == [sorted(["甲科技", "乙科技"])]


async def test_the_liaisons_that_work_are_listed_page_by_page(
    people: PeopleService, liaisons: LiaisonService, liaison: Actor
) -> None:
    for name in ("a1", "b1", "shut"):
        await people.create_account(name, "liaison", "某街道")
    await people.disable("shut")
    await liaisons.pair("b1", "甲科技", by=FORCE)
    await liaisons.pair("b1", "乙科技", by=FORCE)
    found = await liaisons.liaisons(1, 2, by=FORCE)
    assert found.total == 3
    assert [(one.username, one.unit, one.enterprises) for one in found.liaisons] == [
        ("a1", "某街道", 0),
        ("b1", "某街道", 2),
    ]
    assert [one.username for one in (await liaisons.liaisons(2, 2, by=FORCE)).liaisons] == ["zhu"]
    paged = await liaisons.pairings("b1", 2, 1)
    assert (paged.total, len(paged.pairings)) == (2, 1)
