"""What is asked of each endpoint by `test_api_permissions.py`, and what must be there for it to succeed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from api_helpers import FILING, Backend

from backend.appeals.escalation import STEPS
from backend.appeals.model import Filing, Level
from backend.appeals.service_times import ServiceKind
from backend.people.accounts import Account
from backend.people.actors import Actor
from backend.people.roles import Role
from backend.supervision.model import Delivery, OutboxQuery

PASSWORD = "correct-horse-battery"
ENTERPRISE = FILING["enterprise"]

MISSING: dict[str, Any] = {
    "number": "QT20261116-9999",
    "id": 999_999,
    "username": "nobody-here",
    "month": "2026-11",
    "day": "2029-03-01",
    "year": 2029,
}
"""Path fields of what is not there."""


@dataclass(frozen=True)
class Cell:
    """Who asks, and for whose.

    Attributes:
        column: As `permissions.txt` heads it.
        account: User name of who asks; None for nobody.
        number: Of an appeal that stands to them as the column says.
        other: Number of a second appeal like it.
    """

    column: str
    account: str | None
    number: str = ""
    other: str = ""


@dataclass(frozen=True)
class Asked:
    """One request: path fields, body, and who sends it if that is not left to the cell."""

    path: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] | None = None


class Stage:
    """A backend with somebody in every role, on which the cases are played.

    Args:
        backend: Freshly started on the database of `people`.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.container = backend.container
        self.names = units(backend)
        self.operator = Actor("operator", Role.OPERATOR)
        self.taskforce = Actor("taskforce", Role.TASKFORCE)

    async def appeal(self, column: str, stage: str = "handled") -> str:
        """Files an appeal and brings it to where the column and the case need it.

        Args:
            column: Of the cell.
            stage: ``filed``, ``handled``, ``escalated``, ``merged`` or ``supervised``.
        """
        appeals, names = self.container.appeals, self.names
        territory = None if column == "T?" else names["territory"]
        filed = await appeals.file(Filing(**{**FILING, "territory": territory}))
        number = filed.appeals[0].number
        if stage == "filed":
            return number
        lead, helper = names["lead"], names["co"]
        if column == "T?":
            await appeals.assign(self.operator, number, lead_department=lead, level=Level.SINGLE)
        else:
            await appeals.assign(self.operator, number, co_departments=[lead, helper])
            if column != "T+":
                await appeals.reassign(self.taskforce, number, lead_department=lead, reason="由其牵头")
        if stage == "escalated":
            await appeals.escalate(
                self.taskforce, number, to_level=2, documents=STEPS[2].documents, reason="协调不成"
            )
        elif stage == "merged":
            other = await self.appeal(column)
            await appeals.merge(self.operator, number, into=other, reason="同一件事")
        elif stage == "supervised":
            await appeals.supervise(self.taskforce, number, "请尽快办理")
        return number

    async def token(self, username: str) -> dict[str, str]:
        """A fresh token of somebody, as a header."""
        issued = await self.container.people.issue_token(username)
        return {"Authorization": f"Bearer {issued.token}"}


Case = Callable[[Stage, Cell], Awaitable[Asked]]


def units(backend: Backend) -> dict[str, str]:
    """The units that the people of the stage act for."""
    departments = [found.name for found in backend.container.directory.departments()]
    territories = [found.name for found in backend.container.directory.territories()]
    return {
        "territory": territories[0],
        "elsewhere": territories[-1],
        "lead": departments[0],
        "co": departments[1],
        "stranger": departments[2],
        "next": departments[3],
    }


