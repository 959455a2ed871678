"""What each role may do: one table, role × action.

What roles may do to an appeal stands in the life cycle's table and is taken over from there; ownership ("is
it theirs?") is a second question, answered by `backend.appeals.access`.
"""

from __future__ import annotations

from enum import StrEnum

from backend.appeals.lifecycle import TABLE, roles_of
from backend.errors import NotAllowed
from backend.people.roles import Role


class Action(StrEnum):
    """Everything that staff can ask for."""

    APPEALS_VIEW = "appeals.view"
    APPEALS_FILE = "appeals.file"
    APPEALS_ASSIGN = "appeals.assign"
    APPEALS_TRANSFER = "appeals.transfer"
    APPEALS_REASSIGN = "appeals.reassign"
    APPEALS_START = "appeals.start"
    APPEALS_REPLY = "appeals.reply"
    APPEALS_RESOLVE = "appeals.resolve"
    APPEALS_ESCALATE = "appeals.escalate"
    APPEALS_SUPERVISE = "appeals.supervise"
    APPEALS_NOTE = "appeals.note"
    APPEALS_DECLINE = "appeals.decline"
    APPEALS_RETURN = "appeals.return"
    APPEALS_MERGE = "appeals.merge"
    APPEALS_UNMERGE = "appeals.unmerge"
    HANDOFFS_VIEW = "handoffs.view"
    HANDOFFS_ANSWER = "handoffs.answer"
    HOT_TOPICS_VIEW = "hot_topics.view"
    UNANSWERED_VIEW = "unanswered.view"
    UNANSWERED_HANDLE = "unanswered.handle"
    ACCOUNTS_MANAGE = "accounts.manage"
    AUDIT_VIEW = "audit.view"
    CALENDAR_EDIT = "calendar.edit"
    LIAISONS_VIEW = "liaisons.view"
    LIAISONS_PAIR = "liaisons.pair"
    LIAISON_MONTHS_VIEW = "liaison_months.view"
    LIAISON_MONTHS_ENTER = "liaison_months.enter"
    FIGURES_VIEW = "figures.view"
    FIGURES_EXPORT = "figures.export"
    CONTENT_EDIT = "content.edit"
    DOCUMENTS_PRINT = "documents.print"
    DOCUMENTS_SERVICE_LISTING = "documents.service_listing"
    MESSAGES_VIEW = "messages.view"
    OUTBOX_VIEW = "outbox.view"
    OUTBOX_RETRY = "outbox.retry"
    CALLS_MAKE = "calls.make"
    PENALTIES_VIEW = "penalties.view"
    PENALTIES_RECORD = "penalties.record"
    CLOCKS_VIEW = "clocks.view"
    CLOCKS_START = "clocks.start"
    CLOCKS_END = "clocks.end"


_OVERSEERS = (Role.TASKFORCE, Role.INSPECTION, Role.LEADER, Role.ADMIN)
_UNITS = (Role.DEPARTMENT, Role.TERRITORY)


_OTHERS: dict[Action, frozenset[Role]] = {
    Action.APPEALS_VIEW: frozenset(Role) - {Role.EDITOR},
    Action.APPEALS_FILE: frozenset({Role.OPERATOR, Role.TERRITORY, Role.TASKFORCE, Role.LIAISON}),
    Action.HANDOFFS_VIEW: frozenset({Role.OPERATOR, Role.TASKFORCE, Role.ADMIN}),
    Action.HANDOFFS_ANSWER: frozenset({Role.OPERATOR, Role.TASKFORCE}),
    Action.HOT_TOPICS_VIEW: frozenset(Role) - {Role.DEPARTMENT, Role.LIAISON, Role.EDITOR},
    Action.UNANSWERED_VIEW: frozenset({Role.OPERATOR, Role.TASKFORCE, Role.EDITOR, Role.ADMIN}),
    Action.UNANSWERED_HANDLE: frozenset({Role.TASKFORCE, Role.EDITOR, Role.ADMIN}),
    Action.ACCOUNTS_MANAGE: frozenset({Role.ADMIN}),
    Action.AUDIT_VIEW: frozenset({Role.ADMIN, Role.INSPECTION}),
    Action.CALENDAR_EDIT: frozenset({Role.TASKFORCE, Role.ADMIN}),
    Action.LIAISONS_VIEW: frozenset({Role.TASKFORCE, Role.ADMIN, Role.LIAISON}),
    Action.LIAISONS_PAIR: frozenset({Role.TASKFORCE, Role.ADMIN}),
    Action.LIAISON_MONTHS_VIEW: frozenset({*_OVERSEERS, Role.LIAISON}),
    Action.LIAISON_MONTHS_ENTER: frozenset({Role.TASKFORCE}),
    Action.FIGURES_VIEW: frozenset({*_OVERSEERS, *_UNITS}),
    Action.FIGURES_EXPORT: frozenset({*_OVERSEERS, *_UNITS}),
    Action.CONTENT_EDIT: frozenset({Role.EDITOR, Role.ADMIN}),
    Action.DOCUMENTS_PRINT: frozenset(Role) - {Role.EDITOR, Role.LIAISON},
    Action.DOCUMENTS_SERVICE_LISTING: frozenset({Role.EDITOR, Role.TASKFORCE, Role.DEPARTMENT, Role.ADMIN}),
    Action.MESSAGES_VIEW: frozenset(
        {Role.OPERATOR, Role.TERRITORY, Role.DEPARTMENT, Role.TASKFORCE, Role.INSPECTION, Role.LEADER}
    ),
    Action.OUTBOX_VIEW: frozenset({Role.TASKFORCE, Role.ADMIN}),
    Action.OUTBOX_RETRY: frozenset({Role.TASKFORCE, Role.ADMIN}),
    Action.CALLS_MAKE: frozenset({Role.OPERATOR, Role.TASKFORCE, Role.LIAISON}),
    Action.PENALTIES_VIEW: frozenset(Role) - {Role.OPERATOR, Role.LIAISON, Role.EDITOR},
    Action.PENALTIES_RECORD: frozenset({Role.TASKFORCE, Role.INSPECTION}),
    Action.CLOCKS_VIEW: frozenset(Role) - {Role.LIAISON, Role.EDITOR},
    Action.CLOCKS_START: frozenset({Role.OPERATOR, Role.TERRITORY, Role.TASKFORCE, Role.INSPECTION}),
    Action.CLOCKS_END: frozenset({Role.DEPARTMENT, Role.TERRITORY, Role.TASKFORCE, Role.INSPECTION}),
}
_APPEALS: dict[Action, frozenset[Role]] = {
    Action(f"appeals.{row.event.value}"): staff
    for row in TABLE
    if (staff := frozenset(role for role in roles_of(row.event) if isinstance(role, Role)))
}

PERMISSIONS: dict[Action, frozenset[Role]] = {**_OTHERS, **_APPEALS}
"""Roles that may do each action."""


def may(role: Role, action: Action) -> bool:
    """Whether a role may do an action."""
    return role in PERMISSIONS[action]


def require(role: Role, action: Action) -> None:
    """Refuse what a role may not do.

    Raises:
        NotAllowed: The role may never do this.
    """
    if not may(role, action):
        raise NotAllowed("您的账号没有这项权限。", action=action.value)
