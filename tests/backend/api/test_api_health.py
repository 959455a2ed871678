"""Alive, ready, counted."""

from __future__ import annotations

import logging

import pytest
from api_helpers import Backend


async def test_alive_at_once(backend: Backend) -> None:
    answer = await backend.get("/healthz")
    assert answer.status == 200
    assert await answer.json() == {"status": "ok"}


async def test_ready_only_with_every_part(backend: Backend) -> None:
    answer = await backend.get("/readyz")
    assert answer.status == 503
    assert await answer.json() == {
        "ready": False,
        "parts": {"database": "ok", "knowledge": "ok", "bot": "unavailable"},
    }
    backend.bot.ready = True
    answer = await backend.get("/readyz")
    assert answer.status == 200
    assert await answer.json() == {"ready": True, "parts": {"database": "ok", "knowledge": "ok", "bot": "ok"}}


async def test_a_database_that_is_gone_is_told(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.errors import Unavailable

    async def gone() -> None:
        raise Unavailable("数据库不可用。")

    monkeypatch.setattr(backend.container.database, "ping", gone)
    answer = await backend.get("/readyz")
    assert answer.status == 503
    assert (await answer.json())["parts"]["database"] == "unavailable"


async def test_counts_without_personal_data(backend: Backend) -> None:
    backend.bot.ready = True
    filed = await backend.file()
    await backend.post("/api/v1/chat", {"sender": "very-private-sender", "message": "你好"})
    await backend.post(
        f"/api/v1/appeals/{filed['number']}/feedback",
        {"phone": "13911112222", "result": "resolved", "stars": 5},
    )
    await backend.get("/private-path-7")
    await backend.client.request("PROPFIND", "/healthz")
    answer = await backend.get("/metrics")
    text = await answer.text()
    assert answer.content_type == "text/plain"
    assert 'qifu_http_requests_total{method="POST",route="/api/v1/appeals",status="201"} 1.0' in text
    assert 'route="/api/v1/appeals/{number}/feedback",status="404"' in text
    assert 'qifu_chat_replies_total{outcome="chitchat"} 1.0' in text
    assert f'qifu_appeals_filed_total{{level="{filed["level"]}"}} 1.0' in text
    assert "qifu_bot_up 1.0" in text
    for private in ("13911112222", "very-private-sender", filed["number"], "private-path-7", "PROPFIND"):
        assert private not in text


async def test_log_lines_carry_no_personal_data(backend: Backend, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    filed = await backend.file()
    await backend.post("/api/v1/appeals/lookup", {"number": filed["number"], "phone": "13911112222"})
    await backend.get("/api/v1/knowledge/search", params={"q": "很私密的问题"})
    await backend.post("/api/v1/chat", {"sender": "very-private-sender", "message": "很私密的消息"})
    lines = [str(vars(record)) for record in caplog.records if record.name.startswith("backend")]
    access = [vars(record) for record in caplog.records if record.name == "backend.access"]
    assert [(line["method"], line["route"], line["status"]) for line in access] == [
        ("POST", "/api/v1/appeals", 201),
        ("POST", "/api/v1/appeals/lookup", 404),
        ("GET", "/api/v1/knowledge/search", 200),
        ("POST", "/api/v1/chat", 200),
    ]
    for private in ("13911112222", "13800000001", "王小明", "道路破损", "很私密", "very-private"):
        assert not any(private in line for line in lines)


@pytest.mark.parametrize("kind", [RuntimeError, TimeoutError, ConnectionResetError, KeyError])
async def test_what_should_not_happen_is_a_sentence_and_a_line(
    backend: Backend,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: type[Exception],
) -> None:
    def broken(*args: object, **more: object) -> None:
        raise kind("phone 13800000001")

    monkeypatch.setattr(backend.container.answers, "search", broken)
    answer = await backend.get("/api/v1/knowledge/search", params={"q": "x"})
    assert answer.status == 500
    body = await answer.json()
    assert body["error"]["code"] == "internal_error"
    assert "13800000001" not in str(body)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == [
        "request failed"
    ]
