"""Every role at every staff endpoint: what it may, and that it learns nothing of what is not its own."""

from __future__ import annotations

from typing import Any

import pytest
from api_helpers import Backend, refused

from backend.api.app import ENDPOINTS
from backend.people.roles import Role
from backend.permissions import PERMISSIONS, Action

BODIES: dict[str, dict[str, Any]] = {
    "post_assign": {},
    "post_transfer": {"department": "", "reason": "不属于本部门职责"},
    "post_reassign": {"lead_department": "", "reason": "由专班协调"},
    "post_start": {},
    "post_reply": {"text": "已经安排处理。"},
    "post_resolve": {"text": "已经处理完毕。"},
    "post_escalate": {"to_level": 2, "reason": "协调不成", "documents": []},
    "post_supervise": {"text": "请尽快办理"},
    "post_note": {"text": "备注一下"},
}
OTHER_BODIES: dict[str, dict[str, Any]] = {
    "post_unanswered_handled": {"ids": [1]},
    "post_service_listing": {"name": "代办服务", "types": ["人才"], "description": "代为提交材料"},
}
ACTIONS: dict[str, Action | None] = {
    "post_logout": None,
    "get_me": None,
    "get_handoffs": Action.HANDOFFS_VIEW,
    "post_take_up": Action.HANDOFFS_ANSWER,
    "get_unanswered": Action.UNANSWERED_VIEW,
    "post_unanswered_handled": Action.UNANSWERED_HANDLE,
    "get_desk_appeals": Action.APPEALS_VIEW,
    "get_desk_appeal": Action.APPEALS_VIEW,
    "get_history": Action.APPEALS_VIEW,
    "get_escalation_form": Action.DOCUMENTS_PRINT,
    "get_assignment_sheet": Action.DOCUMENTS_PRINT,
    "get_supervision_order": Action.DOCUMENTS_PRINT,
    "post_service_listing": Action.DOCUMENTS_SERVICE_LISTING,
    **{name: Action(f"appeals.{name.removeprefix('post_')}") for name in BODIES},
}
STAFF = [endpoint for endpoint in ENDPOINTS if endpoint.access == "staff"]


def test_every_staff_endpoint_has_its_action() -> None:
    assert {endpoint.name for endpoint in STAFF} == set(ACTIONS)


async def _ask(backend: Backend, endpoint: Any, number: str, headers: dict[str, str]) -> Any:
    path = endpoint.path.replace("{number}", number).replace("{id}", "1")
    if endpoint.method == "GET":
        return await backend.get(path, headers=headers)
    body = dict({**BODIES, **OTHER_BODIES}.get(endpoint.name, {}))
    names = [found.name for found in backend.container.directory.departments()]
    for key in ("department", "lead_department"):
        if key in body:
            body[key] = names[1]
    return await backend.post(path, body, headers=headers)


@pytest.mark.parametrize("endpoint", STAFF, ids=lambda endpoint: endpoint.name)
async def test_nobody_gets_in_without_signing_in(backend: Backend, endpoint: Any) -> None:
    answer = await _ask(backend, endpoint, "QT20261116-0001", {})
    await refused(answer, 401, "not_authenticated")


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_may_do_exactly_what_the_table_says(backend: Backend, role: Role) -> None:
    directory = backend.container.directory
    territory = directory.territories()[0].name
    department = directory.departments()[0].name
    unit = {Role.TERRITORY: territory, Role.DEPARTMENT: department}.get(role)
    headers = await backend.staff(role, unit)
    for endpoint in STAFF:
        if endpoint.name == "post_logout":
            continue
        filed = await backend.file(territory=territory)
        if endpoint.name != "post_assign":
            operator = await backend.staff(Role.OPERATOR)
            body = {"lead_department": department, "level": "single"}
            path = f"/api/v1/desk/appeals/{filed['number']}/assign"
            assert (await backend.post(path, body, headers=operator)).status == 200
        action = ACTIONS[endpoint.name]
        allowed = action is None or role in PERMISSIONS[action]
        answer = await _ask(backend, endpoint, filed["number"], headers)
        if allowed:
            # the state, the papers or the ownership may still stand against it, but not the role
            assert answer.status != 401, (role, endpoint.name)
            # a form is a Word file
            text = (await answer.read()).decode("utf-8", "replace")
            assert answer.status < 500, text
            if answer.status == 403:
                assert role in {Role.TERRITORY, Role.DEPARTMENT}, (role, endpoint.name, text)
        else:
            assert answer.status == 403, (role, endpoint.name, await answer.text())


# where a role may never do a thing at all, the table decides before the appeal is looked at
OWN = [
    (role, found)
    for role in (Role.DEPARTMENT, Role.TERRITORY)
    for found in STAFF
    if "{number}" in found.path and role in PERMISSIONS[ACTIONS[found.name] or Action.APPEALS_VIEW]
]


@pytest.mark.parametrize(("role", "endpoint"), OWN, ids=lambda value: getattr(value, "name", str(value)))
async def test_not_yours_and_not_there_are_the_same_bytes(
    backend: Backend, role: Role, endpoint: Any
) -> None:
    directory = backend.container.directory
    units = directory.departments() if role is Role.DEPARTMENT else directory.territories()
    territory = directory.territories()[0].name
    filed = await backend.file(territory=territory)
    operator = await backend.staff(Role.OPERATOR)
    body = {"lead_department": directory.departments()[0].name, "level": "single"}
    path = f"/api/v1/desk/appeals/{filed['number']}/assign"
    assert (await backend.post(path, body, headers=operator)).status == 200
    stranger = await backend.staff(role, units[-1].name)
    theirs = await _ask(backend, endpoint, filed["number"], stranger)
    missing = await _ask(backend, endpoint, "QT20261116-9999", stranger)
    assert theirs.status == missing.status == 404
    assert await theirs.read() == await missing.read()


async def test_a_list_shows_only_ones_own(backend: Backend) -> None:
    territories = backend.container.directory.territories()
    await backend.file(territory=territories[0].name)
    own = await backend.staff(Role.TERRITORY, territories[0].name)
    other = await backend.staff(Role.TERRITORY, territories[1].name)
    assert (await (await backend.get("/api/v1/desk/appeals", headers=own)).json())["total"] == 1
    assert (await (await backend.get("/api/v1/desk/appeals", headers=other)).json())["total"] == 0
