"""The calendar over HTTP: public to read, the task force's to edit, counted with at once."""

from __future__ import annotations

from api_helpers import Backend, refused

from backend.people.roles import Role

DAYS = "/api/v1/desk/calendar/days"


async def test_everybody_reads_the_working_days(backend: Backend) -> None:
    body = await (await backend.get("/api/v1/calendar")).json()
    assert body["year"] == 2026
    assert not body["provisional"]
    assert len(body["working_days"]) == len(set(body["working_days"])) > 240
    assert "2026-10-01" not in body["working_days"]
    assert body["overrides"] == []
    later = await (await backend.get("/api/v1/calendar?year=2031")).json()
    assert later["provisional"]
    await refused(await backend.get("/api/v1/calendar?year=1990"), 422, "invalid_input")


async def test_a_day_that_is_entered_is_counted_with_at_once(backend: Backend) -> None:
    headers = await backend.staff(Role.TASKFORCE)
    filed = await backend.file()
    question = {"level": "single", "submitted_at": "2026-11-16T10:00:00+08:00"}

    async def due() -> list[str]:
        answer = await backend.post("/api/v1/calculators/deadline", question)
        lookup = await backend.post(
            "/api/v1/appeals/lookup", {"number": filed["number"], "phone": "13800000001"}
        )
        return [(await answer.json())["result"]["due_at"], (await lookup.json())["appeal"]["due_at"]]

    before = await due()
    days = [f"2026-11-{day}" for day in (17, 18, 19, 20, 23)]
    for day in days:
        sent = {"day": day, "working": False, "note": "演练放假"}
        answer = await backend.post(DAYS, sent, headers=headers)
        assert answer.status == 200, await answer.text()
    body = await answer.json()
    assert [one["day"] for one in body["overrides"]] == days
    after = await due()
    assert all(late > early for early, late in zip(before, after, strict=True))
    for day in days:
        await backend.post(f"{DAYS}/{day}/remove", headers=headers)
    assert await due() == before
    await refused(await backend.post(f"{DAYS}/{days[0]}/remove", headers=headers), 404, "not_found")


async def test_only_the_task_force_and_admins_edit(backend: Backend) -> None:
    sent = {"day": "2026-11-17", "working": False, "note": "演练放假"}
    for role in (Role.OPERATOR, Role.LEADER, Role.EDITOR):
        await refused(await backend.post(DAYS, sent, headers=await backend.staff(role)), 403, "not_allowed")
    await refused(await backend.post(DAYS, sent), 401, "not_authenticated")
    assert (await backend.post(DAYS, sent, headers=await backend.staff(Role.ADMIN))).status == 200


async def test_what_is_entered_wrongly_is_refused_with_a_sentence(backend: Backend) -> None:
    headers = await backend.staff(Role.TASKFORCE)
    for sent in (
        {"day": "2026-02-30", "working": False, "note": "演练放假"},
        {"day": "2026-11-17", "working": "no", "note": "演练放假"},
        {"day": "2026-11-17", "working": False, "note": " "},
        {"day": "1999-11-17", "working": False, "note": "演练放假"},
        {"day": "2026-11-17", "working": False, "note": "字" * 201},
        {"day": "2026-11-17", "working": False},
    ):
        await refused(await backend.post(DAYS, sent, headers=headers), 422, "invalid_input")
    for year, status in ((2026, 409), (2031, 409), (1990, 404)):
        answer = await backend.post(
            f"/api/v1/desk/calendar/years/{year}/settle", {"note": "国办发明电"}, headers=headers
        )
        assert answer.status == status
    await refused(
        await backend.post("/api/v1/desk/calendar/years/2031/unsettle", headers=headers), 404, "not_found"
    )


async def test_a_number_is_no_day(backend: Backend) -> None:
    headers = await backend.staff(Role.TASKFORCE)
    for day in (1763596800, "1763596800", 1763596800.0):
        sent = {"day": day, "working": False, "note": "演练放假"}
        await refused(await backend.post(DAYS, sent, headers=headers), 422, "invalid_input")
