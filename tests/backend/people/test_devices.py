"""Marks of browsers that are known: worth nothing without the password, and not to be made up."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from backend.people.accounts import Account
from backend.people.devices import known_by, remember
from backend.people.roles import Role

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def account(name: str, password_hash: str | None = "a hash") -> Account:
    return Account(name, Role.OPERATOR, None, password_hash, NOW)


WANG = account("wang")


def test_a_browser_is_known_again_by_the_same_mark() -> None:
    kept = remember(WANG, "")
    mark = known_by(WANG, kept)
    assert mark is not None
    assert remember(WANG, kept) == kept
    assert known_by(account("li"), kept) is None
    assert known_by(account("wang", "another hash"), kept) is None
    assert known_by(account("wang", None), kept) is None


def test_people_who_share_a_browser_are_all_known_up_to_five() -> None:
    kept = ""
    for number in range(7):
        kept = remember(account(f"staff{number}"), kept)
    known = [number for number in range(7) if known_by(account(f"staff{number}"), kept)]
    assert known == [2, 3, 4, 5, 6]
    assert len(remember(account("staff4"), kept)) == len(kept)


def test_a_mark_that_was_changed_is_none() -> None:
    kept = remember(WANG, "")
    for place in range(len(kept)):
        changed = kept[:place] + ("A" if kept[place] != "A" else "B") + kept[place + 1 :]
        assert known_by(WANG, changed) is None


@given(st.text(max_size=400))
def test_rubbish_is_no_mark(kept: str) -> None:
    assert known_by(WANG, kept) is None
    assert known_by(WANG, remember(WANG, kept)) is not None
