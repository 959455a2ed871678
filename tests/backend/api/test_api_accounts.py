"""Keeping accounts over HTTP, and what everybody may do with their own."""

from __future__ import annotations

from typing import Any

import pytest
from api_helpers import Backend, refused

from backend.api.authentication import COOKIE, CSRF_HEADER, DEVICES_COOKIE
from backend.people.roles import Role

PASSWORD = "correct-horse-battery"
ACCOUNTS = "/api/v1/accounts"


@pytest.fixture
async def chief(backend: Backend) -> dict[str, str]:
    return await backend.staff(Role.ADMIN)


async def create(backend: Backend, headers: dict[str, str], **more: Any) -> dict[str, Any]:
    body = {"username": "wang", "role": "operator", "password": PASSWORD, **more}
    answer = await backend.post(ACCOUNTS, body, headers=headers)
    assert answer.status == 201, await answer.text()
    found = (await answer.json())["account"]
    assert isinstance(found, dict)
    return found


async def login(backend: Backend, username: str = "wang", password: str = PASSWORD, **more: Any) -> Any:
    return await backend.post("/api/v1/staff/login", {"username": username, "password": password}, **more)


async def bearer(backend: Backend, username: str = "wang") -> dict[str, str]:
    token = (await (await login(backend, username)).json())["token"]
    backend.client.session.cookie_jar.clear()
    return {"Authorization": f"Bearer {token}"}


async def test_the_life_of_an_account(backend: Backend, chief: dict[str, str]) -> None:
    department = backend.container.directory.departments()[0].name
    made = await create(backend, chief)
    assert made == {
        "username": "wang",
        "role": "operator",
        "unit": None,
        "created_at": "2026-11-16T10:00:00+08:00",
        "disabled_at": None,
        "password": True,
    }
    one = f"{ACCOUNTS}/wang"
    wang = await bearer(backend)
    answer = await backend.post(f"{one}/role", {"role": "department", "unit": department}, headers=chief)
    assert (await answer.json())["account"]["unit"] == department
    await refused(await backend.get("/api/v1/staff/me", headers=wang), 401, "not_authenticated")
    answer = await backend.post(f"{one}/disable", headers=chief)
    assert (await answer.json())["account"]["disabled_at"] == "2026-11-16T10:00:00+08:00"
    await refused(await login(backend), 401, "wrong_login")
    answer = await backend.post(f"{one}/enable", headers=chief)
    assert (await answer.json())["account"]["disabled_at"] is None
    answer = await backend.post(f"{one}/password", {"password": "another-long-one"}, headers=chief)
    assert answer.status == 200
    await refused(await login(backend), 401, "wrong_login")
    assert (await login(backend, password="another-long-one")).status == 200
    answer = await backend.get(one, headers=chief)
    assert (await answer.json())["account"]["role"] == "department"


async def test_accounts_are_listed_with_filters(backend: Backend, chief: dict[str, str]) -> None:
    await create(backend, chief)
    await create(backend, chief, username="li", password=None)
    await backend.post(f"{ACCOUNTS}/li/disable", headers=chief)

    async def listed(query: str) -> tuple[int, list[str]]:
        body = await (await backend.get(ACCOUNTS + query, headers=chief)).json()
        return body["total"], [account["username"] for account in body["accounts"]]

    assert (await listed("?page_size=1"))[0] == 3
    assert await listed("?role=operator") == (2, ["li", "wang"])
    assert await listed("?role=operator&in_use=true") == (1, ["wang"])
    assert await listed("?q=LI&role=operator") == (1, ["li"])
    assert await listed("?role=operator&page=2&page_size=1") == (2, ["wang"])
    await refused(await backend.get(ACCOUNTS + "?role=king", headers=chief), 422, "invalid_input")


