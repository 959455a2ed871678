"""The working days as they are counted, and what the task force enters about them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import Field, StrictBool

from backend import errors
from backend.api.endpoints import Call, Table
from backend.api.fields import Clean, Moment, Request, Response, Written
from backend.appeals.almanac import MOST_NOTE, CalendarYear
from backend.appeals.calendar import local
from backend.permissions import Action

TABLE = Table("calendar")

Year = Annotated[int, Field(title="年份", ge=2020, le=2099)]
Day = Annotated[dt.date, Written, Field(title="日期", ge=dt.date(2020, 1, 1), le=dt.date(2099, 12, 31))]
Note = Annotated[str, Clean(MOST_NOTE, minimum=2), Field(title="依据")]


class CalendarQuery(Request):
    """Which year."""

    year: Annotated[
        int | None, Field(title="年份", ge=2020, le=2099, description="Unset: the present year.")
    ] = None


class SetDayRequest(Request):
    """A day that differs from the notice."""

    day: Day
    working: Annotated[StrictBool, Field(title="是否上班")]
    note: Note


class RemoveDayRequest(Request):
    """A day for which the notice holds again."""

    day: Day


class SettleRequest(Request):
    """A year whose notice has been entered completely."""

    year: Year
    note: Note


class UnsettleRequest(Request):
    """A year that is provisional again."""

    year: Year


class OverrideShape(Response):
    """A day that differs from the notice."""

    day: dt.date
    working: bool
    note: str
    changed_at: Moment


class SettledShape(Response):
    """That a year's notice was entered completely."""

    note: str
    changed_at: Moment


class CalendarAnswer(Response):
    """A year as it is counted; ``overrides`` are the days that the task force has entered."""

    year: int
    provisional: bool
    working_days: list[dt.date]
    overrides: list[OverrideShape]
    settled: SettledShape | None


_Changes = (errors.NotAllowed, errors.NotFound, errors.Unavailable)


@TABLE.get("/api/v1/calendar", "Says which days of a year are working days.")
async def get_calendar(call: Call, data: CalendarQuery) -> CalendarAnswer:
    """Shows a year; ``provisional`` where its holidays are not published yet."""
    year = data.year or local(call.container.clock()).year
    return _answer(call.container.calendar.year(year))


@TABLE.post(
    "/api/v1/desk/calendar/days",
    "Enters a day that differs from the notice.",
    access="staff",
    action=Action.CALENDAR_EDIT,
    errors=_Changes,
)
async def post_calendar_day(call: Call, data: SetDayRequest) -> CalendarAnswer:
    """Enters a day; due times are brought in line at once."""
    found = await call.container.calendar.set_day(
        call.staff.actor, data.day, working=data.working, note=data.note
    )
    return _answer(found)


@TABLE.post(
    "/api/v1/desk/calendar/days/{day}/remove",
    "Takes a day out again.",
    access="staff",
    action=Action.CALENDAR_EDIT,
    errors=_Changes,
)
async def post_calendar_day_removed(call: Call, data: RemoveDayRequest) -> CalendarAnswer:
    """Removes a day; the notice holds for it."""
    return _answer(await call.container.calendar.remove_day(call.staff.actor, data.day))


@TABLE.post(
    "/api/v1/desk/calendar/years/{year}/settle",
    "Says that a year's notice has been entered completely.",
    access="staff",
    action=Action.CALENDAR_EDIT,
    errors=(*_Changes, errors.Conflict),
)
async def post_calendar_year_settled(call: Call, data: SettleRequest) -> CalendarAnswer:
    """Settles a year; its results are no longer provisional."""
    return _answer(await call.container.calendar.settle(call.staff.actor, data.year, data.note))


@TABLE.post(
    "/api/v1/desk/calendar/years/{year}/unsettle",
    "Takes that back.",
    access="staff",
    action=Action.CALENDAR_EDIT,
    errors=_Changes,
)
async def post_calendar_year_unsettled(call: Call, data: UnsettleRequest) -> CalendarAnswer:
    """Makes a year provisional again."""
    return _answer(await call.container.calendar.unsettle(call.staff.actor, data.year))


def _answer(found: CalendarYear) -> CalendarAnswer:
    return CalendarAnswer.model_validate(found)
