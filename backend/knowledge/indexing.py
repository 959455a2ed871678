"""The indexes under the search: tokens of documents as numbers in flat arrays, small and quick to build."""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import bm25s
import numpy as np
from numpy.typing import NDArray

from backend.knowledge import text

logging.getLogger("bm25s").setLevel(logging.WARNING)

Floats = NDArray[np.float64]
Numbers = NDArray[np.int32]
_K1 = 1.2
_B = 0.5
_LOOSE = 0.35  # weight of a pair of characters one of which is only grammar, against a pair of matter
_SINGLE = 0.25  # weight of a single character against a pair


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

    def known(self, tokens: Iterable[str]) -> list[int]:
        """Returns the numbers of the tokens that any document has."""
        return [self._numbers[token] for token in tokens if token in self._numbers]

    def number(self, token: str) -> int | None:
        """Returns the number of a token, if any document has it."""
        return self._numbers.get(token)

    def tokens(self) -> Iterable[str]:
        """Returns all tokens in the order of their numbers."""
        return self._numbers


class Postings:
    """For every token, the documents that contain it.

    Args:
        documents: Token numbers of each document; doubles do not count.
        width: Size of the vocabulary.
    """

    def __init__(self, documents: Sequence[Collection[int]], width: int) -> None:
        self.size = len(documents)
        unique = [np.unique(np.fromiter(document, np.int32, len(document))) for document in documents]
        lengths = np.array([len(document) for document in unique], dtype=np.int64)
        tokens = np.concatenate(unique) if unique else np.zeros(0, dtype=np.int32)
        holders = np.repeat(np.arange(self.size, dtype=np.int32), lengths)
        order = np.argsort(tokens, kind="stable")
        self._holders: Numbers = holders[order]
        self.counts = np.bincount(tokens, minlength=width)
        self._ends = np.cumsum(self.counts)

    def holders(self, token: int) -> Numbers:
        """Returns the documents that contain a token, ascending."""
        end = self._ends[token]
        return self._holders[end - self.counts[token] : end]

    def overlap(self, weights: Mapping[int, float]) -> Floats:
        """Returns, for every document, the weight of the tokens it shares."""
        total = np.zeros(self.size)
        for token, weight in weights.items():
            total[self.holders(token)] += weight
        return total

    def table(self, documents: NDArray[np.int64], tokens: Sequence[int]) -> Floats:
        """Returns which of some documents (rows) contain which of some tokens (columns), as 1 and 0."""
        there = np.zeros((len(documents), len(tokens)))
        for column, token in enumerate(tokens):
            holders = self.holders(token)
            if len(holders):
                places = np.minimum(holders.searchsorted(documents), len(holders) - 1)
                there[:, column] = holders[places] == documents
        return there

    def sums(self, values: Floats) -> Floats:
        """Returns, for every document, the sum over its tokens of a value given for every token."""
        spread = np.repeat(values, self.counts)
        return np.bincount(self._holders, weights=spread, minlength=self.size).astype(np.float64)


class Bm25:
    """A `bm25s` index that also knows what a question would score against itself.

    Args:
        documents: Token numbers of each document, doubles counting.
        width: Size of the vocabulary.
    """

    def __init__(self, documents: Sequence[Sequence[int]], width: int) -> None:
        self._size = len(documents)
        self._unseen = math.log(1 + (self._size + 0.5) / 0.5)
        self._idf = np.zeros(width)
        self._starts = np.zeros(width + 1, dtype=np.int64)
        self._holders: Numbers = np.zeros(0, dtype=np.int32)
        self._scores = np.zeros(0, dtype=np.float32)
        if not width:
            return
        index: Any = bm25s.BM25(k1=_K1, b=_B, method="lucene")
        names = {number: number for number in range(width)}
        index.index((documents, names), show_progress=False, create_empty_token=False)
        self._starts = index.scores["indptr"].astype(np.int64)
        self._holders = index.scores["indices"]
        self._scores = index.scores["data"]
        frequency = np.diff(self._starts)[:width]
        self._idf = np.log(1 + (self._size - frequency + 0.5) / (frequency + 0.5))

    def scores(self, known: Sequence[int], unknown: int) -> Floats:
        """Returns every document's score as a share of what the question itself would score, 0 to about 1.

        The library's own sum (`numpy.add.at`) is ten times slower with the numpy that Rasa needs; a document
        stands once in a token's list, so plain indexing adds up the same.

        Args:
            known: Numbers of the question's tokens that documents have, each once.
            unknown: How many more tokens it has.
        """
        total = np.zeros(self._size)
        if not known:
            return total
        for token in known:
            part = slice(self._starts[token], self._starts[token + 1])
            total[self._holders[part]] += self._scores[part]
        own = float(self._idf[list(known)].sum()) + self._unseen * unknown
        # A document of average length that has every term once scores 1 / (1 + k1) of their idf.
        return total * ((1 + _K1) / max(own, 1e-9))


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
