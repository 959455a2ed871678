"""What the appeals add up to: figures, the monthly ranking, liaisons' months, and tables to take along.

A department sees its own figures and a territory its own; those who lead and supervise see all.
"""

from __future__ import annotations

import logging
from datetime import date
from typing import Annotated, Any
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from backend.api.endpoints import Call, Table
from backend.api.fields import Moment, Page, PageSize, Request, Response, Word
from backend.appeals.model import Level, State
from backend.appeals.penalties import PenaltyKind
from backend.calculators.liaison_score import Count, Lead, Medium
from backend.figures import definitions
from backend.figures.cells import hours
from backend.figures.exports import Export, Form
from backend.figures.liaisons import LiaisonMonth, mean_stars, solved_pct
from backend.figures.model import Grouping, Row, Selection, day_bounds
from backend.figures.ranking import LEAST, Order, Place
from backend.knowledge.entries import BoardName
from backend.permissions import Action

TABLE = Table("figures")
log = logging.getLogger(__name__)

_FIRST = date(1990, 1, 1)
_LAST = date(2100, 12, 30)
_MONTH = r"^(199[0-9]|20[0-9]{2}|2100)-(0[1-9]|1[0-2])$"


class SelectionQuery(Request):
    """Which appeals, by when they were submitted and what they are; everything left out means any."""

    since: Annotated[
        date | None,
        Field(title="起始日期", alias="from", ge=_FIRST, le=_LAST, description="First day of submission."),
    ] = None
    until: Annotated[
        date | None,
        Field(title="截止日期", alias="to", ge=_FIRST, le=_LAST, description="Last day of submission."),
    ] = None
    department: Annotated[Word | None, Field(title="部门", description="Name or alias; it leads.")] = None
    territory: Annotated[Word | None, Field(title="平台或街道", description="Name or alias.")] = None
    category: Annotated[BoardName | None, Field(title="板块")] = None
    level: Annotated[Level | None, Field(title="级别")] = None
    direct_line: Annotated[bool | None, Field(title="书记区长直通车")] = None


class FiguresQuery(SelectionQuery):
    """Which appeals, and by what they are put together."""

    by: Annotated[Grouping, Field(title="分组")] = Grouping.DEPARTMENT
    page: Page = 1
    page_size: PageSize = 100


class FiguresExportQuery(SelectionQuery):
    """Which appeals, and by what they are put together."""

    by: Annotated[Grouping, Field(title="分组")] = Grouping.DEPARTMENT


class AppealsExportQuery(SelectionQuery):
    """Which appeals; a department's are those that it leads or helps with."""

    state: Annotated[State | None, Field(title="状态")] = None


class TableQuery(Request):
    """Which month, ranked by what."""

    month: Annotated[
        str | None,
        Field(title="月份", pattern=_MONTH, description="As 2026-11; else the present one."),
    ] = None
    order: Annotated[Order, Field(title="排名指标")] = Order.SOLVED
    least: Annotated[
        int,
        Field(title="最少件数", ge=1, le=1_000, description="With fewer cases there is no place."),
    ] = LEAST


class RateShape(Response):
    """A share with what it is a share of; ``rate`` is from 0 to 1, null where the denominator is 0."""

    numerator: int
    denominator: int
    rate: float | None


class CountsShape(Response):
    """How many appeals have which property; `docs/figures.md` defines each."""

    filed: int
    open: int
    overdue: int
    silent: int
    closed: int
    withdrawn: int
    merged: int
    not_accepted: int
    late: int
    reopened: int
    escalated: int
    whistle: int
    co_handled: int | None


class FigureRow(Response):
    """The figures of one group.

    Attributes:
        key: Name of the unit or board, month or level; null where no territory is confirmed.
        unit_kind: ``department`` or ``territory`` where the group is a unit.
        first_reply_hours: Median working time to the first answer, days off left out.
        stars: Mean of the stars given.
        penalties: Events in the assessment by kind; of a unit those against itself.
    """

    key: str | None
    text: str
    unit_kind: str | None
    counts: CountsShape
    on_time: RateShape
    first_reply: RateShape
    first_reply_hours: float | None
    solved: RateShape
    closed: RateShape
    stars: float | None
    satisfied: RateShape
    reopened: RateShape
    escalated: RateShape
    whistle: RateShape
    penalties: dict[PenaltyKind, int]


