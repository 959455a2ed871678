"""How often is enough."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.api.limits import Allowance, Turns
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


def test_what_is_given_back_can_be_taken_again() -> None:
    limit = Allowance(2, 10, now=Clock())
    assert [_takes(limit) for _ in range(3)] == [True, True, False]
    limit.give_back("k")
    assert [_takes(limit) for _ in range(2)] == [True, False]
    limit.give_back("never taken")


class Sleeper:
    """Notes how long it is to sleep, and sleeps until a test wakes it."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.wake = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.wake.wait()


async def test_turns_come_one_after_another() -> None:
    clock, sleeper = Clock(), Sleeper()
    sleeper.wake.set()
    turns = Turns(2, now=clock, sleep=sleeper)
    for _ in range(3):
        await turns.wait("a", "caller")
    await turns.wait("b", "caller")
    assert sleeper.slept == [2, 4]
    clock.now += 60
    await turns.wait("a", "caller")
    assert sleeper.slept == [2, 4]


async def test_one_caller_does_not_fill_the_line() -> None:
    sleeper = Sleeper()
    turns = Turns(2, places=2, now=Clock(), sleep=sleeper)
    await turns.wait("a", "greedy")
    waiting = [asyncio.create_task(turns.wait("a", "greedy")) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(TooMany, match="秒"):
        await turns.wait("a", "greedy")
    waiting.append(asyncio.create_task(turns.wait("a", "other")))
    await asyncio.sleep(0)
    assert sleeper.slept == [2, 4, 6]
    sleeper.wake.set()
    await asyncio.gather(*waiting)
    await turns.wait("a", "greedy")
