"""Tells whose a telephone number is that somebody writes down, by the numbers that the documents print."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from backend.knowledge.entries import Entry
from backend.knowledge.loading import KnowledgeBase

_WRITTEN = re.compile(
    r"(?<![\da-zA-Z-])(?:\+?86[- ]?)?"
    r"(?P<number>1[3-9]\d[- ]?\d{4}[- ]?\d{4}|[48]00-?\d{3}-?\d{4}"
    r"|(?:\(?(?P<area>0\d{2,3})\)?[- ]?)?[2-9]\d{6,7})"
    r"(?![\d-]*\d)"
)
_DAY = re.compile(r"^(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])$")
_DIRECTORY = 3  # numbers from which an entry only lists what others are about
_ORDER = ("contact", "channel", "service", "definition")


@dataclass(frozen=True)
class Written:
    """A number as it stands in a text.

    Attributes:
        digits: Without area code and signs.
        area: The area code, if written.
        rest: The text without the number.
    """

    digits: str
    area: str | None
    rest: str


@dataclass(frozen=True)
class Owner:
    """Whose a number is: the entry that states it and the name it is stated under."""

    entry: Entry
    name: str


def written_in(text: str) -> Written | None:
    """Returns the first number in a text that can be a telephone number; a date of eight digits is none."""
    folded = unicodedata.normalize("NFKC", text)
    for match in _WRITTEN.finditer(folded):
        area = match["area"]
        digits = re.sub(r"\D", "", match["number"])
        if area:
            digits = digits.removeprefix(area)
        elif _DAY.match(digits):
            continue
        return Written(digits, area, f"{folded[: match.start()]} {folded[match.end() :]}".strip())
    return None


class PhoneBook:
    """All numbers that the entries state, with their owners.

    Args:
        base: The knowledge base; the hotlines of its jurisdictions come first among several owners.
    """

    def __init__(self, base: KnowledgeBase) -> None:
        hotlines = {item.hotline for item in base.jurisdictions.values() if item.hotline}
        self._owners: dict[str, list[tuple[str | None, Owner]]] = {}
        for entry in sorted(base.entries.values(), key=lambda entry: _rank(entry, hotlines)):
            for written, name in _stated(entry):
                self._owners.setdefault(written.digits, []).append((written.area, Owner(entry, name)))

    def owners(self, written: Written) -> list[Owner]:
        """Returns whose a number is, the likeliest first; an area code must agree where both have one."""
        return [
            owner
            for area, owner in self._owners.get(written.digits, ())
            if not area or not written.area or area == written.area
        ]


def _rank(entry: Entry, hotlines: set[str]) -> tuple[bool, bool, int, str]:
    place = _ORDER.index(entry.kind) if entry.kind in _ORDER else len(_ORDER)
    return entry.id not in hotlines, len(entry.facts.phone) > _DIRECTORY, place, entry.id


def _stated(entry: Entry) -> Iterator[tuple[Written, str]]:
    for phone in entry.facts.phone:
        written = written_in(phone.number)
        if written is not None:
            yield written, phone.name or entry.title
