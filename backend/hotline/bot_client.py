"""The way to the bot process: one keep-alive client that answers at once while the bot is away.

The bot listens on a unix socket or on loopback, and offers ``GET /healthz`` → ``{"ready": bool}`` and
``POST /turn`` ``{"sender", "message", "channel"}`` → ``{"messages": [...], "outcome": str}``. A turn that it
answers with 503 was not begun: nothing was done, and the message can be answered otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import Any, Protocol

import aiohttp
from pydantic import ValidationError

from backend.replies import Reply

log = logging.getLogger(__name__)

_SLOW_TURNS = 3
"""So many timeouts in a row mean that the bot hangs, rather than that one turn was slow."""


class BotUnavailable(Exception):
    """The bot gave no usable answer.

    Attributes:
        uncertain: The message reached the bot, which may still act on it; a repetition is not harmless.
    """

    def __init__(self, reason: str, *, uncertain: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.uncertain = uncertain


class BotPort(Protocol):
    """What conversations need of the dialogue engine."""

    @property
    def ready(self) -> bool:
        """Whether the engine answered when it was last asked."""

    async def turn(self, sender: str, message: str, channel: str) -> Reply:
        """Lets the engine answer one message.

        Raises:
            BotUnavailable: It is loading, gone, too slow or says something that is no reply.
        """


class BotClient:
    """Talks to the bot process, and remembers whether it is there.

    While the bot is away, turns are refused without trying: only the watch asks, every half second, whether
    it is back. So nobody waits for a process that does not run.
    """

    def __init__(self, address: str, *, timeout: float = 8.0, watch_seconds: float = 0.5) -> None:
        """Prepares the client; nothing is connected yet.

        Args:
            address: ``unix:PATH`` or ``http://127.0.0.1:PORT``.
            timeout: How long a turn may take, in seconds.
            watch_seconds: Time between two looks of the watch while the bot is away; ten times as long while
                it is there.
        """
        self._address = address
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._watch_seconds = watch_seconds
        self._look_now = asyncio.Event()
        self._session: aiohttp.ClientSession | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._ready = False
        self._slow_turns = 0

    @property
    def ready(self) -> bool:
        """Whether the bot answered when it was last asked."""
        return self._ready

    async def open(self) -> None:
        """Starts the client and its watch; does nothing where they run already."""
        if self._session is not None and not self._session.closed:
            return
        if self._address.startswith("unix:"):
            connector: aiohttp.BaseConnector = aiohttp.UnixConnector(
                self._address.removeprefix("unix:"), limit=0
            )
            base = "http://bot"
        else:
            connector, base = aiohttp.TCPConnector(limit=0), self._address
        self._session = aiohttp.ClientSession(
            base, connector=connector, timeout=self._timeout, trust_env=False
        )
        self._watcher = asyncio.create_task(self._watch(), name="bot-watch")

    async def close(self) -> None:
        """Stops the watch and closes the connections."""
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
        if self._session is not None:
            await self._session.close()
        self._ready = False

    async def turn(self, sender: str, message: str, channel: str) -> Reply:
        """Lets the bot answer one message.

        Args:
            sender: Who speaks.
            message: What was said, or the payload of a pressed button.
            channel: Through which door.

        Returns:
            The bot's reply.

        Raises:
            BotUnavailable: It is loading, gone, too slow or says something that is no reply.
        """
        if self._session is None or not self._ready:
            raise BotUnavailable("away")
        body = {"sender": sender, "message": message, "channel": channel}
        try:
            async with self._session.post("/turn", json=body) as response:
                status, raw = response.status, await response.read()
        except TimeoutError as error:
            self._slow_turns += 1
            if self._slow_turns >= _SLOW_TURNS:
                self._set_ready(False)
            raise BotUnavailable("slow", uncertain=True) from error
        except aiohttp.ClientConnectorError as error:
            self._set_ready(False)
            raise BotUnavailable("gone") from error
        except (aiohttp.ClientError, OSError) as error:
            self._set_ready(False)
            raise BotUnavailable("lost", uncertain=True) from error
        self._slow_turns = 0
        if status == 503:
            if _code(raw) == "not_begun":
                # one turn could not begin, for whatever reason: the watch finds out whether all cannot
                self._look_now.set()
                raise BotUnavailable("not begun")
            self._set_ready(False)
            raise BotUnavailable("loading")
        if status != 200:
            raise BotUnavailable(f"status {status}", uncertain=status >= 500)
        try:
            return _reply(json.loads(raw))
        except (ValueError, ValidationError) as error:
            raise BotUnavailable("not a reply", uncertain=True) from error

    async def check(self) -> bool:
        """Asks the bot whether it is ready, and remembers the answer."""
        assert self._session is not None, "open() comes first"  # noqa: S101 - misuse by a programmer
        ready = False
        with contextlib.suppress(aiohttp.ClientError, OSError, ValueError, TimeoutError):
            async with self._session.get("/healthz", timeout=aiohttp.ClientTimeout(total=2)) as response:
                state = json.loads(await response.read())
                ready = response.status == 200 and isinstance(state, dict) and state.get("ready") is True
        self._set_ready(ready)
        return ready

    async def _watch(self) -> None:
        while True:
            await self.check()
            self._look_now.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._watch_seconds * (10 if self._ready else 1)):
                    await self._look_now.wait()
                    # the bot was there a moment ago: give its supervisor a breath
                    await asyncio.sleep(self._watch_seconds)

    def _set_ready(self, ready: bool) -> None:
        if ready != self._ready:
            log.info("bot is ready" if ready else "bot is away")
            self._slow_turns = 0
            if not ready:
                self._look_now.set()
        self._ready = ready


def _code(raw: bytes) -> str | None:
    """The code of a refusal; None where it has none."""
    try:
        code = json.loads(raw)["error"]["code"]
    except (ValueError, LookupError, TypeError):
        return None
    return code if isinstance(code, str) else None


def _reply(state: Any) -> Reply:
    if not isinstance(state, dict):
        raise ValueError("not an object")
    reply = Reply.model_validate(
        {key: state[key] for key in ("messages", "outcome", "entry") if key in state}
    )
    if not reply.messages:
        raise ValueError("no message")
    return reply
