"""The endpoint against a server that answers, lies, hangs and fails; nothing leaves this machine."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from backend.hotline.embeddings import Endpoint
from backend.knowledge.encoding import EncoderUnavailable

Answer = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


class Server:
    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers: list[str | None] = []
        self.answer: Answer = honest
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        self.headers.append(request.headers.get("Authorization"))
        return await self.answer(request, body)

    def endpoint(self, timeout: float = 5.0, key: str | None = None) -> Endpoint:
        return Endpoint(self.url, "some-model", key, timeout)


async def honest(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    data = [{"index": number, "embedding": [3.0, 4.0 * number]} for number in range(len(body["input"]))]
    return web.json_response({"data": data[::-1]})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found = Server()
    app = web.Application()
    app.router.add_post("/v1/embeddings", found.handle)
    async with TestServer(app) as running:
        found.url = str(running.make_url("/v1"))
        yield found


async def encode(endpoint: Endpoint, *texts: str) -> Any:
    try:
        return await asyncio.to_thread(endpoint.encode, texts)
    finally:
        endpoint.close()


async def test_vectors_come_back_in_order_and_of_length_one(server: Server) -> None:
    found = await encode(server.endpoint(key="secret"), "一", "二")
    assert np.allclose(found, [[1, 0], [0.6, 0.8]])
    assert server.headers == ["Bearer secret"]
    assert server.asked[0]["model"] == "some-model"


async def test_base64_is_understood(server: Server) -> None:
    async def packed(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        said = base64.b64encode(np.array([0, 2], dtype="<f4").tobytes()).decode()
        return web.json_response({"data": [{"embedding": said}]})

    server.answer = packed
    assert (await encode(server.endpoint(), "一")).tolist() == [[0.0, 1.0]]


async def test_no_personal_data_leaves_the_house(server: Server) -> None:
    await encode(server.endpoint(), "我的手机13800138000没人接", "证件330106199001011234查不到")
    sent = json.dumps(server.asked, ensure_ascii=False)
    assert "13800138000" not in sent
    assert "330106199001011234" not in sent
    assert "没人接" in sent


@pytest.mark.parametrize(
    "said",
    [
        "",
        "[]",
        "null",
        "{",
        "[" * 100_000,
        '{"data": []}',
        '{"data": [{"index": 0, "embedding": [1]}]}',
        '{"data": [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}]}',
        '{"data": [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1, 2]}]}',
        '{"data": [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}]}',
        '{"data": [{"index": 0, "embedding": [0, 0]}, {"index": 1, "embedding": [1, 2]}]}',
        '{"data": [{"index": 0, "embedding": [NaN, 1]}, {"index": 1, "embedding": [1, 2]}]}',
        '{"data": [{"index": 0, "embedding": [1e999, 1]}, {"index": 1, "embedding": [1, 2]}]}',
        '{"data": [{"index": 0, "embedding": ["1", 1]}, {"index": 1, "embedding": [1, 2]}]}',
        '{"data": [{"index": 0, "embedding": [true, 1]}, {"index": 1, "embedding": [1, 2]}]}',
        '{"data": [{"index": 0, "embedding": "!"}, {"index": 1, "embedding": "!"}]}',
        '{"data": [{"index": 0, "embedding": "AAA="}, {"index": 1, "embedding": "AAA="}]}',
        '{"data": [{"index": "0", "embedding": [1]}, {"index": 1, "embedding": [1]}]}',
        '{"data": [1, 2]}',
        '{"data": [{"index": 0, "embedding": [1' + "0" * 400 + ']}, {"index": 1, "embedding": [1]}]}',
    ],
)
async def test_lies_are_not_believed(server: Server, said: str) -> None:
    async def lie(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.Response(text=said, content_type="application/json")

    server.answer = lie
    with pytest.raises(EncoderUnavailable):
        await encode(server.endpoint(), "一", "二")


async def test_the_width_stays_the_same(server: Server) -> None:
    endpoint = server.endpoint()
    await asyncio.to_thread(endpoint.encode, ["一"])

    async def wider(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.json_response({"data": [{"index": 0, "embedding": [1, 2, 3]}]})

    server.answer = wider
    with pytest.raises(EncoderUnavailable):
        await encode(endpoint, "二")


@pytest.mark.parametrize("status", [302, 401, 404, 429, 500])
async def test_a_refusal_is_a_failure_and_no_redirect_is_followed(server: Server, status: int) -> None:
    async def refuse(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": str(request.url)}, text="我的手机")

    server.answer = refuse
    with pytest.raises(EncoderUnavailable) as caught:
        await encode(server.endpoint(), "一")
    assert "手机" not in str(caught.value)
    assert len(server.asked) == 1


async def test_one_limit_holds_for_a_whole_request(server: Server) -> None:
    async def drip(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    server.answer = drip
    started = time.monotonic()
    with pytest.raises(EncoderUnavailable):
        await encode(server.endpoint(timeout=0.3), "一")
    assert time.monotonic() - started < 3


async def test_a_server_that_is_not_there() -> None:
    with pytest.raises(EncoderUnavailable):
        await encode(Endpoint("http://127.0.0.1:9/v1/embeddings", "m", None, 1.0), "一")


def test_the_identity_names_server_and_model() -> None:
    one, other = Endpoint("https://a/v1", "m"), Endpoint("https://a/v1/", "n")
    assert one.identity == "endpoint/a/v1/embeddings/m"
    assert one.identity != other.identity
