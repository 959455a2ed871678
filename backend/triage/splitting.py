"""Tells several problems in one message apart from one problem that needs several departments.

One enterprise with several problems has each of them filed by itself (《企业问题办理“全流程”闭环机制》
一、问题收集（八）). The split is careful. A message is cut where its writer counts the problems, announces
several, or begins a new one in so many words, and the new one belongs to another department. Where nothing
announces it, only a new sentence is cut off that is plainly of another board and department, tells of no harm
that the problem before may have done nor of what others said, and does not lean on what went before. Where
a judge has learnt from joined appeals (`boundaries`), it decides about all but counted problems, and what the
rules say is one of its grounds. Every character stays.
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
_MIN_SENTENCE: Final = 8
_MAX_PARTS: Final = 20
_MAX_SENTENCES: Final = 40
_STOPS: Final = "。；;，,！!？?：:"
_INTRODUCTION: Final = 40

_MARK: Final = re.compile(
    r"(?:^|(?<=[\n。；;，,！!？?：: ]))\s{0,8}"
    r"(?:第(?P<ordinal>[一二三四五六七八九十])(?:个问题|件事|点|条|项|个|件|是|，|,|、|：|:)"
    r"|(?P<hanzi>[一二三四五六七八九十])(?:是|、|\.|．|，(?=[^年月日天个]))"
    r"|[（(](?P<bracket>[一二三四五六七八九十]|\d{1,2})[)）]"
    r"|(?P<number>\d{1,2})(?:[、．)）]|[.:：](?!\d))"
    r"|(?P<circle>[" + _CIRCLES + r"]))"
)
_SPOKEN_MARK: Final = re.compile(
    r"第(?P<ordinal>[一二三四五六七八九十])(?![一二三四五六七八九十\d次年季天台批期轮遍方笔代家人届稿版产大名时医人志任胎])"
)
_ONE_AND_ONE: Final = re.compile(r"(?:一个|一件|一桩)(?:就是|是(?!不)|呢)")
_LISTED: Final = re.compile(r"(?<=[\n。；;，,！!？?])\s{0,8}(?:还有(?!没|人|谁|什么|哪|几|多)|以及)")
_NEXT: Final = re.compile(
    r"(?:(?<=[\n。；;，,！!？?])|^)\s{0,8}(?:另外|此外|除此之外|再一个|再者|再就是|另一个问题|另有一事|另有|"
    r"顺(?:便|带)(?:再)?(?:问|反映|说|提|咨询)|还有(?:一|个|件|就是|一件事|一个问题|，|,)|"
    r"(?:我们|我司|公司|本公司)?还(?:想|要)(?:再)?(?:反映|问|咨询|说|了解)|同时(?:还|也)?(?:想)?(?:再)?(?:反映|问|咨询|了解)|"
    r"再(?:问|反映|说|提)(?:一|个|下)|对了[，,]|其他(?:问题|的)[，,：:]|以及另外|"
    r"(?:主要|这次|今天|本次)(?:还)?(?:是)?想(?:反映|问|咨询|说)|还有我们|然后我们|我(?:司|们|公司)(?:另有|另外))"
)
_SPOKEN_NEXT: Final = re.compile(
    r"(?:然后)?还有就是|然后还有|另外就是|另外还有(?:一个|一件)|再就是|再一个就是|(?:还有|另外)一(?:个|件)(?:就是|事|问题|情况)|然后就是另外"
)
_ANNOUNCED: Final = re.compile(r"[两二三四五六几\d](?:个|件|点|条|桩|样)(?:事情|事|问题|情况|诉求|困难|难题)")
_ANNOUNCED_WITHIN: Final = 26
_CLAUSE: Final = re.compile(r"[\n。；;，,！!？?：:]+")
_SENTENCE: Final = re.compile(r"[\n。；;！!？?]+")
_LEANS: Final = re.compile(
    r"^\s*(?:所以|导致|因此|结果|就是因为|影响|害|因为|于是|但|可是|可现在|而|他|她|它|这|那|才|就|连|又|甚至|都|让|使|要求|希望|请|麻烦|求|"
    r"恳请|盼|望|如果|要是|否则|不然|否|谢|以上|为此|目前|现在|之后|后来|随后|最后|当时|其中|其|不仅|并|且|也|已|虽|只|到|每|谁|凭|为什么|怎么|为何|急|同样)"
)
_SAID: Final = re.compile(r"[说讲]")
_MOST_SAID: Final = 2
_HARM: Final = re.compile(
    r"损失|违约|索赔|报废|停产|停工|工资|交期|订单|客户|退单|赔|倒闭|交货|发货|成本|资金|周转|受伤|摔|说|讲|推|派给|答复|回复"
)


@dataclass(frozen=True)
class Subject:
    """What a part of a message is about.

    Attributes:
        topic: Id of the topic.
        department: Id of the topic's lead department.
        clear: Whether the part says so plainly enough to stand by itself.
        board: Board of the topic.
        plain: Whether it says so in several words, so that it is clear even where nothing announces it.
    """

    topic: str
    department: str
    clear: bool = True
    board: str = ""
    plain: bool = False


SubjectOf = Callable[[str], Subject | None]
Judged = Callable[[str, list[str]], list[str] | None]
"""A message and its parts by the rules → the parts that are learnt to be right, None if unknown."""


def split(text: str, subject_of: SubjectOf | None = None, judged: Judged | None = None) -> list[str]:
    """Cut a message into the separate problems that it holds.

    Args:
        text: The message.
        subject_of: What a part is about, None if nothing is known. Without it only counted problems are cut.
        judged: What has been learnt about cuts, None for the rules alone.

    Returns:
        The parts in order, at least one; joined they are the message again but for blanks at the cuts.
    """
    marks = _counted_marks(text, _MARK)
    # A long story before the count is the problem itself, and what is counted are its grounds.
    counted = _cut(text, marks) if marks and _is_introduction(text[: marks[0]]) else []
    if len(counted) > 1:
        merged = _merge(counted, subject_of, by_department=False)
        if len(merged) > 1 or subject_of is None:
            return merged
    if subject_of is None:
        return [text.strip()]
    for starts in (_counted_marks(text, _SPOKEN_MARK), _one_and_one(text)):
        if starts and _is_introduction(text[: starts[0]]):
            merged = _merge(_cut(text, starts), subject_of, by_department=False)
            if len(merged) > 1:
                return merged
    parts = _by_words(text, subject_of)
    if judged is None:
        return parts
    found = judged(text, parts)
    # who announces several matters, or joins three of them, counts them
    counts = _announces(text) or len(_LISTED.findall(text)) > 1
    if found is None or (counts and len(found) < len(parts)):
        return parts
    return found


def _by_words(text: str, subject_of: SubjectOf) -> list[str]:
    """Cut where words begin something new, or where a sentence plainly is about another matter."""
    begun = {match.start() for match in _NEXT.finditer(text)}
    begun |= {match.start() for match in _SPOKEN_NEXT.finditer(text)}
    listed = {match.start() for match in _LISTED.finditer(text)}
    # Who joins three or more things counts them, as with figures.
    if len(listed) > 1:
        begun |= listed
    elif listed:
        # one 还有 alone may go on with the same problem, so what follows must be plainly another
        parts = _merge(_cut(text, sorted(listed)), subject_of, by_department=True, plainly=True)
        begun |= listed if len(parts) > 1 else set()
    parts = _merge(_cut(text, sorted(begun), introduced=False), subject_of, by_department=len(listed) < 2)
    if _announces(text):
        several = _merge(_cut(text, _after(_CLAUSE, text)), subject_of, by_department=False)
        if len(several) > len(parts):
            return several
    return [piece for part in parts for piece in _sentences(part, subject_of)]


def _counted_marks(text: str, mark: re.Pattern[str]) -> list[int]:
    """Where the items of a count one, two, three … begin; empty if the message does not count."""
    starts: list[int] = []
    expected = 1
    for match in mark.finditer(text):
        value = _value(match)
        if value == expected:
            starts.append(match.start())
            expected += 1
        elif value == 1:
            starts, expected = [match.start()], 2
    return starts if len(starts) > 1 else []


def _value(match: re.Match[str]) -> int:
    groups = match.groupdict()
    if groups.get("circle"):
        return _CIRCLES.index(groups["circle"]) + 1
    word = next(groups[name] for name in ("ordinal", "hanzi", "bracket", "number") if groups.get(name))
    return int(word) if word.isdecimal() else _DIGITS.index(word) + 1


def _one_and_one(text: str) -> list[int]:
    """Where the items of “一个是…一个是…” begin."""
    starts = [match.start() for match in _ONE_AND_ONE.finditer(text)]
    return starts if len(starts) > 1 else []


def _announces(text: str) -> bool:
    """Whether the writer says at the start that there are several matters."""
    return bool(_ANNOUNCED.search(text[:_ANNOUNCED_WITHIN]))


def _after(stop: re.Pattern[str], text: str) -> list[int]:
    """Where something follows a stop."""
    return [match.end() for match in stop.finditer(text) if match.end() < len(text)]


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
    parts: list[str], subject_of: SubjectOf | None, *, by_department: bool, plainly: bool = False
) -> list[str]:
    """Join a part to the one before it where it tells of nothing clearly new.

    Args:
        parts: In their order.
        subject_of: What a part is about.
        by_department: A new part must be of another department; else another topic is enough.
        plainly: A new part must also be of another board, and say so in several words.
    """
    if len(parts) < 2:
        return parts or [""]
    if subject_of is None:
        return parts if all(len(part) >= _MIN_LENGTH for part in parts) else ["".join(parts)]
    merged = [parts[0]]
    current = subject_of(parts[0])
    seen = {_told(current, by_department)} if current else set()
    boards = {current.board} if current else set()
    for part in parts[1:]:
        subject = subject_of(part)
        new = bool(current and subject and subject.clear and _told(subject, by_department) not in seen)
        if new and plainly and subject:
            new = subject.plain and subject.board not in boards
        if new:
            merged.append(part)
            current = subject
        else:
            merged[-1] += part if merged[-1][-1] in _STOPS else f" {part}"
            current = current or subject
        if current:
            seen.add(_told(current, by_department))
            boards.add(current.board)
    return merged


def _sentences(part: str, subject_of: SubjectOf) -> list[str]:
    """Cut off sentences that change the matter entirely without a word that says so."""
    starts = _after(_SENTENCE, part)
    # who reports what several have said tells one story
    if not starts or len(starts) > _MAX_SENTENCES or len(_SAID.findall(part)) > _MOST_SAID:
        return [part]
    kept: list[int] = []
    boards: set[str] = set()
    departments: set[str] = set()
    for start, end in pairwise([0, *starts, len(part)]):
        sentence = part[start:end]
        subject = subject_of(sentence)
        if subject is None or not subject.plain:
            continue
        new = subject.board not in boards and subject.department not in departments
        leans = len(sentence) < _MIN_SENTENCE or _LEANS.match(sentence) or _HARM.search(sentence)
        if boards and new and not leans:
            kept.append(start)
        boards.add(subject.board)
        departments.add(subject.department)
    bounds = [0, *kept, len(part)]
    return [piece for start, end in pairwise(bounds) if (piece := part[start:end].strip())] or [part]


def _told(subject: Subject, by_department: bool) -> str:
    return subject.department if by_department else subject.topic
