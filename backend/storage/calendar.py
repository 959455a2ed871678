"""The calendar's overrides and settled years in the database."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appeals.almanac import Override, SettledYear
from backend.storage.tables import CalendarDayRow, CalendarYearRow
from backend.storage.upserts import upsert


class SqlCalendar:
    """Implements `backend.appeals.almanac.CalendarRepository`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def days(self) -> tuple[Override, ...]:
        """All days that differ, by day."""
        rows = await self._session.scalars(select(CalendarDayRow).order_by(CalendarDayRow.day))
        return tuple(Override(row.day, row.working, row.note, row.changed_at, row.changed_by) for row in rows)

    async def years(self) -> tuple[SettledYear, ...]:
        """All settled years, by year."""
        rows = await self._session.scalars(select(CalendarYearRow).order_by(CalendarYearRow.year))
        return tuple(SettledYear(row.year, row.note, row.changed_at, row.changed_by) for row in rows)

    async def put_day(self, override: Override) -> None:
        """Enter a day, or enter it anew."""
        values: dict[str, Any] = {
            "working": override.working,
            "note": override.note,
            "changed_at": override.changed_at,
            "changed_by": override.changed_by,
        }
        await self._session.execute(
            upsert(self._session, CalendarDayRow)
            .values(day=override.day, **values)
            .on_conflict_do_update(index_elements=[CalendarDayRow.day], set_=values)
        )

    async def remove_day(self, day: date) -> None:
        """Take a day out."""
        await self._session.execute(delete(CalendarDayRow).where(CalendarDayRow.day == day))

    async def put_year(self, settled: SettledYear) -> None:
        """Mark a year as complete."""
        values: dict[str, Any] = {
            "note": settled.note,
            "changed_at": settled.changed_at,
            "changed_by": settled.changed_by,
        }
        await self._session.execute(
            upsert(self._session, CalendarYearRow)
            .values(year=settled.year, **values)
            .on_conflict_do_update(index_elements=[CalendarYearRow.year], set_=values)
        )

    async def remove_year(self, year: int) -> None:
        """Take the mark away."""
        await self._session.execute(delete(CalendarYearRow).where(CalendarYearRow.year == year))
