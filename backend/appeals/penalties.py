"""The events that count in the yearly assessment (分级分类协调机制, 督查考核机制).

Lateness is judged by one question: was the appeal unresolved when it was due? It is recorded at the first
thing that happens after that, at the latest by the clock's last moment, once for an appeal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from backend.appeals.calendar import local
from backend.appeals.model import Appeal, Event, HistoryEvent, State
from backend.appeals.routing import distinct


class PenaltyKind(StrEnum):
    """What is held against a unit.

    Attributes:
        FIRST_ASKED: 未履行首问责任; judged by people.
        LATE_DISPATCH: 超期未交办.
        LATE_HANDLING: 逾期办理.
        DISSATISFIED: 企业不满意; counts for territory and lead alike.
        CRITICISM: 处理不力被通报; recorded by people.
    """

    FIRST_ASKED = "first_asked"
    LATE_DISPATCH = "late_dispatch"
    LATE_HANDLING = "late_handling"
    DISSATISFIED = "dissatisfied"
    CRITICISM = "criticism"

    @property
    def text(self) -> str:
        """The kind as the documents call it."""
        return {
            "first_asked": "未履行首问责任",
            "late_dispatch": "超期未交办",
            "late_handling": "逾期办理",
            "dissatisfied": "企业不满意",
            "criticism": "处理不力被通报",
        }[self.value]


BY_HAND: Final = frozenset({PenaltyKind.FIRST_ASKED, PenaltyKind.CRITICISM})
"""Kinds that people record; the others follow from what happened, and nobody adds to them."""

ONCE: Final = frozenset({PenaltyKind.LATE_DISPATCH, PenaltyKind.LATE_HANDLING})
"""Kinds that an appeal can give rise to only once, whoever leads it later."""


@dataclass(frozen=True)
class Penalty:
    """One event.

    Attributes:
        kind: What.
        unit: Against whom.
        at: When it happened; of lateness, when the appeal was due.
        note: Why, in words.
        by: User name of who recorded it; ``system`` where it followed from a rule.
    """

    kind: PenaltyKind
    unit: str
    at: datetime
    note: str
    by: str = "system"


def overdue(appeal: Appeal, now: datetime) -> tuple[Penalty, ...]:
    """What an open appeal's lateness costs, and whom.

    Nobody assigned it in time: the territory. It was assigned in time and not resolved: territory and lead.
    One that was resolved when it was due, and came back later, was in time.
    """
    if not appeal.is_open or now <= appeal.due_at or _settled_when_due(appeal):
        return ()
    due = f"{local(appeal.due_at):%Y-%m-%d %H:%M}"
    if appeal.state is State.FILED:
        if appeal.led_by and appeal.feedback is None:
            return ()  # it was assigned before, and is here again because a merge was taken back
        return (
            _late(
                PenaltyKind.LATE_DISPATCH, appeal.territory_text, appeal, f"应于 {due} 前办结，到期尚未交办"
            ),
        )
    if appeal.assigned_at is None or appeal.assigned_at > appeal.due_at:
        return ()
    note = f"应于 {due} 前办结，到期尚未办结"
    return tuple(
        _late(PenaltyKind.LATE_HANDLING, unit, appeal, note)
        for unit in distinct((appeal.lead, appeal.territory_text))
    )


def _late(kind: PenaltyKind, unit: str, appeal: Appeal, note: str) -> Penalty:
    return Penalty(kind, unit, appeal.due_at, note)


def _settled_when_due(appeal: Appeal) -> bool:
    """Whether it came back after its due time, and had been resolved before."""
    first, word = appeal.first_resolved_at, appeal.feedback
    return first is not None and word is not None and first <= appeal.due_at < word.at


def penalties_of(before: Appeal, after: Appeal, line: HistoryEvent) -> tuple[Penalty, ...]:
    """What a change of an appeal costs, judged by how the appeal was.

    Args:
        before: The appeal as it was.
        after: As it is now; tells whose it is, where nobody knew before.
        line: What happened.
    """
    before = replace(before, territory=before.territory or after.territory)
    found = overdue(before, line.at)
    if line.event is Event.REJECT:
        note = "企业反馈未解决" if before.state is State.RESOLVED else "企业不认可不予受理"
        units = distinct((before.territory_text, before.lead))
        found += tuple(Penalty(PenaltyKind.DISSATISFIED, unit, line.at, note) for unit in units)
    return found
