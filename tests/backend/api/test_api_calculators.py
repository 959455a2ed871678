"""The calculators through the API, on the published cases."""

from __future__ import annotations

import pytest
from api_helpers import Backend, refused
from calculator_cases import BAD, CASES


async def test_the_list_describes_every_input(backend: Backend) -> None:
    body = await (await backend.get("/api/v1/calculators")).json()
    named = {found["name"]: found for found in body["calculators"]}
    assert {"deadline", "routing"} <= set(named)
    assert set(named["deadline"]["schema"]["properties"]) >= {"level", "submitted_at"}


async def test_a_deadline_with_its_steps_and_sources(backend: Backend) -> None:
    body = {"level": "single", "submitted_at": "2026-09-29T16:30:00+08:00"}
    answer = await backend.post("/api/v1/calculators/deadline", body)
    found = await answer.json()
    assert answer.status == 200
    assert found["result"]["due_at"] == "2026-10-09T17:30:00+08:00"
    assert found["trace"]
    assert all(set(citation) == {"document", "section", "entry"} for citation in found["citations"])


async def test_every_citation_of_a_calculator_is_in_the_knowledge_base(backend: Backend) -> None:
    cases = [
        ("deadline", {"level": level, "submitted_at": "2026-09-29T16:30:00+08:00"})
        for level in ("simple", "single", "whistle")
    ]
    cases += [
        ("routing", {"initial_level": "single", "departments": names})
        for names in ([], ["甲局"], ["甲局", "乙局"])
    ]
    for name, given in cases:
        computed = backend.container.calculators.run(name, given)
        assert [entry for entry in computed.citations if entry not in backend.container.base.entries] == []


async def test_routing(backend: Backend) -> None:
    body = {"initial_level": "single", "departments": ["区住建局", "区综合行政执法局"]}
    found = await (await backend.post("/api/v1/calculators/routing", body)).json()
    assert found["result"]["level"] == "whistle"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"level": "single"},
        {"level": "urgent", "submitted_at": "2026-09-29T16:30:00+08:00"},
        {"level": "single", "submitted_at": "yesterday"},
        {"level": "single", "submitted_at": "2026-09-29T16:30:00"},
        {"level": "single", "submitted_at": 10**400},
        {"level": "single", "submitted_at": "2026-09-29T16:30:00+08:00", "colour": "red"},
        {"level": "single", "submitted_at": "9999-12-31T23:59:59+08:00"},
        {"level": "single", "submitted_at": "0001-01-01T00:00:00+08:00"},
    ],
)
async def test_what_cannot_be_computed(backend: Backend, body: dict[str, object]) -> None:
    await refused(await backend.post("/api/v1/calculators/deadline", body), 422, "invalid_input")


async def test_a_calculator_that_is_not_there(backend: Backend) -> None:
    await refused(await backend.post("/api/v1/calculators/horoscope", {}), 404, "not_found")


async def test_cases_that_nobody_published_are_exact(backend: Backend) -> None:
    for name, sent, expected in CASES:
        answer = await backend.post(f"/api/v1/calculators/{name}", sent)
        body = await answer.json()
        assert answer.status == 200, (name, sent, body)
        assert {key: body["result"].get(key) for key in expected} == expected, (name, sent)
        assert body["trace"]
        assert body["citations"]


async def test_inputs_that_cannot_be_used_are_refused_with_a_sentence(backend: Backend) -> None:
    for name, sent, field in BAD:
        answer = await backend.post(f"/api/v1/calculators/{name}", sent)
        await refused(answer, 422, "invalid_input")
        assert (await answer.json())["error"]["details"]["field"].split(".")[0] == field


async def test_names_are_known_by_the_knowledge_base(backend: Backend) -> None:
    body = {"initial_level": "single", "departments": ["区住房和城乡建设局", "区住建局（审批科）"]}
    routed = await (await backend.post("/api/v1/calculators/routing", body)).json()
    assert (routed["result"]["level"], routed["result"]["lead"]) == ("single", "区住房和城乡建设局")
    listed = await backend.post("/api/v1/calculators/catch-all", {"situation": "涉及住建、环保、消防"})
    assert (await listed.json())["result"]["level"] == "研讨办"


async def test_a_refusal_says_what_is_wrong(backend: Backend) -> None:
    answer = await backend.post("/api/v1/calculators/department-bonus", {"units": 0})
    await refused(answer, 422, "invalid_input")
    assert (await answer.json())["error"]["message"] == "units 不能小于 1。"
