"""Tells several problems in one message apart from one problem that needs several departments.

One enterprise with several problems has each of them filed by itself (《杭州市钱塘区企业问题办理“全流程”闭环机制》
一、问题收集（八）). The split is careful: a message is cut only where its writer counts the problems, or begins a
new one in so many words and the new one belongs to another department. Every character of the message stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

_DIGITS: Final = "一二三四五六七八九十"
_MIN_LENGTH: Final = 5
_MAX_PARTS: Final = 20

_MARK: Final = re.compile(
    r"(?:^|(?<=[\n。；;，,！!？?：: ]))\s*"
    r"(?:第(?P<ordinal>[一二三四五六七八九十])(?:个问题|件事|点|条|项|个|件|是|，|,|、|：|:)"
    r"|(?P<first>首先)|(?P<second>其次|第二)|(?P<third>再次|最后)"
    r"|(?P<hanzi>[一二三四五六七八九十])(?:是|、|\.|．|，(?=[^年月日天个]))"
    r"|[（(](?P<bracket>[一二三四五六七八九十]|\d{1,2})[)）]"
    r"|(?P<number>\d{1,2})(?:[、．)）]|[.:：](?!\d))"
    r"|(?P<circle>[①②③④⑤⑥⑦⑧⑨⑩]))"
)
_NEXT: Final = re.compile(
    r"(?:(?<=[\n。；;，,！!？?])|^)\s*(?:另外|此外|除此之外|再一个|再者|再就是|另一个问题|另有一事|顺便(?:再)?(?:问|反映|说|提)"
    r"|还有(?:一|个|件|就是|一件事|一个问题|，|,)|还(?:想|要)(?:再)?(?:反映|问|咨询|说)|同时(?:还)?(?:反映|想问|咨询)"
    r"|再(?:问|反映|说|提)(?:一|个|下)|对了[，,]|其他(?:问题|的)[，,：:]|以及另外)"
)


@dataclass(frozen=True)
class Subject:
    """What a part of a message is about.

    Attributes:
        topic: Id of the topic.
        department: Id of the topic's lead department.
    """

    topic: str
    department: str


def split(text: str, subject_of: Callable[[str], Subject | None] | None = None) -> list[str]:
    """Cut a message into the separate problems that it holds.

    Args:
        text: The message.
        subject_of: What a part is about, None if nothing is known. Without it only counted problems are cut.

    Returns:
        The parts in order, at least one; joined they are the message again but for blanks at the cuts.
    """
    counted = _cut(text, _counted_marks(text))
    if len(counted) > 1:
        merged = _merge(counted, subject_of, need_other_department=False)
        if len(merged) > 1 or subject_of is None:
            return merged
    if subject_of is None:
        return [text.strip()]
    return _merge(_cut(text, [match.start() for match in _NEXT.finditer(text)]), subject_of, need_other_department=True)


def _counted_marks(text: str) -> list[int]:
    """Where the items of a count one, two, three … begin; empty if the message does not count."""
    starts: list[int] = []
    expected = 1
    for match in _MARK.finditer(text):
        value = _value(match)
        if value == expected:
            starts.append(match.start())
            expected += 1
        elif value == 1:
            starts, expected = [match.start()], 2
    return starts if len(starts) > 1 else []


def _value(match: re.Match[str]) -> int:
    for position, name in enumerate(("first", "second", "third"), 1):
        if match[name]:
            return position
    if match["circle"]:
        return "①②③④⑤⑥⑦⑧⑨⑩".index(match["circle"]) + 1
    word = match["ordinal"] or match["hanzi"] or match["bracket"] or match["number"]
    return int(word) if word.isdecimal() else _DIGITS.index(word) + 1


def _cut(text: str, starts: Sequence[int]) -> list[str]:
    """The slices between the starts; what stands before the first goes with the first counted item."""
    inner = [start for start in starts if text[:start].strip()]
    if len(starts) > 1 and starts[0] in inner and _is_introduction(text[: starts[0]]):
        inner = inner[1:]
    bounds = [0, *inner, len(text)]
    parts = [text[start:end].strip() for start, end in zip(bounds, bounds[1:], strict=False)]
    return [part for part in parts if part][:_MAX_PARTS] if len(parts) <= _MAX_PARTS else [text.strip()]


def _is_introduction(before: str) -> bool:
    """Whether the words before a count only introduce it (“我公司有两个问题：”)."""
    return len(before.strip()) < 25 or before.rstrip()[-1:] in "：:"


def _merge(
    parts: list[str], subject_of: Callable[[str], Subject | None] | None, *, need_other_department: bool
) -> list[str]:
    """Join a part to the one before it where it tells of nothing new."""
    if len(parts) < 2:
        return parts or [""]
    merged: list[str] = [parts[0]]
    known = [subject_of(parts[0])] if subject_of else [None]
    for part in parts[1:]:
        subject = subject_of(part) if subject_of else None
        before = known[-1]
        if subject_of is None:
            new = len(part) >= _MIN_LENGTH
        elif subject is None:
            new = False
        elif before is None:
            new = not need_other_department
        elif need_other_department:
            new = subject.department not in {item.department for item in known if item}
        else:
            new = subject.topic not in {item.topic for item in known if item}
        if new:
            merged.append(part)
            known.append(subject)
        else:
            merged[-1] = f"{merged[-1]}{part}" if merged[-1][-1:] in "。；;，,！!？?：:" else f"{merged[-1]} {part}"
            known[-1] = before or subject
    return merged