async def test_tokens_for_programs(backend: Backend, chief: dict[str, str]) -> None:
    await create(backend, chief)
    tokens = f"{ACCOUNTS}/wang/tokens"
    issued = await (await backend.post(tokens, {"label": "日报", "days": 2}, headers=chief)).json()
    assert issued["expires_at"] == "2026-11-18T10:00:00+08:00"
    headers = {"Authorization": f"Bearer {issued['token']}"}
    assert (await backend.get("/api/v1/staff/me", headers=headers)).status == 200
    other = await (await backend.post(tokens, {"label": "周报"}, headers=chief)).json()
    listed = await (await backend.get(tokens, headers=chief)).json()
    assert [(token["id"], token["label"], token["good"]) for token in listed["tokens"]] == [
        (other["id"], "周报", True),
        (issued["id"], "日报", True),
    ]
    assert listed["tokens"][1]["last_used_at"] == "2026-11-16T10:00:00+08:00"
    assert issued["token"] not in str(listed)
    for _ in range(2):
        assert (await backend.post(f"{tokens}/{issued['id']}/revoke", headers=chief)).status == 200
    await refused(await backend.get("/api/v1/staff/me", headers=headers), 401, "not_authenticated")
    answer = await backend.post(f"{tokens}/revoke", {"label": "日报"}, headers=chief)
    assert await answer.json() == {"revoked": 0}
    assert await (await backend.post(f"{tokens}/revoke", headers=chief)).json() == {"revoked": 1}
    listed = await (await backend.get(tokens, headers=chief)).json()
    assert [token["good"] for token in listed["tokens"]] == [False, False]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("", {"username": "x", "role": "operator"}, "username"),
        ("", {"username": "li", "role": "department"}, "unit"),
        ("", {"username": "li", "role": "operator", "password": "short"}, "password"),
        ("/wang/role", {"role": "territory", "unit": "火星街道"}, "unit"),
        ("/wang/password", {"password": "wang"}, "password"),
        ("/wang/tokens", {"label": "login"}, "label"),
        ("/wang/tokens", {"label": "日报", "days": 0}, "days"),
    ],
)
async def test_what_cannot_be_done(
    backend: Backend, chief: dict[str, str], path: str, body: dict[str, Any], field: str
) -> None:
    await create(backend, chief)
    answer = await backend.post(ACCOUNTS + path, body, headers=chief)
    await refused(answer, 422, "invalid_input")
    assert (await answer.json())["error"]["details"]["field"] == field


async def test_names_that_are_taken_and_admins_that_must_stay(
    backend: Backend, chief: dict[str, str]
) -> None:
    await create(backend, chief)
    answer = await backend.post(ACCOUNTS, {"username": "WANG", "role": "operator"}, headers=chief)
    await refused(answer, 409, "username_taken")
    me = (await (await backend.get("/api/v1/staff/me", headers=chief)).json())["account"]["username"]
    await refused(await backend.post(f"{ACCOUNTS}/{me}/disable", headers=chief), 409, "last_admin")
    answer = await backend.post(f"{ACCOUNTS}/{me}/role", {"role": "operator"}, headers=chief)
    await refused(answer, 409, "last_admin")


async def test_ones_own_sessions(backend: Backend, chief: dict[str, str]) -> None:
    await create(backend, chief)
    here, elsewhere = await bearer(backend), await bearer(backend)
    listed = await (await backend.get("/api/v1/staff/sessions", headers=here)).json()
    assert listed["total"] == 2
    (other,) = [session for session in listed["sessions"] if not session["current"]]
    assert (other["label"], other["last_used_at"]) == ("login", None)
    path = f"/api/v1/staff/sessions/{other['id']}/revoke"
    theirs = await backend.post(path, headers=chief)
    missing = await backend.post("/api/v1/staff/sessions/999999/revoke", headers=chief)
    assert (theirs.status, await theirs.read()) == (missing.status, await missing.read())
    assert (await backend.get("/api/v1/staff/me", headers=elsewhere)).status == 200
    assert (await backend.post(path, headers=here)).status == 200
    await refused(await backend.get("/api/v1/staff/me", headers=elsewhere), 401, "not_authenticated")
    assert (await backend.get("/api/v1/staff/me", headers=here)).status == 200


async def test_ones_own_password(backend: Backend, chief: dict[str, str]) -> None:
    await create(backend, chief)
    here, elsewhere = await bearer(backend), await bearer(backend)
    path = "/api/v1/staff/password"
    body = {"old_password": "wrong-password", "new_password": "another-long-one"}
    await refused(await backend.post(path, body, headers=here), 422, "wrong_password")
    body["old_password"] = PASSWORD
    assert (await backend.post(path, body, headers=here)).status == 200
    await refused(await backend.get("/api/v1/staff/me", headers=elsewhere), 401, "not_authenticated")
    assert (await backend.get("/api/v1/staff/me", headers=here)).status == 200
    assert (await login(backend, password="another-long-one")).status == 200


