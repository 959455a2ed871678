"""The forms through the API: who gets which, what stands in them, and how they are sent."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp import ClientResponse
from api_helpers import FILING, PHONE, Backend, refused
from docx import Document

from backend.documents.forms import ServiceType
from backend.people.roles import Role

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
FORMS = ("escalation-form", "assignment", "supervision-order")
LISTING = "/api/v1/desk/documents/service-listing.docx"
SERVICE = {"name": "人才公寓代办", "types": ["人才", "法制"], "description": "代为提交材料。"}


async def _boxes(answer: ClientResponse) -> dict[str, str]:
    """What stands in the boxes of a form that was answered."""
    assert answer.status == 200, await answer.text()
    found: dict[str, str] = {}
    for row in Document(io.BytesIO(await answer.read())).tables[0].rows:
        cells = ["\n".join("".join(r.text for r in p.r_lst) for p in tc.p_lst) for tc in row._tr.tc_lst]
        found |= {
            label.replace("\n", ""): value for label, value in zip(cells[::2], cells[1::2], strict=True)
        }
    return found


def _path(number: str, form: str) -> str:
    return f"/api/v1/desk/appeals/{number}/documents/{form}.docx"


async def _assigned(backend: Backend, **changes: Any) -> tuple[str, str, str]:
    """Files and assigns an appeal; returns its number, lead department and territory."""
    directory = backend.container.directory
    department, territory = directory.departments()[0].name, directory.territories()[0].name
    filed = await backend.file(territory=territory, **changes)
    body = {"lead_department": department, "level": "single", "text": "请先到现场查看"}
    operator = await backend.staff(Role.OPERATOR)
    answer = await backend.post(f"/api/v1/desk/appeals/{filed['number']}/assign", body, headers=operator)
    assert answer.status == 200, await answer.text()
    return filed["number"], department, territory


async def _order(backend: Backend, number: str, text: str, role: Role = Role.TASKFORCE) -> None:
    headers = await backend.staff(role)
    path = f"/api/v1/desk/appeals/{number}/supervise"
    answer = await backend.post(path, {"text": text}, headers=headers)
    assert answer.status == 200, await answer.text()


async def test_the_escalation_form_is_filled_in(backend: Backend) -> None:
    number, department, territory = await _assigned(backend)
    headers = await backend.staff(Role.DEPARTMENT, department)
    answer = await backend.get(_path(number, "escalation-form"), headers=headers)
    found = await _boxes(answer)
    assert found["企业名称"] == FILING["enterprise"]
    assert found["问题描述"] == FILING["text"]
    assert (found["属地"], found["主办部门"]) == (territory, department)
    assert "2026年11月16日10:00" in found["前期协调情况"]
    assert "请先到现场查看" in found["前期协调情况"]
    assert found["主办部门意见"].startswith("☐ 申请提级协调　　☐ 申请更换主办部门协调")
    assert PHONE not in str(found)
    asked = await backend.get(_path(number, "escalation-form") + "?opinion=change_lead", headers=headers)
    assert (await _boxes(asked))["主办部门意见"].startswith("☐ 申请提级协调　　☑ 申请更换主办部门协调")


async def test_an_escalated_appeal_ticks_the_request_itself(backend: Backend) -> None:
    number, _, territory = await _assigned(backend)
    headers = await backend.staff(Role.TERRITORY, territory)
    papers = ["approval_form", "situation_report", "meeting_record", "sign_in_record"]
    body = {"to_level": 2, "documents": papers, "reason": "专题协调会没有解决"}
    path = f"/api/v1/desk/appeals/{number}/escalate"
    assert (await backend.post(path, body, headers=headers)).status == 200
    found = await _boxes(await backend.get(_path(number, "escalation-form"), headers=headers))
    assert found["主办部门意见"].startswith("☑ 申请提级协调")
    assert "☑ 已召开" in found["前期协调情况"]
    assert "《问题办理情况说明》" in found["附件"]


async def test_the_assignment_sheet_is_filled_in(backend: Backend) -> None:
    number, department, territory = await _assigned(backend)
    headers = await backend.staff(Role.DEPARTMENT, department)
    answer = await backend.get(_path(number, "assignment"), headers=headers)
    found = await _boxes(answer)
    assert found["编号"] == f"交{number}-01"
    assert found["日期"] == "2026年11月16日"
    assert FILING["text"] in found["交办事项"]
    assert f"主办单位：{department}" in found["交办事项"]
    assert "请先到现场查看" in found["办理要求"]
    assert "请于2026年11月19日17:30前办结" in found["办理要求"]
    assert found["抄送"] == territory
    assert (found["联系人"], found["电话"]) == (f"{FILING['contact']}（企业联系人）", PHONE)


async def test_an_earlier_assignment_can_be_printed_again(backend: Backend) -> None:
    number, department, _ = await _assigned(backend)
    headers = await backend.staff(Role.TASKFORCE)
    other = backend.container.directory.departments()[1].name
    body = {"department": other, "reason": "不属于本部门职责"}
    path = f"/api/v1/desk/appeals/{number}/transfer"
    assert (await backend.post(path, body, headers=headers)).status == 200
    latest = await _boxes(await backend.get(_path(number, "assignment"), headers=headers))
    first = await _boxes(await backend.get(_path(number, "assignment") + "?order=1", headers=headers))
    assert (first["编号"], latest["编号"]) == (f"交{number}-01", f"交{number}-02")
    assert f"主办单位：{department}；协办单位：无" in first["交办事项"]
    assert "（单一部门问题）" in first["任务名称"]
    assert "（吹哨问题）" in latest["任务名称"]
    beyond = await backend.get(_path(number, "assignment") + "?order=3", headers=headers)
    assert "共有 2 次交办" in await refused(beyond, 404, "not_found")


async def test_the_supervision_order_is_filled_in(backend: Backend) -> None:
    number, department, _ = await _assigned(backend)
    await _order(backend, number, "请于两日内答复企业")
    backend.clock.forward(hours=1)
    await _order(backend, number, "请书面说明情况", Role.INSPECTION)
    headers = await backend.staff(Role.DEPARTMENT, department)
    latest = await _boxes(await backend.get(_path(number, "supervision-order"), headers=headers))
    assert (latest["督办编号"], latest["督办日期"]) == (f"督{number}-02", "2026年11月16日")
    assert (latest["办理要求"], latest["主办单位"]) == ("请书面说明情况", department)
    first = await _boxes(await backend.get(_path(number, "supervision-order") + "?order=1", headers=headers))
    assert (first["督办编号"], first["办理要求"]) == (f"督{number}-01", "请于两日内答复企业")


async def test_the_heads_name_the_districts_task_force(backend: Backend) -> None:
    number, department, _ = await _assigned(backend)
    headers = await backend.staff(Role.DEPARTMENT, department)
    answer = await backend.get(_path(number, "assignment"), headers=headers)
    head = "".join(p.text for p in Document(io.BytesIO(await answer.read())).paragraphs)
    assert head.startswith(f"{backend.container.directory.home.taskforce}交办单")


async def test_without_an_order_or_an_assignment_there_is_a_sentence(backend: Backend) -> None:
    number, _, territory = await _assigned(backend)
    headers = await backend.staff(Role.TERRITORY, territory)
    none = await backend.get(_path(number, "supervision-order"), headers=headers)
    assert "还没有督办记录" in await refused(none, 404, "not_found")
    filed = await backend.file(territory=territory)
    for form in ("escalation-form", "assignment"):
        answer = await backend.get(_path(filed["number"], form), headers=headers)
        assert "还没有交办" in await refused(answer, 409, "wrong_state")


@pytest.mark.parametrize("role", [Role.LEADER, Role.ADMIN, Role.INSPECTION])
async def test_who_does_not_handle_the_case_gets_no_contact(backend: Backend, role: Role) -> None:
    number, _, _ = await _assigned(backend)
    await _order(backend, number, "请尽快办理")
    headers = await backend.staff(role)
    for form in ("assignment", "supervision-order"):
        answer = await backend.get(_path(number, form), headers=headers)
        found = await _boxes(answer)
        assert (found["联系人"], found["电话"]) == ("", "")
        assert PHONE not in str(found)
        assert FILING["contact"] not in str(found)


@pytest.mark.parametrize("form", FORMS)
async def test_a_strangers_answer_does_not_tell_whether_there_is_an_appeal(
    backend: Backend, form: str
) -> None:
    number, _, _ = await _assigned(backend)
    stranger = await backend.staff(Role.DEPARTMENT, backend.container.directory.departments()[-1].name)
    theirs = await backend.get(_path(number, form), headers=stranger)
    missing = await backend.get(_path("QT20261116-9999", form), headers=stranger)
    assert theirs.status == missing.status == 404
    assert await theirs.read() == await missing.read()


async def test_a_form_is_sent_as_a_file_that_nothing_keeps(backend: Backend) -> None:
    number, department, _ = await _assigned(backend)
    headers = await backend.staff(Role.DEPARTMENT, department)
    answer = await backend.get(_path(number, "escalation-form"), headers=headers)
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    disposition = answer.headers["Content-Disposition"]
    assert disposition.isascii()
    plain, _, chinese = disposition.partition("; filename*=UTF-8''")
    assert plain == 'attachment; filename="escalation-form.docx"'
    assert unquote(chinese) == f"企业问题提级协调审批表-{number}.docx"


async def test_a_board_goes_by_both_of_its_names(backend: Backend) -> None:
    headers = await backend.staff(Role.TASKFORCE)
    body = {**SERVICE, "types": ["法治", "科创", "法制"]}
    found = await _boxes(await backend.post(LISTING, body, headers=headers))
    assert found["服务类型"].count("☑") == 2
    assert {"☑ 法制服务", "☑ 科技服务"} <= set(found["服务类型"].replace("\n", "　").split("　"))


async def test_a_service_listing_is_filled_in(backend: Backend) -> None:
    department = backend.container.directory.departments()[0].name
    headers = await backend.staff(Role.DEPARTMENT, department)
    body = {**SERVICE, "lead_unit": "区委人才办", "provider_opinion": "同意上架", "remarks": "每年复核"}
    answer = await backend.post(LISTING, body, headers=headers)
    found = await _boxes(answer)
    assert found["服务名称"] == SERVICE["name"]
    assert found["服务类型"].count("☑") == 2
    assert found["服务类型"].count("☐") == len(ServiceType) - 2
    assert "☑ 人才服务" in found["服务类型"]
    assert found["服务说明"] == SERVICE["description"]
    assert found["服务提供单位意见"].startswith(f"同意上架\n单位名称（盖章）：{department}\n")
    assert "单位名称（盖章）：区委人才办" in found["牵头单位意见"]
    assert found["备注"] == "每年复核"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"types": []}, "types"),
        ({"types": ["美食"]}, "types.0"),
        ({"name": ""}, "name"),
        ({"description": "长" * 5001}, "description"),
        ({"seal": "已盖章"}, "seal"),
    ],
)
async def test_a_listing_that_cannot_be_printed_is_refused(
    backend: Backend, change: dict[str, Any], field: str
) -> None:
    headers = await backend.staff(Role.EDITOR)
    answer = await backend.post(LISTING, {**SERVICE, **change}, headers=headers)
    await refused(answer, 422, "invalid_input")
    assert (await answer.json())["error"]["details"]["field"] == field


@pytest.mark.parametrize("query", ["?order=0", "?order=x", "?opinion=maybe", "?what=1"])
async def test_a_form_that_is_asked_for_wrongly_is_refused(backend: Backend, query: str) -> None:
    number, department, _ = await _assigned(backend)
    headers = await backend.staff(Role.DEPARTMENT, department)
    form = "escalation-form" if "opinion" in query else "assignment"
    await refused(await backend.get(_path(number, form) + query, headers=headers), 422, "invalid_input")


async def test_the_name_of_a_service_cannot_break_out_of_the_header(backend: Backend) -> None:
    headers = await backend.staff(Role.EDITOR)
    name = '../x";\r\nSet-Cookie: a=b; {{7*7}} 😀<w:p>'
    answer = await backend.post(LISTING, {**SERVICE, "name": name}, headers=headers)
    assert "Set-Cookie" not in answer.headers
    disposition = answer.headers["Content-Disposition"]
    assert disposition.isascii()
    assert disposition.count('"') == 2
    assert "/" not in unquote(disposition)
    assert (await _boxes(answer))["服务名称"] == " ".join(name.split())


async def test_the_longest_texts_fit(backend: Backend) -> None:
    headers = await backend.staff(Role.EDITOR)
    long = "说明\n" * 1666
    body = {**SERVICE, "description": long, "remarks": "备" * 2000, "provider_opinion": "同" * 2000}
    assert len(json.dumps(body, ensure_ascii=False).encode()) < 64 * 1024
    found = await _boxes(await backend.post(LISTING, body, headers=headers))
    assert found["服务说明"] == long.strip()
