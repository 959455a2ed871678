"""Turns what people type into comparable text: normalised, cut into clauses, tokenised.

The word lists are data (`data/words.yaml`): general Chinese only, no facts.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from operator import add
from pathlib import Path

import opencc
import yaml

MAX_CHARS = 600  # longer messages are cut to their beginning and, mostly, their end, where the question is
_WORDS = Path(__file__).parent / "data" / "words.yaml"
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3007"
_PIECES = re.compile(rf"[{_HAN}]|[^\W_{_HAN}]+")
_FOLDED = re.compile("[\u4e00-\u9fa5a-z0-9]*")
_SIGNS = re.compile(r"[\W_]")
_BLANKS = re.compile(r"\s+")
_TERMS = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+|\s+")


@dataclass(frozen=True)
class Words:
    """The compiled word lists.

    Attributes:
        grammar: Characters that carry grammar.
        synonyms: Spelling to canonical spelling.
        places: Names of places that no folder is about.
        letters: What letters to an office hold whatever they are about.
    """

    fillers: re.Pattern[str]
    particles: re.Pattern[str]
    generic: re.Pattern[str]
    grammar: frozenset[str]
    synonyms: dict[str, str]
    synonym_pattern: re.Pattern[str]
    places: tuple[str, ...]
    letters: tuple[str, ...]


def any_of(words: Iterable[str]) -> str:
    """Returns a regular expression that matches any of the words, the longest first."""
    ordered = sorted({word for word in words if word}, key=lambda word: (-len(word), word))
    if not ordered:
        return r"(?!)"
    # Most characters begin no word: one look at a set spares trying hundreds of them.
    begins = "".join(re.escape(char) for char in sorted({word[0] for word in ordered}))
    return f"(?=[{begins}])(?:{'|'.join(re.escape(word) for word in ordered)})"


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
        letters=tuple(data["letters"]),
    )


def shorten(text: str) -> str:
    """Keeps the first third and the last two thirds of `MAX_CHARS` of an overlong message."""
    if len(text) <= MAX_CHARS:
        return text
    head = MAX_CHARS // 3
    return f"{text[:head]} {text[-(MAX_CHARS - head - 1) :]}"


@functools.cache
def _to_simplified() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def simplified(text: str) -> str:
    """Returns the text in simplified characters by `OpenCC`, word by word: 乾燥 changes, 乾坤 does not."""
    try:
        text.encode("gb2312")  # holds simplified characters only: nearly every text ends here
    except UnicodeEncodeError:
        return str(_to_simplified().convert(text.encode("utf-8", "replace").decode()))
    return text


def _fold(text: str) -> str:
    """Width, case, traditional and compatibility forms folded; other signs become one space."""
    if _FOLDED.fullmatch(text) and simplified(text) == text:
        return text  # as most phrasings and many questions are
    for _ in range(4):  # folding a case can create a form that folds again
        folded = simplified(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()))
        if folded == text:
            break
        text = folded
    pieces = [match.group() for match in _TERMS.finditer(_SIGNS.sub(" ", text))]
    return _BLANKS.sub(" ", "".join(pieces)).strip()


def normalise(text: str) -> str:
    """Returns the text folded, without polite words, fillers and sentence particles.

    Clauses are divided by single spaces; spaces around Chinese characters that the scan or the writer put
    inside a clause divide it too. Idempotent.
    """
    lists = words()
    text = _fold(text)
    while True:
        shorter = lists.particles.sub(" ", lists.fillers.sub(" ", text))
        shorter = _BLANKS.sub(" ", shorter).strip()
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
        result.extend(map(add, pieces, pieces[1:]))
    return result


def clauses(text: str) -> list[str]:
    """Returns the clauses of normalised text in order."""
    return [clause for clause in text.split(" ") if clause]