class FiguresAnswer(Response):
    """The rows, and all together; of the moment at which it was counted."""

    by: Grouping
    as_of: Moment
    whole: FigureRow
    rows: list[FigureRow]
    total: int
    page: int
    page_size: int


class PlaceShape(FigureRow):
    """A unit in the ranking.

    Attributes:
        rank: From 1; null where there are too few cases for a place.
        tied: Another unit has the same place.
        few: There are too few cases.
    """

    rank: int | None
    tied: bool
    few: bool


class TableAnswer(Response):
    """The monthly ranking (晾晒); a unit sees its own place, counted among all."""

    month: str
    order: Order
    order_text: str
    least: int
    as_of: Moment
    departments: list[PlaceShape]
    territories: list[PlaceShape]
    placed_departments: int
    placed_territories: int


class MonthRequest(Request):
    """Whose month."""

    username: Annotated[Word, Field(title="助企员", description="User name of the liaison.")]
    month: Annotated[str, Field(title="月份", pattern=_MONTH, description="As 2026-11.")]


class MonthEntries(MonthRequest):
    """What the task force enters for a month; what was entered before is replaced."""

    visit: Annotated[bool, Field(title="走访", strict=True, description="Visit made and record uploaded.")]
    tracked: Annotated[
        bool, Field(title="全程跟踪", strict=True, description="By the lead department's word.")
    ]
    hidden: Annotated[Count, Field(title="瞒报漏报", description="Cases found.")] = 0
    inspect_faults: Annotated[Count, Field(title="督查发现问题", description="Faults found.")] = 0
    lead: Annotated[Lead, Field(title="主动担当", description="What came of a led coordination.")] = Lead.NONE
    leader_visit: Annotated[bool, Field(title="区领导走访", strict=True, description="Attended.")] = False
    posts: Annotated[Count, Field(title="信息报送", description="Articles handed in.")] = 0
    media: Annotated[
        list[Medium],
        Field(title="媒体刊登", max_length=100, description="Highest level of each different content."),
    ] = Field(default_factory=list)
    adopted: Annotated[Count, Field(title="特色创新", description="Articles adopted.")] = 0
    stars: Annotated[
        float | None,
        Field(title="企业评价", ge=1, le=5, description="Of the liaison; else the appeals' mean."),
    ] = None


class KnownShape(Response):
    """What the appeals tell of the month.

    Attributes:
        uploads: Valid problems that the liaison filed.
        appeals: Of the enterprises that are paired with the liaison, submitted in the month.
        overdue: Of these, unresolved when due.
        answered: Of these, with the enterprise's word.
        solved_pct: Of the answered ones, called solved.
        stars: Mean of the stars given.
    """

    uploads: int
    appeals: int
    overdue: int
    answered: int
    solved_pct: float | None
    stars: float | None


class EnteredShape(Response):
    """What the task force entered."""

    at: Moment
    by: str
    entries: dict[str, Any]


class ScoreShape(Response):
    """The score, as the calculator ``liaison-score`` computes it."""

    parts: dict[str, int | float]
    total: int | float
    trace: list[str]


class MonthAnswer(Response):
    """A liaison's month; no score before something was entered."""

    username: str
    month: str
    known: KnownShape
    entered: EnteredShape | None
    score: ScoreShape | None


_STAFF: dict[str, Any] = {"access": "staff", "action": Action.FIGURES_VIEW}
_EXPORT: dict[str, Any] = {"access": "staff", "action": Action.FIGURES_EXPORT}
_ONE = "/api/v1/desk/liaisons/{username}/months/{month}"


