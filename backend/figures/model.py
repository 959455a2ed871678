"""What is asked of the figures, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from backend.appeals.calendar import SHANGHAI
from backend.appeals.model import TERRITORY_UNKNOWN, Level, State
from backend.appeals.penalties import PenaltyKind
from backend.errors import InvalidInput
from backend.figures.definitions import Counts


class Grouping(StrEnum):
    """By what appeals are put together.

    Attributes:
        DEPARTMENT: By who leads; where no department leads, by the territory.
        TERRITORY: By platform or street.
        CATEGORY: By board.
        MONTH: By month of submission, in the office's time.
        LEVEL: By level of 135.
    """

    DEPARTMENT = "department"
    TERRITORY = "territory"
    CATEGORY = "category"
    MONTH = "month"
    LEVEL = "level"

    @property
    def text(self) -> str:
        """As a column is headed."""
        return {
            "department": "牵头单位",
            "territory": "属地",
            "category": "板块",
            "month": "月份",
            "level": "级别",
        }[self.value]


@dataclass(frozen=True)
class Selection:
    """Which appeals; None means any.

    Attributes:
        since: Submitted at or after.
        before: Submitted before.
        department: Led by this department.
        territory: Of this platform or street.
        own_department: The department that asks, which sees no other's.
        own_territory: The territory that asks.
    """

    since: datetime | None = None
    before: datetime | None = None
    department: str | None = None
    territory: str | None = None
    category: str | None = None
    level: Level | None = None
    direct_line: bool | None = None
    state: State | None = None
    own_department: str | None = None
    own_territory: str | None = None

    @property
    def own_unit(self) -> str | None:
        """The unit that asks, where it sees no other's."""
        return self.own_department if self.own_department is not None else self.own_territory


@dataclass(frozen=True)
class Key:
    """What the appeals of a group have in common.

    Attributes:
        value: Name of the unit or board, month as ``2026-11``, or level; None where there is none.
        is_department: Whether the unit is a department; None where the group is no unit.
    """

    value: str | None
    is_department: bool | None = None

    @property
    def text(self) -> str:
        """As people read it."""
        if self.value in list(Level):
            return Level(self.value).text
        return self.value or TERRITORY_UNKNOWN


@dataclass(frozen=True)
class Row:
    """The figures of one group.

    Attributes:
        key: What the appeals have in common.
        counts: What they add up to.
        reply_seconds: Median working time to the first answer; None where nobody was answered.
        co_handled: How many other appeals the department helps with; None where the group is no department.
        penalties: Events in the assessment, by kind; of a unit those against itself.
    """

    key: Key
    counts: Counts
    reply_seconds: float | None = None
    co_handled: int | None = None
    penalties: Mapping[PenaltyKind, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Figures:
    """The rows of a grouping and all together.

    Attributes:
        rows: Months by time, all others by how many were filed.
        whole: All selected appeals as one group.
        as_of: The moment at which late and open were judged.
    """

    rows: tuple[Row, ...]
    whole: Row
    as_of: datetime


def day_bounds(first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    """The moments between which the days from ``first`` to ``last`` lie, both days included.

    Raises:
        InvalidInput: They are in the wrong order, or outside 1990-2100.
    """
    if first is not None and last is not None and first > last:
        raise InvalidInput("开始日期不能晚于结束日期。", field="from")
    for name, day in (("from", first), ("to", last)):
        if day is not None and not 1990 <= day.year <= 2100:
            raise InvalidInput("日期应在 1990 年到 2100 年之间。", field=name)
    begin = datetime.combine(first, time(), SHANGHAI) if first else None
    end = datetime.combine(last + timedelta(days=1), time(), SHANGHAI) if last else None
    return begin, end


def month_bounds(month: str) -> tuple[datetime, datetime]:
    """The moments between which a month lies, in the office's time.

    Raises:
        InvalidInput: Not a month such as ``2026-11`` from 1990 to 2100.
    """
    try:
        if len(month) != 7 or not month.isascii():
            raise ValueError(month)
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        first = None
    if first is None or not 1990 <= first.year <= 2100:
        raise InvalidInput("月份应写成 2026-11 的形式。", field="month")
    following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return datetime.combine(first, time(), SHANGHAI), datetime.combine(following, time(), SHANGHAI)
