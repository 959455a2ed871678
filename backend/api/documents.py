"""The four forms as Word files, filled in from an appeal or from what is sent.

An appeal that is not the desk's answers like one that is not there. Contact and telephone number stand on a
form only where the account handles the case.
"""

from __future__ import annotations

import asyncio
from typing import Annotated
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from backend import errors
from backend.api.endpoints import Call, Table
from backend.api.fields import Line, Number, OptionalText, Request, Text, Word
from backend.appeals import access
from backend.documents import filling
from backend.documents.forms import Form, Opinion, ServiceListing, ServiceType
from backend.documents.word import MEDIA_TYPE, render
from backend.people.roles import Role
from backend.permissions import Action, require

TABLE = Table("documents")

_ONE = "/api/v1/desk/appeals/{number}/documents"
_TASKFORCE = "企业服务工作专班"
"""Head of the forms in a district whose folder does not name its task force."""

_Path = Annotated[Number, Field(title="诉求编号", description="For example QT20261121-0042.")]
_Place = Annotated[
    int | None,
    Field(title="第几次", ge=1, le=10_000, description="Which one, from 1; the latest unless given."),
]
_Unit = Annotated[Word | None, Field(title="单位名称")]


class EscalationFormRequest(Request):
    """Of which appeal, and what the lead department asks for."""

    number: _Path
    opinion: Annotated[
        Opinion | None,
        Field(title="主办部门意见", description="Left out, it is ticked only where the record says so."),
    ] = None


class SheetRequest(Request):
    """Of which appeal, and which of its assignments or orders."""

    number: _Path
    order: _Place = None


class ServiceListingRequest(Request):
    """What is printed on 服务上架审批单; signatures, seals and dates stay blank."""

    name: Annotated[Line, Field(title="服务名称")]
    types: Annotated[
        list[ServiceType],
        Field(title="服务类型", min_length=1, max_length=len(ServiceType), description="What is ticked."),
    ]
    description: Annotated[Text, Field(title="服务说明", description="What the service offers.")]
    provider: Annotated[
        _Unit, Field(title="服务提供单位", description="A department's own name unless given.")
    ] = None
    provider_opinion: Annotated[OptionalText, Field(title="服务提供单位意见")] = ""
    lead_unit: Annotated[_Unit, Field(title="牵头单位")] = None
    lead_opinion: Annotated[OptionalText, Field(title="牵头单位意见")] = ""
    remarks: Annotated[OptionalText, Field(title="备注")] = ""


@TABLE.get(
    _ONE + "/escalation-form.docx",
    "Fills in 企业问题提级协调审批表.",
    access="staff",
    action=Action.DOCUMENTS_PRINT,
    errors=(errors.Conflict,),
    media_type=MEDIA_TYPE,
)
async def get_escalation_form(call: Call, data: EscalationFormRequest) -> web.Response:
    """Answers with the form as the appeal stands now."""
    _require(call, Action.DOCUMENTS_PRINT)
    record = await call.container.appeals.get(call.staff.actor, data.number)
    form = filling.escalation_form(record.appeal, record.history, opinion=data.opinion)
    return await _file(form, f"企业问题提级协调审批表-{record.appeal.number}", "escalation-form")


@TABLE.get(
    _ONE + "/assignment.docx",
    "Fills in 交办单 for one assignment.",
    access="staff",
    action=Action.DOCUMENTS_PRINT,
    errors=(errors.Conflict,),
    media_type=MEDIA_TYPE,
)
async def get_assignment_sheet(call: Call, data: SheetRequest) -> web.Response:
    """Answers with the sheet as it was when the appeal was assigned."""
    _require(call, Action.DOCUMENTS_PRINT)
    actor = call.staff.actor
    record = await call.container.appeals.get(actor, data.number)
    form = filling.assignment_sheet(
        record.appeal,
        record.history,
        taskforce=_taskforce(call),
        place=data.order,
        with_contact=access.handles(actor, record.appeal),
    )
    return await _file(form, f"交办单-{form.number}", "assignment")


@TABLE.get(
    _ONE + "/supervision-order.docx",
    "Fills in 督办单 for one order.",
    access="staff",
    action=Action.DOCUMENTS_PRINT,
    media_type=MEDIA_TYPE,
)
async def get_supervision_order(call: Call, data: SheetRequest) -> web.Response:
    """Answers with the order as it was given."""
    _require(call, Action.DOCUMENTS_PRINT)
    actor = call.staff.actor
    record = await call.container.appeals.get(actor, data.number)
    form = filling.supervision_order(
        record.appeal,
        record.history,
        record.supervision,
        taskforce=_taskforce(call),
        place=data.order,
        with_contact=access.handles(actor, record.appeal),
    )
    return await _file(form, f"督办单-{form.number}", "supervision-order")


@TABLE.post(
    "/api/v1/desk/documents/service-listing.docx",
    "Fills in 服务上架审批单; nothing is kept.",
    access="staff",
    action=Action.DOCUMENTS_SERVICE_LISTING,
    media_type=MEDIA_TYPE,
)
async def post_service_listing(call: Call, data: ServiceListingRequest) -> web.Response:
    """Answers with the form."""
    _require(call, Action.DOCUMENTS_SERVICE_LISTING)
    actor = call.staff.actor
    own = actor.unit if actor.role is Role.DEPARTMENT else None
    form = ServiceListing(
        name=data.name,
        types=frozenset(data.types),
        description=data.description,
        provider=data.provider or own or "",
        provider_opinion=data.provider_opinion,
        lead_unit=data.lead_unit or "",
        lead_opinion=data.lead_opinion,
        remarks=data.remarks,
    )
    return await _file(form, f"服务上架审批单-{form.name}", "service-listing")


def _require(call: Call, action: Action) -> None:
    require(call.staff.account.role, action)


def _taskforce(call: Call) -> str:
    return call.container.directory.home.taskforce or _TASKFORCE


async def _file(form: Form, name: str, plain: str) -> web.Response:
    """Answers with a Word file; ``plain`` is its name for who cannot read the Chinese one."""
    body = await asyncio.to_thread(render, form)
    sign = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)[:80]
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}.docx\"; filename*=UTF-8''{quote(sign)}.docx",
        "Cache-Control": "no-store",
    }
    return web.Response(body=body, content_type=MEDIA_TYPE, headers=headers)
