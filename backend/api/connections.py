"""What comes over a connection and is no HTTP: answered in our shape, told to nobody, and not waited for.

aiohttp answers such bytes before any handler of ours is asked: in plain text, with the line that was sent,
and with a logged error. A line may hold a phone, so here neither the answer nor the log repeats it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiohttp import hdrs, web
from aiohttp.web_protocol import RequestHandler

from backend.api.errors import BadRequest, InternalError, TooLarge, answer

HEAD_SECONDS = 30.0
"""So long may a new connection take until the head of its first request is there."""

SERVER = "qifu"
"""All that an answer says of the program behind it."""

log = logging.getLogger(__name__)


def guard(app: web.Application, *, head_seconds: float = HEAD_SECONDS) -> None:
    """Lets an application's connections answer what is no HTTP like everything else.

    Args:
        app: Not yet started.
        head_seconds: So long is waited for the first head.
    """
    make = app._make_handler  # aiohttp offers no other place between application and connection

    def made(**more: Any) -> web.Server:
        server = make(**more)
        return _Server(
            server.request_handler,
            request_factory=server.request_factory,
            handler_cancellation=server.handler_cancellation,
            loop=server._loop,
            head_seconds=head_seconds,
            **server._kwargs,
        )

    app._make_handler = made  # type: ignore[method-assign]


class _Server(web.Server):
    def __init__(self, handler: Any, *, head_seconds: float, **more: Any) -> None:
        super().__init__(handler, **more)
        self._head_seconds = head_seconds

    def __call__(self) -> RequestHandler:
        return _Connection(self, self._head_seconds, loop=self._loop, **self._kwargs)


class _Connection(RequestHandler):
    __slots__ = ("_head_seconds",)

    def __init__(self, manager: web.Server, head_seconds: float, **more: Any) -> None:
        super().__init__(manager, **more)
        self._head_seconds = head_seconds

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Gives a new connection its time (`asyncio`'s hook)."""
        super().connection_made(transport)
        self._loop.call_later(self._head_seconds, self._end_if_silent)

    def _end_if_silent(self) -> None:
        if self._request_count == 0:
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers what no handler could (`aiohttp`'s hook); the exception's text holds what was sent."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        if status >= 500:
            log.error("a connection failed", extra={"kind": type(exc).__name__})
            response = answer(InternalError("系统出了点问题，这次没有办成，请稍后再试。"))
        elif type(exc).__name__ == "LineTooLong":
            response = answer(TooLarge("地址或标头太长了，请缩短后再试。"))
        else:
            response = answer(BadRequest("请求的格式不对，请检查后再试。", code="malformed_http"))
        response.headers[hdrs.SERVER] = SERVER
        response.force_close()
        return response
