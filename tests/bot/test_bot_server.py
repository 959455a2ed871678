"""The server's manners, with an engine that does as it is told."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout
from aiohttp.test_utils import TestClient, TestServer

from bot.errors import NotBegun
from bot.server import BotServer, serve
from bot.settings import BadSetting, BotSettings


class ToldEngine:
    """Waits for `go`, and notes in which order turns began and ended."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.go.set()
        self.began: list[str] = []
        self.ended: list[str] = []
        self.began_one = asyncio.Event()
        self.error: Exception | None = None
        self.closed = False
        self.away: list[str] = []

    async def turn(self, sender: str, message: str, channel: str) -> dict[str, Any]:
        self.began.append(message)
        self.began_one.set()
        await self.go.wait()
        if self.error:
            raise self.error
        self.ended.append(message)
        return {"messages": [{"text": f"{sender} {message} {channel}"}], "outcome": "chitchat"}

    async def missing(self) -> list[str]:
        return self.away

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def engine() -> ToldEngine:
    return ToldEngine()


@pytest.fixture
async def client(engine: ToldEngine) -> AsyncIterator[TestClient[Any, Any]]:
    async def open_engine() -> ToldEngine:
        return engine

    server = BotServer(open_engine)
    async with TestClient(TestServer(server.application())) as client:
        await server.loaded()
        client.bot = server  # type: ignore[attr-defined]
        yield client


async def test_a_turn(client: TestClient[Any, Any]) -> None:
    response = await client.post("/turn", json={"sender": "a", "message": "你好", "channel": "wechat"})
    assert response.status == 200
    assert await response.json() == {"messages": [{"text": "a 你好 wechat"}], "outcome": "chitchat"}


async def test_loading_is_said_so(engine: ToldEngine) -> None:
    ready = asyncio.Event()

    async def open_engine() -> ToldEngine:
        await ready.wait()
        return engine

    server = BotServer(open_engine)
    async with TestClient(TestServer(server.application())) as client:
        assert await (await client.get("/healthz")).json() == {"ready": False, "missing": []}
        refused = await client.post("/turn", json={"sender": "a", "message": "你好"})
        assert refused.status == 503
        assert (await refused.json())["error"]["code"] == "loading"
        ready.set()
        await server.loaded()
        assert await (await client.get("/healthz")).json() == {"ready": True, "missing": []}


@pytest.mark.parametrize(
    "body",
    [
        "", "[]", "{}", "null", '"x"', '{"sender": "a"}', '{"sender": "", "message": "x"}',
        '{"sender": 1, "message": "x"}', '{"sender": "a", "message": 1}',
        '{"sender": "a", "message": "x", "channel": "A B"}', '{"sender": "a\\u0000", "message": "x"}',
    ],
)  # fmt: skip
async def test_what_is_no_turn_is_refused(
    body: str, client: TestClient[Any, Any], engine: ToldEngine
) -> None:
    response = await client.post("/turn", data=body, headers={"Content-Type": "application/json"})
    assert response.status == 400
    assert (await response.json())["error"]["message"].endswith("。")
    assert engine.began == []


async def test_a_message_of_any_kind_is_storable(client: TestClient[Any, Any], engine: ToldEngine) -> None:
    raw = '{"sender": "a", "message": "x\\u0000\\ud83d"}'
    response = await client.post("/turn", data=raw, headers={"Content-Type": "application/json"})
    assert response.status == 200
    assert engine.began == ["x"]


async def test_one_conversation_goes_in_order(client: TestClient[Any, Any], engine: ToldEngine) -> None:
    engine.go.clear()
    numbers = [str(number) for number in range(5)]
    tasks = []
    for number in numbers:
        # sent one after another, each as soon as the one before has reached the server
        tasks.append(asyncio.create_task(client.post("/turn", json={"sender": "a", "message": number})))
        waiting = len(tasks)
        await _until(lambda waiting=waiting: _waiting(client) == waiting)
    assert engine.began == ["0"]
    engine.go.set()
    await asyncio.gather(*tasks)
    assert engine.began == engine.ended == numbers
    assert _waiting(client) == 0


