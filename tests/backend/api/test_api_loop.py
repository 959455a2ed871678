"""The whole way of an appeal through the API, without the bot."""

from __future__ import annotations

from typing import Any

from api_helpers import PHONE, Backend

from backend.people.roles import Role


async def _territory(backend: Backend) -> str:
    return str((await (await backend.get("/api/v1/territories")).json())["territories"][0]["name"])


async def _departments(backend: Backend) -> list[str]:
    body = await (await backend.get("/api/v1/departments")).json()
    return [str(found["name"]) for found in body["departments"]]


class Way:
    """One appeal with the people around it."""

    def __init__(
        self, backend: Backend, number: str, territory: dict[str, str], department: dict[str, str]
    ) -> None:
        self.backend, self.number, self.territory, self.department = backend, number, territory, department

    async def desk(self, headers: dict[str, str], deed: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.backend.post(f"/api/v1/desk/appeals/{self.number}/{deed}", body, headers=headers)
        assert answer.status == 200, (deed, await answer.text())
        found = (await answer.json())["appeal"]
        assert isinstance(found, dict)
        return found

    async def feedback(self, **body: Any) -> dict[str, Any]:
        answer = await self.backend.post(f"/api/v1/appeals/{self.number}/feedback", {"phone": PHONE, **body})
        assert answer.status == 200, await answer.text()
        found = (await answer.json())["appeal"]
        assert isinstance(found, dict)
        return found

    async def followed(self) -> dict[str, Any]:
        answer = await self.backend.post("/api/v1/appeals/lookup", {"number": self.number, "phone": PHONE})
        found = (await answer.json())["appeal"]
        assert isinstance(found, dict)
        return found


async def _way(backend: Backend) -> Way:
    territory = await _territory(backend)
    department = (await _departments(backend))[0]
    filed = await backend.file(territory=territory)
    at_territory = await backend.staff(Role.TERRITORY, territory)
    at_department = await backend.staff(Role.DEPARTMENT, department)
    way = Way(backend, filed["number"], at_territory, at_department)
    assigned = await way.desk(at_territory, "assign", {"lead_department": department, "level": "single"})
    assert (assigned["state"], assigned["lead_department"]) == ("assigned", department)
    return way


async def test_solved_closes(backend: Backend) -> None:
    way = await _way(backend)
    assert (await way.desk(way.department, "start", {}))["state"] == "in_work"
    assert (await way.desk(way.department, "reply", {"text": "已安排养护队伍本周施工。"}))[
        "state"
    ] == "replied"
    assert (await way.desk(way.department, "resolve", {"text": "路面已经修复。"}))["state"] == "resolved"
    resolved = await way.followed()
    assert resolved["state_text"] == "已办结待确认"
    assert [reply["text"] for reply in resolved["replies"]] == ["已安排养护队伍本周施工。", "路面已经修复。"]
    closed = await way.feedback(result="resolved", stars=5, comment="很快")
    assert closed["state"] == "closed"
    assert closed["feedback"]["stars"] == 5
    again = await way.feedback(result="resolved", stars=5, comment="很快")
    assert again == closed


async def test_unsolved_goes_back_and_the_clock_goes_on(backend: Backend) -> None:
    way = await _way(backend)
    before = await way.followed()
    await way.desk(way.department, "resolve", {"text": "路面已经修复。"})
    backend.clock.forward(days=1)
    reopened = await way.feedback(result="unresolved", comment="还是破的")
    assert reopened["state"] == "reopened"
    assert reopened["due_at"] == before["due_at"]
    assert (await way.desk(way.department, "resolve", {"text": "已重新铺设。"}))["state"] == "resolved"
    assert (await way.feedback(result="resolved", stars=4))["state"] == "closed"


async def test_the_record_tells_everything_and_the_enterprise_not_all(backend: Backend) -> None:
    way = await _way(backend)
    await way.desk(way.department, "note", {"text": "内部：等材料"})
    task_force = await backend.staff(Role.TASKFORCE)
    await way.desk(task_force, "supervise", {"text": "请今天答复企业"})
    answer = await backend.get(f"/api/v1/desk/appeals/{way.number}/history", headers=task_force)
    history = (await answer.json())["history"]
    assert [line["event"] for line in history] == ["file", "assign", "note", "supervise"]
    assert history[2]["actor"]["role"] == "department"
    followed = await way.followed()
    assert "内部" not in str(followed)
    assert "今天答复" not in str(followed)


async def test_a_second_department_makes_it_a_whistle(backend: Backend) -> None:
    way = await _way(backend)
    other = (await _departments(backend))[1]
    moved = await way.desk(way.territory, "transfer", {"department": other, "reason": "不属于本部门职责"})
    assert moved["level"] == "whistle"
    assert other in moved["co_departments"]


async def test_the_task_force_reassigns_and_escalates(backend: Backend) -> None:
    way = await _way(backend)
    other = (await _departments(backend))[1]
    task_force = await backend.staff(Role.TASKFORCE)
    moved = await way.desk(task_force, "reassign", {"lead_department": other, "reason": "由专班协调确定"})
    assert moved["level"] == "whistle"
    answer = await backend.post(
        f"/api/v1/desk/appeals/{way.number}/escalate",
        {"to_level": 2, "reason": "协调不成"},
        headers=task_force,
    )
    assert answer.status == 409
    missing = (await answer.json())["error"]["details"]["missing"]
    raised = await way.desk(
        task_force, "escalate", {"to_level": 2, "reason": "协调不成", "documents": missing}
    )
    assert raised["escalation_level"] == 2


async def test_of_two_who_act_on_the_same_version_one_is_told(backend: Backend) -> None:
    way = await _way(backend)
    opened = await backend.get(f"/api/v1/desk/appeals/{way.number}", headers=way.department)
    version = (await opened.json())["appeal"]["version"]
    await way.desk(way.department, "start", {"version": version})
    answer = await backend.post(
        f"/api/v1/desk/appeals/{way.number}/reply",
        {"text": "已处理", "version": version},
        headers=way.department,
    )
    assert answer.status == 409


async def test_the_desk_list_is_filtered_and_paged(backend: Backend) -> None:
    territory = await _territory(backend)
    for number in range(3):
        await backend.file(text=f"第{number}号厂房漏水，请派人来看看。", territory=territory)
    headers = await backend.staff(Role.TERRITORY, territory)
    body = await (await backend.get("/api/v1/desk/appeals?page_size=2", headers=headers)).json()
    assert (len(body["appeals"]), body["total"], body["page"]) == (2, 3, 1)
    found = await (await backend.get("/api/v1/desk/appeals", params={"q": "第1号"}, headers=headers)).json()
    assert found["total"] == 1
    none = await (await backend.get("/api/v1/desk/appeals?state=closed", headers=headers)).json()
    assert none["total"] == 0
    late = await (await backend.get("/api/v1/desk/appeals?overdue=true", headers=headers)).json()
    assert late["total"] == 0
    backend.clock.forward(days=30)
    late = await (await backend.get("/api/v1/desk/appeals?overdue=true", headers=headers)).json()
    assert late["total"] == 3
