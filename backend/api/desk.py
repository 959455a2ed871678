"""The desks of staff: the appeals that are theirs, and what they may do with them.

Who may do what is decided in `backend.appeals`; an appeal that is not the desk's answers like one that is not
there.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool, StrictInt

from backend import errors
from backend.api import shapes
from backend.api.endpoints import Call, Table
from backend.api.fields import Line, Number, Phone, Request, Response, Word
from backend.appeals.model import Level, State
from backend.appeals.ports import AppealQuery
from backend.appeals.service import AppealRecord
from backend.knowledge.entries import BoardName
from backend.permissions import Action

TABLE = Table("desk")

_Path = Annotated[Number, Field(title="诉求编号", description="For example QT20261121-0042.")]
_Version = Annotated[
    StrictInt | None,
    Field(
        title="版本", ge=1, le=1_000_000_000, description="Version that was seen; refused if it has changed."
    ),
]
_Words = Annotated[str, Field(title="内容", description="In own words.")]
_Department = Annotated[str, Field(title="部门", description="Name or alias of a department.")]
_Lead = Annotated[str, Field(title="主办部门", description="Name or alias of the lead department.")]
_CoDepartments = Annotated[
    list[Word], Field(title="协办部门", max_length=20, description="Names or aliases of co-departments.")
]
_Territory = Annotated[
    str | None, Field(title="平台或街道", description="Confirms or corrects the territory.")
]
_Reason = Annotated[str, Field(title="理由", description="Why; kept in the record.")]


class DeskQuery(Request):
    """Which appeals; everything left out means any."""

    state: Annotated[State | None, Field(title="状态")] = None
    level: Annotated[Level | None, Field(title="级别")] = None
    department: Annotated[Word | None, Field(title="部门", description="Lead or co-department.")] = None
    territory: Annotated[Word | None, Field(title="平台或街道")] = None
    category: Annotated[BoardName | None, Field(title="板块")] = None
    open: Annotated[bool | None, Field(title="未了结", description="Somebody has to act.")] = None
    overdue: Annotated[bool | None, Field(title="超期", description="Past due and not resolved.")] = None
    direct_line: Annotated[bool | None, Field(title="书记区长直通车")] = None
    phone: Annotated[Phone | None, Field(title="联系电话", description="The whole number.")] = None
    q: Annotated[Line | None, Field(title="关键词", description="In number, enterprise or problem.")] = None
    page: Annotated[int, Field(title="页码", ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(title="每页条数", ge=1, le=100)] = 20


class DeskList(Response):
    """One page, newest first.

    Attributes:
        total: How many fit.
        total_is_least: There are more than ``total``; only said of words that very many appeals hold.
    """

    appeals: list[shapes.DeskRow]
    total: int
    total_is_least: bool
    page: int
    page_size: int


class NumberRequest(Request):
    """Which appeal."""

    number: _Path


class AssignRequest(NumberRequest):
    """The territory's decision; what is left out stays as proposed."""

    lead_department: Annotated[str | None, Field(title="主办部门", description="Name or alias.")] = None
    co_departments: _CoDepartments = Field(default_factory=list)
    level: Annotated[Level | None, Field(title="级别", description="The decision on the level.")] = None
    category: Annotated[BoardName | None, Field(title="板块", description="The decision on the board.")] = (
        None
    )
    territory: _Territory = None
    text: Annotated[
        str, Field(title="交办要求", description="For the lead; not shown to the enterprise.")
    ] = ""
    version: _Version = None


class TransferRequest(NumberRequest):
    """To whom an appeal is handed on."""

    department: _Department
    reason: _Reason
    territory: _Territory = None
    version: _Version = None


class ReassignRequest(NumberRequest):
    """The task force's naming of the departments."""

    lead_department: _Lead
    co_departments: _CoDepartments = Field(default_factory=list)
    reason: _Reason
    territory: _Territory = None
    version: _Version = None


class VersionRequest(NumberRequest):
    """Which appeal, as it was seen."""

    version: _Version = None


class ReplyRequest(NumberRequest):
    """What the enterprise is told."""

    text: _Words
    version: _Version = None


class ResolveRequest(NumberRequest):
    """The outcome; may be empty where the enterprise has had a reply."""

    text: Annotated[str, Field(title="办理结果", description="The outcome for the enterprise.")] = ""
    version: _Version = None


class WordsRequest(NumberRequest):
    """A note, or an order; neither changes what another has seen, so no version is asked."""

    text: _Words


class EscalateRequest(NumberRequest):
    """One step up the four coordination levels."""

    to_level: Annotated[StrictInt, Field(title="提级到", ge=2, le=4, description="2, 3 or 4.")]
    documents: Annotated[
        list[Word], Field(title="材料", max_length=20, description="Documents at hand, by their names.")
    ] = Field(default_factory=list)
    reason: _Reason
    major: Annotated[StrictBool, Field(title="重大问题", description="May go straight to level 4.")] = False
    leaders_needed: Annotated[
        StrictInt,
        Field(title="需要的区领导人数", ge=1, le=100, description="Two or more go straight to level 4."),
    ] = 1
    version: _Version = None


