"""What all use cases of an appeal share: time, routes, ownership, and storing a change with its line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from types import MappingProxyType
from typing import Any, Final

from backend.appeals import filing, routing
from backend.appeals.calendar import WorkCalendar, local
from backend.appeals.deadlines import (
    CLOSE_OF_BUSINESS,
    due_after_upgrade,
    due_at,
    is_provisional,
    silence_moments,
    supervision_moments,
)
from backend.appeals.model import (
    AWAITING,
    Appeal,
    Event,
    Feedback,
    HistoryEvent,
    Level,
    Supervision,
    SupervisionKind,
    SupervisionState,
)
from backend.appeals.notices import messages_of
from backend.appeals.numbers import parse_number
from backend.appeals.penalties import penalties_of
from backend.appeals.ports import (
    AppealRepository,
    AppealUnitOfWorkFactory,
    Clock,
    Directory,
    Scope,
    StaleVersion,
    Triage,
)
from backend.errors import Conflict, NotFound
from backend.people.actors import Actor

QUIET: Final = frozenset({Event.NOTE, Event.SUPERVISE, Event.REMIND, Event.ERASE})
"""Events after which nobody who looks at the appeal has to look again."""

_TOLD: Final = 5
"""How many of the changes that somebody has missed are told."""

_BEHIND: Final = timedelta(minutes=1)
"""How far a clock may be behind a record before that is worth a line in the log."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class AppealRecord:
    """An appeal with its record.

    Attributes:
        appeal: As it is now.
        history: Oldest first; only the public lines where the enterprise looks.
        supervision: Moments and orders; empty where the enterprise looks.
    """

    appeal: Appeal
    history: tuple[HistoryEvent, ...]
    supervision: tuple[Supervision, ...] = ()


