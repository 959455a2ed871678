"""Tells several problems in one message apart from one problem that needs several departments.

One enterprise with several problems has each of them filed by itself (《企业问题办理“全流程”闭环机制》
一、问题收集（八）). The split is careful. A message is cut where its writer counts the problems, announces
several, or begins a new one in so many words, and the new one belongs to another department. Where nothing
announces it, only a new sentence is cut off that is plainly of another board and department, tells of no harm
that the problem before may have done nor of what others said, and does not lean on what went before. Where
a judge has learnt from joined appeals (`boundaries`), it decides about all but what is counted or begun in so
many words, and what the rules say is one of its grounds. A part that only greets, signs or complains of no
matter of its own goes with its neighbour. Every character stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
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
_LOOSE: Final = (
    re.compile(rf"(?P<circle>[{_CIRCLES}])"),
    re.compile(r"[（(](?P<bracket>[一二三四五六七八九十]|\d{1,2})[)）]"),
    re.compile(
        r"(?<![\d第.．/至~—a-zA-Z-])(?<!\d[年月])(?P<number>\d{1,2})(?:[、）)]|[.．:：](?!\d))(?!\d{1,2}[、.．条款项号])"
    ),
    re.compile(
        r"(?<![第十百周之统唯万])(?<!星期)(?P<hanzi>[一二三四五六七八九十])(?:是(?![否不])|、|来(?=是|[，,]))"
    ),
    re.compile(r"(?:问题|诉求|事项|困难|事情)(?P<number>[1-9])[：:，,、.．]?"),
    re.compile(r"(?:问题|诉求|事项|困难|事情|其)(?P<hanzi>[一二三四五六七八九])[：:，,、.．是]?"),
)
"""Marks that count wherever they stand, if they count from one without a gap; one kind at a time."""

_BARE_DIGIT: Final = re.compile(
    r"(?<![\d.．第a-zA-Z#＃])(?P<number>[1-9])(?=[\u4e00-\u9fff])(?!路(?![灯面口边]))"
    r"(?![个天年月日号次家人台条楼栋层元块万千百亿米公斤吨点周幢期位名份季届级类度班辆套件股分成倍里岁小多种批趟幼组车])"
)
_LEAST_BARE: Final = 3
_LEAST_ITEM: Final = 3
_LISTS: Final = re.compile(
    r"(?:(?:以下|如下|下列|下面|这|[两二三四五六七八九几\d])(?:几|[两二三四五六七八九\d])?(?:个|项|条|点|方面|件|大)?(?:方面)?(?:的|主要|具体)?"
    r"(?:问题|困难|诉求|难题|难处|事项|事情|事|需求|请求)|"
    r"(?:问题|困难|诉求|难题|难处|事项|需求|请求)(?:主要|具体|汇总|反映|列|罗列)?(?:如下|有|是|包括|在于))[^。！!？?；;]{0,16}[：:，,。]?\s*$"
)
_GROUNDS: Final = re.compile(
    r"(?:理由|原因|依据|影响|要求|建议|措施|希望|事实|表现|情况|经过|后果|危害|请求)[^。！!？?；;]{0,10}[：:，,]?\s*$"
)
_OF_OTHERS: Final = re.compile(
    r"[两二三四五六七八九几\d](?:个|家|次|趟|通|名|位|份|张|种)"
    r"(?:电话|部门|单位|局|窗口|地方|原因|理由|方案|条件|证|人|说法|办法)"
    r"[^。！!？?；;]{0,10}[：:，,]?\s*$"
)
"""A count of calls or offices, not of problems."""

_GENERAL: Final = re.compile(
    r"请问|想问|需要|准备|提供|提交|哪些|什么|怎么样?|如何|多久|多少|几天|时候|何时|在哪里?|哪里|哪个|材料|资料|条件|流程|手续|"
    r"步骤|申报|申请|办理|办|时间|期限|周期|费用|收费|钱|窗口|部门|电话|联系|要求|标准|一般|大概|具体|审批|审核|下来|拿到|发放|"
    r"到账|截止|开始|线上|网上|可以|能|[有是吗呢的了要去到又还带交第点条]|[一二三四五六七八九十]|\d"
)
"""What may be asked of any matter."""

_LEAST_OWN: Final = 2
_LISTS_WITHIN: Final = 48
_FEW_WORDS: Final = 60
_OVER: Final = re.compile(r"[。；;\n]+|[，,\s](?=同时|然后)")
_GOES_ON: Final = re.compile(r"^(?:同时|然后)(?:也|还)?[，,]?")
_DEMANDS: Final = re.compile(
    r"^\W*(?:第?[一二三四五六七八九十\d][、.．，,是)）]?)?\W*(?:要求|希望|恳请|盼|望|因此|所以|导致|为此|以上|请(?!问|教|假)|让(?:他|它|其))"
)
_ASIDE: Final = re.compile(
    r"^\W*(?:然后|另外|此外|还有|以及|同时|再|就是|还|也|要|想|我|对了){0,4}[，,]?(?:再|要|想|需|需要)?(?:这|那(?![边里个])|该|此(?!外)|其(?![次他])|它|他|她|上述|补充|说明|强调|提醒|交代|解释|因为|由于|导致|造成|影响|所以|希望|恳请|请(?!问|教))"
)
_LETTER: Final = 220
"""Characters from which a message is a letter, which tells one story far more often than several."""

_PERSON: Final = (
    r"(?:领导|书记|区长|市长|县长|局长|主任|老师|同志|专员|工作人员|客服|师傅|老板|各位|大家|朋友|部门)"
)
_POLITE: Final = re.compile(
    rf"(?:尊敬|敬爱|亲爱)的[^，,。！!；;：:]{{1,16}}[，,：:！!。]?|[\u4e00-\u9fff]{{0,3}}{_PERSON}们?(?:您|你)?们?好?(?=[，,。！!：:～~\s]|$)|"
    r"(?:您|你)们?好[呀啊]?|大家好|喂|[上中下]午好|早上好|晚上好|打扰了|此致|敬礼|盼复|望回复|(?:非常|十分|衷心|多谢|万分|不胜)?(?:感谢|谢谢|多谢|感激)"
    rf"(?:您|你|了|{_PERSON}|们)*|辛苦(?:了|啦)?|拜托了?|麻烦了|劳烦了|谢谢您?|"
    r"(?:网址|链接|附件|图片|照片|视频|地址|地点|联系人|联系电话|电话|手机|投诉人|举报人|反映人|申请人|落款|日期|时间)[：:][^，,。！!；;\n]{0,40}|"
    r"https?://\S+|www\.\S+|"
    r"\d{2,4}[-年./]\d{1,2}[-月./]\d{1,2}日?(?:[\u4e00-\u9fff*]{2,4}(?=\W*$))?|1\d{2}[\d*]{6,8}"
)
_SAYS_SEVERAL: Final = re.compile(
    r"(?:我|想|要|向|给|跟|和|您|你|们|有|就|来|麻烦|一下|一起|下|说|反映|咨询|请教|问|请|现|主要|这|那|今天|这次){0,9}"
    r"[两二三四五六几\d](?:个|件|点|条|桩|样)(?:事情|事|问题|情况|诉求|困难|难题)(?:麻烦|一起|说|反映|问|咨询|请教|您|你|下|一下|想|要|请|帮忙|看看){0,9}"
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
Judged = Callable[[str, list[str]], list[int] | None]
"""A message and its parts by the rules → where it is learnt to be right to cut it, None if unknown."""


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
    if len(loose := _counted_anywhere(text)) > len(marks):
        marks = loose
    # A long story before the count is the problem itself, and what is counted are its grounds.
    if marks and _is_introduction(text[: marks[0]]):
        found = _items(text, marks, subject_of)
        if len(found) > 1 or subject_of is None:
            return found
    if subject_of is None:
        return [text.strip()]
    for starts in (_counted_marks(text, _SPOKEN_MARK), _one_and_one(text)):
        if starts and _is_introduction(text[: starts[0]]):
            found = _items(text, starts, subject_of)
            if len(found) > 1:
                return found
    ruled = _settled(_by_words(text, subject_of))
    cuts = judged(text, ruled) if judged is not None else None
    if cuts is None:
        return ruled
    begun = _begun(text, subject_of)
    found = _settled(list(_slices(text, _kept(text, cuts, begun, subject_of))))
    # who announces several matters, or joins three of them, counts them
    counts = _announces(text) or len(_LISTED.findall(text)) > 1
    return ruled if counts and len(found) < len(ruled) else found


def _begun(text: str, subject_of: SubjectOf) -> list[int]:
    """Where words begin a matter that is clearly another department's than what went before."""
    if len(_SAID.findall(text)) > _MOST_SAID:
        return []
    places = {
        match.start()
        for words in (_NEXT, _SPOKEN_NEXT, _LISTED)
        for match in words.finditer(text)
        if text[: match.start()].strip()
    }
    found: list[int] = []
    departments: set[str] = set()
    bounds = [0, *sorted(places)[:_MAX_PARTS], len(text)]
    for start, end in pairwise(bounds):
        subject = subject_of(text[start:end])
        if subject is None or not subject.clear:
            continue
        new = departments and subject.department not in departments
        if start and new and not _ASIDE.match(text[start:end]):
            found.append(start)
        departments.add(subject.department)
    return found or _in_few_words(text, subject_of)


