"""The phone list: enterprises that stay silent on a resolved appeal.

A call closes nothing. What is said on the telephone is kept in words for the desks; the appeal is closed, or
sent back, by the enterprise itself with its number and phone, as always (docs/135.md, 7).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time

from backend.appeals import access, filing, lifecycle
from backend.appeals.calendar import SHANGHAI, WorkCalendar, local
from backend.appeals.model import Appeal, Event, HistoryEvent, Supervision, SupervisionKind, SupervisionState
from backend.appeals.numbers import parse_number
from backend.appeals.ports import Clock
from backend.errors import Conflict, NotFound
from backend.people.actors import Actor
from backend.permissions import Action
from backend.supervision.model import Page, PhoneCall
from backend.supervision.ports import SupervisionUnitOfWorkFactory
from backend.supervision.staff import role_for

_MORNING = time(9, 0)
_LONGEST = 1000


class PhoneService:
    """Lists whom to call, and keeps what came of it.

    Args:
        unit_of_work: Opens a transaction.
        clock: The present moment.
        calendar: The working days as they are now.
    """

    def __init__(
        self, unit_of_work: SupervisionUnitOfWorkFactory, clock: Clock, calendar: Callable[[], WorkCalendar]
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._calendar = calendar

    async def list(self, actor: Actor, page: int = 1, page_size: int = 20) -> Page[PhoneCall]:
        """One page of the enterprises to be called, those due longest first.

        A liaison sees their enterprises.

        Raises:
            NotAllowed: The role calls nobody.
        """
        role_for(actor, Action.CALLS_MAKE)
        async with self._unit_of_work(read_only=True) as work:
            return await work.supervision.phone_list(self._clock(), access.scope_of(actor), page, page_size)

    async def called(self, actor: Actor, number: str, outcome: str, *, again: bool = False) -> Appeal:
        """Keep what came of a call; the appeal stays as it is.

        Args:
            actor: Who called.
            number: Appeal number.
            outcome: In own words.
            again: Nobody was reached: it is on the list again on the next working day.

        Raises:
            InvalidInput: The outcome says nothing.
            NotAllowed: The role calls nobody.
            NotFound: No such appeal, or not the actor's to see.
            Conflict: The enterprise is not on the phone list.
        """
        role = role_for(actor, Action.CALLS_MAKE)
        words = filing.check_text(outcome, "outcome", "回访结果", least=2, most=_LONGEST)
        plain = parse_number(number[:40])
        async with self._unit_of_work() as work:
            appeal = await work.appeals.get(plain, scope=access.scope_of(actor), lock=True) if plain else None
            if appeal is None:
                raise NotFound("没有找到这件诉求。")
            lifecycle.next_state(appeal.state, Event.NOTE, role)
            now = local(self._clock()).replace(microsecond=0)
            rows = await work.appeals.supervision(appeal.number)
            call = next((row for row in rows if _is_due(row, now)), None)
            if call is None:
                raise Conflict("这件诉求目前不需要电话回访。", code="wrong_state")
            done = replace(call, state=SupervisionState.DONE, text=words, acted_at=now)
            next_time = [replace(call, at=self._next_morning(now))] if again else []
            kept = [row for row in rows if row is not call]
            await work.appeals.replace_supervision(appeal.number, (*kept, done, *next_time))
            at = max(now, local(appeal.resolved_at)) if appeal.resolved_at else now
            summary = "电话回访，未联系上，下一工作日再次回访" if again else "电话回访"
            line = HistoryEvent(at, actor, Event.NOTE, summary, words, public=False)
            stored = await work.appeals.save(appeal, line, same_version=True)
            await work.commit()
            return stored

    def _next_morning(self, now: datetime) -> datetime:
        day = self._calendar().nth_working_day_after(now.date(), 1)
        return datetime.combine(day, _MORNING, tzinfo=SHANGHAI)


def _is_due(row: Supervision, now: datetime) -> bool:
    return row.kind is SupervisionKind.CALL and row.state is SupervisionState.PENDING and row.at <= now
