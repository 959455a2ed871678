"""The engine on the trained model: what it keeps, what it survives, that it says what stock Rasa says."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fake_backend import FakeBackend
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from trained_bot import ROOT, settings

from bot.errors import NotBegun

pytestmark = pytest.mark.rasa

UP_TO_THE_CONFIRMATION = (
    "我要提诉求，车间漏水三个月了没人来修",
    "杭州示例科技有限公司，联系人王芳，13800001111",
    "不清楚",
)
DATABASE = os.environ.get("QIFU_TEST_DATABASE_URL")
REDIS = os.environ.get("QIFU_TEST_REDIS_URL")
AMQP = os.environ.get("QIFU_TEST_AMQP_URL")


async def talk(engine: Any, sender: str, *messages: str) -> list[dict[str, Any]]:
    return [await engine.turn(sender, message) for message in messages]


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60) | st.text('/{}":abc取消13800001111😀 \n', max_size=30))
async def test_any_text_gets_an_answer(text: str, engine: Any, fake_backend: FakeBackend) -> None:
    for sender in ("fuzz outside", "fuzz inside"):
        reply = await engine.turn(sender, text.encode("utf-8", "ignore").decode().replace("\x00", ""))
        assert reply["messages"]
        assert all(message["text"] for message in reply["messages"])
        assert reply["outcome"] in {
            "answered",
            "clarifying",
            "unanswered",
            "form",
            "filed",
            "handoff",
            "chitchat",
        }
    if not engine._store.is_in_form("fuzz inside"):
        await engine.turn("fuzz inside", "我要提诉求")


async def test_no_restart_and_no_session_command_by_text(engine: Any, fake_backend: FakeBackend) -> None:
    await talk(engine, "commands", *UP_TO_THE_CONFIRMATION)
    for text in ("/restart", "/session_start", "/back", "/restart{}", "/affirm{}x"):
        await engine.turn("commands", text)
    assert engine._store.is_in_form("commands")
    assert fake_backend.filings == []


async def test_a_killed_process_files_once(model: Path, tmp_path: Path, fake_backend: FakeBackend) -> None:
    """Killed after the backend has filed and before anybody was told: said again, it is the same appeal."""
    fake_backend.hold = asyncio.Event()
    socket = tmp_path / "bot.sock"
    environment = {
        **os.environ,
        "QIFU_BOT_ADDRESS": f"unix:{socket}",
        "QIFU_BACKEND_URL": fake_backend.url,
        "QIFU_TRACKER_URL": f"sqlite:///{tmp_path / 'tracker.db'}",
        "QIFU_MODEL_DIR": str(model.parent),
    }

    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", cwd=ROOT, env=environment, stderr=asyncio.subprocess.DEVNULL
        )

    process = await start()
    try:
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket))) as session:
            await _ready(session)
            for message in UP_TO_THE_CONFIRMATION:
                assert (await _say(session, message))["outcome"] == "form"
            lost = asyncio.create_task(_say(session, "确认提交"))
            await asyncio.wait_for(fake_backend.filed.wait(), 10)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            with pytest.raises((aiohttp.ClientError, AssertionError)):
                await lost
        fake_backend.hold.set()
        process = await start()
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket))) as session:
            await _ready(session)
            reply = await _say(session, "确认提交")
        assert reply["outcome"] == "filed"
        assert reply["messages"][0]["card"]["number"] == "QT20261121-0001"
        assert len(fake_backend.appeals) == 1
        assert len({body["idempotency_key"] for body in fake_backend.filings}) == 1
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _ready(session: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(90):
        while True:
            try:
                async with session.get("http://bot/healthz") as response:
                    if (await response.json())["ready"]:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


async def _say(session: aiohttp.ClientSession, message: str) -> dict[str, Any]:
    async with session.post("http://bot/turn", json={"sender": "k", "message": message}) as response:
        assert response.status == 200
        reply: dict[str, Any] = await response.json()
        return reply


async def test_no_personal_data_in_logs(
    model: Path,
    tmp_path: Path,
    fake_backend: FakeBackend,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from bot.engine import Engine

    with caplog.at_level(logging.DEBUG):
        engine = await Engine.open(
            model, settings(tmp_path / "t.db", QIFU_BACKEND_URL=fake_backend.url, QIFU_LOG_LEVEL="DEBUG")
        )
        await talk(engine, "private", *UP_TO_THE_CONFIRMATION, "热线电话多少", "确认提交")
        fake_backend.down = True
        await talk(engine, "private", *UP_TO_THE_CONFIRMATION, "确认提交")
        engine._store.engine.dispose()
        (tmp_path / "t.db").write_bytes(b"this is no database" * 100)
        for name in ("t.db-wal", "t.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        with pytest.raises(NotBegun):
            await engine.turn("private", "我叫王芳，13800001111")
        await engine.close()
    printed = caplog.text + "".join(capfd.readouterr())
    for secret in ("13800001111", "王芳", "示例科技", "漏水"):
        assert secret not in printed


async def test_a_store_that_fails_is_told(model: Path, tmp_path: Path, fake_backend: FakeBackend) -> None:
    from bot.engine import Engine

    engine = await Engine.open(model, settings(tmp_path / "t.db", QIFU_BACKEND_URL=fake_backend.url))

    await engine.turn("a", "你好")

    async def fail(tracker: Any) -> None:
        raise OSError("disk full")

    engine._store.save = fail
    with pytest.raises(OSError, match="disk full"):
        await engine.turn("a", "你好")
    await engine.close()


async def test_what_is_kept_in_memory_is_what_the_database_holds(
    engine: Any, fake_backend: FakeBackend
) -> None:
    from rasa.core.tracker_store import SQLTrackerStore

    await talk(
        engine,
        "kept",
        "你好",
        *UP_TO_THE_CONFIRMATION,
        "热线电话多少",
        "电话写错了，是13922223333",
        "确认提交",
    )
    kept = await engine._store.retrieve("kept")
    read = await SQLTrackerStore._retrieve(engine._store, "kept", fetch_events_from_all_sessions=False)
    # JSON knows no tuples
    assert json.loads(json.dumps([event.as_dict() for event in kept.events])) == [
        event.as_dict() for event in read.events
    ]
    assert kept.current_slot_values() == read.current_slot_values()
    assert kept.active_loop_name is read.active_loop_name is None


async def test_little_is_kept_in_memory(
    engine: Any, fake_backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.engine._KEPT_EVENTS", 50)
    for number in range(12):
        await talk(engine, f"many {number}", "你好", "谢谢")
    kept = engine._store._recent
    assert sum(len(one.events) for one in kept.values()) == engine._store._kept_events <= 50
    assert "many 11" in kept
    assert "many 0" not in kept
    assert (await engine.turn("many 0", "再说一遍"))["messages"][0]["text"].startswith("不客气")


async def test_another_process_s_messages_are_noticed(
    model: Path, engine: Any, tracker_file: Path, fake_backend: FakeBackend
) -> None:
    from bot.engine import Engine

    other = await Engine.open(model, settings(tracker_file, QIFU_BACKEND_URL=fake_backend.url))
    await engine.turn("two", "我要提诉求，车间漏水三个月了没人来修")
    assert (await other.turn("two", "杭州两处科技有限公司"))["messages"][-1]["text"].startswith("请问联系人")
    assert (await engine.turn("two", "王芳"))["messages"][-1]["text"].startswith("请留一个联系电话")
    assert (await other.turn("two", "13800001111"))["messages"][-1]["text"].startswith("企业在哪个")
    other._store.engine.dispose()


async def test_a_long_conversation_starts_afresh_and_keeps_who_speaks(
    engine: Any, fake_backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.engine._MAX_EVENTS", 60)
    await talk(engine, "long", *UP_TO_THE_CONFIRMATION)
    for _ in range(12):
        await engine.turn("long", "热线电话多少")
    tracker = await engine._store.retrieve("long")
    assert tracker.active_loop_name == "appeal_form"
    assert len(tracker.events) > 60
    await engine.turn("long", "确认提交")
    await engine.turn("long", "谢谢")
    tracker = await engine._store.retrieve("long")
    assert len(tracker.events) < 60
    assert tracker.get_slot("phone") == "13800001111"
    again = await engine.turn("long", "我的诉求办到哪了")
    assert again["outcome"] == "answered"
    full = await engine._store.retrieve_full_tracker("long")
    assert len(full.events) > 100


async def test_of_a_long_message_the_beginning_is_understood_and_all_is_kept(
    engine: Any, fake_backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "我要提诉求" + "，车间漏水三个月了没人来修" * 400
    read: list[int] = []
    stock = engine._agent.processor.graph_runner.run

    def note(inputs: dict[str, Any], targets: list[str]) -> dict[str, Any]:
        read.extend(len(message.text) for message in inputs.get("__message__") or [])
        found: dict[str, Any] = stock(inputs=inputs, targets=targets)
        return found

    monkeypatch.setattr(engine._agent.processor.graph_runner, "run", note)
    assert (await engine.turn("wordy", text))["outcome"] == "form"
    tracker = await engine._store.retrieve("wordy")
    said = [event for event in tracker.events if event.type_name == "user"]
    assert said[-1].text == said[-1].parse_data["text"] == text
    assert read
    assert max(read) <= 2000


async def test_turns_say_what_stock_rasa_says(
    model: Path, tmp_path: Path, engine: Any, fake_backend: FakeBackend
) -> None:
    from rasa.core.agent import Agent
    from rasa.core.channels.channel import CollectingOutputChannel, UserMessage

    from bot.engine import LocalActions

    stock = Agent.load(model, action_endpoint=LocalActions())
    for message in (
        "你好",
        *UP_TO_THE_CONFIRMATION,
        "热线电话多少？",
        "联系人改成李四",
        "取消",
        "帮我写一份辞职信",
    ):
        ours = [part["text"] for part in (await engine.turn("same", message))["messages"]]
        said = await stock.handle_message(UserMessage(message, CollectingOutputChannel(), "same"))
        assert ours == [part["text"] for part in said if part.get("text")]


@pytest.mark.database
@pytest.mark.skipif(not DATABASE, reason="QIFU_TEST_DATABASE_URL is not set")
async def test_conversations_in_postgresql(model: Path, fake_backend: FakeBackend) -> None:
    await _restarted_on(model, fake_backend, "pg", QIFU_TRACKER_URL=str(DATABASE))


@pytest.mark.database
@pytest.mark.skipif(not REDIS, reason="QIFU_TEST_REDIS_URL is not set")
async def test_locks_in_redis(model: Path, tmp_path: Path, fake_backend: FakeBackend) -> None:
    await _restarted_on(
        model,
        fake_backend,
        "redis",
        QIFU_TRACKER_URL=f"sqlite:///{tmp_path / 'r.db'}",
        QIFU_REDIS_URL=str(REDIS),
    )


@pytest.mark.database
@pytest.mark.skipif(not AMQP, reason="QIFU_TEST_AMQP_URL is not set")
async def test_events_to_rabbitmq(model: Path, tmp_path: Path, fake_backend: FakeBackend) -> None:
    await _restarted_on(
        model,
        fake_backend,
        "amqp",
        QIFU_TRACKER_URL=f"sqlite:///{tmp_path / 'a.db'}",
        QIFU_AMQP_URL=str(AMQP),
    )


async def _restarted_on(model: Path, fake_backend: FakeBackend, name: str, **changes: str) -> None:
    from bot.engine import Engine

    sender = f"{name} {os.getpid()}"
    for messages in (UP_TO_THE_CONFIRMATION[:2], (*UP_TO_THE_CONFIRMATION[2:], "确认提交")):
        opened = await Engine.open(
            model, settings(Path("unused"), QIFU_BACKEND_URL=fake_backend.url, **changes)
        )
        replies = await talk(opened, sender, *messages)
        await opened.close()
    assert replies[-1]["outcome"] == "filed"
    assert len(fake_backend.appeals) == 1
