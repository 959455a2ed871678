"""`GET /api/v1/openapi.json`: the API describes itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from aiohttp import web

from backend.api import openapi
from backend.api.endpoints import Call, Endpoint, Table

TABLE = Table("description")
VERSION = "1.0.0"
"""Of the API: the first number is the one in its paths."""


class Description:
    """The description of an application's endpoints, written when it is first asked for."""

    def __init__(self, endpoints: Sequence[Endpoint[Any]]) -> None:
        self._endpoints = endpoints

    @cached_property
    def text(self) -> str:
        """The document as JSON."""
        return json.dumps(openapi.describe(self._endpoints, VERSION), ensure_ascii=False)


DESCRIPTION = web.AppKey("description", Description)


@TABLE.get("/api/v1/openapi.json", "This description.")
async def get_openapi(call: Call, data: None) -> web.Response:
    """Answers with the description of all endpoints."""
    return web.Response(text=call.request.app[DESCRIPTION].text, content_type="application/json")
