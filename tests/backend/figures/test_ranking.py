"""The monthly ranking is fair: fractions, shared places, and no place for a handful of cases."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import InvalidInput
from backend.figures.definitions import Counts
from backend.figures.model import Key, Row, day_bounds, month_bounds
from backend.figures.ranking import Order, Place, ranked


def row(name: str, solved: int, answered: int) -> Row:
    return Row(Key(name, True), Counts(solved=solved, answered=answered))


def places(*rows: Row, least: int = 1, order: Order = Order.SOLVED) -> list[tuple[str, int | None, bool]]:
    return [(place.row.key.text, place.rank, place.tied) for place in ranked(rows, order, least)]


def test_equal_rates_share_a_place_and_the_next_one_is_skipped() -> None:
    found = places(row("丁", 1, 2), row("丙", 4, 6), row("乙", 2, 3), row("甲", 9, 9))
    assert found == [("甲", 1, False), ("丙", 2, True), ("乙", 2, True), ("丁", 4, False)]


def test_rates_are_not_rounded_before_they_are_compared() -> None:
    found = places(row("甲", 2, 3), row("乙", 6667, 10_000))
    assert found == [("乙", 1, False), ("甲", 2, False)]


def test_too_few_cases_have_no_place_and_come_last() -> None:
    found = ranked([row("甲", 1, 1), row("乙", 1, 5), row("丙", 0, 0)], Order.SOLVED, 5)
    assert [(place.row.key.text, place.rank, place.few) for place in found] == [
        ("乙", 1, False),
        ("丙", None, True),
        ("甲", None, True),
    ]


def test_nothing_to_be_a_share_of_is_never_placed() -> None:
    assert places(row("甲", 0, 0), least=0) == [("甲", None, False)]


def test_the_fewest_returns_come_first() -> None:
    rows = [
        Row(Key(name, True), Counts(reopened=reopened, resolved_once=10))
        for name, reopened in (("甲", 3), ("乙", 0))
    ]
    assert places(*rows, order=Order.REOPENED) == [("乙", 1, False), ("甲", 2, False)]


@given(
    st.lists(st.integers(0, 6).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))), max_size=8),
    st.integers(1, 4),
)
def test_a_better_rate_never_has_a_worse_place(shares: list[tuple[int, int]], least: int) -> None:
    rows = [row(f"{index}局", *share) for index, share in enumerate(shares)]
    found = ranked(rows, Order.SOLVED, least)
    assert sorted(place.row.key.text for place in found) == sorted(one.key.text for one in rows)
    placed = [place for place in found if place.rank is not None]
    assert all(place.few == (place.rank is None) for place in found)

    def share(place: Place) -> Fraction:
        return Fraction(place.row.counts.solved, place.row.counts.answered)

    for place in placed:
        assert place.rank == 1 + sum(share(other) > share(place) for other in placed)
        assert place.tied == (sum(share(other) == share(place) for other in placed) > 1)


@pytest.mark.parametrize(
    ("month", "first", "last"),
    [
        ("2026-11", "2026-11-01", "2026-12-01"),
        ("2024-02", "2024-02-01", "2024-03-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
    ],
)
def test_a_month_is_bounded_in_the_offices_time(month: str, first: str, last: str) -> None:
    assert [moment.isoformat() for moment in month_bounds(month)] == [
        f"{first}T00:00:00+08:00",
        f"{last}T00:00:00+08:00",
    ]


@pytest.mark.parametrize(
    "month", ["", "2026", "2026-13", "2026-1", "１２２６-11", "2026-11-01", "1989-12", "十一月"]
)
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(InvalidInput, match="2026-11"):
        month_bounds(month)


def test_days_in_the_wrong_order_are_refused() -> None:
    begin, end = month_bounds("2026-11")
    with pytest.raises(InvalidInput, match="不能晚于"):
        day_bounds(end.date(), begin.date())
    assert day_bounds(None, None) == (None, None)
    assert day_bounds(begin.date(), begin.date())[1] is not None
