"""Turns what people type into comparable text: normalised, cut into clauses, tokenised.

The word lists are data (`data/words.yaml`): general Chinese only, no facts.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import yaml

MAX_CHARS = 600  # longer messages are cut to their beginning and, mostly, their end, where the question is
_WORDS = Path(__file__).parent / "data" / "words.yaml"
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3007"
_PIECES = re.compile(rf"[{_HAN}]|[^\W_{_HAN}]+")
_TERMS = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+|\s+")


@dataclass(frozen=True)
class Words:
    """The compiled word lists.

    Attributes:
        grammar: Characters that carry grammar.
        synonyms: Spelling to canonical spelling.
        places: Names of places that no folder is about.
    """

    fillers: re.Pattern[str]
    particles: re.Pattern[str]
    generic: re.Pattern[str]
    grammar: frozenset[str]
    synonyms: dict[str, str]
    synonym_pattern: re.Pattern[str]
    places: tuple[str, ...]


def any_of(words: Iterable[str]) -> str:
    """Returns a regular expression that matches any of the words, the longest first."""
    ordered = sorted({word for word in words if word}, key=lambda word: (-len(word), word))
    return "|".join(re.escape(word) for word in ordered) or r"(?!)"


@functools.cache
def words() -> Words:
    """Returns the word lists, read once."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data = yaml.load(_WORDS.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a safe loader
    synonyms = {word: group[0] for group in data["synonyms"] for word in group[1:]}
    # The first of a group stands in the pattern too: no other spelling is then read inside it.
    spellings = set(synonyms) | {group[0] for group in data["synonyms"]}
    return Words(
        fillers=re.compile(any_of(data["fillers"])),
        particles=re.compile(
            rf"[{data['particles']}]+(?=\s|$)|(?:(?<=\s)|^)[{data['hesitations']}]+(?=\s|$)"
        ),
        generic=re.compile(any_of(data["generic"])),
        grammar=frozenset(data["grammar"]),
        synonyms=synonyms,
        synonym_pattern=re.compile(any_of(spellings)),
        places=tuple(data["places"]),
    )


def shorten(text: str) -> str:
    """Keeps the first third and the last two thirds of `MAX_CHARS` of an overlong message."""
    if len(text) <= MAX_CHARS:
        return text
    head = MAX_CHARS // 3
    return f"{text[:head]} {text[-(MAX_CHARS - head - 1) :]}"


def _fold(text: str) -> str:
    """Width, case and compatibility forms folded; everything but letters and digits becomes one space."""
    for _ in range(3):  # folding a case can create a form that folds again
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        if folded == text:
            break
        text = folded
    pieces = [match.group() for match in _TERMS.finditer(re.sub(r"[\W_]", " ", text))]
    return re.sub(r"\s+", " ", "".join(pieces)).strip()


def normalise(text: str) -> str:
    """Returns the text folded, without polite words, fillers and sentence particles.

    Clauses are divided by single spaces; spaces around Chinese characters that the scan or the writer put
    inside a clause divide it too. Idempotent.
    """
    lists = words()
    text = _fold(text)
    while True:
        shorter = lists.particles.sub(" ", lists.fillers.sub(" ", text))
        shorter = re.sub(r"\s+", " ", shorter).strip()
        if shorter == text:
            return text
        text = shorter


def squeeze(text: str) -> str:
    """Returns the folded text without any space, for finding names in it."""
    return _fold(text).replace(" ", "")


def canonical(text: str) -> str:
    """Replaces every spelling of a synonym group by the group's first."""
    lists = words()
    return lists.synonym_pattern.sub(lambda match: lists.synonyms.get(match.group(), match.group()), text)


def tokens(text: str) -> list[str]:
    """Returns the tokens of normalised text: characters, pairs of neighbours, words of letters and digits.

    Args:
        text: Normalised, canonical text; pairs never span a space.
    """
    result: list[str] = []
    for clause in text.split(" "):
        pieces = _PIECES.findall(clause)
        result.extend(pieces)
        result.extend(first + second for first, second in pairwise(pieces))
    return result


def clauses(text: str) -> list[str]:
    """Returns the clauses of normalised text in order."""
    return [clause for clause in text.split(" ") if clause]
