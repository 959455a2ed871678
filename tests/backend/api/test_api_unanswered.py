"""Questions that had no answer, from the chat to the desk and back."""

from __future__ import annotations

from typing import Any

import pytest
from api_helpers import Backend, refused

from backend.people.roles import Role

PATH = "/api/v1/desk/unanswered"
FAR_OFF = "红烧肉怎么做才好吃"


async def ask(backend: Backend, *messages: str, sender: str = "s") -> None:
    for message in messages:
        answer = await backend.post("/api/v1/chat", {"sender": sender, "message": message})
        assert answer.status == 200
    await backend.container.unanswered.finish()


async def listed(backend: Backend, query: str = "") -> dict[str, Any]:
    answer = await backend.get(PATH + query, headers=await backend.staff(Role.EDITOR))
    assert answer.status == 200, await answer.text()
    found = await answer.json()
    assert isinstance(found, dict)
    return found


async def test_from_the_chat_to_the_desk(backend: Backend) -> None:
    await ask(backend, FAR_OFF, f"请问{FAR_OFF}呢", "热线电话是多少", f"我叫王小明，13800000001，{FAR_OFF}吗")
    found = await listed(backend)
    (group,) = found.pop("groups")
    assert found == {"total": 1, "page": 1, "page_size": 20}
    assert (group["question"], group["count"]) == (FAR_OFF, 3)
    assert group["first_at"] == "2026-11-16T10:00:00+08:00"
    assert [one["count"] for one in group["questions"]] == [2, 1]
    assert "13800000001" not in str(group)
    assert "王小明" not in str(group)


async def test_handled_questions_leave_the_list_until_they_are_asked_again(backend: Backend) -> None:
    await ask(backend, FAR_OFF)
    (group,) = (await listed(backend))["groups"]
    ids = [one["id"] for one in group["questions"]]
    editor = await backend.staff(Role.EDITOR)
    answer = await backend.post(f"{PATH}/handled", {"ids": [*ids, 999]}, headers=editor)
    assert (answer.status, await answer.json()) == (200, {"ids": ids})
    assert (await listed(backend))["total"] == 0
    sentence = await refused(
        await backend.post(f"{PATH}/handled", {"ids": ids}, headers=editor), 404, "not_found"
    )
    assert sentence == "没有找到这些问题，或者已经有人处理。"
    await ask(backend, FAR_OFF)
    assert (await listed(backend))["groups"][0]["count"] == 2


async def test_pages_and_days(backend: Backend) -> None:
    await ask(backend, FAR_OFF)
    backend.clock.forward(days=10)
    await ask(backend, "今天晚上看什么电影", "今天晚上看什么电影")
    found = await listed(backend, "?page=2&page_size=1")
    assert ([group["question"] for group in found["groups"]], found["total"]) == ([FAR_OFF], 2)
    assert (await listed(backend, "?days=9"))["total"] == 1


@pytest.mark.parametrize("query", ["?days=0", "?days=4000", "?days=x", "?page=0", "?page_size=101", "?day=3"])
async def test_queries_that_cannot_be_used(backend: Backend, query: str) -> None:
    answer = await backend.get(PATH + query, headers=await backend.staff(Role.ADMIN))
    await refused(answer, 422, "invalid_input")


@pytest.mark.parametrize(
    "body", [{}, {"ids": []}, {"ids": [0]}, {"ids": [2**31]}, {"ids": ["1"]}, {"ids": [1] * 2001}, {"ids": 1}]
)
async def test_handling_that_cannot_be_used(backend: Backend, body: dict[str, Any]) -> None:
    answer = await backend.post(f"{PATH}/handled", body, headers=await backend.staff(Role.ADMIN))
    await refused(answer, 422, "invalid_input")


async def test_a_reply_does_not_depend_on_the_record(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: bool) -> None:
        raise RuntimeError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(backend.container.database, "unit_of_work", broken)
        await ask(backend, FAR_OFF)
    assert (await listed(backend))["total"] == 0


async def test_what_is_recorded_last_survives_the_end(backend: Backend) -> None:
    await backend.post("/api/v1/chat", {"sender": "s", "message": FAR_OFF})
    await backend.container.unanswered.finish()
    assert (await listed(backend))["total"] == 1
