"""Who is told when something happens to an appeal, and in which words.

A message names the appeal and what is to be done, never a contact, a telephone number or what somebody wrote:
it may leave the house through a gateway. Who reads it opens the appeal at the desk, where ownership decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from backend.appeals.calendar import local
from backend.appeals.model import Appeal, Event, HistoryEvent, State
from backend.people.actors import Party
from backend.people.roles import Role

ENDED_WITH: Final = "ended_with"
"""Where the line of a merged appeal names the one whose end it tells of."""


class Audience(StrEnum):
    """For whom a message is."""

    DESK = "desk"
    ENTERPRISE = "enterprise"


class MessageKind(StrEnum):
    """What a message is about.

    Attributes:
        REMINDER: A supervision moment of 135.
        QUESTION: A silent enterprise is asked whether it is solved.
        OUTCOME: The lead has resolved, or the appeal is not accepted: the enterprise has the word.
        ASSIGNMENT: A unit has got an appeal.
        ORDER: A supervision order.
        ESCALATION: An appeal has gone up a coordination level.
        REOPENED: The enterprise says that it is not solved, or that a merge was wrong.
        ENDED: The enterprise has withdrawn or confirmed, or another appeal goes on for this one.
        FIRST_ASKED: A department with first-asked responsibility hands an appeal on; to be looked at.
        CLOCK: A time limit beside 135 is over.
        CALENDAR: A year that is counted with has no published holidays yet.
    """

    REMINDER = "reminder"
    QUESTION = "question"
    OUTCOME = "outcome"
    ASSIGNMENT = "assignment"
    ORDER = "order"
    ESCALATION = "escalation"
    REOPENED = "reopened"
    ENDED = "ended"
    FIRST_ASKED = "first_asked"
    CLOCK = "clock"
    CALENDAR = "calendar"


@dataclass(frozen=True)
class Desk:
    """A desk: a role, and the unit where the role has one."""

    role: Role
    unit: str | None = None


TASKFORCE_DESK: Final = Desk(Role.TASKFORCE)
INSPECTION_DESK: Final = Desk(Role.INSPECTION)
OPERATOR_DESK: Final = Desk(Role.OPERATOR)
LEADER_DESK: Final = Desk(Role.LEADER)

DESK_CHANNEL: Final = "desk"
"""The channel of what is read at a desk."""

_LEADERS_FROM: Final = 3
"""Coordination level from which the district's leaders are told."""


@dataclass(frozen=True)
class Message:
    """One message on its way.

    Attributes:
        key: The same for the same message, whatever is tried twice; the receiver tells repeats by it.
        kind: What it is about.
        to: The desk; None for the enterprise.
        channel: The way that the appeal came in, or `DESK_CHANNEL`.
        number: The appeal; None where there is none.
        subject: One line.
        body: The whole.
        at: When it was written.
    """

    key: str
    kind: MessageKind
    to: Desk | None
    channel: str
    number: str | None
    subject: str
    body: str
    at: datetime

    @property
    def audience(self) -> Audience:
        """For whom it is."""
        return Audience.DESK if self.to else Audience.ENTERPRISE


