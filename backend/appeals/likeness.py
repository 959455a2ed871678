"""Whether two appeals tell of the same enterprise, and how like their problems are.

Texts are compared by the pairs of neighbouring characters that carry matter: pairs with a character of
grammar, pairs of digits and the words that every letter holds (尊敬的领导, 希望尽快解决) do not count. Short
questions to the hotline are another thing and are compared in `backend.hotline.likeness`. Pure computation.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.knowledge import text as words

LONGEST_KEY = 100
"""Characters of an enterprise's key; the column that keeps it holds no more."""

LONGEST_TEXT = 2_000
"""Characters of a text that are compared; of a longer one its beginning."""

ALIKE = 0.1
"""Likeness from which two problems of one enterprise are shown as perhaps the same; chosen by reading."""

Codes = NDArray[np.int64]
Numbers = NDArray[np.float64]

_SHIFT = 21  # bits of a character
_LOW = (1 << _SHIFT) - 1
_DIGIT, _LETTER, _HAN = 1, 2, 4
_HAN_BLOCKS = ((0x3007, 0x3008), (0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x32000))
_ADDRESS = re.compile(r"(?:https?://|www\.)[\w./?=&%#:-]+|[\w.+-]+@[\w.-]+", re.ASCII)
_PLACE = re.compile(
    "[\u4e00-\u9fff]{2,4}?(?:街道|社区|小区|园区|产业园|工业园|科技园|高新区|开发区|经开区|大道|大厦|大楼|广场"
    "|花园|公寓|[镇乡村苑]|(?<![道线马公铁电出思网])路)"
)
_OF_A_PLACE = 0.1  # weight of a pair that only says where
_LEAST_SHARED = 2  # fewer pairs in common are chance
_NO_RARER = 1 / 60
_EVENED = 60  # as many letters make the rarity of pairs tell something
_SHORTEST = 2  # fewer characters than this name nobody
_FORMS = re.compile("股份有限责任公司|股份有限公司|有限责任公司|有限公司|股份公司")
_ENDS = re.compile("(?<![总分子])公司$|(?:特殊普通合伙|普通合伙|有限合伙|个人独资|个体工商户)$")


def enterprise_key(name: str) -> str:
    """Returns what is the same in all spellings of an enterprise's name.

    Width, case, traditional characters, blanks, brackets and other signs do not count, nor does the legal
    form (有限公司, 有限责任公司, 股份有限公司, 有限合伙 and their like). Places do: 杭州某某 and 浙江某某 are
    two enterprises, and so are a company, its group (集团) and its branch (分公司). Idempotent.

    Args:
        name: As somebody wrote it.

    Returns:
        At most `LONGEST_KEY` characters; empty only if the name holds no letter, digit or character.
    """
    key = words.squeeze(name)[:LONGEST_KEY]
    while True:
        shorter = _ENDS.sub("", _FORMS.sub("", key))
        if shorter == key or len(shorter) < _SHORTEST:
            return key
        key = shorter


@dataclass(frozen=True)
class Pairs:
    """The pairs of neighbouring characters of a text.

    Attributes:
        codes: Each pair once, ascending; see `code_of`.
        weights: How much each counts, above 0: with the logarithm of how often it stands there, little if it
            is only part of a place's name.
    """

    codes: Codes
    weights: Numbers


@dataclass(frozen=True)
class Like:
    """One text that is like another.

    Attributes:
        position: Which of the others.
        score: Likeness, above 0 and at most 1.
        shared: Words that both hold, the longest first.
    """

    position: int
    score: float
    shared: tuple[str, ...]


def matter(text: str) -> str:
    """Returns what a text is about: folded, with blanks in place of a letter's frame and of web addresses.

    Args:
        text: As written; of more than `LONGEST_TEXT` characters the beginning.
    """
    folded = words.simplified(unicodedata.normalize("NFKC", text[:LONGEST_TEXT]).casefold())
    return _frame().sub(" ", _ADDRESS.sub(" ", folded))


def pairs(text: str) -> Pairs:
    """Returns the pairs of a text that carry matter.

    Args:
        text: What `matter` returns.
    """
    codes = _codes(text)
    counted = np.ones(len(codes))
    for place in _PLACE.finditer(text):
        counted[place.start() : place.end()] = 0
    told = _matters(codes)
    found, where = np.unique(codes[told], return_inverse=True)
    counts = np.bincount(where, counted[told], len(found))
    return Pairs(found, np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), _OF_A_PLACE))


def pair_codes(texts: Iterable[str]) -> Codes:
    """Returns the pairs of some words, each once and ascending, whether or not they carry matter."""
    codes: Codes = np.concatenate([np.zeros(0, np.int64), *(_codes(matter(text)) for text in texts)])
    return np.unique(codes)


def code_of(first: str, second: str) -> int:
    """Returns the code of a pair."""
    return ord(first) << _SHIFT | ord(second)


