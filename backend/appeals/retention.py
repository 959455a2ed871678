"""How long personal data are kept: erased some time after an appeal has ended, while figures and record stay.

What is erased: contact and telephone number, the problem in the enterprise's words, every text of the
record, the comment, orders, messages, the reasons of penalties and the time limits about it. What stays:
number, enterprise, category, level, units, all times, stars, kinds and times of penalties, and the record's
lines with their summaries, so that every figure is what it was and the chain is whole.
The words that `qifu train` learns from stay without their sender: contact, phone and enterprise are taken out
when they are kept and once more here, and where that cannot be done the words are deleted.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Protocol, Self

from backend.appeals import lifecycle
from backend.appeals.calendar import local
from backend.appeals.engine import differences
from backend.appeals.model import Appeal, Event, HistoryEvent
from backend.appeals.ports import AppealRepository, Clock
from backend.errors import Conflict
from backend.people.actors import SYSTEM

log = logging.getLogger(__name__)

ERASED_TEXT: Final = "诉求内容已按规定清除。"
"""Stands where the problem stood."""

ERASED_SUBJECT: Final = "事项内容已按规定清除"
"""Stands where the matter of a time limit stood that belongs to no appeal."""

QUESTIONS_KEPT: Final = timedelta(days=365)
"""Questions without an answer, after they were last asked: a year's seasons are worth comparing."""

HANDOFFS_KEPT: Final = timedelta(days=180)
"""Calls for a person, answered or not; a conversation of last winter is nobody's to call back."""

TOKENS_KEPT: Final = timedelta(days=30)
"""Ended tokens and login attempts, as long as somebody may still ask what happened."""


class ErasureRepository(Protocol):
    """Finds and erases what was kept long enough."""

    async def due(self, before: datetime, limit: int) -> tuple[str, ...]:
        """Numbers of appeals that ended before a moment, not erased yet, oldest first.

        Closed: by the closing. Withdrawn: by the withdrawal. Merged: when the one that goes on was erased.
        """
        ...

    async def erase(self, appeal: Appeal, line: HistoryEvent) -> None:
        """Store an appeal without its personal data, and empty all that was written about it.

        Raises:
            StaleVersion: It was changed in between.
        """
        ...

    async def sweep(self) -> None:
        """Take what was erased out of the index of words as well, in a transaction of its own."""
        ...

    async def tidy(
        self, questions: datetime, handoffs: datetime, tokens: datetime, limits: datetime | None
    ) -> int:
        """Delete what is about no appeal and from before these moments.

        Args:
            questions: Questions without an answer.
            handoffs: Calls for a person.
            tokens: Ended tokens and login attempts.
            limits: The words of ended time limits; None keeps them for ever.

        Returns:
            How many rows.
        """
        ...


class RetentionUnitOfWork(Protocol):
    """One transaction."""

    @property
    def appeals(self) -> AppealRepository:
        """The appeals."""
        ...

    @property
    def erasure(self) -> ErasureRepository:
        """What erases."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def commit(self) -> None:
        """Make everything durable."""
        ...


class RetentionUnitOfWorkFactory(Protocol):
    """Opens transactions."""

    def __call__(self, *, read_only: bool = False) -> RetentionUnitOfWork:
        """A transaction, not yet begun."""
        ...


class Retention:
    """Erases what was kept long enough; called once a day while the service runs.

    Args:
        unit_of_work: Opens a transaction.
        clock: The present moment.
        days: Days after the end of an appeal; 0 keeps for ever.
    """

    def __init__(self, unit_of_work: RetentionUnitOfWorkFactory, clock: Clock, days: int) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._days = days

    async def erase_due(self, limit: int = 500) -> int:
        """Erase the personal data of appeals that ended long enough ago, one transaction each.

        Args:
            limit: At most so many; the rest is for the next call.

        Returns:
            How many were erased.
        """
        if not self._days:
            return 0
        before = self._clock() - timedelta(days=self._days)
        async with self._unit_of_work(read_only=True) as work:
            numbers = await work.erasure.due(before, limit)
        erased = 0
        for number in numbers:
            erased += await self._erase(number, before)
        if erased and len(numbers) < limit:
            # once, after the last batch: the index is written anew
            async with self._unit_of_work() as work:
                await work.erasure.sweep()
                await work.commit()
        if erased:
            log.info("personal data erased", extra={"appeals": erased})
        return erased

    async def tidy(self) -> int:
        """Delete what is about no appeal and was kept long enough; answers how many rows."""
        now = self._clock()
        async with self._unit_of_work() as work:
            gone = await work.erasure.tidy(
                now - QUESTIONS_KEPT,
                now - HANDOFFS_KEPT,
                now - TOKENS_KEPT,
                now - timedelta(days=self._days) if self._days else None,
            )
            await work.commit()
        return gone

    async def _erase(self, number: str, before: datetime) -> bool:
        async with self._unit_of_work() as work:
            appeal = await work.appeals.get(number, lock=True)
            if appeal is None or appeal.erased_at is not None:
                return False
            if (appeal.closed_at or before) > before:
                return False
            try:
                state = lifecycle.next_state(appeal.state, Event.ERASE, SYSTEM.role)
            except Conflict:
                return False  # somebody has taken it up again since it was found
            now = local(self._clock()).replace(microsecond=0)
            feedback = replace(appeal.feedback, comment="") if appeal.feedback else None
            bare = replace(
                appeal,
                state=state,
                contact="",
                phone="",
                text=ERASED_TEXT,
                feedback=feedback,
                erased_at=max(now, local(appeal.closed_at)) if appeal.closed_at else now,
            )
            line = HistoryEvent(
                bare.erased_at or now,
                SYSTEM,
                Event.ERASE,
                f"已按规定清除个人信息（办结满 {self._days} 天）",
                before=differences(bare, appeal),
                after=differences(appeal, bare),
            )
            await work.erasure.erase(bare, line)
            await work.commit()
        return True
