"""What the inputs of the calculators share, and how a wrong one is explained."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from backend.appeals.calendar import local
from backend.errors import InvalidInput

_WEEKDAYS = "一二三四五六日"
_MOMENT = "应写成带时区的时间，例如 2026-11-21T09:00:00+08:00"
_INTEGER = re.compile(r"-?[0-9]{1,30}")
_FIGURE = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_SENTENCES = {
    "bool_parsing": "应为 true 或 false",
    "bool_type": "应为 true 或 false",
    "decimal_max_digits": "位数太多，最多 {max_digits} 位",
    "decimal_max_places": "小数位太多，最多 {decimal_places} 位",
    "decimal_parsing": "应为数字",
    "decimal_type": "应为数字",
    "decimal_whole_digits": "数字太大",
    "finite_number": "应为数字",
    "greater_than_equal": "不能小于 {ge}",
    "int_from_float": "应为整数",
    "int_parsing": "应为整数",
    "int_parsing_size": "数字太大",
    "int_type": "应为整数",
    "less_than_equal": "不能大于 {le}",
    "list_type": "应为一个列表",
    "string_too_long": "太长，最多 {max_length} 个字",
    "string_too_short": "不能为空，至少要有 {min_length} 个字",
    "string_type": "应为文字",
    "string_unicode": "含有无法识别的字符",
    "too_long": "太多，最多 {max_length} 项",
    "too_short": "不能为空，至少要有 {min_length} 项",
    "tuple_type": "应为一项或一个列表",
}
"""What is wrong with a field, by pydantic's kind of error."""


class Input(BaseModel):
    """Refuses fields that it does not know, because a misspelt one must not be overlooked."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def _written(value: Any) -> Any:
    """Only text is a moment: a bare number could be seconds or milliseconds."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("moment", _MOMENT)
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        raise PydanticCustomError("moment", _MOMENT) from None
    # no zone is off by less than a minute, so such an offset is a slip
    if not value.isascii() or (found.utcoffset() or timedelta()) % timedelta(minutes=1):
        raise PydanticCustomError("moment", _MOMENT)
    return found


def _in_range(value: datetime) -> datetime:
    try:
        return local(value)
    except InvalidInput as error:
        raise PydanticCustomError("moment", "{sentence}", {"sentence": error.message.rstrip("。")}) from None


Moment = Annotated[datetime, BeforeValidator(_written), AfterValidator(_in_range)]
"""An aware moment, turned into the office's time zone."""


def sentence(error: ValidationError) -> tuple[str, str]:
    """The first problem of an input as a sentence, with the field it is about.

    The sentence never repeats what was sent.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    at = ".".join(str(part) for part in first["loc"]) or "input"
    kind, context = first["type"], first.get("ctx", {})
    if kind == "missing":
        return f"缺少 {at}。", at
    if kind == "extra_forbidden":
        return f"不认识 {at} 这个字段。", at
    if "expected" in context:
        return f"{at} 只能是：{str(context['expected']).replace(' or ', '、').replace(', ', '、')}。", at
    if kind in ("moment", "number"):
        return f"{at} {first['msg']}。", at
    if kind in _SENTENCES:
        return f"{at} {_SENTENCES[kind].format_map(context)}。", at
    return f"{at} 的格式不正确。", at


def figure(value: Any) -> Any:
    """A figure as it was written: 98.7 is 98.7, and ``true`` and "1_000" are no figures."""
    if isinstance(value, bool) or (isinstance(value, str) and not _FIGURE.fullmatch(value.strip())):
        raise PydanticCustomError("number", "应为数字")
    return str(value) if isinstance(value, float) else value


def count(value: Any) -> Any:
    """A whole number as it was written; "+1", "1_000" and digits of other scripts are none."""
    if isinstance(value, bool) or (isinstance(value, str) and not _INTEGER.fullmatch(value.strip())):
        raise PydanticCustomError("number", "应为整数")
    return value


def number(value: Decimal) -> int | float:
    """A figure for JSON with at most four decimals; what is whole then is a whole number."""
    rounded = round(value, 4)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def written(moment: datetime) -> str:
    """A moment as the results carry it."""
    return local(moment).isoformat(timespec="seconds")


def said(moment: datetime) -> str:
    """A moment as a sentence carries it, such as 2026年10月9日（周五）17:30."""
    at = local(moment)
    return f"{at.year}年{at.month}月{at.day}日（周{_WEEKDAYS[at.weekday()]}）{at:%H:%M}"
