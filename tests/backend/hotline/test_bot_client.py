"""The client against a real server on a real unix socket."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from backend.hotline.bot_client import BotClient, BotUnavailable

ANSWER = {"messages": [{"text": "好的", "citations": [], "buttons": []}], "outcome": "chitchat"}


class FakeBot:
    """A bot process whose answers a test decides."""

    def __init__(self) -> None:
        self.ready = True
        self.status = 200
        self.answer: object = ANSWER
        self.raw: bytes | None = None
        self.turns: list[dict[str, str]] = []
        self.hold: asyncio.Event | None = None
        self.drop = False
        self.peers: set[int] = set()

    @asynccontextmanager
    async def serve(self, path: str) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_get("/healthz", self._health)
        app.router.add_post("/turn", self._turn)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.UnixSite(runner, path).start()
        try:
            yield
        finally:
            if self.hold is not None:
                self.hold.set()
            await runner.cleanup()

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"ready": self.ready})

    async def _turn(self, request: web.Request) -> web.Response:
        self.turns.append(await request.json())
        self.peers.add(id(request.transport))
        if self.drop:
            assert request.transport is not None
            request.transport.abort()
        if self.hold is not None:
            await self.hold.wait()
        if self.raw is not None:
            return web.Response(body=self.raw, status=self.status, content_type="application/json")
        return web.json_response(self.answer, status=self.status)


@pytest.fixture
async def socket() -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory(prefix="qifu") as folder:
        yield str(Path(folder) / "bot.sock")


@asynccontextmanager
async def opened(path: str, timeout: float = 5) -> AsyncIterator[BotClient]:
    client = BotClient(f"unix:{path}", timeout=timeout, watch_seconds=0.02)
    await client.open()
    try:
        yield client
    finally:
        await client.close()


async def until_ready(client: BotClient, ready: bool = True) -> None:
    async with asyncio.timeout(5):
        while client.ready is not ready:
            await asyncio.sleep(0.005)


async def test_a_turn(socket: str) -> None:
    bot = FakeBot()
    async with bot.serve(socket), opened(socket) as client:
        await until_ready(client)
        reply = await client.turn("s", "你好", "web")
    assert reply.messages[0].text == "好的"
    assert bot.turns == [{"sender": "s", "message": "你好", "channel": "web"}]


async def test_one_connection_serves_many_turns(socket: str) -> None:
    bot = FakeBot()
    async with bot.serve(socket), opened(socket) as client:
        await until_ready(client)
        for _ in range(5):
            await client.turn("s", "你好", "web")
    assert len(bot.turns) == 5
    assert len(bot.peers) == 1


async def test_without_a_bot_it_refuses_at_once_and_finds_it_later(socket: str) -> None:
    async with opened(socket, timeout=60) as client:
        with pytest.raises(BotUnavailable) as refused:
            await client.turn("s", "你好", "web")
        assert refused.value.uncertain is False
        async with FakeBot().serve(socket):
            await until_ready(client)
            assert (await client.turn("s", "你好", "web")).outcome == "chitchat"


async def test_a_loading_bot_is_not_ready(socket: str) -> None:
    bot = FakeBot()
    bot.ready = False
    async with bot.serve(socket), opened(socket) as client:
        assert await client.check() is False
        bot.ready = True
        await until_ready(client)
        bot.status, bot.answer, bot.ready = 503, {"error": {}}, False
        with pytest.raises(BotUnavailable) as refused:
            await client.turn("s", "你好", "web")
        assert refused.value.uncertain is False
        assert client.ready is False


async def test_a_turn_that_was_not_begun_is_certain_and_the_bot_is_looked_at(socket: str) -> None:
    bot = FakeBot()
    async with bot.serve(socket), opened(socket) as client:
        await until_ready(client)
        bot.status, bot.answer = 503, {"error": {"code": "not_begun", "message": "…", "details": {}}}
        with pytest.raises(BotUnavailable) as refused:
            await client.turn("s", "热线电话", "web")
        assert refused.value.uncertain is False
        assert client.ready is True
        bot.ready = False
        with pytest.raises(BotUnavailable):
            await client.turn("s", "热线电话", "web")
        await until_ready(client, False)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"error": 5}', b'{"error": {"code": 5}}', b"\xff"])
async def test_a_refusal_without_a_code_is_a_loading_bot(socket: str, raw: bytes) -> None:
    bot = FakeBot()
    async with bot.serve(socket), opened(socket) as client:
        await until_ready(client)
        bot.status, bot.raw, bot.ready = 503, raw, False
        with pytest.raises(BotUnavailable) as refused:
            await client.turn("s", "你好", "web")
        assert refused.value.uncertain is False
        assert client.ready is False


async def test_a_bot_that_dies_in_a_turn_leaves_it_uncertain(socket: str) -> None:
    bot = FakeBot()
    bot.drop = True
    async with bot.serve(socket), opened(socket) as client:
        await until_ready(client)
        with pytest.raises(BotUnavailable) as refused:
            await client.turn("s", "确认", "web")
    assert refused.value.uncertain is True


async def test_a_slow_turn_is_uncertain_and_three_mean_away(socket: str) -> None:
    bot = FakeBot()
    bot.hold = asyncio.Event()
    async with bot.serve(socket), opened(socket, timeout=0.05) as client:
        await until_ready(client)
        for number in range(3):
            with pytest.raises(BotUnavailable) as refused:
                await client.turn("s", "确认", "web")
            assert refused.value.uncertain is True
            bot.ready = False
            assert client.ready is (number < 2)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"messages": [], "outcome": "answered"}',
        b'{"messages": [{"text": "x"}], "outcome": "no such"}',
        b'{"messages": "x", "outcome": "answered"}',
        b"\xff\xfe",
    ],
)
async def test_what_is_no_reply(socket: str, raw: bytes) -> None:
    bot = FakeBot()
    bot.raw = raw
    async with bot.serve(socket), opened(socket) as client:
        await until_ready(client)
        with pytest.raises(BotUnavailable):
            await client.turn("s", "你好", "web")
        assert client.ready is True


async def test_a_server_error_is_uncertain(socket: str) -> None:
    bot = FakeBot()
    bot.status = 500
    async with bot.serve(socket), opened(socket) as client:
        await until_ready(client)
        with pytest.raises(BotUnavailable) as refused:
            await client.turn("s", "你好", "web")
    assert refused.value.uncertain is True


async def test_closing_twice_or_unopened_is_harmless(socket: str) -> None:
    client = BotClient(f"unix:{socket}")
    await client.close()
    assert client.ready is False
