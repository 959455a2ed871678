"""Fills the forms from an appeal, its record and its supervision.

A sheet tells of the moment it was given: units, level and due time are taken back to that moment by the
record, so that it reads the same whenever it is printed.

Sheets are numbered by the project (docs/135.md, "Official forms"): the appeal's number and the place of the
assignment or order among those of the same appeal. Both only ever get more, so a number never passes to
another sheet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from backend.appeals.calendar import local
from backend.appeals.deadlines import INSPECTION_OFFICE, TASKFORCE
from backend.appeals.escalation import DOCUMENTS
from backend.appeals.model import Appeal, Event, HistoryEvent, Level, Supervision, SupervisionKind
from backend.documents.forms import AssignmentSheet, EscalationForm, Opinion, SupervisionOrder
from backend.errors import Conflict, NotFound
from backend.people.roles import Role
from backend.text import clean

_ASSIGNING: Final = (Event.ASSIGN, Event.TRANSFER, Event.REASSIGN)
_NOT_COORDINATION: Final = frozenset({"recompute", "remind", "erase"})
"""Deeds of the service itself, which coordinate nothing."""

_WITH_ENTERPRISE: Final = frozenset(
    {Event.FILE, Event.REPLY, Event.RESOLVE, Event.DECLINE, Event.CONFIRM, Event.REJECT, Event.WITHDRAW}
)
"""Deeds by which the enterprise and who handles its appeal tell each other something."""

_ENTERPRISE_CONTACT: Final = "（企业联系人）"


def escalation_form(
    appeal: Appeal, history: Sequence[HistoryEvent], *, opinion: Opinion | None = None
) -> EscalationForm:
    """Fill 企业问题提级协调审批表 from where the appeal stands now.

    Args:
        appeal: The appeal.
        history: Its whole record, oldest first.
        opinion: What the lead department asks for. Left out, 申请提级协调 is ticked where the record says
            that the appeal was escalated, and nothing otherwise: an opinion is the department's to give.

    Raises:
        Conflict: It was never assigned, so there is no lead department (``wrong_state``).
    """
    _must_be_assigned(appeal)
    deeds = [line for line in history if line.event.value not in _NOT_COORDINATION]
    contacts = [line for line in deeds if line.event in _WITH_ENTERPRISE]
    feedback = [
        line
        for line in deeds
        if line.text and line.actor.role is Role.DEPARTMENT and line.event not in _WITH_ENTERPRISE
    ]
    told = {id(line) for line in (*contacts, *feedback)}
    escalated = [line for line in history if line.event is Event.ESCALATE]
    if opinion is None and escalated:
        opinion = Opinion.ESCALATE
    papers = [name for line in escalated for name in line.after.get("documents", ())]
    others = dict.fromkeys(name for name in papers if name in DOCUMENTS and name != "approval_form")
    return EscalationForm(
        number=appeal.number,
        enterprise=appeal.enterprise,
        problem=appeal.text,
        contacts=tuple(_told(line) for line in contacts),
        feedback=tuple(_told(line) for line in feedback),
        process=tuple(_told(line, words=id(line) not in told) for line in deeds),
        territory=appeal.territory_text,
        lead_department=appeal.lead,
        co_departments=appeal.co_departments,
        opinion=opinion,
        meeting_held=True if "meeting_record" in papers else None,
        attachments=tuple(DOCUMENTS[name] for name in others),
    )


def assignment_sheet(
    appeal: Appeal,
    history: Sequence[HistoryEvent],
    *,
    taskforce: str,
    place: int | None = None,
    with_contact: bool = False,
) -> AssignmentSheet:
    """Fill 交办单 for one assignment of an appeal.

    Args:
        appeal: The appeal.
        history: Its whole record, oldest first.
        taskforce: Full name of the task force.
        place: Which assignment, from 1; the latest unless given.
        with_contact: Whether the enterprise's contact and phone are on it.

    Raises:
        Conflict: It was never assigned (``wrong_state``).
        NotFound: There is no such assignment.
    """
    _must_be_assigned(appeal)
    given = [index for index, line in enumerate(history) if _assigns(line)]
    count = _count(place, len(given), "交办")
    line = history[given[count - 1]]
    then = _back_to(appeal, history[given[count - 1] + 1 :])
    matter = [
        appeal.text,
        f"诉求编号{appeal.number}，{chinese_date(appeal.submitted_at)}提交，属地：{then.territory_text}，"
        f"板块：{appeal.category}。",
        f"主办单位：{then.lead}；协办单位：{_listed(then.co_departments)}。",
    ]
    words = [f"{_HEADS.get(line.event, _HEADS[Event.REASSIGN])}{line.text}"] if line.text else []
    provisional = "（放假安排尚未公布，公布后以届时为准）" if then.due_provisional else ""
    requirements = [
        *words,
        f"请于{chinese_time(then.due_at)}前办结并答复企业{provisional}。",
        "主办单位办结且企业反馈已解决，诉求方为闭环。",
    ]
    return AssignmentSheet(
        issuer=taskforce,
        number=f"交{appeal.number}-{count:02d}",
        issued_on=local(line.at).date(),
        task=_task(then),
        matter="\n".join(matter),
        requirements="\n".join(requirements),
        copy_to=_copies(then),
        contact=_contact(appeal) if with_contact else "",
        phone=appeal.phone if with_contact else "",
    )


def supervision_order(
    appeal: Appeal,
    history: Sequence[HistoryEvent],
    supervision: Sequence[Supervision],
    *,
    taskforce: str,
    place: int | None = None,
    with_contact: bool = False,
) -> SupervisionOrder:
    """Fill 督办单 for one order to an appeal.

    Args:
        appeal: The appeal.
        history: Its whole record, oldest first.
        supervision: Its moments and orders; only orders that a person gave count here.
        taskforce: Full name of the task force.
        place: Which order, from 1; the latest unless given.
        with_contact: Whether the enterprise's contact and phone are on it.

    Raises:
        NotFound: There is no order, or not this one.
    """
    orders = sorted((row for row in supervision if row.kind is SupervisionKind.ORDER), key=lambda row: row.at)
    count = _count(place, len(orders), "督办")
    order = orders[count - 1]
    then = _back_to(appeal, [line for line in history if line.at > order.at])
    late = "，已超过时限" if order.at > then.due_at else ""
    return SupervisionOrder(
        issuer=INSPECTION_OFFICE if order.by == INSPECTION_OFFICE else taskforce,
        number=f"督{appeal.number}-{count:02d}",
        issued_on=local(order.at).date(),
        task=f"{_task(then)}\n{appeal.text}",
        lead_unit=then.lead,
        co_units=then.co_departments,
        requirements=order.text,
        copy_to=_copies(then, *((TASKFORCE,) if order.by == INSPECTION_OFFICE else ())),
        contact=_contact(appeal) if with_contact else "",
        phone=appeal.phone if with_contact else "",
        remarks=f"诉求编号{appeal.number}，{chinese_date(appeal.submitted_at)}提交，"
        f"办理时限{chinese_time(then.due_at)}{late}。由{order.by}督办。",
    )


def chinese_date(moment: datetime) -> str:
    """The day of a moment in the office's zone, as 2026年11月22日."""
    day = local(moment)
    return f"{day.year}年{day.month}月{day.day}日"


