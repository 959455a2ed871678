"""Which departments a text names, and whether they are said to speak."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from backend.knowledge.entries import Department
from backend.triage.reading import normal

_ASIDE: Final = r"(?:那边|这边|那里|部门|方面|窗口|的人|的)?(?:又|却|就|则|都|也|还|直接|一直|总)?"
_SAYS: Final = (
    r"(?:说|讲|让|叫|推|要求|回复|答复|表示|称|认为|要(?!求帮)|非要|坚持|不认|不管|不肯|不给|不接|没人|嫌|卡)"
)
_ASKS: Final = re.compile(
    r"(?:请|让|要求|希望|恳请|盼|求|找|烦请|麻烦|能不能让|能不能请|投诉|感谢|多谢|谢谢|表扬|辛苦)(?:一下|到|由|贵|区里|我们|你们|下)?$"
)
_BEFORE: Final = 8
_JOINS: Final = r"(?:、|,|，|和|与|跟|及|以及|还有)"
_JOINED: Final = re.compile(_JOINS)
_ROW_BEFORE: Final = 24
_MOST_ROWS: Final = 8
_ROW_AFTER: Final = 48
_CALLED: Final = r"(?:部门|局|那边|这边|方面|机关)?"
_TOGETHER: Final = (
    r"(?:(?:等)?(?:[两二三四五几多各](?:家|个|方)|部门|单位|几家|一起|联合|共同|联手|同时|都|也都|各自|分别|之间|互相|相互|来回|一道|会同)|"
    r"(?:又|却|则|也|均|都|各|总)?" + _SAYS + r")"
)
_PARTY: Final = re.compile(
    r"(?:(?<=[，,。；;、！!？?：:])|^|(?<=[说讲让推]))(?P<who>[\u4e00-\u9fff]{1,6}?)(?:又|却|则|也|再|都|那边)?"
    r"(?:说|讲|称|让|叫|推|要求|回复|答复|认为|表示)(?!明|法|好的|实话|真的|一下|起)"
)
_OFFICE: Final = re.compile(r"^(?:区|市|钱塘区?)?(?P<stem>[\u4e00-\u9fff]{2,4}?)(?:分局|局|委|公司|集团)$")


@dataclass(frozen=True)
class Named:
    """A department that a text names.

    Attributes:
        department: Its id.
        spoke: Whether it is said to have said, asked or refused something.
        asked: Whether the writer asks, thanks or blames it, so that the matter is its own.
    """

    department: str
    spoke: bool
    asked: bool = False


class Names:
    """Finds departments by name or alias, the longest first.

    Args:
        departments: Those that can be named.
    """

    def __init__(self, departments: Iterable[Department]) -> None:
        names: dict[str, str] = {}
        stems: dict[str, str] = {}
        for department in departments:
            for name in (department.name, *department.aliases):
                names.setdefault(normal(name), department.id)
                match = _OFFICE.match(name)
                if match:
                    stems.setdefault(normal(match["stem"]), department.id)
        self._names = names
        self._stems = {stem: key for stem, key in stems.items() if stem not in names}
        ordered = sorted(names, key=len, reverse=True)
        short = sorted(self._stems, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None
        self._spoken = re.compile(f"({'|'.join(map(re.escape, short))}){_ASIDE}{_SAYS}") if short else None
        self._after = re.compile(_ASIDE + _SAYS)
        either = sorted({*names, *self._stems}, key=len, reverse=True)
        self._either = re.compile("|".join(map(re.escape, either))) if either else None
        every = f"(?:{'|'.join(map(re.escape, either))})"
        # who is told off in a row acts or speaks together; "消防验收、规划核实" are matters and no offices
        self._row = (
            re.compile(
                rf"(?P<row>(?:{every}|[\u4e00-\u9fff]{{2}}){_CALLED}"
                rf"(?:{_JOINS}(?:{every}|[\u4e00-\u9fff]{{2}}){_CALLED}){{1,5}}){_TOGETHER}"
            )
            if either
            else None
        )

    def find(self, text: str) -> list[Named]:
        """Returns the departments named, in order of appearance, each once.

        Args:
            text: A normal text.
        """
        found: dict[str, Named] = {}
        places: dict[str, int] = {}
        for match in self._pattern.finditer(text) if self._pattern else ():
            key = self._names[match.group()]
            spoke = bool(self._after.match(text, match.end()))
            asked = not spoke and bool(_ASKS.search(text[max(0, match.start() - _BEFORE) : match.start()]))
            before = found.get(key, Named(key, spoke=False))
            found[key] = Named(key, before.spoke or spoke, before.asked or asked)
            places.setdefault(key, match.start())
        for match in self._spoken.finditer(text) if self._spoken else ():
            key = self._stems[match.group(1)]
            found[key] = Named(key, spoke=True, asked=found.get(key, Named(key, spoke=True)).asked)
            places[key] = min(places.get(key, match.start()), match.start())
        for match in self._rows(text):
            spoke = bool(self._after.search(match.group()[len(match["row"]) :]))
            for inner in self._either.finditer(match["row"]) if self._either else ():
                key = self._names.get(inner.group()) or self._stems[inner.group()]
                before = found.get(key, Named(key, spoke=False))
                found[key] = Named(key, before.spoke or spoke, before.asked)
                places.setdefault(key, match.start() + inner.start())
        return [found[key] for key in sorted(found, key=lambda key: places[key])]

    def _rows(self, text: str) -> Iterator[re.Match[str]]:
        """Departments told off in a row; looked for only where a name stands next to a joint."""
        past = looked = 0
        for name in self._either.finditer(text) if self._either and self._row else ():
            start, end = name.span()
            joined = _JOINED.search(text, end, end + 4) or _JOINED.search(text, max(0, start - 3), start)
            if start < past or not joined or looked == _MOST_ROWS:
                continue
            looked += 1
            row = self._row and self._row.search(text, max(past, start - _ROW_BEFORE), end + _ROW_AFTER)
            # what stands in the same row need not be looked at again
            past = row.end() if row else end + _ROW_BEFORE
            if row:
                yield row

    def mentioned(self, text: str) -> set[str]:
        """Returns the ids of the departments whose name, alias or short name occurs, even in passing.

        Args:
            text: A normal text.
        """
        found = self._either.findall(text) if self._either else []
        return {self._names.get(name) or self._stems[name] for name in found}


def parties(text: str) -> int:
    """Returns how many different parties, of whatever kind, a normal text reports as saying something."""
    return len({match["who"] for match in _PARTY.finditer(text)})
