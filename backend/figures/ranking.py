"""The table that is shown every month (月度晾晒): units in order of one rate, fairly.

Rates are compared as fractions, never as rounded numbers. Equal ones share a place, and the next place is
skipped (1, 2, 2, 4). Who has too few cases for a rate to mean anything is shown, marked and not placed. The
documents demand the ranking and name no weights, so one rate at a time is ranked, and none are mixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from backend.figures.definitions import Counts, Rate
from backend.figures.model import Row

LEAST = 5
"""Below how many cases a rate is not ranked, unless told otherwise."""


class Order(StrEnum):
    """By which rate units are ranked."""

    SOLVED = "solved"
    ON_TIME = "on_time"
    FIRST_REPLY = "first_reply"
    SATISFIED = "satisfied"
    CLOSED = "closed"
    REOPENED = "reopened"

    @property
    def text(self) -> str:
        """As the table is headed."""
        return {
            "solved": "解决率",
            "on_time": "按时办结率",
            "first_reply": "按时答复率",
            "satisfied": "满意率",
            "closed": "闭环率",
            "reopened": "退回重办率",
        }[self.value]

    @property
    def less_is_better(self) -> bool:
        """Whether the smallest rate comes first."""
        return self is Order.REOPENED

    def rate(self, counts: Counts) -> Rate:
        """The rate itself."""
        rates = {
            Order.SOLVED: counts.solve_rate,
            Order.ON_TIME: counts.on_time_rate,
            Order.FIRST_REPLY: counts.first_reply_rate,
            Order.SATISFIED: counts.satisfied_rate,
            Order.CLOSED: counts.closed_rate,
            Order.REOPENED: counts.reopening_rate,
        }
        return rates[self]


@dataclass(frozen=True)
class Place:
    """A unit in the table.

    Attributes:
        row: Its figures.
        rank: From 1; None where there are too few cases.
        tied: Whether another unit has the same place.
        few: Whether there are too few cases for a place.
    """

    row: Row
    rank: int | None
    tied: bool
    few: bool


def ranked(rows: Sequence[Row], order: Order, least: int = LEAST) -> tuple[Place, ...]:
    """Put units in order: the placed ones first, then those with too few cases by name.

    Args:
        rows: One for each unit.
        order: The rate that decides.
        least: Fewest cases (the rate's denominator) with which a unit is placed; at least 1.
    """
    shares: dict[int, Fraction] = {}
    for index, row in enumerate(rows):
        rate = order.rate(row.counts)
        if rate.denominator >= max(least, 1):
            shares[index] = Fraction(rate.numerator, rate.denominator)
    sign = 1 if order.less_is_better else -1
    placed = sorted(shares, key=lambda index: (sign * shares[index], rows[index].key.text))
    others = sorted(set(range(len(rows))) - set(placed), key=lambda index: rows[index].key.text)
    values = list(shares.values())
    first_of: dict[Fraction, int] = {}
    for position, index in enumerate(placed, 1):
        first_of.setdefault(shares[index], position)
    return (
        *(
            Place(rows[index], first_of[shares[index]], values.count(shares[index]) > 1, False)
            for index in placed
        ),
        *(Place(rows[index], None, False, True) for index in others),
    )
