"""The use cases of an appeal, from filing to closing: one method each, one transaction each.

Every change of an appeal and the line of its record that tells of it are stored in the same transaction, and
only over the version that was read: of two people who act at once one wins, and the other is told.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, time
from types import MappingProxyType
from typing import Any, Final, Protocol

from backend.appeals import access, escalation, filing, lifecycle, routing
from backend.appeals.calendar import WorkCalendar, local
from backend.appeals.deadlines import (
    CLOSE_OF_BUSINESS,
    due_after_upgrade,
    due_at,
    is_provisional,
    supervision_moments,
)
from backend.appeals.model import (
    Appeal,
    Event,
    Feedback,
    FeedbackResult,
    Filing,
    HistoryEvent,
    Level,
    State,
    Supervision,
    SupervisionKind,
    SupervisionState,
)
from backend.appeals.numbers import format_number, parse_number
from backend.appeals.ports import (
    AppealPage,
    AppealQuery,
    AppealRepository,
    AppealUnitOfWorkFactory,
    Clock,
    Directory,
    DuplicateKey,
    Proposal,
    StaleVersion,
    StoredGroup,
    Triage,
)
from backend.errors import Conflict, InvalidInput, NotAllowed, NotFound
from backend.people.actors import ENTERPRISE, SYSTEM, Actor
from backend.people.roles import Role
from backend.permissions import Action, require
from backend.text import clean

_LOG = logging.getLogger(__name__)
_MAX_COMMENT: Final = 1000
_UNGUESSABLE: Final = 22
"""Characters from which on an idempotency key can be random enough (128 bits) to be a proof of its own."""


@dataclass(frozen=True)
class FiledGroup:
    """What came of a filing.

    Attributes:
        group: Id shared by the appeals.
        appeals: One for each separate problem.
        created: False if the same filing had been stored before and is only repeated here.
    """

    group: str
    appeals: tuple[Appeal, ...]
    created: bool


@dataclass(frozen=True)
class AppealRecord:
    """An appeal with its record.

    Attributes:
        appeal: As it is now.
        history: Oldest first; only the public lines where the enterprise looks.
        supervision: Moments and orders; empty where the enterprise looks.
    """

    appeal: Appeal
    history: tuple[HistoryEvent, ...]
    supervision: tuple[Supervision, ...] = ()


class AppealService:
    """All that can be done with appeals.

    Args:
        unit_of_work: Opens a transaction.
        triage: Splits a text and proposes level and departments.
        calendar: The working days; a function, where overrides may change while the service runs.
        clock: The present moment.
        directory: Official names of departments and territories.
        prefix: Letters of the appeal numbers.
        close: Close of business.
    """

    def __init__(
        self,
        unit_of_work: AppealUnitOfWorkFactory,
        triage: Triage,
        calendar: WorkCalendar | Callable[[], WorkCalendar],
        clock: Clock,
        directory: Directory,
        *,
        prefix: str = "QT",
        close: time = CLOSE_OF_BUSINESS,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._triage = triage
        self._calendar_source = calendar
        self._clock = clock
        self._directory = directory
        self._prefix = prefix
        self._close = close

    # -- the enterprise ------------------------------------------------------------

    async def file(self, sent: Filing, actor: Actor = ENTERPRISE) -> FiledGroup:
        """File what an enterprise sends: one appeal for each separate problem.

        Args:
            sent: The filing, unchecked.
            actor: Who files; staff may do it for an enterprise.

        Returns:
            The group; a repeat under the same idempotency key answers the first group again.

        Raises:
            InvalidInput: A field cannot be used.
            Conflict: The idempotency key was used for something else (``idempotency_conflict``);
                ``details["numbers"]`` says what was filed under it, where the key cannot be guessed.
        """
        checked = filing.check_filing(sent, self._directory)
        content = filing.fingerprint(checked)
        if checked.idempotency_key:
            stored = await self._stored(checked.idempotency_key, content)
            if stored:
                return stored
        try:
            return await self._store(checked, content, actor)
        except DuplicateKey:
            stored = await self._stored(checked.idempotency_key or "", content)
            if stored is None:
                raise
            return stored

    async def filed_under(self, idempotency_key: str) -> FiledGroup:
        """What was filed under an idempotency key, as it is now; for a caller that lost the answer.

        The key is the only proof asked for, so one that is short enough to be guessed shows nothing.

        Raises:
            NotFound: Nothing was filed under it, or the key has fewer than 22 characters; both read the same.
        """
        if len(idempotency_key) >= _UNGUESSABLE:
            async with self._unit_of_work(read_only=True) as work:
                group = await work.appeals.group_by_key(idempotency_key)
                if group is not None:
                    return FiledGroup(group.group, await work.appeals.of_group(group.group), created=False)
        raise NotFound("这个请求编号下没有已提交的诉求。")

    async def lookup(self, number: str, phone: str) -> AppealRecord:
        """What the enterprise may see of its appeal.

        Raises:
            NotFound: No such appeal, or not with this phone; both read the same.
        """
        async with self._unit_of_work(read_only=True) as work:
            appeal = await self._of_enterprise(work.appeals, number, phone)
            history = await work.appeals.history(appeal.number)
        return AppealRecord(appeal, tuple(line for line in history if line.public))

    async def give_feedback(
        self, number: str, phone: str, result: str, stars: int | None = None, comment: str = ""
    ) -> AppealRecord:
        """Take the enterprise's word after the lead's resolve: close the appeal, or send it back.

        The same word given twice counts once.

        Args:
            number: Appeal number.
            phone: The phone left at filing.
            result: ``resolved`` or ``unresolved``.
            stars: 1 to 5; needed with ``resolved``.
            comment: Optional.

        Raises:
            InvalidInput: Result, stars or comment cannot be used.
            NotFound: No such appeal, or not with this phone.
            Conflict: The lead has not resolved it yet, or feedback was given already.
        """
        word, given_stars, words = _check_feedback(result, stars, comment)
        async with self._unit_of_work() as work:
            appeal = await self._of_enterprise(work.appeals, number, phone, lock=True)
            if appeal.state is not State.RESOLVED:
                last = appeal.feedback
                if last is None or (last.result, last.stars, last.comment) != (word, given_stars, words):
                    raise _no_feedback_now(appeal)
                return await self._public(work.appeals, appeal)
            now = self._now()
            solved = word is FeedbackResult.RESOLVED
            event = Event.CONFIRM if solved else Event.REJECT
            changed = replace(
                appeal,
                state=lifecycle.next_state(appeal.state, event, ENTERPRISE.role),
                feedback=Feedback(now, word, given_stars, words),
                closed_at=now if solved else None,
                resolved_at=appeal.resolved_at if solved else None,
                dissatisfied=appeal.dissatisfied + (not solved),
            )
            rating = f"，评价 {given_stars} 星" if given_stars else ""
            summary = (
                f"企业反馈已解决{rating}，诉求闭环"
                if solved
                else f"企业反馈未解决{rating}，退回{appeal.lead}重新办理，办理时限不变"
            )
            # a later re-routing must not take this off those for whom it counts today (docs/135.md, 8)
            with_whom = list(routing.distinct((appeal.territory_text, appeal.lead)))
            changed = await self._change(
                work.appeals,
                appeal,
                changed,
                ENTERPRISE,
                event,
                summary,
                words,
                also={} if solved else {"dissatisfied_with": with_whom},
            )
            await work.commit()
            return await self._public(work.appeals, changed)

    async def withdraw(self, number: str, phone: str, reason: str = "") -> AppealRecord:
        """Take an appeal back, before it is resolved.

        Raises:
            NotFound: No such appeal, or not with this phone.
            Conflict: It is resolved, closed or withdrawn already.
        """
        words = filing.check_text(reason, "reason", "撤回原因", least=0, most=_MAX_COMMENT)
        async with self._unit_of_work() as work:
            appeal = await self._of_enterprise(work.appeals, number, phone, lock=True)
            state = lifecycle.next_state(appeal.state, Event.WITHDRAW, ENTERPRISE.role)
            changed = await self._change(
                work.appeals,
                appeal,
                replace(appeal, state=state),
                ENTERPRISE,
                Event.WITHDRAW,
                "企业撤回诉求",
                words,
            )
            await work.commit()
            return await self._public(work.appeals, changed)

    # -- the desks ------------------------------------------------------------

    async def list(self, actor: Actor, query: AppealQuery) -> AppealPage:
        """One page of the appeals on an actor's desk.

        Raises:
            NotAllowed: The role has no desk.
            InvalidInput: The page is out of range, or a unit is unknown.
        """
        require(_staff(actor), Action.APPEALS_VIEW)
        if query.page < 1 or not 1 <= query.page_size <= 100:
            raise InvalidInput("页码从 1 开始，每页 1 到 100 条。", field="page")
        if query.page > 1_000_000:
            raise InvalidInput("页码太大。", field="page")
        query = replace(
            query,
            department=filing.check_department(query.department, self._directory, "department")
            if query.department
            else None,
            territory=filing.check_territory(query.territory, self._directory),
            text=clean(query.text)[:100] or None if query.text else None,
        )
        async with self._unit_of_work(read_only=True) as work:
            return await work.appeals.find(query, access.scope_of(actor), self._now())

    async def get(self, actor: Actor, number: str) -> AppealRecord:
        """An appeal with its whole record and its supervision.

        Raises:
            NotAllowed: The role has no desk.
            NotFound: No such appeal, or not this desk's.
        """
        require(_staff(actor), Action.APPEALS_VIEW)
        async with self._unit_of_work(read_only=True) as work:
            appeal = await self._of_desk(work.appeals, actor, number)
            return await self._record(work.appeals, appeal)

    async def history(self, actor: Actor, number: str) -> tuple[HistoryEvent, ...]:
        """The whole record of an appeal, oldest first.

        Raises:
            NotAllowed: The role has no desk.
            NotFound: No such appeal, or not this desk's.
        """
        return (await self.get(actor, number)).history

    async def assign(
        self,
        actor: Actor,
        number: str,
        *,
        lead_department: str | None = None,
        co_departments: Sequence[str] = (),
        level: Level | None = None,
        territory: str | None = None,
        text: str = "",
        version: int | None = None,
    ) -> AppealRecord:
        """Give a filed appeal to who handles it; the territory's decision on level and lead.

        What is left out stays as proposed. Several departments make a whistle appeal, which the territory
        leads and all departments co-handle; the territory must then be known.

        Args:
            actor: Territory, operator, task force or admin.
            number: Appeal number.
            lead_department: Name or alias.
            co_departments: Names or aliases.
            level: The decision on the level.
            territory: Confirms or corrects the territory; a territory account's own unit where it is unknown.
            text: Words for the lead; not shown to the enterprise.
            version: Version that the actor saw; refused if the appeal has changed since.

        Raises:
            InvalidInput: Unknown unit, or level and departments do not go together.
            NotAllowed, NotFound, Conflict: As everywhere at the desks.
        """
        named_lead = (
            filing.check_department(lead_department, self._directory, "lead_department")
            if lead_department
            else None
        )
        named = self._departments(co_departments)
        own_territory = filing.check_territory(territory, self._directory)
        words = _words(text)
        async with self._acting(actor, number, Event.ASSIGN, version) as deed:
            place = (
                own_territory
                or deed.appeal.territory
                or (actor.unit if actor.role is Role.TERRITORY else None)
            )
            lead = named_lead or (deed.appeal.lead_department if not named else None)
            co = named or (deed.appeal.co_departments if not named_lead else ())
            wanted = level or (deed.appeal.level if not (named_lead or named) else None)
            decided = _decide(wanted, deed.appeal.level, lead, co)
            _need_territory(decided, place)
            changed = self._routed(deed.appeal, decided, ((lead,) if lead else ()))
            changed = replace(changed, state=deed.state, territory=place, assigned_at=self._now())
            return await deed.commit(changed, _assigned_summary("交办", changed), words)

    async def transfer(
        self,
        actor: Actor,
        number: str,
        *,
        department: str,
        reason: str,
        territory: str | None = None,
        version: int | None = None,
    ) -> AppealRecord:
        """Hand an appeal on to another department.

        The second distinct lead department makes it a whistle appeal. The first one keeps first-asked
        responsibility in the record.

        Raises:
            InvalidInput: Unknown department, no reason given, or the territory is not known.
            NotAllowed, NotFound, Conflict: As everywhere at the desks.
        """
        target = filing.check_department(department, self._directory, "department")
        own_territory = filing.check_territory(territory, self._directory)
        words = filing.check_text(reason, "reason", "转办理由", least=2)
        async with self._acting(actor, number, Event.TRANSFER, version) as deed:
            if actor.role is Role.DEPARTMENT and not access.leads(actor, deed.appeal):
                raise NotAllowed("只有主办部门可以转办。")
            return await deed.commit(*self._rerouted(deed, target, own_territory, "转办"), words)

    async def reassign(
        self,
        actor: Actor,
        number: str,
        *,
        lead_department: str,
        co_departments: Sequence[str] = (),
        reason: str,
        territory: str | None = None,
        version: int | None = None,
    ) -> AppealRecord:
        """Let the task force name lead and co-departments anew.

        In a whistle appeal the named department leads from now on; in any other one the rule for the second
        lead department holds here too.

        Raises:
            InvalidInput: Unknown department, no reason given, or the territory is not known.
            NotAllowed, NotFound, Conflict: As everywhere at the desks.
        """
        target = filing.check_department(lead_department, self._directory, "lead_department")
        named = self._departments(co_departments)
        own_territory = filing.check_territory(territory, self._directory)
        words = filing.check_text(reason, "reason", "重新交办理由", least=2)
        async with self._acting(actor, number, Event.REASSIGN, version) as deed:
            if deed.appeal.level is Level.WHISTLE:
                involved = routing.distinct((*deed.appeal.co_departments, *named))
                changed = replace(
                    deed.appeal,
                    state=deed.state,
                    territory=own_territory or deed.appeal.territory,
                    lead_department=target,
                    co_departments=tuple(name for name in involved if name != target),
                    led_by=routing.distinct((*deed.appeal.led_by, target)),
                )
                return await deed.commit(changed, _assigned_summary("重新交办", changed), words)
            changed, summary = self._rerouted(deed, target, own_territory, "重新交办", named)
            return await deed.commit(changed, summary, words)

    async def start(self, actor: Actor, number: str, *, version: int | None = None) -> AppealRecord:
        """Say that the handling has begun."""
        async with self._acting(actor, number, Event.START, version) as deed:
            _must_handle(actor, deed.appeal)
            return await deed.commit(replace(deed.appeal, state=deed.state), f"{actor.unit}开始办理", "")

    async def reply(
        self, actor: Actor, number: str, text: str, *, version: int | None = None
    ) -> AppealRecord:
        """Answer the enterprise; it sees the text.

        Raises:
            InvalidInput: The reply is empty or too long.
            NotAllowed, NotFound, Conflict: As everywhere at the desks.
        """
        words = filing.check_text(text, "text", "答复内容", least=2)
        async with self._acting(actor, number, Event.REPLY, version) as deed:
            _must_handle(actor, deed.appeal)
            changed = replace(
                deed.appeal, state=deed.state, first_reply_at=deed.appeal.first_reply_at or self._now()
            )
            return await deed.commit(changed, f"{actor.unit}答复", words)

    async def resolve(
        self, actor: Actor, number: str, text: str = "", *, version: int | None = None
    ) -> AppealRecord:
        """Say, as the lead, that the appeal is done; the reminders stop, the enterprise is asked.

        Args:
            actor: The lead department, or the territory that leads.
            number: Appeal number.
            text: The outcome for the enterprise; may be left out if it has had a reply since the last return.
            version: Version that the actor saw.

        Raises:
            InvalidInput: The enterprise has had no answer yet, and none is given.
            NotAllowed: Another than the lead; co-departments reply only.
            NotFound, Conflict: As everywhere at the desks.
        """
        words = filing.check_text(text, "text", "办理结果", least=2) if text.strip() else ""
        async with self._acting(actor, number, Event.RESOLVE, version) as deed:
            if not access.leads(actor, deed.appeal):
                raise NotAllowed(f"本诉求由{deed.appeal.lead}牵头，只有牵头单位可以办结。")
            if not words and not _answered(await deed.appeals.history(deed.appeal.number)):
                raise InvalidInput("办结前请先答复企业，或者在办结时填写办理结果。", field="text")
            now = self._now()
            changed = replace(
                deed.appeal,
                state=deed.state,
                resolved_at=now,
                first_reply_at=deed.appeal.first_reply_at or now,
            )
            return await deed.commit(changed, f"{actor.unit}办结，等待企业确认", words)

    async def note(self, actor: Actor, number: str, text: str) -> AppealRecord:
        """Add an internal note.

        Raises:
            InvalidInput: The note is empty or too long.
            NotAllowed, NotFound, Conflict: As everywhere at the desks.
        """
        words = filing.check_text(text, "text", "备注内容")
        async with self._acting(actor, number, Event.NOTE, None) as deed:
            return await deed.commit(deed.appeal, "内部备注", words, public=False)

    async def supervise(self, actor: Actor, number: str, text: str) -> AppealRecord:
        """Give a supervision order (督办).

        Raises:
            InvalidInput: The order says nothing.
            NotAllowed, NotFound, Conflict: As everywhere at the desks.
        """
        words = filing.check_text(text, "text", "督办要求", least=2)
        async with self._acting(actor, number, Event.SUPERVISE, None) as deed:
            by = escalation.supervising_office(actor)
            rows = await deed.appeals.supervision(deed.appeal.number)
            order = Supervision(self._now(), by, SupervisionKind.ORDER, SupervisionState.DONE, words)
            await deed.appeals.replace_supervision(deed.appeal.number, (*rows, order))
            return await deed.commit(deed.appeal, f"{by}督办", words, public=False)

    async def escalate(
        self,
        actor: Actor,
        number: str,
        *,
        to_level: int,
        documents: Collection[str] = (),
        reason: str,
        major: bool = False,
        leaders_needed: int = 1,
        version: int | None = None,
    ) -> AppealRecord:
        """Move an appeal up the four coordination levels.

        Args:
            actor: The territory, or the task force.
            number: Appeal number.
            to_level: 2, 3 or 4.
            documents: Documents at hand, by the names of `backend.appeals.escalation.DOCUMENTS`.
            reason: Why it cannot be solved where it is.
            major: A major matter, which may go straight to level 4.
            leaders_needed: District leaders needed; two or more go straight to level 4.
            version: Version that the actor saw.

        Raises:
            InvalidInput: Unknown document, level out of range, no reason.
            Conflict: Not the next level, or documents are missing (named in ``details``).
            NotAllowed, NotFound: As everywhere at the desks.
        """
        words = filing.check_text(reason, "reason", "提级理由", least=2)
        async with self._acting(actor, number, Event.ESCALATE, version) as deed:
            step = escalation.check_step(
                deed.appeal.escalation_level, to_level, documents, major=major, leaders_needed=leaders_needed
            )
            changed = replace(deed.appeal, escalation_level=step.level)
            return await deed.commit(
                changed,
                f"提级到第 {step.level} 级：{step.name}",
                words,
                public=False,
                also={"documents": sorted(documents), "major": major, "leaders_needed": leaders_needed},
            )

    # -- the service itself ------------------------------------------------------------

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

    def _timed(self, appeal: Appeal) -> Appeal:
        """The appeal with the due time that the present calendar gives its level."""
        due = due_at(appeal.level, appeal.submitted_at, self.calendar, self._close)
        provisional = self._is_provisional(appeal.level, appeal.submitted_at)
        return replace(appeal, due_at=due, due_provisional=provisional)

    def _is_provisional(self, level: Level, submitted_at: datetime) -> bool:
        """Whether due time or moments of a level rest on a year without a notice."""
        last = supervision_moments(level, submitted_at, self.calendar)[-1].at
        return is_provisional(submitted_at, last, self.calendar)

    # -- inside ------------------------------------------------------------

    @property
    def calendar(self) -> WorkCalendar:
        """The working days as they are now."""
        source = self._calendar_source
        return source if isinstance(source, WorkCalendar) else source()

    def _now(self) -> datetime:
        return local(self._clock()).replace(microsecond=0)

    async def _stored(self, key: str, content: str) -> FiledGroup | None:
        async with self._unit_of_work(read_only=True) as work:
            group = await work.appeals.group_by_key(key)
            if group is None:
                return None
            appeals = await work.appeals.of_group(group.group)
            if group.content_hash != content:
                numbers = [appeal.number for appeal in appeals] if len(key) >= _UNGUESSABLE else []
                raise Conflict(
                    "同一个 idempotency_key 已经用于另一份不同的诉求，请换一个。",
                    code="idempotency_conflict",
                    numbers=numbers,
                )
            return FiledGroup(group.group, appeals, created=False)

    async def _store(self, checked: Filing, content: str, actor: Actor) -> FiledGroup:
        problems = await asyncio.to_thread(self._triage.propose, checked.text, checked.territory)
        group = uuid.uuid4().hex
        direct = filing.is_direct_line(checked.channel)
        async with self._unit_of_work() as work:
            now = self._now()
            await work.appeals.add_group(StoredGroup(group, content, checked.idempotency_key, now))
            parts = [_Part.of(problem) for problem in problems] or [_Part.unclear(checked.text)]
            numbers = await work.appeals.next_numbers(now.date(), len(parts))
            filed = []
            for count, part in zip(numbers, parts, strict=True):
                decided = routing.route(part.level, (part.lead,) if part.lead else (), part.co)
                due = due_at(decided.level, now, self.calendar, self._close)
                appeal = Appeal(
                    number=format_number(self._prefix, now.date(), count),
                    group=group,
                    enterprise=checked.enterprise,
                    contact=checked.contact,
                    phone=checked.phone,
                    text=part.text,
                    channel=checked.channel,
                    category=part.category,
                    level=decided.level,
                    initial_level=decided.level,
                    state=State.FILED,
                    direct_line=direct,
                    territory=checked.territory,
                    lead_department=decided.lead_department,
                    co_departments=decided.co_departments,
                    submitted_at=now,
                    due_at=due,
                    due_provisional=self._is_provisional(decided.level, now),
                    reasons=part.reasons,
                )
                await work.appeals.add(appeal, self._moments(appeal))
                summary = (
                    f"已提交诉求，初步判定为{appeal.level.text}，由{appeal.territory or '平台、街道'}审核交办"
                )
                after = _differences(None, appeal)
                await work.appeals.add_history(
                    appeal.number, HistoryEvent(now, actor, Event.FILE, summary, "", True, {}, after)
                )
                filed.append(appeal)
            await work.commit()
        for appeal in filed:
            if appeal.due_provisional:
                _LOG.warning("%s is timed by a year whose holidays are not published", appeal.number)
        return FiledGroup(group, tuple(filed), created=True)

    def _moments(self, appeal: Appeal) -> tuple[Supervision, ...]:
        moments = supervision_moments(
            appeal.level, appeal.submitted_at, self.calendar, direct_line=appeal.direct_line
        )
        return tuple(Supervision(moment.at, moment.by) for moment in moments)

    def _departments(self, names: Iterable[str]) -> tuple[str, ...]:
        return routing.distinct(
            filing.check_department(name, self._directory, "co_departments") for name in names
        )

    def _routed(self, appeal: Appeal, decided: routing.Route, leads: tuple[str, ...]) -> Appeal:
        """The appeal on a new route, with the due time that belongs to it."""
        due = appeal.due_at
        if decided.level is not appeal.level:
            due = (
                due_after_upgrade(appeal.due_at, appeal.submitted_at, self.calendar, self._close)
                if decided.level is Level.WHISTLE
                else due_at(decided.level, appeal.submitted_at, self.calendar, self._close)
            )
        return replace(
            appeal,
            level=decided.level,
            lead_department=decided.lead_department,
            co_departments=decided.co_departments,
            led_by=routing.distinct((*appeal.led_by, *leads)),
            due_at=due,
            due_provisional=self._is_provisional(decided.level, appeal.submitted_at),
        )

    def _rerouted(
        self, deed: _Deed, target: str, territory: str | None, verb: str, named: Sequence[str] = ()
    ) -> tuple[Appeal, str]:
        """The appeal handed on to another department, and what to say of it."""
        appeal, actor = deed.appeal, deed.actor
        place = territory or appeal.territory or (actor.unit if actor.role is Role.TERRITORY else None)
        leads = (*appeal.led_by, target)
        decided = routing.route(appeal.level, leads, (*appeal.co_departments, *named))
        _need_territory(decided, place)
        changed = replace(self._routed(appeal, decided, leads), state=deed.state, territory=place)
        summary = _assigned_summary(verb, changed)
        if changed.level is not appeal.level:
            summary += "，流转两个及以上主办部门，调整为吹哨问题"
        return changed, summary

    async def _of_enterprise(
        self, appeals: AppealRepository, number: str, phone: str, *, lock: bool = False
    ) -> Appeal:
        plain = parse_number(number[:40])
        appeal = await appeals.get(plain, lock=lock) if plain else None
        if appeal is None or not filing.same_phone(appeal.phone, phone[:60]):
            raise NotFound("没有找到与该编号和联系电话相符的诉求，请核对后再试。")
        return appeal

    async def _of_desk(
        self, appeals: AppealRepository, actor: Actor, number: str, *, lock: bool = False
    ) -> Appeal:
        plain = parse_number(number[:40])
        appeal = await appeals.get(plain, lock=lock) if plain else None
        if appeal is None or not access.can_see(actor, appeal):
            raise NotFound("没有找到这件诉求。")
        return appeal

    async def _record(self, appeals: AppealRepository, appeal: Appeal) -> AppealRecord:
        number = appeal.number
        return AppealRecord(appeal, await appeals.history(number), await appeals.supervision(number))

    async def _public(self, appeals: AppealRepository, appeal: Appeal) -> AppealRecord:
        history = await appeals.history(appeal.number)
        return AppealRecord(appeal, tuple(line for line in history if line.public))

    @asynccontextmanager
    async def _acting(
        self, actor: Actor, number: str, event: Event, version: int | None
    ) -> AsyncIterator[_Deed]:
        """Open the transaction of a desk's deed: role first, then ownership, state and version."""
        require(_staff(actor), Action(f"appeals.{event.value}"))
        async with self._unit_of_work() as work:
            appeal = await self._of_desk(work.appeals, actor, number, lock=True)
            state = lifecycle.next_state(appeal.state, event, actor.role)
            if version is not None and version != appeal.version:
                raise _changed_meanwhile(appeal.version)

            async def commit(
                changed: Appeal, summary: str, text: str, public: bool, also: Mapping[str, Any]
            ) -> AppealRecord:
                stored = await self._change(
                    work.appeals, appeal, changed, actor, event, summary, text, public=public, also=also
                )
                record = await self._record(work.appeals, stored)
                await work.commit()
                return record

            yield _Deed(work.appeals, actor, appeal, state, commit)

    async def _change(
        self,
        appeals: AppealRepository,
        appeal: Appeal,
        changed: Appeal,
        actor: Actor,
        event: Event,
        summary: str,
        text: str = "",
        *,
        public: bool = True,
        also: Mapping[str, Any] = MappingProxyType({}),
    ) -> Appeal:
        """Store a changed appeal, its line in the record, and the supervision that now holds."""
        now = self._now()
        try:
            stored = await appeals.save(changed)
        except StaleVersion:
            raise _changed_meanwhile(appeal.version) from None
        before, after = _differences(stored, appeal), _differences(appeal, stored)
        line = HistoryEvent(now, actor, event, summary, text, public, before, {**after, **also})
        await appeals.add_history(appeal.number, line)
        if _timing(changed) != _timing(appeal):
            rows = await appeals.supervision(appeal.number)
            await appeals.replace_supervision(
                appeal.number, _supervision_after(rows, self._moments(changed), changed.is_open, now)
            )
        return stored


