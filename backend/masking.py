"""Takes personal data out of what people write, before it is kept for statistics or leaves the house.

Appeals keep what an enterprise filed, for those who handle it. Everything else (questions without an answer,
what an outside model is asked) goes through here first. Numbers are found by their form; names only where a
person says that it is one, since a word alone does not show it.
"""

from __future__ import annotations

import re
import unicodedata

_GAP = r"[\s\-_.·]{0,3}"
# Longest first: an identity number holds what looks like a telephone number.
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,120}\.[A-Za-z]{2,10}"), "[邮箱]"),
    (re.compile(rf"(?<!\d)[1-9](?:{_GAP}\d){{16}}{_GAP}[\dXx](?![\dA-Za-z])"), "[证件号]"),
    (re.compile(r"(?<![0-9A-Za-z])[159Y][1239]\d{6}[0-9A-HJ-NPQRTUWXY]{10}(?![0-9A-Za-z])"), "[信用代码]"),
    (re.compile(rf"(?<!\d)[3-6](?:{_GAP}\d){{14,18}}(?!\d)"), "[卡号]"),
    (re.compile(rf"(?<!\d)(?:\+?86{_GAP})?1{_GAP}[3-9](?:{_GAP}\d){{9}}(?!\d)"), "[手机号]"),
    (re.compile(r"(?<!\d)0\d{2,3}[\s-]{0,2}[2-9]\d{6,7}(?!\d)"), "[电话]"),
    (
        re.compile(r"(?<![0-9A-Za-z])[2-9]\d{6,7}(?!\d|-\d|元|万|亿|个|人|家|年|号|平|吨|米)"),
        "[电话]",
    ),
    (
        re.compile(
            r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][\s·]?[A-HJ-NP-Z0-9]{5,6}(?![A-Z0-9])"
        ),
        "[车牌]",
    ),
    (
        re.compile(
            r"(?P<said>(?:微信号?|微信|qq号?|QQ号?|wx|vx|VX|WX)\s*(?:是|为|[:：])?\s*)[A-Za-z0-9_-]{5,20}(?![A-Za-z0-9])"
        ),
        r"\g<said>[账号]",
    ),
    (
        re.compile(
            r"(?P<said>我(?:叫|是)|姓名(?:是|为|[:：])?|联系人(?:是|为|[:：])?|本人|名字(?:叫|是)|法人(?:代表)?(?:是|叫|[:：])?)"
            r"(?P<name>[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石"
            r"廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤][\u4e00-\u9fff]{1,2})"
            r"(?=[,，。.;；、\s!！?？]|$|电话|手机|联系)"
        ),
        r"\g<said>[姓名]",
    ),
)


def mask(text: str) -> str:
    """Returns a text with telephone, identity, card and account numbers, plates and told names replaced.

    Args:
        text: As written; full-width digits count as digits.

    Returns:
        The text with words such as ``[手机号]`` in place of what was found. Idempotent.
    """
    text = unicodedata.normalize("NFKC", text)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


_TITLES = (
    "女士|先生|小姐|老师|师傅|经理|总监|总|老板|主任|厂长|店长|会计|工程师|工|姐|哥|阿姨|叔叔|大姐|大哥|同志"
)
_TWO_SYLLABLES = frozenset(
    ("欧阳", "上官", "司马", "诸葛", "东方", "皇甫", "尉迟", "公孙", "令狐", "慕容", "司徒", "夏侯", "端木")
)
_LEGAL_FORM = r"(?:[\s()（）]*(?:股份)?(?:有限)?(?:责任)?公司|[\s()（）]*厂)?"
_PLACE = re.compile(r"^(?:中国|浙江省?|杭州市?|钱塘新?区?)+")
_LEAST_NAMED = 3
_LEAST_DIGITS = 6
_SIGNS = re.compile(r"[\W_]+")


def mask_sender(text: str, *, contact: str, phone: str, enterprise: str) -> str:
    """Returns a text with what `mask` finds, and with its sender, replaced.

    Args:
        text: As written.
        contact: The person's name; ``王女士`` for a 王芳 is found too.
        phone: Digits of the telephone, however they are parted in the text.
        enterprise: The enterprise's name; without place and legal form it is found too.

    Returns:
        The text with ``[姓名]``, ``[电话]`` and ``[企业]`` in place of what was found; empty where the name,
        the number or the enterprise is still to be read when signs and blanks do not count.
    """
    found = mask(text)
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", phone))
    if len(digits) >= _LEAST_DIGITS:
        found = re.sub(r"[\s\-_.·]{0,3}".join(digits), "[电话]", found)
    names = _names_of(enterprise)
    for name in names:
        found = re.sub(_spaced(name) + _LEGAL_FORM, "[企业]", found, flags=re.IGNORECASE)
    person = _bare(contact)
    if len(person) > 1:
        found = re.sub(_spaced(person), "[姓名]", found, flags=re.IGNORECASE)
    if person and "\u4e00" <= person[0] <= "\u9fff":
        family = person[:2] if person[:2] in _TWO_SYLLABLES else person[0]
        found = re.sub(rf"{family}\s?(?:{_TITLES})(?![\u4e00-\u9fff]*公司)", "[姓名]", found)
    left = _bare(found)
    wanted = (
        *names,
        *([person] if len(person) > 1 else ()),
        *([digits] if len(digits) >= _LEAST_DIGITS else ()),
    )
    return "" if any(one in left for one in wanted) else found


def _bare(text: str) -> str:
    return _SIGNS.sub("", unicodedata.normalize("NFKC", text)).lower()


def _spaced(word: str) -> str:
    return r"[\s()·・.\-]{0,2}".join(map(re.escape, word))


def _names_of(enterprise: str) -> tuple[str, ...]:
    """An enterprise's name without its legal form, and without its place if enough is left, longest first."""
    whole = _bare(enterprise)
    short = re.sub(r"(?:股份)?(?:有限)?(?:责任)?公司$", "", whole) or whole
    placeless = _PLACE.sub("", short)
    named = (short, placeless) if len(placeless) >= _LEAST_NAMED else (short,)
    return tuple(dict.fromkeys(one for one in named if len(one) > 1))
