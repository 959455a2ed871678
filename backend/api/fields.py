"""The types that request and response models are made of.

Text that comes in is cleaned here, by `backend.text`: what is left can be stored in any database and shown on
any page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from backend.text import clean

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?")

LOCAL_TIME = timezone(timedelta(hours=8))


@dataclass(frozen=True)
class Clean:
    """Marks a text field: ``Annotated[str, Clean(200)]``.

    Attributes:
        maximum: Longest length in characters, after cleaning.
        minimum: Shortest; 1 refuses blank text.
        lines: Whether line ends may stay; otherwise they become spaces.
    """

    maximum: int
    minimum: int = 1
    lines: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validates after the type itself (`pydantic`'s hook)."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """States the lengths in the API's description (`pydantic`'s hook)."""
        described = handler(schema)
        described["maxLength"] = self.maximum
        if self.minimum:
            described["minLength"] = self.minimum
        return described

    def _check(self, value: str) -> str:
        value = clean(value, lines=True)
        if not self.lines:
            value = " ".join(value.split())
        if not value and self.minimum:
            raise PydanticCustomError("blank", "不能为空")
        if len(value) < self.minimum:
            raise PydanticCustomError("too_short", "至少要有 {minimum} 个字", {"minimum": self.minimum})
        if len(value) > self.maximum:
            raise PydanticCustomError("too_long", "最多 {maximum} 个字", {"maximum": self.maximum})
        return value


def _check_sender(value: str) -> str:
    if not 1 <= len(value) <= 128 or not value.isprintable() or any(c.isspace() for c in value):
        raise PydanticCustomError("sender", "应是 1 到 128 个可见字符，不含空格")
    return value


def _to_local(value: datetime) -> datetime:
    return value.astimezone(LOCAL_TIME)


Sender = Annotated[str, AfterValidator(_check_sender)]
"""A stable id of who speaks, in whatever form the channel gives."""

Word = Annotated[str, Clean(64)]
"""A short name or id: one line, at most 64 characters."""

Line = Annotated[str, Clean(200)]
"""One line of text."""

Text = Annotated[str, Clean(5000, lines=True)]
"""Several lines of text."""

OptionalText = Annotated[str, Clean(2000, minimum=0, lines=True)]
"""Several lines of text, or nothing."""

Phone = Annotated[str, Clean(32)]
"""A phone number as a person types it; what a valid one is, the appeals capability decides."""

Number = Annotated[str, Clean(64)]
"""An appeal number as a person types it; what is one, the appeals capability decides."""

Key = Annotated[str, Clean(200)]
"""An idempotency key: the caller's own id of one request."""

Page = Annotated[int, Field(title="页码", ge=1, le=1_000_000)]
"""Which page of a list, from 1."""

PageSize = Annotated[int, Field(title="每页条数", ge=1, le=100)]
"""How much of a list is on one page."""


def _not_a_number(value: Any) -> Any:
    """Refuses a number where a time is written: nobody knows whether it counts seconds or milliseconds."""
    if isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value.strip())):
        raise PydanticCustomError("written", "要写成日期或时间，例如 2026-03-02T10:00:00+08:00")
    return value


Written = BeforeValidator(_not_a_number)
"""Marks a date or time that must be written as one, not as a number."""

Moment = Annotated[datetime, AfterValidator(_to_local)]
"""A moment, written with the offset +08:00."""


class Request(BaseModel):
    """Base of what may be sent: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Response(BaseModel):
    """Base of what is answered."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)
