"""`catch-all`: level and promise of a 3135 catch-all matter (兜底服务功能板块工作管理制度, 五、保障机制)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from backend.appeals.calendar import local
from backend.appeals.service_times import ServiceKind, service_due
from backend.calculators.calculator import Calculator, Computation, Surroundings
from backend.calculators.inputs import Input, Moment, said, written
from backend.errors import InvalidInput


@dataclass(frozen=True)
class _Way:
    """One of the three ways.

    Attributes:
        name: As the documents call it.
        kind: Its time limit.
        words: What points to it.
        because: Why it is this way.
        entry: Knowledge entry that states it.
    """

    name: str
    kind: ServiceKind
    words: re.Pattern[str]
    because: str
    entry: str


# 不是一个部门能定的：nobody alone can, which is no denial of several
_ALONE = r"(?:一个|单个|单一|一家)(?:部门|单位)"
_NOT_ALONE = rf"(?:不是|并非|非){_ALONE}|{_ALONE}.{{0,6}}(?:不了|不能|无法|没法|难以)"
_SEVERAL = re.compile(
    rf"{_NOT_ALONE}|(?:[多两二三四五六七八九十几数2-9]|若干)(?:个|家)?(?:以上)?(?:的)?(?:部门|单位|委办局)"
    r"|跨(?:部门|单位|层级)|(?:其他|其它|别的)(?:部门|单位)|(?:部门|单位)(?:之?间|联合|协商|会商|联审|配合|协同|协办)"
    r"|联合(?:审批|办理|会审|研究|踏勘)|会商|联审|研讨|一事一议|协商研究"
    r"|特殊(?!人群|群体|原因|工种|作业)|(?:无|没有?)(?:明确的?)?(?:牵头|先例)"
)
_BEYOND = re.compile(
    r"(?:不是|并非|非)窗口|窗口.{0,8}(?:不了|不能|无法|没法|难以|不好)|(?:无法|不能|难以).{0,6}窗口|领导|局长|领衔|分管"
)
_AT_ONCE = re.compile(r"简单|不复杂|即办|即时|当场|现场|窗口|咨询|立等可取")
# What is said not to be needed decides nothing: 不需要多部门协商，窗口能办.
_DENIED = re.compile(
    r"(?:不需要?|无需|无须|不用|不必|不涉及|未涉及|没有?涉及|并非|并不是|不是|不属于|不存在)"
    rf"(?!窗口|{_ALONE})[^，,。.；;、！!？?\n]*"
)

# From the widest to the simplest: a matter for several departments stays one, wherever it was brought in.
_WAYS = (
    _Way(
        "研讨办", ServiceKind.DISCUSSION, _SEVERAL, "需要多部门协商研究的特殊事项", "qt.catch-all.discussion"
    ),
    _Way("局长办", ServiceKind.DIRECTOR, _BEYOND, "窗口不能解决，由领导领衔的问题", "qt.catch-all.director"),
    _Way("现场办", ServiceKind.ON_SITE, _AT_ONCE, "窗口能即办的简单问题", "qt.catch-all.on-site"),
)


class CatchAllInput(Input):
    """What the way depends on.

    Attributes:
        situation: The matter in a few words.
        submitted_at: When it was handed in; with it the due time is computed too.
    """

    situation: Annotated[str, Field(min_length=2, max_length=2000)]
    submitted_at: Moment | None = None


def compute(given: CatchAllInput, around: Surroundings) -> Computation:
    """Find the way, and the due time where the submission is known.

    Raises:
        InvalidInput: The words do not tell which way it is.
    """
    told = _DENIED.sub("", unicodedata.normalize("NFKC", given.situation))
    way = next((way for way in _WAYS if way.words.search(told)), None)
    if way is None:
        raise InvalidInput(
            "请说明是窗口能即办的简单问题、窗口不能解决需要领导领衔的问题，还是需要多部门协商的特殊事项。",
            field="situation",
        )
    result: dict[str, object] = {"level": way.name, "working_days": way.kind.working_days}
    trace = [f"{way.because}，属于“{way.name}”", f"{way.kind.working_days} 个工作日内答复"]
    due = (
        service_due(way.kind, given.submitted_at, around.calendar, around.close)
        if given.submitted_at
        else None
    )
    if given.submitted_at is not None and due is not None:
        provisional = around.calendar.touches_provisional(given.submitted_at.date(), local(due).date())
        result |= {"due_at": written(due), "provisional": provisional}
        trace.append(f"最迟答复时间：{said(due)}" + ("（放假安排尚未公布，暂算）" if provisional else ""))
    return Computation(result=result, trace=tuple(trace), citations=(way.entry,))


CALCULATOR = Calculator("catch-all", "“3135兜底办”的办理级别和时限", CatchAllInput, compute)
