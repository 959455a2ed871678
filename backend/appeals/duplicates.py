"""What one enterprise filed twice, and what many enterprises write about, for those who may see it.

Both are only shown. That two appeals are one matter is for people to say: nothing here merges them.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Protocol, Self

from backend.appeals import access, lifecycle
from backend.appeals.calendar import local
from backend.appeals.likeness import UNKNOWN, Pairs, Rarity, enterprise_key, like, matter, pairs
from backend.appeals.model import Event, State
from backend.appeals.numbers import parse_number
from backend.appeals.ports import Clock, Scope
from backend.appeals.topics import Letter, Topic, content, topics
from backend.errors import InvalidInput, NotAllowed, NotFound, QifuError
from backend.people.actors import Actor
from backend.people.roles import Role
from backend.permissions import Action, may, require

DUPLICATE_DAYS: Final = 90
"""Days after closing in which an appeal is still compared with new ones."""

HOT_TOPIC_DAYS: Final = 14
"""Days that hot topics look back."""

HOT_TOPIC_ENTERPRISES: Final = 3
"""Distinct enterprises that make a hot topic."""

MOST_DAYS: Final = 366
"""Longest window of hot topics."""

_MOST_COMPARED = 300  # appeals of one enterprise, the newest
_MOST_SIMILAR = 20
_MOST_LETTERS = 20_000  # appeals of a window, the newest
_SAMPLE = 1_000  # newest appeals by which rarity is told
_FEW = 200  # appeals that are too few to tell it
_FRESH = timedelta(minutes=5)
_RARITY_FRESH = timedelta(hours=1)
_MOST_KEPT = 32  # windows whose topics are remembered


@dataclass(frozen=True)
class Matter:
    """What is compared of an appeal, and shown beside another.

    Attributes:
        number: Its public reference.
        group: Shared by the appeals that one filing was split into.
        enterprise: Name of the enterprise as filed.
        text: The problem in the enterprise's own words.
        category: One of the ten boards.
        territory: Platform or street; None until confirmed.
        lead_department: Leads the handling, or is proposed to.
    """

    number: str
    group: str
    enterprise: str = field(repr=False)
    text: str = field(repr=False)
    category: str
    state: State
    territory: str | None
    lead_department: str | None
    submitted_at: datetime


@dataclass(frozen=True)
class Similar:
    """An appeal of the same enterprise with a like problem.

    Attributes:
        matter: The other appeal.
        score: Likeness by words, 0 to 1; 0 where only board or department are the same, because one matter
        can
            be told in two ways that share no word.
        shared: Words that both hold, the longest first.
        mergeable: Whether the actor may now let it go on for the one that was asked for.
    """

    matter: Matter
    score: float
    shared: tuple[str, ...]
    mergeable: bool

    @property
    def reason(self) -> str:
        """Why it is shown, as a sentence."""
        if not self.score:
            return "同一家企业近期的同类诉求，说法不同，请看是不是同一件事。"
        return f"同一家企业，都提到{'、'.join(self.shared)}。" if self.shared else "同一家企业，内容相近。"


@dataclass(frozen=True)
class TopicPage:
    """One page of hot topics.

    Attributes:
        topics: The hottest first.
        total: Topics on all pages.
        page: Which page, from 1.
        page_size: Topics on a page.
        days: Days that were looked at.
        computed_at: When; the list is kept for some minutes.
    """

    topics: tuple[Topic, ...]
    total: int
    page: int
    page_size: int
    days: int
    computed_at: datetime


class LikenessRepository(Protocol):
    """Reads appeals to be compared."""

    async def matter(self, number: str, scope: Scope) -> Matter | None:
        """The appeal of a number, if a desk with this scope may see it."""
        ...

    async def of_enterprise(
        self, key: str, closed_since: datetime, scope: Scope, limit: int
    ) -> Sequence[Matter]:
        """The appeals of an enterprise that are not withdrawn, merged, or closed before; the newest first."""
        ...

    async def letters(self, since: datetime, scope: Scope, limit: int) -> Sequence[Letter]:
        """The appeals filed since a moment that are not withdrawn or merged; the newest first."""
        ...

    async def newest_texts(self, limit: int) -> Sequence[str]:
        """The problems of the newest appeals."""
        ...


class LikenessUnitOfWork(Protocol):
    """One transaction that reads."""

    @property
    def likeness(self) -> LikenessRepository:
        """The appeals as this transaction sees them."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class LikenessUnitOfWorkFactory(Protocol):
    """Opens transactions."""

    def __call__(self, *, read_only: bool = False) -> LikenessUnitOfWork:
        """A transaction, not yet begun."""
        ...


