"""What of an appeal is shown to whom, ready for JSON.

The enterprise's card never carries contact or phone; the desk's does, masked unless the desk handles the
appeal. Times are written in the office's zone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from backend.appeals import access
from backend.appeals.calendar import local
from backend.appeals.deadlines import supervisor
from backend.appeals.model import Appeal, Event, HistoryEvent, Supervision
from backend.appeals.service import AppealRecord, FiledGroup
from backend.people.actors import Actor


def when(moment: datetime | None) -> str | None:
    """A moment in the office's zone as ISO 8601; None stays None."""
    return local(moment).isoformat(timespec="seconds") if moment else None


def card(appeal: Appeal) -> dict[str, Any]:
    """What anyone may see who knows number and phone."""
    return {
        "number": appeal.number,
        "text": appeal.text,
        "category": appeal.category,
        "level": appeal.level.value,
        "level_text": appeal.level.text,
        "lead_department": appeal.lead,
        "co_departments": list(appeal.co_departments),
        "territory": appeal.territory_text,
        "state": appeal.state.value,
        "state_text": appeal.state.text,
        "submitted_at": when(appeal.submitted_at),
        "due_at": when(appeal.due_at),
        "due_provisional": appeal.due_provisional,
        "merged_into": appeal.merged_into,
    }


def filed(group: FiledGroup) -> dict[str, Any]:
    """The answer to a filing."""
    return {"group": group.group, "appeals": [card(appeal) for appeal in group.appeals]}


def enterprise(record: AppealRecord) -> dict[str, Any]:
    """The answer to a lookup or a feedback."""
    appeal = record.appeal
    public = [line for line in record.history if line.public]
    return {
        "appeal": {
            **card(appeal),
            "replies": [
                {"at": when(line.at), "department": line.actor.unit or "", "text": line.text}
                for line in public
                if line.event in (Event.REPLY, Event.RESOLVE, Event.DECLINE) and line.text
            ],
            "history": [
                {"at": when(line.at), "event": line.event.value, "text": line.summary} for line in public
            ],
            "feedback": _feedback(appeal),
        }
    }


def masked_contact(name: str) -> str:
    """A person's name with only its first character left."""
    return name[:1] + "*" * min(len(name) - 1, 2)


def masked_phone(phone: str) -> str:
    """A telephone number with its middle hidden: enough to tell two apart, too little to call."""
    return f"{phone[:3]}****{phone[-2:]}" if len(phone) > 5 else "****"


def desk_row(appeal: Appeal, now: datetime, actor: Actor) -> dict[str, Any]:
    """One row of a desk list."""
    clear = access.handles(actor, appeal)
    return {
        **card(appeal),
        "group": appeal.group,
        "enterprise": appeal.enterprise,
        "contact": appeal.contact if clear else masked_contact(appeal.contact),
        "phone": appeal.phone if clear else masked_phone(appeal.phone),
        "channel": appeal.channel,
        "direct_line": appeal.direct_line,
        "supervisor": supervisor(direct_line=appeal.direct_line),
        "overdue": appeal.is_overdue(now),
        "escalation_level": appeal.escalation_level,
        "major": appeal.major,
        "first_department": appeal.first_department,
        "dissatisfied": appeal.dissatisfied,
        "version": appeal.version,
    }


def desk(record: AppealRecord, now: datetime, actor: Actor) -> dict[str, Any]:
    """An appeal on a desk, with everything that is known of it."""
    appeal = record.appeal
    return {
        **desk_row(appeal, now, actor),
        "initial_level": appeal.initial_level.value,
        "led_by": list(appeal.led_by),
        "reasons": list(appeal.reasons),
        "assigned_at": when(appeal.assigned_at),
        "first_reply_at": when(appeal.first_reply_at),
        "first_resolved_at": when(appeal.first_resolved_at),
        "resolved_at": when(appeal.resolved_at),
        "closed_at": when(appeal.closed_at),
        "erased_at": when(appeal.erased_at),
        "feedback": _feedback(appeal),
        "supervision": [_supervision(row) for row in record.supervision],
        "history": [desk_line(line) for line in record.history],
    }


def desk_line(line: HistoryEvent) -> dict[str, Any]:
    """One line of the record, whole."""
    return {
        "at": when(line.at),
        "actor": {"name": line.actor.name, "role": line.actor.role.value, "unit": line.actor.unit},
        "event": line.event.value,
        "summary": line.summary,
        "text": line.text,
        "public": line.public,
        "before": dict(line.before),
        "after": dict(line.after),
    }


def _feedback(appeal: Appeal) -> dict[str, Any] | None:
    given = appeal.feedback
    if given is None:
        return None
    return {
        "at": when(given.at),
        "result": given.result.value,
        "result_text": given.result.text,
        "stars": given.stars,
        "comment": given.comment,
    }


def _supervision(row: Supervision) -> dict[str, Any]:
    return {
        "at": when(row.at),
        "by": row.by,
        "kind": row.kind.value,
        "state": row.state.value,
        "text": row.text,
        "acted_at": when(row.acted_at),
    }
