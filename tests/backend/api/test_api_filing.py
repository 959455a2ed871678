"""Filing and following: the enterprise's side."""

from __future__ import annotations

import asyncio

import pytest
from api_helpers import FILING, PHONE, Backend, refused
from sqlalchemy import event

from backend.api.fields import LOCAL_TIME
from backend.people.roles import Role


async def test_filing_answers_number_level_lead_and_due_time(backend: Backend) -> None:
    answer = await backend.post("/api/v1/appeals", FILING)
    assert answer.status == 201
    body = await answer.json()
    appeal = body["appeals"][0]
    assert set(appeal) == {
        "number",
        "text",
        "category",
        "level",
        "level_text",
        "lead_department",
        "co_departments",
        "territory",
        "state",
        "state_text",
        "submitted_at",
        "due_at",
        "due_provisional",
        "merged_into",
    }
    assert appeal["number"].startswith("QT20261116-")
    assert appeal["state_text"] == "已提交"
    assert appeal["submitted_at"] == backend.clock().astimezone(LOCAL_TIME).isoformat()
    assert appeal["due_at"].endswith("T17:30:00+08:00")
    assert PHONE not in str(body)


async def test_the_same_key_files_once_even_at_the_same_time(backend: Backend) -> None:
    body = {**FILING, "idempotency_key": "one-filing"}
    answers = await asyncio.gather(*(backend.post("/api/v1/appeals", body) for _ in range(8)))
    assert {answer.status for answer in answers} == {201}
    assert len({await answer.text() for answer in answers}) == 1
    number = (await answers[0].json())["appeals"][0]["number"]
    other = await backend.file()
    assert int(other["number"][-4:]) == int(number[-4:]) + 1


async def test_a_key_used_for_something_else_is_a_conflict(backend: Backend) -> None:
    await backend.file(idempotency_key="k")
    answer = await backend.post("/api/v1/appeals", {**FILING, "contact": "李红", "idempotency_key": "k"})
    await refused(answer, 409, "idempotency_conflict")


async def test_the_conflict_names_what_was_filed(backend: Backend) -> None:
    key = "5f0c9d3a71e24b8c9a6e2d4f81b7c035"
    filed = await backend.file(idempotency_key=key)
    answer = await backend.post("/api/v1/appeals", {**FILING, "contact": "李红", "idempotency_key": key})
    await refused(answer, 409, "idempotency_conflict")
    assert (await answer.json())["error"]["details"] == {"numbers": [filed["number"]]}


async def test_who_lost_the_answer_asks_by_the_key(backend: Backend) -> None:
    key = "5f0c9d3a71e24b8c9a6e2d4f81b7c035"
    body = {"idempotency_key": key}
    await refused(await backend.post("/api/v1/appeals/filed", body), 404, "not_found")
    first = await (await backend.post("/api/v1/appeals", {**FILING, **body})).json()
    answer = await backend.post("/api/v1/appeals/filed", body)
    assert answer.status == 200
    assert await answer.json() == first
    assert PHONE not in await answer.text()


async def test_a_key_that_can_be_guessed_shows_nothing(backend: Backend) -> None:
    await backend.file(idempotency_key="order-1")
    known = await backend.post("/api/v1/appeals/filed", {"idempotency_key": "order-1"})
    unknown = await backend.post("/api/v1/appeals/filed", {"idempotency_key": "order-2"})
    assert known.status == 404
    assert await known.read() == await unknown.read()
    answer = await backend.post(
        "/api/v1/appeals", {**FILING, "contact": "李红", "idempotency_key": "order-1"}
    )
    assert (await answer.json())["error"]["details"] == {"numbers": []}


async def test_filings_at_the_same_time_get_their_own_numbers(backend: Backend) -> None:
    filed = await asyncio.gather(*(backend.file(text=f"第{n}号厂房漏水，请派人来看看。") for n in range(20)))
    assert len({appeal["number"] for appeal in filed}) == 20


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("enterprise", ""),
        ("enterprise", "   "),
        ("enterprise", "企" * 10_000),
        ("enterprise", "😀"),
        ("contact", ""),
        ("contact", "\x00\x01"),
        ("phone", ""),
        ("phone", "1380000000"),
        ("phone", "138000000011"),
        ("phone", "20261121"),
        ("phone", "2026-11-21"),
        ("phone", "2026年11月21日"),
        ("phone", "12345678901"),
        ("phone", "９" * 5000),
        ("phone", "one three eight"),
        ("text", ""),
        ("text", " \n "),
        ("text", "字" * 10_000),
        ("text", "🚀🚀🚀🚀"),
        ("territory", "月球街道"),
        ("channel", "a channel"),
        ("channel", "<script>"),
        ("idempotency_key", "k" * 1000),
        ("idempotency_key", ""),
        ("enterprise", 5),
        ("contact", None),
        ("phone", ["13800000001"]),
        ("text", {"a": "b"}),
        ("phone", 13800000001),
    ],
)
async def test_a_field_that_cannot_be_used_is_named(backend: Backend, field: str, value: object) -> None:
    answer = await backend.post("/api/v1/appeals", {**FILING, field: value})
    await refused(answer, 422, "invalid_input")
    assert (await answer.json())["error"]["details"]["field"].split(".")[0] == field


