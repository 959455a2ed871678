"""Questions that had no answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.storage.tables import UnansweredRow
from backend.storage.upserts import upsert

_AT_ONCE = 500
"""Rows in one statement, well below what either database takes."""


@dataclass(frozen=True)
class Asked:
    """What is added: one question, asked once or several times.

    Attributes:
        key: The same for the same words, at most 64 characters.
        question: Without personal data, at most 300 characters.
        count: How often it was asked.
        first_at: When first.
        last_at: When last.
    """

    key: str
    question: str
    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Unanswered:
    """A question that waits for somebody to write an entry, or to say that it is not ours.

    Attributes:
        id: Given by the database.
        question: As it was first asked, without personal data.
        count: How often it was asked.
        first_at: When first.
        last_at: When last.
    """

    id: int
    question: str
    count: int
    first_at: datetime
    last_at: datetime


class SqlUnanswered:
    """Keeps the questions, one row for the same words."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, asked: Sequence[Asked]) -> None:
        """Store new questions and count known ones up; one that was handled is open again.

        Args:
            asked: No two with the same key.
        """
        # always in the same order, so that two processes do not wait for each other
        ordered = sorted(asked, key=lambda one: one.key)
        for begin in range(0, len(ordered), _AT_ONCE):
            rows = [vars(one) for one in ordered[begin : begin + _AT_ONCE]]
            statement = upsert(self._session, UnansweredRow).values(rows)
            new = statement.excluded
            later = case((new.last_at > UnansweredRow.last_at, new.last_at), else_=UnansweredRow.last_at)
            await self._session.execute(
                statement.on_conflict_do_update(
                    index_elements=[UnansweredRow.key],
                    set_={
                        "count": UnansweredRow.count + new.count,
                        "last_at": later,
                        "handled_at": None,
                        "handled_by": None,
                    },
                )
            )

    async def open_since(self, moment: datetime, limit: int) -> tuple[Unanswered, ...]:
        """Questions that nobody has handled and that were asked since a moment.

        Args:
            moment: When they must have been asked last, or after.
            limit: How many at most; those asked last are kept.

        Returns:
            The most frequent first, of those the oldest.
        """
        query = (
            select(
                UnansweredRow.id,
                UnansweredRow.question,
                UnansweredRow.count,
                UnansweredRow.first_at,
                UnansweredRow.last_at,
            )
            .where(UnansweredRow.handled_at.is_(None), UnansweredRow.last_at >= moment)
            .order_by(UnansweredRow.last_at.desc(), UnansweredRow.id.desc())
            .limit(limit)
        )
        # in portions, so that others get their turn between them
        portions = (await self._session.stream(query)).partitions(_AT_ONCE)
        found = [Unanswered(*row) async for rows in portions for row in rows]
        return tuple(sorted(found, key=lambda one: (-one.count, one.first_at, one.id)))

    async def handle(self, ids: Sequence[int], by: str, at: datetime) -> tuple[int, ...]:
        """Mark open questions as handled; answers which of them were open."""
        found: list[int] = []
        for begin in range(0, len(ids), _AT_ONCE):
            statement = (
                update(UnansweredRow)
                .where(
                    UnansweredRow.id.in_(ids[begin : begin + _AT_ONCE]), UnansweredRow.handled_at.is_(None)
                )
                .values(handled_at=at, handled_by=by)
                .returning(UnansweredRow.id)
                .execution_options(synchronize_session=False)
            )
            found.extend(await self._session.scalars(statement))
        return tuple(sorted(found))
