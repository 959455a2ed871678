"""The API describes itself rightly, and the document for people names all of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from api_helpers import FILING, ROOT, Backend
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from backend.api.app import ENDPOINTS
from backend.api.endpoints import Endpoint
from backend.people.roles import Role

_MONTH = "/api/v1/desk/liaisons/{username}/months/{month}"
DOCUMENT = ROOT / "docs" / "api.md"


async def _described(backend: Backend) -> dict[str, Any]:
    answer = await backend.get("/api/v1/openapi.json")
    assert answer.status == 200
    found = await answer.json()
    assert isinstance(found, dict)
    return found


async def test_the_description_is_valid(backend: Backend) -> None:
    document = await _described(backend)
    assert document["openapi"].startswith("3.1")
    validate(document)


async def test_every_endpoint_is_described_with_its_errors(backend: Backend) -> None:
    document = await _described(backend)
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert described == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}
    names = [endpoint.name for endpoint in ENDPOINTS]
    assert len(names) == len(set(names))
    feedback = document["paths"]["/api/v1/appeals/{number}/feedback"]["post"]
    assert set(feedback["responses"]) >= {"200", "400", "404", "409", "413", "415", "422", "429"}
    body = feedback["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == {"phone", "result", "stars", "comment"}
    assert set(body["required"]) == {"phone", "result"}
    for path, item in document["paths"].items():
        for operation in item.values():
            assert "500" in operation["responses"], path
    for path in ("/api/v1/appeals", "/api/v1/appeals/lookup", "/api/v1/chat", "/api/v1/desk/appeals"):
        assert all("503" in operation["responses"] for operation in document["paths"][path].values()), path
    assert document["paths"]["/api/v1/desk/appeals"]["get"]["security"]
    assert "security" not in document["paths"]["/api/v1/chat"]["post"]


async def test_no_schema_is_left_over(backend: Backend) -> None:
    document = await _described(backend)
    used = set(re.findall(r"#/components/schemas/([A-Za-z0-9_.-]+)", str(document)))
    assert used == set(document["components"]["schemas"])


async def test_answers_are_as_described(backend: Backend) -> None:
    document = await _described(backend)
    filed = await backend.file()
    number = filed["number"]
    task_force = await backend.staff(Role.TASKFORCE)
    await backend.container.people.create_account("helper", Role.LIAISON)
    await backend.container.people.create_account("officer", Role.ADMIN, None, "correct-horse-battery")
    calls: list[tuple[str, str, str, Any]] = [
        ("GET", "/healthz", "/healthz", None),
        ("GET", "/readyz", "/readyz", None),
        ("GET", "/api/v1/portal", "/api/v1/portal", None),
        ("POST", "/api/v1/chat", "/api/v1/chat", {"sender": "s", "message": "热线电话"}),
        ("GET", "/api/v1/knowledge/search", "/api/v1/knowledge/search?q=热线", None),
        ("POST", "/api/v1/knowledge/answer", "/api/v1/knowledge/answer", {"question": "热线"}),
        ("GET", "/api/v1/departments", "/api/v1/departments", None),
        ("GET", "/api/v1/territories", "/api/v1/territories", None),
        ("POST", "/api/v1/triage", "/api/v1/triage", {"text": "门口道路破损"}),
        ("POST", "/api/v1/appeals", "/api/v1/appeals", FILING),
        (
            "POST",
            "/api/v1/appeals/lookup",
            "/api/v1/appeals/lookup",
            {"number": number, "phone": FILING["phone"]},
        ),
        (
            "POST",
            "/api/v1/appeals/lookup",
            "/api/v1/appeals/lookup",
            {"number": number, "phone": "13800000009"},
        ),
        ("POST", "/api/v1/handoffs", "/api/v1/handoffs", {"sender": "s"}),
        ("GET", "/api/v1/calculators", "/api/v1/calculators", None),
        ("GET", "/api/v1/staff/me", "/api/v1/staff/me", None),
        ("POST", "/api/v1/staff/login", "/api/v1/staff/login", {"username": "officer", "password": "wrong"}),
        ("GET", "/api/v1/desk/appeals", "/api/v1/desk/appeals", None),
        ("GET", "/api/v1/desk/appeals/{number}", f"/api/v1/desk/appeals/{number}", None),
        ("GET", "/api/v1/desk/appeals/{number}/history", f"/api/v1/desk/appeals/{number}/history", None),
        (
            "POST",
            "/api/v1/desk/appeals/{number}/note",
            f"/api/v1/desk/appeals/{number}/note",
            {"text": "备注"},
        ),
        ("POST", "/api/v1/desk/appeals/{number}/note", f"/api/v1/desk/appeals/{number}/note", {}),
        ("GET", "/api/v1/desk/handoffs", "/api/v1/desk/handoffs", None),
        ("GET", "/api/v1/desk/figures", "/api/v1/desk/figures?by=level", None),
        ("GET", "/api/v1/desk/figures", "/api/v1/desk/figures?by=colour", None),
        ("GET", "/api/v1/desk/figures/table", "/api/v1/desk/figures/table", None),
        ("GET", _MONTH, "/api/v1/desk/liaisons/helper/months/2026-11", None),
        ("POST", _MONTH, "/api/v1/desk/liaisons/helper/months/2026-11", {"visit": True, "tracked": True}),
        ("GET", _MONTH, "/api/v1/desk/liaisons/nobody/months/2026-11", None),
        ("POST", "/api/v1/chat", "/api/v1/chat", {"sender": "s", "message": "红烧肉怎么做"}),
        ("GET", "/api/v1/desk/unanswered", "/api/v1/desk/unanswered", None),
        ("POST", "/api/v1/desk/unanswered/handled", "/api/v1/desk/unanswered/handled", {"ids": [1]}),
        ("POST", "/api/v1/desk/unanswered/handled", "/api/v1/desk/unanswered/handled", {"ids": [999]}),
        ("POST", "/api/v1/desk/unanswered/handled", "/api/v1/desk/unanswered/handled", {"ids": []}),
    ]
    for method, path, actual, body in calls:
        answer = await backend.client.request(method, actual, json=body, headers=task_force)
        responses = document["paths"][path][method.lower()]["responses"]
        assert str(answer.status) in responses, (path, answer.status)
        schema = responses[str(answer.status)]["content"]["application/json"]["schema"]
        Draft202012Validator({**schema, "components": document["components"]}).validate(await answer.json())


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_the_document_for_people_names_every_endpoint(endpoint: Endpoint[Any]) -> None:
    assert f"`{endpoint.method} {endpoint.path}`" in DOCUMENT.read_text(encoding="utf-8")


def test_the_document_for_people_names_nothing_else() -> None:
    named = set(re.findall(r"`((?:GET|POST) /[^`?\s]*)`", DOCUMENT.read_text(encoding="utf-8")))
    assert named == {f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS}
