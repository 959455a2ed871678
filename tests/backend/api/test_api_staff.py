"""Signing in: tokens for programs, cookies for pages, and no help for guessing."""

from __future__ import annotations

import pytest
from api_helpers import Backend, refused

from backend.api.authentication import COOKIE, CSRF_HEADER
from backend.people.roles import Role

PASSWORD = "correct-horse-battery"


@pytest.fixture
async def officer(backend: Backend) -> str:
    await backend.container.people.create_account("officer", Role.TASKFORCE, None, PASSWORD)
    return "officer"


async def login(
    backend: Backend, password: str = PASSWORD, username: str = "officer"
) -> tuple[int, dict[str, object]]:
    answer = await backend.post("/api/v1/staff/login", {"username": username, "password": password})
    return answer.status, await answer.json()


async def test_a_token_for_programs(backend: Backend, officer: str) -> None:
    status, body = await login(backend)
    assert status == 200
    assert body["account"] == {"username": officer, "role": "taskforce", "unit": None}
    assert str(body["expires_at"]).endswith("+08:00")
    backend.client.session.cookie_jar.clear()
    me = await backend.get("/api/v1/staff/me", headers={"Authorization": f"Bearer {body['token']}"})
    assert (await me.json())["account"] == body["account"]


async def test_a_cookie_that_scripts_cannot_read(backend: Backend, officer: str) -> None:
    answer = await backend.post("/api/v1/staff/login", {"username": officer, "password": PASSWORD})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for part in ("HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "Secure" not in cookie
    assert (await backend.get("/api/v1/staff/me")).status == 200


async def test_behind_tls_the_cookie_stays_there(backend: Backend, officer: str) -> None:
    headers = {"X-Forwarded-Proto": "https"}
    body = {"username": officer, "password": PASSWORD}
    answer = await backend.post("/api/v1/staff/login", body, headers=headers)
    assert "Secure" in answer.headers["Set-Cookie"]


async def test_a_foreign_page_cannot_use_the_cookie(backend: Backend, officer: str) -> None:
    await login(backend)
    answer = await backend.post("/api/v1/staff/logout")
    await refused(answer, 403, "csrf_header_missing")
    assert (await backend.get("/api/v1/staff/me")).status == 200
    answer = await backend.post("/api/v1/staff/logout", headers={CSRF_HEADER: "1"})
    assert answer.status == 200


async def test_logging_out_ends_the_token(backend: Backend, officer: str) -> None:
    _, body = await login(backend)
    headers = {"Authorization": f"Bearer {body['token']}"}
    answer = await backend.post("/api/v1/staff/logout", headers=headers)
    assert f'{COOKIE}=""' in answer.headers["Set-Cookie"]
    await refused(await backend.get("/api/v1/staff/me", headers=headers), 401, "not_authenticated")


async def test_a_token_ends_by_itself(backend: Backend, officer: str) -> None:
    _, body = await login(backend)
    backend.client.session.cookie_jar.clear()
    headers = {"Authorization": f"Bearer {body['token']}"}
    backend.clock.forward(hours=13)
    await refused(await backend.get("/api/v1/staff/me", headers=headers), 401, "not_authenticated")


async def test_a_wrong_password_and_an_unknown_name_answer_alike(backend: Backend, officer: str) -> None:
    wrong = await login(backend, "wrong-password")
    assert wrong == await login(backend, PASSWORD, "nobody")
    assert wrong[0] == 401


async def test_five_failures_shut_the_door_for_a_while(backend: Backend, officer: str) -> None:
    for _ in range(5):
        assert (await login(backend, "wrong-password"))[0] == 401
    answer = await backend.post("/api/v1/staff/login", {"username": officer, "password": PASSWORD})
    await refused(answer, 429, "too_many")
    assert int(answer.headers["Retry-After"]) > 0
    backend.clock.forward(minutes=16)
    assert (await login(backend))[0] == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Basic b2ZmaWNlcjp4",
        "Bearer " + "x" * 5000,
        "Bearer \u00e4",
        "bearer x y",
    ],
)
async def test_tokens_that_are_nobodys(backend: Backend, header: str) -> None:
    answer = await backend.get("/api/v1/staff/me", headers={"Authorization": header})
    await refused(answer, 401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_bearer_token_needs_no_header_against_foreign_pages(backend: Backend, officer: str) -> None:
    _, body = await login(backend)
    answer = await backend.post("/api/v1/staff/logout", headers={"Authorization": f"Bearer {body['token']}"})
    assert answer.status == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "a"},
        {"username": "", "password": "x"},
        {"username": "a", "password": "x" * 201},
        {"username": 1, "password": 2},
    ],
)
async def test_logins_that_cannot_be_tried(backend: Backend, body: dict[str, object]) -> None:
    await refused(await backend.post("/api/v1/staff/login", body), 422, "invalid_input")


async def test_a_page_learns_what_to_show(backend: Backend) -> None:
    actions = {}
    for role in (Role.EDITOR, Role.LIAISON, Role.ADMIN):
        headers = await backend.staff(role)
        me = await (await backend.get("/api/v1/staff/me", headers=headers)).json()
        actions[role] = set(me["actions"])
    assert "content.edit" in actions[Role.EDITOR]
    assert "appeals.view" not in actions[Role.EDITOR]
    assert "appeals.file" in actions[Role.LIAISON]
    assert "accounts.manage" not in actions[Role.LIAISON]
    assert "accounts.manage" in actions[Role.ADMIN]
