"""The four forms of the documents as frozen records, one field for each box.

A field is filled by the service, or left blank for a person: opinions, signatures, seals and dates stand for
a decision that nobody but the named person takes, so the service never fills them in. `boxes` tells the two
apart. What the forms hold is personal, so it is left out of ``repr``.

Sources: 企业问题提级协调审批表 (annex 2 of the *分级分类协调机制*), 交办单 and 督办单 (annexes of the
*“全流程”闭环机制*), 服务上架审批单 (annex of the *企服新干线平台内部协同机制*).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, get_type_hints

Blank = Literal[""]
"""What a box holds that the service never fills in."""


@dataclass(frozen=True)
class Box:
    """What a field of a form is, as a mark on its type.

    Attributes:
        label: As printed.
        by_hand: Left blank for a person.
    """

    label: str
    by_hand: bool = False


class Opinion(StrEnum):
    """What the lead department asks for on the escalation form."""

    ESCALATE = "escalate"
    CHANGE_LEAD = "change_lead"

    @property
    def text(self) -> str:
        """The request as printed."""
        return {"escalate": "申请提级协调", "change_lead": "申请更换主办部门协调"}[self.value]


class ServiceType(StrEnum):
    """The eight kinds of service of the listing form, as it prints them.

    The boards' own names (科创, 法治) and those with 服务 behind mean the same kinds.
    """

    TALENT = "人才"
    SCIENCE = "科技"
    POLICY = "政策"
    FINANCE = "金融"
    OPENING = "开放"
    LAW = "法制"
    APPEAL = "诉求"
    CATCH_ALL = "兜底"

    @classmethod
    def _missing_(cls, value: object) -> ServiceType | None:
        if not isinstance(value, str):
            return None
        plain = unicodedata.normalize("NFKC", value).strip().removesuffix("服务")
        named = _BOARDS.get(plain, plain)
        return next((kind for kind in cls if kind.value == named), None)


_BOARDS = {"科创": "科技", "法治": "法制"}
"""Boards whose kind of service the form prints under another name."""


@dataclass(frozen=True, repr=False)
class EscalationForm:
    """企业问题提级协调审批表.

    Attributes:
        number: Appeal number; the form has no box for it, so it stands at the foot of each page.
        contacts: What passed between the enterprise and who handles it, one line each, as the next two.
        meeting_held: Whether the lead department has held its coordination meeting, where the record says so;
            None leaves both boxes unticked.
        feedback: What lead and co-departments said of it.
        process: What was done so far; words that stand above are not repeated.
        opinion: What the lead department asks for; None leaves both boxes unticked.
        attachments: Titles of the papers that go with it.
    """

    number: str
    enterprise: Annotated[str, Box("企业名称")]
    problem: Annotated[str, Box("问题描述")]
    contacts: Annotated[tuple[str, ...], Box("沟通情况")]
    meeting_held: Annotated[bool | None, Box("部门领导是否召开专题协调会")]
    feedback: Annotated[tuple[str, ...], Box("主办协办反馈意见")]
    process: Annotated[tuple[str, ...], Box("办理过程")]
    territory: Annotated[str, Box("属地")]
    lead_department: Annotated[str, Box("主办部门")]
    co_departments: Annotated[tuple[str, ...], Box("协办部门")]
    opinion: Annotated[Opinion | None, Box("主办部门意见")] = None
    attachments: Annotated[tuple[str, ...], Box("附件")] = ()
    lead_signature: Annotated[Blank, Box("主办部门主要领导签字", by_hand=True)] = ""
    lead_seal: Annotated[Blank, Box("主办部门盖章", by_hand=True)] = ""
    lead_date: Annotated[Blank, Box("主办部门日期", by_hand=True)] = ""
    taskforce_opinion: Annotated[Blank, Box("专班意见", by_hand=True)] = ""
    taskforce_signature: Annotated[Blank, Box("专班领导签字", by_hand=True)] = ""
    taskforce_date: Annotated[Blank, Box("专班日期", by_hand=True)] = ""
    district_leader_opinion: Annotated[Blank, Box("主办部门分管区领导意见", by_hand=True)] = ""
    district_leader_signature: Annotated[Blank, Box("分管区领导签字", by_hand=True)] = ""
    district_leader_date: Annotated[Blank, Box("分管区领导日期", by_hand=True)] = ""
    top_leader_opinion: Annotated[Blank, Box("书记/区长意见", by_hand=True)] = ""
    top_leader_signature: Annotated[Blank, Box("书记/区长签字", by_hand=True)] = ""
    top_leader_date: Annotated[Blank, Box("书记/区长日期", by_hand=True)] = ""


@dataclass(frozen=True, repr=False)
class AssignmentSheet:
    """交办单.

    Attributes:
        issuer: Full name of the task force, part of the title.
        number: Appeal number and place of the assignment.
        matter: What the enterprise asks for, and whose it is; one paragraph for each line.
        requirements: By when and how; one paragraph for each line.
        contact: The enterprise's; empty for who does not handle the case.
    """

    issuer: str
    number: Annotated[str, Box("编号")]
    issued_on: Annotated[date, Box("日期")]
    task: Annotated[str, Box("任务名称")]
    matter: Annotated[str, Box("交办事项")]
    requirements: Annotated[str, Box("办理要求")]
    copy_to: Annotated[tuple[str, ...], Box("抄送")]
    contact: Annotated[str, Box("联系人")] = ""
    phone: Annotated[str, Box("电话")] = ""
    deputy_leader: Annotated[Blank, Box("分管领导", by_hand=True)] = ""
    top_leader: Annotated[Blank, Box("主要领导", by_hand=True)] = ""


@dataclass(frozen=True, repr=False)
class SupervisionOrder:
    """督办单.

    Attributes:
        issuer: Full name of the office that gives the order, part of the title.
        number: Appeal number and place of the order.
        requirements: Words of the order.
        contact: The enterprise's; empty for who does not handle the case.
    """

    issuer: str
    number: Annotated[str, Box("督办编号")]
    issued_on: Annotated[date, Box("督办日期")]
    task: Annotated[str, Box("督办任务")]
    lead_unit: Annotated[str, Box("主办单位")]
    co_units: Annotated[tuple[str, ...], Box("协办单位")]
    requirements: Annotated[str, Box("办理要求")]
    copy_to: Annotated[tuple[str, ...], Box("抄送")]
    contact: Annotated[str, Box("联系人")] = ""
    phone: Annotated[str, Box("电话")] = ""
    remarks: Annotated[str, Box("备注")] = ""


@dataclass(frozen=True, repr=False)
class ServiceListing:
    """服务上架审批单.

    Attributes:
        types: The kinds that are ticked.
        provider: Name of the unit that offers the service.
        provider_opinion: Its words, where they were sent along.
        lead_unit: Name of the unit that leads the board.
        lead_opinion: Its words, where they were sent along.
    """

    name: Annotated[str, Box("服务名称")]
    types: Annotated[frozenset[ServiceType], Box("服务类型")]
    description: Annotated[str, Box("服务说明")]
    provider: Annotated[str, Box("服务提供单位名称")] = ""
    provider_opinion: Annotated[str, Box("服务提供单位意见")] = ""
    lead_unit: Annotated[str, Box("牵头单位名称")] = ""
    lead_opinion: Annotated[str, Box("牵头单位意见")] = ""
    remarks: Annotated[str, Box("备注")] = ""
    provider_seal: Annotated[Blank, Box("服务提供单位盖章", by_hand=True)] = ""
    provider_signature: Annotated[Blank, Box("服务提供单位主要负责人签字", by_hand=True)] = ""
    provider_date: Annotated[Blank, Box("服务提供单位日期", by_hand=True)] = ""
    lead_seal: Annotated[Blank, Box("牵头单位盖章", by_hand=True)] = ""
    lead_signature: Annotated[Blank, Box("牵头单位主要负责人签字", by_hand=True)] = ""
    lead_date: Annotated[Blank, Box("牵头单位日期", by_hand=True)] = ""


Form = EscalationForm | AssignmentSheet | SupervisionOrder | ServiceListing
"""Any of the four."""


def boxes(form: type[Form]) -> dict[str, Box]:
    """The boxes of a form by the names of their fields, in their order.

    Fields that serve only the title or the foot are no boxes.
    """
    hints = get_type_hints(form, include_extras=True)
    marks = {name: getattr(hint, "__metadata__", ()) for name, hint in hints.items()}
    return {name: mark for name, found in marks.items() for mark in found if isinstance(mark, Box)}
