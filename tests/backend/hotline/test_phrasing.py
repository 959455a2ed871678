"""An endpoint that answers, lies, hangs and fails: what goes out is always true."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from backend.hotline.phrasing import PhrasingService
from backend.knowledge import loading
from backend.knowledge.answering import AnswerService
from backend.replies import Reply
from tests.backend.knowledge.knowledge_samples import FOLDERS, write

QUESTION = "营商热线怎么打"


class Endpoint:
    """A local chat endpoint that behaves as told and keeps what it was sent."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers: list[str | None] = []
        self.behave: Callable[[str], Awaitable[web.StreamResponse]] = self.say("")

    def say(self, text: str) -> Callable[[str], Awaitable[web.StreamResponse]]:
        async def behave(_: str) -> web.StreamResponse:
            return web.json_response({"choices": [{"message": {"content": text}}]})

        return behave

    async def handle(self, request: web.Request) -> web.StreamResponse:
        data = await request.json()
        self.asked.append(data)
        self.headers.append(request.headers.get("Authorization"))
        return await self.behave(json.loads(data["messages"][1]["content"])["答案"])


@pytest.fixture(scope="module")
def small_service(tmp_path_factory: pytest.TempPathFactory) -> AnswerService:
    """Answers from a small knowledge base at home in 钱塘区."""
    return AnswerService(loading.load(write(tmp_path_factory.mktemp("knowledge"), FOLDERS)), "钱塘区")


@pytest.fixture
async def endpoint() -> AsyncIterator[tuple[Endpoint, str]]:
    """The endpoint and its address."""
    there = Endpoint()
    application = web.Application()
    application.router.add_post("/v1/chat/completions", there.handle)
    async with TestServer(application) as server:
        yield there, str(server.make_url("/v1"))


def ask(service: AnswerService, question: str = QUESTION) -> Reply:
    reply = service.answer(question)
    assert reply.outcome == "answered"
    return reply


async def test_a_faithful_answer_is_used_with_its_source(
    endpoint: tuple[Endpoint, str], small_service: AnswerService
) -> None:
    there, url = endpoint

    async def behave(answer: str) -> web.StreamResponse:
        return await there.say(f"您好，{answer}")("")

    there.behave = behave
    phrasing = PhrasingService(small_service, url, key="secret-key", model="m")
    composed = ask(small_service)
    retold = await phrasing.retell(composed, QUESTION)
    await phrasing.close()
    assert retold.messages[0].text.startswith("您好，")
    assert "0571-85901890" in retold.messages[0].text
    assert retold.messages[0].text.endswith(composed.messages[0].text.rsplit("\n", 1)[1])
    assert retold.messages[0].citations == composed.messages[0].citations
    assert there.headers == ["Bearer secret-key"]


async def test_no_number_of_a_person_is_sent(
    endpoint: tuple[Endpoint, str], small_service: AnswerService
) -> None:
    there, url = endpoint
    phrasing = PhrasingService(small_service, url)
    asked = f"{QUESTION}，我叫王小明，电话13812345678"
    await phrasing.retell(ask(small_service), asked)
    await phrasing.close()
    sent = json.dumps(there.asked, ensure_ascii=False)
    assert "13812345678" not in sent
    assert "王小明" not in sent
    assert "85901890" not in sent
    assert "营商热线" in sent


@pytest.mark.parametrize(
    "lie",
    [
        "营商热线是0571-12345678。",
        "营商热线是12345，24小时接听。",
        "请找区市场监管局，电话0571-85901890。",
        "营商热线不能拨打。",
        "",
        "〔电话Z〕",
    ],
)
async def test_a_lie_never_goes_out(
    endpoint: tuple[Endpoint, str], small_service: AnswerService, lie: str
) -> None:
    there, url = endpoint
    there.behave = there.say(lie)
    phrasing = PhrasingService(small_service, url)
    composed = ask(small_service)
    assert await phrasing.retell(composed, QUESTION) == composed
    await phrasing.close()


async def hang(_: str) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def fail(_: str) -> web.StreamResponse:
    return web.Response(status=500, text="broken")


async def redirect(_: str) -> web.StreamResponse:
    raise web.HTTPFound("/v1/elsewhere")


async def rubbish(_: str) -> web.StreamResponse:
    return web.Response(text="<html>", content_type="application/json")


async def endless(_: str) -> web.StreamResponse:
    return web.Response(text=json.dumps({"choices": [{"message": {"content": "好" * 200_000}}]}))


async def wrong_shape(_: str) -> web.StreamResponse:
    return web.json_response({"choices": [{"message": {"content": ["不是文字"]}}]})


@pytest.mark.parametrize("behave", [hang, fail, redirect, rubbish, endless, wrong_shape])
async def test_a_broken_endpoint_costs_nothing_but_time_and_is_left_alone(
    endpoint: tuple[Endpoint, str],
    small_service: AnswerService,
    behave: Callable[[str], Awaitable[web.StreamResponse]],
) -> None:
    there, url = endpoint
    there.behave = behave
    now = [0.0]
    phrasing = PhrasingService(small_service, url, timeout=0.2, clock=lambda: now[0])
    composed = ask(small_service)
    for _ in range(5):
        assert await phrasing.retell(composed, QUESTION) == composed
    assert len(there.asked) == 3
    now[0] += 61
    there.behave = there.say("钱塘营商热线是0571-85901890，企业有困难都可以拨打。")
    retold = await phrasing.retell(composed, QUESTION)
    assert len(there.asked) == 4
    assert "0571-85901890" in retold.messages[0].text
    await phrasing.close()


async def test_an_endpoint_that_is_not_there_costs_nothing(small_service: AnswerService) -> None:
    phrasing = PhrasingService(small_service, "http://127.0.0.1:9/v1", timeout=0.5)
    composed = ask(small_service)
    assert await phrasing.retell(composed, QUESTION) == composed
    await phrasing.close()


async def test_refusals_and_questions_back_are_never_retold(
    endpoint: tuple[Endpoint, str], small_service: AnswerService
) -> None:
    there, url = endpoint
    phrasing = PhrasingService(small_service, url)
    refused = small_service.answer("红烧肉怎么做")
    assert await phrasing.retell(refused, "红烧肉怎么做") == refused
    assert there.asked == []
    await phrasing.close()


async def test_it_is_off_without_an_endpoint(small_service: AnswerService) -> None:
    phrasing = PhrasingService(small_service, None)
    composed = ask(small_service)
    assert await phrasing.retell(composed, QUESTION) == composed
    await phrasing.close()
