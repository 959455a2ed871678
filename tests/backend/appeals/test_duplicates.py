"""Like appeals are found again only when something may have changed, and told only to staff."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import pytest
from made_up_letters import ALONE, BUSES, DRAINS, POWER_CUTS

from backend.appeals import duplicates
from backend.appeals.duplicates import LikenessService, Matter
from backend.appeals.likeness import enterprise_key
from backend.appeals.model import State
from backend.appeals.ports import Scope
from backend.appeals.topics import Letter
from backend.errors import InvalidInput, NotAllowed, NotFound, Unavailable
from backend.people.actors import ENTERPRISE, SYSTEM, Actor
from backend.people.roles import Role

NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
TASKFORCE = Actor("t", Role.TASKFORCE)
NAME = "杭州某某制造有限公司"


def matter(number: int, text: str, **changes: Any) -> Matter:
    made = Matter(
        f"QT20261120-{number:04}", f"g{number}", NAME, text, "项目", State.FILED, "下沙街道", "区住建局", NOW
    )
    return replace(made, **changes)


class Shelf:
    """Appeals in memory, and how often they were read."""

    def __init__(self, *matters: Matter) -> None:
        self.matters = list(matters)
        self.reads: list[str] = []
        self.away = False

    def __call__(self, *, read_only: bool = False) -> Self:
        assert read_only
        if self.away:
            raise Unavailable("away")
        return self

    @property
    def likeness(self) -> Self:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def matter(self, number: str, scope: Scope) -> Matter | None:
        return next((one for one in self.matters if one.number == number), None)

    async def of_enterprise(
        self, key: str, closed_since: datetime, scope: Scope, limit: int
    ) -> tuple[Matter, ...]:
        return tuple(one for one in self.matters if enterprise_key(one.enterprise) == key)

    async def letters(self, since: datetime, scope: Scope, limit: int) -> tuple[Letter, ...]:
        self.reads.append("letters")
        return tuple(
            Letter(one.number, one.enterprise, one.enterprise + one.number, one.text, one.submitted_at)
            for one in self.matters[:limit]
            if one.submitted_at >= since
        )

    async def newest_texts(self, limit: int) -> tuple[str, ...]:
        self.reads.append("texts")
        return tuple(one.text for one in self.matters[:limit])


class Moment:
    """A clock that stands still."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


def shelf_of(*texts: str) -> Shelf:
    return Shelf(*(matter(place, text) for place, text in enumerate(texts, start=1)))


async def test_the_most_alike_come_first_and_never_itself() -> None:
    shelf = shelf_of(POWER_CUTS[1], POWER_CUTS[1], POWER_CUTS[4], *ALONE)
    found = await LikenessService(shelf, Moment()).similar(TASKFORCE, "qt20261120-0001")
    assert [one.matter.number[-4:] for one in found if one.score] == ["0002", "0003"]
    assert [one.score > 0 for one in found] == [True] * 2 + [False] * len(ALONE)
    assert found[0].score == 1.0
    assert all(one.mergeable for one in found)


async def test_one_matter_in_other_words_is_shown_by_its_kind_while_it_is_open() -> None:
    told = matter(2, "晚上下班门外黑漆漆一片，摔过人了")
    shelf = Shelf(
        matter(1, "厂区东侧路灯坏了两个月"),
        told,
        replace(matter(3, "食堂菜价太贵"), category="金融", lead_department=None),
        replace(matter(4, "晚上看不见路"), state=State.CLOSED),
    )
    (found,) = await LikenessService(shelf, Moment()).similar(TASKFORCE, "QT20261120-0001")
    assert (found.matter, found.score) == (told, 0.0)
    assert "同类" in found.reason


async def test_at_most_twenty_are_shown() -> None:
    shelf = shelf_of(*[POWER_CUTS[0]] * 40)
    assert len(await LikenessService(shelf, Moment()).similar(TASKFORCE, "QT20261120-0001")) == 20


async def test_a_name_without_a_letter_is_nobodys() -> None:
    shelf = Shelf(matter(1, POWER_CUTS[0], enterprise="？"), matter(2, POWER_CUTS[0], enterprise="！"))
    assert await LikenessService(shelf, Moment()).similar(TASKFORCE, "QT20261120-0001") == ()