class _Commit(Protocol):
    async def __call__(
        self, changed: Appeal, summary: str, text: str, public: bool, also: Mapping[str, Any]
    ) -> AppealRecord: ...


@dataclass(frozen=True)
class _Deed:
    """What one member of staff does to one appeal, inside its transaction."""

    appeals: AppealRepository
    actor: Actor
    appeal: Appeal
    state: State
    store: _Commit

    async def commit(
        self,
        changed: Appeal,
        summary: str,
        text: str,
        *,
        public: bool = True,
        also: Mapping[str, Any] = MappingProxyType({}),
    ) -> AppealRecord:
        return await self.store(changed, summary, text, public, also)


@dataclass(frozen=True)
class _Part:
    """One problem as triage proposes it, in this module's types."""

    text: str
    category: str
    level: Level
    lead: str | None
    co: tuple[str, ...]
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, proposal: Proposal) -> _Part:
        return cls(
            proposal.text,
            proposal.category,
            Level(proposal.level),
            proposal.lead_department or None,
            tuple(proposal.co_departments),
            tuple(proposal.reasons),
        )

    @classmethod
    def unclear(cls, text: str) -> _Part:
        return cls(text, "诉求", Level.WHISTLE, None, (), ("没有找到对应的部门，按吹哨问题处理",))