def _in_few_words(text: str, subject_of: SubjectOf) -> list[int]:
    """Where a short message goes over to something plainly of another board and department."""
    if len(text) > _FEW_WORDS:
        return []
    found: list[int] = []
    boards: set[str] = set()
    departments: set[str] = set()
    for start, end in pairwise([0, *sorted({match.end() for match in _OVER.finditer(text)}), len(text)]):
        part = _GOES_ON.sub("", text[start:end].strip())
        if len(part) < _MIN_LENGTH:
            continue
        subject = subject_of(part)
        if subject is None or not subject.plain or (start and (_LEANS.match(part) or _HARM.search(part))):
            return []
        if start and subject.board not in boards and subject.department not in departments:
            found.append(start)
        boards.add(subject.board)
        departments.add(subject.department)
    return found


def _kept(text: str, cuts: Sequence[int], begun: Sequence[int], subject_of: SubjectOf) -> list[int]:
    """The cuts that were learnt and those that the words make; of a letter only what is sure."""
    found = sorted({*cuts, *begun})
    if len(text) < _LETTER:
        return found
    sure: list[int] = []
    told: Subject | None = None
    for start, end in pairwise([0, *found, len(text)]):
        subject = subject_of(text[start:end])
        clear = subject is not None and subject.clear
        other = told is not None and subject is not None and subject.department != told.department
        if start in begun or (start and clear and other):
            sure.append(start)
        told = subject if clear else told
    return sure


