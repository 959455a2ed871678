"""The arrays under the search: tokens of documents as numbers, flat, small and quick to build.

No object per document is kept: a hundred thousand entries are a few arrays. What is common is looked up
through the documents (`Rows.gather`), for candidates only; what is rare, through the tokens (`Inverted`).
"""

from __future__ import annotations

import functools
from array import array
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.knowledge import text

Floats = NDArray[np.float64]
Numbers = NDArray[np.int32]
Positions = NDArray[np.int64]
K1 = 1.2
B = 0.5
_LOOSE = 0.35  # weight of a pair of characters one of which is only grammar, against a pair of matter
_SINGLE = 0.25  # weight of a single character against a pair
_BLOCK = 500_000  # values that are sorted at a time, so that building needs little memory


class Vocabulary:
    """Numbers for tokens; grows while documents are added, fixed when questions are read."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, tokens: Iterable[str]) -> list[int]:
        """Returns the numbers of a document's tokens, giving new ones where needed."""
        numbers = self._numbers
        return [numbers.setdefault(token, len(numbers)) for token in tokens]

    def number(self, token: str) -> int | None:
        """Returns the number of a token, if any document has it."""
        return self._numbers.get(token)

    def tokens(self) -> Iterable[str]:
        """Returns all tokens in the order of their numbers."""
        return self._numbers


class Collector:
    """Rows of numbers while they are being collected."""

    def __init__(self) -> None:
        self.values = array("i")
        self.starts = array("q", [0])

    def add(self, row: Iterable[int]) -> None:
        """Adds a row at the end."""
        self.values.extend(row)
        self.starts.append(len(self.values))

    def rows(self) -> Rows:
        """Returns what was collected, without a copy."""
        return Rows(np.frombuffer(self.starts, dtype=np.int64), _numbers(self.values))


def _numbers(values: array[int]) -> Numbers:
    return np.frombuffer(values, dtype=np.int32) if len(values) else np.zeros(0, dtype=np.int32)


class Rows:
    """Rows of numbers in one flat array: the tokens of each document.

    Args:
        starts: Where each row begins in the values, and the end.
        values: All rows, one after the other.
    """

    def __init__(self, starts: Positions, values: Numbers) -> None:
        self.starts = starts
        self.values = values

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Positions:
        """How many values each row has."""
        return np.diff(self.starts)

    def row(self, number: int) -> Numbers:
        """Returns one row."""
        return self.values[self.starts[number] : self.starts[number + 1]]

    def places(self, rows: Positions) -> tuple[Positions, Positions]:
        """Returns where the values of some rows stand, and for each value which of these rows it is of."""
        return spans(self.starts[rows], self.starts[rows + 1])

    def sums(self, values: NDArray[Any], *, places: bool = False) -> NDArray[np.float32]:
        """Returns, for every row, the sum of a value given for every number in it, or for every place."""
        total = np.zeros(len(self), dtype=np.float32)
        for first, last in _runs(self.starts):
            begin, end = self.starts[first], self.starts[last]
            some = values[begin:end] if places else values[self.values[begin:end]]
            running = np.concatenate([[0.0], np.cumsum(some, dtype=np.float64)])
            total[first:last] = np.diff(running[self.starts[first : last + 1] - begin])
        return total

    def gather(self, rows: Positions) -> tuple[Numbers, Positions]:
        """Returns the values of some rows, and for each value which of these rows it is of."""
        places, of = self.places(rows)
        return self.values[places], of


def spans(starts: Positions, ends: Positions) -> tuple[Positions, Positions]:
    """Returns all numbers of some half-open spans, and for each number which span it is of."""
    lengths = ends - starts
    ends_here = np.cumsum(lengths)
    of = np.repeat(np.arange(len(lengths)), lengths)
    places = np.arange(len(of))
    places += np.repeat(starts - ends_here + lengths, lengths)
    return places, of


