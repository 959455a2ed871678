from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.appeals.calendar import NOTICE_YEARS, WorkCalendar, local
from backend.errors import InvalidInput


def test_an_override_is_stronger_than_the_notice() -> None:
    calendar = WorkCalendar({date(2026, 10, 1): True, date(2026, 11, 23): False})
    assert calendar.is_working_day(date(2026, 10, 1))
    assert not calendar.is_working_day(date(2026, 11, 23))
    assert calendar.nth_working_day_after(date(2026, 11, 20), 1) == date(2026, 11, 24)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2027, 1, 1), False),  # a Friday, but New Year
        (date(2027, 1, 4), True),
        (date(2027, 5, 2), False),
        (date(2027, 5, 3), True),
        (date(2029, 10, 1), False),
        (date(2029, 10, 3), False),
        (date(2029, 10, 4), True),
        (
            date(2027, 2, 8),
            True,
        ),  # the Spring Festival cannot be known: it counts, and the year is provisional
        (date(2027, 2, 6), False),
    ],
)
def test_a_year_without_a_notice_has_weekends_and_fixed_holidays_only(day: date, works: bool) -> None:
    assert WorkCalendar().is_working_day(day) is works


def test_such_a_year_is_provisional_until_its_notice_is_entered() -> None:
    assert WorkCalendar().is_provisional(2027)
    assert not WorkCalendar().is_provisional(2026)
    assert WorkCalendar().is_provisional(NOTICE_YEARS[0] - 1)
    # one corrected day does not make a whole year certain
    assert WorkCalendar({date(2027, 2, 8): False}).is_provisional(2027)
    assert not WorkCalendar({date(2027, 2, 8): False}, settled_years=[2027]).is_provisional(2027)


def test_a_span_is_provisional_if_any_of_its_years_is() -> None:
    assert WorkCalendar().touches_provisional(date(2026, 12, 31), date(2027, 1, 4))
    assert not WorkCalendar().touches_provisional(date(2026, 12, 30), date(2026, 12, 31))


def test_day_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        WorkCalendar().nth_working_day_after(date(2026, 1, 5), 0)


def test_a_naive_time_is_refused_with_a_sentence() -> None:
    with pytest.raises(InvalidInput, match="缺少时区"):
        local(datetime(2026, 11, 21, 9, 0))  # noqa: DTZ001


@pytest.mark.parametrize("year", [1, 1988, 2101, 9999])
def test_a_time_out_of_all_reason_is_refused(year: int) -> None:
    with pytest.raises(InvalidInput, match="1990 年到 2100 年"):
        local(datetime(year, 12, 31, 23, 59, tzinfo=UTC))


DAYS = st.dates(date(2020, 1, 1), date(2031, 12, 31))
OVERRIDES = st.dictionaries(st.dates(date(2026, 1, 1), date(2026, 3, 31)), st.booleans(), max_size=30)


@given(DAYS, st.integers(1, 12), OVERRIDES)
def test_the_nth_working_day_is_one_and_has_n_minus_one_before_it(
    day: date, n: int, overrides: dict[date, bool]
) -> None:
    calendar = WorkCalendar(overrides)
    found = calendar.nth_working_day_after(day, n)
    assert calendar.is_working_day(found)
    between = [day + timedelta(days=k) for k in range(1, (found - day).days)]
    assert sum(map(calendar.is_working_day, between)) == n - 1
