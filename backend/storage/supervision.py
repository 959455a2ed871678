"""Supervision rows that are due: claimed, acted on and counted in few statements, whatever their number.

The lock order is everybody's: the appeal first, then its rows. Where the database has row locks, an appeal
that somebody works on is passed over and comes with the next pass.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appeals import chain
from backend.appeals.model import Appeal, Supervision, SupervisionKind, SupervisionState
from backend.appeals.ports import Scope
from backend.storage.appeals import SqlAppeals, supervision_of
from backend.storage.listing import within
from backend.storage.outbox import SqlOutbox
from backend.storage.penalties import SqlPenalties
from backend.storage.records import line_values
from backend.storage.tables import AppealRow, HistoryRow, OutboxRow, SupervisionRow
from backend.storage.vault import Vault
from backend.supervision.model import Deed, Delivery, DueAppeal, DueRow, Page, PhoneCall

log = logging.getLogger(__name__)

_MINE = (SupervisionKind.MOMENT.value, SupervisionKind.ASK.value)
_PENDING = SupervisionState.PENDING.value
_APPEALS: Any = AppealRow.__table__
_HISTORY: Any = HistoryRow.__table__


class SqlSupervision:
    """Implements `backend.supervision.ports.SupervisionRepository`."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault
        self._appeals = SqlAppeals(session, vault)

    async def claim(self, now: datetime, limit: int, but: Collection[int] = ()) -> tuple[DueAppeal, ...]:
        """Hold appeals with rows that are due, those due longest first.

        Args:
            now: The present moment.
            limit: At most so many appeals.
            but: Not those of these ids.
        """
        longest = (
            select(SupervisionRow.appeal_id, func.min(SupervisionRow.at).label("first"))
            .where(*_due(now), SupervisionRow.appeal_id.not_in(but))
            .group_by(SupervisionRow.appeal_id)
            .order_by("first", SupervisionRow.appeal_id)
            .limit(limit)
            .subquery()
        )
        held = (
            await self._session.scalars(
                select(AppealRow)
                .join(longest, longest.c.appeal_id == AppealRow.id)
                .order_by(longest.c.first, AppealRow.id)
                .with_for_update(of=AppealRow, skip_locked=True)
                .execution_options(populate_existing=True)
            )
        ).all()
        if not held:
            return ()
        ids = [row.id for row in held]
        # read after the lock: what a desk has stopped in between is not due any more
        rows: dict[int, list[DueRow]] = {one: [] for one in ids}
        due = await self._session.scalars(
            select(SupervisionRow)
            .where(*_due(now), SupervisionRow.appeal_id.in_(ids))
            .order_by(SupervisionRow.at, SupervisionRow.id)
        )
        for row in due:
            rows[row.appeal_id].append(DueRow(row.id, supervision_of(row)))
        penalised = await SqlPenalties(self._session).once(ids)
        return tuple(
            DueAppeal(row.id, appeal, tuple(rows[row.id]), penalised.get(row.id, frozenset()))
            for row in held
            if rows[row.id] and (appeal := self._readable(row)) is not None
        )

    def _readable(self, row: AppealRow) -> Appeal | None:
        """The appeal of a row without its contact; one that makes no sense must not stop all others."""
        try:
            return self._appeals.appeal(row, contact=False)
        except ValueError:
            log.error("appeal cannot be read", extra={"number": row.number})
            return None

    async def act(self, deeds: Sequence[Deed], now: datetime) -> None:
        """Write down what was done about appeals that this transaction holds.

        Args:
            deeds: One for each appeal.
            now: When.
        """
        await self._mark((one for deed in deeds for one in deed.done), SupervisionState.DONE, now)
        await self._mark((one for deed in deeds for one in deed.stopped), SupervisionState.STOPPED, None)
        lines: list[dict[str, Any]] = []
        heads: list[dict[str, Any]] = []
        for deed in deeds:
            appeal = deed.due.appeal
            head, position = appeal.record_head, appeal.record_length
            for line in deed.lines:
                position += 1
                values = line_values(self._vault, appeal.number, head, position, line)
                head = chain.head(self._vault.sign, appeal.number, position, values["signature"])
                lines.append({"appeal_id": deed.due.id, **values})
            if deed.lines:
                heads.append({"held": deed.due.id, "length": position, "head": head})
        if lines:
            # nobody who looks at the appeal has to look again: the version stays
            await self._session.execute(
                update(_APPEALS)
                .where(_APPEALS.c.id == bindparam("held"))
                .values(record_length=bindparam("length"), record_head=bindparam("head")),
                heads,
            )
            await self._session.execute(insert(_HISTORY), lines)
        await SqlOutbox(self._session, self._vault).add_all(
            [(deed.due.id, message) for deed in deeds for message in deed.messages]
        )
        await SqlPenalties(self._session).add_all(
            [(deed.due.id, penalty) for deed in deeds for penalty in deed.penalties]
        )

    async def backlog(self, now: datetime) -> tuple[int, datetime | None]:
        """How many rows are due and not acted on, and since when the oldest is."""
        query = select(func.count(SupervisionRow.id), func.min(SupervisionRow.at)).where(*_due(now))
        count, oldest = (await self._session.execute(query)).one()
        return count, oldest

    async def phone_list(self, now: datetime, scope: Scope, page: int, size: int) -> Page[PhoneCall]:
        """One page of the enterprises to be called, those due longest first.

        Args:
            now: The present moment.
            scope: Only appeals that a desk of this scope may see.
            page: From 1.
            size: So many on a page.
        """
        wanted = and_(
            SupervisionRow.state == _PENDING,
            SupervisionRow.at <= now,
            SupervisionRow.kind == SupervisionKind.CALL.value,
            *within(scope),
        )
        joined = select(AppealRow, SupervisionRow.at).join(
            SupervisionRow, SupervisionRow.appeal_id == AppealRow.id
        )
        total = await self._session.scalar(
            select(func.count(SupervisionRow.id))
            .join(AppealRow, AppealRow.id == SupervisionRow.appeal_id)
            .where(wanted)
        )
        found = (
            await self._session.execute(
                joined.where(wanted)
                .order_by(SupervisionRow.at, SupervisionRow.id)
                .limit(size)
                .offset((page - 1) * size)
            )
        ).all()
        ids = [row.id for row, _ in found]
        tried: dict[int, list[Supervision]] = {one: [] for one in ids}
        calls = await self._session.scalars(
            select(SupervisionRow)
            .where(
                SupervisionRow.appeal_id.in_(ids),
                SupervisionRow.kind == SupervisionKind.CALL.value,
                SupervisionRow.state == SupervisionState.DONE.value,
            )
            .order_by(SupervisionRow.acted_at, SupervisionRow.id)
        )
        for call in calls:
            tried[call.appeal_id].append(supervision_of(call))
        unreached = dict(
            (
                await self._session.execute(
                    select(OutboxRow.appeal_id, func.count(OutboxRow.id))
                    .where(
                        OutboxRow.appeal_id.in_(ids),
                        OutboxRow.state.in_([Delivery.NO_WAY.value, Delivery.DEAD.value]),
                        OutboxRow.role.is_(None),
                    )
                    .group_by(OutboxRow.appeal_id)
                )
            )
            .tuples()
            .all()
        )
        items = tuple(
            PhoneCall(self._appeals.appeal(row), since, tuple(tried[row.id]), unreached.get(row.id, 0))
            for row, since in found
        )
        return Page(items, total or 0, page, size)

    async def _mark(self, ids: Iterable[int], state: SupervisionState, at: datetime | None) -> None:
        wanted = list(ids)
        if wanted:
            await self._session.execute(
                update(SupervisionRow)
                .where(SupervisionRow.id.in_(wanted))
                .values(state=state.value, acted_at=at)
                .execution_options(synchronize_session=False)
            )


def _due(now: datetime) -> tuple[Any, ...]:
    return (
        SupervisionRow.state == _PENDING,
        SupervisionRow.at <= now,
        SupervisionRow.kind.in_(_MINE),
    )
