"""Questions that had no answer: kept without personal data, grouped by likeness, listed for staff.

A turn only puts its question in memory; a writer of its own masks and stores what has gathered. So nobody
waits for the database, many questions at once are one transaction, and a database that is away costs the
count, not the reply.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend import errors
from backend.hotline import likeness
from backend.masking import mask
from backend.people.actors import Actor
from backend.people.roles import Role
from backend.permissions import Action, require
from backend.storage.database import Database
from backend.storage.unanswered import Asked, Unanswered
from backend.text import clean

log = logging.getLogger(__name__)

_LONGEST = 300
"""Characters that are kept of a question."""

_MOST_WAITING = 1_000
"""Questions that wait in memory for a slow database; more are lost, and counted in the log."""

_LAST_SECONDS = 15.0
"""How long a closing process waits for its last questions to be stored."""

_MOST_LISTED = 20_000
"""Different questions that are grouped; of more, those asked last."""


@dataclass(frozen=True)
class QuestionGroup:
    """Questions that are alike.

    Attributes:
        question: The one that stands for them: the most frequent.
        count: How often they were asked, all together.
        first_at: When one of them was asked first.
        last_at: When one of them was asked last.
        questions: All of them, the most frequent first.
    """

    question: str
    count: int
    first_at: datetime
    last_at: datetime
    questions: tuple[Unanswered, ...]


@dataclass(frozen=True)
class GroupPage:
    """One page of groups.

    Attributes:
        groups: Largest first.
        total: Groups on all pages.
        page: Which page, from 1.
        page_size: Groups on a page.
    """

    groups: tuple[QuestionGroup, ...]
    total: int
    page: int
    page_size: int


class UnansweredService:
    """Records questions that had no answer, and lets staff see to them.

    Args:
        database: Where they are kept.
        clock: The present moment, aware.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._waiting: list[tuple[str, datetime]] = []
        self._lost = 0
        self._writer: asyncio.Task[None] | None = None
        self._grouping = asyncio.Lock()
        self._grouped: tuple[tuple[Unanswered, ...], tuple[QuestionGroup, ...]] = ((), ())

    def record(self, question: str) -> None:
        """Takes a question to be kept; returns at once and raises nothing.

        Args:
            question: As it was typed; personal data are taken out before it is stored.
        """
        if len(self._waiting) >= _MOST_WAITING:
            self._lost += 1
            return
        self._waiting.append((question, self._clock()))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="unanswered-writer")

    async def finish(self) -> None:
        """Waits until what was recorded is stored, but not for ever."""
        if self._writer is None:
            return
        _, late = await asyncio.wait({self._writer}, timeout=_LAST_SECONDS)
        if late:
            log.warning("unanswered questions were not recorded in time")
            self._writer.cancel()
            await asyncio.wait(late)

    async def groups(self, actor: Actor, *, days: int, page: int = 1, page_size: int = 20) -> GroupPage:
        """The open questions, like ones together.

        Args:
            actor: Who asks.
            days: Only questions that were asked in the last days.
            page: From 1.
            page_size: Groups on a page.

        Raises:
            NotAllowed: The role has nothing to do with them.
            Unavailable: The database does not answer.
        """
        _require(actor, Action.UNANSWERED_VIEW)
        found = await self.all_groups(days)
        begin = (page - 1) * page_size
        return GroupPage(found[begin : begin + page_size], len(found), page, page_size)

    async def all_groups(self, days: int) -> tuple[QuestionGroup, ...]:
        """All groups, largest first, for who administers the machine itself.

        Args:
            days: Only questions that were asked in the last days.

        Raises:
            Unavailable: The database does not answer.
        """
        since = self._clock() - timedelta(days=days)
        async with self._database.unit_of_work(read_only=True) as work:
            questions = await work.unanswered.open_since(since, _MOST_LISTED)
        # one at a time, and turning a page does not group again
        async with self._grouping:
            if questions != self._grouped[0]:
                self._grouped = (questions, await asyncio.to_thread(grouped, questions))
            return self._grouped[1]

    async def handle(self, actor: Actor, ids: Sequence[int]) -> tuple[int, ...]:
        """Marks questions as seen to: an entry was written, or they are not ours.

        Asked once more, a question is open again.

        Args:
            actor: Who saw to them.
            ids: Which questions.

        Returns:
            Those that were open until now.

        Raises:
            NotAllowed: The role may not decide this.
            NotFound: None of them is open.
            Unavailable: The database does not answer.
        """
        _require(actor, Action.UNANSWERED_HANDLE)
        async with self._database.unit_of_work() as work:
            handled = await work.unanswered.handle(ids, actor.name, self._clock())
            if not handled:
                raise errors.NotFound("没有找到这些问题，或者已经有人处理。")
            await work.commit()
        return handled

    async def _write(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, []
            lost, self._lost = self._lost, 0
            if lost:
                log.warning("unanswered questions were not recorded", extra={"questions": lost})
            try:
                asked = await asyncio.to_thread(prepared, taken)
                async with self._database.unit_of_work() as work:
                    await work.unanswered.add(asked)
                    await work.commit()
            except Exception:
                log.exception("unanswered questions were not recorded", extra={"questions": len(taken)})


def prepared(taken: Iterable[tuple[str, datetime]]) -> list[Asked]:
    """Makes questions fit to be kept: masked, shortened, each once with its count.

    Args:
        taken: Questions as they were typed, with their moments.

    Returns:
        Without those that have no word, such as a question mark or a telephone number alone.
    """
    asked: dict[str, Asked] = {}
    for typed, at in taken:
        question = _fit(typed)
        words = likeness.core(question).replace(" ", "")
        if not words:
            continue
        key = hashlib.sha256(words.encode()).hexdigest()
        known = asked.get(key, Asked(key, question, 0, at, at))
        asked[key] = Asked(
            key, known.question, known.count + 1, min(known.first_at, at), max(known.last_at, at)
        )
    return list(asked.values())


def grouped(questions: Sequence[Unanswered]) -> tuple[QuestionGroup, ...]:
    """Puts like questions together.

    Args:
        questions: The most frequent first.

    Returns:
        The largest group first, of equals the one asked last.
    """
    found = [
        _group([questions[position] for position in positions])
        for positions in likeness.group([one.question for one in questions])
    ]
    return tuple(
        sorted(found, key=lambda group: (-group.count, -group.last_at.timestamp(), group.questions[0].id))
    )


def _group(questions: Sequence[Unanswered]) -> QuestionGroup:
    return QuestionGroup(
        question=questions[0].question,
        count=sum(one.count for one in questions),
        first_at=min(one.first_at for one in questions),
        last_at=max(one.last_at for one in questions),
        questions=tuple(questions),
    )


def _fit(typed: str) -> str:
    """One line, masked and shortened; what the cut lays open is masked as well."""
    masked = mask(" ".join(clean(typed).split()))
    return mask(masked[:_LONGEST])[:_LONGEST].strip()


def _require(actor: Actor, action: Action) -> None:
    if not isinstance(actor.role, Role):
        raise errors.NotAllowed("您的账号没有这项权限。")
    require(actor.role, action)
