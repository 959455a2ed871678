"""The figures, counted in the database.

`backend.figures.definitions` says what each figure is; a property test holds these queries to it. Nothing
here reads appeals one by one: each answer is a few passes of ``GROUP BY`` over the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FunctionElement,
    Integer,
    Select,
    String,
    and_,
    case,
    column,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    text,
    values,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles

from backend.appeals.calendar import WorkCalendar, local
from backend.appeals.model import AWAITING, SETTLED, TERRITORY_UNKNOWN, Event, FeedbackResult, Level, State
from backend.appeals.penalties import PenaltyKind
from backend.appeals.ports import Scope
from backend.figures.definitions import GOOD_STARS, LATE_KINDS, Counts, total
from backend.figures.model import Grouping, Key, Row, Selection
from backend.figures.ports import Entered, Exported, LiaisonFacts
from backend.people.roles import Role
from backend.storage.listing import within
from backend.storage.tables import (
    AccountRow,
    AppealRow,
    CoDepartmentRow,
    HistoryRow,
    LiaisonEnterpriseRow,
    LiaisonMonthRow,
    PenaltyRow,
)
from backend.storage.upserts import upsert
from backend.storage.vault import Vault

_DAY: Final = 86_400
_EAST: Final = 8 * 3600
"""Seconds by which the office's clock is ahead of UTC; it has had no summer time since 1991."""

_DEPARTMENT: Final = "d"
_TERRITORY: Final = "t"

_OPEN = [state.value for state in State if state not in SETTLED]
_AWAITING = [state.value for state in AWAITING]
_INVALID = [State.WITHDRAWN.value, State.MERGED.value, State.NOT_ACCEPTED.value]
_VISIT: Final = "assistant_visit"
_EPOCH_DAY: Final = date(1970, 1, 1)
_COUNTED = tuple(Counts.__dataclass_fields__)

_SHOWN: Final = (
    "number",
    "enterprise",
    "text",
    "channel",
    "category",
    "level",
    "state",
    "direct_line",
    "territory",
    "lead_department",
    "submitted_at",
    "due_at",
    "assigned_at",
    "first_reply_at",
    "first_resolved_at",
    "closed_at",
    "escalation_level",
    "feedback_result",
    "feedback_stars",
    "feedback_comment",
    "dissatisfied",
)


class _epoch(FunctionElement[int]):  # noqa: N801 - a function in SQL
    """Whole seconds since 1970 of a moment."""

    type = BigInteger()
    inherit_cache = True
    name = "epoch"


@compiles(_epoch, "sqlite")
def _epoch_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    # four times as fast as strftime('%s', ...); half a millisecond keeps whole seconds whole
    moment = compiler.process(element.clauses, **kw)
    return f"CAST((julianday({moment}) - 2440587.5) * 86400.0 + 0.0005 AS INTEGER)"


@compiles(_epoch, "postgresql")
def _epoch_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"CAST(FLOOR(DATE_PART('epoch', {compiler.process(element.clauses, **kw)})) AS BIGINT)"


