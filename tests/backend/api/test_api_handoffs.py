"""Calling for a person, and being heard."""

from __future__ import annotations

import pytest
from api_helpers import Backend, refused

from backend.people.roles import Role


async def test_a_call_is_kept_and_the_hotline_named(backend: Backend) -> None:
    answer = await backend.post("/api/v1/handoffs", {"sender": "s", "reason": "想和工作人员谈"})
    assert answer.status == 201
    body = await answer.json()
    assert body["recorded_at"] == "2026-11-16T10:00:00+08:00"
    assert "85901890" in body["hotline"]["text"]
    assert body["hotline"]["citations"]


async def test_pressed_twice_it_is_one_call(backend: Backend) -> None:
    for _ in range(3):
        await backend.post("/api/v1/handoffs", {"sender": "s"})
    await backend.post("/api/v1/chat", {"sender": "s", "message": "转人工"})
    operator = await backend.staff(Role.OPERATOR)
    waiting = await (await backend.get("/api/v1/desk/handoffs", headers=operator)).json()
    assert [(found["sender"], found["reason"]) for found in waiting["handoffs"]] == [("s", "")]


async def test_an_operator_takes_a_call_up_once(backend: Backend) -> None:
    await backend.post("/api/v1/handoffs", {"sender": "s", "reason": "急"})
    operator = await backend.staff(Role.OPERATOR)
    waiting = (await (await backend.get("/api/v1/desk/handoffs", headers=operator)).json())["handoffs"]
    path = f"/api/v1/desk/handoffs/{waiting[0]['id']}/take-up"
    assert (await backend.post(path, headers=operator)).status == 200
    await refused(await backend.post(path, headers=operator), 404, "not_found")
    assert (await (await backend.get("/api/v1/desk/handoffs", headers=operator)).json())["handoffs"] == []


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 30])
async def test_calls_that_are_not_there(backend: Backend, number: str) -> None:
    operator = await backend.staff(Role.OPERATOR)
    answer = await backend.post(f"/api/v1/desk/handoffs/{number}/take-up", headers=operator)
    await refused(answer, 404, "not_found")


@pytest.mark.parametrize(
    "body", [{}, {"sender": ""}, {"sender": "s", "reason": "x" * 2001}, {"sender": "s", "reason": 5}]
)
async def test_calls_that_cannot_be_kept(backend: Backend, body: dict[str, object]) -> None:
    await refused(await backend.post("/api/v1/handoffs", body), 422, "invalid_input")
