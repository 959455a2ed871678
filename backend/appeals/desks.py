"""The desks' side of an appeal: what staff do with it, one method and one transaction each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol, get_args

from backend.appeals import access, escalation, filing, lifecycle, routing
from backend.appeals.deadlines import TASKFORCE
from backend.appeals.engine import AppealRecord, Engine, missed, newest_changes
from backend.appeals.likeness import enterprise_key
from backend.appeals.model import (
    Appeal,
    Event,
    HistoryEvent,
    Level,
    State,
    Supervision,
    SupervisionKind,
    SupervisionState,
)
from backend.appeals.numbers import parse_number
from backend.appeals.ports import AppealPage, AppealQuery, AppealRepository, Correction
from backend.errors import Conflict, InvalidInput, NotAllowed, NotFound
from backend.knowledge.entries import BoardName
from backend.masking import mask
from backend.people.actors import Actor
from backend.people.roles import Role
from backend.permissions import Action, require
from backend.text import clean


class DeskSide(Engine):
    """What staff can do."""

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
            phone=_phone(query.phone) if query.phone else None,
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
            appeal = await self._of_desk(work.appeals, access.scope_of(actor), number)
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
        category: str | None = None,
        territory: str | None = None,
        text: str = "",
        version: int | None = None,
    ) -> AppealRecord:
        """Give a filed appeal to who handles it; the territory's decision on level and lead.

        What is left out stays as proposed. Several departments make a whistle appeal, which the territory
        leads and all departments co-handle; the territory must then be known. An appeal that comes back for a
        new review has its past: whoever led it counts, and a whistle appeal stays one.

        Args:
            actor: Territory, operator, task force or admin.
            number: Appeal number.
            lead_department: Name or alias.
            co_departments: Names or aliases.
            level: The decision on the level.
            category: The decision on the board.
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
            board = _board(category) if category else deed.appeal.category
            place = (
                own_territory
                or deed.appeal.territory
                or (actor.unit if actor.role is Role.TERRITORY else None)
            )
            lead = named_lead or (deed.appeal.lead_department if not named else None)
            co = named or (deed.appeal.co_departments if not named_lead else ())
            wanted = level or (deed.appeal.level if not (named_lead or named) else None)
            leads = routing.distinct((*deed.appeal.led_by, *((lead,) if lead else ())))
            blown = deed.appeal.level is Level.WHISTLE and await deed.was_assigned()
            decided = _decide(wanted, deed.appeal.level, leads, co, stays_whistle=blown)
            _need_territory(decided, place)
            changed = self._routed(deed.appeal, decided, leads)
            changed = replace(
                changed,
                state=deed.state,
                category=board,
                territory=place,
                assigned_at=self._now(deed.appeal),
            )
            if _corrected(deed.appeal, changed):
                await deed.appeals.add_correction(_correction(changed))
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
            changed, summary = self._named_anew(deed, target, named, own_territory, "重新交办")
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
                deed.appeal,
                state=deed.state,
                first_reply_at=deed.appeal.first_reply_at or self._now(deed.appeal),
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
            now = self._now(deed.appeal)
            changed = replace(
                deed.appeal,
                state=deed.state,
                resolved_at=now,
                first_resolved_at=deed.appeal.first_resolved_at or now,
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
            await deed.appeals.replace_supervision(
                deed.appeal.number, (*rows, _order(self._now(deed.appeal), by, words))
            )
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
            changed = replace(
                deed.appeal,
                state=deed.state,
                escalation_level=step.level,
                major=deed.appeal.major or major,
            )
            return await deed.commit(
                changed,
                f"提级到第 {step.level} 级：{step.name}",
                words,
                public=False,
                # by names that no recorded field has, or the record would no longer tell what that field is
                also={
                    "documents": sorted(documents),
                    "called_major": major,
                    "leaders_needed": leaders_needed,
                },
            )

    async def decline(
        self, actor: Actor, number: str, reason: str, *, version: int | None = None
    ) -> AppealRecord:
        """Do not accept an appeal that cannot or must not be handled; the explanation is owed and public.

        The enterprise has the word then: it agrees, which closes the appeal, or it comes back for a new
        review.

        Raises:
            InvalidInput: No explanation is given.
            NotAllowed, NotFound, Conflict: As everywhere at the desks.
        """
        words = filing.check_text(reason, "reason", "不予受理的说明", least=6)
        async with self._acting(actor, number, Event.DECLINE, version) as deed:
            now = self._now(deed.appeal)
            changed = replace(
                deed.appeal,
                state=deed.state,
                resolved_at=now,
                first_resolved_at=deed.appeal.first_resolved_at or now,
                first_reply_at=deed.appeal.first_reply_at or now,
            )
            return await deed.commit(changed, f"{actor.unit or TASKFORCE}不予受理，等待企业确认", words)

    async def return_escalated(
        self,
        actor: Actor,
        number: str,
        *,
        reason: str,
        lead_department: str | None = None,
        co_departments: Sequence[str] = (),
        territory: str | None = None,
        version: int | None = None,
    ) -> AppealRecord:
        """Give an escalation back that is not fit for a higher level, and supervise it directly.

        The units may have gone on with it meanwhile; only a step that was given back already cannot be again.

        The task force names lead and co-departments anew where it thinks fit. The coordination level is again
        what it was before.

        Raises:
            InvalidInput: Unknown department, or no reason given.
            Conflict: It was not escalated, or its last step was given back already (``wrong_state``).
            NotAllowed, NotFound, Conflict: As everywhere at the desks.
        """
        target = (
            filing.check_department(lead_department, self._directory, "lead_department")
            if lead_department
            else None
        )
        named = self._departments(co_departments)
        own_territory = filing.check_territory(territory, self._directory)
        words = filing.check_text(reason, "reason", "退回理由", least=2)
        async with self._acting(actor, number, Event.RETURN, version) as deed:
            history = await deed.appeals.history(deed.appeal.number)
            step = _last_step(history)
            if step is None:
                raise Conflict(
                    "这件诉求没有待定的提级，不能退回提级。",
                    code="wrong_state",
                    state=deed.appeal.state.value,
                )
            below = replace(
                deed.appeal,
                escalation_level=int(step.before.get("escalation_level", 1)),
                major=bool(step.before.get("major", deed.appeal.major)),
                state=deed.state,
            )
            if target is None and not named:
                changed, summary = below, "专班退回提级，由原单位继续办理"
            else:
                changed, summary = self._named_anew(
                    replace(deed, appeal=below), target, named, own_territory, "专班退回提级，重新交办"
                )
            rows = await deed.appeals.supervision(deed.appeal.number)
            order = _order(self._now(deed.appeal), TASKFORCE, words)
            await deed.appeals.replace_supervision(deed.appeal.number, (*rows, order))
            return await deed.commit(
                replace(changed, state=deed.state), f"{summary}，由{TASKFORCE}直接督办", words, public=False
            )

    async def merge(
        self, actor: Actor, number: str, *, into: str, reason: str, version: int | None = None
    ) -> AppealRecord:
        """Let another appeal of the same enterprise go on for this one.

        Only for appeals of one enterprise, and never by the service itself. The enterprise sees it and can
        take it back; closing stays with the appeal that goes on.

        Args:
            actor: Territory, operator, task force or admin, who must see both.
            number: The appeal that ends here.
            into: The one that goes on.
            reason: Why it is the same matter.
            version: Version that the actor saw.

        Raises:
            InvalidInput: The same appeal twice, or no reason given.
            Conflict: Another enterprise's (``other_enterprise``), or one of the two has ended.
            NotAllowed, NotFound: As everywhere at the desks.
        """
        words = filing.check_text(reason, "reason", "并案理由", least=2)
        first, second = parse_number(number[:40]), parse_number(into[:40])
        if first and first == second:
            raise InvalidInput("不能并入自己，请填写另一件诉求的编号。", field="into")
        require(_staff(actor), Action.APPEALS_MERGE)
        async with self._unit_of_work() as work:
            scope = access.scope_of(actor)
            # locked in the order of their numbers, so that two merges at once cannot wait for each other
            found = {
                plain: await work.appeals.get(plain, scope=scope, lock=True)
                for plain in sorted({plain for plain in (first, second) if plain})
            }
            ends, stays = found.get(first or ""), found.get(second or "")
            if ends is None or stays is None:
                raise NotFound("没有找到这件诉求。")
            if version is not None and version != ends.version:
                raise await missed(work.appeals, ends.number, version)
            state = lifecycle.next_state(ends.state, Event.MERGE, actor.role)
            if enterprise_key(ends.enterprise) != enterprise_key(stays.enterprise):
                raise Conflict("只有同一家企业的诉求可以并案。", code="other_enterprise")
            if stays.state in (State.MERGED, State.WITHDRAWN, State.CLOSED):
                raise Conflict(
                    f"{stays.number} 目前“{stays.state.text}”，不能再并入。",
                    code="wrong_state",
                    state=stays.state.value,
                )
            changed = replace(ends, state=state, merged_into=stays.number)
            stored = await self._change(
                work.appeals, ends, changed, actor, Event.MERGE, f"并入 {stays.number} 一并办理", words
            )
            await self._change(
                work.appeals,
                stays,
                stays,
                actor,
                Event.MERGE,
                f"{ends.number} 并入本诉求一并办理",
                words,
                also={"merged": ends.number},
            )
            record = await self._record(work.appeals, stored)
            await work.commit()
            return record

    async def unmerge(
        self, actor: Actor, number: str, *, reason: str, version: int | None = None
    ) -> AppealRecord:
        """Take an appeal out of the one that it was merged into; it is reviewed again.

        Raises:
            InvalidInput: No reason given.
            NotAllowed, NotFound, Conflict: As everywhere at the desks.
        """
        words = filing.check_text(reason, "reason", "理由", least=2)
        async with self._acting(actor, number, Event.UNMERGE, version) as deed:
            changed = replace(deed.appeal, state=deed.state, merged_into=None, assigned_at=None)
            return await deed.commit(changed, f"取消与 {deed.appeal.merged_into} 的并案", words)

    # -- inside ------------------------------------------------------------

    def _departments(self, names: Iterable[str]) -> tuple[str, ...]:
        return routing.distinct(
            filing.check_department(name, self._directory, "co_departments") for name in names
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

    def _named_anew(
        self, deed: _Deed, target: str | None, named: Sequence[str], territory: str | None, verb: str
    ) -> tuple[Appeal, str]:
        """The appeal with the departments that the task force names, and what to say of it."""
        appeal = deed.appeal
        lead = target or appeal.lead_department
        if appeal.level is Level.WHISTLE or lead is None:
            involved = routing.distinct((*appeal.co_departments, *named))
            changed = replace(
                appeal,
                state=deed.state,
                territory=territory or appeal.territory,
                lead_department=lead,
                co_departments=tuple(name for name in involved if name != lead),
                led_by=routing.distinct((*appeal.led_by, *((lead,) if lead else ()))),
            )
            return changed, _assigned_summary(verb, changed)
        return self._rerouted(deed, lead, territory, verb, named)

    @asynccontextmanager
    async def _acting(
        self, actor: Actor, number: str, event: Event, version: int | None
    ) -> AsyncIterator[_Deed]:
        """Open the transaction of a desk's deed: role first, then ownership, state and version."""
        require(_staff(actor), Action(f"appeals.{event.value}"))
        async with self._unit_of_work() as work:
            appeal = await self._of_desk(work.appeals, access.scope_of(actor), number, lock=True)
            if version is not None and version != appeal.version:
                raise await missed(work.appeals, appeal.number, version)
            try:
                state = lifecycle.next_state(appeal.state, event, actor.role)
            except Conflict as refused:
                # who acts at the same time as another, and sent no version, is told as well what came first
                refused.details["version"] = appeal.version
                refused.details["changes"] = await newest_changes(work.appeals, appeal.number)
                raise
            if appeal.erased_at is not None:
                raise Conflict(
                    "这件诉求的个人信息已按规定清除，不能再办理。", code="wrong_state", state=state.value
                )

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

    async def was_assigned(self) -> bool:
        history = await self.appeals.history(self.appeal.number)
        return any(line.event is Event.ASSIGN for line in history)

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


def _staff(actor: Actor) -> Role:
    if not isinstance(actor.role, Role):
        raise NotAllowed("请用工作人员账号登录。")
    return actor.role


def _decide(
    wanted: Level | None, proposed: Level, leads: Sequence[str], co: Sequence[str], *, stays_whistle: bool
) -> routing.Route:
    """Level and lead from a decision, or from the proposal and the departments where none was taken.

    Raises:
        InvalidInput: The decision contradicts the departments, or what the appeal has been already.
    """
    if wanted is None:
        alone = proposed is Level.WHISTLE and leads and not co and not stays_whistle
        return routing.route(Level.SINGLE if alone else proposed, leads, co)
    decided = routing.route(Level.WHISTLE if stays_whistle else wanted, leads, co)
    if decided.level is not wanted:
        raise InvalidInput(
            f"{wanted.text}需要且只能有一个主办部门；涉及多个部门、流转过两个部门或者部门不明确的是吹哨问题，"
            "已交办的吹哨问题不再改为其他级别。",
            field="level",
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


def _order(at: datetime, by: str, words: str) -> Supervision:
    return Supervision(at, by, SupervisionKind.ORDER, SupervisionState.DONE, words, at)


def _last_step(history: Sequence[HistoryEvent]) -> HistoryEvent | None:
    """The last step up that was not given back; ``before`` tells what the appeal was without it."""
    for line in reversed(history):
        if line.event is Event.RETURN:
            return None
        if line.event is Event.ESCALATE:
            return line
    return None


def _board(category: str) -> str:
    if category not in get_args(BoardName):
        raise InvalidInput(f"板块只能是：{'、'.join(get_args(BoardName))}。", field="category")
    return category


def _corrected(proposed: Appeal, decided: Appeal) -> bool:
    """Whether the territory decided otherwise than proposed."""
    return any(
        getattr(proposed, name) != getattr(decided, name)
        for name in ("category", "level", "lead_department", "co_departments")
    )


def _correction(decided: Appeal) -> Correction:
    lead = decided.lead_department or (decided.co_departments[0] if decided.co_departments else None)
    at = decided.assigned_at or decided.submitted_at
    return Correction(decided.number, mask(decided.text), decided.category, decided.level.value, lead, at)


def _phone(given: str) -> str:
    normal = filing.normal_phone(given)
    if normal is None:
        raise InvalidInput("请填写完整的联系电话，才能按电话查找。", field="phone")
    return normal
