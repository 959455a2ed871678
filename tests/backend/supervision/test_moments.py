"""What is done about due rows, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.appeals.calendar import SHANGHAI, WorkCalendar
from backend.appeals.deadlines import due_at, silence_moments, supervision_moments
from backend.appeals.model import (
    AWAITING,
    SETTLED,
    Appeal,
    Event,
    Feedback,
    FeedbackResult,
    HistoryEvent,
    Level,
    State,
    Supervision,
    SupervisionKind,
)
from backend.appeals.notices import MessageKind, lead_desk, message_key, messages_of
from backend.appeals.penalties import ONCE, PenaltyKind, overdue, penalties_of
from backend.people.actors import ENTERPRISE, Actor
from backend.people.roles import Role
from backend.supervision.model import DueAppeal, DueRow
from backend.supervision.moments import LATE, deed

CALENDAR = WorkCalendar()
FILED = datetime(2026, 11, 19, 10, 0, tzinfo=SHANGHAI)
HOUSING = Actor("zj", Role.DEPARTMENT, "区住建局")
SECRETS = ("杭州某某有限公司", "王芳", "13800000001", "厂门口积水")


def appeal(**changes: object) -> Appeal:
    level = changes.get("level", Level.SINGLE)
    assert isinstance(level, Level)
    made = Appeal(
        number="QT20261119-0001",
        group="g",
        enterprise=SECRETS[0],
        contact=SECRETS[1],
        phone=SECRETS[2],
        text=SECRETS[3],
        channel="wechat",
        category="项目",
        level=level,
        initial_level=level,
        state=State.ASSIGNED,
        direct_line=False,
        territory="下沙街道",
        lead_department="区住建局",
        co_departments=(),
        submitted_at=FILED,
        due_at=due_at(level, FILED, CALENDAR),
        led_by=("区住建局",),
        assigned_at=FILED + timedelta(hours=1),
        record_length=2,
        record_head="h",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def due(of: Appeal, now: datetime, penalised: frozenset[PenaltyKind] = frozenset()) -> DueAppeal:
    moments = supervision_moments(of.level, FILED, CALENDAR, direct_line=of.direct_line)
    rows = [Supervision(moment.at, moment.by) for moment in moments]
    if of.state in AWAITING:
        *asks, _ = silence_moments(FILED, CALENDAR)
        rows += [Supervision(one.at, one.by, SupervisionKind.ASK) for one in asks]
    found = [DueRow(place, row) for place, row in enumerate(rows, 1) if row.at <= now]
    return DueAppeal(1, of, tuple(sorted(found, key=lambda one: one.row.at)), penalised)


states = st.sampled_from(list(State))
moments = st.integers(0, 100 * 24 * 3600).map(lambda seconds: FILED + timedelta(seconds=seconds))


@given(states, st.sampled_from(list(Level)), moments, st.booleans())
def test_each_due_row_is_either_acted_on_or_stopped_and_in_order(
    state: State, level: Level, now: datetime, direct: bool
) -> None:
    found = due(appeal(state=state, level=level, direct_line=direct), now)
    made = deed(found, now)
    assert sorted((*made.done, *made.stopped)) == sorted(row.id for row in found.rows)
    assert len(made.lines) == len(made.done)
    times = [line.after["moment"] for line in made.lines]
    assert times == sorted(times)
    assert all(line.event is Event.REMIND and not line.public for line in made.lines)
    assert all(line.at >= found.appeal.submitted_at for line in made.lines)
    if state in SETTLED - AWAITING:
        assert not made.done
        assert not made.messages
    assert not made.penalties or state not in SETTLED


@given(states, moments, st.booleans())
def test_words_say_when_it_was_due_if_it_was_long_ago(state: State, now: datetime, direct: bool) -> None:
    found = due(appeal(state=state, direct_line=direct), now)
    rows = {row.id: row.row for row in found.rows}
    made = deed(found, now)
    for row_id, line in zip(made.done, made.lines, strict=True):
        late = now - rows[row_id].at > LATE
        assert ("补办" in line.summary) == late
        if late:
            assert f"{rows[row_id].at:%Y-%m-%d %H:%M}" in line.summary


@given(states, st.sampled_from(list(Level)), moments, st.booleans())
def test_keys_tell_messages_apart_and_are_the_same_whoever_acts(
    state: State, level: Level, now: datetime, direct: bool
) -> None:
    found = due(appeal(state=state, level=level, direct_line=direct), now)
    keys = [message.key for message in deed(found, now).messages]
    assert len(set(keys)) == len(keys)
    assert all(len(key) <= 120 for key in keys)
    later = deed(found, now + timedelta(hours=3))
    assert [message.key for message in later.messages] == keys


@given(states, moments)
def test_no_message_tells_anything_private(state: State, now: datetime) -> None:
    for message in deed(due(appeal(state=state), now), now).messages:
        assert not any(secret in message.subject + message.body for secret in SECRETS)


def test_the_whistle_reminds_every_department_and_the_territory() -> None:
    whistle = appeal(
        level=Level.WHISTLE, lead_department=None, co_departments=("区住建局", "区人社局"), led_by=()
    )
    now = datetime(2026, 11, 26, 12, 0, tzinfo=SHANGHAI)
    told = [message.to for message in deed(due(whistle, now), now).messages]
    assert [(to.role.value, to.unit) for to in told if to] == [
        ("taskforce", None),
        ("territory", "下沙街道"),
        ("department", "区住建局"),
        ("department", "区人社局"),
    ]


def test_the_inspection_office_gets_every_reminder_of_the_direct_line() -> None:
    now = datetime(2026, 11, 25, 9, 0, tzinfo=SHANGHAI)
    made = deed(due(appeal(direct_line=True), now), now)
    inspection = [one for one in made.messages if one.to and one.to.role is Role.INSPECTION]
    assert len(inspection) == len(made.done) == 3


def test_a_supervision_order_is_offered_only_after_the_due_time() -> None:
    now = datetime(2026, 11, 25, 9, 0, tzinfo=SHANGHAI)
    made = deed(due(appeal(), now), now)
    to_taskforce = [one.body for one in made.messages if one.to and one.to.role is Role.TASKFORCE]
    assert ["督办单" in body for body in to_taskforce] == [False, True]


def test_a_clock_that_was_set_back_writes_no_line_before_the_last_deed() -> None:
    answered = appeal(state=State.REPLIED, first_reply_at=datetime(2026, 11, 25, 9, 30, tzinfo=SHANGHAI))
    now = datetime(2026, 11, 25, 9, 0, tzinfo=SHANGHAI)
    assert {line.at for line in deed(due(answered, now), now).lines} == {answered.first_reply_at}


LATE_AT = datetime(2026, 11, 24, 17, 30, 1, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [("late_handling", "区住建局"), ("late_handling", "下沙街道")]),
        ({"state": State.FILED, "assigned_at": None, "led_by": ()}, [("late_dispatch", "下沙街道")]),
        (
            {"state": State.FILED, "assigned_at": None, "led_by": (), "territory": None},
            [("late_dispatch", "待属地确认")],
        ),
        ({"lead_department": None, "level": Level.SINGLE}, [("late_handling", "下沙街道")]),
        # it was given to the lead after its due time: that lateness is the territory's, and recorded already
        ({"assigned_at": datetime(2026, 11, 24, 18, 0, tzinfo=SHANGHAI)}, []),
        ({"state": State.RESOLVED}, []),
        ({"state": State.WITHDRAWN}, []),
        ({"state": State.ESCALATED}, [("late_handling", "区住建局"), ("late_handling", "下沙街道")]),
        # filed again because a merge was taken back
        ({"state": State.FILED, "assigned_at": None}, []),
    ],
)
def test_whom_lateness_costs(changes: dict[str, object], expected: list[tuple[str, str]]) -> None:
    of = appeal(**changes)
    assert [(one.kind.value, one.unit) for one in overdue(of, LATE_AT)] == expected
    assert overdue(of, of.due_at) == ()
    assert all(one.at == of.due_at for one in overdue(of, LATE_AT))


def _spoken(at: datetime) -> Feedback:
    return Feedback(at, FeedbackResult.UNRESOLVED, None, "")


def test_what_was_resolved_in_time_and_comes_back_later_is_not_late() -> None:
    resolved = datetime(2026, 11, 24, 16, 0, tzinfo=SHANGHAI)
    back = appeal(
        state=State.REOPENED, first_resolved_at=resolved, feedback=_spoken(LATE_AT + timedelta(days=1))
    )
    assert overdue(back, LATE_AT + timedelta(days=3)) == ()
    early = replace(back, feedback=_spoken(resolved + timedelta(hours=1)))
    assert len(overdue(early, LATE_AT)) == 2, "it came back before it was due, and was not resolved then"


@given(states, st.sampled_from(list(Event)), moments)
def test_a_change_costs_nothing_before_the_due_time_but_a_rejection(
    state: State, event: Event, now: datetime
) -> None:
    before = appeal(state=state)
    line = HistoryEvent(now, ENTERPRISE, event, "")
    kinds = {one.kind for one in penalties_of(before, before, line)}
    assert (PenaltyKind.DISSATISFIED in kinds) == (event is Event.REJECT)
    if now <= before.due_at:
        assert not kinds & ONCE


@given(st.sampled_from(list(Event)), states, states)
def test_messages_of_a_change_tell_nothing_private(event: Event, was: State, becomes: State) -> None:
    before, after = appeal(state=was), appeal(state=becomes, record_length=3, escalation_level=3)
    line = HistoryEvent(FILED, HOUSING, event, "办理情况", "王芳 13800000001 厂门口积水")
    made = messages_of(before, after, line)
    keys = [one.key for one in made]
    assert len(set(keys)) == len(keys)
    for message in made:
        assert not any(secret in message.subject + message.body for secret in SECRETS)
        assert message.to is None or message.to.unit != HOUSING.unit, "nobody is told what they did"


def test_a_first_asked_department_that_hands_on_is_pointed_out() -> None:
    line = HistoryEvent(FILED, HOUSING, Event.TRANSFER, "转办")
    after = appeal(state=State.TRANSFERRED, lead_department=None, co_departments=("区住建局", "区人社局"))
    assert MessageKind.FIRST_ASKED in {one.kind for one in messages_of(appeal(), after, line)}
    other = replace(line, actor=Actor("xs", Role.TERRITORY, "下沙街道"))
    assert MessageKind.FIRST_ASKED not in {one.kind for one in messages_of(appeal(), after, other)}


def test_leaders_are_told_from_the_third_level_on() -> None:
    for level, told in ((2, False), (3, True), (4, True)):
        after = appeal(state=State.ESCALATED, escalation_level=level)
        line = HistoryEvent(FILED, Actor("xs", Role.TERRITORY, "下沙街道"), Event.ESCALATE, "提级")
        roles = {one.to.role for one in messages_of(appeal(), after, line) if one.to}
        assert (Role.LEADER in roles) == told
        assert Role.TASKFORCE in roles


def test_before_the_assignment_only_the_territory_acts() -> None:
    filed = appeal(state=State.FILED)
    assert (lead_desk(filed).role, lead_desk(filed).unit) == (Role.TERRITORY, "下沙街道")
    assert lead_desk(replace(filed, territory=None)).role is Role.OPERATOR


def test_a_key_depends_on_each_part() -> None:
    keys = {message_key("a", "b", "c"), message_key("a", "bc"), message_key("a", "b", "d"), message_key("a")}
    assert len(keys) == 4
