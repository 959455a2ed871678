"""Supervision through the API: messages, the phone list, penalties, time limits, and what the clock shows."""

from __future__ import annotations

from typing import Any

from api_helpers import Backend, refused

from backend.people.roles import Role

DESK = "/api/v1/desk"


async def _assigned(backend: Backend) -> tuple[str, str, str]:
    """Files and assigns an appeal; answers its number, territory and lead."""
    directory = backend.container.directory
    territory, lead = directory.territories()[0].name, directory.departments()[0].name
    filed = await backend.file(territory=territory)
    operator = await backend.staff(Role.OPERATOR)
    body = {"lead_department": lead, "level": "single"}
    path = f"{DESK}/appeals/{filed['number']}/assign"
    assert (await backend.post(path, body, headers=operator)).status == 200
    return filed["number"], territory, lead


async def _get(backend: Backend, path: str, headers: dict[str, str]) -> dict[str, Any]:
    answer = await backend.get(f"{DESK}/{path}", headers=headers)
    assert answer.status == 200, await answer.text()
    found = await answer.json()
    assert isinstance(found, dict)
    return found


async def test_a_desk_reads_its_messages(backend: Backend) -> None:
    number, _, lead = await _assigned(backend)
    department = await backend.staff(Role.DEPARTMENT, lead)
    found = await _get(backend, "messages", department)
    assert (found["total"], found["unread"]) == (1, 1)
    message = found["messages"][0]
    assert message["number"] == number
    assert message["read_at"] is None
    answer = await backend.post(f"{DESK}/messages/{message['id']}/read", headers=department)
    assert await answer.json() == {"id": message["id"]}
    assert (await _get(backend, "messages?unread=true", department))["total"] == 0


async def test_reminders_reach_the_desks_and_the_metrics(backend: Backend) -> None:
    _, _, lead = await _assigned(backend)
    backend.clock.forward(days=10)
    await backend.container.supervision.clock.run_once()
    await backend.container.supervision.dispatcher.run_once()
    department = await backend.staff(Role.DEPARTMENT, lead)
    kinds = [one["kind"] for one in (await _get(backend, "messages", department))["messages"]]
    assert kinds == ["reminder", "reminder", "assignment"]
    text = await (await backend.get("/metrics")).text()
    assert "qifu_clock_acted 2.0" in text
    assert "qifu_clock_pending 0.0" in text
    assert "qifu_clock_dead_letters 0.0" in text
    assert "qifu_clock_last_pass_timestamp_seconds" in text


async def test_what_nothing_delivers_is_shown(backend: Backend) -> None:
    number, _, lead = await _assigned(backend)
    department = await backend.staff(Role.DEPARTMENT, lead)
    resolved = await backend.post(
        f"{DESK}/appeals/{number}/resolve", {"text": "已经处理完毕。"}, headers=department
    )
    assert resolved.status == 200
    await backend.container.supervision.dispatcher.run_once()
    taskforce = await backend.staff(Role.TASKFORCE)
    stuck = await _get(backend, "outbox?state=no_way", taskforce)
    assert [one["state_text"] for one in stuck["messages"]] == ["无法送达，列入电话回访"]
    assert stuck["messages"][0]["next_try_at"] is None
    again = await backend.post(f"{DESK}/outbox/{stuck['messages'][0]['id']}/retry", headers=taskforce)
    assert again.status == 200
    again = await backend.post(f"{DESK}/outbox/{stuck['messages'][0]['id']}/retry", headers=taskforce)
    await refused(again, 409, "wrong_state")


async def test_the_phone_list(backend: Backend) -> None:
    number, _, lead = await _assigned(backend)
    department, operator = await backend.staff(Role.DEPARTMENT, lead), await backend.staff(Role.OPERATOR)
    await backend.post(f"{DESK}/appeals/{number}/resolve", {"text": "已经处理完毕。"}, headers=department)
    assert (await _get(backend, "phone-list", operator))["total"] == 0
    backend.clock.forward(days=14)
    operator = await backend.staff(Role.OPERATOR)
    found = await _get(backend, "phone-list", operator)
    assert [one["appeal"]["number"] for one in found["calls"]] == [number]
    assert found["calls"][0]["tried"] == []
    answer = await backend.post(
        f"{DESK}/appeals/{number}/called", {"outcome": "企业说已经解决"}, headers=operator
    )
    assert (await answer.json())["appeal"]["state"] == "resolved"
    assert (await _get(backend, "phone-list", operator))["total"] == 0


async def test_penalties_by_hand_and_by_rule(backend: Backend) -> None:
    number, territory, lead = await _assigned(backend)
    taskforce = await backend.staff(Role.TASKFORCE)
    body = {"kind": "first_asked", "reason": "没有牵头协调"}
    answer = await backend.post(f"{DESK}/appeals/{number}/penalty", body, headers=taskforce)
    assert answer.status == 201
    assert (await answer.json())["penalty"]["unit"] == lead
    late = await backend.post(
        f"{DESK}/appeals/{number}/penalty", {**body, "kind": "late_handling"}, headers=taskforce
    )
    await refused(late, 422, "invalid_input")
    backend.clock.forward(days=10)
    await backend.container.supervision.clock.run_once()
    taskforce = await backend.staff(Role.TASKFORCE)
    found = await _get(backend, f"penalties?unit={territory}", taskforce)
    assert [(one["kind"], one["kind_text"]) for one in found["penalties"]] == [("late_handling", "逾期办理")]
    assert (await _get(backend, "penalties?from=2026-11-16&to=2026-11-16", taskforce))["total"] == 1
    assert (await _get(backend, "penalties?from=2026-11-19&to=2026-11-19", taskforce))["total"] == 2
    wrong = await backend.get(f"{DESK}/penalties?from=gestern", headers=taskforce)
    assert "起始日期（from）" in await refused(wrong, 422, "invalid_input")


async def test_time_limits_beside_135(backend: Backend) -> None:
    operator = await backend.staff(Role.OPERATOR)
    lead = backend.container.directory.departments()[0].name
    body = {"kind": "policy_single", "subject": "政策兑现咨询", "units": [lead]}
    answer = await backend.post(f"{DESK}/clocks", body, headers=operator)
    assert answer.status == 201, await answer.text()
    clock = (await answer.json())["clock"]
    assert (clock["started_at"], clock["due_at"]) == (
        "2026-11-16T10:00:00+08:00",
        "2026-11-17T10:00:00+08:00",
    )
    assert (clock["kind_text"], clock["due_provisional"]) == ("政策服务（单个部门）", False)
    backend.clock.forward(hours=25)
    operator = await backend.staff(Role.OPERATOR)
    overdue = await _get(backend, "clocks?overdue=true", operator)
    assert [one["id"] for one in overdue["clocks"]] == [clock["id"]]
    department = await backend.staff(Role.DEPARTMENT, lead)
    path = f"{DESK}/clocks/{clock['id']}/end"
    ended = (await (await backend.post(path, {"outcome": "已经答复"}, headers=department)).json())["clock"]
    assert (ended["state"], ended["overdue"], ended["outcome"]) == ("ended", True, "已经答复")
    await refused(await backend.post(path, {"outcome": "再来"}, headers=department), 409, "wrong_state")
    for moment in ("2026-11-16T09:00:00", 1795000000, "1795000000", 1795000000.5, True):
        sent = {**body, "started_at": moment}
        await refused(await backend.post(f"{DESK}/clocks", sent, headers=operator), 422, "invalid_input")