class SqlFigures:
    """Implements `backend.figures.ports.FigureRepository`."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def rows(
        self, by: Grouping, selection: Selection, now: datetime, calendar: WorkCalendar
    ) -> tuple[tuple[Row, ...], Row]:
        """The figures by group, and of all groups together."""
        await self._room_to_sort()
        days = await self._days(selection, calendar)
        if days is None:
            return (), Row(Key(None), Counts())
        counts, answered = await self._counts(by, selection, now, days)
        medians, median = await self._medians(by, selection, days, answered)
        penalties = await self._penalties(by, selection, days)
        helped = await self._co_handled(selection) if by is Grouping.DEPARTMENT else {}
        rows = tuple(
            Row(
                key,
                counts.get(key, Counts()),
                medians.get(key),
                helped.get(key, 0) if key.is_department else None,
                penalties.get(key, {}),
            )
            for key in dict.fromkeys((*counts, *helped, *penalties))
        )
        events: Counter[PenaltyKind] = Counter()
        for found in penalties.values():
            events.update(found)
        return rows, Row(Key(None), total(counts.values()), median, None, dict(events))

    async def _room_to_sort(self) -> None:
        """Let PostgreSQL sort and hash in memory for this transaction; its default of 4 MB goes to disk."""
        if self._session.get_bind().dialect.name == "postgresql":
            await self._session.execute(text("SET LOCAL work_mem = '64MB'"))
            await self._session.execute(text("SET LOCAL jit = off"))

    async def _days(self, selection: Selection, calendar: WorkCalendar) -> CTE | None:
        """A table of the days that the selected appeals lie on; None where there are no appeals."""
        query = select(
            func.min(AppealRow.submitted_at),
            func.max(AppealRow.submitted_at),
            func.max(AppealRow.first_reply_at),
        ).where(*_common(selection))
        first, last, answered = (await self._session.execute(query)).one()
        if first is None:
            return None
        day = local(first).date()
        until = max(local(moment).date() for moment in (last, answered) if moment is not None)
        rows, worked = [], 0
        while day <= until:
            working = int(calendar.is_working_day(day))
            rows.append(((day - _EPOCH_DAY).days, f"{day:%Y-%m}", worked, working))
            worked += working
            day += timedelta(days=1)
        listed = values(
            column("day", Integer),
            column("month", String),
            column("worked", Integer),
            column("working", Integer),
            name="days",
            literal_binds=True,
        )
        return listed.data(rows).cte("days")

    async def _counts(
        self, by: Grouping, selection: Selection, now: datetime, days: CTE
    ) -> tuple[dict[Key, Counts], dict[str | None, int]]:
        """The counts, and how many appeals of each group have had an answer."""
        one = _with_days(select(_key(by, days), AppealRow.first_reply_at, *_properties(now)), by, days)
        inner = one.where(*_common(selection), *_led(selection)).subquery()
        sums = [func.sum(inner.c[name]) for name in _COUNTED]
        query = select(inner.c.key, func.count(inner.c.first_reply_at), *sums).group_by(inner.c.key)
        counts: dict[Key, Counts] = {}
        answered: dict[str | None, int] = {}
        for name, replied, *numbers in await self._session.execute(query):
            counts[_read(by, name)] = Counts(*map(int, numbers))
            answered[name] = replied
        return counts, answered

    async def _medians(
        self, by: Grouping, selection: Selection, days: CTE, answered: Mapping[str | None, int]
    ) -> tuple[dict[Key, float], float | None]:
        """Median working seconds to the first answer, by group and of all.

        The database puts the times in order and answers only the ones in the middle, whose places follow
        from how many there are.
        """
        size = sum(answered.values())
        if not size:
            return {}, None
        begun, ended = days.alias("begun"), days.alias("ended")
        begin = _epoch(AppealRow.submitted_at) + _EAST
        end = _epoch(AppealRow.first_reply_at) + _EAST
        taken = (
            (ended.c.worked - begun.c.worked) * _DAY
            + ended.c.working * (end % _DAY)
            - begun.c.working * (begin % _DAY)
        )
        inner = (
            select(func.coalesce(_key(by, begun), "").label("key"), taken.label("taken"))
            .join(begun, begun.c.day == begin // _DAY)
            .join(ended, ended.c.day == end // _DAY)
            .where(AppealRow.first_reply_at.is_not(None), *_common(selection), *_led(selection))
            .subquery()
        )
        numbered = select(
            inner.c.key,
            inner.c.taken,
            func.row_number().over(partition_by=inner.c.key, order_by=inner.c.taken).label("place"),
            func.row_number().over(order_by=inner.c.taken).label("place_of_all"),
        ).subquery()
        middle = values(column("key", String), column("low", Integer), column("high", Integer), name="middle")
        places = middle.data([(name or "", *_middle(one)) for name, one in answered.items()]).cte("middle")
        low, high = _middle(size)
        query = (
            select(numbered, places.c.low, places.c.high)
            .join(places, places.c.key == numbered.c.key)
            .where(
                or_(
                    numbered.c.place == places.c.low,
                    numbered.c.place == places.c.high,
                    numbered.c.place_of_all.in_((low, high)),
                )
            )
        )
        by_group: dict[str, list[int]] = {}
        of_all: list[int] = []
        for row in await self._session.execute(query):
            if row.place in (row.low, row.high):
                by_group.setdefault(row.key, []).append(int(row.taken))
            if row.place_of_all in (low, high):
                of_all.append(int(row.taken))
        medians = {_read(by, name or None): sum(found) / len(found) for name, found in by_group.items()}
        return medians, sum(of_all) / len(of_all)

    async def _penalties(
        self, by: Grouping, selection: Selection, days: CTE
    ) -> dict[Key, dict[PenaltyKind, int]]:
        """Events against units, or of the appeals of a group."""
        conditions = _common(selection)
        if selection.own_unit is not None:
            conditions.append(PenaltyRow.unit == selection.own_unit)
        key = _key(by, days)
        if by in (Grouping.DEPARTMENT, Grouping.TERRITORY):
            unknown = PenaltyRow.unit == TERRITORY_UNKNOWN
            territories = select(AppealRow.territory).where(AppealRow.territory.is_not(None))
            of_territory = or_(unknown, PenaltyRow.unit.in_(territories))
            wanted = selection.territory
            unit: Any = PenaltyRow.unit
            if by is Grouping.TERRITORY:
                conditions.append(of_territory)
            else:
                wanted = selection.department
                unit = case((of_territory, _TERRITORY + unit), else_=_DEPARTMENT + unit)
            if wanted is not None:
                conditions.append(PenaltyRow.unit == wanted)
            key = case((unknown, null()), else_=unit).label("key")
        elif selection.own_unit is None:
            conditions += _led(selection)
        query = select(key, PenaltyRow.kind).join(AppealRow, AppealRow.id == PenaltyRow.appeal_id)
        inner = _with_days(query, by, days).where(*conditions).subquery()
        group = (inner.c.key, inner.c.kind)
        found: dict[Key, dict[PenaltyKind, int]] = {}
        grouped = select(*group, func.count()).group_by(*group)
        for name, kind, count in await self._session.execute(grouped):
            found.setdefault(_read(by, name), {})[PenaltyKind(kind)] = count
        return found

    async def _co_handled(self, selection: Selection) -> dict[Key, int]:
        """How many assigned appeals each department helps with."""
        conditions = [*_common(selection), AppealRow.assigned_at.is_not(None)]
        if selection.own_territory is not None:
            conditions.append(AppealRow.territory == selection.own_territory)
        for own in (selection.own_department, selection.department):
            if own is not None:
                conditions.append(CoDepartmentRow.department == own)
        query = (
            select(CoDepartmentRow.department, func.count())
            .join(AppealRow, AppealRow.id == CoDepartmentRow.appeal_id)
            .where(*conditions)
            .group_by(CoDepartmentRow.department)
        )
        return {Key(name, True): count for name, count in await self._session.execute(query)}

    # -- exports -----------------------------------------------------------

    async def export_size(self, selection: Selection, scope: Scope) -> tuple[int, int]:
        """How many appeals an export would have, and the id of the last one."""
        query = select(func.count(AppealRow.id), func.max(AppealRow.id))
        count, last = (await self._session.execute(query.where(*_exported(selection, scope)))).one()
        return count, last or 0

    async def export_batch(
        self, selection: Selection, scope: Scope, after: int, last: int, limit: int
    ) -> Sequence[Exported]:
        """The next appeals by id."""
        columns = [getattr(AppealRow, name) for name in (*_SHOWN, "contact_sealed", "phone_sealed")]
        query = (
            select(AppealRow.id, *columns)
            .where(AppealRow.id > after, AppealRow.id <= last, *_exported(selection, scope))
            .order_by(AppealRow.id)
            .limit(limit)
        )
        rows = (await self._session.execute(query)).all()
        helpers = await self._helpers([row.id for row in rows])
        batch = []
        for number, *shown, contact, phone in rows:
            values_ = dict(zip(_SHOWN, shown, strict=True))
            values_["co_departments"] = helpers.get(number, [])
            values_["contact"] = self._vault.open(contact)
            values_["phone"] = self._vault.open(phone)
            batch.append(Exported(number, values_))
        return batch

    async def _helpers(self, ids: Sequence[int]) -> dict[int, list[str]]:
        """The co-departments of appeals, in their order."""
        query = (
            select(CoDepartmentRow.appeal_id, CoDepartmentRow.department)
            .where(CoDepartmentRow.appeal_id.in_(ids))
            .order_by(CoDepartmentRow.appeal_id, CoDepartmentRow.position)
        )
        found: dict[int, list[str]] = {}
        for number, name in await self._session.execute(query):
            found.setdefault(number, []).append(name)
        return found

    # -- liaisons ----------------------------------------------------------

    async def liaison_facts(
        self, username: str, since: datetime, before: datetime, now: datetime
    ) -> LiaisonFacts | None:
        """What the appeals tell of a liaison's month; None where there is no such liaison."""
        account = await self._liaison(username)
        if account is None:
            return None
        month = (AppealRow.submitted_at >= since, AppealRow.submitted_at < before)
        uploads = await self._session.scalar(
            select(func.count(AppealRow.id))
            .join(HistoryRow, and_(HistoryRow.appeal_id == AppealRow.id, HistoryRow.position == 1))
            .where(
                *month,
                AppealRow.channel == _VISIT,
                AppealRow.state.not_in(_INVALID),
                HistoryRow.event == Event.FILE.value,
                HistoryRow.actor_name == username,
                HistoryRow.actor_role == Role.LIAISON.value,
            )
        )
        paired = select(LiaisonEnterpriseRow.enterprise_key).where(LiaisonEnterpriseRow.account_id == account)
        named = {one.key: one for one in _properties(now)}
        inner = (
            select(*(named[name] for name in ("filed", "late", "solved", "answered", "stars", "rated")))
            .where(*month, AppealRow.enterprise_key.in_(paired))
            .subquery()
        )
        sums = (await self._session.execute(select(*(func.sum(one) for one in inner.c)))).one()
        return LiaisonFacts(uploads or 0, *(int(value or 0) for value in sums))

    async def liaison_month(self, username: str, month: str) -> Entered | None:
        """What was entered for a month, when and by whom."""
        row = await self._session.get(LiaisonMonthRow, (await self._liaison(username), month))
        return Entered(row.entries, row.changed_at, row.changed_by) if row else None

    async def save_liaison_month(
        self, username: str, month: str, entries: Mapping[str, Any], at: datetime, by: str
    ) -> None:
        """Keep what was entered for a month."""
        values_ = {"entries": dict(entries), "changed_at": at, "changed_by": by}
        await self._session.execute(
            upsert(self._session, LiaisonMonthRow)
            .values(account_id=await self._liaison(username), month=month, **values_)
            .on_conflict_do_update(
                index_elements=[LiaisonMonthRow.account_id, LiaisonMonthRow.month], set_=values_
            )
        )

    async def _liaison(self, username: str) -> int | None:
        query = select(AccountRow.id).where(
            AccountRow.username == username, AccountRow.role == Role.LIAISON.value
        )
        found: int | None = await self._session.scalar(query)
        return found


