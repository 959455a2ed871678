"""How triage reads a text: one width, one case, no blanks, and its clauses."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

READ: Final = 1200
"""Characters that are looked at; a longer text has said by then what it is about."""

_RAW: Final = 4 * READ
_BLANKS: Final = re.compile(r"\s+")
_REPEATED: Final = re.compile(r"(.)\1{3,}")
_FIGURES: Final = re.compile(r"(\d{12})\d+")
_CLAUSES: Final = re.compile("[。！!；;，,?？]")
_TAIL: Final = "。！!；;，,. "
_ENDS: Final = "。!;,~"
_LEAST: Final = 3
_MOST_OPENINGS: Final = 5
_ITEM: Final = 8
_MARK: Final = re.compile(
    r"^(?:第[一二三四五六七八九十](?:个问题|件事|[点条项个件]|(?=是|[,、:.]))(?:是|[,、:.])?|其[一二三四五六][,、:.是]|"
    r"[一二三四五六七八九十](?:是(?!否)|来|[、.:])|[(](?:[一二三四五六七八九十]|\d{1,2})[)]|"
    r"(?:问题|诉求|事项)(?:[一二三四五六七八九十]|\d)[、.:,]|\d{1,2}(?:[、)]|[.:](?!\d)))[,、:]?"
)
_CIRCLED: Final = re.compile(r"^\s*[①②③④⑤⑥⑦⑧⑨⑩]")
_PEOPLE: Final = (
    r"(?:领导|书记|区长|市长|县长|局长|主任|老师|同志|专员|工作人员|客服|师傅|老板|朋友|部门|助企员|"
    r"各位|大家|你们|您|你)"
)
_GREETING: Final = re.compile(
    rf"^(?:(?:尊敬|敬爱|亲爱)的[^,。!;]{{1,16}}?[,:!。]|(?:各位|贵|区|市|[\u4e00-\u9fff]{{1,3}})?{_PEOPLE}们?(?:[您你]?们?好|"
    rf"[上中下早晚]午?好)[呀啊哇]?[,:!。~;]?|"
    rf"(?:[您你]们?好|大家好|喂|哈[喽啰]|[上中下]午好|早上好|晚上好|打扰了|打扰一下)[呀啊哇]?[,:!。~;]?(?:{_PEOPLE}们?[,:!。~])?)"
)
_THANKS: Final = re.compile(
    r"^(?:首先|先|在此|再次|一直以来|[我本]?司|我们)?(?:要|想)?(?:表示|向[^,。!;]{1,12})?(?:非常|十分|衷心|真心|真诚|由衷|很|特别|万分)?"
    r"(?:感谢|谢谢|多谢|感恩|点赞|致谢)(?:(?:感谢|谢谢)|[^,。!;帮]{0,16}?(?:支持|关心|关注|关怀|关照|厚爱|帮助|帮扶|重视|指导|付出|百忙|倾听|领导|政府|"
    r"部门|大家|各位|你们|[您你]|营商环境|查阅|阅读|抽空)[^,。!;]{0,14}?)?[,。!;]+(?:不过|但是?|只是|另外|现|同时)?[,:]?"
)
_TOIL: Final = re.compile(
    rf"^(?:{_PEOPLE}{{0,3}}(?:都|真是|真的)?辛苦(?:啦|了)?{_PEOPLE}{{0,2}}|有劳(?:{_PEOPLE})?了?)[,。!;~]+"
)
_LIST: Final = re.compile(
    r"^.{0,400}?(?:(?:以下|如下|下列|下面)(?:[几两二三四五六七八九\d]?[个项条点])?(?:主要|具体)?(?:问题|困难|诉求|难题|事项|需求)|"
    r"(?:问题|困难|诉求|难题|事项|需求)(?:如下|有))[^。!?;:]{0,16}:(?=(?:[(]?\d{1,2}[)、.]|[一二三四五][、是]|第[一二三]))"
)
"""What introduces a list; the item after it tells of its own matter."""

_CLOSING: Final = re.compile(
    rf"(?<=[,。!;?~])(?:在此|先|非常|十分|万分|不胜|特此)?(?:谢谢|多谢|感谢|感激|辛苦|拜托|麻烦|劳烦|盼复|望复|望回复|此致敬礼|此致|敬礼|顺祝商祺|"
    rf"期待(?:您的)?回复)(?:{_PEOPLE}|了|啦|不尽){{0,3}}[,。!;~]*$"
)


def normal(text: str) -> str:
    """Returns the text as it is compared: folded width and case, no blanks, no endless repetition.

    Args:
        text: As it was written.

    Returns:
        At most `READ` characters; of a character repeated endlessly three stay, of a figure twelve digits.
    """
    # characters that unfold into many ("﷽") must not make a short text long
    folded = unicodedata.normalize("NFKC", text[:_RAW])[:_RAW].lower()
    return _FIGURES.sub(r"\1", _REPEATED.sub(r"\1\1\1", _BLANKS.sub("", folded)))[:READ]


def marked(text: str) -> str:
    """Returns a part of a message without the mark or number that counts it.

    Args:
        text: As it was written.
    """
    return _CIRCLED.sub("", text, count=1)


def bare(text: str) -> str:
    """Returns a normal text without its item's number, greetings, general thanks before and courtesies after.

    They say nothing of the matter, and whoever is polite must be read like whoever is not.

    Args:
        text: A normal text.

    Returns:
        The text itself where little would remain.
    """
    found = text
    after = _LIST.sub("", found, count=1)
    if len(after) >= _ITEM:
        found = after
    for _ in range(_MOST_OPENINGS):
        before = found
        for opening in (_MARK, _GREETING, _THANKS, _TOIL):
            found = opening.sub("", found, count=1)
        if found == before:
            break
    for _ in range(_MOST_OPENINGS):
        before, found = found, _CLOSING.sub("", found, count=1)
        if found == before:
            break
    found = found.rstrip(_ENDS)
    return found if len(found) >= _LEAST else text


def clauses(text: str) -> list[str]:
    """Returns the clauses of a normal text, from one stop to the next."""
    return [clause for clause in _CLAUSES.split(text) if clause]


def last_clause(text: str) -> str:
    """Returns what a normal text says last, where the point of it often stands."""
    return _CLAUSES.split(text.rstrip(_TAIL))[-1]
