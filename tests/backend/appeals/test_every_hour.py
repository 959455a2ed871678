"""Every hour of 2024-2026, all levels, against a computation that shares no code with the engine.

The working days are spelled out from the State Council's notices into one sorted list; day k after a filing
is then plain indexing into that list.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml

from backend.appeals.calendar import WorkCalendar
from backend.appeals.deadlines import due_at, is_provisional, supervision_moments
from backend.appeals.model import Level

NOTICES = Path(__file__).parents[2] / "data" / "state_council_notices.yaml"
EAST_8 = timezone(timedelta(hours=8))

PROMISES = {"simple": 1, "single": 3, "whistle": 5}
SUPERVISION = {
    "simple": [(2, 9, "专班")],
    "single": [(3, 12, "专班"), (4, 9, "专班督查考评组")],
    "whistle": [(5, 12, "专班"), (6, 9, "专班督查考评组")],
}


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


@pytest.fixture(scope="module")
def working_days() -> list[date]:
    off, made_up = set(), set()
    for notice in yaml.safe_load(NOTICES.read_text(encoding="utf-8")).values():
        made_up.update(notice["working"])
        for first, last in notice["holidays"]:
            off.update(days(first, last))
    assert not off & made_up
    assert all(day.isoweekday() > 5 for day in made_up), "only weekends can be made up for"
    whole = days(date(2024, 1, 1), date(2027, 1, 31))
    return [day for day in whole if day in made_up or (day.isoweekday() <= 5 and day not in off)]


def test_the_calendar_agrees_with_the_notices_day_by_day(working_days: list[date]) -> None:
    calendar = WorkCalendar()
    listed = set(working_days)
    for day in days(date(2024, 1, 1), date(2026, 12, 31)):
        assert calendar.is_working_day(day) == (day in listed), day


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_every_hour_of_the_year(year: int, working_days: list[date]) -> None:
    calendar = WorkCalendar()
    hour = datetime(year, 1, 1, tzinfo=EAST_8)
    checked = 0
    while hour.year == year:
        after = bisect_right(working_days, hour.date())

        def on(k: int, hours: int, minutes: int = 0, after: int = after) -> datetime:
            day = working_days[after + k - 1]
            return datetime(day.year, day.month, day.day, hours, minutes, tzinfo=EAST_8)

        # the same instant written in two zones must give the same answer
        submitted = hour if hour.hour % 2 else hour.astimezone(UTC)
        for name, promised in PROMISES.items():
            level = Level(name)
            due = due_at(level, submitted, calendar)
            assert due == on(promised, 17, 30), (name, hour)
            assert due.isoformat().endswith("T17:30:00+08:00")
            moments = [(moment.at, moment.by) for moment in supervision_moments(level, submitted, calendar)]
            assert moments == [(on(k, at), by) for k, at, by in SUPERVISION[name]], (name, hour)
            assert is_provisional(submitted, due, calendar) == (due.year > 2026), (name, hour)
            checked += 1
        hour += timedelta(hours=1)
    assert checked == 3 * 24 * len(days(date(year, 1, 1), date(year, 12, 31)))
