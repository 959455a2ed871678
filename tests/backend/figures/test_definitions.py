"""Each figure on single appeals: what counts, what does not, and what nobody can say yet."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.appeals.calendar import SHANGHAI, WorkCalendar
from backend.appeals.model import Appeal, Feedback, FeedbackResult, Level, State
from backend.appeals.penalties import PenaltyKind
from backend.figures.definitions import (
    Counts,
    Rate,
    counts_of,
    is_late,
    is_reply_late,
    lead_unit,
    median,
    total,
    working_seconds,
)

DUE = datetime(2026, 11, 19, 17, 30, tzinfo=SHANGHAI)
BEFORE, AFTER = DUE - timedelta(hours=1), DUE + timedelta(hours=1)
NOW = DUE + timedelta(days=1)
CALENDAR = WorkCalendar()


def appeal(**changes: Any) -> Appeal:
    known: dict[str, Any] = {
        "number": "QT20261116-0001",
        "group": "g",
        "enterprise": "杭州测试有限公司",
        "contact": "王芳",
        "phone": "13800000001",
        "text": "停水了",
        "channel": "portal",
        "category": "项目",
        "level": Level.SINGLE,
        "initial_level": Level.SINGLE,
        "state": State.ASSIGNED,
        "direct_line": False,
        "territory": "下沙街道",
        "lead_department": "甲局",
        "co_departments": (),
        "submitted_at": DUE - timedelta(days=3),
        "due_at": DUE,
        "assigned_at": DUE - timedelta(days=2),
    }
    return Appeal(**{**known, **changes})


def word(
    at: datetime, result: FeedbackResult = FeedbackResult.UNRESOLVED, stars: int | None = None
) -> Feedback:
    return Feedback(at, result, stars, "")


RESOLVED = {"state": State.RESOLVED}


@pytest.mark.parametrize(
    ("changes", "now", "late"),
    [
        ({}, BEFORE, None),
        ({}, DUE, None),
        ({}, AFTER, True),
        ({**RESOLVED, "first_resolved_at": BEFORE}, AFTER, False),
        ({**RESOLVED, "first_resolved_at": DUE}, AFTER, False),
        ({**RESOLVED, "first_resolved_at": AFTER}, NOW, True),
        ({"state": State.CLOSED, "first_resolved_at": BEFORE}, NOW, False),
        # came back after the due time: it was in time
        ({"state": State.REOPENED, "first_resolved_at": BEFORE, "feedback": word(AFTER)}, NOW, False),
        # came back before the due time and is still not resolved
        ({"state": State.REOPENED, "first_resolved_at": BEFORE, "feedback": word(BEFORE)}, NOW, True),
        ({"state": State.REOPENED, "first_resolved_at": BEFORE, "feedback": word(BEFORE)}, DUE, False),
        ({"state": State.WITHDRAWN}, NOW, None),
        ({"state": State.MERGED}, NOW, None),
        ({"state": State.MERGED, "first_resolved_at": AFTER}, NOW, True),
    ],
)
def test_late_means_unresolved_when_due(changes: dict[str, Any], now: datetime, late: bool | None) -> None:
    assert is_late(appeal(**changes), now) is late


@pytest.mark.parametrize("kind", [PenaltyKind.LATE_DISPATCH, PenaltyKind.LATE_HANDLING])
@pytest.mark.parametrize("state", [State.MERGED, State.WITHDRAWN, State.CLOSED])
def test_a_recorded_lateness_is_not_merged_or_withdrawn_away(kind: PenaltyKind, state: State) -> None:
    assert is_late(appeal(state=state), NOW, {kind}) is True
    assert is_late(appeal(state=State.MERGED), NOW, {PenaltyKind.DISSATISFIED}) is None


@pytest.mark.parametrize(
    ("changes", "now", "late"),
    [
        ({}, BEFORE, None),
        ({}, AFTER, True),
        ({"first_reply_at": DUE}, NOW, False),
        ({"first_reply_at": AFTER}, NOW, True),
        ({"state": State.WITHDRAWN}, NOW, None),
    ],
)
def test_a_first_reply_is_judged_by_the_due_time(
    changes: dict[str, Any], now: datetime, late: bool | None
) -> None:
    assert is_reply_late(appeal(**changes), now) is late


def test_the_lead_is_the_department_from_the_assignment_on() -> None:
    assert lead_unit(appeal()) == ("甲局", True)
    assert lead_unit(appeal(assigned_at=None)) == ("下沙街道", False)
    assert lead_unit(appeal(lead_department=None, level=Level.WHISTLE)) == ("下沙街道", False)
    assert lead_unit(appeal(lead_department=None, territory=None)) == (None, False)


def test_a_solved_and_rated_appeal_counts_everywhere_it_should() -> None:
    closed = appeal(
        state=State.CLOSED,
        first_reply_at=BEFORE,
        first_resolved_at=BEFORE,
        feedback=word(AFTER, FeedbackResult.RESOLVED, 4),
        dissatisfied=1,
        escalation_level=2,
        level=Level.WHISTLE,
    )
    assert counts_of(closed, NOW) == Counts(
        filed=1,
        closed=1,
        on_time=1,
        replied_on_time=1,
        solved=1,
        answered=1,
        stars=4,
        rated=1,
        good=1,
        reopened=1,
        resolved_once=1,
        escalated=1,
        whistle=1,
    )


def test_a_silent_enterprise_is_counted_as_silent_and_closes_nothing() -> None:
    counts = counts_of(appeal(state=State.RESOLVED, first_resolved_at=BEFORE), NOW)
    assert (counts.silent, counts.closed, counts.open) == (1, 0, 0)
    assert counts.closed_rate == Rate(0, 1)
    assert counts.solve_rate.value is None


def test_a_rate_of_nothing_is_nothing() -> None:
    counts = Counts()
    for rate in (
        counts.on_time_rate,
        counts.first_reply_rate,
        counts.solve_rate,
        counts.closed_rate,
        counts.satisfied_rate,
        counts.reopening_rate,
        counts.escalated_rate,
        counts.whistle_rate,
    ):
        assert rate == Rate(0, 0)
        assert rate.value is None
    assert counts.mean_stars is None


def test_withdrawn_and_merged_leave_the_closed_rate() -> None:
    counts = total(
        counts_of(appeal(state=state), BEFORE) for state in (State.CLOSED, State.WITHDRAWN, State.MERGED)
    )
    assert counts.filed == 3
    assert counts.closed_rate == Rate(1, 1)


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        ("2026-11-19T09:00", "2026-11-19T11:30", 2.5),
        ("2026-11-19T18:00", "2026-11-20T09:00", 15),
        ("2026-11-20T18:00", "2026-11-23T09:00", 15),  # over a weekend
        ("2026-11-21T10:00", "2026-11-23T09:00", 9),  # filed on a Saturday
        ("2026-11-21T10:00", "2026-11-22T09:00", 0),  # answered on a Sunday
        ("2026-09-30T12:00", "2026-10-08T12:00", 24),  # over a holiday
        ("2026-10-10T08:00", "2026-10-12T08:00", 24),  # a worked Saturday
    ],
)
def test_working_time_leaves_days_off_out(since: str, until: str, hours: float) -> None:
    first, last = (datetime.fromisoformat(f"{moment}:00+08:00") for moment in (since, until))
    assert working_seconds(first, last, CALENDAR) == hours * 3600


@given(st.lists(st.integers(0, 1000), max_size=9))
def test_half_lie_on_each_side_of_the_median(values: list[int]) -> None:
    middle = median(values)
    if not values:
        assert middle is None
        return
    assert middle is not None
    assert sum(value < middle for value in values) <= len(values) / 2
    assert sum(value > middle for value in values) <= len(values) / 2
