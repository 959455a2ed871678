"""Which department a unit's name means: other names, sections and ways of writing are one and the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backend.knowledge.entries import Department

_BLANKS = re.compile(r"\s+")
_SECTION = r"(?:科|处|股|室|大队|中队|支队|队|中心|所|站|窗口|专窗|柜台|组|部|庭|专班|第.{1,4}分局)"
_PART = re.compile(rf"[-—–·:/]?.{{0,12}}{_SECTION}")
_BRACKETED = re.compile(r"(?<=.)\([^()]*\)$")
# of a name that nobody knows: what the whole department's name ends with, and a section after it
_RANKED = "".join(f"(?<!{rank})" for rank in "区市县省党")
_WHOLE = rf"(?:局|联|院|馆|公司|集团|海关|街道|镇|总工会|{_RANKED}委|{_RANKED}办(?!公室|事处))"
_OF_UNKNOWN = re.compile(rf"(?P<whole>.*{_WHOLE})(?:{_PART.pattern})")
_BETWEEN = re.compile(r"[、,，;；]")


@dataclass(frozen=True)
class Unit:
    """A department as somebody named it.

    Attributes:
        key: The same for every way of naming it.
        name: As named, without the section.
    """

    key: str
    name: str


class Units:
    """Tells departments apart by their names.

    Args:
        departments: Those whose other names are known; others go by the name alone.
        district: The district whose departments they are; its name may stand before theirs.
    """

    def __init__(self, departments: Iterable[Department] = (), district: str = "") -> None:
        self._district = re.compile(rf"^(?:\w{{2,3}}市)?{re.escape(district)}(?=.)") if district else None
        self._official: dict[str, str] = {}
        for department in departments:
            for name in (department.name, *department.aliases):
                self._official.setdefault(_plain(name), department.name)

    def official(self, text: str) -> str | None:
        """The official name for a name or alias; None where no department is called so."""
        return self._official.get(_plain(text))

    def named(self, text: str) -> Iterator[Unit]:
        """The departments that one field names, mostly a single one."""
        parts = [part.strip() for part in _BETWEEN.split(text) if part.strip()]
        return (self._unit(part) for part in parts)

    def _unit(self, name: str) -> Unit:
        plain = _plain(name)
        if known := self.official(plain):
            return Unit(known, name)
        whole = self._whole(plain)
        # a section is cut from the end, so what is left of the name is its beginning
        said = name if whole == plain else _BLANKS.sub("", unicodedata.normalize("NFKC", name))[: len(whole)]
        local = self._district.sub("区", whole) if self._district else whole
        known = self.official(whole) or self.official(local)
        # 住建局 and 区住建局: the district need not be said
        return Unit(known or local.removeprefix("区"), said)

    def _whole(self, plain: str) -> str:
        """A name without its sections, however many."""
        while True:
            shorter = self._without_section(plain)
            if shorter == plain:
                return plain
            plain = shorter

    def _without_section(self, plain: str) -> str:
        if plain in self._official:
            return plain
        for size in range(len(plain) - 1, 1, -1):
            if plain[:size] in self._official and _PART.fullmatch(plain, size):
                return plain[:size]
        open_name = _BRACKETED.sub("", plain)
        if open_name != plain:
            return open_name
        found = _OF_UNKNOWN.fullmatch(plain)
        return found["whole"] if found else plain


def _plain(text: str) -> str:
    return _BLANKS.sub("", unicodedata.normalize("NFKC", text)).casefold()
