"""Times without a zone and times that cannot be, in every field that takes one; and lists that never end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_origin

import pytest
from fault_office import Office
from pydantic import BaseModel

from backend.api.app import ENDPOINTS
from backend.api.openapi import describe
from backend.people.roles import Role

NAIVE = ["2026-11-20T10:00:00", "2026-11-20 10:00", "2026-11-20T10:00"]
ABSURD = [
    "0001-01-01T00:00:00+08:00",
    "9999-12-31T23:59:59-12:00",
    "2026-11-20T25:00:00+08:00",
    "2026-02-30T10:00:00+08:00",
    "1e400",
    "明天上午",
    "",
    0,
    -1,
    1e300,
    True,
    {"at": "2026-11-20"},
    ["2026-11-20T10:00:00+08:00"],
]
ABSURD_DAYS = [
    "0000-01-01",
    "0001-01-01",
    "9999-12-31",
    "2026-02-30",
    "2026-13-01",
    "今天",
    "20261301",
    "1e9",
]

BODIES: dict[str, dict[str, Any]] = {
    "/api/v1/desk/clocks": {
        "kind": "direct_line",
        "units": [],
        "subject": "企业办证遇到困难",
        "started_at": "2026-11-19T09:00:00+08:00",
        "due_at": "2026-11-27T09:00:00+08:00",
    },
    "/api/v1/desk/calendar/days": {"day": "2026-12-01", "working": False, "note": "测试放假"},
}
CALCULATORS: dict[str, dict[str, Any]] = {
    "deadline": {"level": "single", "submitted_at": ""},
    "catch-all": {"situation": "企业办证遇到困难", "submitted_at": ""},
    "policy-return": {"kind": "single", "handed_at": ""},
}
UNPAGED = {
    "/api/v1/portal": "suggestions of a page",
    "/api/v1/knowledge/search": "as many hits as were asked for",
    "/api/v1/departments": "of the knowledge base",
    "/api/v1/departments/{id}": "one department",
    "/api/v1/territories": "of the knowledge base",
    "/api/v1/calculators": "of the program",
    "/api/v1/calendar": "the days of one year",
    "/api/v1/staff/me": "actions of one account",
    "/api/v1/desk/appeals/{number}/history": "one appeal's record",
    "/api/v1/desk/appeals/{number}/similar": "the nearest few",
    "/api/v1/desk/figures/table": "one row for each department and territory",
}
"""Lists that are short by their nature, and why."""


def _formats(schema: Any, described: dict[str, Any]) -> set[str]:
    if isinstance(schema, list):
        return {found for item in schema for found in _formats(item, described)}
    if not isinstance(schema, dict):
        return set()
    if "$ref" in schema:
        return _formats(described["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]], described)
    own = {schema["format"]} if schema.get("format") in ("date", "date-time") else set()
    return own | {
        found for name, item in schema.items() if name != "properties" for found in _formats(item, described)
    }


def fields() -> Iterator[tuple[str, str, str, str, str]]:
    """Method, path, place, name and format of every field that takes a time or a day."""
    described = describe(ENDPOINTS, "test")
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                for found in _formats(parameter["schema"], described):
                    yield method, path, parameter["in"], parameter["name"], found
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            schema = content.get("schema", {})
            if "$ref" in schema:
                schema = described["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
            for name, item in schema.get("properties", {}).items():
                for found in _formats(item, described):
                    yield method, path, "body", name, found


FIELDS = sorted(set(fields()))


def test_every_body_with_a_time_is_tried() -> None:
    assert {path for _, path, place, _, _ in FIELDS if place == "body"} == set(BODIES)
    assert len(FIELDS) >= 10


@pytest.mark.database
async def test_a_time_that_cannot_be_is_refused_with_a_sentence(office: Office) -> None:
    wrong: list[tuple[object, ...]] = []
    headers = {"Authorization": f"Bearer {await office.token(Role.TASKFORCE)}"}
    for method, path, place, name, kind in FIELDS:
        for value in [*NAIVE, *ABSURD] if kind == "date-time" else [*ABSURD_DAYS, *ABSURD[8:]]:
            address, body, query = path, None, {}
            if place == "body":
                body = {**BODIES[path], name: value}
                if "units" in body:
                    body["units"] = office.departments[:1]
            elif not isinstance(value, str):
                continue
            elif place == "query":
                query = {name: value}
            else:
                address = path.replace("{" + name + "}", value or "x").replace(" ", "%20")
            async with office.client.request(
                method, address, params=query, json=body, headers=headers
            ) as answer:
                found = await answer.text()
                # what stands in a path and cannot be is not there
                fits = answer.status == (404 if place == "path" else 422) and '"message"' in found
                if not fits:
                    wrong.append((method, path, name, value, answer.status, found[:200]))
    assert wrong == []


@pytest.mark.database
@pytest.mark.parametrize("name", sorted(CALCULATORS))
async def test_a_calculator_computes_with_no_such_time(office: Office, name: str) -> None:
    body = CALCULATORS[name]
    field = next(key for key, value in body.items() if value == "")
    for value in [*NAIVE, *ABSURD]:
        answer = await office.post(f"/api/v1/calculators/{name}", {**body, field: value})
        assert (answer.status, answer.details["field"]) == (422, field), (value, answer.body)
        assert str(value) not in answer.body["error"]["message"] or value in ("", 0, -1)


@pytest.mark.database
async def test_all_calculators_with_times_are_tried(office: Office) -> None:
    listed = (await office.get("/api/v1/calculators")).body["calculators"]
    assert {found["name"] for found in listed if "date-time" in str(found)} == set(CALCULATORS)


def _lists(model: type[BaseModel]) -> bool:
    return any(get_origin(field.annotation) is list for field in model.model_fields.values())


def test_every_list_is_paged() -> None:
    listing = [
        endpoint
        for endpoint in ENDPOINTS
        if endpoint.method == "GET" and endpoint.gives and _lists(endpoint.gives)
    ]
    assert {endpoint.path for endpoint in listing} > set(UNPAGED)
    for endpoint in listing:
        taken = set(endpoint.takes.model_fields) if endpoint.takes else set()
        given = set(endpoint.gives.model_fields) if endpoint.gives else set()
        paged = {"page", "page_size"} <= taken and {"page", "page_size", "total"} <= given
        assert paged != (endpoint.path in UNPAGED), endpoint.path
        if paged and endpoint.takes:
            for name, most in (("page", 1_000_000), ("page_size", 100)):
                assert f"le={most}" in str(endpoint.takes.model_fields[name].metadata), endpoint.path