def _properties(now: datetime) -> list[ColumnElement[int]]:
    """What one appeal adds to each count, in the order and by the names of `Counts`."""
    row = AppealRow
    is_open = row.state.in_(_OPEN)
    past_due = and_(is_open, row.due_at < now)
    recorded = row.id.in_(
        select(PenaltyRow.appeal_id).where(PenaltyRow.kind.in_([kind.value for kind in LATE_KINDS]))
    )
    resolved = row.first_resolved_at.is_not(None)
    in_time = and_(resolved, row.first_resolved_at <= row.due_at)
    came_back = and_(past_due, row.feedback_at.is_not(None), row.feedback_at <= row.due_at)
    late = or_(
        recorded,
        and_(not_(resolved), past_due),
        and_(resolved, row.first_resolved_at > row.due_at),
        and_(in_time, came_back),
    )
    replied = row.first_reply_at.is_not(None)
    conditions: dict[str, Any] = {
        "filed": None,
        "open": is_open,
        "overdue": past_due,
        "silent": row.state.in_(_AWAITING),
        "closed": row.state == State.CLOSED.value,
        "withdrawn": row.state == State.WITHDRAWN.value,
        "merged": row.state == State.MERGED.value,
        "not_accepted": row.state == State.NOT_ACCEPTED.value,
        "on_time": and_(in_time, not_(recorded), not_(came_back)),
        "late": late,
        "replied_on_time": and_(replied, row.first_reply_at <= row.due_at),
        "replied_late": or_(and_(replied, row.first_reply_at > row.due_at), and_(not_(replied), past_due)),
        "solved": and_(
            row.feedback_result.is_not(None), row.feedback_result == FeedbackResult.RESOLVED.value
        ),
        "answered": row.feedback_result.is_not(None),
        "rated": row.feedback_stars.is_not(None),
        "good": and_(row.feedback_stars.is_not(None), row.feedback_stars >= GOOD_STARS),
        "reopened": and_(row.dissatisfied > 0, resolved),
        "resolved_once": resolved,
        "escalated": row.escalation_level >= 2,
        "whistle": row.level == Level.WHISTLE.value,
    }
    found: list[ColumnElement[int]] = []
    for name in _COUNTED:
        if name == "filed":
            found.append(literal(1).label(name))
        elif name == "stars":
            found.append(func.coalesce(row.feedback_stars, 0).label(name))
        else:
            found.append(case((conditions[name], 1), else_=0).label(name))
    return found


