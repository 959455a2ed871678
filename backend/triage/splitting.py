"""Tells several problems in one message apart from one problem that needs several departments.

One enterprise with several problems has each of them filed by itself (《企业问题办理“全流程”闭环机制》
一、问题收集（八）). The split is careful: a message is cut only where its writer counts the problems, or
begins a new one in so many words and the new one belongs to another department. Every character stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

_DIGITS: Final = "一二三四五六七八九十"
_CIRCLES: Final = "①②③④⑤⑥⑦⑧⑨⑩"
_MIN_LENGTH: Final = 5
_MAX_PARTS: Final = 20
_STOPS: Final = "。；;，,！!？?：:"
_INTRODUCTION: Final = 40

_MARK: Final = re.compile(
    r"(?:^|(?<=[\n。；;，,！!？?：: ]))\s*"
    r"(?:第(?P<ordinal>[一二三四五六七八九十])(?:个问题|件事|点|条|项|个|件|是|，|,|、|：|:)"
    r"|(?P<hanzi>[一二三四五六七八九十])(?:是|、|\.|．|，(?=[^年月日天个]))"
    r"|[（(](?P<bracket>[一二三四五六七八九十]|\d{1,2})[)）]"
    r"|(?P<number>\d{1,2})(?:[、．)）]|[.:：](?!\d))"
    r"|(?P<circle>[" + _CIRCLES + r"]))"
)
_LISTED: Final = re.compile(r"(?<=[\n。；;，,！!？?])\s*(?:还有(?!没|人|谁|什么|哪|几|多)|以及)")
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
        clear: Whether the part says so plainly enough to stand by itself.
    """

    topic: str
    department: str
    clear: bool = True


def split(text: str, subject_of: Callable[[str], Subject | None] | None = None) -> list[str]:
    """Cut a message into the separate problems that it holds.

    Args:
        text: The message.
        subject_of: What a part is about, None if nothing is known. Without it only counted problems are cut.

    Returns:
        The parts in order, at least one; joined they are the message again but for blanks at the cuts.
    """
    marks = _counted_marks(text)
    # A long story before the count is the problem itself, and what is counted are its grounds.
    counted = _cut(text, marks) if marks and _is_introduction(text[: marks[0]]) else []
    if len(counted) > 1:
        merged = _merge(counted, subject_of, need_other_department=False)
        if len(merged) > 1 or subject_of is None:
            return merged
    if subject_of is None:
        return [text.strip()]
    begun = {match.start() for match in _NEXT.finditer(text)}
    listed = {match.start() for match in _LISTED.finditer(text)}
    # Who joins three or more things counts them, as with figures.
    if len(listed) > 1:
        begun |= listed
    parts = _cut(text, sorted(begun), introduced=False)
    return _merge(parts, subject_of, need_other_department=len(listed) < 2)


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
    if match["circle"]:
        return _CIRCLES.index(match["circle"]) + 1
    word = match["ordinal"] or match["hanzi"] or match["bracket"] or match["number"]
    return int(word) if word.isdecimal() else _DIGITS.index(word) + 1


def _cut(text: str, starts: Sequence[int], *, introduced: bool = True) -> list[str]:
    """The slices between the starts; what introduces a count goes with its first item."""
    inner = [start for start in starts if text[:start].strip()]
    if introduced and len(starts) > 1 and starts[0] in inner and _is_introduction(text[: starts[0]]):
        inner = inner[1:]
    bounds = [0, *inner, len(text)]
    parts = [part for start, end in pairwise(bounds) if (part := text[start:end].strip())]
    return parts if len(parts) <= _MAX_PARTS else [text.strip()]


def _is_introduction(before: str) -> bool:
    """Whether the words before a count only introduce it (“我公司有两个问题：”)."""
    return len(before.strip()) < _INTRODUCTION


def _merge(
    parts: list[str], subject_of: Callable[[str], Subject | None] | None, *, need_other_department: bool
) -> list[str]:
    """Join a part to the one before it where it tells of nothing clearly new."""
    if len(parts) < 2:
        return parts or [""]
    if subject_of is None:
        return parts if all(len(part) >= _MIN_LENGTH for part in parts) else ["".join(parts)]
    merged = [parts[0]]
    current = subject_of(parts[0])
    seen = {_told(current, need_other_department)} if current else set()
    for part in parts[1:]:
        subject = subject_of(part)
        if current and subject and subject.clear and _told(subject, need_other_department) not in seen:
            merged.append(part)
            current = subject
        else:
            merged[-1] += part if merged[-1][-1] in _STOPS else f" {part}"
            current = current or subject
        if current:
            seen.add(_told(current, need_other_department))
    return merged


def _told(subject: Subject, by_department: bool) -> str:
    return subject.department if by_department else subject.topic
