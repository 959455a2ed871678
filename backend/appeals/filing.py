"""Checks what an enterprise sends in, and tidies it.

Refusals name the field and what is expected, and never repeat what was sent. HTML, SQL and emoji are plain
text here: they are kept as they are, and only shown escaped.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import astuple, replace
from datetime import date

from backend.appeals.model import Filing
from backend.appeals.ports import Directory
from backend.errors import InvalidInput
from backend.text import clean

MAX_TEXT = 5000
MIN_TEXT = 4
MAX_KEY = 200

_MOBILE = re.compile(r"^(?:\+?86-?)?(1[3-9]\d)-?(\d{4})-?(\d{4})$")
_LANDLINE = re.compile(
    r"^(?:(?:\+?86-?)?(010|02\d|0[3-9]\d{2})-?)?([2-9]\d{2,3})-?(\d{4})(?:(?:-|转|ext\.?)(\d{1,6}))?$",
    re.IGNORECASE,
)
_CHANNEL = re.compile(r"^[\w\-·.]{1,40}$")
_DIRECT = frozenset({"direct", "direct_line", "direct-line", "直通车", "书记区长直通车"})


def meaningful(text: str) -> int:
    """How many letters, digits and Chinese characters a text has."""
    return sum(sign.isalnum() for sign in text)


def _is_date(digits: str) -> bool:
    try:
        year = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).year
    except ValueError:
        return False
    return 1900 <= year <= 2099


def normal_phone(text: str) -> str | None:
    """A phone number in its one stored form; None if it cannot be one.

    Mobile numbers have 11 digits; a landline is seven or eight digits with or without area code and extension
    (``0571-88880000-801``). Eight digits that read as a date are a date.
    """
    plain = re.sub(r"[\s()]", "", unicodedata.normalize("NFKC", text).replace("—", "-").replace("–", "-"))
    if not plain.isascii() and "转" not in plain:
        return None
    mobile = _MOBILE.match(plain)
    if mobile:
        return "".join(mobile.groups())
    landline = _LANDLINE.match(plain)
    if not landline:
        return None
    area, head, tail, extension = landline.groups()
    number = head + tail
    if area in ("010",) or (area or "").startswith("02"):
        if len(number) != 8:
            return None
    elif area is None and len(number) == 8 and _is_date(number):
        return None
    return "-".join(part for part in (area, number, extension) if part)


def same_phone(stored: str, given: str) -> bool:
    """Whether a given number is the stored one; an area code that only one of them has is no difference."""
    normal = normal_phone(given)
    if normal is None:
        return False
    if normal == stored:
        return True
    first, second = (re.sub(r"^0\d{2,3}-", "", number) for number in (stored, normal))
    return first == second and (first == stored or second == normal)


def is_direct_line(channel: str) -> bool:
    """Whether a channel is 书记区长直通车."""
    return channel.lower() in _DIRECT


def check_filing(filing: Filing, directory: Directory) -> Filing:
    """Check and tidy a filing.

    Args:
        filing: As sent.
        directory: Knows the territories.

    Returns:
        The same filing, cleaned, with normal phone and the territory's official name.

    Raises:
        InvalidInput: A field cannot be used; ``details["field"]`` names it.
    """
    enterprise = clean(filing.enterprise)
    if not 2 <= len(enterprise) <= 100 or meaningful(enterprise) < 2:
        raise InvalidInput("请填写企业名称，2 到 100 个字。", field="enterprise")
    contact = clean(filing.contact)
    if not 1 <= len(contact) <= 40 or not any(sign.isalpha() for sign in contact):
        raise InvalidInput("请填写联系人姓名，1 到 40 个字。", field="contact")
    phone = normal_phone(clean(filing.phone)) if len(filing.phone) <= 60 else None
    if phone is None:
        raise InvalidInput(
            "联系电话不正确：请填写 11 位手机号码，或者带区号的固定电话。",
            field="phone",
        )
    return replace(
        filing,
        enterprise=enterprise,
        contact=contact,
        phone=phone,
        text=check_text(filing.text, "text", "诉求内容", least=MIN_TEXT),
        territory=check_territory(filing.territory, directory),
        channel=_check_channel(filing.channel),
        idempotency_key=_check_key(filing.idempotency_key),
    )


def check_text(text: str, field: str, name: str, *, least: int = 1, most: int = MAX_TEXT) -> str:
    """Check and tidy a longer text.

    Raises:
        InvalidInput: Too little that means anything, or too long.
    """
    cleaned = clean(text, lines=True)
    if meaningful(cleaned) < least:
        raise InvalidInput(f"请填写{name}，至少 {least} 个字。", field=field)
    if len(cleaned) > most:
        raise InvalidInput(f"{name}太长，请控制在 {most} 个字以内。", field=field)
    return cleaned


def check_territory(territory: str | None, directory: Directory) -> str | None:
    """The official name of a territory; None stays None.

    Raises:
        InvalidInput: There is no such platform or street.
    """
    name = clean(territory or "")
    if not name:
        return None
    official = directory.territory(name)
    if official is None:
        raise InvalidInput("没有找到这个平台或街道，请从列表中选择；不确定时可以不填。", field="territory")
    return official


def check_department(department: str, directory: Directory, field: str) -> str:
    """The official name of a department.

    Raises:
        InvalidInput: There is no such department.
    """
    official = directory.department(clean(department))
    if official is None:
        raise InvalidInput("没有找到这个部门，请使用部门列表中的名称。", field=field)
    return official


def _check_channel(channel: str) -> str:
    cleaned = clean(channel)
    if not _CHANNEL.match(cleaned):
        raise InvalidInput("来源渠道不正确：请使用 1 到 40 个字母、数字或汉字。", field="channel")
    return cleaned


def _check_key(key: str | None) -> str | None:
    if not key:
        return None
    if len(key) > MAX_KEY or clean(key) != key:
        raise InvalidInput(f"idempotency_key 最多 {MAX_KEY} 个可见字符。", field="idempotency_key")
    return key


def fingerprint(filing: Filing) -> str:
    """A hash of a checked filing's content; equal for equal content under the same key."""
    content = json.dumps(astuple(replace(filing, idempotency_key=None)), ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()
