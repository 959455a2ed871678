"""Reads what was sent and checks it against an endpoint's request model.

Every refusal is a sentence in Chinese that names the field; none repeats the value, which may be private.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, NoReturn

from aiohttp import hdrs, web
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from backend import errors
from backend.api.endpoints import Endpoint
from backend.api.errors import BadRequest, TooLarge, TooSlow, WrongMediaType

BODY_LIMIT = 64 * 1024
"""Largest request body in bytes."""

BODY_SECONDS = 15.0
"""So long may a body take to come."""

DEPTH_LIMIT = 32
"""Deepest nesting of a JSON body; nothing that can be sent needs half of it."""

_SENTENCES = {
    "missing": "没有填写",
    "extra_forbidden": "不是可以填写的内容",
    "string_type": "应是文字",
    "string_unicode": "含有无法识别的字符",
    "string_too_short": "至少要有 {min_length} 个字",
    "string_too_long": "最多 {max_length} 个字",
    "string_pattern_mismatch": "格式不对",
    "literal_error": "只能是 {expected}",
    "enum": "只能是 {expected}",
    "int_type": "应是整数",
    "int_parsing": "应是整数",
    "int_parsing_size": "数字太大了",
    "int_from_float": "应是整数",
    "float_type": "应是数字",
    "float_parsing": "应是数字",
    "finite_number": "应是有限的数字",
    "bool_type": "应是 true 或 false",
    "bool_parsing": "应是 true 或 false",
    "list_type": "应是一个列表",
    "dict_type": "应是一个对象",
    "model_type": "应是一个对象",
    "model_attributes_type": "应是一个对象",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "不能大于 {le}",
    "too_short": "至少要有 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "datetime_type": "应是时间，例如 2026-03-02T10:00:00+08:00",
    "datetime_parsing": "应是时间，例如 2026-03-02T10:00:00+08:00",
    "datetime_from_date_parsing": "应是时间，例如 2026-03-02T10:00:00+08:00",
    "timezone_aware": "时间要带时区，例如 2026-03-02T10:00:00+08:00",
    "date_type": "应是日期，例如 2026-03-02",
    "date_parsing": "应是日期，例如 2026-03-02",
    "date_from_datetime_parsing": "应是日期，例如 2026-03-02",
}


async def read(endpoint: Endpoint[Any], request: web.Request) -> BaseModel | None:
    """Reads the data of one request.

    Args:
        endpoint: What may be sent.
        request: What was sent.

    Returns:
        The checked data; None where the endpoint takes nothing.

    Raises:
        BadRequest: The body is not JSON.
        TooSlow: The body did not come within `BODY_SECONDS`.
        WrongMediaType: The body does not say that it is JSON in UTF-8.
        TooLarge: The body is longer than `BODY_LIMIT`.
        InvalidInput: A field is missing, unknown or wrong.
        NotFound: A path field cannot be the id of anything.
    """
    if endpoint.takes is None:
        return None
    if endpoint.reads_body:
        sent = await _read_body(request)
    else:
        sent = _read_query(endpoint, request)
    if endpoint.whole_body:
        sent = {endpoint.whole_body: sent}
    path_fields = endpoint.path_fields
    for name in path_fields:
        if name in sent and not endpoint.whole_body:
            raise errors.InvalidInput(f"“{name}”不是可以填写的内容，请删去后再试。", field=name)
        sent[name] = request.match_info[name]
    try:
        return endpoint.takes.model_validate(sent)
    except ValidationError as error:
        _refuse(endpoint.takes, error.errors(include_url=False, include_input=False), path_fields)


async def _read_body(request: web.Request) -> dict[str, Any]:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            raw = await request.read()
    except TimeoutError as error:
        raise TooSlow("发送的内容没有及时收全，请再试一次。") from error
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge("发送的内容太长了，请缩短后再试。", limit_bytes=BODY_LIMIT) from error
    except (web.RequestPayloadError, ConnectionError) as error:
        raise BadRequest("发送的内容没有收全，请再试一次。") from error
    if not raw:
        return {}
    charset = (request.charset or "utf-8").lower().replace("_", "-")
    encoding = request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower()
    if (
        request.content_type != "application/json"
        or charset not in {"utf-8", "utf8"}
        or encoding != "identity"
    ):
        raise WrongMediaType("请以 application/json（UTF-8 编码，不压缩）发送内容。")
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
        depth_checked = raw.count(b"[") + raw.count(b"{") <= DEPTH_LIMIT or _depth(value) <= DEPTH_LIMIT
    except (ValueError, RecursionError) as error:
        raise BadRequest("发送的内容不是合法的 JSON，请检查后再试。") from error
    if not depth_checked:
        raise BadRequest("发送的 JSON 嵌套太深，请检查后再试。")
    if not isinstance(value, dict):
        raise errors.InvalidInput("发送的内容应是一个 JSON 对象。", field="")
    if b"\\ud" in raw or b"\\uD" in raw:
        value = {_whole(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _depth(value: Any) -> int:
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        waiting.extend((child, depth + 1) for child in children if isinstance(child, dict | list))
    return deepest


def _without_surrogates(value: Any) -> Any:
    """Halves of an emoji, which a page that cuts text by length may send, cannot be written as UTF-8."""
    if isinstance(value, str):
        return _whole(value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _whole(text: str) -> str:
    return text.encode("utf-8", "ignore").decode("utf-8")


def _read_query(endpoint: Endpoint[Any], request: web.Request) -> dict[str, Any]:
    sent: dict[str, Any] = {}
    for name, value in request.query.items():
        if name in sent:
            raise errors.InvalidInput(f"“{_shown(name)}”写了两次，请只写一次。", field=_shown(name))
        sent[name] = value
    return sent


def _shown(name: object) -> str:
    """An unknown field's name as it may be shown: printable and short."""
    return "".join(c for c in _whole(str(name)) if c.isprintable())[:40]


def _refuse(model: type[BaseModel], found: list[ErrorDetails], path_fields: tuple[str, ...]) -> NoReturn:
    if any(error["loc"] and error["loc"][0] in path_fields for error in found):
        raise errors.NotFound("没有找到您要的内容。")
    problems = [_problem(model, error) for error in found[:10]]
    first = problems[0]
    raise errors.InvalidInput(first["message"], field=first["field"], problems=problems)


def _problem(model: type[BaseModel], error: ErrorDetails) -> dict[str, str]:
    where = [_shown(part) for part in error["loc"]]
    named = {info.alias or name: info for name, info in model.model_fields.items()}
    known = named.get(where[0]) if where else None
    title = known.title if known is not None and known.title else None
    field = ".".join(where)
    kind = error["type"]
    context = error.get("ctx", {})
    template = _SENTENCES.get(kind)
    if template is not None and kind not in {"too_short", "too_long"}:
        text = template.format_map(_Words(context))
    elif kind in {"too_short", "too_long"} and "actual_length" in context:
        text = _SENTENCES[kind].format_map(_Words(context))
    elif kind == "value_error":
        text = str(context.get("error", "")) or "格式不对"
    elif any("\u4e00" <= c <= "\u9fff" for c in error["msg"]):
        text = error["msg"]
    else:
        text = "格式不对"
    name = f"{title}（{field}）" if title else f"“{field}”"
    return {"field": field, "message": f"{name}{text}。"}


class _Words(dict[str, Any]):
    """Context of an error with the joining word put into Chinese."""

    def __missing__(self, key: str) -> str:
        return "规定的值"

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        return value.replace(" or ", " 或 ").replace("'", "") if isinstance(value, str) else value
