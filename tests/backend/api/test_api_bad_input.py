"""Whatever is sent, the answer is a success or a 4xx with a sentence, never a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import FormData
from api_helpers import FILING, Backend, refused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.api.app import ENDPOINTS
from backend.api.endpoints import Endpoint
from backend.people.roles import Role
from backend.permissions import may

JSON_HEADERS = {"Content-Type": "application/json"}
READING = [endpoint for endpoint in ENDPOINTS if endpoint.reads_body]
NASTY: list[Any] = [
    "",
    " \n\t",
    "字" * 10_000,
    "\x00\x01\x1b\x7f",
    "\ud800",
    "😀" * 50,
    "<script>alert('x')</script>",
    "'; DROP TABLE appeals; --",
    "1380000000",
    "2026-11-21",
    "../../etc/passwd",
    "{{7*7}}${7*7}%s%n",
    "\u202e\u200b\ufeff",
    "QT20261116-0001",
    0,
    -1,
    10**400,
    1e308,
    True,
    None,
    [],
    {},
    [[[[[[]]]]]],
    {"a": {"b": {"c": 1}}},
]

NO_OBJECTS = [
    (b"{", 400),
    (b"nonsense", 400),
    (b"\xff\xfe\x00", 400),
    (b'{"a": NaN}', 400),
    (b'{"a": Infinity}', 400),
    (b"[" * 20_000, 400),
    (b'{"a":' * 100 + b"1" + b"}" * 100, 400),
    (b"[" * 33 + b"]" * 33, 400),
    (b'{"a": ' + b"9" * 5000 + b"}", 400),
    (b"[]", 422),
    (b'"text"', 422),
    (b"null", 422),
    (b"5", 422),
    (b" " * 65_537, 413),
]


async def _checked(answer: Any) -> None:
    text = (await answer.read()).decode("utf-8", "replace")  # a table of figures is no text
    assert answer.status < 500, text
    if answer.status >= 400:
        body = json.loads(text)
        assert set(body) == {"error"}
        assert any("\u4e00" <= sign <= "\u9fff" for sign in body["error"]["message"]), text
        json.dumps(body, ensure_ascii=False).encode("utf-8")


def _path(endpoint: Endpoint[Any], value: str = "QT20261116-0001") -> str:
    path = endpoint.path
    for name in endpoint.path_fields:
        path = path.replace("{" + name + "}", value)
    return path


async def _send(backend: Backend, endpoint: Endpoint[Any], body: Any, headers: dict[str, str]) -> Any:
    data = json.dumps(body).encode()
    return await backend.client.post(_path(endpoint), data=data, headers={**JSON_HEADERS, **headers})


def _valid(endpoint: Endpoint[Any]) -> dict[str, Any]:
    """A body that is complete enough for one field after the other to be spoilt."""
    known: dict[str, Any] = {
        **FILING,
        "sender": "s",
        "message": "热线电话",
        "question": "热线电话",
        "number": "QT20261116-0001",
    }
    known |= {"username": "u", "password": "p", "result": "resolved", "stars": 5, "reason": "说明理由"}
    known |= {"department": "区住建局", "lead_department": "区住建局", "to_level": 2}
    return {name: known[name] for name in endpoint.other_fields if name in known}


@pytest.mark.parametrize("endpoint", READING, ids=lambda endpoint: endpoint.name)
async def test_every_field_of_every_endpoint_takes_anything(
    backend: Backend, endpoint: Endpoint[Any]
) -> None:
    headers = await backend.staff(Role.TASKFORCE)
    for field in endpoint.other_fields:
        for value in NASTY:
            body = value if endpoint.whole_body == field else {**_valid(endpoint), field: value}
            await _checked(await _send(backend, endpoint, body, headers))


@pytest.mark.parametrize(
    "endpoint",
    [found for found in ENDPOINTS if found.takes and not found.reads_body],
    ids=lambda found: found.name,
)
async def test_every_query_and_path_takes_anything(backend: Backend, endpoint: Endpoint[Any]) -> None:
    headers = await backend.staff(Role.TASKFORCE)
    method = endpoint.method
    for value in (str(nasty) for nasty in NASTY):
        text = value.encode("utf-8", "replace").decode()
        for field in endpoint.other_fields:
            await _checked(
                await backend.client.request(method, _path(endpoint), params={field: text}, headers=headers)
            )
        if endpoint.path_fields and text.strip("./"):
            url = backend.client.make_url("/").joinpath(*_path(endpoint, "@").strip("/").split("/"))
            url = url.with_path(url.path.replace("@", text.replace("/", "%2F")))
            await _checked(await backend.client.session.request(method, url, headers=headers))


@pytest.mark.parametrize("endpoint", READING, ids=lambda endpoint: endpoint.name)
async def test_bodies_that_are_no_object(backend: Backend, endpoint: Endpoint[Any]) -> None:
    headers = JSON_HEADERS
    if endpoint.access == "staff":
        # whoever may do it: another is refused before the body is read
        role = next(r for r in Role if endpoint.action is None or may(r, endpoint.action))
        unit = {Role.DEPARTMENT: "区住建局", Role.TERRITORY: "下沙街道"}.get(role)
        headers = {**JSON_HEADERS, **(await backend.staff(role, unit))}
    for raw, status in NO_OBJECTS:
        answer = await backend.client.post(_path(endpoint), data=raw, headers=headers)
        await _checked(answer)
        assert answer.status == status, raw[:20]


async def test_other_media_types_are_refused(backend: Backend) -> None:
    path = "/api/v1/chat"
    body = json.dumps({"sender": "s", "message": "你好"})
    for headers in (
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=gbk"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {"Content-Type": "application/json", "Content-Encoding": "no-such"},
    ):
        answer = await backend.client.post(path, data=body.encode(), headers=headers)
        await refused(answer, 415, "wrong_media_type")
    answer = await backend.client.post(path, data=FormData({"sender": "s", "message": "你好"}))
    await refused(answer, 415, "wrong_media_type")
    good = {"Content-Type": "application/json; charset=UTF-8"}
    assert (await backend.client.post(path, data=body.encode(), headers=good)).status == 200


async def test_half_an_emoji_is_dropped(backend: Backend) -> None:
    backend.bot.ready = True
    raw = b'{"sender": "s", "message": "\\u4f60\\u597d\\ud83d"}'
    answer = await backend.client.post("/api/v1/chat", data=raw, headers=JSON_HEADERS)
    assert answer.status == 200
    assert backend.bot.heard[0][1] == "你好"


async def test_an_unknown_field_is_named_and_not_repeated_whole(backend: Backend) -> None:
    name = "字" * 300 + "\ud800\x00"
    raw = json.dumps({"sender": "s", "message": "你好", name: 1}).encode()
    answer = await backend.client.post("/api/v1/chat", data=raw, headers=JSON_HEADERS)
    message = await refused(answer, 422, "invalid_input")
    assert "字" * 40 in message
    assert len(message) < 80


async def test_what_was_sent_is_not_repeated(backend: Backend) -> None:
    answer = await backend.post("/api/v1/appeals", {**FILING, "phone": "1380000777"})
    assert "1380000777" not in await answer.text()
    answer = await backend.post("/api/v1/staff/login", {"username": "u", "password": ["very-secret"]})
    assert "very-secret" not in await answer.text()


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/api/v1/appeals"), ("PUT", "/api/v1/chat"), ("GET", "/api/v1/triage")]
)
async def test_wrong_methods(backend: Backend, method: str, path: str) -> None:
    answer = await backend.client.request(method, path)
    await refused(answer, 405, "wrong_method")
    assert answer.headers["Allow"] == "POST"


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[Endpoint[Any], str, Any, dict[str, str]]:
    endpoint = draw(st.sampled_from(ENDPOINTS))
    words = st.text(min_size=1, max_size=30) | st.sampled_from(["QT20261116-0001", "deadline", "1"])
    names = st.sampled_from(endpoint.other_fields) if endpoint.other_fields else st.just("x")
    values = ANYTHING | st.sampled_from(NASTY) | st.sampled_from(list(_valid(endpoint).values()) or [""])
    spoilt = draw(st.dictionaries(names | st.text(max_size=10), values, max_size=4))
    body = draw(st.just({**_valid(endpoint), **spoilt}) | ANYTHING)
    query = {name: str(value)[:3000] for name, value in spoilt.items()} if endpoint.method == "GET" else {}
    return endpoint, draw(words), body, query


async def test_anything_at_any_endpoint(backend: Backend) -> None:
    headers = await backend.staff(Role.TASKFORCE)
    cases: list[tuple[Endpoint[Any], str, Any, dict[str, str]]] = []

    @settings(
        max_examples=400,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(requests())
    def collect(case: tuple[Endpoint[Any], str, Any, dict[str, str]]) -> None:
        cases.append(case)

    collect()
    for endpoint, word, body, query in cases:
        path = endpoint.path
        segment = word.encode("utf-8", "ignore").decode().replace("/", "") or "x"
        for name in endpoint.path_fields:
            path = path.replace("{" + name + "}", "@")
        url = backend.client.make_url("/")
        url = url.with_path(path.replace("@", segment if segment.strip(".") else "x"))
        clean = {
            key.encode("utf-8", "ignore").decode(): value.encode("utf-8", "ignore").decode()
            for key, value in query.items()
        }
        data = json.dumps(body).encode() if endpoint.method == "POST" else None
        answer = await backend.client.session.request(
            endpoint.method,
            url.with_query(clean),
            data=data,
            headers={**headers, **(JSON_HEADERS if data else {})},
        )
        if endpoint.path != "/readyz":
            await _checked(answer)
