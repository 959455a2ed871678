"""Where each box of a form stands on paper: rows of a bordered table, in a grid of four columns.

Pure: the Word file is made of it by `backend.documents.word`. The boxes and their order are those of the
printed forms of the documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from backend.documents.forms import (
    AssignmentSheet,
    EscalationForm,
    Form,
    Opinion,
    ServiceListing,
    ServiceType,
    SupervisionOrder,
    boxes,
)

TICKED, UNTICKED = "☑", "☐"
COLUMNS = 4
"""Of the grid: label, value, label, value."""

_DAY = "　　　　年　　月　　日"


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: Data or label; line ends begin a new paragraph.
        span: Columns of the grid that it takes.
        label: Printed words, centred; otherwise a value.
        signing: Lines below the text for signature, seal and date, with room for a hand.
    """

    text: str = field(default="", repr=False)
    span: int = 1
    label: bool = False
    signing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        cells: Their spans add up to `COLUMNS`.
        height: In centimetres, at least.
        breaks: May run on over the next page; others stay whole.
    """

    cells: tuple[Cell, ...]
    height: float = 1.1
    breaks: bool = False


@dataclass(frozen=True)
class Sheet:
    """A form as it is printed.

    Attributes:
        title: Above the table.
        rows: The first one is repeated on each page.
        foot: At the foot of each page, before the page number.
        note: Below the table.
    """

    title: str
    rows: tuple[Row, ...]
    foot: str = ""
    note: str = ""


def lay_out(form: Form) -> Sheet:
    """Place the boxes of a form."""
    if isinstance(form, EscalationForm):
        return _escalation(form)
    if isinstance(form, AssignmentSheet):
        return _assignment(form)
    if isinstance(form, SupervisionOrder):
        return _supervision(form)
    return _listing(form)


def _escalation(form: EscalationForm) -> Sheet:
    labels = {name: box.label for name, box in boxes(EscalationForm).items()}
    held = (_tick(form.meeting_held is True, "已召开"), _tick(form.meeting_held is False, "未召开"))
    coordination = "\n".join(
        (
            _item(labels["contacts"], form.contacts),
            f"{labels['meeting_held']}：{'　'.join(held)}",
            _item(labels["feedback"], form.feedback),
            _item(labels["process"], form.process),
        )
    )
    attachments = "；".join(f"《{title}》" for title in form.attachments)
    return Sheet(
        title="企业问题提级协调审批表",
        rows=(
            _wide("企业名称", form.enterprise),
            _wide("问题描述", form.problem, 2.4, breaks=True),
            _wide("前期协调情况", coordination, 3.2, breaks=True),
            _wide("属地", form.territory),
            _wide("主办部门", form.lead_department),
            _wide("协办部门", "、".join(form.co_departments)),
            _signed(
                "主办部门\n意见",
                _choice(tuple(Opinion), (form.opinion,)),
                "主办部门主要领导签字：",
                "主办部门盖章：",
                _DAY,
            ),
            _signed("专班意见", "", "专班领导签字：", _DAY),
            _signed("主办部门\n分管区领导\n意见", "", "分管区领导签字：", _DAY),
            _signed("书记/区长\n意见", "", "书记/区长签字：", _DAY),
            _wide("附件", attachments),
        ),
        foot=f"诉求编号：{form.number}",
        note="注：问题情况较为复杂的，可以另附材料详细说明。",
    )


def _assignment(form: AssignmentSheet) -> Sheet:
    return Sheet(
        title=f"{form.issuer}\n交办单",
        rows=(
            _pair("编号", form.number, "日期", _day(form.issued_on)),
            _wide("任务名称", form.task),
            _wide("交办事项", form.matter, 5.0, breaks=True),
            _wide("办理要求", form.requirements, 4.0, breaks=True),
            _wide("抄送", "、".join(form.copy_to)),
            _pair("联系人", form.contact, "电话", form.phone),
            _pair("分管\n领导", form.deputy_leader, "主要\n领导", form.top_leader, 2.8),
        ),
        foot=f"编号：{form.number}",
    )


def _supervision(form: SupervisionOrder) -> Sheet:
    return Sheet(
        title=f"{form.issuer}\n督办单",
        rows=(
            _pair("督办编号", form.number, "督办日期", _day(form.issued_on)),
            _wide("督办任务", form.task, 4.0, breaks=True),
            _pair("主办单位", form.lead_unit, "协办单位", "、".join(form.co_units)),
            _wide("办理要求", form.requirements, 5.0, breaks=True),
            _wide("抄送", "、".join(form.copy_to)),
            _pair("联系人", form.contact, "电话", form.phone),
            _wide("备注", form.remarks, 2.0),
        ),
        foot=f"督办编号：{form.number}",
    )


def _listing(form: ServiceListing) -> Sheet:
    # two lines of four, as a single one does not fit
    half = len(ServiceType) // 2
    kinds = "\n".join(
        "　".join(_tick(kind in form.types, f"{kind.value}服务") for kind in part)
        for part in (tuple(ServiceType)[:half], tuple(ServiceType)[half:])
    )
    return Sheet(
        title="服务上架审批单",
        rows=(
            _wide("服务名称", form.name),
            _wide("服务类型", kinds, 1.6),
            _wide("服务说明", form.description, 5.0, breaks=True),
            _opinion("服务提供单位\n意见", form.provider, form.provider_opinion),
            _opinion("牵头单位\n意见", form.lead_unit, form.lead_opinion),
            _wide("备注", form.remarks, 2.0, breaks=True),
        ),
    )


def _opinion(label: str, unit: str, words: str) -> Row:
    return _signed(
        label,
        words,
        f"单位名称（盖章）：{unit}",
        "主要负责人（签字）：",
        f"日期：{_DAY}",
        breaks=True,
    )


def _wide(label: str, text: str, height: float = 1.1, *, breaks: bool = False) -> Row:
    return Row((Cell(label, label=True), Cell(text, span=COLUMNS - 1)), height, breaks)


def _pair(label: str, text: str, second: str, other: str, height: float = 1.1) -> Row:
    return Row((Cell(label, label=True), Cell(text), Cell(second, label=True), Cell(other)), height)


def _signed(label: str, text: str, *signing: str, breaks: bool = False) -> Row:
    return Row(
        (Cell(label, label=True), Cell(text, span=COLUMNS - 1, signing=signing)), height=2.8, breaks=breaks
    )


def _choice(options: Sequence[Opinion], chosen: Sequence[Opinion | None]) -> str:
    return "　　".join(_tick(option in chosen, option.text) for option in options)


def _item(label: str, lines: Sequence[str]) -> str:
    """One item of a box; without lines there is room for a hand."""
    numbered = [f"{place}. {line}" for place, line in enumerate(lines, 1)]
    return "\n".join((f"{label}：", *(numbered or [""])))


def _tick(ticked: bool, text: str) -> str:
    return f"{TICKED if ticked else UNTICKED} {text}"


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