@TABLE.get("/api/v1/desk/figures", "Counts appeals by unit, board, month or level.", **_STAFF)
async def get_figures(call: Call, data: FiguresQuery) -> FiguresAnswer:
    """Answers the figures, each with what it is a share of."""
    found = await call.container.figures.figures(call.staff.actor, data.by, _selection(call, data))
    begin = (data.page - 1) * data.page_size
    return FiguresAnswer(
        by=data.by,
        as_of=found.as_of,
        whole=FigureRow(**_row(found.whole, "合计")),
        rows=[FigureRow(**_row(row)) for row in found.rows[begin : begin + data.page_size]],
        total=len(found.rows),
        page=data.page,
        page_size=data.page_size,
    )


@TABLE.get("/api/v1/desk/figures/table", "Ranks departments and territories for a month.", **_STAFF)
async def get_figure_table(call: Call, data: TableQuery) -> TableAnswer:
    """Answers the ranking."""
    table = await call.container.figures.table(call.staff.actor, data.month, data.order, data.least)
    return TableAnswer(
        month=table.month,
        order=table.order,
        order_text=table.order.text,
        least=table.least,
        as_of=table.as_of,
        departments=[_place(place) for place in table.departments],
        territories=[_place(place) for place in table.territories],
        placed_departments=table.placed_departments,
        placed_territories=table.placed_territories,
    )


@TABLE.get(
    "/api/v1/desk/exports/appeals.csv",
    "Takes appeals along as csv; contacts are masked.",
    media_type=Form.CSV.media_type,
    **_EXPORT,
)
async def get_appeals_csv(call: Call, data: AppealsExportQuery) -> web.StreamResponse:
    """Streams the appeals."""
    return await _appeals(call, data, Form.CSV)


@TABLE.get(
    "/api/v1/desk/exports/appeals.xlsx",
    "Takes appeals along as xlsx; contacts are masked.",
    media_type=Form.XLSX.media_type,
    **_EXPORT,
)
async def get_appeals_xlsx(call: Call, data: AppealsExportQuery) -> web.StreamResponse:
    """Streams the appeals."""
    return await _appeals(call, data, Form.XLSX)


@TABLE.get(
    "/api/v1/desk/exports/figures.csv",
    "Takes figures along as csv.",
    media_type=Form.CSV.media_type,
    **_EXPORT,
)
async def get_figures_csv(call: Call, data: FiguresExportQuery) -> web.StreamResponse:
    """Streams the figures."""
    return await _figures(call, data, Form.CSV)


@TABLE.get(
    "/api/v1/desk/exports/figures.xlsx",
    "Takes figures along as xlsx.",
    media_type=Form.XLSX.media_type,
    **_EXPORT,
)
async def get_figures_xlsx(call: Call, data: FiguresExportQuery) -> web.StreamResponse:
    """Streams the figures."""
    return await _figures(call, data, Form.XLSX)


@TABLE.get(
    _ONE,
    "Shows a liaison's month with its score; a liaison sees their own.",
    access="staff",
    action=Action.LIAISON_MONTHS_VIEW,
)
async def get_liaison_month(call: Call, data: MonthRequest) -> MonthAnswer:
    """Answers a month."""
    return _month(await call.container.liaison_months.get(call.staff.actor, data.username, data.month))


@TABLE.post(
    _ONE,
    "Enters what the system does not know of a liaison's month.",
    access="staff",
    action=Action.LIAISON_MONTHS_ENTER,
)
async def post_liaison_month(call: Call, data: MonthEntries) -> MonthAnswer:
    """Enters a month anew."""
    entries = data.model_dump(mode="json", exclude={"username", "month"})
    found = await call.container.liaison_months.enter(call.staff.actor, data.username, data.month, entries)
    return _month(found)


async def _appeals(call: Call, data: AppealsExportQuery, form: Form) -> web.StreamResponse:
    selection = _selection(call, data, state=data.state)
    if call.request.method == "HEAD":
        return web.Response(content_type=form.media_type)
    return await _stream(
        call, await call.container.exports.appeals(call.staff.actor, selection, form), "appeals"
    )