@pytest.mark.parametrize("field", ["enterprise", "contact", "phone", "text"])
async def test_a_missing_field_is_named(backend: Backend, field: str) -> None:
    answer = await backend.post(
        "/api/v1/appeals", {key: value for key, value in FILING.items() if key != field}
    )
    await refused(answer, 422, "invalid_input")
    assert (await answer.json())["error"]["details"]["field"] == field


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)> 请修路",
        "'; DROP TABLE appeals; -- 请修路",
        "请修路谢谢😀👨‍👩‍👧",
        "请修路\x00\x1b[0m谢谢",
    ],
)
async def test_html_sql_emoji_and_controls_are_only_text(backend: Backend, text: str) -> None:
    filed = await backend.file(text=text)
    answer = await backend.post("/api/v1/appeals/lookup", {"number": filed["number"], "phone": PHONE})
    kept = (await answer.json())["appeal"]["text"]
    assert "请修路" in kept
    assert "\x00" not in kept
    assert "\x1b" not in kept


async def test_lookup_shows_what_the_enterprise_may_see(backend: Backend) -> None:
    filed = await backend.file()
    answer = await backend.post("/api/v1/appeals/lookup", {"number": filed["number"], "phone": PHONE})
    appeal = (await answer.json())["appeal"]
    assert {key: appeal[key] for key in filed} == filed
    assert appeal["replies"] == []
    assert appeal["feedback"] is None
    assert [line["event"] for line in appeal["history"]] == ["file"]
    assert PHONE not in str(appeal)
    assert "王小明" not in str(appeal)


async def test_lookup_understands_numbers_as_people_type_them(backend: Backend) -> None:
    filed = await backend.file()
    for number in (filed["number"].lower(), f" {filed['number']} ", filed["number"].replace("-", "－")):
        answer = await backend.post("/api/v1/appeals/lookup", {"number": number, "phone": "138 0000 0001"})
        assert answer.status == 200, number


async def test_a_wrong_phone_and_an_unknown_number_answer_with_the_same_bytes(backend: Backend) -> None:
    filed = await backend.file()
    unknown = "QT20261116-9999"
    tries = [
        {"number": filed["number"], "phone": "13800000002"},
        {"number": unknown, "phone": PHONE},
        {"number": "nonsense", "phone": PHONE},
        {"number": filed["number"], "phone": "not a phone"},
    ]
    answers = [await backend.post("/api/v1/appeals/lookup", body) for body in tries]
    feedback = {"result": "resolved", "stars": 5}
    answers += [
        await backend.post(f"/api/v1/appeals/{body['number']}/feedback", {"phone": body["phone"], **feedback})
        for body in tries
    ]
    assert {answer.status for answer in answers} == {404}
    assert len({await answer.read() for answer in answers}) == 1
    volatile = {"Date"}
    heads = {
        tuple((key, value) for key, value in answer.headers.items() if key not in volatile)
        for answer in answers
    }
    assert len(heads) == 1


async def test_a_wrong_phone_and_an_unknown_number_cost_the_same_queries(backend: Backend) -> None:
    filed = await backend.file()
    asked: list[str] = []
    engine = backend.container.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2].split(" WHERE")[0]))
    costs = []
    for body in (
        {"number": filed["number"], "phone": "13800000002"},
        {"number": "QT20261116-9999", "phone": PHONE},
    ):
        asked.clear()
        await backend.post("/api/v1/appeals/lookup", body)
        costs.append(sum("FROM appeals" in query for query in asked))
    assert costs[0] == costs[1] == 1


