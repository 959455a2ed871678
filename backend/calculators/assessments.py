"""Assessments beside 135: the chief service officer's score and bonus, and the departments' bonus points.

Sources: 首席服务专员日常管理考核办法, and 政务服务增值化改革部门考核加分办法.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field

from backend.calculators.calculator import Calculator, Computation, Surroundings
from backend.calculators.inputs import Input, figure, number

_BASIC = Decimal(20)
"""Points of 基础工作, from which is deducted."""

_BANDS = ((30, Decimal("3.0")), (80, Decimal("2.4")), (100, Decimal("1.8")))
"""Up to which percent of the ranks, and the most points there: first 30 %, middle 50 %, last 20 %."""


class ChiefOfficerScoreInput(Input):
    """What a chief officer's score depends on.

    Attributes:
        five_powers: Points of 五个力, 0 to 100.
        deductions: Points that 基础工作 loses each time, 1 to 3.
    """

    five_powers: Annotated[Decimal, BeforeValidator(figure), Field(ge=0, le=100, max_digits=20)]
    deductions: Annotated[
        list[Annotated[Decimal, BeforeValidator(figure), Field(ge=1, le=3, max_digits=20)]],
        Field(max_length=1000),
    ] = Field(default_factory=list)


def score(given: ChiefOfficerScoreInput, _around: Surroundings) -> Computation:
    """Add the five powers and what is left of the 20 basic points."""
    lost = min(_BASIC, sum(given.deductions, Decimal(0)))
    total = given.five_powers + _BASIC - lost
    return Computation(
        result={
            "five_powers": number(given.five_powers),
            "basic": number(_BASIC - lost),
            "total": number(total),
        },
        trace=(
            f"“五个力”正向赋分：{number(given.five_powers)} 分（满分 100 分）",
            f"基础工作 20 分，扣 {len(given.deductions)} 次共 {number(lost)} 分（最多扣 20 分），"
            f"得 {number(_BASIC - lost)} 分",
            f"总分 {number(total)} 分（满分 120 分）",
        ),
        citations=("qt.chief-officer.overview", "qt.chief-officer.basic"),
    )


class Grade(StrEnum):
    """A chief officer's grade of the year."""

    S = "S"
    A = "A"
    B = "B"
    C = "C"
    D = "D"

    @property
    def share(self) -> Decimal:
        """What of the base is paid."""
        return Decimal({"S": "1.2", "A": "1.1", "B": "0.9", "C": "0", "D": "0"}[self.value])

    @property
    def text(self) -> str:
        """What the grade does to the base."""
        return {
            "S": "上浮 20%",
            "A": "上浮 10%",
            "B": "下浮 10%",
            "C": "不额外发放，并通知所在部门调整人员",
            "D": "不额外发放，并通知所在部门调整人员",
        }[self.value]


class ChiefOfficerBonusInput(Input):
    """What the bonuses depend on.

    Attributes:
        grades: One for each chief officer.
        base: Yuan; 20,000 by the documents.
    """

    grades: Annotated[list[Grade], Field(min_length=1, max_length=1000)]
    base: Annotated[Decimal, BeforeValidator(figure), Field(ge=0, le=10_000_000, max_digits=20)] = Decimal(
        20_000
    )


def bonus(given: ChiefOfficerBonusInput, _around: Surroundings) -> Computation:
    """Compute the bonus of each grade."""
    bonuses = [given.base * grade.share for grade in given.grades]
    return Computation(
        result={"bonuses": [number(one) for one in bonuses]},
        trace=(
            f"专项考核奖金基数 {number(given.base)} 元",
            *(
                f"{grade.value} 档：{grade.text}，{number(one)} 元"
                for grade, one in dict(zip(given.grades, bonuses, strict=True)).items()
            ),
            "事业编制、公务员身份的，参照平台奖金标准给予 20% 的上浮，具体根据个人考核档次确定",
        ),
        citations=("qt.chief-officer.bonus",),
    )


class DepartmentBonusInput(Input):
    """How many lead units are ranked.

    Attributes:
        units: At least one.
    """

    units: Annotated[int, Field(strict=True, ge=1, le=10_000)]


def bands(given: DepartmentBonusInput, _around: Surroundings) -> Computation:
    """Share the ranks out; a rank that only a part of a share would cover belongs to the next band."""
    result: dict[str, float] = {}
    steps: list[str] = []
    last, exact = 0, True
    names = ("前 30%，第一档", "中间 50%，第二档", "后 20%，第三档")
    for (percent, points), name in zip(_BANDS, names, strict=True):
        until = given.units * percent // 100
        exact = exact and given.units * percent % 100 == 0
        if until > last:
            ranks = f"{last + 1}-{until}" if until > last + 1 else f"{until}"
            result[ranks] = float(points)
            steps.append(f"{name}：第 {ranks} 名，最高 {points} 分")
        last = until
    if not exact:
        steps.append("比例不是整数时文件没有规定，按名次向下取整")
    return Computation(
        result={"rank_to_max_points": result},
        trace=(f"主攻单位 {given.units} 个，按得分排名", *steps),
        citations=("qt.bonus.bands",),
    )


SCORE = Calculator("chief-officer-score", "首席服务专员考核得分", ChiefOfficerScoreInput, score)
BONUS = Calculator("chief-officer-bonus", "首席服务专员专项考核奖金", ChiefOfficerBonusInput, bonus)
BANDS = Calculator("department-bonus", "主攻单位加分档次", DepartmentBonusInput, bands)