async def people(backend: Backend) -> dict[str, str]:
    """Makes somebody in every role.

    Returns:
        Tokens that are good no longer, by column.
    """
    service, names = backend.container.people, units(backend)
    for role in (Role.OPERATOR, Role.TASKFORCE, Role.INSPECTION, Role.LEADER, Role.EDITOR, Role.ADMIN):
        await service.create_account(role.value, role)
    for name, role, unit in [
        ("territory", Role.TERRITORY, "territory"),
        ("elsewhere", Role.TERRITORY, "elsewhere"),
        ("lead", Role.DEPARTMENT, "lead"),
        ("co", Role.DEPARTMENT, "co"),
        ("stranger", Role.DEPARTMENT, "stranger"),
    ]:
        await service.create_account(name, role, names[unit])
    for name in ("paired", "unpaired"):
        await service.create_account(name, Role.LIAISON)
    await backend.container.liaisons.pair("paired", ENTERPRISE)
    await backend.container.liaisons.pair("unpaired", "杭州另一家科技有限公司")
    # admins, so that nothing but their token is in their way
    for name in ("ended", "revoked", "shut"):
        await service.create_account(name, Role.ADMIN)
    ended = await service.issue_token("ended", lifetime=timedelta(hours=1))
    backend.clock.forward(hours=1)
    revoked = await service.issue_token("revoked")
    await service.revoke("revoked", revoked.id)
    shut = await service.issue_token("shut")
    async with backend.container.database.unit_of_work() as work:
        account: Account | None = await work.people.account("shut")
        assert account is not None
        # shut without taking the token back, so that the account alone must be in the way
        await work.people.save_account(replace(account, disabled_at=backend.clock()))
        await work.commit()
    return {"ex": ended.token, "rv": revoked.token, "sh": shut.token}


ACCOUNTS: dict[str, str] = {
    "opr": "operator",
    "tsk": "taskforce",
    "ins": "inspection",
    "lea": "leader",
    "edi": "editor",
    "adm": "admin",
    "T+": "territory",
    "T=": "territory",
    "T?": "territory",
    "T-": "elsewhere",
    "D+": "lead",
    "D=": "co",
    "D-": "stranger",
    "L+": "paired",
    "L-": "unpaired",
}
"""Who asks, by column."""


def appeal(body: dict[str, Any] | None = None, stage: str = "handled") -> Case:
    """A case that asks for one appeal."""

    async def case(on: Stage, cell: Cell) -> Asked:
        filled = {
            key: on.names.get(value, value) if isinstance(value, str) else value
            for key, value in (body or {}).items()
        }
        return Asked({"number": await on.appeal(cell.column, stage)}, None if body is None else filled)

    return case


async def merging(on: Stage, cell: Cell) -> Asked:
    into = await on.appeal(cell.column)
    return Asked({"number": await on.appeal(cell.column)}, {"into": into, "reason": "同一件事"})


def account(body: dict[str, Any] | None = None, *, shut: bool = False) -> Case:
    """A case that asks for one account, made for it."""

    async def case(on: Stage, cell: Cell) -> Asked:
        name = f"subject{len(await on.container.people.accounts())}"
        await on.container.people.create_account(name, Role.OPERATOR)
        if shut:
            await on.container.people.disable(name)
        return Asked({"username": name}, body)

    return case


async def account_token(on: Stage, cell: Cell) -> Asked:
    asked = await account()(on, cell)
    issued = await on.container.people.issue_token(asked.path["username"])
    return Asked({**asked.path, "id": issued.id})


async def new_account(on: Stage, cell: Cell) -> Asked:
    return Asked({}, {"username": f"newcomer{len(await on.container.people.accounts())}", "role": "operator"})


async def session(on: Stage, cell: Cell) -> Asked:
    owner = "operator" if cell.column in ("T-", "D-", "L-") else cell.account or "admin"
    return Asked({"id": (await on.container.people.issue_token(owner)).id})


async def password(on: Stage, cell: Cell) -> Asked:
    if cell.account:
        await on.container.people.set_password(cell.account, PASSWORD)
    return Asked({}, {"old_password": PASSWORD, "new_password": "another-long-one"})


async def enterprises(on: Stage, cell: Cell) -> Asked:
    return Asked({"username": "paired"})


async def month(on: Stage, cell: Cell) -> Asked:
    return Asked({"username": "paired"})


async def month_entries(on: Stage, cell: Cell) -> Asked:
    return Asked({"username": "paired"}, {"visit": True, "tracked": True})


async def pairing(on: Stage, cell: Cell) -> Asked:
    return Asked({"username": "paired"}, {"enterprise": "杭州第三家科技有限公司"})


