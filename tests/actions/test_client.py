"""The typed client: what it sends, what it understands, and how it fails."""

from __future__ import annotations

import logging

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from fake_backend import FakeBackend

from actions import client
from actions.client import Backend, BackendError


@pytest.fixture
async def backend(fake_backend: FakeBackend) -> Backend:
    return client.backend()


async def served(handler: object) -> tuple[TestServer, Backend]:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)  # type: ignore[arg-type]
    server = TestServer(app)
    await server.start_server()
    return server, Backend(f"http://127.0.0.1:{server.port}/")


async def test_an_answer_comes_with_its_citation(backend: Backend, fake_backend: FakeBackend) -> None:
    reply = await backend.answer("热线", last_entry="ts.before")
    assert reply.outcome == "answered"
    assert reply.messages[0].citations[0].entry == "ts.hotline"
    assert fake_backend.questions == [{"question": "热线", "last_entry": "ts.before"}]


async def test_filing_twice_with_one_key_gives_one_appeal(
    backend: Backend, fake_backend: FakeBackend
) -> None:
    fields = {"enterprise": "杭州示例有限公司", "contact": "王芳", "phone": "13800001111", "text": "路灯坏了"}
    first = await backend.file(**fields, territory=None, channel="web", idempotency_key="k1")
    second = await backend.file(**fields, territory=None, channel="web", idempotency_key="k1")
    assert first == second
    assert len(fake_backend.appeals) == 1
    assert "territory" not in fake_backend.filings[0]


async def test_what_was_filed_is_found_by_its_key(backend: Backend, fake_backend: FakeBackend) -> None:
    fields = {"enterprise": "杭州示例有限公司", "contact": "王芳", "phone": "13800001111", "text": "路灯坏了"}
    assert await backend.filed("k1") == []
    first = await backend.file(**fields, territory=None, channel="web", idempotency_key="k1")
    assert await backend.filed("k1") == first.appeals
    fake_backend.down = True
    with pytest.raises(BackendError):
        await backend.filed("k1")


async def test_a_refusal_carries_the_backend_s_sentence(backend: Backend) -> None:
    with pytest.raises(BackendError) as caught:
        await backend.lookup("QT20260101-0001", "13800001111")
    assert caught.value.status == 404
    assert caught.value.is_refusal
    assert caught.value.sentence.startswith("没有查到")


async def test_a_failure_says_nothing_to_the_person(backend: Backend, fake_backend: FakeBackend) -> None:
    fake_backend.down = True
    with pytest.raises(BackendError) as caught:
        await backend.triage("路灯坏了", None)
    assert caught.value.status == 503
    assert not caught.value.is_refusal
    assert caught.value.sentence == ""


async def test_nobody_there() -> None:
    backend = Backend("http://127.0.0.1:9")
    with pytest.raises(BackendError) as caught:
        await backend.answer("热线")
    assert (caught.value.status, caught.value.code) == (None, "unavailable")
    await backend.close()


@pytest.mark.parametrize("body", ["<html>", "[]", '{"messages": 1, "phone": "13800001111"}', "null", '"x"'])
async def test_what_cannot_be_read_is_an_error_that_quotes_nothing(
    body: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    server, backend = await served(handler)
    with caplog.at_level(logging.DEBUG), pytest.raises(BackendError) as caught:
        await backend.answer("热线")
    assert "13800001111" not in str(caught.value) + caplog.text
    assert (
        caught.value.__cause__ is None
        or not isinstance(caught.value.__cause__, ValueError)
        or body == "<html>"
    )
    await backend.close()
    await server.close()


async def test_an_error_without_our_shape_is_still_an_error() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=502, text="[]", content_type="application/json")

    server, backend = await served(handler)
    with pytest.raises(BackendError) as caught:
        await backend.territories()
    assert caught.value.status == 502
    await backend.close()
    await server.close()


async def test_territories_are_asked_for_once(backend: Backend, fake_backend: FakeBackend) -> None:
    first = await backend.territories()
    fake_backend.down = True
    assert await backend.territories() is first
    assert [territory.name for territory in first] == ["东湖街道", "西山街道", "西山产业园"]
