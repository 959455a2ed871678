"""What an appeal's record says that its penalties and its reminders must be. Pure; `backend.storage` reads.

Only what a rule can tell is told: where the record leaves it open whether something was due, both are good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from backend.appeals.calendar import SHANGHAI, WorkCalendar, local
from backend.appeals.deadlines import SILENCE_DAYS, supervision_moments
from backend.appeals.engine import RECORDED
from backend.appeals.model import (
    AWAITING,
    SETTLED,
    Appeal,
    Event,
    Feedback,
    FeedbackResult,
    HistoryEvent,
    Level,
    State,
    Supervision,
    SupervisionKind,
    SupervisionState,
)
from backend.appeals.penalties import BY_HAND, ONCE, Penalty, PenaltyKind, overdue, penalties_of

_OPEN_ENDED: Final = frozenset({Event.NOTE, Event.SUPERVISE})
"""Lines of several doors, not all of which look for lateness."""

_ROUNDED: Final = timedelta(seconds=1)
"""Lines are written in whole seconds, the clock reads fractions."""

_LONGEST_AFTER_DUE: Final = timedelta(days=30)
"""No moment of 135 lies later after the due time, whatever the holidays."""


@dataclass(frozen=True)
class Case:
    """An appeal as far as penalties and reminders go.

    Attributes:
        number: Its number.
        submitted_at: When it was filed.
        direct_line: Whether it came by the direct line.
        erased: Whether its personal data are erased.
        lines: Its record.
        older: Lines of it that an older version of the program wrote.
    """

    number: str
    submitted_at: datetime
    direct_line: bool
    erased: bool
    lines: Sequence[HistoryEvent]
    older: int = 0


@dataclass
class _Expected:
    """Penalties that follow from the record.

    Attributes:
        sure: Units and moments of dissatisfaction.
        late: Of each kind that counts once, what it can be, in the order of the record; the last is certain
            where the kind is in ``settled``.
        by_hand: What people recorded, with who and why.
    """

    sure: set[tuple[PenaltyKind, str, datetime]] = field(default_factory=set)
    late: dict[PenaltyKind, list[frozenset[tuple[str, datetime]]]] = field(default_factory=dict)
    settled: set[PenaltyKind] = field(default_factory=set)
    by_hand: dict[tuple[PenaltyKind, str, datetime], tuple[str, str]] = field(default_factory=dict)

    def take(self, found: Sequence[Penalty], *, sure: bool) -> None:
        of_kind: dict[PenaltyKind, set[tuple[str, datetime]]] = {}
        for one in found:
            if one.kind in ONCE:
                of_kind.setdefault(one.kind, set()).add((one.unit, one.at))
            else:
                self.sure.add((one.kind, one.unit, one.at))
        for kind, units in of_kind.items():
            if kind not in self.settled:
                self.late.setdefault(kind, []).append(frozenset(units))
                if sure:
                    self.settled.add(kind)


def check_penalties(case: Case, rows: Sequence[Penalty], known: frozenset[PenaltyKind]) -> Iterator[str]:
    """What is wrong with an appeal's penalties, one sentence each.

    Args:
        case: The appeal.
        rows: Its penalties as they are stored, without those of an older version of the program.
        known: Kinds that count once, and that an older version has recorded already.
    """
    if not rows and not _may_cost(case):
        return
    expected = _expected(case)
    for kind in known:
        expected.late.pop(kind, None)
        expected.settled.discard(kind)
    found: dict[PenaltyKind, set[tuple[str, datetime]]] = {}
    for row in rows:
        found.setdefault(row.kind, set()).add((row.unit, row.at))
        words = expected.by_hand.get((row.kind, row.unit, row.at))
        if words is not None and row.by != words[0]:
            yield f"“{row.kind.text}”（{row.unit}）的登记人与记录不符，被改动。"
        if (case.erased and row.note) or (not case.erased and words is not None and row.note != words[1]):
            yield f"“{row.kind.text}”（{row.unit}）的说明与记录不符，被改动。"
    for kind in PenaltyKind:
        there = found.get(kind, set())
        if kind in ONCE:
            could_be = expected.late.get(kind, [])
            if there not in could_be if there else kind in expected.settled:
                yield _differs(kind)
        else:
            told = {*expected.sure, *expected.by_hand}
            if there != {(unit, at) for one, unit, at in told if one is kind}:
                yield _differs(kind)


def _differs(kind: PenaltyKind) -> str:
    how = "登记" if kind in BY_HAND else "推算"
    return f"“{kind.text}”的考评事项与按记录{how}的不符，有增删或者被改动。"


def _may_cost(case: Case) -> bool:
    """Whether anything in the record can have given rise to a penalty; most have nothing."""
    due: datetime | None = None
    rests = False
    for position, line in enumerate(case.lines):
        if position >= case.older and (
            line.event is Event.REJECT
            or "penalty" in line.after
            or (due is not None and not rests and line.at >= due)
        ):
            return True
        if "state" in line.after:
            rests = line.after["state"] in SETTLED
        if "due_at" in line.after:
            due = datetime.fromisoformat(line.after["due_at"]) - _ROUNDED
    return False


def _expected(case: Case) -> _Expected:
    expected = _Expected()
    recorded: dict[str, Any] = {}
    before_at: datetime | None = None
    for position, line in enumerate(case.lines):
        after = {**recorded, **{name: line.after[name] for name in RECORDED if name in line.after}}
        if position >= case.older and recorded and "penalty" in line.after:
            made = line.after["penalty"]
            key = (PenaltyKind(made["kind"]), str(made["unit"]), datetime.fromisoformat(made["at"]))
            expected.by_hand[key] = (line.actor.name, line.text)
        elif position >= case.older and recorded and line.event is not Event.ERASE:
            _judge(expected, case, recorded, after, line, before_at)
        recorded, before_at = after, line.at
    return expected


def _judge(
    expected: _Expected,
    case: Case,
    recorded: Mapping[str, Any],
    after: Mapping[str, Any],
    line: HistoryEvent,
    before_at: datetime | None,
) -> None:
    if line.event is not Event.REJECT and (
        recorded["state"] in SETTLED or line.at + _ROUNDED <= datetime.fromisoformat(recorded["due_at"])
    ):
        return
    before = _appeal(case, recorded)
    if line.event is Event.REMIND:
        # several reminders of one pass are one look; a clock that was set back looks at an earlier time
        sure = line.at != before_at
        found = overdue(before, line.at)
        expected.take(found or overdue(before, line.at + _ROUNDED), sure=sure and bool(found))
    else:
        found = penalties_of(before, _appeal(case, after), line)
        expected.take(found, sure=line.event not in _OPEN_ENDED)


def _appeal(case: Case, recorded: Mapping[str, Any]) -> Appeal:
    """The appeal as its record says that it was, without what costs nothing."""
    word = recorded["feedback"]
    return Appeal(
        number=case.number,
        group="",
        enterprise="",
        contact="",
        phone="",
        text="",
        channel="",
        category=recorded["category"],
        level=Level(recorded["level"]),
        initial_level=Level(recorded["level"]),
        state=State(recorded["state"]),
        direct_line=case.direct_line,
        territory=recorded["territory"],
        lead_department=recorded["lead_department"],
        co_departments=tuple(recorded["co_departments"]),
        submitted_at=case.submitted_at,
        due_at=datetime.fromisoformat(recorded["due_at"]),
        led_by=tuple(recorded["led_by"]),
        assigned_at=_moment(recorded["assigned_at"]),
        first_reply_at=_moment(recorded["first_reply_at"]),
        first_resolved_at=_moment(recorded["first_resolved_at"]),
        resolved_at=_moment(recorded["resolved_at"]),
        closed_at=_moment(recorded["closed_at"]),
        feedback=(
            Feedback(datetime.fromisoformat(word["at"]), FeedbackResult(word["result"]), word["stars"], "")
            if word
            else None
        ),
    )


def _moment(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written is not None else None


@dataclass
class _Since:
    """Since when an appeal is what it is.

    Attributes:
        state: As the record ends.
        level: As the record ends.
        due_at: As the record ends.
        turned: When it last became open, or last came to the enterprise, and by which line.
        moved: When its moments last became others; None where they never did.
    """

    state: State
    level: Level
    due_at: datetime
    turned: datetime
    by: int
    moved: datetime | None = None


def _since(case: Case) -> _Since | None:
    if any("version" in line.after for line in case.lines):
        return None  # an older version of the program wrote some of its moments
    found: _Since | None = None
    for position, line in enumerate(case.lines):
        after = line.after
        if found is None:
            due = datetime.fromisoformat(after["due_at"])
            found = _Since(State(after["state"]), Level(after["level"]), due, line.at, position)
            continue
        if "level" in after or line.event is Event.RECOMPUTE:
            found.moved = line.at
        if "level" in after:
            found.level = Level(after["level"])
        if "due_at" in after:
            found.due_at = datetime.fromisoformat(after["due_at"])
        if "state" in after:
            state = State(after["state"])
            if state in AWAITING or (found.state in SETTLED) != (state in SETTLED):
                found.turned, found.by = line.at, position
            found.state = state
    return found


def check_moments(
    case: Case, rows: Sequence[Supervision], calendar: Callable[[], tuple[WorkCalendar, datetime | None]]
) -> Iterator[str]:
    """What is wrong with the moments and questions that are still to come, or should have come.

    Args:
        case: The appeal.
        rows: Its moments and questions as they are stored.
        calendar: The working days and when they were last changed; asked only where a moment looks wrong.
    """
    since = _since(case)
    if since is None or (since.state in SETTLED and since.state not in AWAITING):
        return
    if since.by < case.older:
        return
    if since.state in AWAITING:
        asked = [
            row
            for row in rows
            if row.kind in (SupervisionKind.ASK, SupervisionKind.CALL)
            and row.state is not SupervisionState.STOPPED
            and row.at > since.turned
        ]
        if len(asked) <= len(SILENCE_DAYS):
            yield "等待企业确认，再次询问和电话回访的安排却被停用或者删除。"
        return
    moments = [row for row in rows if row.kind is SupervisionKind.MOMENT]
    begun = max(since.turned, since.moved or since.turned)
    suspects = [row for row in moments if row.state is SupervisionState.STOPPED and row.at > begun]
    least = _how_many(since.level) + case.direct_line
    if suspects and len(moments) > least:
        # some are of a former level or calendar: those that the present one wants are not
        days, changed_at = calendar()
        wanted = {(one.at, one.by) for one in _wanted(case, since, days)}
        if changed_at is not None and changed_at >= begun:
            wanted = set()
        suspects = [row for row in suspects if (row.at, row.by) in wanted]
    for row in suspects:
        yield f"{local(row.at):%Y-%m-%d %H:%M} 由{row.by}的提醒被停用，诉求却还没有办结，被改动。"
    for row in moments:
        if row.state is SupervisionState.PENDING and row.at > since.due_at + _LONGEST_AFTER_DUE:
            yield f"由{row.by}的提醒被推迟到 {local(row.at):%Y-%m-%d %H:%M}，被改动。"
    there = [row for row in moments if row.state is not SupervisionState.STOPPED or row.at <= begun]
    if case.older == 0 and len(there) < least:
        yield "尚未进行的提醒被删除。"


@cache
def _how_many(level: Level) -> int:
    any_day = datetime(2026, 1, 5, 9, tzinfo=SHANGHAI)
    return len(supervision_moments(level, any_day, WorkCalendar()))


def _wanted(case: Case, since: _Since, calendar: WorkCalendar) -> Sequence[Any]:
    return supervision_moments(since.level, case.submitted_at, calendar, direct_line=case.direct_line)
