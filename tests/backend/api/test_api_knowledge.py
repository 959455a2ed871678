"""Asking the knowledge base, and its names."""

from __future__ import annotations

import pytest
from api_helpers import Backend, refused


async def test_search(backend: Backend) -> None:
    answer = await backend.get("/api/v1/knowledge/search", params={"q": "钱塘营商热线电话", "k": "2"})
    assert answer.status == 200
    body = await answer.json()
    assert body["decision"] in {"answer", "confirm", "refuse"}
    assert len(body["hits"]) == 2
    assert set(body["hits"][0]) == {"entry", "kind", "title", "answer", "score", "citation"}
    assert set(body["hits"][0]["citation"]) == {"document", "section", "entry"}


async def test_search_in_a_district(backend: Backend) -> None:
    answer = await backend.get("/api/v1/knowledge/search", params={"q": "热线电话", "district": "上城区"})
    body = await answer.json()
    assert all(hit["entry"].startswith("sc.") for hit in body["hits"])


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"q": ""},
        {"q": " "},
        {"q": "x" * 201},
        {"q": "x", "k": "0"},
        {"q": "x", "k": "21"},
        {"q": "x", "k": "many"},
        {"q": "x", "k": "9" * 5000},
        {"q": "x", "district": "月球区"},
        {"q": "x", "colour": "red"},
    ],
)
async def test_searches_that_cannot_be_made(backend: Backend, query: dict[str, str]) -> None:
    answer = await backend.get("/api/v1/knowledge/search", params=query)
    await refused(answer, 422, "invalid_input")


async def test_a_field_given_twice_is_refused(backend: Backend) -> None:
    answer = await backend.get("/api/v1/knowledge/search?q=a&q=b")
    await refused(answer, 422, "invalid_input")


async def test_a_very_long_query_is_refused_with_a_sentence(backend: Backend) -> None:
    answer = await backend.get("/api/v1/knowledge/search", params={"q": "长" * 6000})
    await refused(answer, 422, "invalid_input")


async def test_answer_and_follow_up(backend: Backend) -> None:
    answer = await backend.post("/api/v1/knowledge/answer", {"question": "钱塘区的营商热线电话是多少"})
    body = await answer.json()
    assert body["outcome"] == "answered"
    assert "85901890" in str(body["messages"])
    assert body["entry"]
    follow = await backend.post(
        "/api/v1/knowledge/answer",
        {"question": "那来源呢", "last_entry": body["entry"], "district": "钱塘区"},
    )
    assert follow.status == 200


async def test_answer_from_a_chosen_entry(backend: Backend) -> None:
    entry = next(iter(backend.container.base.entries))
    answer = await backend.post("/api/v1/knowledge/answer", {"entry": entry})
    assert (await answer.json())["entry"] == entry


async def test_answers_that_cannot_be_given(backend: Backend) -> None:
    await refused(await backend.post("/api/v1/knowledge/answer", {}), 422, "invalid_input")
    await refused(await backend.post("/api/v1/knowledge/answer", {"entry": "qt.no-such"}), 404, "not_found")
    body = {"question": "热线", "district": "月球区"}
    await refused(await backend.post("/api/v1/knowledge/answer", body), 422, "invalid_input")


async def test_departments(backend: Backend) -> None:
    body = await (await backend.get("/api/v1/departments")).json()
    assert len(body["departments"]) > 10
    assert {found["district"] for found in body["departments"]} == {"钱塘区"}
    first = body["departments"][0]
    alone = await (await backend.get(f"/api/v1/departments/{first['id']}")).json()
    assert alone == first
    other = await (await backend.get("/api/v1/departments", params={"district": "上城"})).json()
    assert {found["district"] for found in other["departments"]} == {"上城区"}


async def test_departments_that_are_not_there(backend: Backend) -> None:
    await refused(await backend.get("/api/v1/departments/qt.no-such"), 404, "not_found")
    await refused(await backend.get("/api/v1/departments/%00"), 404, "not_found")
    await refused(await backend.get("/api/v1/departments", params={"district": "月球"}), 422, "invalid_input")


async def test_territories(backend: Backend) -> None:
    body = await (await backend.get("/api/v1/territories")).json()
    assert {found["kind"] for found in body["territories"]} == {"platform", "street"}
    assert all(set(found) == {"id", "name", "kind", "district", "aliases"} for found in body["territories"])


async def test_triage(backend: Backend) -> None:
    answer = await backend.post("/api/v1/triage", {"text": "我们公司门口的道路破损很久了，希望尽快修复。"})
    body = await answer.json()
    assert len(body["problems"]) >= 1
    assert set(body["problems"][0]) == {
        "text",
        "category",
        "level",
        "lead_department",
        "co_departments",
        "candidates",
        "reasons",
    }
    again = await backend.post("/api/v1/triage", {"text": "我们公司门口的道路破损很久了，希望尽快修复。"})
    assert await again.json() == body


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"text": "x" * 5001}, {"text": 5}, {"text": "x", "more": 1}]
)
async def test_what_cannot_be_triaged(backend: Backend, body: dict[str, object]) -> None:
    await refused(await backend.post("/api/v1/triage", body), 422, "invalid_input")


async def test_the_portal_tells_what_can_be_asked(backend: Backend) -> None:
    body = await (await backend.get("/api/v1/portal")).json()
    assert body["district"] == "钱塘区"
    assert "85901890" in body["hotline"]
    assert 3 <= len(body["suggestions"]) <= 6
    for question in body["suggestions"]:
        answer = await backend.post("/api/v1/knowledge/answer", {"question": question})
        assert (await answer.json())["outcome"] == "answered"
