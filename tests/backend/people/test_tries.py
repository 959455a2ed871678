"""The rule of five tries, over any sequence of tries; and a line of logins that does not grow without end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from people_helpers import StillClock

from backend.errors import TooMany, Unavailable
from backend.people.accounts import Attempts
from backend.people.passwords import Passwords
from backend.people.ports import PeopleRepository
from backend.people.service import PeopleService
from backend.people.tries import LOCK, MAX_FAILURES, change_key, count, device_key
from backend.storage.database import Database

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


class OneRow:
    """The tries under one key."""

    def __init__(self) -> None:
        self.row: Attempts | None = None

    async def attempts(self, key: str, at: datetime) -> Attempts:
        return self.row or Attempts(key, 0, at)

    async def save_attempts(self, attempts: Attempts) -> None:
        self.row = attempts


@given(st.lists(st.integers(0, 1200), max_size=60))
def test_no_quarter_of_an_hour_sees_more_than_five_failures(pauses: list[int]) -> None:
    async def play() -> None:
        rows, now, looked_at = OneRow(), START, []
        for pause in pauses:
            now += timedelta(seconds=pause)
            try:
                await count(cast(PeopleRepository, rows), "wang", now)
            except TooMany as refused:
                again = now + timedelta(seconds=refused.details["retry_after"])
                assert now < again <= now + LOCK
                assert rows.row is not None
                assert rows.row.locked_until is not None
                assert again >= rows.row.locked_until
            else:
                looked_at.append(now)
        for first in looked_at:
            assert sum(first <= other < first + LOCK for other in looked_at) <= MAX_FAILURES

    asyncio.run(play())


@given(st.text(min_size=1, max_size=64), st.text(max_size=64))
def test_other_keys_are_no_user_names_and_fit_their_column(username: str, mark: str) -> None:
    keys = {device_key(username, mark), change_key(username)}
    assert len(keys) == 2
    assert all(":" in key and len(key) <= 64 for key in keys)
    assert device_key(username, mark) != device_key(username + "x", mark)


async def test_a_flood_of_logins_is_sent_away_before_it_costs_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1), at_once=1)
    gate = asyncio.Event()

    async def held(*_: Any) -> bool:
        await gate.wait()
        return True

    monkeypatch.setattr(asyncio, "to_thread", held)
    waiting = [asyncio.create_task(passwords.verify(None, "x")) for _ in range(130)]
    await asyncio.sleep(0)
    refused = [task for task in waiting if task.done()]
    assert len(refused) == 30
    with pytest.raises(Unavailable) as told:
        await refused[0]
    assert told.value.details == {"retry_after": 5}
    gate.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(bool) == 100
    assert await passwords.verify(None, "x")


async def test_a_database_that_takes_no_note_of_use_lets_people_work(
    people: PeopleService, clock: StillClock, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people.create_account("wang", "operator")
    issued = await people.issue_token("wang")
    tried = 0
    begin = database.unit_of_work

    def full(*, read_only: bool = False) -> Any:
        nonlocal tried
        if not read_only:
            tried += 1
            raise Unavailable("数据库暂时繁忙或不可用，本次操作没有生效，请稍后再试。")
        return begin(read_only=True)

    monkeypatch.setattr(people, "_unit_of_work", full)
    for _ in range(3):
        assert (await people.authenticate(issued.token)).username == "wang"
    assert tried == 1
    clock.now += timedelta(minutes=6)
    monkeypatch.setattr(people, "_unit_of_work", begin)
    await people.authenticate(issued.token)
    (token,) = (await people.tokens("wang")).tokens
    assert token.last_used_at == clock.now.replace(minute=0)
