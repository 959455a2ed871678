"""Requests for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession

from backend.storage.tables import HandoffRow


@dataclass(frozen=True)
class Handoff:
    """Somebody asked for a person.

    Attributes:
        sender: The conversation's stable id.
        reason: Why, in words; may be empty.
        created_at: When.
        number: Appeal it is about, if any.
        state: ``open`` or ``answered``.
        answered_at: When somebody took it up.
        answered_by: User name of who did.
        id: Given by the database; 0 before.
    """

    sender: str
    reason: str
    created_at: datetime
    number: str | None = None
    state: str = "open"
    answered_at: datetime | None = None
    answered_by: str | None = None
    id: int = 0


class SqlHandoffs:
    """Keeps the requests."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, handoff: Handoff) -> Handoff:
        """Store a request; answers it with its id."""
        row = HandoffRow(
            sender=handoff.sender,
            reason=handoff.reason,
            number=handoff.number,
            state=handoff.state,
            created_at=handoff.created_at,
        )
        self._session.add(row)
        await self._session.flush()
        return _handoff(row)

    async def waiting(self, limit: int = 100, offset: int = 0) -> tuple[Handoff, ...]:
        """Open requests, longest waiting first."""
        query = select(HandoffRow).where(HandoffRow.state == "open")
        query = query.order_by(HandoffRow.created_at, HandoffRow.id).limit(limit).offset(offset)
        return tuple(map(_handoff, await self._session.scalars(query)))

    async def count_waiting(self) -> int:
        """How many open requests there are."""
        query = select(func.count(HandoffRow.id)).where(HandoffRow.state == "open")
        return await self._session.scalar(query) or 0

    async def answer(self, handoff_id: int, by: str, at: datetime) -> bool:
        """Mark a request as taken up; False if it was not open."""
        result = await self._session.execute(
            update(HandoffRow)
            .where(HandoffRow.id == handoff_id, HandoffRow.state == "open")
            .values(state="answered", answered_by=by, answered_at=at)
        )
        assert isinstance(result, CursorResult)  # noqa: S101 - what an UPDATE answers
        return bool(result.rowcount)


def _handoff(row: HandoffRow) -> Handoff:
    return Handoff(
        sender=row.sender,
        reason=row.reason,
        created_at=row.created_at,
        number=row.number,
        state=row.state,
        answered_at=row.answered_at,
        answered_by=row.answered_by,
        id=row.id,
    )
