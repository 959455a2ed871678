"""What the service does with appeals by itself, on a rule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from backend.appeals import lifecycle
from backend.appeals.calendar import local
from backend.appeals.engine import Engine
from backend.appeals.model import Appeal, Event, Supervision, SupervisionKind, SupervisionState
from backend.people.actors import SYSTEM


class Upkeep(Engine):
    """What nobody asks for."""

    async def recompute(self) -> int:
        """Bring due times and moments in line with the calendar, after a notice or an override was entered.

        Only appeals that are neither resolved nor due yet are touched (docs/135.md, 2); to be called at the
        start and after each change of the calendar.

        Returns:
            How many appeals got another due time or other moments, or lost their mark as provisional.
        """
        async with self._unit_of_work(read_only=True) as work:
            now = self._now()
            candidates = await work.appeals.not_yet_due(now)
            moments = await work.appeals.moments_not_yet_due(now)
        changed = 0
        for candidate in candidates:
            timed = self._timed(candidate)
            if timed != candidate or self._moved(timed, moments.get(candidate.number, ())):
                changed += await self._recompute_one(candidate.number)
        return changed

    def _moved(self, appeal: Appeal, rows: Iterable[Supervision]) -> bool:
        """Whether the present calendar has other moments for an appeal than its rows.

        A moment may move while the due time stays, because the last one lies a working day later.
        """
        wanted = {(moment.at, moment.by) for moment in self._moments(appeal)}
        mine = [row for row in rows if row.kind is SupervisionKind.MOMENT]
        known = {(row.at, row.by) for row in mine}
        pending = {(row.at, row.by) for row in mine if row.state is SupervisionState.PENDING}
        return not pending <= wanted <= known

    async def _recompute_one(self, number: str) -> bool:
        async with self._unit_of_work() as work:
            appeal = await work.appeals.get(number, lock=True)
            if appeal is None or not appeal.is_open or appeal.due_at <= self._now():
                return False
            state = lifecycle.next_state(appeal.state, Event.RECOMPUTE, SYSTEM.role)
            timed = self._timed(appeal)
            same = timed == appeal
            if same and not self._moved(timed, await work.appeals.supervision(number)):
                return False
            summary = (
                "放假安排有更新，督办时间随之调整，办理时限不变"
                if same
                else f"放假安排有更新，办理时限为{local(timed.due_at):%Y-%m-%d %H:%M}"
            )
            await self._change(
                work.appeals,
                appeal,
                replace(timed, state=state),
                SYSTEM,
                Event.RECOMPUTE,
                summary,
                public=not same,
                moved=True,
            )
            await work.commit()
        return True
