"""Servers that go away and come back: the dialogue goes on, or says that it has not begun."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from aiohttp.test_utils import TestClient, TestServer
from fake_backend import FakeBackend
from tcp_proxy import Proxy, proxy_to
from trained_bot import settings

from bot import events, locks
from bot.errors import NotBegun, Unreachable
from bot.events import EventStream
from bot.locks import RedisLocks
from bot.server import BotServer

DATABASE = os.environ.get("QIFU_TEST_DATABASE_URL")
REDIS = os.environ.get("QIFU_TEST_REDIS_URL")
AMQP = os.environ.get("QIFU_TEST_AMQP_URL")
SECRETS = ("13800001111", "王芳", "示例科技", "漏水", "guest:guest")
NOBODY = "127.0.0.1:9"

on_postgresql = pytest.mark.skipif(not DATABASE, reason="QIFU_TEST_DATABASE_URL is not set")
on_redis = pytest.mark.skipif(not REDIS, reason="QIFU_TEST_REDIS_URL is not set")
on_rabbitmq = pytest.mark.skipif(not AMQP, reason="QIFU_TEST_AMQP_URL is not set")


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)


async def open_engine(model: Path, tracker: Path, backend: FakeBackend, **changes: str) -> Any:
    from bot.engine import Engine

    return await Engine.open(model, settings(tracker, QIFU_BACKEND_URL=backend.url, **changes))


async def refused_then_taken(engine: Any, proxy: Proxy, missing: str) -> None:
    """With the server cut, a turn is not begun and health names the setting; afterwards all is well again."""

    async def given() -> Any:
        return engine

    server = BotServer(given)
    async with TestClient(TestServer(server.application())) as client:
        await server.loaded()
        turn = {"sender": uuid.uuid4().hex, "message": "你好"}
        assert (await client.post("/turn", json=turn)).status == 200
        assert await (await client.get("/healthz")).json() == {"ready": True, "missing": []}
        await proxy.cut()
        async with asyncio.timeout(5):
            refused = await client.post("/turn", json=turn)
        assert refused.status == 503
        assert (await refused.json())["error"]["code"] == "not_begun"
        assert await (await client.get("/healthz")).json() == {"ready": False, "missing": [missing]}
        await proxy.mend()
        assert await (await client.get("/healthz")).json() == {"ready": True, "missing": []}
        assert (await client.post("/turn", json=turn)).status == 200


@pytest.mark.rasa
@pytest.mark.database
@on_postgresql
async def test_a_turn_does_not_begin_without_postgresql(
    model: Path, tmp_path: Path, fake_backend: FakeBackend
) -> None:
    async with proxy_to(str(DATABASE)) as (proxy, url):
        engine = await open_engine(model, tmp_path, fake_backend, QIFU_TRACKER_URL=url)
        await refused_then_taken(engine, proxy, "QIFU_TRACKER_URL")


@pytest.mark.rasa
@pytest.mark.database
@on_redis
async def test_a_turn_does_not_begin_without_redis(
    model: Path, tmp_path: Path, fake_backend: FakeBackend
) -> None:
    async with proxy_to(str(REDIS)) as (proxy, url):
        engine = await open_engine(model, tmp_path / "t.db", fake_backend, QIFU_REDIS_URL=url)
        await refused_then_taken(engine, proxy, "QIFU_REDIS_URL")


@pytest.mark.rasa
async def test_a_conversation_that_cannot_be_read_is_not_begun(
    model: Path, tmp_path: Path, fake_backend: FakeBackend
) -> None:
    engine = await open_engine(model, tmp_path / "t.db", fake_backend)
    with engine._store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE events RENAME TO elsewhere")
    assert await engine.missing() == ["QIFU_TRACKER_URL"]
    with pytest.raises(NotBegun):
        await engine.turn("a", "我要提诉求，车间漏水三个月了没人来修")
    with engine._store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO events")
    assert await engine.missing() == []
    await engine.close()


@pytest.mark.rasa
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QIFU_TRACKER_URL", f"postgresql://someone:secret@{NOBODY}/test"),
        ("QIFU_REDIS_URL", f"redis://:secret@{NOBODY}/1"),
    ],
)
async def test_the_engine_does_not_open_without_its_servers(
    name: str, value: str, tmp_path: Path, fake_backend: FakeBackend
) -> None:
    with pytest.raises(Unreachable, match=name) as told:
        await open_engine(tmp_path / "no model", tmp_path / "t.db", fake_backend, **{name: value})
    assert "secret" not in str(told.value)


@pytest.mark.rasa
@pytest.mark.database
@on_rabbitmq
async def test_without_rabbitmq_the_dialogue_goes_on_and_nothing_is_told(
    model: Path,
    tmp_path: Path,
    fake_backend: FakeBackend,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    async with proxy_to(str(AMQP)) as (proxy, url):
        with caplog.at_level(logging.DEBUG):
            engine = await open_engine(
                model, tmp_path / "t.db", fake_backend, QIFU_AMQP_URL=url, QIFU_LOG_LEVEL="DEBUG"
            )
            await engine.turn("amqp", "你好")
            await engine._stream._all_gone.wait()
            await proxy.cut()
            for message in (
                "我要提诉求，车间漏水三个月了没人来修",
                "杭州示例科技有限公司，联系人王芳，13800001111",
            ):
                assert (await engine.turn("amqp", message))["outcome"] == "form"
            await until(lambda: engine._stream._away)
            assert await engine.missing() == []
            await engine.close()
    told = caplog.text + "".join(capfd.readouterr())
    assert "QIFU_AMQP_URL does not answer" in told
    assert [secret for secret in SECRETS if secret in told] == []


@pytest.fixture
async def inbox(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[], Any]]:
    """An exchange and a queue of this test's own, and a way to take one event from it."""
    name = f"qifu-test-{uuid.uuid4().hex[:12]}"
    monkeypatch.setattr(events, "QUEUE", name)
    monkeypatch.setattr(events, "EXCHANGE", name)
    monkeypatch.setattr(events, "_FIRST_PAUSE_SECONDS", 0.01)
    connection = await aio_pika.connect(str(AMQP))
    channel = await connection.channel()
    queue = await channel.declare_queue(name, durable=True)
    arrived: asyncio.Queue[Any] = asyncio.Queue()

    async def note(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        await message.ack()
        await arrived.put(json.loads(message.body))

    await queue.consume(note)
    yield arrived.get
    await queue.delete(if_unused=False, if_empty=False)
    await channel.exchange_delete(name)
    await connection.close()


@pytest.mark.database
@on_rabbitmq
async def test_events_wait_for_rabbitmq_in_their_order(inbox: Callable[[], Any]) -> None:
    async with proxy_to(str(AMQP)) as (proxy, url):
        await proxy.cut()
        stream = EventStream(url)
        await until(lambda: stream._away)
        for number in range(3):
            stream.publish({"number": number})
        await proxy.mend()
        async with asyncio.timeout(30):
            assert [(await inbox())["number"] for _ in range(3)] == [0, 1, 2]
            await stream._all_gone.wait()
            await proxy.cut()
            stream.publish({"number": 3})
            await until(lambda: stream._away)
            await proxy.mend()
            assert (await inbox())["number"] == 3
        stream.publish({"number": 4})
        await stream.close()
        async with asyncio.timeout(10):
            assert (await inbox())["number"] == 4


async def test_of_events_that_wait_too_long_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEPT", 3)
    stream = EventStream(f"amqp://guest:guest@{NOBODY}/")
    for number in range(5):
        stream.publish({"number": number})
    assert [event["number"] for event in stream._waiting] == [2, 3, 4]
    await until(lambda: stream._away)
    await stream.close()


@pytest.mark.database
@on_redis
async def test_a_lock_is_held_by_one_process_and_waited_for() -> None:
    ours, theirs = RedisLocks(str(REDIS)), RedisLocks(str(REDIS))
    name, order, held = uuid.uuid4().hex, [], asyncio.Event()

    async def second() -> None:
        held.set()
        async with theirs.lock(name):
            order.append("second")

    async with ours.lock(name):
        waiting = asyncio.create_task(second())
        await held.wait()
        async with theirs.lock(f"{name} other"):
            order.append("another conversation")
        order.append("first")
    await waiting
    assert order == ["another conversation", "first", "second"]
    await ours.close()
    await theirs.close()


@pytest.mark.database
@on_redis
async def test_a_lock_that_stays_held_is_no_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_WAIT_SECONDS", 0.1)
    ours, theirs = RedisLocks(str(REDIS)), RedisLocks(str(REDIS))
    name = uuid.uuid4().hex
    async with ours.lock(name):
        with pytest.raises(NotBegun):
            async with theirs.lock(name):
                pytest.fail("held twice")
    await ours.close()
    await theirs.close()


@pytest.mark.database
@on_redis
async def test_a_lock_that_could_not_be_released_is_no_hindrance() -> None:
    async with proxy_to(str(REDIS)) as (proxy, url):
        ours = RedisLocks(url)
        name = uuid.uuid4().hex
        async with ours.lock(name):
            await proxy.cut()
        with pytest.raises(NotBegun):
            async with ours.lock(name):
                pytest.fail("held without Redis")
        await proxy.mend()
        async with asyncio.timeout(5), ours.lock(name):
            pass
        await ours.close()


async def test_a_redis_that_is_silent_is_away_soon_and_blocks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_ANSWER_SECONDS", 0.2)

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        hung_up.release()

    hung_up = asyncio.Semaphore(0)
    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with silent:
        ours = RedisLocks(f"redis://127.0.0.1:{silent.sockets[0].getsockname()[1]}/0")
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0.01)

        beating = asyncio.create_task(beat())
        async with asyncio.timeout(5):
            assert not await ours.answers()
        assert beats > 5
        beating.cancel()
        await ours.close()
        async with asyncio.timeout(5):
            await hung_up.acquire()
            await hung_up.acquire()
