"""How often is enough."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.api.limits import Allowance
from backend.errors import TooMany


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def _takes(limit: Allowance, key: str = "k") -> bool:
    try:
        limit.check(key)
    except TooMany:
        return False
    limit.take(key)
    return True


def test_a_burst_then_one_at_a_time() -> None:
    clock = Clock()
    limit = Allowance(3, 10, now=clock)
    assert [_takes(limit) for _ in range(4)] == [True, True, True, False]
    clock.now += 10.5
    assert [_takes(limit) for _ in range(2)] == [True, False]
    clock.now += 100
    assert [_takes(limit) for _ in range(4)] == [True, True, True, False]


def test_the_sentence_says_when_to_come_again() -> None:
    clock = Clock()
    limit = Allowance(1, 90, now=clock)
    limit.take("k")
    with pytest.raises(TooMany, match="秒") as refused:
        limit.check("k")
    clock.now += refused.value.details["retry_after"]
    limit.check("k")


def test_a_long_wait_is_told_in_minutes() -> None:
    limit = Allowance(1, 3600, now=Clock())
    limit.take("k")
    with pytest.raises(TooMany, match="分钟"):
        limit.check("k")


def test_keys_do_not_share() -> None:
    limit = Allowance(1, 10, now=Clock())
    assert _takes(limit, "a")
    assert _takes(limit, "b")
    assert not _takes(limit, "a")


def test_nothing_is_limited_by_nought() -> None:
    limit = Allowance(0, 1, now=Clock())
    assert all(_takes(limit) for _ in range(1000))


@given(st.integers(1, 20), st.integers(1, 60), st.lists(st.floats(0, 30), min_size=1, max_size=80))
def test_never_more_than_the_burst_and_what_came_back(burst: int, seconds: int, pauses: list[float]) -> None:
    clock = Clock()
    limit = Allowance(burst, seconds, now=clock)
    taken = 0
    for pause in pauses:
        clock.now += pause
        taken += _takes(limit)
    assert taken <= burst + sum(pauses) / seconds + 1