def _timing(appeal: Appeal) -> tuple[object, ...]:
    """What the supervision of an appeal depends on."""
    return appeal.level, appeal.state, appeal.due_at, appeal.due_provisional


def _staff(actor: Actor) -> Role:
    if not isinstance(actor.role, Role):
        raise NotAllowed("请用工作人员账号登录。")
    return actor.role


def _decide(wanted: Level | None, proposed: Level, lead: str | None, co: Sequence[str]) -> routing.Route:
    """Level and lead from a decision, or from the proposal and the departments where none was taken.

    Raises:
        InvalidInput: The decision contradicts the departments.
    """
    leads = (lead,) if lead else ()
    if wanted is None:
        base = Level.SINGLE if proposed is Level.WHISTLE and lead and not co else proposed
        return routing.route(base, leads, co)
    decided = routing.route(wanted, leads, co)
    if decided.level is not wanted:
        raise InvalidInput(
            f"{wanted.text}需要且只能有一个主办部门；涉及多个部门或者部门不明确的是吹哨问题。", field="level"
        )
    return decided


def _need_territory(decided: routing.Route, territory: str | None) -> None:
    if decided.lead_department is None and territory is None:
        raise InvalidInput("吹哨问题由平台、街道牵头，请先填写属地。", field="territory")


