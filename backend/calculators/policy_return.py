"""`policy-return`: when what the policy window handed on must be back, in natural hours (docs/135.md)."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator

from backend.calculators.calculator import Calculator, Computation, Surroundings
from backend.calculators.inputs import Input, Moment, said, written


class Kind(StrEnum):
    """Who handles the matter."""

    SINGLE_DEPARTMENT = "single_department"
    JOINT = "joint"

    @property
    def hours(self) -> int:
        """Natural hours until it must be back."""
        return 24 if self is Kind.SINGLE_DEPARTMENT else 48


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


def compute(given: PolicyReturnInput, _around: Surroundings) -> Computation:
    """Add the hours."""
    due = given.handed_at + timedelta(hours=given.kind.hours)
    who = "单个部门处置" if given.kind is Kind.SINGLE_DEPARTMENT else "部门联合办理"
    return Computation(
        result={"due_at": written(due), "hours": given.kind.hours},
        trace=(
            f"{who}的事项，转递后 {given.kind.hours} 小时内向窗口反馈",
            "按自然小时计算，休息日照算",
            f"最迟反馈时间：{said(due)}",
        ),
    )


CALCULATOR = Calculator("policy-return", "政策服务事项的反馈时限", PolicyReturnInput, compute)