async def test_another_conversation_does_not_wait(client: TestClient[Any, Any], engine: ToldEngine) -> None:
    engine.go.clear()
    first = asyncio.create_task(client.post("/turn", json={"sender": "a", "message": "1"}))
    await engine.began_one.wait()
    second = asyncio.create_task(client.post("/turn", json={"sender": "b", "message": "2"}))
    await _until(lambda: engine.began == ["1", "2"])
    engine.go.set()
    assert (await first).status == (await second).status == 200


async def test_hanging_up_does_not_stop_a_turn(client: TestClient[Any, Any], engine: ToldEngine) -> None:
    engine.go.clear()
    url = client.make_url("/turn")
    async with ClientSession(timeout=ClientTimeout(total=None)) as session:
        request = asyncio.create_task(session.post(url, json={"sender": "a", "message": "1"}))
        await engine.began_one.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
    engine.go.set()
    await _until(lambda: engine.ended == ["1"])


async def test_a_failed_turn_is_an_answer_without_what_was_said(
    client: TestClient[Any, Any], engine: ToldEngine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.error = RuntimeError("13800001111")
    response = await client.post("/turn", json={"sender": "a", "message": "1"})
    assert response.status == 500
    assert "13800001111" not in caplog.text + await response.text()
    engine.error = None
    assert (await client.post("/turn", json={"sender": "a", "message": "2"})).status == 200


async def test_a_turn_that_was_not_begun_says_so(
    client: TestClient[Any, Any], engine: ToldEngine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.error = NotBegun("the store of conversations does not answer")
    engine.away = ["QIFU_TRACKER_URL"]
    response = await client.post("/turn", json={"sender": "a", "message": "1"})
    assert response.status == 503
    assert (await response.json())["error"]["code"] == "not_begun"
    assert await (await client.get("/healthz")).json() == {"ready": False, "missing": ["QIFU_TRACKER_URL"]}
    assert "QIFU_TRACKER_URL" in caplog.text


async def test_the_socket_goes_with_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = ToldEngine()
    there = []

    async def go() -> None:
        there.append((tmp_path / "s").is_socket())
        os.kill(os.getpid(), signal.SIGTERM)

    class Module:
        class Engine:
            @staticmethod
            async def open(model: object, settings: object) -> ToldEngine:
                await go()
                return told

        @staticmethod
        def latest(folder: Path) -> Path:
            return folder

    monkeypatch.setattr("bot.server._import", lambda: (Module, Module))
    settings = BotSettings.from_environment({"QIFU_BOT_ADDRESS": f"unix:{tmp_path / 's'}"})
    assert await serve(settings) == 0
    assert there == [True]
    assert told.closed
    assert not (tmp_path / "s").exists()


async def test_stopping_finishes_what_has_begun(engine: ToldEngine) -> None:
    async def open_engine() -> ToldEngine:
        return engine

    server = BotServer(open_engine)
    client = TestClient(TestServer(server.application()))
    await client.start_server()
    await server.loaded()
    engine.go.clear()
    request = asyncio.create_task(client.post("/turn", json={"sender": "a", "message": "1"}))
    await engine.began_one.wait()
    closing = asyncio.create_task(client.close())
    await asyncio.sleep(0)
    engine.go.set()
    await closing
    await asyncio.gather(request, return_exceptions=True)
    assert engine.ended == ["1"]
    assert engine.closed


async def test_an_engine_that_does_not_load_ends_the_server(caplog: pytest.LogCaptureFixture) -> None:
    async def open_engine() -> ToldEngine:
        raise OSError("postgresql://user:secret@db/")

    server = BotServer(open_engine)
    async with TestClient(TestServer(server.application())):
        await server.loaded()
        assert server.failed
        assert server.stopped.is_set()
    assert "secret" not in caplog.text


async def test_no_other_address_is_served() -> None:
    settings = BotSettings.from_environment({})
    wrong = BotSettings("http://0.0.0.0:5005", *[getattr(settings, name) for name in settings.__slots__[1:]])
    with pytest.raises(BadSetting, match="loopback"):
        await serve(wrong)


def _waiting(client: TestClient[Any, Any]) -> int:
    return len(client.bot._turns)  # type: ignore[attr-defined]


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0)
