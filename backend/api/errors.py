"""Errors as HTTP: one status for each class, one shape for all."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web
from pydantic import Field

from backend import errors
from backend.api.fields import Response


class BadRequest(errors.QifuError):
    """What came is not JSON at all."""

    code = "malformed_json"


class WrongMediaType(errors.QifuError):
    """What came does not say that it is JSON in UTF-8."""

    code = "wrong_media_type"


class TooSlow(errors.QifuError):
    """What was announced did not come in time."""

    code = "too_slow"


class TooLarge(errors.QifuError):
    """More was sent than is read."""

    code = "too_large"


class WrongMethod(errors.QifuError):
    """The path is there, but not for this method."""

    code = "wrong_method"


class InternalError(errors.QifuError):
    """Something that should not happen; the sentence says that it is not the caller's fault."""


STATUS: dict[type[errors.QifuError], int] = {
    BadRequest: 400,
    errors.NotAuthenticated: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    WrongMethod: 405,
    TooSlow: 408,
    errors.Conflict: 409,
    TooLarge: 413,
    WrongMediaType: 415,
    errors.InvalidInput: 422,
    errors.TooMany: 429,
    InternalError: 500,
    errors.Unavailable: 503,
}
"""Anything else is 500."""


class ErrorBody(Response):
    """What went wrong.

    Attributes:
        code: Machine-readable name in snake_case.
        message: A sentence that may be shown to the person who asked.
        details: Small facts for programs, such as the field at fault.
    """

    code: str
    message: str
    details: dict[str, Any] = Field(default_factory=dict)


class ErrorAnswer(Response):
    """The shape of every answer that is not a success."""

    error: ErrorBody


def status_of(error: type[errors.QifuError]) -> int:
    """The HTTP status of an error class, by its nearest base in `STATUS`."""
    return next((STATUS[base] for base in error.__mro__ if base in STATUS), 500)


def answer(error: errors.QifuError) -> web.Response:
    """Translates an error.

    ``NotFound`` never carries details: what is not there and what is not the caller's must answer with the
    same bytes.

    Args:
        error: With a sentence that may be shown.

    Returns:
        The answer with its status; 429 says in ``Retry-After`` when to come again.
    """
    status = status_of(type(error))
    details = {} if isinstance(error, errors.NotFound) else error.details
    body = {"error": {"code": error.code, "message": error.message, "details": details}}
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in {429, 503} and "retry_after" in details:
        headers["Retry-After"] = str(details["retry_after"])
    text = json.dumps(body, ensure_ascii=False, default=str)
    return web.Response(text=text, status=status, content_type="application/json", headers=headers)
