"""Working days in China, and the one place where times are turned into the office's local time.

Sources of a day's status, strongest first: the override table that the task force keeps, the State
Council's yearly notices with their adjusted working days (`chinesecalendar`), and for a year that neither
knows weekends and the holidays fixed by date. Such a year is provisional, and whoever computes with it must
say so (the project's reading: docs/135.md, 2). Lunar holidays of a provisional year count as working days,
because their days off are not known before the notice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

import chinese_calendar

from backend.errors import InvalidInput

SHANGHAI = ZoneInfo("Asia/Shanghai")
"""The office's time zone."""

NOTICE_YEARS = range(min(chinese_calendar.holidays).year, max(chinese_calendar.holidays).year + 1)
"""Years whose State Council notice the installed table holds."""

# (month, day) of the holidays that fall on the same day each year, as in force since 2025.
_FIXED_HOLIDAYS = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})
_YEARS = range(1990, 2101)


def local(moment: datetime) -> datetime:
    """Turn an aware datetime into the office's local time.

    Raises:
        InvalidInput: The datetime has no offset, or lies outside 1990-2100.
    """
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise InvalidInput("时间缺少时区，请写成带时区的形式，例如 2026-11-21T09:00:00+08:00。", field="time")
    try:
        shifted = moment.astimezone(SHANGHAI)
    except (OverflowError, ValueError):
        shifted = None
    if shifted is None or shifted.year not in _YEARS:
        raise InvalidInput(f"时间应在 {_YEARS[0]} 年到 {_YEARS[-1]} 年之间。", field="time")
    return shifted


class WorkCalendar:
    """Tells working days from days off.

    Args:
        overrides: Days that differ from the notices: True for a working day, False for a day off.
        settled_years: Years beyond `NOTICE_YEARS` whose notice has been entered completely as overrides;
            they are no longer provisional.
    """

    def __init__(
        self, overrides: Mapping[date, bool] = MappingProxyType({}), settled_years: Collection[int] = ()
    ) -> None:
        self._overrides = dict(overrides)
        self._settled = frozenset(settled_years)

    def is_provisional(self, year: int) -> bool:
        """Whether the days off of a year are not published, so that results in it may still change."""
        return year not in NOTICE_YEARS and year not in self._settled

    def touches_provisional(self, first: date, last: date) -> bool:
        """Whether any day from ``first`` to ``last`` lies in a provisional year."""
        return any(self.is_provisional(year) for year in range(first.year, last.year + 1))

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on a day."""
        override = self._overrides.get(day)
        if override is not None:
            return override
        weekday = day.weekday() < 5
        if day.year in NOTICE_YEARS:
            return day in chinese_calendar.workdays or (weekday and day not in chinese_calendar.holidays)
        return weekday and (day.month, day.day) not in _FIXED_HOLIDAYS

    def nth_working_day_after(self, day: date, n: int) -> date:
        """The n-th working day after a day, which itself is not counted.

        Args:
            day: Any calendar day.
            n: At least 1.

        Raises:
            ValueError: ``n`` is less than 1.
        """
        if n < 1:
            raise ValueError("n must be at least 1")
        current = day
        while n:
            current += timedelta(days=1)
            if self.is_working_day(current):
                n -= 1
        return current
