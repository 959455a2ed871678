"""Messages on their way."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appeals.notices import Audience, Desk, Message, MessageKind
from backend.people.roles import Role
from backend.storage.tables import AppealRow, OutboxRow
from backend.storage.upserts import upsert
from backend.storage.vault import Vault
from backend.supervision.model import Claimed, Delivery, MessageQuery, OutboxQuery, Outgoing, Page

# the table itself: the mapped class would make an insert of its own for each pattern of empty columns
_TABLE: Any = OutboxRow.__table__


class SqlOutbox:
    """Implements `backend.supervision.ports.OutboxRepository`."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def add(self, appeal_id: int | None, messages: Sequence[Message]) -> None:
        """Keep messages about one appeal, or about none."""
        await self.add_all([(appeal_id, message) for message in messages])

    async def add_all(self, messages: Sequence[tuple[int | None, Message]]) -> None:
        """Keep messages; one whose key is there already is not kept twice."""
        if messages:
            statement = upsert(self._session, _TABLE).on_conflict_do_nothing(index_elements=[OutboxRow.key])
            await self._session.execute(statement, [_values(*one) for one in messages])

    async def is_due(self, now: datetime) -> bool:
        """Whether a message waits to be delivered now."""
        query = select(OutboxRow.id).where(
            OutboxRow.state == Delivery.WAITING.value, OutboxRow.next_try_at <= now
        )
        return await self._session.scalar(query.limit(1)) is not None

    async def settle(
        self, now: datetime, audiences: Collection[Audience], channels: Collection[str], state: Delivery
    ) -> int:
        """Take waiting messages that nothing delivers off the way.

        Args:
            now: The present moment; only what is due is looked at.
            audiences: Of these.
            channels: But not those of these channels.
            state: Where they stay.

        Returns:
            How many.
        """
        result = await self._session.execute(
            update(OutboxRow)
            .where(
                OutboxRow.state == Delivery.WAITING.value,
                OutboxRow.next_try_at <= now,
                OutboxRow.audience.in_([audience.value for audience in audiences]),
                OutboxRow.channel.not_in(channels),
            )
            .values(state=state.value)
            .execution_options(synchronize_session=False)
        )
        assert isinstance(result, CursorResult)  # noqa: S101 - what an UPDATE answers
        return result.rowcount

    async def claim(
        self, now: datetime, limit: int, lease: timedelta, *, phones: bool
    ) -> tuple[Claimed, ...]:
        """Waiting messages that are due, oldest first; others leave them alone until the lease is over.

        Args:
            now: The present moment.
            limit: At most so many.
            lease: So long the delivery may take; a worker that dies in it loses nothing but time.
            phones: Whether the enterprise's number comes along.
        """
        rows = (
            await self._session.execute(
                select(OutboxRow, AppealRow.number, AppealRow.phone_sealed)
                .outerjoin(AppealRow, AppealRow.id == OutboxRow.appeal_id)
                .where(OutboxRow.state == Delivery.WAITING.value, OutboxRow.next_try_at <= now)
                .order_by(OutboxRow.next_try_at, OutboxRow.id)
                .limit(limit)
                .with_for_update(of=OutboxRow, skip_locked=True)
            )
        ).all()
        found = []
        for row, number, sealed in rows:
            row.attempts += 1
            row.next_try_at = now + lease
            to_enterprise = row.audience == Audience.ENTERPRISE.value
            phone = self._vault.open(sealed or "") if phones and to_enterprise else None
            found.append(Claimed(row.id, _message(row, number), row.attempts, phone or None))
        await self._session.flush()
        return tuple(found)

    async def finish(
        self,
        claimed: Claimed,
        state: Delivery,
        *,
        at: datetime,
        next_try_at: datetime | None = None,
        error: str | None = None,
    ) -> bool:
        """Write down what became of a delivery; False if a later try has begun meanwhile."""
        values: dict[str, Any] = {"state": state.value, "last_error": error}
        if state is Delivery.DELIVERED:
            values["delivered_at"] = at
        if next_try_at is not None:
            values["next_try_at"] = next_try_at
        result = await self._session.execute(
            update(OutboxRow)
            .where(
                OutboxRow.id == claimed.id,
                OutboxRow.state == Delivery.WAITING.value,
                OutboxRow.attempts == claimed.attempts,
            )
            .values(**values)
            .execution_options(synchronize_session=False)
        )
        assert isinstance(result, CursorResult)  # noqa: S101 - what an UPDATE answers
        return bool(result.rowcount)

    async def of_desk(self, query: MessageQuery) -> Page[Outgoing]:
        """One page of a desk's messages: unread first, then newest first."""
        conditions = [*_at(query.desk)]
        if query.unread:
            conditions.append(OutboxRow.read_at.is_(None))
        order = (case((OutboxRow.read_at.is_(None), 0), else_=1), OutboxRow.id.desc())
        return await self._page(conditions, order, query.page, query.page_size)

    async def unread(self, desk: Desk) -> int:
        """How many messages nobody at a desk has read."""
        query = select(func.count(OutboxRow.id)).where(*_at(desk), OutboxRow.read_at.is_(None))
        return await self._session.scalar(query) or 0

    async def read(self, message_id: int, desk: Desk, by: str, at: datetime) -> bool:
        """Mark a desk's message as read; the first reader stays. False where it is not the desk's."""
        found = await self._session.scalar(
            select(OutboxRow).where(OutboxRow.id == message_id, *_at(desk)).with_for_update()
        )
        if found is not None and found.read_at is None:
            found.read_at, found.read_by = at, by
            await self._session.flush()
        return found is not None

    async def find(self, query: OutboxQuery) -> Page[Outgoing]:
        """One page of all messages, newest first."""
        conditions: list[Any] = []
        if query.state is not None:
            conditions.append(OutboxRow.state == query.state.value)
        if query.audience is not None:
            conditions.append(OutboxRow.audience == query.audience.value)
        if query.kind is not None:
            conditions.append(OutboxRow.kind == query.kind.value)
        return await self._page(conditions, (OutboxRow.id.desc(),), query.page, query.page_size)

    async def again(self, message_id: int, now: datetime) -> bool | None:
        """Put a message that stays undelivered on its way again.

        Returns:
            Whether it was one; None where there is no such message.
        """
        row = await self._session.scalar(
            select(OutboxRow).where(OutboxRow.id == message_id).with_for_update()
        )
        if row is None:
            return None
        if row.state not in (Delivery.DEAD.value, Delivery.NO_WAY.value):
            return False
        row.state, row.attempts, row.next_try_at = Delivery.WAITING.value, 0, now
        await self._session.flush()
        return True

    async def dead(self) -> int:
        """How many could not be delivered after all tries."""
        query = select(func.count(OutboxRow.id)).where(OutboxRow.state == Delivery.DEAD.value)
        return await self._session.scalar(query) or 0

    async def _page(
        self, conditions: Sequence[Any], order: Sequence[Any], page: int, size: int
    ) -> Page[Outgoing]:
        total = await self._session.scalar(select(func.count(OutboxRow.id)).where(*conditions))
        rows = await self._session.execute(
            select(OutboxRow, AppealRow.number)
            .outerjoin(AppealRow, AppealRow.id == OutboxRow.appeal_id)
            .where(*conditions)
            .order_by(*order)
            .limit(size)
            .offset((page - 1) * size)
        )
        return Page(tuple(_outgoing(row, number) for row, number in rows), total or 0, page, size)