def _key(by: Grouping, days: Any) -> Any:
    """The column that names a group; a unit that leads has a letter in front that says what it is."""
    by_department = and_(AppealRow.assigned_at.is_not(None), AppealRow.lead_department.is_not(None))
    value: Any = {
        Grouping.DEPARTMENT: case(
            (by_department, _DEPARTMENT + AppealRow.lead_department), else_=_TERRITORY + AppealRow.territory
        ),
        Grouping.TERRITORY: AppealRow.territory,
        Grouping.CATEGORY: AppealRow.category,
        Grouping.MONTH: days.c.month,
        Grouping.LEVEL: AppealRow.level,
    }[by]
    return value.label("key")


def _read(by: Grouping, value: str | None) -> Key:
    if by is Grouping.DEPARTMENT:
        return Key(value[1:] if value else None, value is not None and value[0] == _DEPARTMENT)
    return Key(value, False if by is Grouping.TERRITORY else None)


def _middle(size: int) -> tuple[int, int]:
    """The places in the middle of an order, from 1: one and the same, or two."""
    return (size + 1) // 2, (size + 2) // 2


def _with_days(query: Select[Any], by: Grouping, days: CTE) -> Select[Any]:
    if by is not Grouping.MONTH:
        return query
    return query.join(days, days.c.day == (_epoch(AppealRow.submitted_at) + _EAST) // _DAY)


def _common(selection: Selection) -> list[Any]:
    """What an appeal must be, whoever leads it."""
    conditions: list[Any] = []
    if selection.since is not None:
        conditions.append(AppealRow.submitted_at >= selection.since)
    if selection.before is not None:
        conditions.append(AppealRow.submitted_at < selection.before)
    if selection.territory is not None:
        conditions.append(AppealRow.territory == selection.territory)
    if selection.category is not None:
        conditions.append(AppealRow.category == selection.category)
    if selection.level is not None:
        conditions.append(AppealRow.level == selection.level.value)
    if selection.state is not None:
        conditions.append(AppealRow.state == selection.state.value)
    if selection.direct_line is not None:
        conditions.append(AppealRow.direct_line == selection.direct_line)
    return conditions


def _led(selection: Selection) -> list[Any]:
    """Whose an appeal must be."""
    conditions: list[Any] = []
    for department in (selection.own_department, selection.department):
        if department is not None:
            conditions += [AppealRow.assigned_at.is_not(None), AppealRow.lead_department == department]
    if selection.own_territory is not None:
        conditions.append(AppealRow.territory == selection.own_territory)
    return conditions


def _exported(selection: Selection, scope: Scope) -> list[Any]:
    conditions = [*within(scope), *_common(selection)]
    if selection.department is not None:
        helped = select(CoDepartmentRow.appeal_id).where(CoDepartmentRow.department == selection.department)
        conditions.append(or_(AppealRow.lead_department == selection.department, AppealRow.id.in_(helped)))
    return conditions