class Engine:
    """Base of the use cases.

    Args:
        unit_of_work: Opens a transaction.
        triage: Splits a text and proposes level and departments.
        calendar: The working days; a function, where overrides may change while the service runs.
        clock: The present moment.
        directory: Official names of departments and territories.
        prefix: Letters of the appeal numbers.
        close: Close of business.
    """

    def __init__(
        self,
        unit_of_work: AppealUnitOfWorkFactory,
        triage: Triage,
        calendar: WorkCalendar | Callable[[], WorkCalendar],
        clock: Clock,
        directory: Directory,
        *,
        prefix: str = "QT",
        close: time = CLOSE_OF_BUSINESS,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._triage = triage
        self._calendar_source = calendar
        self._clock = clock
        self._directory = directory
        self._prefix = prefix
        self._close = close

    # -- time ------------------------------------------------------------

    @property
    def calendar(self) -> WorkCalendar:
        """The working days as they are now."""
        source = self._calendar_source
        return source if isinstance(source, WorkCalendar) else source()

    def _now(self, appeal: Appeal | None = None) -> datetime:
        """The present moment; never before what has happened to the appeal, if a clock was set back."""
        now = local(self._clock()).replace(microsecond=0)
        if appeal is None:
            return now
        if appeal.last_at is not None and now + _BEHIND < appeal.last_at:
            _LOG.warning("the clock is behind the record of %s, whose last time is taken", appeal.number)
        known = (
            appeal.submitted_at,
            appeal.assigned_at,
            appeal.first_reply_at,
            appeal.resolved_at,
            appeal.closed_at,
            appeal.feedback.at if appeal.feedback else None,
            appeal.last_at,
        )
        return max(now, *(local(moment) for moment in known if moment is not None))

    def _timed(self, appeal: Appeal) -> Appeal:
        """The appeal with the due time that the present calendar gives its level."""
        due = due_at(appeal.level, appeal.submitted_at, self.calendar, self._close)
        provisional = self._is_provisional(appeal.level, appeal.submitted_at)
        return replace(appeal, due_at=due, due_provisional=provisional)

    def _is_provisional(self, level: Level, submitted_at: datetime) -> bool:
        """Whether due time or moments of a level rest on a year without a notice."""
        last = supervision_moments(level, submitted_at, self.calendar)[-1].at
        return is_provisional(submitted_at, last, self.calendar)

    def _moments(self, appeal: Appeal) -> tuple[Supervision, ...]:
        moments = supervision_moments(
            appeal.level, appeal.submitted_at, self.calendar, direct_line=appeal.direct_line
        )
        return tuple(Supervision(moment.at, moment.by) for moment in moments)

    def _questions(self, since: datetime) -> tuple[Supervision, ...]:
        """The questions to an enterprise that says nothing, and the call that follows them."""
        *asks, call = silence_moments(since, self.calendar)
        return (
            *(Supervision(ask.at, ask.by, SupervisionKind.ASK) for ask in asks),
            Supervision(call.at, call.by, SupervisionKind.CALL),
        )

    # -- routes ------------------------------------------------------------

    def _routed(self, appeal: Appeal, decided: routing.Route, leads: tuple[str, ...]) -> Appeal:
        """The appeal on a new route, with the due time that belongs to it."""
        due = appeal.due_at
        if decided.level is not appeal.level:
            due = (
                due_after_upgrade(appeal.due_at, appeal.submitted_at, self.calendar, self._close)
                if decided.level is Level.WHISTLE
                else due_at(decided.level, appeal.submitted_at, self.calendar, self._close)
            )
        return replace(
            appeal,
            level=decided.level,
            lead_department=decided.lead_department,
            co_departments=decided.co_departments,
            led_by=routing.distinct((*appeal.led_by, *leads)),
            due_at=due,
            due_provisional=self._is_provisional(decided.level, appeal.submitted_at),
        )

    # -- ownership ------------------------------------------------------------

    async def _of_enterprise(
        self, appeals: AppealRepository, number: str, phone: str, *, lock: bool = False
    ) -> Appeal:
        plain = parse_number(number[:40])
        appeal = await appeals.get(plain, lock=lock) if plain else None
        if appeal is None or not filing.same_phone(appeal.phone, phone[:60]):
            raise NotFound("没有找到与该编号和联系电话相符的诉求，请核对后再试。")
        return appeal

    async def _of_desk(
        self, appeals: AppealRepository, scope: Scope, number: str, *, lock: bool = False
    ) -> Appeal:
        plain = parse_number(number[:40])
        appeal = await appeals.get(plain, scope=scope, lock=lock) if plain else None
        if appeal is None:
            raise NotFound("没有找到这件诉求。")
        return appeal

    async def _record(self, appeals: AppealRepository, appeal: Appeal) -> AppealRecord:
        number = appeal.number
        return AppealRecord(appeal, await appeals.history(number), await appeals.supervision(number))

    async def _public(self, appeals: AppealRepository, appeal: Appeal) -> AppealRecord:
        history = await appeals.history(appeal.number)
        return AppealRecord(appeal, tuple(line for line in history if line.public))

    # -- storing ------------------------------------------------------------

    async def _change(
        self,
        appeals: AppealRepository,
        appeal: Appeal,
        changed: Appeal,
        actor: Actor,
        event: Event,
        summary: str,
        text: str = "",
        *,
        public: bool = True,
        also: Mapping[str, Any] = MappingProxyType({}),
        moved: bool = False,
    ) -> Appeal:
        """Store a changed appeal, its line in the record, and the supervision that now holds.

        ``moved`` says that its moments are others now, although nothing of the appeal tells so.
        """
        now = self._now(appeal)
        before, after = differences(changed, appeal), differences(appeal, changed)
        line = HistoryEvent(now, actor, event, summary, text, public, before, {**after, **also})
        try:
            stored = await appeals.save(changed, line, same_version=event in QUIET and changed == appeal)
        except StaleVersion:
            raise await missed(appeals, appeal.number, appeal.version) from None
        if moved or _timing(changed) != _timing(appeal):
            awaits = changed.state in AWAITING
            questions = self._questions(now) if awaits and appeal.state is not changed.state else ()
            rows = await appeals.supervision(appeal.number)
            wanted = supervision_after(rows, self._moments(changed), questions, changed)
            await appeals.replace_supervision(appeal.number, wanted)
        messages, penalties = messages_of(appeal, stored, line), penalties_of(appeal, stored, line)
        if messages or penalties:
            await appeals.follow_up(appeal.number, messages, penalties)
        return stored


async def missed(appeals: AppealRepository, number: str, seen: int) -> Conflict:
    """The refusal of a change to an older version, with what has changed since."""
    appeal = await appeals.get(number)
    version = appeal.version if appeal else seen
    return Conflict(
        "这件诉求刚刚被他人修改，请刷新后再操作。",
        code="version_conflict",
        version=version,
        changes=await newest_changes(appeals, number, version - seen),
    )


async def newest_changes(appeals: AppealRepository, number: str, count: int = 1) -> list[dict[str, str]]:
    """What has last changed of an appeal, oldest first, ready for JSON: for who did not see it come."""
    lines = [line for line in await appeals.history(number) if line.event not in QUIET]
    return [
        {
            "at": local(line.at).isoformat(timespec="seconds"),
            "event": line.event.value,
            "summary": line.summary,
        }
        for line in lines[-min(max(count, 1), _TOLD) :]
    ]


def _timing(appeal: Appeal) -> tuple[object, ...]:
    """What the supervision of an appeal depends on."""
    return appeal.level, appeal.state, appeal.due_at, appeal.due_provisional


RECORDED: Final = (
    "state",
    "level",
    "category",
    "territory",
    "lead_department",
    "co_departments",
    "led_by",
    "due_at",
    "due_provisional",
    "assigned_at",
    "first_reply_at",
    "first_resolved_at",
    "resolved_at",
    "closed_at",
    "escalation_level",
    "major",
    "dissatisfied",
    "feedback",
    "merged_into",
    "erased_at",
)
"""Everything of an appeal that can change; its record tells of each, and so can prove what it is now."""


def differences(old: Appeal | None, new: Appeal) -> dict[str, Any]:
    """The recorded fields of ``new`` that differ from ``old``, ready for JSON."""
    return {
        name: plain(getattr(new, name))
        for name in RECORDED
        if old is None or getattr(old, name) != getattr(new, name)
    }


def plain(value: Any) -> Any:
    """A recorded field's value as the record writes it; a comment is words, and stands in the line's text."""
    if isinstance(value, datetime):
        return local(value).isoformat(timespec="seconds")
    if isinstance(value, Feedback):
        return {
            "at": local(value.at).isoformat(timespec="seconds"),
            "result": value.result.value,
            "stars": value.stars,
        }
    if isinstance(value, tuple):
        return list(value)
    return value


def supervision_after(
    rows: Sequence[Supervision],
    moments: Sequence[Supervision],
    questions: Sequence[Supervision],
    appeal: Appeal,
) -> tuple[Supervision, ...]:
    """The rows that hold after a change of level or state.

    What has been acted on stays. A resolve stops what is still to come, and begins the questions to a silent
    enterprise; a return to the lead brings back all that were not acted on, because the clock is not reset,
    and stops the questions: one whose time has passed meanwhile is acted on at once, or a resolve just before
    it would be worth more than an answer. A new level has its own moments.

    Args:
        rows: As they are.
        moments: The 135 moments of the appeal as it is now.
        questions: New questions to the enterprise; empty where none begin now.
        appeal: As it is now.
    """
    kept = [row for row in rows if row.kind is SupervisionKind.ORDER or row.state is SupervisionState.DONE]
    mine = [row for row in rows if row.kind is SupervisionKind.MOMENT]
    done = {(row.at, row.by) for row in mine if row.state is SupervisionState.DONE}
    for row in moments:
        if (row.at, row.by) in done:
            continue
        kept.append(row if appeal.is_open else replace(row, state=SupervisionState.STOPPED))
    gone = {(row.at, row.by) for row in moments} | done
    kept.extend(replace(row, state=SupervisionState.STOPPED) for row in mine if (row.at, row.by) not in gone)
    asked = [
        row
        for row in rows
        if row.kind in (SupervisionKind.ASK, SupervisionKind.CALL) and row.state is not SupervisionState.DONE
    ]
    stays = appeal.state in AWAITING and not questions
    kept.extend(row if stays else replace(row, state=SupervisionState.STOPPED) for row in asked)
    kept.extend(questions)
    return tuple(sorted(kept, key=lambda row: (row.at, row.kind.value, row.by)))
