"""`catch-all`: level and promise of a 3135 catch-all matter (兜底服务功能板块工作管理制度, 五、保障机制)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from backend.appeals.calendar import local
from backend.appeals.deadlines import due_on_working_day
from backend.calculators.calculator import Calculator, Computation, Surroundings
from backend.calculators.inputs import Input, Moment, said, written
from backend.errors import InvalidInput


@dataclass(frozen=True)
class _Way:
    """One of the three ways.

    Attributes:
        name: As the documents call it.
        working_days: Promise.
        words: What points to it.
        because: Why it is this way.
        entry: Knowledge entry that states it.
    """

    name: str
    working_days: int
    words: re.Pattern[str]
    because: str
    entry: str


_SEVERAL = re.compile(
    r"多个?部门|(?:两|二|三|四|几|2|3|4)个?(?:以上)?(?:的)?部门|跨部门|部门(?:之?间|联合|协商)|研讨|一事一议"
    r"|协商研究|特殊|无牵头|没有牵头|无先例"
)
_BEYOND = re.compile(r"窗口.{0,6}(?:不了|不能|无法|没法|难以)|(?:无法|不能).{0,6}窗口|领导|局长|领衔")
_AT_ONCE = re.compile(r"简单|即办|即时|当场|现场|窗口|咨询")

# From the widest to the simplest: a matter for several departments stays one, wherever it was brought in.
_WAYS = (
    _Way("研讨办", 5, _SEVERAL, "需要多部门协商研究的特殊事项", "qt.catch-all.discussion"),
    _Way("局长办", 3, _BEYOND, "窗口不能解决，由领导领衔的问题", "qt.catch-all.director"),
    _Way("现场办", 1, _AT_ONCE, "窗口能即办的简单问题", "qt.catch-all.on-site"),
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
    way = next((way for way in _WAYS if way.words.search(given.situation)), None)
    if way is None:
        raise InvalidInput(
            "请说明是窗口能即办的简单问题、窗口不能解决需要领导领衔的问题，还是需要多部门协商的特殊事项。",
            field="situation",
        )
    result: dict[str, object] = {"level": way.name, "working_days": way.working_days}
    trace = [f"{way.because}，属于“{way.name}”", f"{way.working_days} 个工作日内答复"]
    if given.submitted_at is not None:
        due = due_on_working_day(way.working_days, given.submitted_at, around.calendar, around.close)
        provisional = around.calendar.touches_provisional(given.submitted_at.date(), local(due).date())
        result |= {"due_at": written(due), "provisional": provisional}
        trace.append(f"最迟答复时间：{said(due)}" + ("（放假安排尚未公布，暂算）" if provisional else ""))
    return Computation(result=result, trace=tuple(trace), citations=(way.entry,))


CALCULATOR = Calculator("catch-all", "“3135兜底办”的办理级别和时限", CatchAllInput, compute)
