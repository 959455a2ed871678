"""What of an appeal stands on which form."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from document_samples import NUMBER, TASKFORCE, TERRITORY, appeal, at, escalated, history, line, order

from backend.appeals.model import Event, Level, State, Supervision, SupervisionKind
from backend.documents import filling
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
from backend.errors import Conflict, NotFound

# label → whether a person fills it in, as the printed forms have them
PRINTED: dict[type[Form], dict[str, bool]] = {
    EscalationForm: {
        "企业名称": False,
        "问题描述": False,
        "沟通情况": False,
        "部门领导是否召开专题协调会": False,
        "主办协办反馈意见": False,
        "办理过程": False,
        "属地": False,
        "主办部门": False,
        "协办部门": False,
        "主办部门意见": False,
        "附件": False,
        "主办部门主要领导签字": True,
        "主办部门盖章": True,
        "主办部门日期": True,
        "专班意见": True,
        "专班领导签字": True,
        "专班日期": True,
        "主办部门分管区领导意见": True,
        "分管区领导签字": True,
        "分管区领导日期": True,
        "书记/区长意见": True,
        "书记/区长签字": True,
        "书记/区长日期": True,
    },
    AssignmentSheet: {
        **dict.fromkeys(
            ("编号", "日期", "任务名称", "交办事项", "办理要求", "抄送", "联系人", "电话"), False
        ),
        "分管领导": True,
        "主要领导": True,
    },
    SupervisionOrder: dict.fromkeys(
        (
            "督办编号",
            "督办日期",
            "督办任务",
            "主办单位",
            "协办单位",
            "办理要求",
            "抄送",
            "联系人",
            "电话",
            "备注",
        ),
        False,
    ),
    ServiceListing: {
        "服务名称": False,
        "服务类型": False,
        "服务说明": False,
        "服务提供单位名称": False,
        "服务提供单位意见": False,
        "牵头单位名称": False,
        "牵头单位意见": False,
        "备注": False,
        "服务提供单位盖章": True,
        "服务提供单位主要负责人签字": True,
        "服务提供单位日期": True,
        "牵头单位盖章": True,
        "牵头单位主要负责人签字": True,
        "牵头单位日期": True,
    },
}


@pytest.mark.parametrize("form", PRINTED, ids=lambda form: form.__name__)
def test_a_form_has_the_printed_boxes_and_what_is_signed_is_left_to_people(form: type[Form]) -> None:
    assert {box.label: box.by_hand for box in boxes(form).values()} == PRINTED[form]


def test_there_are_eight_kinds_of_service() -> None:
    assert "、".join(kind.value for kind in ServiceType) == "人才、科技、政策、金融、开放、法制、诉求、兜底"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("科创", ServiceType.SCIENCE),
        ("科技", ServiceType.SCIENCE),
        ("法治", ServiceType.LAW),
        ("法制", ServiceType.LAW),
        (" 法治服务 ", ServiceType.LAW),
        ("人才服务", ServiceType.TALENT),
    ],
)
def test_a_kind_of_service_goes_by_its_boards_name_too(name: str, kind: ServiceType) -> None:
    assert ServiceType(name) is kind


@pytest.mark.parametrize("name", ["", "服务", "项目", "法律", None, 5])
def test_what_is_no_kind_of_service_is_none(name: Any) -> None:
    with pytest.raises(ValueError, match="is not a valid ServiceType"):
        ServiceType(name)


def test_what_is_personal_is_not_in_a_forms_repr() -> None:
    sheet = filling.assignment_sheet(appeal(), history(), taskforce=TASKFORCE, with_contact=True)
    for form in (sheet, filling.escalation_form(appeal(), history())):
        shown = repr(form)
        assert [word for word in ("13800000001", "王小明", "杭州测试", "道路") if word in shown] == []


def test_the_escalation_form_tells_the_record_with_dates_public_and_internal() -> None:
    form = filling.escalation_form(appeal(), history())
    assert form.number == NUMBER
    assert (form.territory, form.lead_department) == ("下沙街道", "下沙街道")
    assert form.co_departments == ("区住建局", "区交通运输局")
    assert form.contacts == (
        "2026年11月16日10:00　已提交诉求",
        "2026年11月19日10:00　区住建局答复：正在协商 修复方案",
    )
    assert form.feedback == (
        "2026年11月17日09:30　内部备注（区住建局）：道路由另一部门管养",
        "2026年11月17日15:00　转办：调整为吹哨问题（区住建局）：不是管养单位",
    )
    assert form.process == (
        "2026年11月16日10:00　已提交诉求",
        "2026年11月16日11:00　交办：由区住建局牵头办理（下沙街道）：请先到现场查看",
        "2026年11月17日09:30　内部备注（区住建局）",
        "2026年11月17日15:00　转办：调整为吹哨问题（区住建局）",
        "2026年11月19日10:00　区住建局答复",
    )
    assert (form.opinion, form.meeting_held, form.attachments) == (None, None, ())


def test_boxes_are_ticked_by_the_record_or_by_the_department_alone() -> None:
    form = filling.escalation_form(appeal(), escalated())
    assert form.opinion is Opinion.ESCALATE
    assert form.meeting_held is True
    assert form.attachments == ("问题办理情况说明", "主办部门会议记录", "会议签到记录")
    asked = filling.escalation_form(appeal(), escalated(), opinion=Opinion.CHANGE_LEAD)
    assert asked.opinion is Opinion.CHANGE_LEAD


def test_without_an_assignment_there_is_no_form() -> None:
    filed = appeal(assigned_at=None, state=State.FILED)
    for make in (
        lambda: filling.escalation_form(filed, history()[:1]),
        lambda: filling.assignment_sheet(filed, history()[:1], taskforce=TASKFORCE),
    ):
        with pytest.raises(Conflict) as refused:
            make()
        assert refused.value.code == "wrong_state"


def test_the_latest_assignment_is_told_unless_another_is_asked_for() -> None:
    latest = filling.assignment_sheet(appeal(), history(), taskforce=TASKFORCE)
    assert latest.number == f"交{NUMBER}-02"
    assert latest.issued_on == date(2026, 11, 17)
    assert latest.task == "杭州测试科技有限公司诉求办理（吹哨问题）"
    assert "主办单位：下沙街道；协办单位：区住建局、区交通运输局。" in latest.matter
    assert latest.requirements.startswith("转办理由：不是管养单位\n请于2026年11月23日17:30前办结")
    assert latest.copy_to == ("区住建局", "区交通运输局")


def test_an_earlier_assignment_reads_as_it_was_given() -> None:
    first = filling.assignment_sheet(appeal(), history(), taskforce=TASKFORCE, place=1)
    assert first.number == f"交{NUMBER}-01"
    assert first.issued_on == date(2026, 11, 16)
    assert first.task == "杭州测试科技有限公司诉求办理（单一部门问题）"
    assert "主办单位：区住建局；协办单位：无。" in first.matter
    assert "交办要求：请先到现场查看" in first.requirements
    assert "请于2026年11月19日17:30前办结" in first.requirements
    assert first.copy_to == ("下沙街道",)


def test_a_sheet_reads_the_same_after_the_appeal_has_gone_on() -> None:
    then = appeal(level=Level.SINGLE, lead_department="区住建局", co_departments=(), due_at=at("19T17:30"))
    before = filling.assignment_sheet(then, history()[:2], taskforce=TASKFORCE)
    assert filling.assignment_sheet(appeal(), history(), taskforce=TASKFORCE, place=1) == before


def test_a_returned_escalation_is_an_assignment_where_it_names_who_handles_it() -> None:
    event: Any = Event("return") if "return" in set(Event) else Event.REASSIGN
    named = line("21T10:00", TERRITORY, event, "退回", "不符合提级", after={"lead_department": "区住建局"})
    sheet = filling.assignment_sheet(appeal(), [*history(), named], taskforce=TASKFORCE)
    assert sheet.number == f"交{NUMBER}-03"
    assert sheet.requirements.startswith("重新交办理由：不符合提级")


@pytest.mark.parametrize("place", [0, 3, -1])
def test_there_is_no_other_assignment(place: int) -> None:
    with pytest.raises(NotFound, match="共有 2 次交办"):
        filling.assignment_sheet(appeal(), history(), taskforce=TASKFORCE, place=place)


def test_contact_and_phone_are_left_out_unless_asked_for() -> None:
    rows = [order("24T09:00", "请尽快办理")]
    for with_contact, expected in ((True, ("王小明（企业联系人）", "13800000001")), (False, ("", ""))):
        sheet = filling.assignment_sheet(appeal(), history(), taskforce=TASKFORCE, with_contact=with_contact)
        one = filling.supervision_order(
            appeal(), history(), rows, taskforce=TASKFORCE, with_contact=with_contact
        )
        assert (sheet.contact, sheet.phone) == (one.contact, one.phone) == expected
    erased = appeal(contact="", phone="")
    empty = filling.assignment_sheet(erased, history(), taskforce=TASKFORCE, with_contact=True)
    assert (empty.contact, empty.phone) == ("", "")


def test_an_order_is_numbered_by_its_place_among_the_orders() -> None:
    rows = [
        order("24T15:00", "第二次", "两办督查室"),
        Supervision(order("23T12:00", "").at, "专班", SupervisionKind.MOMENT),
        order("17T12:00", "第一次"),
    ]
    last = filling.supervision_order(appeal(), history(), rows, taskforce=TASKFORCE)
    assert (last.number, last.issued_on) == (f"督{NUMBER}-02", date(2026, 11, 24))
    assert (last.issuer, last.requirements) == ("两办督查室", "第二次")
    assert last.task == f"杭州测试科技有限公司诉求办理（吹哨问题）\n{appeal().text}"
    assert (last.lead_unit, last.co_units) == ("下沙街道", ("区住建局", "区交通运输局"))
    assert last.copy_to == ("区住建局", "区交通运输局", "专班")
    assert "办理时限2026年11月23日17:30，已超过时限。由两办督查室督办。" in last.remarks


def test_an_order_tells_of_the_day_it_was_given() -> None:
    rows = [order("17T12:00", "第一次"), order("24T15:00", "第二次")]
    first = filling.supervision_order(appeal(), history(), rows, taskforce=TASKFORCE, place=1)
    assert (first.issuer, first.number) == (TASKFORCE, f"督{NUMBER}-01")
    assert (first.lead_unit, first.co_units) == ("区住建局", ())
    assert first.copy_to == ("下沙街道",)
    assert "2026年11月19日17:30" in first.remarks
    assert "已超过" not in first.remarks


def test_a_direct_line_appeal_is_copied_to_the_inspection_office() -> None:
    direct = appeal(direct_line=True)
    rows = [order("24T15:00", "尽快")]
    assert "两办督查室" in filling.assignment_sheet(direct, history(), taskforce=TASKFORCE).copy_to
    assert "两办督查室" in filling.supervision_order(direct, history(), rows, taskforce=TASKFORCE).copy_to


def test_without_an_order_there_is_none_to_print() -> None:
    moment = Supervision(order("23T12:00", "").at, "专班", SupervisionKind.MOMENT)
    with pytest.raises(NotFound, match="还没有督办记录"):
        filling.supervision_order(appeal(), history(), [moment], taskforce=TASKFORCE)
    with pytest.raises(NotFound, match="没有第 2 次督办"):
        filling.supervision_order(
            appeal(), history(), [order("24T15:00", "尽快")], taskforce=TASKFORCE, place=2
        )
