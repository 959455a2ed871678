"""Where an application keeps what its parts share."""

from __future__ import annotations

from aiohttp import web

from backend.composition import Container

CONTAINER = web.AppKey("container", Container)
