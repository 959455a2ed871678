"""Talking through the API."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp.test_utils import TestClient, TestServer
from api_helpers import Backend, refused

from backend.api.app import create_app
from backend.api.limits import Limits
from backend.replies import Reply


async def say(backend: Backend, message: object, **more: object) -> dict[str, object]:
    answer = await backend.post("/api/v1/chat", {"sender": "s", "message": message, **more})
    assert answer.status == 200, await answer.text()
    body = await answer.json()
    Reply.model_validate(body)
    assert isinstance(body, dict)
    return body


async def test_the_bot_answers(backend: Backend) -> None:
    backend.bot.ready = True
    assert await say(backend, "  你好\u200b ") == {
        "messages": [{"text": "机器人：你好", "citations": [], "buttons": []}],
        "outcome": "chitchat",
    }
    assert backend.bot.heard == [("s", "你好", "web")]


async def test_without_the_bot_the_knowledge_base_answers_with_its_source(backend: Backend) -> None:
    body = await say(backend, "钱塘区的营商热线电话是多少")
    text = str(body["messages"])
    assert "85901890" in text
    assert "citations" in text
    assert "document" in text


async def test_without_the_bot_a_person_can_be_called(backend: Backend) -> None:
    body = await say(backend, "转人工")
    assert body["outcome"] == "handoff"
    assert "85901890" in str(body["messages"])


async def test_text_is_normalised(backend: Backend) -> None:
    backend.bot.ready = True
    await say(backend, "cafe\u0301\r\n第二行\x00\x1b[31m")
    assert backend.bot.heard[0][1] == "café\n第二行[31m"


async def test_emoji_html_and_sql_are_plain_text(backend: Backend) -> None:
    backend.bot.ready = True
    for message in ("👨‍👩‍👧🚀", "<script>alert(1)</script>", "'; DROP TABLE appeals; --"):
        await say(backend, message)
        assert backend.bot.heard[-1][1] == message


@pytest.mark.parametrize("message", ["", " ", "\n\t ", "\u200b", "\x00\x01", "\u3000"])
async def test_blank_is_refused_with_a_sentence(backend: Backend, message: str) -> None:
    answer = await backend.post("/api/v1/chat", {"sender": "s", "message": message})
    assert "请输入" in await refused(answer, 422, "invalid_input")


async def test_too_long_is_refused_with_the_limit(backend: Backend) -> None:
    answer = await backend.post("/api/v1/chat", {"sender": "s", "message": "字" * 5001})
    assert "5000" in await refused(answer, 422, "invalid_input")
    await say(backend, "字" * 5000)


@pytest.mark.parametrize("sender", ["", "a" * 129, "a b", "a\nb", "a\u200bb", 5, None])
async def test_senders_that_cannot_be_kept(backend: Backend, sender: object) -> None:
    answer = await backend.post("/api/v1/chat", {"sender": sender, "message": "你好"})
    assert "发送者" in await refused(answer, 422, "invalid_input")


@pytest.mark.parametrize(
    "sender", ["a", "a" * 128, "wx_o6_bmjrPTlm6", "$:LWCP_v1:$abc+/=", "用户-1", "a@b.c"]
)
async def test_senders_of_any_platform(backend: Backend, sender: str) -> None:
    backend.bot.ready = True
    answer = await backend.post("/api/v1/chat", {"sender": sender, "message": "你好"})
    assert answer.status == 200


async def test_the_same_key_is_taken_once(backend: Backend) -> None:
    backend.bot.ready = True
    body = {"sender": "s", "message": "你好", "idempotency_key": "k"}
    answers = await asyncio.gather(*(backend.post("/api/v1/chat", body) for _ in range(5)))
    assert len({await answer.text() for answer in answers}) == 1
    assert len(backend.bot.heard) == 1
    other = await backend.post("/api/v1/chat", {**body, "message": "再见"})
    await refused(other, 409, "conflict")


async def test_a_turn_is_finished_although_the_caller_hangs_up(backend: Backend) -> None:
    backend.bot.ready = True
    backend.bot.hold = asyncio.Event()
    url = backend.client.make_url("/")
    _, writer = await asyncio.open_connection(url.host, url.port)
    body = json.dumps({"sender": "s", "message": "确认提交"}).encode()
    head = ["POST /api/v1/chat HTTP/1.1", "Host: x", "Content-Type: application/json"]
    head += [f"Content-Length: {len(body)}", "", ""]
    writer.write("\r\n".join(head).encode() + body)
    async with asyncio.timeout(5):
        await backend.bot.begun.wait()
    writer.transport.abort()
    await backend.get("/healthz")
    backend.bot.hold.set()
    await backend.container.conversations.finish()
    assert backend.bot.heard == [("s", "确认提交", "web")]


async def test_a_limit_can_be_set(backend: Backend) -> None:
    backend.bot.ready = True
    body = {"sender": "s", "message": "你好"}
    async with TestClient(TestServer(create_app(backend.container, Limits(chat_per_minute=3)))) as client:
        for _ in range(3):
            assert (await client.post("/api/v1/chat", json=body)).status == 200
        answer = await client.post("/api/v1/chat", json=body)
        await refused(answer, 429, "too_many")
        assert int(answer.headers["Retry-After"]) >= 1
        other = await client.post("/api/v1/chat", json={**body, "sender": "other"})
        assert other.status == 200
