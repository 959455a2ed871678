"""`policy-return`: when what the policy window handed on must be back, in natural hours (docs/135.md)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator

from backend.appeals.service_times import ServiceKind, service_due
from backend.calculators.calculator import Calculator, Computation, Surroundings
from backend.calculators.inputs import Input, Moment, said, written


class Kind(StrEnum):
    """Who handles the matter."""

    SINGLE_DEPARTMENT = "single_department"
    JOINT = "joint"

    @property
    def limit(self) -> ServiceKind:
        """The time limit that holds."""
        return ServiceKind.POLICY_SINGLE if self is Kind.SINGLE_DEPARTMENT else ServiceKind.POLICY_JOINT


_OTHER_NAMES = {
    "single": Kind.SINGLE_DEPARTMENT,
    "one_department": Kind.SINGLE_DEPARTMENT,
    "单个部门": Kind.SINGLE_DEPARTMENT,
    "单一部门": Kind.SINGLE_DEPARTMENT,
    "joint_department": Kind.JOINT,
    "joint_departments": Kind.JOINT,
    "multi_department": Kind.JOINT,
    "multiple_departments": Kind.JOINT,
    "several_departments": Kind.JOINT,
    "部门联合": Kind.JOINT,
    "联合办理": Kind.JOINT,
}


def _kind(value: Any) -> Any:
    return _OTHER_NAMES.get(value.strip().lower(), value) if isinstance(value, str) else value


class PolicyReturnInput(Input):
    """What the time depends on.

    Attributes:
        kind: One department, or several jointly.
        handed_at: When the window handed the matter on.
    """

    kind: Annotated[Kind, BeforeValidator(_kind)]
    handed_at: Moment


def compute(given: PolicyReturnInput, around: Surroundings) -> Computation:
    """Add the hours."""
    hours = given.kind.limit.hours or 0
    due = service_due(given.kind.limit, given.handed_at, around.calendar) or given.handed_at
    who = "单个部门处置" if given.kind is Kind.SINGLE_DEPARTMENT else "部门联合办理"
    return Computation(
        result={"due_at": written(due), "hours": hours},
        trace=(
            f"{who}的事项，转递后 {hours} 小时内向窗口反馈",
            "按自然小时计算，休息日照算",
            f"最迟反馈时间：{said(due)}",
        ),
        citations=("qt.system.policy.return",),
    )


CALCULATOR = Calculator("policy-return", "政策服务事项的反馈时限", PolicyReturnInput, compute)