def chinese_time(moment: datetime) -> str:
    """A moment in the office's zone to the minute, as 2026年11月22日17:30."""
    return f"{chinese_date(moment)}{local(moment):%H:%M}"


_HEADS: Final = {Event.ASSIGN: "交办要求：", Event.TRANSFER: "转办理由：", Event.REASSIGN: "重新交办理由："}


def _assigns(line: HistoryEvent) -> bool:
    """Whether a line names who handles the appeal; a returned escalation may do so too."""
    if line.event.value == "return":
        return bool({"lead_department", "co_departments"} & set(line.after))
    return line.event in _ASSIGNING


def _must_be_assigned(appeal: Appeal) -> None:
    if appeal.assigned_at is None:
        raise Conflict(
            "这件诉求还没有交办，没有主办单位，交办后才能生成这份文书。",
            code="wrong_state",
            state=appeal.state.value,
        )


def _count(place: int | None, most: int, what: str) -> int:
    if most == 0:
        raise NotFound(f"这件诉求还没有{what}记录，没有可以生成的{what}单。")
    if place is not None and not 1 <= place <= most:
        raise NotFound(f"没有第 {place} 次{what}，这件诉求共有 {most} 次{what}。")
    return place or most


def _back_to(appeal: Appeal, later: Sequence[HistoryEvent]) -> Appeal:
    """The appeal as it was before the later lines of its record."""
    was: dict[str, Any] = {}
    for line in reversed(later):
        was.update(_read(line.before))
    return replace(appeal, **was)


def _read(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a sheet tells of, from the plain values of the record."""
    found: dict[str, Any] = {
        name: values[name] for name in ("territory", "lead_department", "due_provisional") if name in values
    }
    if "co_departments" in values:
        found["co_departments"] = tuple(values["co_departments"])
    if "level" in values:
        found["level"] = Level(values["level"])
    if "due_at" in values:
        found["due_at"] = datetime.fromisoformat(values["due_at"])
    return found


def _told(line: HistoryEvent, *, words: bool = True) -> str:
    """A line of the record: when, what, by which unit where the summary does not name it, and its words."""
    unit = line.actor.unit
    who = f"（{unit}）" if unit and unit not in line.summary else ""
    said = f"：{clean(line.text)}" if line.text and words else ""
    return f"{chinese_time(line.at)}　{line.summary}{who}{said}"


def _task(appeal: Appeal) -> str:
    return f"{appeal.enterprise}诉求办理（{appeal.level.text}）"


def _copies(appeal: Appeal, *more: str) -> tuple[str, ...]:
    """Who has a part in the case besides who leads it."""
    offices = (INSPECTION_OFFICE,) if appeal.direct_line and TASKFORCE not in more else ()
    territory = (appeal.territory,) if appeal.territory else ()
    units = (*territory, *appeal.co_departments, *offices, *more)
    return tuple(dict.fromkeys(unit for unit in units if unit != appeal.lead))


def _listed(names: Sequence[str]) -> str:
    return "、".join(names) or "无"


def _contact(appeal: Appeal) -> str:
    return f"{appeal.contact}{_ENTERPRISE_CONTACT}" if appeal.contact else ""