def _assigned_summary(verb: str, appeal: Appeal) -> str:
    helpers = f"，协办：{'、'.join(appeal.co_departments)}" if appeal.co_departments else ""
    return f"{verb}：由{appeal.lead}牵头办理{helpers}"


def _must_handle(actor: Actor, appeal: Appeal) -> None:
    """Refuse a unit that neither leads nor helps, such as a territory looking at a department's appeal."""
    if not (access.leads(actor, appeal) or actor.unit in appeal.co_departments):
        raise NotAllowed(f"本诉求由{appeal.lead}牵头办理，您的单位不是主办或协办单位。")


def _answered(history: Sequence[HistoryEvent]) -> bool:
    """Whether the enterprise has had an answer since it was filed, or since it last said 未解决."""
    for line in reversed(history):
        if line.event is Event.REJECT:
            return False
        if line.event is Event.REPLY:
            return True
    return False


def _words(text: str) -> str:
    return filing.check_text(text, "text", "说明", least=0)


def _check_feedback(result: str, stars: int | None, comment: str) -> tuple[FeedbackResult, int | None, str]:
    try:
        word = FeedbackResult(result)
    except ValueError:
        raise InvalidInput(
            "反馈结果只能是已解决（resolved）或未解决（unresolved）。", field="result"
        ) from None
    if stars is None and word is FeedbackResult.RESOLVED:
        raise InvalidInput("请用 1 到 5 星评价办理情况。", field="stars")
    if stars is not None and (isinstance(stars, bool) or not 1 <= stars <= 5):
        raise InvalidInput("评价应为 1 到 5 星。", field="stars")
    return word, stars, filing.check_text(comment, "comment", "评价内容", least=0, most=_MAX_COMMENT)


