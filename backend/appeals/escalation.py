"""The four coordination levels, and what must be at hand to go up one.

The project's reading (docs/135.md, 9): strictly 1, 2, 3, 4, with the documents of the step; a major
matter, and one that needs two or more district leaders, may go straight to level 4.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from backend.appeals.deadlines import INSPECTION_OFFICE, TASKFORCE
from backend.errors import Conflict, InvalidInput
from backend.people.actors import Actor
from backend.people.roles import Role

DOCUMENTS = {
    "approval_form": "企业问题提级协调审批表",
    "situation_report": "问题办理情况说明",
    "meeting_record": "主办部门会议记录",
    "sign_in_record": "会议签到记录",
    "taskforce_report": "专班报告",
}
"""Documents by the name that programs use."""


@dataclass(frozen=True)
class Step:
    """One coordination level.

    Attributes:
        level: 1 to 4.
        name: Who coordinates.
        documents: What must be at hand to enter it from the level below.
    """

    level: int
    name: str
    documents: tuple[str, ...]


STEPS: dict[int, Step] = {
    1: Step(1, "部门、平台、街道专题协调", ()),
    2: Step(2, "专班协调", ("approval_form", "situation_report", "meeting_record", "sign_in_record")),
    3: Step(3, "分管区领导协调", ("taskforce_report",)),
    4: Step(4, "区主要领导协调", ()),
}


def check_step(
    present: int, to_level: int, documents: Collection[str], *, major: bool = False, leaders_needed: int = 1
) -> Step:
    """Check a move up.

    Args:
        present: Present level.
        to_level: Level wanted.
        documents: Names of the documents at hand.
        major: A major matter.
        leaders_needed: How many district leaders are needed.

    Returns:
        The step that is entered.

    Raises:
        InvalidInput: A level or document that does not exist.
        Conflict: Not the next level (``escalation_order``), or documents are missing
            (``documents_missing``, named in ``details["missing"]``).
    """
    if to_level not in STEPS or to_level == 1:
        raise InvalidInput("提级层级只能是 2、3 或 4。", field="to_level")
    unknown = [name for name in documents if name not in DOCUMENTS]
    if unknown:
        raise InvalidInput(f"材料名称只能是：{'、'.join(DOCUMENTS)}。", field="documents")
    if leaders_needed < 0:
        raise InvalidInput("需要的区领导人数不能是负数。", field="leaders_needed")
    if to_level <= present:
        raise Conflict(f"目前已是第 {present} 级。", code="escalation_order", present=present)
    step = STEPS[to_level]
    if to_level == len(STEPS) and (major or leaders_needed >= 2):
        return step
    if to_level != present + 1:
        raise Conflict(
            f"提级应逐级进行，目前是第 {present} 级，下一级是第 {present + 1} 级；"
            "重大问题，或者需要两名以上区领导协调的问题，可以直接提到第 4 级。",
            code="escalation_order",
            present=present,
        )
    missing = [name for name in step.documents if name not in documents]
    if missing:
        titles = "、".join(f"《{DOCUMENTS[name]}》" for name in missing)
        raise Conflict(f"提级材料不全，还缺{titles}。", code="documents_missing", missing=missing)
    return step


def supervising_office(actor: Actor) -> str:
    """The office in whose name an account gives a supervision order."""
    return INSPECTION_OFFICE if actor.role is Role.INSPECTION else TASKFORCE
