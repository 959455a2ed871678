"""What one enterprise filed twice and what many write about, as the desks see it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from api_helpers import FILING, Backend, refused

from backend.errors import Unavailable
from backend.people.roles import Role

TOPICS = "/api/v1/desk/hot-topics"
CUTS = (
    "园区变压器容量不够，一到下午就跳闸停电，注塑机里的料全部报废。",
    "昨晚又停电四个钟头，说是变压器跳闸，冷库里的货差点坏掉。",
    "夏天老是拉闸停电，机器一停产品就报废，能不能换大一点的变压器？",
    "供电不稳定，上周跳闸停电两回，烧坏了两台设备。",
)
OTHERS = ("外籍专家的工作许可快到期了，续签去哪个窗口？", "想申请厂房屋顶光伏，要先备案吗？")


async def told(backend: Backend, texts: tuple[str, ...] = CUTS, **more: Any) -> list[str]:
    """Files each text for an enterprise of its own; returns the numbers."""
    filed = [
        await backend.file(text=text, enterprise=f"杭州某{place}制造有限公司", **more)
        for place, text in enumerate(texts)
    ]
    return [appeal["number"] for appeal in filed]


async def similar(backend: Backend, number: str, role: Role, unit: str | None = None) -> list[dict[str, Any]]:
    path = f"/api/v1/desk/appeals/{number}/similar"
    answer = await backend.get(path, headers=await backend.staff(role, unit))
    assert answer.status == 200, await answer.text()
    found = (await answer.json())["similar"]
    assert isinstance(found, list)
    return found


async def topics(
    backend: Backend, query: str = "", role: Role = Role.TASKFORCE, unit: str | None = None
) -> dict[str, Any]:
    answer = await backend.get(TOPICS + query, headers=await backend.staff(role, unit))
    assert answer.status == 200, await answer.text()
    found = await answer.json()
    assert isinstance(found, dict)
    return found


# -- filed twice -------------------------------------------------------------------------------------------


async def test_a_like_problem_of_the_same_enterprise_is_shown(backend: Backend) -> None:
    first = await backend.file(text=CUTS[0], enterprise="杭州某某制造有限公司")
    backend.clock.forward(days=1)
    await backend.file(text=OTHERS[0], enterprise="杭州某某制造有限公司")
    second = await backend.file(text=CUTS[1], enterprise="杭州某某制造股份有限公司")
    [found] = await similar(backend, second["number"], Role.OPERATOR)
    assert found["number"] == first["number"]
    assert found["mergeable"] is True
    assert 0 < found["score"] < 1
    assert {"停电", "跳闸"} <= set(found["shared"]) | {"跳闸停电"}
    assert found["reason"] == f"同一家企业，都提到{'、'.join(found['shared'])}。"
    assert "phone" not in found


async def test_the_same_problem_of_another_enterprise_is_not(backend: Backend) -> None:
    numbers = await told(backend, CUTS)
    assert await similar(backend, numbers[0], Role.TASKFORCE) == []


async def test_the_parts_of_one_filing_are_not_compared(backend: Backend) -> None:
    filed = await backend.post("/api/v1/appeals", {**FILING, "text": f"1. {CUTS[0]}\n2. {CUTS[1]}"})
    numbers = [appeal["number"] for appeal in (await filed.json())["appeals"]]
    for number in numbers:
        assert await similar(backend, number, Role.TASKFORCE) == []


async def test_withdrawn_and_merged_appeals_are_not_shown(backend: Backend) -> None:
    gone = await backend.file(text=CUTS[0])
    await backend.post(f"/api/v1/appeals/{gone['number']}/withdraw", {"phone": FILING["phone"]})
    stays = await backend.file(text=CUTS[0])
    merged = await backend.file(text=CUTS[0])
    answer = await backend.post(
        f"/api/v1/desk/appeals/{merged['number']}/merge",
        {"into": stays["number"], "reason": "同一件事"},
        headers=await backend.staff(Role.OPERATOR),
    )
    assert answer.status == 200, await answer.text()
    new = await backend.file(text=CUTS[0])
    assert [one["number"] for one in await similar(backend, new["number"], Role.OPERATOR)] == [
        stays["number"]
    ]
    shown = await similar(backend, merged["number"], Role.OPERATOR)
    assert {one["number"]: one["mergeable"] for one in shown} == {
        new["number"]: False,
        stays["number"]: False,
    }


async def test_a_closed_appeal_is_shown_for_a_while_and_takes_no_other(backend: Backend) -> None:
    lead = backend.container.directory.departments()[0].name
    old = (await backend.file(text=CUTS[0]))["number"]
    for path, body, role, unit in [
        ("assign", {"lead_department": lead, "level": "single"}, Role.OPERATOR, None),
        ("resolve", {"text": "已增容"}, Role.DEPARTMENT, lead),
    ]:
        answer = await backend.post(
            f"/api/v1/desk/appeals/{old}/{path}", body, headers=await backend.staff(role, unit)
        )
        assert answer.status == 200, await answer.text()
    feedback = {"phone": FILING["phone"], "result": "resolved", "stars": 5, "comment": "好"}
    assert (await backend.post(f"/api/v1/appeals/{old}/feedback", feedback)).status == 200
    backend.clock.forward(days=80)
    new = (await backend.file(text=CUTS[0]))["number"]
    [found] = await similar(backend, new, Role.OPERATOR)
    assert (found["number"], found["state"], found["mergeable"]) == (old, "closed", False)
    backend.clock.forward(days=20)
    assert await similar(backend, new, Role.OPERATOR) == []


async def test_a_desk_is_shown_only_what_it_may_see(backend: Backend) -> None:
    here, there = (unit.name for unit in backend.container.directory.territories()[:2])
    elsewhere = await backend.file(text=CUTS[0], territory=there)
    own = await backend.file(text=CUTS[0], territory=here)
    assert await similar(backend, own["number"], Role.TERRITORY, here) == []
    [found] = await similar(backend, own["number"], Role.TASKFORCE)
    assert found["number"] == elsewhere["number"]


async def test_who_may_not_merge_is_told_so(backend: Backend) -> None:
    await backend.file(text=CUTS[0])
    new = await backend.file(text=CUTS[1])
    [found] = await similar(backend, new["number"], Role.LEADER)
    assert found["mergeable"] is False


async def test_the_enterprise_learns_nothing_of_like_appeals(backend: Backend) -> None:
    first = await backend.file(text=CUTS[0])
    answer = await backend.post("/api/v1/appeals", {**FILING, "text": CUTS[0]})
    assert first["number"] not in await answer.text()


# -- what many write about ---------------------------------------------------------------------------------


async def test_a_like_problem_of_many_enterprises_is_a_topic(backend: Backend) -> None:
    numbers = await told(backend, (*CUTS, *OTHERS))
    found = await topics(backend)
    assert (found["total"], found["page"], found["page_size"], found["days"]) == (1, 1, 20, 14)
    [topic] = found["topics"]
    assert (topic["appeals"], topic["enterprises"], topic["heat"]) == (4, 4, 4.0)
    assert "停电" in "".join(topic["keywords"])
    assert sorted(topic["numbers"]) == sorted(numbers[:4])
    assert (topic["earlier"], topic["later"], topic["trend"], topic["trend_text"]) == (0, 4, "rising", "上升")
    assert topic["territories"] == []


async def test_one_enterprise_alone_makes_no_topic(backend: Backend) -> None:
    for text in CUTS:
        await backend.file(text=text)
    assert (await topics(backend))["topics"] == []


async def test_a_territory_sees_the_topics_of_its_own_appeals(backend: Backend) -> None:
    here, there = (unit.name for unit in backend.container.directory.territories()[:2])
    await told(backend, CUTS, territory=there)
    assert (await topics(backend, role=Role.TERRITORY, unit=here))["total"] == 0
    [topic] = (await topics(backend, role=Role.TERRITORY, unit=there))["topics"]
    assert topic["territories"] == [{"territory": there, "appeals": 4}]


async def test_topics_fade_and_leave_the_window(backend: Backend) -> None:
    await told(backend)
    backend.clock.forward(days=7)
    [topic] = (await topics(backend))["topics"]
    assert topic["heat"] == 2.0
    assert (await topics(backend, "?days=3"))["total"] == 0
    backend.clock.forward(days=10)
    assert (await topics(backend))["total"] == 0
    assert (await topics(backend, "?days=30"))["total"] == 1


async def test_the_list_is_kept_for_some_minutes(backend: Backend) -> None:
    assert (await topics(backend))["total"] == 0
    await told(backend)
    backend.clock.forward(minutes=4)
    assert (await topics(backend))["total"] == 0
    backend.clock.forward(minutes=2)
    assert (await topics(backend))["total"] == 1


async def test_pages_of_topics(backend: Backend) -> None:
    await told(backend)
    assert (await topics(backend, "?page=2"))["topics"] == []
    assert (await topics(backend, "?page=2"))["total"] == 1
    assert len((await topics(backend, "?page_size=1"))["topics"]) == 1


async def test_many_who_ask_at_once_are_answered_alike(backend: Backend) -> None:
    await told(backend)
    headers = await backend.staff(Role.LEADER)
    answers = await asyncio.gather(*(backend.get(TOPICS, headers=headers) for _ in range(8)))
    found = [await answer.json() for answer in answers]
    assert found[0]["total"] == 1
    assert all(one == found[0] for one in found)


@pytest.mark.parametrize("query", ["?days=0", "?days=367", "?days=x", "?page=0", "?page_size=101", "?day=3"])
async def test_queries_that_cannot_be_used(backend: Backend, query: str) -> None:
    answer = await backend.get(TOPICS + query, headers=await backend.staff(Role.LEADER))
    await refused(answer, 422, "invalid_input")


@pytest.mark.parametrize("role", [Role.DEPARTMENT, Role.LIAISON, Role.EDITOR])
async def test_topics_are_for_those_who_oversee(backend: Backend, role: Role) -> None:
    unit = backend.container.directory.departments()[0].name if role is Role.DEPARTMENT else None
    answer = await backend.get(TOPICS, headers=await backend.staff(role, unit))
    await refused(answer, 403, "not_allowed")


# -- filing at a desk --------------------------------------------------------------------------------------


async def test_who_files_for_an_enterprise_is_shown_what_may_be_the_same(backend: Backend) -> None:
    first = await backend.file(text=CUTS[0])
    headers = await backend.staff(Role.OPERATOR)
    body = {key: value for key, value in FILING.items() if key != "channel"}
    answer = await backend.post("/api/v1/desk/appeals", {**body, "text": CUTS[1]}, headers=headers)
    assert answer.status == 201, await answer.text()
    filed = await answer.json()
    [new] = filed["appeals"]
    [found] = filed["similar"]
    assert found["number"] == new["number"]
    assert [one["number"] for one in found["similar"]] == [first["number"]]
    answer = await backend.post("/api/v1/desk/appeals", {**body, "text": OTHERS[0]}, headers=headers)
    assert (await answer.json())["similar"] == []


async def test_a_filing_stands_where_nothing_can_be_compared(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: Any) -> None:
        raise Unavailable("数据库暂时繁忙。")

    monkeypatch.setattr(backend.container.likeness, "similar", gone)
    body = {key: value for key, value in FILING.items() if key != "channel"}
    answer = await backend.post("/api/v1/desk/appeals", body, headers=await backend.staff(Role.OPERATOR))
    assert answer.status == 201, await answer.text()
    assert (await answer.json())["similar"] == []