async def parting(on: Stage, cell: Cell) -> Asked:
    await on.container.liaisons.pair("paired", "杭州第三家科技有限公司")
    return await pairing(on, cell)


async def handoff(on: Stage, cell: Cell) -> Asked:
    await on.container.handoffs.record(f"sender-{cell.column}", "想和工作人员谈", "web")
    waiting = await on.container.handoffs.waiting(on.operator)
    return Asked({"id": waiting[-1].id})


async def unanswered(on: Stage, cell: Cell) -> Asked:
    on.container.unanswered.record("红烧肉怎么做才好吃")
    await on.container.unanswered.finish()
    page = await on.container.unanswered.groups(on.operator, days=30, page=1, page_size=1)
    return Asked({}, {"ids": [page.groups[0].questions[0].id]})


def body(**sent: Any) -> Case:
    """A case that sends the same to whoever it is."""

    async def case(on: Stage, cell: Cell) -> Asked:
        return Asked({}, sent)

    return case


async def message(on: Stage, cell: Cell) -> Asked:
    """A message to the task force's desk."""
    await on.container.appeals.escalate(
        on.taskforce,
        await on.appeal(cell.column),
        to_level=2,
        documents=STEPS[2].documents,
        reason="协调不成",
    )
    found, _ = await on.container.supervision.messages.of_desk(on.taskforce)
    return Asked({"id": found.items[0].id})


async def undelivered(on: Stage, cell: Cell) -> Asked:
    """A message to an enterprise that nothing reaches."""
    number = await on.appeal(cell.column, "filed")
    await on.container.appeals.decline(on.taskforce, number, "不属于受理范围，请向有关机构提出。")
    await on.container.supervision.dispatcher.run_once()
    found = await on.container.supervision.messages.outbox(on.taskforce, OutboxQuery(Delivery.NO_WAY))
    return Asked({"id": found.items[0].id})


async def silent(on: Stage, cell: Cell) -> Asked:
    number = await on.appeal(cell.column, "filed")
    await on.container.appeals.decline(on.taskforce, number, "不属于受理范围，请向有关机构提出。")
    on.backend.clock.forward(days=14)
    return Asked({"number": number}, {"outcome": "企业说再看看"})


async def limit(on: Stage, cell: Cell) -> Asked:
    units = [on.names["territory"], on.names["lead"], on.names["co"]]
    made = await on.container.supervision.limits.start(
        on.taskforce, ServiceKind.DISCUSSION, "无先例的事项", units
    )
    return Asked({"id": made.id}, {"outcome": "已经答复"})


async def new_limit(on: Stage, cell: Cell) -> Asked:
    sent = {"kind": "catch_all_director", "subject": "窗口不能解决的事项", "units": [on.names["lead"]]}
    return Asked({}, sent)


async def calendar_day(on: Stage, cell: Cell) -> Asked:
    """A day that was entered."""
    day = date(2028, 3, 1)
    await on.container.calendar.set_day(on.taskforce, day, working=False, note="演练放假")
    return Asked({"day": day.isoformat()})


async def calendar_year(on: Stage, cell: Cell) -> Asked:
    """A year whose holidays were entered."""
    await _holidays(on)
    return Asked({"year": 2028}, {"note": "国办发明电"})


async def settled_year(on: Stage, cell: Cell) -> Asked:
    await _holidays(on)
    await on.container.calendar.settle(on.taskforce, 2028, "国办发明电")
    return Asked({"year": 2028})


async def _holidays(on: Stage) -> None:
    for day in range(24, 29):
        await on.container.calendar.set_day(on.taskforce, date(2028, 1, day), working=False, note="春节放假")


_LISTING = {"name": "代办服务", "types": ["人才"], "description": "代为提交材料"}
_FORMS = "/api/v1/desk/appeals/{number}/documents"
_DESK = "/api/v1/desk/appeals/{number}"
_ACCOUNT = "/api/v1/accounts/{username}"
_MONTH = "/api/v1/desk/liaisons/{username}/months/{month}"

