from __future__ import annotations

from array import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.knowledge import indexing
from backend.knowledge.indexing import Collector, Fingerprints, Inverted, Rows, Vocabulary

_WIDTH = 12
rows_of_numbers = st.lists(st.lists(st.integers(0, _WIDTH - 1), max_size=8), max_size=30)


def collected(rows: list[list[int]]) -> Rows:
    collector = Collector()
    for row in rows:
        collector.add(row)
    return collector.rows()


@pytest.fixture(autouse=True, params=[3, 1_000_000])
def blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "_BLOCK", request.param)


@given(rows_of_numbers, st.data())
def test_rows_are_gathered_as_they_were_collected(rows: list[list[int]], data: st.DataObject) -> None:
    held = collected(rows)
    wanted = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=6)) if rows else []
    values, of = held.gather(np.array(wanted, dtype=np.int64))
    expected = [(place, value) for place, row in enumerate(wanted) for value in rows[row]]
    assert list(zip(of.tolist(), values.tolist(), strict=True)) == expected
    assert held.lengths.tolist() == [len(row) for row in rows]


@given(rows_of_numbers)
def test_sums_of_rows(rows: list[list[int]]) -> None:
    held = collected(rows)
    values = np.arange(_WIDTH) * 1.5
    assert held.sums(values).tolist() == [sum(value * 1.5 for value in row) for row in rows]
    ones = np.ones(len(held.values), dtype=np.uint8)
    assert held.sums(ones, places=True).tolist() == [len(row) for row in rows]
    assert indexing.counted(held.values, _WIDTH).sum() == len(held.values)


@given(rows_of_numbers, rows_of_numbers)
def test_holders_are_those_that_have_it_in_any_part(one: list[list[int]], other: list[list[int]]) -> None:
    size = min(len(one), len(other))
    one, other = one[:size], other[:size]
    # Of the first part, every owner has two rows.
    doubled = collected([half for row in one for half in (row, row[::-1])])
    each = np.arange(size + 1)
    index = Inverted([(doubled, each * 2), (collected(other), each)], _WIDTH)
    kinds = np.array([owner % 3 for owner in range(size)], dtype=np.int16)
    table = index.by_kind(kinds, 3)
    for value in range(_WIDTH):
        holders = [owner for owner in range(size) if value in one[owner] or value in other[owner]]
        assert index.holders(value).tolist() == holders
        assert index.counts[value] == len(holders)
        assert table[value].tolist() == [sum(owner % 3 == kind for owner in holders) for kind in range(3)]


@given(st.lists(st.text(max_size=4), max_size=20), st.text(max_size=4))
def test_a_phrase_is_found_word_for_word(phrases: list[str], other: str) -> None:
    prints = array("q", map(indexing.fingerprint, phrases))
    found = Fingerprints(prints, np.arange(len(phrases), dtype=np.int32))
    for phrase in [*phrases, other]:
        assert found.find(phrase) == {row for row, held in enumerate(phrases) if held == phrase}


def test_a_vocabulary_numbers_tokens_in_order() -> None:
    words = Vocabulary()
    assert words.add(["诉", "求", "诉"]) == [0, 1, 0]
    assert words.number("求") == 1
    assert words.number("无") is None
    assert list(words.tokens()) == ["诉", "求"]
    assert len(words) == 2