class ReasonRequest(NumberRequest):
    """Why."""

    reason: _Reason
    version: _Version = None


class ReturnRequest(NumberRequest):
    """Why an escalation goes back, and who handles it then."""

    reason: _Reason
    lead_department: Annotated[str | None, Field(title="主办部门", description="Name or alias.")] = None
    co_departments: _CoDepartments = Field(default_factory=list)
    territory: _Territory = None
    version: _Version = None


class MergeRequest(NumberRequest):
    """Which appeal of the same enterprise goes on for this one."""

    into: Annotated[Number, Field(title="并入", description="Number of the appeal that goes on.")]
    reason: _Reason
    version: _Version = None


class HistoryAnswer(Response):
    """The whole record, oldest first."""

    number: str
    history: list[shapes.DeskLine]


_LIST = "/api/v1/desk/appeals"
_ONE = "/api/v1/desk/appeals/{number}"
_Changes = (errors.Conflict,)


@TABLE.get(_LIST, "Lists the appeals of the desk.", access="staff", action=Action.APPEALS_VIEW)
async def get_desk_appeals(call: Call, data: DeskQuery) -> DeskList:
    """Lists what the account may see."""
    query = AppealQuery(
        state=data.state,
        level=data.level,
        department=data.department,
        territory=data.territory,
        category=data.category,
        open=data.open,
        overdue=data.overdue,
        direct_line=data.direct_line,
        phone=data.phone,
        text=data.q,
        page=data.page,
        page_size=data.page_size,
    )
    page = await call.container.appeals.list(call.staff.actor, query)
    now = call.container.clock()
    return DeskList(
        appeals=[shapes.row(appeal, now, call.staff.actor) for appeal in page.appeals],
        total=page.total,
        total_is_least=page.total_is_least,
        page=page.page,
        page_size=page.page_size,
    )


@TABLE.get(_ONE, "Opens an appeal.", access="staff", action=Action.APPEALS_VIEW)
async def get_desk_appeal(call: Call, data: NumberRequest) -> shapes.OpenAnswer:
    """Opens an appeal with its whole record."""
    return _opened(call, await call.container.appeals.get(call.staff.actor, data.number))


@TABLE.get(
    _ONE + "/history",
    "Shows the record of an appeal.",
    access="staff",
    action=Action.APPEALS_VIEW,
)
async def get_history(call: Call, data: NumberRequest) -> HistoryAnswer:
    """Shows who did what when."""
    record = await call.container.appeals.get(call.staff.actor, data.number)
    return HistoryAnswer(number=record.appeal.number, history=shapes.lines(record))


@TABLE.post(
    _ONE + "/assign",
    "Gives a filed appeal to who handles it.",
    access="staff",
    action=Action.APPEALS_ASSIGN,
    errors=_Changes,
)
async def post_assign(call: Call, data: AssignRequest) -> shapes.OpenAnswer:
    """Assigns."""
    record = await call.container.appeals.assign(
        call.staff.actor,
        data.number,
        lead_department=data.lead_department,
        co_departments=data.co_departments,
        level=data.level,
        category=data.category,
        territory=data.territory,
        text=data.text,
        version=data.version,
    )
    return _opened(call, record)


@TABLE.post(
    _ONE + "/transfer",
    "Hands an appeal on to another department.",
    access="staff",
    action=Action.APPEALS_TRANSFER,
    errors=_Changes,
)
async def post_transfer(call: Call, data: TransferRequest) -> shapes.OpenAnswer:
    """Transfers; the second distinct lead department makes it a whistle appeal."""
    record = await call.container.appeals.transfer(
        call.staff.actor,
        data.number,
        department=data.department,
        reason=data.reason,
        territory=data.territory,
        version=data.version,
    )
    return _opened(call, record)


@TABLE.post(
    _ONE + "/reassign",
    "Names lead and co-departments anew.",
    access="staff",
    action=Action.APPEALS_REASSIGN,
    errors=_Changes,
)
async def post_reassign(call: Call, data: ReassignRequest) -> shapes.OpenAnswer:
    """Lets the task force name the departments."""
    record = await call.container.appeals.reassign(
        call.staff.actor,
        data.number,
        lead_department=data.lead_department,
        co_departments=data.co_departments,
        reason=data.reason,
        territory=data.territory,
        version=data.version,
    )
    return _opened(call, record)