class LikenessService:
    """Finds like appeals.

    Args:
        unit_of_work: Opens a transaction.
        clock: The present moment, aware.
        names: Names of places, which tell where a problem is and not what.
        duplicate_days: See `DUPLICATE_DAYS`.
        topic_days: See `HOT_TOPIC_DAYS`.
        topic_enterprises: See `HOT_TOPIC_ENTERPRISES`.
    """

    def __init__(
        self,
        unit_of_work: LikenessUnitOfWorkFactory,
        clock: Clock,
        names: Callable[[], Sequence[str]] = tuple,
        *,
        duplicate_days: int = DUPLICATE_DAYS,
        topic_days: int = HOT_TOPIC_DAYS,
        topic_enterprises: int = HOT_TOPIC_ENTERPRISES,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._names = names
        self._duplicate_days = duplicate_days
        self._topic_days = topic_days
        self._topic_enterprises = topic_enterprises
        self._computing = asyncio.Lock()
        self._found: OrderedDict[tuple[Scope, int], tuple[datetime, list[Topic]]] = OrderedDict()
        self._counted: dict[str, tuple[int, Pairs]] = {}
        self._rarity: tuple[datetime, Rarity] | None = None

    async def similar(self, actor: Actor, number: str) -> tuple[Similar, ...]:
        """The appeals of the same enterprise with a like problem that the actor may see.

        Those of one filing are not compared: the filing was split because they are different problems.

        Args:
            actor: Who asks.
            number: Of the appeal to compare with.

        Returns:
            The most alike first, then what is still open and of the same kind, the newest first.

        Raises:
            NotAllowed: The role has no desk.
            NotFound: No such appeal, or not this desk's.
        """
        require(_staff(actor), Action.APPEALS_VIEW)
        scope = access.scope_of(actor)
        plain = parse_number(number[:40])
        async with self._unit_of_work(read_only=True) as work:
            appeal = await work.likeness.matter(plain, scope) if plain else None
            if appeal is None:
                raise NotFound("没有找到这件诉求。")
            key = enterprise_key(appeal.enterprise)
            since = self._clock() - timedelta(days=self._duplicate_days)
            others = await work.likeness.of_enterprise(key, since, scope, _MOST_COMPARED) if key else ()
        others = [other for other in others if other.group != appeal.group]
        if not others:
            return ()
        rarity = await self._known_rarity()
        found = await asyncio.to_thread(like, _told(appeal), [_told(other) for other in others], rarity)
        alike = [(others[one.position], round(one.score, 3), one.shared) for one in found]
        shown = {one.position for one in found}
        kin = [
            (other, 0.0, ())
            for position, other in enumerate(others)
            if position not in shown and _goes_on(other) and _of_one_kind(appeal, other)
        ]
        merges = _may_end(appeal, actor)
        return tuple(
            Similar(other, score, shared, merges and _goes_on(other))
            for other, score, shared in (*alike, *kin)[:_MOST_SIMILAR]
        )

    async def hot_topics(
        self, actor: Actor, *, days: int | None = None, page: int = 1, page_size: int = 20
    ) -> TopicPage:
        """What several enterprises write about, among the appeals that the actor may see.

        Args:
            actor: Who asks.
            days: Days to look back, 1 to `MOST_DAYS`; the setting unless given.
            page: From 1.
            page_size: 1 to 100.

        Raises:
            NotAllowed: The role has nothing to do with them.
            InvalidInput: Days or page are out of range.
        """
        require(_staff(actor), Action.HOT_TOPICS_VIEW)
        window = self._topic_days if days is None else days
        if not 1 <= window <= MOST_DAYS:
            raise InvalidInput(f"天数应为 1 到 {MOST_DAYS}。", field="days")
        if page < 1 or not 1 <= page_size <= 100:
            raise InvalidInput("页码从 1 开始，每页 1 到 100 条。", field="page")
        computed_at, found = await self._topics(access.scope_of(actor), window)
        begin = (page - 1) * page_size
        shown = tuple(found[begin : begin + page_size])
        return TopicPage(shown, len(found), page, page_size, window, computed_at)

    async def _topics(self, scope: Scope, days: int) -> tuple[datetime, list[Topic]]:
        # one at a time: whoever waits for the same window is answered from memory
        async with self._computing:
            now = local(self._clock()).replace(microsecond=0)
            known = self._found.get((scope, days))
            if known is not None and timedelta() <= now - known[0] < _FRESH:
                self._found.move_to_end((scope, days))
                return known
            async with self._unit_of_work(read_only=True) as work:
                letters = await work.likeness.letters(now - timedelta(days=days), scope, _MOST_LETTERS)
            found = await asyncio.to_thread(self._compute, letters, now, days)
            self._found[scope, days] = now, found
            self._found.move_to_end((scope, days))
            while len(self._found) > _MOST_KEPT:
                self._found.popitem(last=False)
            return now, found

    def _compute(self, letters: Sequence[Letter], now: datetime, days: int) -> list[Topic]:
        counted: dict[str, tuple[int, Pairs]] = {}
        for letter in letters:
            said = hash((letter.enterprise, letter.text))
            before = self._counted.get(letter.number)
            if before is None or before[0] != said:
                before = said, pairs(content(letter))
            counted[letter.number] = before
        # a smaller window leaves what a larger one has counted
        self._counted = counted if len(counted) >= len(self._counted) else {**self._counted, **counted}
        known = {number: parts for number, (_, parts) in counted.items()}
        return topics(
            letters, now, days, least_enterprises=self._topic_enterprises, names=self._names(), known=known
        )

    async def _known_rarity(self) -> Rarity:
        """How rare pairs are among the newest appeals of all enterprises; unknown while there are few."""
        now = self._clock()
        if self._rarity is None or not timedelta() <= now - self._rarity[0] < _RARITY_FRESH:
            async with self._unit_of_work(read_only=True) as work:
                texts = await work.likeness.newest_texts(_SAMPLE)
            rarity = await asyncio.to_thread(_rarity_of, texts) if len(texts) >= _FEW else UNKNOWN
            self._rarity = now, rarity
        return self._rarity[1]


def _rarity_of(texts: Sequence[str]) -> Rarity:
    return Rarity.of([pairs(matter(text)) for text in texts])


def _told(appeal: Matter) -> str:
    return appeal.text.replace(appeal.enterprise, " ") if appeal.enterprise else appeal.text


def _may_end(appeal: Matter, actor: Actor) -> bool:
    """Whether the actor may let another appeal go on for this one, as it is now."""
    if not may(_staff(actor), Action.APPEALS_MERGE):
        return False
    try:
        lifecycle.next_state(appeal.state, Event.MERGE, actor.role)
    except QifuError:
        return False
    return True


def _of_one_kind(one: Matter, other: Matter) -> bool:
    return one.category == other.category or (
        one.lead_department is not None and one.lead_department == other.lead_department
    )


def _goes_on(appeal: Matter) -> bool:
    return appeal.state not in (State.MERGED, State.WITHDRAWN, State.CLOSED)


def _staff(actor: Actor) -> Role:
    if not isinstance(actor.role, Role):
        raise NotAllowed("请用工作人员账号登录。")
    return actor.role
