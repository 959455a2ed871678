"""What the tests of supervision share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appeal_district import District, StillClock
from sqlalchemy import select

from backend.appeals.model import Event, HistoryEvent
from backend.storage.database import Database
from backend.storage.tables import AppealRow, OutboxRow, PenaltyRow, SupervisionRow
from backend.supervision.clock import Pass
from backend.supervision.service import Supervision


async def rows(database: Database, table: type[Any], *where: Any) -> list[Any]:
    """All rows of a table, in the order of their ids."""
    async with database.unit_of_work(read_only=True) as work:
        assert work._session is not None
        return list(await work._session.scalars(select(table).where(*where).order_by(table.id)))


@dataclass
class Watched:
    """A district and its supervision."""

    district: District
    supervision: Supervision

    @property
    def clock(self) -> StillClock:
        return self.district.clock

    @property
    def database(self) -> Database:
        return self.district.database

    def at(self, text: str) -> None:
        """Set the clock, in local time."""
        self.clock.now = datetime.fromisoformat(f"{text}+08:00")

    async def tick(self) -> Pass:
        return await self.supervision.clock.run_once()

    async def reminders(self, number: str) -> list[HistoryEvent]:
        async with self.database.unit_of_work(read_only=True) as work:
            return [line for line in await work.appeals.history(number) if line.event is Event.REMIND]

    async def outbox(self, *where: Any) -> list[OutboxRow]:
        return await rows(self.database, OutboxRow, *where)

    async def penalties(self) -> list[tuple[str, str]]:
        return sorted((row.kind, row.unit) for row in await rows(self.database, PenaltyRow))

    async def supervised(self, number: str) -> list[tuple[str, str, str]]:
        """Kind, time and state of an appeal's rows."""
        appeal = (await rows(self.database, AppealRow, AppealRow.number == number))[0]
        found = await rows(self.database, SupervisionRow, SupervisionRow.appeal_id == appeal.id)
        return sorted((row.kind, row.at.isoformat(), row.state) for row in found)
