"""The aiohttp application: routes from the declared endpoints, and one middleware around everything."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from aiohttp import hdrs, web
from pydantic import BaseModel

from backend import errors
from backend.api import (
    accounts,
    appeals,
    authentication,
    calculators,
    calendar,
    chat,
    clocks,
    description,
    desk,
    desk_filing,
    directory,
    documents,
    figures,
    handoffs,
    health,
    knowledge,
    liaisons,
    likeness,
    logbook,
    messages,
    penalties,
    portal,
    staff,
    triage,
    unanswered,
)
from backend.api.callers import Callers
from backend.api.connections import SERVER, guard
from backend.api.endpoints import Call, Endpoint
from backend.api.errors import BadRequest, InternalError, TooLarge, WrongMethod, answer
from backend.api.limits import Limits
from backend.api.metrics import Metrics
from backend.api.pages import Pages
from backend.api.reading import BODY_LIMIT, read
from backend.composition import Container
from backend.permissions import require

access_log = logging.getLogger("backend.access")
log = logging.getLogger(__name__)

ENDPOINTS: Sequence[Endpoint[Any]] = (
    *health.TABLE,
    *portal.TABLE,
    *chat.TABLE,
    *knowledge.TABLE,
    *directory.TABLE,
    *triage.TABLE,
    *appeals.TABLE,
    *handoffs.TABLE,
    *calculators.TABLE,
    *calendar.TABLE,
    *staff.TABLE,
    *accounts.TABLE,
    *liaisons.TABLE,
    *logbook.TABLE,
    *desk.TABLE,
    *likeness.TABLE,
    *desk_filing.TABLE,
    *documents.TABLE,
    *figures.TABLE,
    *unanswered.TABLE,
    *messages.TABLE,
    *clocks.TABLE,
    *penalties.TABLE,
    *description.TABLE,
)
"""Every endpoint of the API."""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_CONTAINER = web.AppKey("container", Container)
_UNMATCHED = "unmatched"
_PAGE = "page"
_LONGEST_LINE = 128 * 1024
"""10,000 Chinese characters in a query are refused with a sentence, so they must be read first."""
_LINGERING = 2.0
"""Seconds in which the rest of a refused body is read, so that its sender gets to read the refusal."""
_API_HEADERS = {"Cache-Control": "no-store"}


def create_app(container: Container, limits: Limits | None = None) -> web.Application:
    """Builds the application.

    Args:
        container: The wired capabilities; opened when the application starts, closed when it ends.
        limits: How often something may be tried; by the settings unless given.

    Returns:
        Ready for `aiohttp.web.run_app` or a test server.
    """
    pages = Pages(container.settings.web_dir)
    metrics = Metrics()
    limits = limits or Limits(chat_per_minute=container.settings.chat_per_minute)
    app = web.Application(
        middlewares=[_around(metrics, pages)],
        client_max_size=BODY_LIMIT,
        handler_args={
            "access_log": None,
            "auto_decompress": False,
            "max_line_size": _LONGEST_LINE,
            "max_field_size": _LONGEST_LINE,
            "lingering_time": _LINGERING,
        },
    )
    app[_CONTAINER] = container
    app[description.DESCRIPTION] = description.Description(ENDPOINTS)
    for endpoint in ENDPOINTS:
        handler = _handler(container, limits, metrics, endpoint)
        app.router.add_route(endpoint.method, endpoint.path, handler)
        if endpoint.method == "GET":
            app.router.add_route("HEAD", endpoint.path, handler)
    app.cleanup_ctx.append(_life)
    guard(app)
    return app


async def _life(app: web.Application) -> AsyncIterator[None]:
    container = app[_CONTAINER]
    await container.open()
    yield
    await container.close()


def _handler(container: Container, limits: Limits, metrics: Metrics, endpoint: Endpoint[Any]) -> _Handler:
    callers = Callers(container.settings.proxy_networks)

    async def handle(request: web.Request) -> web.StreamResponse:
        signed_in = None
        if endpoint.access == "staff":
            signed_in = await authentication.authenticate(container.people, request)
            if endpoint.action is not None:
                require(signed_in.account.role, endpoint.action)
        data = await read(endpoint, request)
        call = Call(container, limits, metrics, callers.of(request), signed_in, request)
        result = await endpoint.handler(call, data)
        if isinstance(result, web.StreamResponse):
            return result
        return _json(result, endpoint)

    return handle


def _json(result: BaseModel, endpoint: Endpoint[Any]) -> web.Response:
    body = result.model_dump_json(by_alias=True, exclude_none=endpoint.omit_none).encode("utf-8")
    return web.Response(
        body=body,
        status=endpoint.status,
        content_type="application/json",
        charset="utf-8",
        headers=_API_HEADERS,
    )


def _around(metrics: Metrics, pages: Pages) -> Any:
    @web.middleware
    async def around(request: web.Request, handler: _Handler) -> web.StreamResponse:
        begun = time.perf_counter()
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else _UNMATCHED
        try:
            response = await handler(request)
        except errors.QifuError as error:
            response = answer(error)
        except web.HTTPNotFound:
            found = pages.answer(request) if pages.serves(request) else None
            route = _PAGE if found is not None else _UNMATCHED
            response = found or answer(errors.NotFound("没有这个地址，请检查后再试。"))
        except web.HTTPMethodNotAllowed as error:
            response = answer(
                WrongMethod("这个地址不支持这种请求方法。", allowed=sorted(error.allowed_methods))
            )
            response.headers[hdrs.ALLOW] = ", ".join(sorted(error.allowed_methods))
        except web.HTTPRequestEntityTooLarge:
            response = answer(TooLarge("发送的内容太长了，请缩短后再试。", limit_bytes=BODY_LIMIT))
        except web.HTTPException as error:
            response = answer(BadRequest("请求的格式不对，请检查后再试。", status=error.status))
        except Exception:
            log.exception("request failed", extra={"route": route})
            response = answer(InternalError("系统出了点问题，这次没有办成，请稍后再试。"))
        response.headers[hdrs.SERVER] = SERVER
        response.headers["X-Content-Type-Options"] = "nosniff"
        seconds = time.perf_counter() - begun
        metrics.request(request.method, route, response.status, seconds)
        access_log.info(
            "request",
            extra={
                "method": request.method,
                "route": route,
                "status": response.status,
                "ms": round(seconds * 1000, 1),
            },
        )
        return response

    return around
