"""A real HTTP server with the few endpoints that the actions call: the bot is tested without the backend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from actions import client

TERRITORIES = [
    {"id": "t.a", "name": "东湖街道", "kind": "street", "district": "示例区", "aliases": ["东湖", "东湖镇"]},
    {"id": "t.b", "name": "西山街道", "kind": "street", "district": "示例区", "aliases": ["西山"]},
    {"id": "t.c", "name": "西山产业园", "kind": "platform", "district": "示例区", "aliases": ["产业园"]},
]
HOTLINE = {"text": "示例热线：0571-81234567", "citations": [], "buttons": [], "card": None}
CITATION = {"document": "示例手册", "section": "一、热线", "entry": "ts.hotline"}


class FakeBackend:
    """Answers like the backend's API, and remembers what it was asked.

    Attributes:
        url: Where it listens.
        filings: Bodies of all filings that were accepted, repetitions included.
        appeals: What was filed, by idempotency key.
        feedbacks: Bodies of all feedback.
        withdrawals: Numbers of the appeals that were taken back.
        handoffs: Bodies of all calls for a person.
        questions: Bodies of all questions.
        down: Every request is answered with 503.
        hold: Filings are taken, but their answers wait until this is set.
        refuse: Field that filings are refused for, if any.
    """

    def __init__(self) -> None:
        self.url = ""
        self.filings: list[dict[str, Any]] = []
        self.appeals: dict[str, dict[str, Any]] = {}
        self.feedbacks: list[dict[str, Any]] = []
        self.withdrawals: list[str] = []
        self.handoffs: list[dict[str, Any]] = []
        self.questions: list[dict[str, Any]] = []
        self.down = False
        self.hold: asyncio.Event | None = None
        self.filed = asyncio.Event()
        self.refuse: str | None = None

    def application(self) -> web.Application:
        """The server's routes."""
        app = web.Application(client_max_size=2**20, middlewares=[self._available])
        app.router.add_post("/api/v1/knowledge/answer", self._answer)
        app.router.add_post("/api/v1/triage", self._triage)
        app.router.add_post("/api/v1/calculators/deadline", self._deadline)
        app.router.add_post("/api/v1/appeals", self._file)
        app.router.add_post("/api/v1/appeals/filed", self._filed)
        app.router.add_post("/api/v1/appeals/lookup", self._lookup)
        app.router.add_post("/api/v1/appeals/{number}/feedback", self._feedback)
        app.router.add_post("/api/v1/appeals/{number}/withdraw", self._withdraw)
        app.router.add_post("/api/v1/handoffs", self._handoff)
        app.router.add_get("/api/v1/territories", self._territories)
        return app

    @web.middleware
    async def _available(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.down:
            return _error(503, "unavailable", "暂时不可用。")
        return await handler(request)

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.questions.append(body)
        question = body.get("question") or ""
        if body.get("entry") or "热线" in question:
            message = {"text": HOTLINE["text"], "citations": [CITATION], "buttons": [], "card": None}
            return web.json_response({"messages": [message], "outcome": "answered", "entry": "ts.hotline"})
        if "补贴" in question:
            button = {"title": "租房补贴", "payload": '/choose_entry{"entry_id": "ts.rent"}'}
            message = {"text": "您想问的是哪一个？", "citations": [], "buttons": [button], "card": None}
            return web.json_response({"messages": [message], "outcome": "clarifying"})
        buttons = [
            {"title": "转人工", "payload": "/ask_human"},
            {"title": "提交诉求", "payload": "/file_appeal"},
        ]
        message = {"text": "抱歉，资料里没有查到。", "citations": [], "buttons": buttons, "card": None}
        return web.json_response({"messages": [message], "outcome": "unanswered"})

    async def _triage(self, request: web.Request) -> web.Response:
        text = (await request.json())["text"]
        return web.json_response({"problems": [_problem(part) for part in text.split("\n")]})

    async def _deadline(self, request: web.Request) -> web.Response:
        body = await request.json()
        day = {"simple": 23, "single": 25, "whistle": 27}[body["level"]]
        return web.json_response(
            {"result": {"due_at": f"2026-11-{day}T17:30:00+08:00"}, "trace": [], "citations": []}
        )

    async def _file(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.refuse:
            return _error(400, "invalid_input", "这一项不正确。", {"field": self.refuse})
        self.filings.append(body)
        key = body["idempotency_key"]
        known = self.appeals.get(key)
        if known and (known["text"], known["_phone"]) != (body["text"], body["phone"]):
            numbers = [self.appeals[key]["number"]]
            return _error(409, "idempotency_conflict", "这个请求编号已用于另一件诉求。", {"numbers": numbers})
        if key not in self.appeals:
            number = f"QT20261121-{len(self.appeals) + 1:04d}"
            self.appeals[key] = {**_appeal(number, body), "_phone": body["phone"]}
        self.filed.set()
        if self.hold is not None:
            await self.hold.wait()
        return web.json_response({"group": "g1", "appeals": [_public(self.appeals[key])]}, status=201)

    async def _filed(self, request: web.Request) -> web.Response:
        found = self.appeals.get((await request.json())["idempotency_key"])
        if found is None:
            return _error(404, "not_found", "这个请求编号下没有已提交的诉求。")
        return web.json_response({"group": "g1", "appeals": [_public(found)]})

    async def _lookup(self, request: web.Request) -> web.Response:
        body = await request.json()
        found = self.find(body["number"], body["phone"])
        if found is None:
            return _error(404, "not_found", "没有查到这件诉求，请核对编号和手机号。")
        return web.json_response(
            {"appeal": {**_public(found), "replies": [], "history": [], "feedback": None}}
        )

    async def _feedback(self, request: web.Request) -> web.Response:
        body = await request.json()
        found = self.find(request.match_info["number"], body["phone"])
        if found is None:
            return _error(404, "not_found", "没有查到这件诉求，请核对编号和手机号。")
        if found["state"] != "resolved":
            return _error(409, "conflict", "这件诉求还没有办结，暂时不能评价。")
        self.feedbacks.append({**body, "number": found["number"]})
        found["state"] = "closed" if body["result"] == "resolved" else "reopened"
        return web.json_response(
            {"appeal": {**_public(found), "replies": [], "history": [], "feedback": None}}
        )

    async def _withdraw(self, request: web.Request) -> web.Response:
        body = await request.json()
        found = self.find(request.match_info["number"], body["phone"])
        if found is None:
            return _error(404, "not_found", "没有查到这件诉求，请核对编号和手机号。")
        self.withdrawals.append(found["number"])
        found["state"], found["state_text"] = "withdrawn", "已撤回"
        return web.json_response(
            {"appeal": {**_public(found), "replies": [], "history": [], "feedback": None}}
        )

    async def _handoff(self, request: web.Request) -> web.Response:
        self.handoffs.append(await request.json())
        return web.json_response({"recorded_at": "2026-11-21T10:00:00+08:00", "hotline": HOTLINE}, status=201)

    async def _territories(self, request: web.Request) -> web.Response:
        return web.json_response({"territories": TERRITORIES})

    def find(self, number: str, phone: str) -> dict[str, Any] | None:
        """The appeal with this number and phone."""
        for appeal in self.appeals.values():
            if appeal["number"] == number and appeal["_phone"] == phone:
                return appeal
        return None

    def resolve_all(self) -> None:
        """Lets the department say that everything is done."""
        for appeal in self.appeals.values():
            appeal["state"], appeal["state_text"] = "resolved", "已办结待确认"


def _problem(text: str) -> dict[str, Any]:
    return {
        "text": text,
        "category": "诉求",
        "level": "single",
        "lead_department": "区示例局",
        "co_departments": [],
        "candidates": [{"department": "区示例局", "probability": 0.9}],
        "reasons": ["示例"],
    }


def _appeal(number: str, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": number,
        "text": body["text"],
        "category": "诉求",
        "level": "single",
        "level_text": "单一部门问题",
        "lead_department": "区示例局",
        "co_departments": [],
        "territory": body.get("territory") or "待确认",
        "state": "filed",
        "state_text": "已提交",
        "submitted_at": "2026-11-21T10:00:00+08:00",
        "due_at": "2099-11-25T17:30:00+08:00",
        "due_provisional": False,
        "merged_into": None,
    }


def _public(appeal: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in appeal.items() if not name.startswith("_")}


def _error(status: int, code: str, message: str, details: dict[str, Any] | None = None) -> web.Response:
    return web.json_response(
        {"error": {"code": code, "message": message, "details": details or {}}}, status=status
    )


@pytest.fixture
async def fake_backend() -> AsyncIterator[FakeBackend]:
    """A fake backend that the actions of this test talk to."""
    fake = FakeBackend()
    server = TestServer(fake.application())
    await server.start_server()
    fake.url = f"http://127.0.0.1:{server.port}"
    client.use(fake.url)
    try:
        yield fake
    finally:
        if fake.hold is not None:
            fake.hold.set()
        await client.close_all()
        await server.close()
