"""What comes over a connection and is no HTTP, or does not come at all."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from api_helpers import PHONE, Backend

from backend.api import reading
from backend.api.connections import guard

HEAD = b"POST /api/v1/appeals HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
NO_HTTP = [
    b"GET /" + PHONE.encode() + b" HTTP/9.9\r\nHost: x\r\n\r\n",
    b"G@T /" + PHONE.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + PHONE.encode() + b" : x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: " + PHONE.encode() + b"x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00" + PHONE.encode() + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + PHONE.encode() * 20_000 + b"\r\n\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + PHONE.encode() + b"zz\r\n",
]


async def exchange(port: int | None, sent: bytes) -> tuple[bytes, bytes]:
    """Sends bytes and returns head and body of what comes until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        async with asyncio.timeout(10):
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
        await writer.wait_closed()
    return head, body


@pytest.mark.parametrize("sent", NO_HTTP, ids=range(len(NO_HTTP)))
async def test_what_is_no_http_is_refused_in_our_shape_and_not_repeated(
    backend: Backend, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    with caplog.at_level(logging.INFO):
        head, body = await exchange(backend.client.port, sent)
    status = int(head.split()[1])
    assert status in {400, 413}
    error = json.loads(body)["error"]
    assert set(error) == {"code", "message", "details"}
    assert b"application/json" in head
    assert b"X-Content-Type-Options: nosniff" in head
    assert [line for line in head.split(b"\r\n") if line.startswith(b"Server")] == [b"Server: qifu"]
    assert PHONE.encode() not in head + body
    assert PHONE not in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert (await backend.get("/healthz")).status == 200


async def test_a_body_that_does_not_come_is_not_waited_for(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BODY_SECONDS", 0.05)
    head, body = await exchange(backend.client.port, HEAD + b'Content-Length: 100\r\n\r\n{"enterprise"')
    assert head.startswith(b"HTTP/1.1 408")
    assert json.loads(body)["error"]["code"] == "too_slow"


@pytest.fixture
async def impatient() -> AsyncIterator[TestServer]:
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", hello)
    guard(app, head_seconds=0.2)
    async with TestServer(app) as server:
        yield server


async def test_a_head_that_does_not_come_is_not_waited_for(impatient: TestServer) -> None:
    assert await exchange(impatient.port, b"GET / HTTP/1.1\r\nHost:") == (b"", b"")


async def test_a_connection_that_asked_may_ask_again_later(impatient: TestServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", impatient.port)
    for _ in range(2):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(5):
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.3)  # longer than a new connection has
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/", "/no.such", "/api/v1/nothing"])
async def test_no_answer_is_guessed_at_by_a_browser(backend: Backend, path: str) -> None:
    answer = await backend.get(path)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Server"] == "qifu"