def _no_feedback_now(appeal: Appeal) -> Conflict:
    sentence = {
        State.CLOSED: "这件诉求已经闭环，不能再次反馈；如有新的问题，请重新提交诉求。",
        State.WITHDRAWN: "这件诉求已经撤回，不需要反馈。",
        State.REOPENED: "您的反馈已经收到，正在重新办理，办结后会再请您确认。",
    }.get(appeal.state, "主办单位还没有办结，办结后再请您确认是否解决。")
    return Conflict(sentence, code="wrong_state", state=appeal.state.value)


def _changed_meanwhile(version: int) -> Conflict:
    return Conflict("这件诉求刚刚被他人修改，请刷新后再操作。", code="version_conflict", version=version)


_RECORDED = (
    "state",
    "level",
    "territory",
    "lead_department",
    "co_departments",
    "due_at",
    "due_provisional",
    "escalation_level",
    "dissatisfied",
    "feedback",
)


def _differences(old: Appeal | None, new: Appeal) -> dict[str, Any]:
    """The recorded fields of ``new`` that differ from ``old``, ready for JSON."""
    return {
        name: _plain(getattr(new, name))
        for name in _RECORDED
        if old is None or getattr(old, name) != getattr(new, name)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return local(value).isoformat(timespec="seconds")
    if isinstance(value, Feedback):
        return {"result": value.result.value, "stars": value.stars, "comment": value.comment}
    if isinstance(value, tuple):
        return list(value)
    return value


def _supervision_after(
    rows: Sequence[Supervision], moments: Sequence[Supervision], is_open: bool, now: datetime
) -> tuple[Supervision, ...]:
    """The rows that hold after a change of level or state.

    What has been acted on stays. A resolve stops what is still to come; a return to the lead brings back the
    moments that lie ahead, because the clock is not reset; a new level has its own moments.
    """
    kept = [row for row in rows if row.kind is SupervisionKind.ORDER or row.state is SupervisionState.DONE]
    done = {(row.at, row.by) for row in kept if row.kind is SupervisionKind.MOMENT}
    stopped = {
        (row.at, row.by)
        for row in rows
        if row.kind is SupervisionKind.MOMENT and row.state is SupervisionState.STOPPED and row.at <= now
    }
    for row in moments:
        if (row.at, row.by) in done:
            continue
        live = is_open and (row.at, row.by) not in stopped
        kept.append(row if live else replace(row, state=SupervisionState.STOPPED))
    gone = {(row.at, row.by) for row in moments} | done
    kept.extend(
        replace(row, state=SupervisionState.STOPPED)
        for row in rows
        if row.kind is SupervisionKind.MOMENT and (row.at, row.by) not in gone
    )
    return tuple(sorted(kept, key=lambda row: (row.at, row.kind.value, row.by)))
