from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.appeals.calendar import SHANGHAI, WorkCalendar
from backend.appeals.deadlines import (
    INSPECTION_OFFICE,
    due_after_upgrade,
    due_at,
    supervision_moments,
    supervisor,
)
from backend.appeals.model import Level
from backend.errors import InvalidInput

CALENDAR = WorkCalendar()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "+08:00")


# (level, submitted, due, why)
CASES = [
    ("single", "2026-09-29T16:30:00", "2026-10-09T17:30:00", "国庆七天，10月8日是第2个工作日"),
    ("simple", "2025-01-26T09:10:00", "2025-01-27T17:30:00", "周日补班提交，次日仍上班"),
    ("simple", "2023-06-21T17:45:00", "2023-06-25T17:30:00", "端午前下班后，周日补班"),
    ("single", "2026-06-20T10:00:00", "2026-06-24T17:30:00", "端午假期中"),
    ("simple", "2026-11-21T10:00:00", "2026-11-23T17:30:00", "周六提交，周一是第1个工作日"),
    ("simple", "2026-11-20T08:00:00", "2026-11-23T17:30:00", "周五提交"),
    ("simple", "2026-11-20T23:59:59", "2026-11-23T17:30:00", "几点提交不影响"),
    ("whistle", "2024-02-08T10:00:00", "2024-02-21T17:30:00", "除夕2024-02-09是工作日，2月18日周日补班"),
    ("whistle", "2026-02-13T18:00:00", "2026-02-27T17:30:00", "春节前，2月14日周六补班"),
    ("simple", "2025-12-31T12:00:00", "2026-01-04T17:30:00", "元旦三天，周日补班"),
]


@pytest.mark.parametrize(("level", "submitted", "due", "why"), CASES)
def test_due_times(level: str, submitted: str, due: str, why: str) -> None:
    assert due_at(Level(level), at(submitted), CALENDAR) == at(due), why


# (level, submitted, [(moment, by)])
MOMENTS = [
    (
        "single",
        "2026-09-29T16:30:00",
        [("2026-10-09T12:00:00", "专班"), ("2026-10-10T09:00:00", "专班督查考评组")],
    ),
    ("simple", "2026-11-19T09:00:00", [("2026-11-23T09:00:00", "专班")]),
    (
        "whistle",
        "2026-11-16T09:00:00",
        [("2026-11-23T12:00:00", "专班"), ("2026-11-24T09:00:00", "专班督查考评组")],
    ),
]


@pytest.mark.parametrize(("level", "submitted", "moments"), MOMENTS)
def test_supervision_moments(level: str, submitted: str, moments: list[tuple[str, str]]) -> None:
    found = supervision_moments(Level(level), at(submitted), CALENDAR)
    assert [(moment.at, moment.by) for moment in found] == [(at(when), by) for when, by in moments]


def test_the_inspection_office_has_the_direct_line_from_the_start() -> None:
    submitted = at("2026-11-19T09:00:00")
    plain = supervision_moments(Level.SINGLE, submitted, CALENDAR)
    direct = supervision_moments(Level.SINGLE, submitted, CALENDAR, direct_line=True)
    assert direct[0] == (submitted, INSPECTION_OFFICE)
    assert direct[1:] == plain
    assert supervisor(direct_line=True) == "两办督查室"
    assert supervisor(direct_line=False) == "专班"


def test_close_of_business_is_a_setting() -> None:
    due = due_at(Level.SIMPLE, at("2026-11-19T09:00:00"), CALENDAR, time(18, 0))
    assert due == at("2026-11-20T18:00:00")


def test_a_calendar_override_moves_the_due_time() -> None:
    closed = WorkCalendar({at("2026-11-20T00:00:00").date(): False})
    assert due_at(Level.SIMPLE, at("2026-11-19T09:00:00"), closed) == at("2026-11-23T17:30:00")


@pytest.mark.parametrize("function", [due_at, supervision_moments])
def test_naive_times_are_refused(function: object) -> None:
    with pytest.raises(InvalidInput, match="缺少时区"):
        function(Level.SIMPLE, datetime(2026, 11, 19, 9, 0), CALENDAR)  # type: ignore[operator]  # noqa: DTZ001


def test_the_day_is_the_office_s_day_whatever_zone_the_sender_writes_in() -> None:
    evening_in_utc = datetime(2026, 11, 18, 16, 30, tzinfo=UTC)  # 00:30 on the 19th in Shanghai
    assert due_at(Level.SIMPLE, evening_in_utc, CALENDAR) == at("2026-11-20T17:30:00")


# -- properties --------------------------------------------------------------------------------------------

OFFSETS = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENT = st.datetimes(
    datetime(2019, 1, 1),  # noqa: DTZ001 - hypothesis adds the zones
    datetime(2031, 12, 1),  # noqa: DTZ001
    timezones=OFFSETS,
)
LEVELS = st.sampled_from(Level)


@given(LEVELS, MOMENT)
def test_due_is_a_later_working_day_at_close(level: Level, submitted: datetime) -> None:
    due = due_at(level, submitted, CALENDAR)
    assert due.astimezone(SHANGHAI).time() == time(17, 30)
    assert CALENDAR.is_working_day(due.date())
    assert due.date() > submitted.astimezone(SHANGHAI).date()


@given(LEVELS, MOMENT, MOMENT)
def test_who_files_later_is_never_due_earlier(level: Level, one: datetime, other: datetime) -> None:
    first, second = sorted((one, other))
    assert due_at(level, first, CALENDAR) <= due_at(level, second, CALENDAR)


@given(MOMENT)
def test_a_higher_level_is_due_later(submitted: datetime) -> None:
    dues = [due_at(level, submitted, CALENDAR) for level in Level]
    assert dues == sorted(set(dues))


@given(LEVELS, MOMENT)
def test_moments_lie_around_the_due_time_in_order(level: Level, submitted: datetime) -> None:
    due = due_at(level, submitted, CALENDAR)
    moments = supervision_moments(level, submitted, CALENDAR)
    assert [moment.at for moment in moments] == sorted(moment.at for moment in moments)
    assert moments[-1].at > due
    assert moments[0].at > submitted
    assert all(CALENDAR.is_working_day(moment.at.date()) for moment in moments)


@given(st.sampled_from([Level.SIMPLE, Level.SINGLE]), MOMENT, st.integers(0, 20))
def test_an_upgrade_never_shortens_the_time(level: Level, submitted: datetime, longer: int) -> None:
    present = due_at(level, submitted, CALENDAR) + timedelta(days=longer)
    after = due_after_upgrade(present, submitted, CALENDAR)
    assert after >= present
    assert after >= due_at(Level.WHISTLE, submitted, CALENDAR)
    assert after in (present, due_at(Level.WHISTLE, submitted, CALENDAR))
