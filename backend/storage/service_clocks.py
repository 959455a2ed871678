"""Time limits beside 135."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Text, and_, cast, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appeals.service_times import ServiceKind
from backend.storage.tables import AppealRow, ServiceClockRow
from backend.supervision.model import ClockQuery, ClockState, Page, ServiceClock


class SqlServiceClocks:
    """Implements `backend.supervision.ports.ServiceClockRepository`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, clock: ServiceClock, appeal_number: str | None) -> ServiceClock:
        """Keep a new time limit; answers it with its id."""
        appeal_id = None
        if appeal_number is not None:
            appeal_id = await self._session.scalar(
                select(AppealRow.id).where(AppealRow.number == appeal_number)
            )
        row = ServiceClockRow(
            kind=clock.kind.value,
            appeal_id=appeal_id,
            subject=clock.subject,
            units=list(clock.units),
            started_at=clock.started_at,
            due_at=clock.due_at,
            state=clock.state.value,
            note=clock.outcome,
            created_by=clock.created_by,
        )
        self._session.add(row)
        await self._session.flush()
        return _clock(row, appeal_number)

    async def get(self, clock_id: int, *, lock: bool = False) -> ServiceClock | None:
        """A time limit, kept from others' changes where ``lock`` is set."""
        query = (
            select(ServiceClockRow, AppealRow.number)
            .outerjoin(AppealRow, AppealRow.id == ServiceClockRow.appeal_id)
            .where(ServiceClockRow.id == clock_id)
        )
        if lock:
            query = query.with_for_update(of=ServiceClockRow)
        found = (await self._session.execute(query)).first()
        return _clock(*found) if found else None

    async def not_yet_due(self, now: datetime) -> tuple[ServiceClock, ...]:
        """Hold running time limits that are due after a moment."""
        rows = await self._session.execute(
            select(ServiceClockRow, AppealRow.number)
            .outerjoin(AppealRow, AppealRow.id == ServiceClockRow.appeal_id)
            .where(ServiceClockRow.state == ClockState.RUNNING.value, ServiceClockRow.due_at > now)
            .order_by(ServiceClockRow.id)
            .with_for_update(of=ServiceClockRow)
        )
        return tuple(_clock(row, number) for row, number in rows)

    async def move(self, clock_id: int, due_at: datetime) -> None:
        """Give a time limit another due time."""
        await self._session.execute(
            update(ServiceClockRow).where(ServiceClockRow.id == clock_id).values(due_at=due_at)
        )

    async def end(self, clock: ServiceClock) -> None:
        """Write down the outcome."""
        await self._session.execute(
            update(ServiceClockRow)
            .where(ServiceClockRow.id == clock.id)
            .values(
                state=clock.state.value, ended_at=clock.ended_at, ended_by=clock.ended_by, note=clock.outcome
            )
        )

    async def is_due(self, now: datetime) -> bool:
        """Whether a running time limit is over and not reminded of."""
        query = select(ServiceClockRow.id).where(*_is_over(now)).limit(1)
        return await self._session.scalar(query) is not None

    async def claim_due(self, now: datetime, limit: int) -> tuple[ServiceClock, ...]:
        """Hold running time limits that are over and not reminded of, those due longest first."""
        rows = await self._session.execute(
            select(ServiceClockRow, AppealRow.number)
            .outerjoin(AppealRow, AppealRow.id == ServiceClockRow.appeal_id)
            .where(*_is_over(now))
            .order_by(ServiceClockRow.due_at, ServiceClockRow.id)
            .limit(limit)
            .with_for_update(of=ServiceClockRow, skip_locked=True)
        )
        return tuple(_clock(row, number) for row, number in rows)

    async def reminded(self, ids: Sequence[int], at: datetime) -> None:
        """Mark time limits as reminded of."""
        await self._session.execute(
            update(ServiceClockRow)
            .where(ServiceClockRow.id.in_(ids))
            .values(reminded_at=at)
            .execution_options(synchronize_session=False)
        )

    async def find(self, query: ClockQuery, now: datetime) -> Page[ServiceClock]:
        """One page: those that run first, due soonest first."""
        conditions: list[Any] = [_names(query.unit)] if query.unit is not None else []
        if query.viewer is not None:
            conditions.append(or_(_names(query.viewer), ServiceClockRow.created_by == query.starter))
        if query.kind is not None:
            conditions.append(ServiceClockRow.kind == query.kind.value)
        if query.state is not None:
            conditions.append(ServiceClockRow.state == query.state.value)
        if query.number is not None:
            conditions.append(AppealRow.number == query.number)
        if query.overdue is not None:
            late = and_(ServiceClockRow.state == ClockState.RUNNING.value, ServiceClockRow.due_at < now)
            conditions.append(late if query.overdue else ~late)
        joined = select(ServiceClockRow, AppealRow.number).outerjoin(
            AppealRow, AppealRow.id == ServiceClockRow.appeal_id
        )
        total = await self._session.scalar(
            select(func.count())
            .select_from(ServiceClockRow)
            .outerjoin(AppealRow, AppealRow.id == ServiceClockRow.appeal_id)
            .where(*conditions)
        )
        rows = await self._session.execute(
            joined.where(*conditions)
            .order_by(ServiceClockRow.state.desc(), ServiceClockRow.due_at, ServiceClockRow.id)
            .limit(query.page_size)
            .offset((query.page - 1) * query.page_size)
        )
        found = tuple(_clock(row, number) for row, number in rows)
        return Page(found, total or 0, query.page, query.page_size)


def _is_over(now: datetime) -> tuple[Any, ...]:
    return (
        ServiceClockRow.state == ClockState.RUNNING.value,
        ServiceClockRow.due_at <= now,
        ServiceClockRow.reminded_at.is_(None),
    )


def _names(unit: str) -> Any:
    """Whether a unit stands in the list, which both databases keep as JSON text."""
    return cast(ServiceClockRow.units, Text).contains(json.dumps(unit, ensure_ascii=False), autoescape=True)


def _clock(row: ServiceClockRow, number: str | None) -> ServiceClock:
    return ServiceClock(
        kind=ServiceKind(row.kind),
        subject=row.subject,
        units=tuple(row.units),
        started_at=row.started_at,
        due_at=row.due_at,
        created_by=row.created_by,
        number=number,
        state=ClockState(row.state),
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        reminded_at=row.reminded_at,
        outcome=row.note,
        id=row.id,
    )
