"""Which topics of the knowledge base a text is about."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from backend.knowledge.entries import Topic
from backend.triage.reading import normal

_SPAN: Final = 26
"""Characters within which the parts of a phrase must stand together."""

_LEAST: Final = 0.35
"""Score below which a topic is not worth naming."""

_LIKENESS: Final = 4.0
"""Weight of the likeness to a topic's words and examples, next to its words themselves."""

_FURTHER: Final = 0.6
_MOST: Final = 8


@dataclass(frozen=True)
class Match:
    """A topic that a text may be about.

    Attributes:
        topic: The topic.
        score: From 0 up; two words of three characters give about 2.
        words: The topic's words that the text holds, weightiest first.
    """

    topic: Topic
    score: float
    words: tuple[str, ...]


class TopicIndex:
    """Scores topics by the words they list and by likeness to their words, titles and examples.

    Args:
        topics: What appeals can be about.
    """

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._topics = list(topics)
        counts: Counter[str] = Counter()
        parsed: list[list[tuple[str, tuple[str, ...]]]] = []
        for topic in self._topics:
            words = []
            for word in dict.fromkeys(topic.words):
                parts = tuple(normal(piece) for piece in word.split())
                words.append((word, parts))
                counts.update([" ".join(parts)])
            parsed.append(words)
        total = max(2, len(self._topics))
        self._by_longest: dict[str, list[tuple[tuple[str, ...], str, float, int]]] = defaultdict(list)
        for number, words in enumerate(parsed):
            for word, parts in words:
                rarity = 1.0 - 0.5 * math.log(counts[" ".join(parts)]) / math.log(total)
                weight = _weight(parts) * rarity
                self._by_longest[max(parts, key=len)].append((parts, word, weight, number))
        every = {part for words in parsed for _, parts in words for part in parts}
        self._parts = frozenset(every)
        self._signs = frozenset(part for part in every if len(part) == 1)
        lengths: dict[str, set[int]] = defaultdict(set)
        for part in every:
            if len(part) > 1:
                lengths[part[:2]].add(len(part))
        self._begin = {begin: tuple(sorted(found)) for begin, found in lengths.items()}
        profiles: list[Counter[str]] = []
        for topic in self._topics:
            profile: Counter[str] = Counter()
            for line in (topic.title, *topic.words, *topic.examples):
                profile.update(set(_grams(normal(line))))
            profiles.append(profile)
        spread: Counter[str] = Counter()
        for profile in profiles:
            spread.update(profile.keys())
        self._rarity = {gram: math.log((total + 1) / count) for gram, count in spread.items()}
        self._gram_at = {gram: place for place, gram in enumerate(spread)}
        self._likeness = np.zeros((len(spread), len(self._topics)), np.float32)
        for number, profile in enumerate(profiles):
            values = {gram: (1 + math.log(count)) * self._rarity[gram] for gram, count in profile.items()}
            norm = math.sqrt(sum(value * value for value in values.values())) or 1.0
            for gram, value in values.items():
                self._likeness[self._gram_at[gram], number] = self._rarity[gram] * value / norm
        self._squares = np.array([self._rarity[gram] ** 2 for gram in self._gram_at], np.float64)

    def match(self, text: str) -> list[Match]:
        """Returns the likeliest topics, best first; empty if nothing of the text is known.

        Args:
            text: A normal text.
        """
        found: dict[int, list[tuple[float, str]]] = defaultdict(list)
        present = set(self._signs.intersection(text))
        for start in range(len(text) - 1):
            for length in self._begin.get(text[start : start + 2], ()):
                if (part := text[start : start + length]) in self._parts:
                    present.add(part)
        for longest in present & self._by_longest.keys():
            for parts, word, weight, number in self._by_longest[longest]:
                if len(parts) == 1 or (present.issuperset(parts) and _near(text, parts)):
                    found[number].append((weight, word.replace(" ", "…")))
        words: dict[int, list[str]] = defaultdict(list)
        scores = np.zeros(len(self._topics))
        for number, said in found.items():
            said.sort(key=lambda item: (-item[0], item[1]))
            scores[number] = said[0][0] + _FURTHER * sum(weight for weight, _ in said[1:])
            words[number] = [word for _, word in said]
        at = self._gram_at
        # in their order, or sums would differ in their last digits
        grams = np.array(sorted(at[gram] for gram in at.keys() & set(_grams(text))), np.intp)
        if len(grams):
            norm = math.sqrt(float(self._squares[grams].sum())) or 1.0
            scores += self._likeness[grams].sum(axis=0) * (_LIKENESS / norm)
        ranked = np.argsort(-scores, kind="stable")[:_MOST].tolist()
        return [
            Match(self._topics[number], float(scores[number]), tuple(words.get(number, ())))
            for number in ranked
            if scores[number] >= _LEAST
        ]


def _weight(parts: tuple[str, ...]) -> float:
    """Longer words say more; a phrase of scattered parts is less certain than a word."""
    length = sum(map(len, parts))
    if length == 1:
        return 0.55
    return (0.1 + 0.35 * min(length, 6)) * (1.0 if len(parts) == 1 else 0.65)


def _near(text: str, parts: tuple[str, ...]) -> bool:
    """Whether all parts of a phrase stand within a span of a clause or two."""
    # the longest part occurs least often
    anchor = max(parts, key=len)
    others = [part for part in parts if part != anchor]
    at = text.find(anchor)
    while at >= 0:
        window = text[max(0, at - _SPAN) : at + len(anchor) + _SPAN]
        if all(part in window for part in others):
            return True
        at = text.find(anchor, at + 1)
    return False


def _grams(text: str) -> list[str]:
    """Character pairs within runs of letters and digits."""
    return [run[i : i + 2] for run in re.findall(r"\w{2,}", text) for i in range(len(run) - 1)]
