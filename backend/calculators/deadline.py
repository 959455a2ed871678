"""`deadline`: when an appeal is due and when it is supervised."""

from __future__ import annotations

from datetime import date, timedelta

from backend.appeals.calendar import WorkCalendar
from backend.appeals.deadlines import (
    due_after_upgrade,
    due_at,
    is_provisional,
    supervision_moments,
    supervisor,
)
from backend.appeals.model import Level
from backend.calculators.calculator import Calculator, Computation, Surroundings
from backend.calculators.inputs import Input, Moment, said, written

_WEEKDAYS = "一二三四五六日"


class DeadlineInput(Input):
    """What the due time depends on.

    Attributes:
        level: Level of the appeal.
        submitted_at: When it was submitted, with offset.
        direct: Whether it came by 书记区长直通车.
        upgraded_from: Level before it became a whistle appeal; the due time then never gets earlier.
    """

    level: Level
    submitted_at: Moment
    direct: bool = False
    upgraded_from: Level | None = None


def _day(day: date) -> str:
    return f"{day.month}月{day.day}日（周{_WEEKDAYS[day.weekday()]}）"


def _count(first: date, n: int, calendar: WorkCalendar) -> list[str]:
    """The count in sentences: every working day, and the days off between them."""
    steps = [f"提交当日 {first.year}年{_day(first)} 不计"]
    off: list[date] = []
    day, k = first, 0
    while k < n:
        day += timedelta(days=1)
        if not calendar.is_working_day(day):
            off.append(day)
            continue
        if off:
            span = _day(off[0]) if len(off) == 1 else f"{_day(off[0])}至{_day(off[-1])}"
            steps.append(f"{span}是休息日，不计")
            off = []
        k += 1
        made_up = "，调休上班" if day.weekday() >= 5 else ""
        steps.append(f"第 {k} 个工作日：{_day(day)}{made_up}")
    return steps


def compute(given: DeadlineInput, around: Surroundings) -> Computation:
    """Compute due time and supervision moments (docs/135.md, 1, 2 and 4)."""
    calendar, level, submitted = around.calendar, given.level, given.submitted_at
    due = due_at(level, submitted, calendar, around.close)
    if given.upgraded_from is not None and level is Level.WHISTLE:
        due = due_after_upgrade(
            due_at(given.upgraded_from, submitted, calendar, around.close), submitted, calendar, around.close
        )
    moments = supervision_moments(level, submitted, calendar, direct_line=given.direct)
    provisional = is_provisional(submitted, max(due, *(moment.at for moment in moments)), calendar)
    trace = [
        f"{level.text}：{level.working_days} 个工作日",
        *_count(submitted.date(), level.working_days, calendar),
        f"到期时间为当日下班时间：{said(due)}",
        *(
            f"到时仍未办结，由{moment.by}督办：{said(moment.at)}"
            for moment in moments
            if moment.at > submitted
        ),
    ]
    if given.direct:
        trace.append("书记区长直通车的问题从提交起由两办督查室督办，专班配合")
    if provisional:
        trace.append("涉及的年份尚未公布放假安排，按周末和固定节假日暂算，公布后会重新计算")
    return Computation(
        result={
            "level": level.value,
            "working_days": level.working_days,
            "due_at": written(due),
            "supervision": [{"at": written(moment.at), "by": moment.by} for moment in moments],
            "supervisor": supervisor(direct_line=given.direct),
            "provisional": provisional,
        },
        trace=tuple(trace),
        citations=(
            f"qt.promise.{level.value}",
            "qt.promise.day-count",
            f"qt.supervision.{level.value}",
            *(["qt.supervision.direct-line"] if given.direct else []),
        ),
    )


CALCULATOR = Calculator("deadline", "诉求的办理期限和督办时间", DeadlineInput, compute)
