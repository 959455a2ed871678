"""Cuts texts into whole words, so that reasons quote what an official reads as a word.

The words are those of jieba's dictionary that occur in the labelled appeals, and those of the topics, found
while training; a text is cut into those that are together likeliest.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

LONGEST: Final = 6
"""Characters of the longest word."""

_UNKNOWN: Final = 0.5
_REMEMBERED: Final = 64


class Words:
    """Knows words by how common they are.

    Args:
        frequency: Word of two characters and more → how common it is in the language, from 1 up.
        common: Words that too many texts hold to tell anything.

    Attributes:
        frequency: As given.
        common: As given.
    """

    def __init__(self, frequency: Mapping[str, int], common: Iterable[str] = ()) -> None:
        self.frequency = dict(frequency)
        self.common = frozenset(common)
        total = sum(self.frequency.values()) + 1.0
        self._likely = {word: math.log(count / total) for word, count in self.frequency.items()}
        self._unknown = math.log(_UNKNOWN / total)
        # the reasons for board, department and level quote the same clauses
        self.cut = lru_cache(_REMEMBERED)(self._cut)

    def telling(self, word: str) -> bool:
        """Whether a word is known, and not so common that it tells nothing."""
        return word in self.frequency and word not in self.common

    def _cut(self, text: str) -> tuple[tuple[int, str], ...]:
        """Returns the words and single characters of a text with where they begin."""
        best = [0.0]
        back = [0]
        for end in range(1, len(text) + 1):
            score, start = best[end - 1] + self._unknown, end - 1
            for before in range(max(0, end - LONGEST), end - 1):
                likely = self._likely.get(text[before:end])
                if likely is not None and best[before] + likely > score:
                    score, start = best[before] + likely, before
            best.append(score)
            back.append(start)
        found: list[tuple[int, str]] = []
        end = len(text)
        while end:
            found.append((back[end], text[back[end] : end]))
            end = back[end]
        return tuple(reversed(found))