@TABLE.post(
    _ONE + "/start",
    "Says that the handling has begun.",
    access="staff",
    action=Action.APPEALS_START,
    errors=_Changes,
)
async def post_start(call: Call, data: VersionRequest) -> shapes.OpenAnswer:
    """Begins."""
    return _opened(
        call, await call.container.appeals.start(call.staff.actor, data.number, version=data.version)
    )


@TABLE.post(
    _ONE + "/reply",
    "Answers the enterprise.",
    access="staff",
    action=Action.APPEALS_REPLY,
    errors=_Changes,
)
async def post_reply(call: Call, data: ReplyRequest) -> shapes.OpenAnswer:
    """Replies; the enterprise reads the text."""
    record = await call.container.appeals.reply(
        call.staff.actor, data.number, data.text, version=data.version
    )
    return _opened(call, record)


@TABLE.post(
    _ONE + "/resolve",
    "Says, as the lead, that an appeal is done.",
    access="staff",
    action=Action.APPEALS_RESOLVE,
    errors=_Changes,
)
async def post_resolve(call: Call, data: ResolveRequest) -> shapes.OpenAnswer:
    """Resolves; only the enterprise's word closes."""
    record = await call.container.appeals.resolve(
        call.staff.actor, data.number, data.text, version=data.version
    )
    return _opened(call, record)


@TABLE.post(
    _ONE + "/escalate",
    "Moves an appeal up the coordination levels.",
    access="staff",
    action=Action.APPEALS_ESCALATE,
    errors=_Changes,
)
async def post_escalate(call: Call, data: EscalateRequest) -> shapes.OpenAnswer:
    """Escalates; the required documents are checked."""
    record = await call.container.appeals.escalate(
        call.staff.actor,
        data.number,
        to_level=data.to_level,
        documents=data.documents,
        reason=data.reason,
        major=data.major,
        leaders_needed=data.leaders_needed,
        version=data.version,
    )
    return _opened(call, record)


@TABLE.post(
    _ONE + "/return",
    "Gives an escalation back that is not fit for a higher level.",
    access="staff",
    action=Action.APPEALS_RETURN,
    errors=_Changes,
)
async def post_return(call: Call, data: ReturnRequest) -> shapes.OpenAnswer:
    """Returns; the task force supervises the appeal directly from then on."""
    record = await call.container.appeals.return_escalated(
        call.staff.actor,
        data.number,
        reason=data.reason,
        lead_department=data.lead_department,
        co_departments=data.co_departments,
        territory=data.territory,
        version=data.version,
    )
    return _opened(call, record)


@TABLE.post(
    _ONE + "/decline",
    "Does not accept an appeal; the explanation is owed and public.",
    access="staff",
    action=Action.APPEALS_DECLINE,
    errors=_Changes,
)
async def post_decline(call: Call, data: ReasonRequest) -> shapes.OpenAnswer:
    """Declines; the enterprise has the word then."""
    record = await call.container.appeals.decline(
        call.staff.actor, data.number, data.reason, version=data.version
    )
    return _opened(call, record)


@TABLE.post(
    _ONE + "/merge",
    "Lets another appeal of the same enterprise go on for this one.",
    access="staff",
    action=Action.APPEALS_MERGE,
    errors=_Changes,
)
async def post_merge(call: Call, data: MergeRequest) -> shapes.OpenAnswer:
    """Merges."""
    record = await call.container.appeals.merge(
        call.staff.actor, data.number, into=data.into, reason=data.reason, version=data.version
    )
    return _opened(call, record)


@TABLE.post(
    _ONE + "/unmerge",
    "Takes an appeal out of the one that it was merged into.",
    access="staff",
    action=Action.APPEALS_UNMERGE,
    errors=_Changes,
)
async def post_unmerge(call: Call, data: ReasonRequest) -> shapes.OpenAnswer:
    """Takes a merge back; the appeal is reviewed again."""
    record = await call.container.appeals.unmerge(
        call.staff.actor, data.number, reason=data.reason, version=data.version
    )
    return _opened(call, record)


@TABLE.post(
    _ONE + "/supervise",
    "Gives a supervision order.",
    access="staff",
    action=Action.APPEALS_SUPERVISE,
    errors=_Changes,
)
async def post_supervise(call: Call, data: WordsRequest) -> shapes.OpenAnswer:
    """Supervises."""
    return _opened(call, await call.container.appeals.supervise(call.staff.actor, data.number, data.text))


@TABLE.post(
    _ONE + "/note",
    "Adds an internal note.",
    access="staff",
    action=Action.APPEALS_NOTE,
    errors=_Changes,
)
async def post_note(call: Call, data: WordsRequest) -> shapes.OpenAnswer:
    """Notes; the enterprise does not see it."""
    return _opened(call, await call.container.appeals.note(call.staff.actor, data.number, data.text))


def _opened(call: Call, record: AppealRecord) -> shapes.OpenAnswer:
    return shapes.opened(record, call.container.clock(), call.staff.actor)