CASES: dict[str, Case] = {
    "POST /api/v1/staff/sessions/{id}/revoke": session,
    "POST /api/v1/staff/password": password,
    "POST /api/v1/accounts": new_account,
    f"GET {_ACCOUNT}": account(),
    f"POST {_ACCOUNT}/role": account({"role": "leader"}),
    f"POST {_ACCOUNT}/disable": account(),
    f"POST {_ACCOUNT}/enable": account(shut=True),
    f"POST {_ACCOUNT}/password": account({"password": PASSWORD}),
    f"GET {_ACCOUNT}/tokens": account(),
    f"POST {_ACCOUNT}/tokens": account({"label": "日报", "days": 1}),
    f"POST {_ACCOUNT}/tokens/{{id}}/revoke": account_token,
    f"POST {_ACCOUNT}/tokens/revoke": account(),
    "GET /api/v1/liaisons/{username}/enterprises": enterprises,
    "POST /api/v1/liaisons/{username}/pair": pairing,
    "POST /api/v1/liaisons/{username}/unpair": parting,
    f"GET {_DESK}": appeal(),
    f"GET {_DESK}/history": appeal(),
    f"GET {_DESK}/similar": appeal(),
    "POST /api/v1/desk/appeals": body(
        enterprise=ENTERPRISE, contact="王小明", phone=FILING["phone"], text="门口的道路破损很久了。"
    ),
    f"POST {_DESK}/assign": appeal({"lead_department": "lead", "level": "single"}, "filed"),
    f"POST {_DESK}/transfer": appeal({"department": "next", "reason": "不属于本部门职责"}),
    f"POST {_DESK}/reassign": appeal({"lead_department": "next", "reason": "由专班协调"}),
    f"POST {_DESK}/decline": appeal({"reason": "不属于受理范围，请向有关机构提出。"}),
    f"POST {_DESK}/merge": merging,
    f"POST {_DESK}/unmerge": appeal({"reason": "并非同一件事"}, "merged"),
    f"POST {_DESK}/start": appeal(),
    f"POST {_DESK}/reply": appeal({"text": "已经安排处理。"}),
    f"POST {_DESK}/resolve": appeal({"text": "已经处理完毕。"}),
    f"POST {_DESK}/note": appeal({"text": "备注一下"}),
    f"POST {_DESK}/escalate": appeal(
        {"to_level": 2, "reason": "协调不成", "documents": list(STEPS[2].documents)}
    ),
    f"POST {_DESK}/return": appeal({"reason": "不适合提级"}, "escalated"),
    f"POST {_DESK}/supervise": appeal({"text": "请尽快办理"}),
    f"GET {_FORMS}/escalation-form.docx": appeal(),
    f"GET {_FORMS}/assignment.docx": appeal(),
    f"GET {_FORMS}/supervision-order.docx": appeal(stage="supervised"),
    "POST /api/v1/desk/documents/service-listing.docx": body(**_LISTING),
    "POST /api/v1/desk/handoffs/{id}/take-up": handoff,
    "POST /api/v1/desk/unanswered/handled": unanswered,
    "POST /api/v1/desk/messages/{id}/read": message,
    "POST /api/v1/desk/outbox/{id}/retry": undelivered,
    f"POST {_DESK}/called": silent,
    f"POST {_DESK}/penalty": appeal({"kind": "criticism", "unit": "lead", "reason": "处理不力"}),
    f"GET {_MONTH}": month,
    f"POST {_MONTH}": month_entries,
    "POST /api/v1/desk/calendar/days": body(day="2028-03-01", working=False, note="演练放假"),
    "POST /api/v1/desk/calendar/days/{day}/remove": calendar_day,
    "POST /api/v1/desk/calendar/years/{year}/settle": calendar_year,
    "POST /api/v1/desk/calendar/years/{year}/unsettle": settled_year,
    "POST /api/v1/desk/clocks": new_limit,
    "POST /api/v1/desk/clocks/{id}/end": limit,
}
"""Cases by method and path; an endpoint that is not here is asked with an empty request."""