def message_key(*parts: str) -> str:
    """A key of at most 120 characters that is the same for the same parts; the first part stays readable."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
    return f"{parts[0][:40]}:{digest[:40]}"


def lead_desk(appeal: Appeal) -> Desk:
    """The desk that has to act on an open appeal now."""
    if appeal.state is State.FILED or appeal.lead_department is None:
        return Desk(Role.TERRITORY, appeal.territory) if appeal.territory else OPERATOR_DESK
    return Desk(Role.DEPARTMENT, appeal.lead_department)


def involved(appeal: Appeal) -> tuple[Desk, ...]:
    """The desks that have a part in an appeal; before it is assigned, only who has to assign it."""
    if appeal.state is State.FILED:
        return (lead_desk(appeal),)
    helpers = (Desk(Role.DEPARTMENT, name) for name in appeal.co_departments)
    territory = (Desk(Role.TERRITORY, appeal.territory),) if appeal.territory else ()
    return tuple(dict.fromkeys((lead_desk(appeal), *helpers, *territory)))


def messages_of(before: Appeal, after: Appeal, line: HistoryEvent) -> tuple[Message, ...]:
    """The messages that a change of an appeal gives rise to.

    Args:
        before: The appeal as it was.
        after: As it is stored now, its record grown by the line.
        line: What happened.
    """
    number, event = after.number, line.event
    until = f"办理时限：{local(after.due_at):%Y-%m-%d %H:%M}。"
    look = "请登录工作台查看。"
    made: list[Message] = []

    def tell(kind: MessageKind, desks: Iterable[Desk | None], subject: str, body: str) -> None:
        for to in dict.fromkeys(desks):
            if to is not None and to.unit is not None and to.unit == line.actor.unit:
                continue  # nobody is told what they did themselves
            name = f"{to.role.value}/{to.unit or ''}" if to else Audience.ENTERPRISE.value
            made.append(
                Message(
                    message_key(number, event.value, str(after.record_length), kind.value, name),
                    kind,
                    to,
                    DESK_CHANNEL if to else after.channel,
                    number,
                    subject,
                    body,
                    line.at,
                )
            )

    if event in (Event.ASSIGN, Event.TRANSFER, Event.REASSIGN, Event.RETURN):
        body = f"{line.summary}。{after.level.text}，{until}{look}"
        tell(MessageKind.ASSIGNMENT, involved(after), f"{_DEEDS[event]}：诉求 {number}", body)
    moved = event is Event.TRANSFER and before.lead_department != after.lead_department
    if moved and line.actor.unit and line.actor.unit == before.first_department:
        tell(
            MessageKind.FIRST_ASKED,
            (TASKFORCE_DESK,),
            f"首问单位转出：诉求 {number}",
            f"首问单位{line.actor.unit}将诉求 {number} 转出，请核实其是否履行首问责任；"
            "确未履行的，可在工作台登记考评事项。",
        )
    elif event is Event.SUPERVISE:
        tell(
            MessageKind.ORDER,
            involved(after),
            f"督办：诉求 {number}",
            f"{line.summary}诉求 {number}。{until}督办要求{look}",
        )
    elif event is Event.ESCALATE:
        leaders = (LEADER_DESK,) if after.escalation_level >= _LEADERS_FROM else ()
        tell(
            MessageKind.ESCALATION,
            (TASKFORCE_DESK, *leaders, *_inspection(after), lead_desk(after)),
            f"提级：诉求 {number}",
            f"诉求 {number} {line.summary}。{look}",
        )
    elif event is Event.REJECT:
        tell(
            MessageKind.REOPENED,
            (*involved(after), *_inspection(after)),
            f"企业反馈：诉求 {number}",
            f"诉求 {number}：{line.summary}。{until}{look}",
        )
    elif event is Event.WITHDRAW and before.state is not State.FILED:
        tell(
            MessageKind.ENDED,
            involved(before),
            f"企业撤回：诉求 {number}",
            f"企业已撤回诉求 {number}，不需要继续办理。",
        )
    elif event is Event.CONFIRM:
        tell(
            MessageKind.ENDED,
            (None,),
            f"您的诉求 {number} 已闭环",
            f"您的诉求 {number} 已按贵单位的确认闭环。如果不是贵单位的人确认的，请尽快致电企业服务热线。",
        )
    elif event is Event.MERGE and ENDED_WITH in line.after:
        other = line.after[ENDED_WITH]
        tell(
            MessageKind.ENDED,
            (None,),
            f"您的诉求 {number} 所并入的诉求已闭环",
            f"您的诉求 {number} 所并入的 {other} 已由企业确认解决。如果您的问题没有解决，"
            "请凭编号和联系电话取消并案，由属地重新审核。",
        )
    elif event is Event.MERGE and after.state is State.MERGED:
        ended = f"诉求 {number} 已并入 {after.merged_into} 一并办理"
        tell(
            MessageKind.ENDED,
            (None,),
            f"您的{ended}",
            f"您的{ended}。如果不是同一件事，请凭编号和联系电话取消并案。",
        )
        if before.state is not State.FILED:
            tell(MessageKind.ENDED, involved(before), f"并案：诉求 {number}", f"{ended}。")
    elif event is Event.UNMERGE:
        tell(
            MessageKind.REOPENED,
            (lead_desk(after),),
            f"取消并案：诉求 {number}",
            f"诉求 {number} 已取消并案，请重新审核交办。{until}{look}",
        )
        if line.actor.role is Party.SYSTEM:
            tell(
                MessageKind.REOPENED,
                (None,),
                f"您的诉求 {number} 重新办理",
                f"您的诉求 {number} 所并入的 {before.merged_into} 已撤回，现已取消并案，由属地重新审核。",
            )
    elif event is Event.RESOLVE:
        tell(
            MessageKind.OUTCOME,
            (None,),
            f"您的诉求 {number} 已办结，请确认",
            f"您的诉求 {number} 已由{after.lead}办结。请凭编号和提交时的联系电话查看结果，"
            "并反馈已解决或未解决；未经您确认不会闭环。",
        )
    elif event is Event.DECLINE:
        tell(
            MessageKind.OUTCOME,
            (None,),
            f"您的诉求 {number} 不予受理，请确认",
            f"您的诉求 {number} 不予受理。请凭编号和提交时的联系电话查看说明，"
            "并反馈是否认可；不认可的将重新审核。",
        )
    return tuple(made)


_DEEDS: Final = {
    Event.ASSIGN: "交办",
    Event.TRANSFER: "转办",
    Event.REASSIGN: "重新交办",
    Event.RETURN: "退回提级",
}


def _inspection(appeal: Appeal) -> tuple[Desk, ...]:
    return (INSPECTION_DESK,) if appeal.direct_line else ()
