"""Events that count in the yearly assessment."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appeals.penalties import ONCE, Penalty, PenaltyKind
from backend.storage.tables import AppealRow, PenaltyRow
from backend.storage.upserts import upsert
from backend.supervision.model import KeptPenalty, Page, PenaltyQuery

# the table itself: the mapped class would make an insert of its own for each pattern of empty columns
_TABLE: Any = PenaltyRow.__table__


class SqlPenalties:
    """Implements `backend.supervision.ports.PenaltyRepository`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, appeal_id: int, penalties: Sequence[Penalty]) -> None:
        """Keep events of an appeal that this transaction holds; lateness is kept once."""
        if penalties:
            known = await self.once([appeal_id])
            await self.add_all(
                [(appeal_id, one) for one in penalties if one.kind not in known.get(appeal_id, ())]
            )

    async def add_all(self, penalties: Sequence[tuple[int, Penalty]]) -> None:
        """Keep events of appeals; the same one twice is kept once."""
        if penalties:
            statement = upsert(self._session, _TABLE).on_conflict_do_nothing()
            await self._session.execute(statement, [_values(*one) for one in penalties])

    async def once(self, appeal_ids: Collection[int]) -> Mapping[int, frozenset[PenaltyKind]]:
        """Which of the kinds that count once appeals have already."""
        query = select(PenaltyRow.appeal_id, PenaltyRow.kind).where(
            PenaltyRow.appeal_id.in_(appeal_ids), PenaltyRow.kind.in_([kind.value for kind in ONCE])
        )
        found: dict[int, frozenset[PenaltyKind]] = {}
        for appeal_id, kind in await self._session.execute(query):
            found[appeal_id] = found.get(appeal_id, frozenset()) | {PenaltyKind(kind)}
        return found

    async def find(self, query: PenaltyQuery) -> Page[KeptPenalty]:
        """One page, newest first."""
        conditions: list[Any] = []
        if query.unit is not None:
            conditions.append(PenaltyRow.unit == query.unit)
        if query.kind is not None:
            conditions.append(PenaltyRow.kind == query.kind.value)
        if query.since is not None:
            conditions.append(PenaltyRow.at >= query.since)
        if query.before is not None:
            conditions.append(PenaltyRow.at < query.before)
        total = await self._session.scalar(select(func.count(PenaltyRow.id)).where(*conditions))
        rows = await self._session.execute(
            select(PenaltyRow, AppealRow.number)
            .join(AppealRow, AppealRow.id == PenaltyRow.appeal_id)
            .where(*conditions)
            .order_by(PenaltyRow.at.desc(), PenaltyRow.id.desc())
            .limit(query.page_size)
            .offset((query.page - 1) * query.page_size)
        )
        found = tuple(KeptPenalty(number, _penalty(row)) for row, number in rows)
        return Page(found, total or 0, query.page, query.page_size)


def _values(appeal_id: int, penalty: Penalty) -> dict[str, Any]:
    return {
        "appeal_id": appeal_id,
        "kind": penalty.kind.value,
        "unit": penalty.unit,
        "at": penalty.at,
        "note": penalty.note,
        "actor_name": penalty.by,
    }


def _penalty(row: PenaltyRow) -> Penalty:
    at: datetime = row.at
    return Penalty(PenaltyKind(row.kind), row.unit, at, row.note, row.actor_name)
