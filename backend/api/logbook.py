"""The log of changes that are no appeal's own: accounts, tokens, pairings, calendar, exports."""

from __future__ import annotations

from typing import Any

from backend.api.endpoints import Call, Table
from backend.api.fields import Moment, Page, PageSize, Request, Response
from backend.api.shapes import ActorShape
from backend.permissions import Action

TABLE = Table("logbook")


class LogQuery(Request):
    """Which page."""

    page: Page = 1
    page_size: PageSize = 20


class LogLine(Response):
    """Who changed what.

    Attributes:
        position: From 1, without gaps; `qifu check --audit` holds the lines to it.
        subject: On what: a user name, a date, an export.
    """

    position: int
    at: Moment
    actor: ActorShape
    action: str
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]


class LogList(Response):
    """One page, newest first."""

    lines: list[LogLine]
    total: int
    page: int
    page_size: int


@TABLE.get(
    "/api/v1/audit",
    "Shows who changed accounts, tokens, pairings, the calendar, or exported data.",
    access="staff",
    action=Action.AUDIT_VIEW,
)
async def get_audit(call: Call, data: LogQuery) -> LogList:
    """Shows the log."""
    found = await call.container.logbook.page(data.page, data.page_size, by=call.staff.actor)
    lines = [
        LogLine(
            position=entry.position,
            at=entry.at,
            actor=ActorShape(name=entry.actor.name, role=entry.actor.role.value, unit=entry.actor.unit),
            action=entry.action,
            subject=entry.subject,
            before=dict(entry.before),
            after=dict(entry.after),
        )
        for entry in found.entries
    ]
    return LogList(lines=lines, total=found.total, page=data.page, page_size=data.page_size)
