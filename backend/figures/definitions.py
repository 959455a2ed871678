"""The figures, each as a small pure function of one appeal, and rates as numerator over denominator.

docs/figures.md says the same to officials. This module is the definition: `backend.storage.figures` counts
the same in SQL, and a property test holds the two together.

Every appeal that was filed counts, also withdrawn and merged ones, which are counted apart and only leave the
rates that they cannot have part in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from backend.appeals.calendar import WorkCalendar, local
from backend.appeals.model import AWAITING, Appeal, FeedbackResult, Level, State
from backend.appeals.penalties import PenaltyKind

GOOD_STARS = 4
"""From how many stars on an enterprise counts as satisfied."""

LATE_KINDS = frozenset({PenaltyKind.LATE_DISPATCH, PenaltyKind.LATE_HANDLING})
"""Recorded events that say that an appeal was unresolved when it was due."""


@dataclass(frozen=True)
class Rate:
    """A share with what it is a share of.

    Attributes:
        numerator: How many have the property.
        denominator: How many could have it.
    """

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """The share from 0 to 1; None where nothing could have it."""
        return self.numerator / self.denominator if self.denominator else None


def is_late(appeal: Appeal, now: datetime, recorded: Collection[PenaltyKind] = ()) -> bool | None:
    """Whether an appeal missed its promise (135办理机制; 督查考核机制: 逾期办理, 超期未交办).

    Asked is one question: was it unresolved when it was due? The first resolve counts, so a return after the
    due time does not make a timely one late; one that came back before it was due has to be resolved again.

    Args:
        appeal: As it is now.
        now: The present moment.
        recorded: Kinds of events in the assessment that the appeal has; a recorded lateness stays, whatever
            happens to the appeal afterwards.

    Returns:
        None where it cannot be said: not due yet, or withdrawn or merged before anything was late.
    """
    if LATE_KINDS.intersection(recorded):
        return True
    past_due = appeal.is_open and now > appeal.due_at
    first = appeal.first_resolved_at
    if first is None:
        return True if past_due else None
    if first > appeal.due_at:
        return True
    returned_in_time = appeal.feedback is not None and appeal.feedback.at <= appeal.due_at
    return past_due and returned_in_time


def is_reply_late(appeal: Appeal, now: datetime) -> bool | None:
    """Whether the first answer came after the due time (135办理机制: 1 个工作日内回复, 3、5 个工作日内反馈).

    Returns:
        None where it cannot be said: no answer yet and not due, or ended without one.
    """
    if appeal.first_reply_at is not None:
        return appeal.first_reply_at > appeal.due_at
    return True if appeal.is_open and now > appeal.due_at else None


def is_silent(appeal: Appeal) -> bool:
    """Whether the enterprise has the word and has not given it (DECISIONS 7: silence closes nothing)."""
    return appeal.state in AWAITING


def was_reopened(appeal: Appeal) -> bool:
    """Whether the enterprise has sent a resolved appeal back at least once (企业不满意件)."""
    return appeal.dissatisfied > 0 and appeal.first_resolved_at is not None


def lead_unit(appeal: Appeal) -> tuple[str | None, bool]:
    """Whose an appeal is, and whether that is a department (首问责任制; 分级分类: 吹哨由平台、街道牵头).

    The lead department from the assignment on; before it, and where the territory leads, the territory.
    Co-departments are counted apart.
    """
    if appeal.assigned_at is not None and appeal.lead_department is not None:
        return appeal.lead_department, True
    return appeal.territory, False


@dataclass(frozen=True)
class Counts:
    """How many of the appeals of a group have which property.

    Attributes:
        filed: All that were filed.
        open: Somebody in the administration has to act.
        overdue: Open and past due.
        silent: The enterprise has the word.
        closed: Resolved by the lead and called solved by the enterprise.
        withdrawn: Taken back by the enterprise.
        merged: Go on in another appeal.
        not_accepted: Refused, with the enterprise's word outstanding.
        on_time: Resolved when due.
        late: Unresolved when due.
        replied_on_time: First answered by the due time.
        replied_late: First answered after it, or not answered at all though past due.
        solved: The enterprise's last word is 已解决.
        answered: The enterprise has given its word.
        stars: Sum of the stars given.
        rated: How many gave stars.
        good: How many gave four or five.
        reopened: Sent back at least once after a resolve.
        resolved_once: Resolved at least once.
        escalated: At the second coordination level or above.
        whistle: 吹哨问题.
    """

    filed: int = 0
    open: int = 0
    overdue: int = 0
    silent: int = 0
    closed: int = 0
    withdrawn: int = 0
    merged: int = 0
    not_accepted: int = 0
    on_time: int = 0
    late: int = 0
    replied_on_time: int = 0
    replied_late: int = 0
    solved: int = 0
    answered: int = 0
    stars: int = 0
    rated: int = 0
    good: int = 0
    reopened: int = 0
    resolved_once: int = 0
    escalated: int = 0
    whistle: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def on_time_rate(self) -> Rate:
        """按时办结率: resolved when due, of those whose due time has come or that are resolved."""
        return Rate(self.on_time, self.on_time + self.late)

    @property
    def first_reply_rate(self) -> Rate:
        """按时答复率: first answered by the due time, of those answered or past due."""
        return Rate(self.replied_on_time, self.replied_on_time + self.replied_late)

    @property
    def solve_rate(self) -> Rate:
        """解决率 (督查考核机制): called solved by the enterprise, of those it has given its word on."""
        return Rate(self.solved, self.answered)

    @property
    def closed_rate(self) -> Rate:
        """闭环率 (“全流程”闭环机制): closed, of all but the withdrawn and merged ones."""
        return Rate(self.closed, self.filed - self.withdrawn - self.merged)

    @property
    def satisfied_rate(self) -> Rate:
        """满意率: four or five stars, of those rated."""
        return Rate(self.good, self.rated)

    @property
    def mean_stars(self) -> float | None:
        """平均星级; None where nobody rated."""
        return self.stars / self.rated if self.rated else None

    @property
    def reopening_rate(self) -> Rate:
        """退回重办率: sent back at least once, of those resolved at least once."""
        return Rate(self.reopened, self.resolved_once)

    @property
    def escalated_rate(self) -> Rate:
        """提级率 (分级协调): at the second level or above, of all filed."""
        return Rate(self.escalated, self.filed)

    @property
    def whistle_rate(self) -> Rate:
        """吹哨占比, of all filed."""
        return Rate(self.whistle, self.filed)


def counts_of(appeal: Appeal, now: datetime, recorded: Collection[PenaltyKind] = ()) -> Counts:
    """What one appeal adds to the counts of its group."""
    late, reply_late = is_late(appeal, now, recorded), is_reply_late(appeal, now)
    stars = appeal.feedback.stars if appeal.feedback else None
    return Counts(
        filed=1,
        open=int(appeal.is_open),
        overdue=int(appeal.is_overdue(now)),
        silent=int(is_silent(appeal)),
        closed=int(appeal.state is State.CLOSED),
        withdrawn=int(appeal.state is State.WITHDRAWN),
        merged=int(appeal.state is State.MERGED),
        not_accepted=int(appeal.state is State.NOT_ACCEPTED),
        on_time=int(late is False),
        late=int(late is True),
        replied_on_time=int(reply_late is False),
        replied_late=int(reply_late is True),
        solved=int(appeal.feedback is not None and appeal.feedback.result is FeedbackResult.RESOLVED),
        answered=int(appeal.feedback is not None),
        stars=stars or 0,
        rated=int(stars is not None),
        good=int(stars is not None and stars >= GOOD_STARS),
        reopened=int(was_reopened(appeal)),
        resolved_once=int(appeal.first_resolved_at is not None),
        escalated=int(appeal.escalation_level >= 2),
        whistle=int(appeal.level is Level.WHISTLE),
    )


def working_seconds(since: datetime, until: datetime, calendar: WorkCalendar) -> int:
    """Whole seconds from one moment to another with days off left out; a working day has all its 24 hours.

    The documents promise working days and name no office hours, so none are made up here.
    """
    first, last = local(since).replace(microsecond=0), local(until).replace(microsecond=0)
    seconds, day = 0, first.date()
    while day <= last.date():
        if calendar.is_working_day(day):
            begin = first.replace(tzinfo=None) if day == first.date() else _midnight(day)
            end = last.replace(tzinfo=None) if day == last.date() else _midnight(day + timedelta(days=1))
            seconds += int((end - begin).total_seconds())
        day += timedelta(days=1)
    return seconds


def _midnight(day: object) -> datetime:
    return datetime.fromisoformat(f"{day}T00:00:00")


def median(values: Sequence[int]) -> float | None:
    """The middle value, or the mean of the two in the middle; None of nothing."""
    ordered, half = sorted(values), len(values) // 2
    if not ordered:
        return None
    return float(ordered[half]) if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def total(counts: Iterable[Counts]) -> Counts:
    """All together."""
    whole = Counts()
    for one in counts:
        whole += one
    return whole