async def test_a_browser_that_is_known_gets_in_while_strangers_fail(
    backend: Backend, chief: dict[str, str]
) -> None:
    await create(backend, chief)
    answer = await login(backend)
    cookie = next(one for one in answer.headers.getall("Set-Cookie") if one.startswith(DEVICES_COOKIE))
    for part in ("HttpOnly", "SameSite=Strict", "Path=/api/v1/staff/login", "Max-Age="):
        assert part in cookie
    mark = answer.cookies[DEVICES_COOKIE].value
    backend.client.session.cookie_jar.clear()
    for _ in range(5):
        assert (await login(backend, password="wrong-password")).status == 401
    await refused(await login(backend), 429, "too_many")
    assert (await login(backend, headers={"Cookie": f"{DEVICES_COOKIE}={mark}"})).status == 200
    backend.client.session.cookie_jar.clear()
    # the mark alone opens nothing
    for name in (DEVICES_COOKIE, COOKIE):
        answer = await backend.get("/api/v1/staff/me", headers={"Cookie": f"{name}={mark}"})
        await refused(answer, 401, "not_authenticated")


async def test_one_address_cannot_try_many_names(backend: Backend, chief: dict[str, str]) -> None:
    await create(backend, chief)
    await create(backend, chief, username="li")
    mark = (await login(backend)).cookies[DEVICES_COOKIE].value
    backend.client.session.cookie_jar.clear()
    flood = {"X-Forwarded-For": "198.51.100.7"}
    for number in range(20):
        assert (await login(backend, f"name{number}", "wrong-password", headers=flood)).status == 401
    await refused(await login(backend, "li", headers=flood), 429, "too_many")
    await refused(await login(backend, "nobody", headers=flood), 429, "too_many")
    known = {**flood, "Cookie": f"{DEVICES_COOKIE}={mark}"}
    assert (await login(backend, headers=known)).status == 200
    backend.client.session.cookie_jar.clear()
    await refused(await login(backend, "li", headers=known), 429, "too_many")
    assert (await login(backend, "li", headers={"X-Forwarded-For": "203.0.113.9"})).status == 200
    assert (await login(backend, "li")).status == 200


async def test_those_who_get_in_use_nothing_up(backend: Backend, chief: dict[str, str]) -> None:
    await create(backend, chief)
    office = {"X-Forwarded-For": "198.51.100.7"}
    for _ in range(30):
        assert (await login(backend, headers=office)).status == 200
        backend.client.session.cookie_jar.clear()


async def test_liaisons_and_their_enterprises(backend: Backend, chief: dict[str, str]) -> None:
    await create(backend, chief, username="zhu", role="liaison")
    force = await backend.staff(Role.TASKFORCE)
    one = "/api/v1/liaisons/zhu"
    body = {"enterprise": "杭州测试科技有限公司"}
    for _ in range(2):
        answer = await backend.post(f"{one}/pair", body, headers=force)
        assert await answer.json() == {"username": "zhu", "since": "2026-11-16T10:00:00+08:00", **body}
    listed = await (await backend.get("/api/v1/liaisons", headers=force)).json()
    assert listed["liaisons"] == [{"username": "zhu", "unit": None, "enterprises": 1}]
    zhu = await bearer(backend, "zhu")
    own = await (await backend.get(f"{one}/enterprises", headers=zhu)).json()
    assert [pairing["enterprise"] for pairing in own["enterprises"]] == [body["enterprise"]]
    assert (await backend.post(f"{one}/unpair", body, headers=force)).status == 200
    await refused(await backend.post(f"{one}/unpair", body, headers=force), 404, "not_found")
    assert (await (await backend.get(f"{one}/enterprises", headers=zhu)).json())["total"] == 0


async def test_a_cookie_needs_its_header_here_too(backend: Backend, chief: dict[str, str]) -> None:
    await create(backend, chief, username="second", role="admin")
    await login(backend, "second")
    body = {"username": "li", "role": "operator"}
    await refused(await backend.post(ACCOUNTS, body), 403, "csrf_header_missing")
    assert (await backend.post(ACCOUNTS, body, headers={CSRF_HEADER: "1"})).status == 201


async def test_the_log_tells_who_did_what(backend: Backend, chief: dict[str, str]) -> None:
    await create(backend, chief)
    await backend.post(f"{ACCOUNTS}/wang/disable", headers=chief)
    found = await (await backend.get("/api/v1/audit?page_size=2", headers=chief)).json()
    me = (await (await backend.get("/api/v1/staff/me", headers=chief)).json())["account"]
    operator = {"role": "operator", "unit": None, "disabled": False}
    assert found["lines"][0] == {
        "position": found["total"],
        "at": "2026-11-16T10:00:00+08:00",
        "actor": {"name": me["username"], "role": "admin", "unit": None},
        "action": "account.disable",
        "subject": "wang",
        "before": operator,
        "after": {**operator, "disabled": True},
    }
    assert found["lines"][1]["action"] == "account.create"
    assert PASSWORD not in str(found)
    second = await (await backend.get("/api/v1/audit?page_size=2&page=2", headers=chief)).json()
    assert second["lines"][0]["position"] == found["total"] - 2