def _slices(text: str, cuts: Sequence[int]) -> Iterator[str]:
    for start, end in pairwise([0, *cuts, len(text)]):
        if part := text[start:end].strip():
            yield part


def _settled(parts: list[str]) -> list[str]:
    """Joins to its neighbour what only greets, announces, signs or gives an address."""
    if len(parts) < 2:
        return parts
    found: list[str] = []
    ahead = ""
    for part in parts:
        if len(_told_of(part)) < _LEAST_ITEM:
            if found:
                found[-1] = _joined(found[-1], part)
            else:
                ahead = _joined(ahead, part)
        else:
            found.append(_joined(ahead, part))
            ahead = ""
    return found or [ahead]


def _told_of(part: str) -> str:
    """What a part says when its courtesies, signature and announcements are taken away."""
    rest = _SAYS_SEVERAL.sub("", _POLITE.sub("", part))
    return "".join(sign for sign in rest if sign.isalnum())


def _joined(before: str, part: str) -> str:
    if not before:
        return part
    return before + part if before[-1] in _STOPS else f"{before} {part}"


def _by_words(text: str, subject_of: SubjectOf) -> list[str]:
    """Cut where words begin something new, or where a sentence plainly is about another matter."""
    begun = {match.start() for match in _NEXT.finditer(text)}
    begun |= {match.start() for match in _SPOKEN_NEXT.finditer(text)}
    begun = {place for place in begun if not _ASIDE.match(text[place:])}
    listed = {match.start() for match in _LISTED.finditer(text) if not _ASIDE.match(text[match.start() :])}
    # Who joins three or more things counts them, as with figures.
    if len(listed) > 1:
        begun |= listed
    elif listed:
        # one 还有 alone may go on with the same problem, so what follows must be plainly another
        parts = _merge(_cut(text, sorted(listed)), subject_of, by_department=True, plainly=True)
        begun |= listed if len(parts) > 1 else set()
    parts = _merge(_cut(text, sorted(begun), introduced=False), subject_of, by_department=len(listed) < 2)
    if _announces(text):
        clauses = _cut(text, _after(_CLAUSE, text))
        several = _merge(clauses, subject_of, by_department=False)
        if len(several) > _announced(text):
            several = _merge(clauses, subject_of, by_department=True, plainly=True)
        if len(several) > len(parts):
            return several
    # a letter tells one story at length and touches much on its way
    if len(text) >= _LETTER:
        return parts
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


