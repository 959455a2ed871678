"""`catch-all`: level and promise of a 3135 catch-all matter (兜底服务功能板块工作管理制度, 五、保障机制)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from backend.appeals.calendar import local
from backend.appeals.service_times import ServiceKind, service_due
from backend.calculators.calculator import Calculator, Computation, Surroundings
from backend.calculators.inputs import Input, Moment, said, written
from backend.calculators.situations import Step, read
from backend.errors import InvalidInput


@dataclass(frozen=True)
class _Way:
    """One of the three ways.

    Attributes:
        name: As the documents call it.
        kind: Its time limit.
        because: Why it is this way.
        entry: Knowledge entry that states it.
    """

    name: str
    kind: ServiceKind
    because: str
    entry: str


_WAYS = {
    Step.SEVERAL: _Way(
        "研讨办", ServiceKind.DISCUSSION, "需要多部门协商研究的特殊事项", "qt.catch-all.discussion"
    ),
    Step.LEADER: _Way(
        "局长办", ServiceKind.DIRECTOR, "窗口不能解决，由领导领衔的问题", "qt.catch-all.director"
    ),
    Step.AT_ONCE: _Way("现场办", ServiceKind.ON_SITE, "窗口能即办的简单问题", "qt.catch-all.on-site"),
}


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
    step = read(given.situation, around.units.official)
    if step is None:
        raise InvalidInput(
            "请说明是窗口能即办的简单问题、窗口不能解决需要领导领衔的问题，还是需要多部门协商的特殊事项。",
            field="situation",
        )
    way = _WAYS[step]
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
