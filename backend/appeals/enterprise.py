"""The enterprise's side of an appeal: filing, following, saying whether it is solved."""

from __future__ import annotations

import asyncio
import logging
import uuid
from dataclasses import dataclass, replace
from typing import Final

from backend.appeals import filing, lifecycle, routing
from backend.appeals.deadlines import due_at
from backend.appeals.engine import AppealRecord, Engine, differences
from backend.appeals.model import (
    AWAITING,
    Appeal,
    Event,
    Feedback,
    FeedbackResult,
    Filing,
    HistoryEvent,
    Level,
    State,
)
from backend.appeals.notices import ENDED_WITH
from backend.appeals.numbers import format_number
from backend.appeals.ports import AppealRepository, DuplicateKey, Proposal, StoredGroup
from backend.errors import Conflict, InvalidInput, NotFound, Unavailable
from backend.people.actors import ENTERPRISE, SYSTEM, Actor
from backend.people.roles import Role

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


class EnterpriseSide(Engine):
    """What an enterprise can do, and staff for it; one method and one transaction each."""

    async def file(self, sent: Filing, actor: Actor = ENTERPRISE) -> FiledGroup:
        """File what an enterprise sends: one appeal for each separate problem.

        Args:
            sent: The filing, unchecked.
            actor: Who files; staff may do it for an enterprise, and only they open a direct-line appeal.

        Returns:
            The group; a repeat under the same idempotency key answers the first group again.

        Raises:
            InvalidInput: A field cannot be used.
            Conflict: The idempotency key was used for something else (``idempotency_conflict``);
                ``details["numbers"]`` says what was filed under it, where the key cannot be guessed.
        """
        checked = filing.check_filing(sent, self._directory)
        content = filing.fingerprint(checked)
        # most filings are new: whether the key is known is asked only of what cannot be stored
        try:
            return await self._store(checked, content, actor)
        except (DuplicateKey, Unavailable):
            stored = await self._stored(checked.idempotency_key, content) if checked.idempotency_key else None
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
            if appeal.state not in AWAITING:
                last = appeal.feedback
                if last is None or (last.result, last.stars, last.comment) != (word, given_stars, words):
                    raise _no_feedback_now(appeal)
                return await self._public(work.appeals, appeal)
            now = self._now(appeal)
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
            if changed.state is State.FILED:
                changed = replace(changed, assigned_at=None)
            rating = f"，评价 {given_stars} 星" if given_stars else ""
            summary = (
                f"企业反馈已解决{rating}，诉求闭环"
                if solved
                else f"企业不认可不予受理{rating}，退回{appeal.territory_text}重新审核，办理时限不变"
                if changed.state is State.FILED
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
            if solved:
                await self._tell_merged(work.appeals, changed)
            await work.commit()
            return await self._public(work.appeals, changed)

    async def withdraw(self, number: str, phone: str, reason: str = "") -> AppealRecord:
        """Take an appeal back, before it is resolved; those merged into it go on by themselves again.

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
            await self._release_merged(work.appeals, changed)
            await work.commit()
            return await self._public(work.appeals, changed)

    async def separate(self, number: str, phone: str, reason: str = "") -> AppealRecord:
        """Take an appeal out of the one that it was merged into: its enterprise says that they are two.

        Raises:
            NotFound: No such appeal, or not with this phone.
            Conflict: It is not merged.
        """
        words = filing.check_text(reason, "reason", "理由", least=0, most=_MAX_COMMENT)
        async with self._unit_of_work() as work:
            appeal = await self._of_enterprise(work.appeals, number, phone, lock=True)
            state = lifecycle.next_state(appeal.state, Event.UNMERGE, ENTERPRISE.role)
            changed = await self._change(
                work.appeals,
                appeal,
                replace(appeal, state=state, merged_into=None, assigned_at=None),
                ENTERPRISE,
                Event.UNMERGE,
                f"企业认为与 {appeal.merged_into} 不是同一件事，取消并案",
                words,
            )
            await work.commit()
            return await self._public(work.appeals, changed)

    # -- inside ------------------------------------------------------------

    async def _merged_into(self, appeals: AppealRepository, appeal: Appeal) -> list[Appeal]:
        """The appeals for which this one goes on, held for a change."""
        lines = await appeals.history(appeal.number)
        numbers = {str(line.after["merged"]) for line in lines if "merged" in line.after}
        found = [await appeals.get(number, lock=True) for number in sorted(numbers)]
        return [one for one in found if one is not None and one.merged_into == appeal.number]

    async def _release_merged(self, appeals: AppealRepository, appeal: Appeal) -> None:
        """One enterprise's word must not end what another person filed."""
        for one in await self._merged_into(appeals, appeal):
            state = lifecycle.next_state(one.state, Event.UNMERGE, SYSTEM.role)
            changed = replace(one, state=state, merged_into=None, assigned_at=None)
            summary = f"所并入的 {appeal.number} 已撤回，取消并案，重新审核"
            await self._change(appeals, one, changed, SYSTEM, Event.UNMERGE, summary)

    async def _tell_merged(self, appeals: AppealRepository, appeal: Appeal) -> None:
        """Who filed what was merged, and is somebody else, can still say that it is not solved."""
        for one in await self._merged_into(appeals, appeal):
            if not filing.same_phone(one.phone, appeal.phone):
                summary = f"所并入的 {appeal.number} 已由企业确认解决"
                also = {ENDED_WITH: appeal.number}
                await self._change(appeals, one, one, SYSTEM, Event.MERGE, summary, also=also)

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
        # a meeting of the district's leaders is entered by staff; anybody else only says so
        direct = filing.is_direct_line(checked.channel) and isinstance(actor.role, Role)
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
                summary = (
                    f"已提交诉求，初步判定为{appeal.level.text}，由{appeal.territory or '平台、街道'}审核交办"
                )
                line = HistoryEvent(now, actor, Event.FILE, summary, after=differences(None, appeal))
                filed.append(await work.appeals.add(appeal, self._moments(appeal), line))
            await work.commit()
        for appeal in filed:
            if appeal.due_provisional:
                _LOG.warning("%s is timed by a year whose holidays are not published", appeal.number)
        return FiledGroup(group, tuple(filed), created=True)


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
        State.MERGED: f"这件诉求已并入 {appeal.merged_into}，请对那一件反馈。",
        State.REOPENED: "您的反馈已经收到，正在重新办理，办结后会再请您确认。",
    }.get(appeal.state, "主办单位还没有办结，办结后再请您确认是否解决。")
    return Conflict(sentence, code="wrong_state", state=appeal.state.value)