def _counted_anywhere(text: str) -> list[int]:
    """Where the items of a count begin whose marks need no stop before them; the longest such count."""
    best: list[int] = []
    for mark in (*_LOOSE, _BARE_DIGIT):
        starts: list[int] = []
        ends: list[int] = []
        for match in mark.finditer(text):
            if _value(match) != len(starts) + 1 or (not starts and not _begins(text, match)):
                continue
            # an item tells of something; "1、2号楼" does not
            if ends and len(text[ends[-1] : match.start()].strip(_STOPS + " \n")) < _LEAST_ITEM:
                starts, ends = [], []
                break
            starts.append(match.start())
            ends.append(match.end())
        if not ends or len(text[ends[-1] :].strip(_STOPS + " \n")) < _LEAST_ITEM:
            continue
        if len(starts) >= (_LEAST_BARE if mark is _BARE_DIGIT else 2) and len(starts) > len(best):
            best = starts
    return best


def _begins(text: str, match: re.Match[str]) -> bool:
    """Whether a count may begin at a mark: after a stop, or after words that announce it."""
    before = text[: match.start()]
    if not before.strip() or before[-1] in _STOPS or before[-1].isspace():
        return True
    return bool(_LISTS.search(before[-_LISTS_WITHIN:]))


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


def _announced(text: str) -> int:
    """How many matters the writer says there are; any number where that is left open."""
    match = _ANNOUNCED.search(text[:_ANNOUNCED_WITHIN])
    sign = match.group()[0] if match else ""
    if sign in _DIGITS:
        return _DIGITS.index(sign) + 1 if sign else _MAX_PARTS
    return int(sign) if sign.isdecimal() else 2 if sign == "两" else _MAX_PARTS


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
    """Whether the words before a count only introduce it (“我公司有两个问题：”), however long they are."""
    return len(before.strip()) < _INTRODUCTION or bool(_LISTS.search(before[-_LISTS_WITHIN:]))


def _items(text: str, starts: Sequence[int], subject_of: SubjectOf | None) -> list[str]:
    """The counted problems; what introduces them goes with the first.

    An item stands by itself even if nothing is known of it, unless it repeats a topic, only demands, or the
    introduction told of the problem already, so that its grounds are counted.
    """
    parts = _cut(text, starts)
    if len(parts) < 2 or subject_of is None:
        return _merge(parts, subject_of, by_department=False)
    before = text[: starts[0]]
    story = subject_of(before) if len(before.strip()) >= _LEAST_ITEM else None
    if _OF_OTHERS.search(before):
        return _merge(parts, subject_of, by_department=False)
    if _GROUNDS.search(before) and not _LISTS.search(before[-_LISTS_WITHIN:]):
        return _merge(parts, subject_of, by_department=False)
    if story is not None and story.clear and not _LISTS.search(before[-_LISTS_WITHIN:]):
        return _merge(parts, subject_of, by_department=False)
    first = subject_of(text[starts[0] : starts[1]])
    found = [parts[0]]
    topics = {first.topic} if first else set()
    for part in parts[1:]:
        subject = subject_of(part)
        known = subject is not None and subject.clear
        again = subject is not None and known and subject.topic in topics
        own = _GENERAL.sub("", _told_of(part))
        if again or len(own) < _LEAST_OWN or (not known and _DEMANDS.match(part)):
            found[-1] = _joined(found[-1], part)
        else:
            found.append(part)
        if subject is not None:
            topics.add(subject.topic)
    return found


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
            merged[-1] = _joined(merged[-1], part)
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
