"""How often a password may be tried: five times, then not for a quarter of an hour.

A try is counted before it is looked at, so that many at once cannot exceed the limit, and under a name that
exists exactly as under one that does not.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final

from backend.errors import TooMany
from backend.people.accounts import Attempts
from backend.people.ports import PeopleRepository

MAX_FAILURES: Final = 5
LOCK: Final = timedelta(minutes=15)
FORGET: Final = timedelta(days=1)
"""Tries under a key that nobody used for so long are forgotten at the next good login."""


def device_key(username: str, mark: str) -> str:
    """The key of one account's tries in a browser that is known; no user name looks like it."""
    return _key("device", username, mark)


def change_key(username: str) -> str:
    """The key of tries at the old password by who is signed in already."""
    return _key("change", username)


async def count(people: PeopleRepository, key: str, now: datetime) -> None:
    """Count a try, to be committed before the password is looked at.

    Raises:
        TooMany: Five failed; ``details["retry_after"]`` says in how many seconds to come again.
    """
    before = await people.attempts(key, now)
    if before.locked_until and before.locked_until > now:
        minutes = -(-(before.locked_until - now) // timedelta(minutes=1))
        raise TooMany(f"登录失败次数过多，请 {minutes} 分钟后再试。", retry_after=minutes * 60)
    number = 1 if before.locked_until else before.count + 1
    locked = now + LOCK if number >= MAX_FAILURES else None
    await people.save_attempts(Attempts(key, number, now, locked))


def _key(kind: str, *parts: str) -> str:
    return f"{kind}:{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:40]}"
