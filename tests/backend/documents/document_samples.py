"""One appeal with its record, and the way back from a Word file to what stands in its boxes."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime
from typing import Any

from docx import Document

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
from backend.people.actors import ENTERPRISE, Actor
from backend.people.roles import Role

NUMBER = "QT20261116-0042"
TASKFORCE = "杭州市测试区企业服务工作专班"
TERRITORY = Actor("street", Role.TERRITORY, "下沙街道")
DEPARTMENT = Actor("officer", Role.DEPARTMENT, "区住建局")
WHISTLED = {
    "level": "single",
    "lead_department": "区住建局",
    "co_departments": [],
    "due_at": "2026-11-19T17:30:00+08:00",
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}:00+08:00")


def appeal(**changes: Any) -> Appeal:
    """A whistle appeal that began as a single one."""
    made = Appeal(
        number=NUMBER,
        group="g",
        enterprise="杭州测试科技有限公司",
        contact="王小明",
        phone="13800000001",
        text="公司门口的道路破损很久了。\n货车进出经常托底。",
        channel="portal",
        category="诉求",
        level=Level.WHISTLE,
        initial_level=Level.SINGLE,
        state=State.REPLIED,
        direct_line=False,
        territory="下沙街道",
        lead_department=None,
        co_departments=("区住建局", "区交通运输局"),
        submitted_at=at("16T10:00"),
        due_at=at("23T17:30"),
        assigned_at=at("16T11:00"),
    )
    return replace(made, **changes)


def line(when: str, actor: Actor, event: Event, summary: str, text: str = "", **more: Any) -> HistoryEvent:
    return HistoryEvent(at(when), actor, event, summary, text, **more)


def history() -> list[HistoryEvent]:
    """Filed, assigned to one department, handed on to a second, answered."""
    return [
        line("16T10:00", ENTERPRISE, Event.FILE, "已提交诉求"),
        line("16T11:00", TERRITORY, Event.ASSIGN, "交办：由区住建局牵头办理", "请先到现场查看"),
        line("17T09:30", DEPARTMENT, Event.NOTE, "内部备注", "道路由另一部门管养", public=False),
        line("17T15:00", DEPARTMENT, Event.TRANSFER, "转办：调整为吹哨问题", "不是管养单位", before=WHISTLED),
        line("18T10:00", DEPARTMENT, Event.RECOMPUTE, "放假安排有更新"),
        line("19T10:00", DEPARTMENT, Event.REPLY, "区住建局答复", "正在协商\n修复方案"),
    ]


def escalated() -> list[HistoryEvent]:
    """The same, escalated with its papers."""
    papers = ["approval_form", "situation_report", "meeting_record", "sign_in_record"]
    step = line(
        "20T10:00", TERRITORY, Event.ESCALATE, "提级到第 2 级", "资金没有着落", after={"documents": papers}
    )
    return [*history(), step]


def order(when: str, words: str, by: str = "专班") -> Supervision:
    return Supervision(at(when), by, SupervisionKind.ORDER, SupervisionState.DONE, words)


def read(file: bytes) -> dict[str, str]:
    """The boxes of a Word file: label → what stands in it."""
    document = Document(io.BytesIO(file))
    found: dict[str, str] = {}
    for row in document.tables[0].rows:
        values = ["\n".join(_paragraph(p) for p in cell.p_lst) for cell in row._tr.tc_lst]
        for label, value in zip(values[::2], values[1::2], strict=True):
            found[label.replace("\n", "")] = value
    return found


def _paragraph(element: Any) -> str:
    return "".join(run.text for run in element.r_lst)


def title(file: bytes) -> str:
    """What stands above the table."""
    return "".join(p.text for p in Document(io.BytesIO(file)).paragraphs if p.style.name == "QifuTitle")


def foot(file: bytes) -> str:
    """What stands at the foot of each page."""
    return Document(io.BytesIO(file)).sections[0].footer.paragraphs[0].text
