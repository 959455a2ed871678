"""What the inputs of the calculators share, and how a wrong one is explained."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from backend.appeals.calendar import local
from backend.errors import InvalidInput

_WEEKDAYS = "一二三四五六日"


class Input(BaseModel):
    """Refuses fields that it does not know, because a misspelt one must not be overlooked."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def _written(value: Any) -> Any:
    """Only text is a moment: a bare number could be seconds or milliseconds."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("moment", "应写成带时区的时间，例如 2026-11-21T09:00:00+08:00")
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        raise PydanticCustomError("moment", "应写成带时区的时间，例如 2026-11-21T09:00:00+08:00") from None


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
    return f"{at} 的格式不正确。", at


def figure(value: Any) -> Any:
    """A figure as it was written: 98.7 is 98.7, and ``true`` is no figure."""
    if isinstance(value, bool):
        raise PydanticCustomError("number", "应为数字")
    return str(value) if isinstance(value, float) else value


def number(value: Decimal) -> int | float:
    """A figure for JSON: a whole one as a whole number, others with at most four decimals."""
    return int(value) if value == value.to_integral_value() else float(round(value, 4))


def written(moment: datetime) -> str:
    """A moment as the results carry it."""
    return local(moment).isoformat(timespec="seconds")


def said(moment: datetime) -> str:
    """A moment as a sentence carries it, such as 2026年10月9日（周五）17:30."""
    at = local(moment)
    return f"{at.year}年{at.month}月{at.day}日（周{_WEEKDAYS[at.weekday()]}）{at:%H:%M}"
