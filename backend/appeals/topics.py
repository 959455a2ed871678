"""Hot topics: like problems of several enterprises in a window of days, with a name, figures and a heat.

Heat says how many enterprises wait, and how fresh it is: each enterprise counts 1, a further appeal of the
same one 0.2, at most 1 more; all of an enterprise halves with every week since its last appeal. So many
enterprises weigh more than many letters of one. Pure computation.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from backend.appeals.grouping import group
from backend.appeals.likeness import Pairs, Rarity, code_of, matter, pair_codes, pairs, runs
from backend.masking import mask

HALF_LIFE_DAYS = 7
"""Days in which what an enterprise adds to the heat halves."""

AGAIN = 0.2
"""What a further appeal of the same enterprise adds, beside 1 for the first."""

AGAIN_AT_MOST = 1.0
"""What all further appeals of one enterprise add at most."""

MOST_NUMBERS = 5
"""Sample numbers of a topic."""

MOST_KEYWORDS = 6
"""Keywords of a topic."""

MOST_TOPICS = 200
"""Topics that are described; colder ones nobody reads."""

_MOST_PLACES = 5
_READ = 60  # texts of a topic that its words are taken from, the newest
_TELLING = 40  # pairs of characters that tell what a topic is about
_HELD_BY = 0.3  # share of a topic's texts that hold such a pair
_TITLE = (6, 32)  # characters of a title
_CLAUSE = re.compile(r"[，。！？；：、,.!?;:…\s]+")
_LONGER = 2  # characters that may be missing before and behind a short stretch
_SHORT = 4
_NEARLY_ALWAYS = 0.75
_GROWTH = 1.5  # times as many in the later half of the window
_CHANGE = 2  # fewer more or less are chance


class Trend(StrEnum):
    """Whether more or fewer come in: the later half of the window beside the earlier."""

    RISING = "rising"
    STEADY = "steady"
    FALLING = "falling"

    @property
    def text(self) -> str:
        """The trend as people read it."""
        return {"rising": "上升", "steady": "平稳", "falling": "回落"}[self.value]


@dataclass(frozen=True)
class Letter:
    """What is known of an appeal when topics are looked for.

    Attributes:
        number: Its public reference.
        enterprise: Name of the enterprise as filed; taken out of the text.
        enterprise_key: The same for all spellings of the name.
        text: The problem in the enterprise's own words.
        submitted_at: When it was filed.
        territory: Platform or street; None until confirmed.
    """

    number: str
    enterprise: str = field(repr=False)
    enterprise_key: str = field(repr=False)
    text: str = field(repr=False)
    submitted_at: datetime
    territory: str | None = None


@dataclass(frozen=True)
class Topic:
    """Like problems of several enterprises.

    Attributes:
        title: The words of one of the letters that say best what it is about, masked.
        keywords: Words that most of the letters hold, the most telling first.
        appeals: How many appeals.
        enterprises: How many distinct enterprises.
        first_at: When the first was filed.
        last_at: When the last was filed.
        territories: Confirmed territories by how many appeals come from there, the most first.
        numbers: The newest appeals.
        earlier: Appeals in the earlier half of the window.
        later: Appeals in the later half.
        trend: What the halves say.
        heat: See the module; two decimals.
    """

    title: str
    keywords: tuple[str, ...]
    appeals: int
    enterprises: int
    first_at: datetime
    last_at: datetime
    territories: tuple[tuple[str, int], ...]
    numbers: tuple[str, ...]
    earlier: int
    later: int
    trend: Trend
    heat: float


def content(letter: Letter) -> str:
    """Returns what a letter is about, without the name of its enterprise."""
    return matter(letter.text.replace(letter.enterprise, " ") if letter.enterprise else letter.text)


def topics(
    letters: Sequence[Letter],
    now: datetime,
    days: int,
    *,
    least_enterprises: int = 3,
    names: Iterable[str] = (),
    known: Mapping[str, Pairs] | None = None,
) -> list[Topic]:
    """Finds what several enterprises write about.

    Args:
        letters: All appeals of the window.
        now: The end of the window.
        days: Its length.
        least_enterprises: Distinct enterprises that make a topic.
        names: Names of places, which say where rather than what and weigh little.
        known: Pairs of some letters by number, counted before; spares counting them again.

    Returns:
        The hottest first; of equals the one with the newest appeal.
    """
    ordered = sorted(letters, key=lambda letter: letter.number)
    counted = known or {}
    parts = [counted.get(letter.number) or pairs(content(letter)) for letter in ordered]
    found = []
    for places in group(parts, damped=pair_codes(names)):
        enterprises: dict[str, list[datetime]] = {}
        for place in places:
            enterprises.setdefault(ordered[place].enterprise_key, []).append(ordered[place].submitted_at)
        if len(enterprises) >= least_enterprises:
            found.append((heat(enterprises, now), len(enterprises), places))
    found.sort(key=lambda one: (-one[0], one[2]))
    rarity = Rarity.of(parts)
    described = [
        _topic([(ordered[place], parts[place]) for place in places], warmth, enterprises, rarity, now, days)
        for warmth, enterprises, places in found[:MOST_TOPICS]
    ]
    return sorted(described, key=lambda topic: (-topic.heat, -topic.last_at.timestamp(), topic.numbers))


def heat(enterprises: Mapping[str, Sequence[datetime]], now: datetime) -> float:
    """Returns the heat of a topic.

    Args:
        enterprises: When each enterprise filed its appeals.
        now: The present moment; what is later counts as now.
    """
    total = 0.0
    for moments in enterprises.values():
        age = max(timedelta(), now - max(moments)) / timedelta(days=HALF_LIFE_DAYS)
        total += (1 + min(AGAIN_AT_MOST, AGAIN * (len(moments) - 1))) * 2.0**-age
    return round(total, 2)


def trend(earlier: int, later: int) -> Trend:
    """Returns whether what came in the later half of a window is more than chance beside the earlier."""
    if later >= earlier * _GROWTH and later - earlier >= _CHANGE:
        return Trend.RISING
    if earlier >= later * _GROWTH and earlier - later >= _CHANGE:
        return Trend.FALLING
    return Trend.STEADY


def _topic(
    members: list[tuple[Letter, Pairs]],
    warmth: float,
    enterprises: int,
    rarity: Rarity,
    now: datetime,
    days: int,
) -> Topic:
    members = sorted(members, key=lambda one: (one[0].submitted_at, one[0].number), reverse=True)
    letters = [letter for letter, _ in members]
    telling = _telling([part for _, part in members], rarity)
    middle = now - timedelta(days=days) / 2
    later = sum(letter.submitted_at >= middle for letter in letters)
    territories = Counter(letter.territory for letter in letters if letter.territory)
    keywords = _keywords(letters[:_READ], telling)
    return Topic(
        title=_title(letters[:_READ], telling) or "、".join(keywords[:3]) or letters[0].number,
        keywords=keywords,
        appeals=len(letters),
        enterprises=enterprises,
        first_at=letters[-1].submitted_at,
        last_at=letters[0].submitted_at,
        territories=tuple(sorted(territories.items(), key=lambda one: (-one[1], one[0]))[:_MOST_PLACES]),
        numbers=tuple(letter.number for letter in letters[:MOST_NUMBERS]),
        earlier=len(letters) - later,
        later=later,
        trend=trend(len(letters) - later, later),
        heat=warmth,
    )


def _telling(parts: Sequence[Pairs], rarity: Rarity) -> dict[int, float]:
    """The pairs that many of these texts hold and few others, with their weights."""
    codes, held = np.unique(np.concatenate([part.codes for part in parts]), return_counts=True)
    enough = held >= max(2, _HELD_BY * len(parts))
    codes, held = codes[enough], held[enough]
    weights = held / len(parts) * rarity.weights(codes)
    best = np.lexsort((codes, -weights))[:_TELLING]
    return dict(zip(codes[best].tolist(), weights[best].tolist(), strict=True))


def _keywords(letters: Sequence[Letter], telling: Mapping[int, float]) -> tuple[str, ...]:
    """Stretches of telling pairs, as whole words, by how many letters hold them and how much they tell."""
    texts = [content(letter) for letter in letters]
    found = Counter(phrase for text in texts for phrase in set(runs(text, set(telling))))
    phrases = {_whole(phrase, texts) for phrase, count in found.items() if count > 1}
    scores = {
        phrase: sum(phrase in text for text in texts) * math.sqrt(_weight(phrase, telling))
        for phrase in phrases
        if len(phrase) <= _TITLE[1]
    }
    chosen: list[str] = []
    said: set[int] = set()
    for phrase in sorted(scores, key=lambda phrase: (-scores[phrase], phrase)):
        held = set(map(code_of, phrase, phrase[1:]))
        if len(chosen) < MOST_KEYWORDS and len(held - said) > len(held) / 2:
            chosen.append(phrase)
            said |= held
    return tuple(chosen)


def _whole(phrase: str, texts: Sequence[str]) -> str:
    """Adds the characters that stand before and behind a stretch nearly everywhere: 育局 becomes 教育局."""
    for _ in range(_LONGER if len(phrase) <= _SHORT else 0):
        before = Counter(text[at - 1] for text in texts for at in _places(phrase, text) if at)
        behind = Counter(
            text[at + len(phrase)]
            for text in texts
            for at in _places(phrase, text)
            if at + len(phrase) < len(text)
        )
        count = sum(1 for text in texts for _ in _places(phrase, text))
        first = _usual(before, count)
        last = _usual(behind, count)
        if not first and not last:
            break
        phrase = first + phrase + last
    return phrase


def _usual(signs: Counter[str], count: int) -> str:
    """The letter or character that stands at three of four places; empty if none does."""
    for sign, held in signs.most_common(1):
        if held >= _NEARLY_ALWAYS * count and sign.isalpha():
            return sign
    return ""


def _places(phrase: str, text: str) -> Iterator[int]:
    at = text.find(phrase)
    while at >= 0:
        yield at
        at = text.find(phrase, at + 1)


def _title(letters: Sequence[Letter], telling: Mapping[int, float]) -> str:
    """The clause that says most of what the letters have in common, in few words."""
    best, title = 0.0, ""
    for letter in letters:
        text = letter.text.replace(letter.enterprise, "") if letter.enterprise else letter.text
        for clause in _CLAUSE.split(mask(text)):
            if _TITLE[0] <= len(clause) <= _TITLE[1]:
                score = _weight(clause.casefold(), telling) / math.sqrt(len(clause) + 8)
                if (-score, len(clause), clause) < (-best, len(title), title):
                    best, title = score, clause
    return title


def _weight(text: str, telling: Mapping[int, float]) -> float:
    return sum(telling.get(code, 0.0) for code in set(map(code_of, text, text[1:])))