async def _figures(call: Call, data: FiguresExportQuery, form: Form) -> web.StreamResponse:
    selection = _selection(call, data)
    if call.request.method == "HEAD":
        return web.Response(content_type=form.media_type)
    export = await call.container.exports.figures(call.staff.actor, data.by, selection, form)
    return await _stream(call, export, "figures")


async def _stream(call: Call, export: Export, plain: str) -> web.StreamResponse:
    """Sends a file piece by piece; what goes wrong before the first piece is answered with a sentence."""
    pieces = export.pieces
    first = await anext(pieces, b"")
    ending = export.form.value
    response = web.StreamResponse(
        headers={
            "Content-Disposition": f'attachment; filename="{plain}.{ending}"; '
            f"filename*=UTF-8''{quote(export.name)}.{ending}",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
    )
    response.content_type = export.form.media_type
    if export.form is Form.CSV:
        response.charset = "utf-8"
    try:
        await response.prepare(call.request)
        await response.write(first)
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
    except ConnectionError:
        log.info("export was broken off", extra={"form": ending})
    except Exception:
        # half a file must not look like a whole one
        log.exception("export failed", extra={"form": ending})
        if call.request.transport is not None:
            call.request.transport.abort()
    finally:
        await pieces.aclose()
    return response


def _selection(call: Call, data: SelectionQuery, state: State | None = None) -> Selection:
    directory = call.container.directory
    since, before = day_bounds(data.since, data.until)
    department, territory = data.department, data.territory
    return Selection(
        since=since,
        before=before,
        department=(directory.department(department) or department) if department else None,
        territory=(directory.territory(territory) or territory) if territory else None,
        category=data.category,
        level=data.level,
        direct_line=data.direct_line,
        state=state,
    )


def _rate(rate: definitions.Rate) -> RateShape:
    return RateShape(numerator=rate.numerator, denominator=rate.denominator, rate=rate.value)


def _row(row: Row, text: str | None = None) -> dict[str, Any]:
    counts = row.counts
    kinds = {True: "department", False: "territory", None: None}
    return {
        "key": row.key.value,
        "text": text or row.key.text,
        "unit_kind": kinds[row.key.is_department],
        "counts": CountsShape(
            co_handled=row.co_handled,
            **{name: getattr(counts, name) for name in CountsShape.model_fields if name != "co_handled"},
        ),
        "on_time": _rate(counts.on_time_rate),
        "first_reply": _rate(counts.first_reply_rate),
        "first_reply_hours": hours(row.reply_seconds),
        "solved": _rate(counts.solve_rate),
        "closed": _rate(counts.closed_rate),
        "stars": counts.mean_stars,
        "satisfied": _rate(counts.satisfied_rate),
        "reopened": _rate(counts.reopening_rate),
        "escalated": _rate(counts.escalated_rate),
        "whistle": _rate(counts.whistle_rate),
        "penalties": {kind: row.penalties.get(kind, 0) for kind in PenaltyKind},
    }


def _place(place: Place) -> PlaceShape:
    return PlaceShape(**_row(place.row), rank=place.rank, tied=place.tied, few=place.few)


def _month(found: LiaisonMonth) -> MonthAnswer:
    facts, entered, score = found.facts, found.entered, found.score
    pct, stars = solved_pct(facts), mean_stars(facts)
    return MonthAnswer(
        username=found.username,
        month=found.month,
        known=KnownShape(
            uploads=facts.uploads,
            appeals=facts.appeals,
            overdue=facts.overdue,
            answered=facts.answered,
            solved_pct=None if pct is None else float(pct),
            stars=None if stars is None else float(stars),
        ),
        entered=EnteredShape(at=entered.at, by=entered.by, entries=dict(entered.entries))
        if entered
        else None,
        score=ScoreShape(**score.result, trace=list(score.trace)) if score else None,
    )
