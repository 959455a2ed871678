"""Judges whether a retold answer says only what the answer says: the guard in front of a language model.

Pure text rules, on the safe side: whatever is in doubt is not faithful, and then the composed answer goes
out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from backend.knowledge import text

_UNITS = (
    r"(?:个)?(?:工作日|自然日|小时|分钟|钟头|星期|周岁|个月|亿元|万元|亿|万|元|天|日|周|月|年|岁|季度|分|档|级|星|项|家|个|人|名|位|条|次|亩"
    r"|平方米|平米|米|倍|成|折|份|套|枚|楼|幢|号|层|室|%|％)"
)
_NUMBER = re.compile(rf"\d+(?:[.,:/-]\d+)*(?:\s*{_UNITS})?")
_SPOKEN = re.compile(rf"(?:百分之)?[〇零一二两三四五六七八九十百千万亿半]+(?:\s*{_UNITS})")
_LATIN = re.compile(r"[a-zA-Z][a-zA-Z0-9./:_@-]{2,}")
_BODY = re.compile(
    r"[\u4e00-\u9fff]{2}(?=(?:分)?(?:局|委|厅|署|院|部|协会|商会|中心|街道|银行|公司|大厅|窗口|专班|政府|平台))"
)
_NEGATED = re.compile(r"(?:不需要|不用|无需|无须|没有|不能|不得|不可|免|不|未|无|没)([\u4e00-\u9fff]{2})")
_MARKUP = re.compile(r"[*#`<>|\[\]{}〔〕]")
_LONGEST = 1.5  # times the length of what is retold
_NEW = 0.45  # share of pairs of characters that the answer does not have, at most


def _plain(words: str) -> str:
    return re.sub(r"[\s,，]+", "", unicodedata.normalize("NFKC", words)).casefold()


def figures(words: str) -> list[str]:
    """Returns all numbers in a text with their units, in digits or spoken, without blanks."""
    folded = re.sub(r"(?<=\d)[,，](?=\d{3})", "", unicodedata.normalize("NFKC", words))
    return [_plain(match) for match in (*_NUMBER.findall(folded), *_SPOKEN.findall(folded))]


def fault(retold: str, told: str, *, must_keep: Iterable[str] = (), names: Iterable[str] = ()) -> str | None:
    """Returns why a retold answer may not be said; None if it may.

    Args:
        retold: What the model wrote.
        told: Everything that it was given: the composed answer and the entry.
        must_keep: What was asked for, word for word; it must still be there.
        names: Names of units; one that is not in ``told`` must not appear.

    Returns:
        A short English word for the log: what kind of fault it is, never the text.
    """
    if not retold.strip() or len(retold) > _LONGEST * len(told) + 20:
        return "length"
    if _MARKUP.search(retold) or "\ufffd" in retold:
        return "markup"
    whole, said = _plain(told), _plain(retold)
    known = set(figures(told))
    if any(figure not in known for figure in figures(retold)):
        return "figure"
    if any(_plain(word) not in whole for word in _LATIN.findall(unicodedata.normalize("NFKC", retold))):
        return "latin"
    if any(body not in whole for body in _BODY.findall(said)):
        return "unit"
    if any(name in said and name not in whole for name in map(_plain, names) if len(name) >= 2):
        return "unit"
    if any(_plain(part) not in said for part in must_keep):
        return "lost"
    denied, still = _denied(whole), _denied(said)
    if still - denied or any(stem in said for stem in denied - still):
        return "denial"
    pairs = _pairs(said)
    if pairs and len(pairs - _pairs(whole)) > _NEW * len(pairs):
        return "invented"
    return None


def _denied(words: str) -> set[str]:
    """Returns what stands right after a word of denial: what is said not to be."""
    return set(_NEGATED.findall(words))


def _pairs(words: str) -> set[str]:
    grammar = text.words().grammar
    return {
        pair
        for pair in (words[at : at + 2] for at in range(len(words) - 1))
        if all("\u4e00" <= char <= "\u9fff" and char not in grammar for char in pair)
    }