@dataclass(frozen=True)
class Rarity:
    """How rare pairs are among some letters: what few of them hold tells more than what many hold.

    A pair weighs ``log((n + 60) / (m + 1))`` where m of n letters hold it. Below a sixtieth of the letters it
    weighs no more: so rare a pair is a name more often than a matter. Without letters all weigh the same.

    Attributes:
        letters: How many letters were counted.
        codes: Pairs that they hold, ascending.
        spread: How many letters hold each.
    """

    letters: int
    codes: Codes
    spread: Codes

    @classmethod
    def of(cls, texts: Sequence[Pairs]) -> Rarity:
        """Counts the pairs of some letters."""
        codes: Codes = np.concatenate([np.zeros(0, np.int64), *(text.codes for text in texts)])
        found, spread = np.unique(codes, return_counts=True)
        return cls(len(texts), found, spread.astype(np.int64))

    def weights(self, codes: Codes) -> Numbers:
        """Returns what pairs weigh, each above 0."""
        if not len(self.codes):
            return self._weighed(np.zeros(len(codes)))
        places = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        return self._weighed(np.where(self.codes[places] == codes, self.spread[places], 0))

    def weigh(self, text: Pairs) -> Pairs:
        """Returns the pairs of a text with their rarity in their weights."""
        return Pairs(text.codes, text.weights * self.weights(text.codes))

    def _weighed(self, spread: NDArray[Any]) -> Numbers:
        held = np.maximum(spread, self.letters * _NO_RARER)
        weighed: Numbers = np.log((self.letters + _EVENED) / (held + 1))
        return weighed


UNKNOWN = Rarity(0, np.zeros(0, np.int64), np.zeros(0, np.int64))
"""Nothing is known of other letters."""


def likeness(one: Pairs, other: Pairs) -> float:
    """Returns how like two texts are: the cosine of their pairs' weights.

    A single pair that two texts have in common is chance, unless one of them has no more.

    Returns:
        0 to 1; the same both ways.
    """
    shared, here, there = np.intersect1d(one.codes, other.codes, assume_unique=True, return_indices=True)
    if len(shared) < min(_LEAST_SHARED, len(one.codes), len(other.codes)) or not len(shared):
        return 0.0
    lengths = np.sqrt((one.weights @ one.weights) * (other.weights @ other.weights))
    return min(1.0, float(one.weights[here] @ other.weights[there] / lengths))


def like(text: str, others: Sequence[str], rarity: Rarity = UNKNOWN, alike: float = ALIKE) -> list[Like]:
    """Finds the texts that tell of much the same problem.

    Args:
        text: The problem.
        others: Those to compare it with.
        rarity: How rare pairs are among the letters of these days.
        alike: Least likeness, above 0.

    Returns:
        The most alike first; of equals in the order of ``others``.
    """
    here = matter(text)
    parts = rarity.weigh(pairs(here))
    found = []
    for position, other in enumerate(map(matter, others)):
        score = likeness(parts, rarity.weigh(pairs(other)))
        if score >= alike:
            found.append(Like(position, score, shared_words(here, other)))
    return sorted(found, key=lambda one: (-one.score, one.position))


def shared_words(one: str, other: str, most: int = 5) -> tuple[str, ...]:
    """Returns the words of two characters and more that stand in both texts, the longest first.

    Args:
        one: What `matter` returns.
        other: What `matter` returns.
        most: How many at most.
    """
    common = set(pairs(one).codes.tolist()) & set(pairs(other).codes.tolist())
    found: dict[str, None] = {}
    for run in runs(one, common):
        start = 0
        while start < len(run) - 1:
            end = start + 2
            while end <= len(run) and run[start:end] in other:
                end += 1
            if end - 1 - start > 1:
                found[run[start : end - 1]] = None
            start = max(start + 1, end - 2)
    chosen: list[str] = []
    for word in sorted(found, key=lambda word: (-len(word), word)):
        if len(chosen) < most and not any(word in longer for longer in chosen):
            chosen.append(word)
    return tuple(chosen)


def runs(text: str, codes: set[int]) -> list[str]:
    """Returns the stretches of a text all of whose pairs are among some.

    Args:
        text: What `matter` returns.
        codes: The pairs.
    """
    marked = [code_of(first, second) in codes for first, second in pairwise(text)]
    found, start = [], None
    for place, wanted in enumerate([*marked, False]):
        if wanted and start is None:
            start = place
        elif not wanted and start is not None:
            found.append(text[start : place + 1])
            start = None
    return found


def _codes(text: str) -> Codes:
    signs = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32).astype(np.int64)
    return signs[:-1] << _SHIFT | signs[1:]


def _matters(codes: Codes) -> NDArray[np.bool_]:
    """Two characters of matter or two Latin letters or digits, but not two digits."""
    kinds = _kinds()
    first, second = kinds[codes >> _SHIFT], kinds[codes & _LOW]
    one_kind = (first == _HAN) == (second == _HAN)
    told: NDArray[np.bool_] = (first > 0) & (second > 0) & (first + second > 2 * _DIGIT) & one_kind
    return told


@functools.cache
def _kinds() -> NDArray[np.int8]:
    """What each character is; 0 for a sign, and for a character of grammar."""
    kinds = np.zeros(0x110000, np.int8)
    kinds[0x30:0x3A] = _DIGIT
    kinds[0x61:0x7B] = _LETTER
    for begin, end in _HAN_BLOCKS:
        kinds[begin:end] = _HAN
    kinds[[ord(sign) for sign in words.words().grammar]] = 0
    return kinds


@functools.cache
def _frame() -> re.Pattern[str]:
    return re.compile(words.any_of(words.words().letters))