def _at(desk: Desk) -> tuple[Any, ...]:
    unit = OutboxRow.unit.is_(None) if desk.unit is None else OutboxRow.unit == desk.unit
    return (OutboxRow.audience == Audience.DESK.value, OutboxRow.role == desk.role.value, unit)


def _values(appeal_id: int | None, message: Message) -> dict[str, Any]:
    return {
        "key": message.key,
        "kind": message.kind.value,
        "audience": message.audience.value,
        "role": message.to.role.value if message.to else None,
        "unit": message.to.unit if message.to else None,
        "channel": message.channel,
        "appeal_id": appeal_id,
        "subject": message.subject,
        "body": message.body,
        "state": Delivery.WAITING.value,
        "attempts": 0,
        "created_at": message.at,
        "next_try_at": message.at,
    }


def _message(row: OutboxRow, number: str | None) -> Message:
    to = Desk(Role(row.role), row.unit) if row.role else None
    return Message(
        row.key, MessageKind(row.kind), to, row.channel, number, row.subject, row.body, row.created_at
    )


def _outgoing(row: OutboxRow, number: str | None) -> Outgoing:
    return Outgoing(
        id=row.id,
        message=_message(row, number),
        state=Delivery(row.state),
        attempts=row.attempts,
        next_try_at=row.next_try_at,
        delivered_at=row.delivered_at,
        read_at=row.read_at,
        read_by=row.read_by,
        last_error=row.last_error,
    )
