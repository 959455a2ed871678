"""Time limits beside 135 as people use them: started, looked at, ended with an outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

from backend.appeals import access, filing
from backend.appeals.calendar import WorkCalendar, local
from backend.appeals.numbers import parse_number
from backend.appeals.ports import Clock, Directory
from backend.appeals.routing import distinct
from backend.appeals.service_times import ServiceKind, service_due
from backend.errors import Conflict, InvalidInput, NotAllowed, NotFound
from backend.masking import mask
from backend.people.actors import SYSTEM, Actor
from backend.people.audit import AuditEntry
from backend.people.roles import Role
from backend.permissions import Action
from backend.supervision.assessment import unit_named
from backend.supervision.model import ClockQuery, ClockState, Page, ServiceClock
from backend.supervision.ports import SupervisionUnitOfWorkFactory
from backend.supervision.staff import role_for

_LONGEST_SUBJECT = 200
_OLDEST = timedelta(days=366)
_INSPECTORS = frozenset({Role.INSPECTION, Role.TASKFORCE})


class ServiceClockService:
    """Starts, lists and ends time limits.

    Args:
        unit_of_work: Opens a transaction.
        clock: The present moment.
        directory: Official names of departments and territories.
        calendar: The working days as they are now.
        close: Close of business.
    """

    def __init__(
        self,
        unit_of_work: SupervisionUnitOfWorkFactory,
        clock: Clock,
        directory: Directory,
        calendar: Callable[[], WorkCalendar],
        close: time,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._directory = directory
        self._calendar = calendar
        self._close = close

    async def start(
        self,
        actor: Actor,
        kind: ServiceKind,
        subject: str,
        units: Sequence[str],
        *,
        number: str | None = None,
        started_at: datetime | None = None,
        due_at: datetime | None = None,
    ) -> ServiceClock:
        """Start a time limit.

        Args:
            actor: Operator, territory, task force; the inspection office for the direct line.
            kind: What for.
            subject: The matter in one line; telephone numbers and the like are masked, because units read it.
            units: Names or aliases of who is concerned.
            number: An appeal that it belongs to, which the actor may see.
            started_at: Hand-over or application; now unless given.
            due_at: For the direct line only, for which the documents give no limit; the appeal's due time
                unless given.

        Raises:
            InvalidInput: A field cannot be used.
            NotAllowed: The role starts none, or not this kind.
            NotFound: No such appeal, or not the actor's to see.
        """
        role = role_for(actor, Action.CLOCKS_START)
        if (kind is ServiceKind.DIRECT_LINE and role not in _INSPECTORS) or (
            kind is not ServiceKind.DIRECT_LINE and role is Role.INSPECTION
        ):
            raise NotAllowed("书记区长直通车事项由两办督查室或专班登记，其他事项由窗口、属地或专班登记。")
        words = filing.check_text(subject, "subject", "事项", least=2, most=_LONGEST_SUBJECT)
        named = distinct(unit_named(unit, self._directory, "units") for unit in units)
        if len(named) not in kind.units:
            raise InvalidInput(_HOW_MANY.get(kind, "请填写承办单位，最多 24 个。"), field="units")
        now = local(self._clock()).replace(microsecond=0)
        begun = local(started_at).replace(microsecond=0) if started_at else now
        if begun > now or begun < now - _OLDEST:
            raise InvalidInput("开始时间不能晚于现在，也不能早于一年以前。", field="started_at")
        limit = service_due(kind, begun, self._calendar(), self._close)
        if limit is not None and due_at is not None:
            raise InvalidInput("这类事项的时限由文件规定，不能另填。", field="due_at")
        plain = parse_number(number[:40]) if number else None
        async with self._unit_of_work() as work:
            if number is not None:
                appeal = await work.appeals.get(plain, scope=access.scope_of(actor)) if plain else None
                if appeal is None:
                    raise NotFound("没有找到这件诉求。")
                if kind is ServiceKind.DIRECT_LINE and due_at is None:
                    due_at = appeal.due_at
            due = limit or (local(due_at) if due_at else None)
            if due is None or due <= begun:
                raise InvalidInput(
                    "文件没有规定这类事项的时限，请填写开始时间之后的办理期限。", field="due_at"
                )
            made = ServiceClock(kind, mask(words)[:_LONGEST_SUBJECT], named, begun, due, actor.name)
            stored = await work.service_clocks.add(made, plain)
            after = {"kind": kind.value, "units": list(named), "due_at": due.isoformat(), "number": plain}
            await work.audit.add(AuditEntry(now, actor, "clock.start", f"clock {stored.id}", after=after))
            await work.commit()
            return stored

    async def list(self, actor: Actor, query: ClockQuery) -> Page[ServiceClock]:
        """One page: running ones first, due soonest first.

        Departments and territories see those that concern them, and those that they started themselves.

        Raises:
            NotAllowed: The role sees none.
            InvalidInput: Unknown unit.
        """
        role = role_for(actor, Action.CLOCKS_VIEW)
        if query.unit is not None:
            query = replace(query, unit=unit_named(query.unit, self._directory, "unit"))
        if query.number is not None:
            query = replace(query, number=parse_number(query.number[:40]) or "")
        if role.needs_unit:
            query = replace(query, viewer=actor.unit or "", starter=actor.name)
        async with self._unit_of_work(read_only=True) as work:
            return await work.service_clocks.find(query, self._clock())

    async def end(self, actor: Actor, clock_id: int, outcome: str) -> ServiceClock:
        """Give the outcome, which ends the time limit.

        Args:
            actor: A unit concerned, or the task force; the inspection office for the direct line.
            clock_id: Which.
            outcome: In own words.

        Raises:
            InvalidInput: The outcome says nothing.
            NotAllowed: The role ends none, or not this kind.
            NotFound: No such time limit, or it does not concern the actor.
            Conflict: It is ended already.
        """
        role = role_for(actor, Action.CLOCKS_END)
        words = filing.check_text(outcome, "outcome", "办理结果", least=2)
        async with self._unit_of_work() as work:
            found = await work.service_clocks.get(clock_id, lock=True)
            if found is None or (role.needs_unit and actor.unit not in found.units):
                raise NotFound("没有找到这个时限。")
            if role is Role.INSPECTION and found.kind is not ServiceKind.DIRECT_LINE:
                raise NotAllowed("两办督查室只登记书记区长直通车事项的结果。")
            if found.state is ClockState.ENDED:
                raise Conflict("这个时限已经登记过办理结果。", code="wrong_state")
            now = max(local(self._clock()).replace(microsecond=0), local(found.started_at))
            ended = replace(found, state=ClockState.ENDED, ended_at=now, ended_by=actor.name, outcome=words)
            await work.service_clocks.end(ended)
            after = {"ended_at": now.isoformat(), "overdue": ended.is_overdue(now)}
            await work.audit.add(AuditEntry(now, actor, "clock.end", f"clock {clock_id}", after=after))
            await work.commit()
            return ended

    def is_provisional(self, clock: ServiceClock) -> bool:
        """Whether its due time rests on a year whose holidays are not published yet."""
        if clock.kind.working_days is None:
            return False
        first, last = local(clock.started_at).date(), local(clock.due_at).date()
        return self._calendar().touches_provisional(first, last)

    async def recompute(self) -> int:
        """Bring due times in line with the calendar, after a notice or an override was entered.

        Only what runs and is not due yet is touched.

        Returns:
            How many got another due time.
        """
        now = self._clock()
        changed = 0
        async with self._unit_of_work() as work:
            for clock in await work.service_clocks.not_yet_due(now):
                due = service_due(clock.kind, clock.started_at, self._calendar(), self._close)
                if due is not None and due != clock.due_at:
                    await work.service_clocks.move(clock.id, due)
                    before = {"due_at": local(clock.due_at).isoformat()}
                    entry = AuditEntry(
                        now,
                        SYSTEM,
                        "clock.recompute",
                        f"clock {clock.id}",
                        before,
                        {"due_at": due.isoformat()},
                    )
                    await work.audit.add(entry)
                    changed += 1
            if changed:
                await work.commit()
        return changed


_HOW_MANY = {
    ServiceKind.POLICY_SINGLE: "单个部门处置的事项只有一个承办单位。",
    ServiceKind.POLICY_JOINT: "部门联合办理的事项至少有两个承办单位，最多 24 个。",
}
