"""What the classifier sees of a text: its character n-grams, and what the rules made of it.

The same code describes a text for training and for use, so that both see the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from backend.triage.reading import last_clause
from backend.triage.rules import Evidence, Rules

LONGEST: Final = 4
"""Characters of the longest n-gram."""

_DIGITS: Final = re.compile(r"\d+")
_HEAD: Final = 450
_TAIL: Final = 150
_END: Final = "\x02"
_START: Final = "\x03"
_LAST: Final = "\x04"
_COUNTED: Final = 3
_STRONG: Final = 3.0
_LONG: Final = (12, 25, 50, 100, 250)


def seen(text: str) -> str:
    """Returns what of a normal text is read: of a long one the beginning and the end; figures as one sign."""
    return _DIGITS.sub("0", text if len(text) <= _HEAD + _TAIL else text[:_HEAD] + text[-_TAIL:])


def grams(text: str) -> Counter[str]:
    """Counts the n-grams of one to four characters of a normal text; figures count as one sign.

    Of a long text the beginning and the end count, where it says what it is about. N-grams of up to three
    characters of the last clause are counted once more, marked as such.
    """
    body = f"{_START}{seen(text)}{_END}"
    found: Counter[str] = Counter()
    for size in range(1, LONGEST + 1):
        found.update([body[i : i + size] for i in range(len(body) - size + 1)])
    end = f"{_DIGITS.sub('0', last_clause(text)[-_LONG[1] :])}{_END}"
    for size in range(1, LONGEST):
        found.update([_LAST + end[i : i + size] for i in range(len(end) - size + 1)])
    return found


def knowledge(rules: Rules, evidence: Evidence) -> Mapping[str, float]:
    """Describes what the rules see in a text by numbers of about 0 to 1, by name.

    Args:
        rules: Those that read the text.
        evidence: What they saw.

    Returns:
        Topics by score, departments by share and by name, signals by count, the rules' own level.
    """
    found: dict[str, float] = {}
    for match in evidence.matches:
        found[f"topic {match.topic.id}"] = min(match.score, _STRONG) / _STRONG
    boards: dict[str, float] = {}
    for match in evidence.matches:
        boards[match.topic.category] = max(boards.get(match.topic.category, 0.0), match.score)
    for name, score in boards.items():
        found[f"board {name}"] = min(score, _STRONG) / _STRONG
    shares = rules.shares(evidence)
    for department, share in shares.items():
        found[f"share {department}"] = share
    for item in evidence.named:
        found[f"named {item.department}"] = 1.0
        if item.spoke:
            found[f"spoke {item.department}"] = 1.0
        if item.asked:
            found[f"asked {item.department}"] = 1.0
    found[f"names {min(len(evidence.named), _COUNTED)}"] = 1.0
    found[f"speakers {min(len(evidence.spoke), _COUNTED)}"] = 1.0
    for department in evidence.mentioned:
        found[f"mentioned {department}"] = 1.0
    found[f"mentions {min(len(evidence.mentioned), _COUNTED)}"] = 1.0
    found[f"parties {min(evidence.parties, _COUNTED)}"] = 1.0
    for means, hits in evidence.hits.items():
        if hits:
            found[f"signal {means}"] = min(len(hits), _COUNTED) / _COUNTED
            found[f"any {means}"] = 1.0
    for means, hits in evidence.last.items():
        if hits:
            found[f"last {means}"] = 1.0
    verdict = rules.level(evidence)
    found[f"level {verdict.level}"] = 1.0
    found[f"length {sum(len(evidence.text) > limit for limit in _LONG)}"] = 1.0
    return found