@pytest.mark.parametrize("number", ["QT20261120-0009", "what", "", "QT20261120-0001" * 9])
async def test_what_is_not_there(number: str) -> None:
    with pytest.raises(NotFound):
        await LikenessService(shelf_of(POWER_CUTS[0]), Moment()).similar(TASKFORCE, number)


@pytest.mark.parametrize("actor", [ENTERPRISE, SYSTEM, Actor("e", Role.EDITOR)])
async def test_only_staff_is_told(actor: Actor) -> None:
    service = LikenessService(shelf_of(POWER_CUTS[0]), Moment())
    with pytest.raises(NotAllowed):
        await service.similar(actor, "QT20261120-0001")
    with pytest.raises(NotAllowed):
        await service.hot_topics(actor)


async def test_rarity_is_learnt_once_an_hour_when_there_are_enough() -> None:
    clock = Moment()
    shelf = shelf_of(*(f"{text}第{place}批" for place in range(20) for text in (*POWER_CUTS, *BUSES, *ALONE)))
    service = LikenessService(shelf, clock)
    for _ in range(3):
        await service.similar(TASKFORCE, "QT20261120-0001")
    assert shelf.reads == ["texts"]
    clock.now = NOW + timedelta(minutes=61)
    await service.similar(TASKFORCE, "QT20261120-0001")
    assert shelf.reads == ["texts", "texts"]


async def test_topics_of_a_window_are_computed_once_in_five_minutes() -> None:
    clock = Moment()
    shelf = shelf_of(*POWER_CUTS, *ALONE)
    service = LikenessService(shelf, clock)
    first = await service.hot_topics(TASKFORCE)
    assert (first.total, first.days, first.computed_at) == (1, 14, NOW)
    await asyncio.gather(*(service.hot_topics(TASKFORCE) for _ in range(5)))
    assert len(shelf.reads) == 1
    await service.hot_topics(TASKFORCE, days=7)
    await service.hot_topics(Actor("y", Role.TERRITORY, "下沙街道"))
    assert len(shelf.reads) == 3
    clock.now = NOW + timedelta(minutes=5)
    shelf.matters += [matter(place, text) for place, text in enumerate((*BUSES, *DRAINS), start=50)]
    assert (await service.hot_topics(TASKFORCE)).total == 3


async def test_a_clock_that_was_set_back_makes_the_list_anew() -> None:
    clock = Moment()
    shelf = shelf_of(*POWER_CUTS)
    service = LikenessService(shelf, clock)
    await service.hot_topics(TASKFORCE)
    clock.now = NOW - timedelta(hours=1)
    await service.hot_topics(TASKFORCE)
    assert len(shelf.reads) == 2


async def test_words_that_changed_are_counted_anew() -> None:
    clock = Moment()
    shelf = shelf_of(*POWER_CUTS)
    service = LikenessService(shelf, clock)
    assert (await service.hot_topics(TASKFORCE)).total == 1
    shelf.matters = [replace(one, text="") for one in shelf.matters]
    clock.now = NOW + timedelta(minutes=6)
    assert (await service.hot_topics(TASKFORCE)).total == 0


async def test_only_so_many_windows_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "_MOST_KEPT", 2)
    shelf = shelf_of(*POWER_CUTS)
    service = LikenessService(shelf, Moment())
    for days in (1, 2, 3, 1):
        await service.hot_topics(TASKFORCE, days=days)
    assert len(shelf.reads) == 4
    await service.hot_topics(TASKFORCE, days=3)
    assert len(shelf.reads) == 4


async def test_a_database_that_was_away_is_asked_again() -> None:
    shelf = shelf_of(*POWER_CUTS)
    service = LikenessService(shelf, Moment())
    shelf.away = True
    with pytest.raises(Unavailable):
        await service.hot_topics(TASKFORCE)
    shelf.away = False
    assert (await service.hot_topics(TASKFORCE)).total == 1


@pytest.mark.parametrize(
    "wrong", [{"days": 0}, {"days": 367}, {"page": 0}, {"page_size": 0}, {"page_size": 101}]
)
async def test_ranges(wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidInput):
        await LikenessService(shelf_of(), Moment()).hot_topics(TASKFORCE, **wrong)
