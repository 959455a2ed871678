"""The engine's face inside the machine: aiohttp on a unix socket or on loopback, never anywhere else.

``GET /healthz`` → ``{"ready": bool, "missing": [setting]}``. ``POST /turn`` ``{"sender", "message",
"channel"}`` → ``{"messages", "outcome"}``; 503 where the message was not taken, because the engine is loading
or what it needs does not answer; 500 where the turn failed after it had begun. A turn that has begun is
finished even if the caller hangs up, and the turns of one conversation run one after another, in the order in
which they came.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import json
import logging
import re
import signal
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from aiohttp import web

from bot.errors import NotBegun, Unreachable
from bot.settings import BotSettings, check_address

log = logging.getLogger(__name__)

_MAX_BODY = 256 * 1024
_MAX_MESSAGE = 20_000
_CHANNEL = re.compile(r"^[a-z][a-z0-9_-]{0,31}$")


class EnginePort(Protocol):
    """What the server needs of the engine."""

    async def turn(self, sender: str, message: str, channel: str) -> dict[str, Any]:
        """Answers one message.

        Raises:
            NotBegun: Nothing was done.
        """

    async def missing(self) -> list[str]:
        """The settings whose servers a turn needs and that do not answer now."""

    async def close(self) -> None:
        """Closes what the engine opened."""


class BotServer:
    """Serves at once, and answers as soon as the engine is there."""

    def __init__(self, open_engine: Callable[[], Awaitable[EnginePort]]) -> None:
        self._open_engine = open_engine
        self._engine: EnginePort | None = None
        self._failed = False
        self._loading: asyncio.Task[None] | None = None
        self._turns: set[asyncio.Task[dict[str, Any]]] = set()
        self._queues: dict[str, _Queue] = {}
        self._missing: list[str] = []
        self.stopped = asyncio.Event()

    def application(self) -> web.Application:
        """The aiohttp application; loading begins when it starts."""
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_get("/healthz", self._health)
        app.router.add_post("/turn", self._turn)
        app.on_startup.append(self._start)
        app.on_cleanup.append(self._stop)
        return app

    @property
    def failed(self) -> bool:
        """Whether the engine could not be loaded."""
        return self._failed

    async def loaded(self) -> None:
        """Waits until the engine is there, or has failed to load."""
        if self._loading is not None:
            await asyncio.shield(self._loading)

    async def _start(self, app: web.Application) -> None:
        self._loading = asyncio.create_task(self._load(), name="load-engine")

    async def _load(self) -> None:
        try:
            self._engine = await self._open_engine()
        except Exception as error:
            # the class and our own sentences only: a driver's message may hold an address with a password
            log.error("the dialogue engine did not load: %s", _reason(error))
            self._failed = True
            self.stopped.set()

    async def _stop(self, app: web.Application) -> None:
        if self._loading is not None and not self._loading.done():
            self._loading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loading
        if self._turns:
            await asyncio.gather(*self._turns, return_exceptions=True)
        if self._engine is not None:
            await self._engine.close()

    async def _health(self, request: web.Request) -> web.Response:
        if self._engine is None:
            return web.json_response({"ready": False, "missing": []})
        missing = await self._engine.missing()
        if missing != self._missing:
            log.warning("not answering: %s", "、".join(missing) or "nothing any more")
        self._missing = missing
        return web.json_response({"ready": not missing, "missing": missing})

    async def _turn(self, request: web.Request) -> web.Response:
        if self._engine is None:
            return _refusal(503, "loading", "对话引擎正在加载，请稍后再试。")
        try:
            body = await request.json()
            sender, message = body["sender"], body["message"]
            channel = body.get("channel") or "web"
        except (ValueError, KeyError, TypeError, AttributeError):
            return _refusal(400, "invalid_input", "需要 JSON：{sender, message, channel}。")
        if not isinstance(sender, str) or not 1 <= len(sender) <= 255 or "\x00" in sender:
            return _refusal(400, "invalid_input", "sender 应是 1 到 255 个字符。")
        if not isinstance(message, str) or len(message) > _MAX_MESSAGE:
            return _refusal(400, "invalid_input", f"message 应是不超过 {_MAX_MESSAGE} 个字符的文字。")
        if not isinstance(channel, str) or not _CHANNEL.match(channel):
            return _refusal(400, "invalid_input", "channel 应是小写字母开头的渠道名。")
        task = asyncio.create_task(self._in_order(self._engine, sender, _storable(message), channel))
        self._turns.add(task)
        task.add_done_callback(self._turns.discard)
        try:
            reply = await asyncio.shield(task)
        except asyncio.CancelledError:
            raise
        except NotBegun as error:
            log.warning("a turn was not begun: %s", error)
            return _refusal(503, "not_begun", "这句话没有开始处理，请稍后再说一次。")
        except Exception as error:
            log.error("a turn failed: %s", type(error).__name__)
            return _refusal(500, "turn_failed", "这句话没能处理好，请再说一次。")
        return web.json_response(reply, dumps=lambda data: json.dumps(data, ensure_ascii=False))

    async def _in_order(self, engine: EnginePort, sender: str, message: str, channel: str) -> dict[str, Any]:
        queue = self._queues.setdefault(sender, _Queue())
        queue.waiting += 1
        try:
            async with queue.lock:
                return await engine.turn(sender, message, channel)
        finally:
            queue.waiting -= 1
            if queue.waiting == 0:
                self._queues.pop(sender, None)


class _Queue:
    """The turns of one conversation; an asyncio lock serves in the order of asking."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0


def _refusal(status: int, code: str, sentence: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": sentence, "details": {}}}, status=status)


def _storable(message: str) -> str:
    """Without what no database keeps: NUL and halves of emoji."""
    return message.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")


def _reason(error: Exception) -> str:
    from bot.train import NoModel

    return str(error) if isinstance(error, NoModel | Unreachable) else type(error).__name__


def _give_back() -> None:
    """What was needed for loading alone goes back to the system; what was loaded stays for good."""
    gc.collect()
    gc.freeze()
    with contextlib.suppress(OSError, AttributeError):  # glibc has it, others need not
        ctypes.CDLL(None).malloc_trim(0)


async def serve(settings: BotSettings) -> int:
    """Serves until SIGTERM or SIGINT.

    Returns:
        The process's exit code: 0 after a signal, 1 where the engine could not be loaded.
    """

    async def open_engine() -> EnginePort:
        # importing takes seconds: in a thread, so that /healthz answers meanwhile
        engine, train = await asyncio.to_thread(_import)
        opened = await engine.Engine.open(train.latest(settings.model_dir), settings)
        _give_back()
        return opened  # type: ignore[no-any-return]

    server = BotServer(open_engine)
    runner = web.AppRunner(server.application(), access_log=None, handle_signals=False)
    await runner.setup()
    try:
        await _site(runner, settings.address).start()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stopped.set)
        await server.stopped.wait()
    finally:
        await runner.cleanup()
        if settings.address.startswith("unix:"):
            Path(settings.address.removeprefix("unix:")).unlink(missing_ok=True)
    return 1 if server.failed else 0


def _import() -> tuple[Any, Any]:
    import bot.engine
    import bot.train

    return bot.engine, bot.train


def _site(runner: web.AppRunner, address: str) -> web.BaseSite:
    check_address(address)
    if address.startswith("unix:"):
        path = Path(address.removeprefix("unix:"))
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
            path.unlink()
        return web.UnixSite(runner, path)
    parts = urlsplit(address)
    return web.TCPSite(runner, parts.hostname, parts.port)