class Inverted:
    """For every value, the owners of rows that contain it, ascending, each once.

    Args:
        parts: Rows, and where each owner's rows of them begin, and the end.
        width: One more than the largest value.
    """

    def __init__(self, parts: Sequence[tuple[Rows, Positions]], width: int) -> None:
        self.size = len(parts[0][1]) - 1
        # Twice through the rows, block by block: once to count, once to fill. Little is held at a time.
        self.counts = np.zeros(width, dtype=np.int64)
        for values, _ in self._blocks(parts, width):
            self.counts += np.bincount(values, minlength=width)
        self._starts = np.concatenate([[0], np.cumsum(self.counts)])
        self._holders = np.empty(int(self._starts[-1]), dtype=np.int32)
        filled = self._starts[:-1].copy()
        for values, owners in self._blocks(parts, width):
            order = np.argsort(values, kind="stable")
            ordered = values[order]
            counts = np.bincount(ordered, minlength=width)
            within = np.arange(len(ordered)) - (np.cumsum(counts) - counts)[ordered]
            self._holders[filled[ordered] + within] = owners[order]
            filled += counts

    def _blocks(
        self, parts: Sequence[tuple[Rows, Positions]], width: int
    ) -> Iterator[tuple[Positions, Positions]]:
        """Yields values with their owners, no pair twice, by runs of owners."""
        ends = sum(rows.starts[starts] for rows, starts in parts)
        for first, last in _runs(np.asarray(ends)):
            keys = [
                np.repeat(np.arange(first, last), np.diff(rows.starts[starts[first : last + 1]])) * width
                + rows.values[rows.starts[starts[first]] : rows.starts[starts[last]]]
                for rows, starts in parts
            ]
            together = np.unique(np.concatenate(keys))
            yield together % width, together // width

    def holders(self, value: int) -> Numbers:
        """Returns the owners that have a value, ascending."""
        return self._holders[self._starts[value] : self._starts[value + 1]]

    def by_kind(self, kinds: NDArray[np.int16], count: int) -> Numbers:
        """Returns how many owners of each kind (columns) have each value (rows).

        Args:
            kinds: The kind of each owner.
            count: How many kinds there are.
        """
        table = np.zeros((len(self.counts), count), dtype=np.int32)
        for first, last in _runs(self._starts):
            values = np.repeat(np.arange(last - first), self.counts[first:last])
            found = kinds[self._holders[self._starts[first] : self._starts[last]]]
            sums = np.bincount(values * count + found, minlength=(last - first) * count)
            table[first:last] = sums.reshape(last - first, count)
        return table


def _runs(starts: Positions) -> Iterator[tuple[int, int]]:
    """Cuts rows into runs of about `_BLOCK` values."""
    first = 0
    while first < len(starts) - 1:
        last = int(np.searchsorted(starts, starts[first] + _BLOCK, side="right")) - 1
        last = min(max(last, first + 1), len(starts) - 1)
        yield first, last
        first = last


def counted(values: Numbers, width: int) -> Positions:
    """Returns how often each number stands among very many."""
    counts = np.zeros(width, dtype=np.int64)
    for first in range(0, len(values), _BLOCK):
        counts += np.bincount(values[first : first + _BLOCK], minlength=width)
    return counts


def idf(counts: NDArray[np.int64], size: int) -> Floats:
    """Returns how telling something is that so many of all documents have."""
    telling: Floats = np.log(1 + (size - counts + 0.5) / (counts + 0.5))
    return telling


def unseen(size: int) -> float:
    """Returns how telling something is that no document has."""
    return float(np.log(1 + (size + 0.5) / 0.5))


def length_share(lengths: Positions) -> Floats:
    """Returns BM25's part for a document's length: 1 for one of average length."""
    return 1 - B + B * lengths / max(float(lengths.mean()) if len(lengths) else 1.0, 1e-9)


def fingerprint(phrase: str) -> int:
    """Returns a number that two different phrases hardly ever share."""
    return int.from_bytes(
        blake2b(phrase.encode("utf-8", "replace"), digest_size=8).digest(), "little", signed=True
    )


class Fingerprints:
    """Which rows a phrase stands in, word for word, without keeping the phrases.

    Args:
        prints: The fingerprint of each row.
        owners: What each row belongs to.
    """

    def __init__(self, prints: array[int], owners: Numbers) -> None:
        keys = np.frombuffer(prints, dtype=np.int64) if len(prints) else np.zeros(0, dtype=np.int64)
        order = np.argsort(keys, kind="stable")
        self._keys, self._owners = keys[order], owners[order]

    def find(self, phrase: str) -> set[int]:
        """Returns the owners of the rows that are this phrase."""
        key = fingerprint(phrase)
        start, end = self._keys.searchsorted(key), self._keys.searchsorted(key, side="right")
        return {int(owner) for owner in self._owners[start:end]}


@functools.lru_cache(maxsize=50_000)
def shape_weight(token: str) -> float:
    """Returns what a token counts by its kind: pairs more than characters, matter more than grammar."""
    grammar = text.words().grammar
    if token.isascii():
        return 0.5 if len(token) == 1 else 1.0
    if len(token) == 1:
        return _SINGLE * (0.2 if token in grammar else 1.0)
    if len(token) == 2:
        loose = sum(char in grammar for char in token)
        return (1.0, _LOOSE, 0.1)[loose]
    return 1.0


def grams(phrase: str) -> tuple[str, ...]:
    """Returns the tokens of a phrase as typed, with doubles, in order."""
    return tuple(text.tokens(text.canonical(text.normalise(phrase))))