async def test_guessing_is_slowed_for_known_and_unknown_numbers_alike(backend: Backend) -> None:
    filed = await backend.file()
    for number in (filed["number"], "QT20261116-9999"):
        statuses = []
        for guess in range(12):
            body = {"number": number, "phone": f"1390000{guess:04d}"}
            statuses.append((await backend.post("/api/v1/appeals/lookup", body)).status)
        assert statuses == [404] * 10 + [429] * 2
    other = await backend.file()
    answer = await backend.post("/api/v1/appeals/lookup", {"number": other["number"], "phone": PHONE})
    assert answer.status == 200


async def test_who_knows_both_is_not_locked_out_by_others(backend: Backend) -> None:
    number = (await backend.file())["number"]
    tries = [{"number": number, "phone": f"1390000{guess:04d}"} for guess in range(11)]
    statuses = [(await backend.post("/api/v1/appeals/lookup", body)).status for body in tries]
    assert statuses == [404] * 10 + [429]
    for _ in range(2):
        answer = await backend.post("/api/v1/appeals/lookup", {"number": number, "phone": PHONE})
        assert answer.status == 200
    assert (await backend.post("/api/v1/appeals/lookup", tries[0])).status == 429


async def test_tries_at_the_same_time_are_counted_too(backend: Backend) -> None:
    number = (await backend.file())["number"]
    tries = [{"number": number, "phone": f"1390000{guess:04d}"} for guess in range(30)]
    answers = await asyncio.gather(*(backend.post("/api/v1/appeals/lookup", body) for body in tries))
    assert [answer.status for answer in answers].count(404) == 10


async def test_right_look_ups_cost_nothing(backend: Backend) -> None:
    number = (await backend.file())["number"]
    body = {"number": number, "phone": PHONE}
    for _ in range(25):
        assert (await backend.post("/api/v1/appeals/lookup", body)).status == 200
    wrong = await backend.post("/api/v1/appeals/lookup", {**body, "phone": "13900000000"})
    assert wrong.status == 404


async def test_one_phone_cannot_try_every_number(backend: Backend) -> None:
    statuses = []
    for n, phone in enumerate([PHONE, "138 0000 0001", "+86-13800000001", "138-0000-0001"] * 3, 100):
        body = {"number": f"QT20261116-{n:04d}", "phone": phone}
        statuses.append((await backend.post("/api/v1/appeals/lookup", body)).status)
    assert statuses == [404] * 10 + [429] * 2


async def test_feedback_before_the_department_is_a_conflict(backend: Backend) -> None:
    filed = await backend.file()
    body = {"phone": PHONE, "result": "resolved", "stars": 5}
    answer = await backend.post(f"/api/v1/appeals/{filed['number']}/feedback", body)
    assert answer.status == 409


@pytest.mark.parametrize("deed", ["feedback", "withdraw", "separate"])
@pytest.mark.parametrize("by_cookie", [False, True])
async def test_staff_cannot_speak_for_the_enterprise(backend: Backend, deed: str, by_cookie: bool) -> None:
    number = (await backend.file())["number"]
    headers = await backend.staff(Role.TERRITORY, "下沙街道")
    if by_cookie:
        headers = {"Cookie": "qifu_session=" + headers["Authorization"].removeprefix("Bearer ")}
    body = {"phone": PHONE} | ({"result": "resolved", "stars": 5} if deed == "feedback" else {})
    path = f"/api/v1/appeals/{number}/{deed}"
    answer = await backend.post(path, body, headers=headers)
    await refused(answer, 403, "enterprise_only")
    gone = {"Authorization": "Bearer nobody-has-this-one"}
    assert (await backend.post(path, body, headers=gone)).status in (200, 409)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("result", "maybe"),
        ("stars", 0),
        ("stars", 6),
        ("stars", "5"),
        ("stars", True),
        ("stars", 10**400),
        ("more", 1),
    ],
)
async def test_feedback_that_cannot_be_used(backend: Backend, field: str, value: object) -> None:
    filed = await backend.file()
    body = {"phone": PHONE, "result": "resolved", "stars": 5, field: value}
    answer = await backend.post(f"/api/v1/appeals/{filed['number']}/feedback", body)
    assert answer.status in {400, 422}


async def test_withdrawing(backend: Backend) -> None:
    filed = await backend.file()
    path = f"/api/v1/appeals/{filed['number']}/withdraw"
    answer = await backend.post(path, {"phone": PHONE, "reason": "已自行解决"})
    assert (await answer.json())["appeal"]["state_text"] == "已撤回"
    assert (await backend.post(path, {"phone": PHONE})).status == 409
    assert (await backend.post(path, {"phone": "13800000002"})).status == 404
