"""What the service does with appeals by itself, on a rule."""

from __future__ import annotations

from dataclasses import replace

from backend.appeals import lifecycle
from backend.appeals.calendar import local
from backend.appeals.engine import Engine
from backend.appeals.model import Event
from backend.people.actors import SYSTEM


class Upkeep(Engine):
    """What nobody asks for."""

    async def recompute(self) -> int:
        """Bring due times and moments in line with the calendar, after a notice or an override was entered.

        Only appeals that are neither resolved nor due yet are touched (docs/135.md, 2); to be called at the
        start and after each change of the calendar.

        Returns:
            How many appeals got another due time or lost their mark as provisional.
        """
        async with self._unit_of_work(read_only=True) as work:
            candidates = await work.appeals.not_yet_due(self._now())
        changed = 0
        for candidate in candidates:
            if self._timed(candidate) != candidate:
                changed += await self._recompute_one(candidate.number)
        return changed

    async def _recompute_one(self, number: str) -> bool:
        async with self._unit_of_work() as work:
            appeal = await work.appeals.get(number, lock=True)
            if appeal is None or not appeal.is_open or appeal.due_at <= self._now():
                return False
            state = lifecycle.next_state(appeal.state, Event.RECOMPUTE, SYSTEM.role)
            timed = self._timed(appeal)
            if timed == appeal:
                return False
            summary = f"放假安排有更新，办理时限为{local(timed.due_at):%Y-%m-%d %H:%M}"
            changed = replace(timed, state=state)
            await self._change(work.appeals, appeal, changed, SYSTEM, Event.RECOMPUTE, summary)
            await work.commit()
        return True
