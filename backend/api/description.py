"""`GET /api/v1/openapi.json`: the API describes itself."""

from __future__ import annotations

import json
from functools import cache

from aiohttp import web

from backend.api import openapi
from backend.api.endpoints import Call, Table

TABLE = Table("description")
VERSION = "1.0.0"
"""Of the API: the first number is the one in its paths."""


@cache
def _document() -> str:
    from backend.api.app import ENDPOINTS  # the table contains this module's own endpoint

    return json.dumps(openapi.describe(ENDPOINTS, VERSION), ensure_ascii=False)


@TABLE.get("/api/v1/openapi.json", "This description.")
async def get_openapi(call: Call, data: None) -> web.Response:
    """Answers with the description of all endpoints."""
    return web.Response(text=_document(), content_type="application/json")
