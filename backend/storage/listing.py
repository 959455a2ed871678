"""Which appeals a desk's list holds, and how many: read from the indexes alone, on both databases.

SQLite keeps no statistics of its own, so it is told which index to read; PostgreSQL finds the plan by itself.
The total is exact. Only on PostgreSQL, for words that more than `_MANY` appeals hold and without any other
filter, counting ends at `_ENOUGH` and says that there are more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal_column, or_, select, union_all
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appeals.model import SETTLED, State
from backend.appeals.ports import AppealQuery, Scope
from backend.storage import fulltext
from backend.storage.tables import (
    LEAD_INDEX,
    LIST_INDEX,
    OPEN_INDEX,
    TERRITORY_INDEX,
    AccountRow,
    AppealRow,
    CoDepartmentRow,
    LiaisonEnterpriseRow,
)

OPEN = [state.value for state in State if state not in SETTLED]
"""Values of the states in which somebody in the administration has to act."""

_MANY = 15_000
_ENOUGH = 1_000

Condition = Any


@dataclass(frozen=True)
class Found:
    """One page of a list.

    Attributes:
        ids: Of the appeals, newest first.
        total: How many fit.
        total_is_least: There are more than ``total``; nobody counted them to the end.
    """

    ids: Sequence[int]
    total: int
    total_is_least: bool = False


class HintedCompiler(SQLiteCompiler):
    """Writes down by which index to read, which SQLAlchemy leaves out for SQLite."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        """What follows a table's name."""
        return text


async def find(
    session: AsyncSession, query: AppealQuery, scope: Scope, now: datetime, phone_hash: str | None
) -> Found:
    """The page of a list that a query asks for.

    Args:
        session: In a transaction.
        query: The filters, and which page.
        scope: What the desk may see.
        now: Decides what is overdue.
        phone_hash: Fingerprint of the query's telephone number.
    """
    return await _Listing(session, query, scope, now, phone_hash).found()


class _Listing:
    def __init__(
        self, session: AsyncSession, query: AppealQuery, scope: Scope, now: datetime, phone_hash: str | None
    ) -> None:
        self._session = session
        self._sqlite = session.get_bind().dialect.name == "sqlite"
        self._words = fulltext.words_of(query.text or "")
        self._size = query.page_size
        self._skip = (query.page - 1) * query.page_size
        named = (name for name in (scope.department, query.department) if name is not None)
        self._departments = list(dict.fromkeys(named))
        self._picked = _picked(scope, phone_hash)
        self._is_open = _only_open(query)
        self._conditions = _plain(query, now)
        if scope.department is not None:
            self._conditions.append(AppealRow.assigned_at.is_not(None))
        self._territories = _territories(query, scope)
        self._nothing = (bool(query.text) and not self._words) or self._territories == ()
        if self._is_open:
            # in the index's own words, or SQLite would not know that it may be read
            self._conditions.append(AppealRow.state.in_([literal_column(f"'{state}'") for state in OPEN]))

    async def found(self) -> Found:
        if self._nothing:
            return Found((), 0)
        if self._words and not self._sqlite:
            return await self._by_words_postgresql()
        if self._words or self._picked:
            return await self._plainly()
        parts = self._parts()
        if len(parts) == 1:
            return await self._counted(parts[0].order_by(AppealRow.id.desc()), parts[0])
        upto = self._skip + self._size
        firsts = [part.order_by(part.selected_columns[0].desc()).limit(upto).subquery() for part in parts]
        both = union_all(*(select(first.c.id) for first in firsts)).subquery()
        return await self._counted(select(both.c.id).order_by(both.c.id.desc()), *parts)

    async def _plainly(self) -> Found:
        """By the one index that finds few, or by the words on SQLite."""
        conditions = self._all()
        if self._words and not self._picked:
            words, row_id = fulltext.WORDS, fulltext.WORDS.c.rowid
            ids = select(row_id.label("id")).where(fulltext.sqlite_match(self._words))
            if conditions:
                # the plus keeps SQLite from turning the join round
                same = AppealRow.id == literal_column(f"+{fulltext.TABLE}.rowid")
                ids = self._read(ids.select_from(words.join(AppealRow, same)).where(*conditions))
            return await self._counted(ids.order_by(row_id.desc()), ids)
        ids = self._few()
        if self._words:
            held = select(fulltext.WORDS.c.rowid).where(fulltext.sqlite_match(self._words))
            ids = ids.where(AppealRow.id.in_(held))
        return await self._counted(ids.order_by(AppealRow.id.desc()), ids)

    @property
    def _narrowed(self) -> bool:
        """Whether anything but words is asked."""
        return bool(self._conditions or self._departments or self._picked) or self._territories is not None

    def _all(self) -> list[Condition]:
        """Every condition but those that few appeals meet."""
        return [*self._conditions, *map(_involves, self._departments), *_anywhere(self._territories)]

    def _few(self) -> Select[Any]:
        """What few appeals meet, by the index that finds these."""
        picked = (condition for condition, _ in self._picked)
        return self._read(select(AppealRow.id).where(*self._all(), *picked))

    def _parts(self) -> list[Select[Any]]:
        """Lists that have nothing in common and together hold what fits, each read from one index.

        What a department leads and what it only helps with; what lies in a territory and what lies in none.
        """
        if self._departments:
            department, *others = self._departments
            conditions = [*self._conditions, *map(_involves, others), *_anywhere(self._territories)]
            led = select(AppealRow.id).where(AppealRow.lead_department == department, *conditions)
            helped = (
                select(CoDepartmentRow.appeal_id.label("id"))
                .join(AppealRow, AppealRow.id == CoDepartmentRow.appeal_id)
                .where(
                    CoDepartmentRow.department == department,
                    AppealRow.lead_department.is_distinct_from(department),
                    *conditions,
                )
            )
            return [self._hint(led, OPEN_INDEX if self._is_open else LEAD_INDEX), self._read(helped)]
        ids = select(AppealRow.id).where(*self._conditions)
        if self._territories is None:
            return [self._read(ids) if self._conditions else ids]
        index = OPEN_INDEX if self._is_open else TERRITORY_INDEX
        return [self._hint(ids.where(AppealRow.territory == name), index) for name in self._territories]

    async def _by_words_postgresql(self) -> Found:
        words = fulltext.WORDS
        matching = select(words.c.appeal_id).where(fulltext.postgresql_match(self._words))
        if not self._narrowed:
            matching = matching.limit(_MANY + 1)
        held = matching.cte("held").prefix_with("MATERIALIZED")
        if self._picked or self._departments or self._territories is not None:
            parts = [self._few()] if self._picked else self._parts()
            # "is true" keeps PostgreSQL from reading the words' appeals once for each appeal of the list
            fits = AppealRow.id.in_(select(held.c.appeal_id)).is_(True)
            listed = union_all(*(part.where(fits) for part in parts)).subquery()
            fitting = select(listed.c.id)
        else:
            fitting = (
                select(AppealRow.id).join(held, held.c.appeal_id == AppealRow.id).where(*self._conditions)
            )
        kept = fitting.cte("kept").prefix_with("MATERIALIZED")
        newest = select(kept.c.id).order_by(kept.c.id.desc()).limit(self._size).offset(self._skip).subquery()
        row = (
            await self._session.execute(
                select(
                    select(func.count()).select_from(held).scalar_subquery().label("many"),
                    select(func.count()).select_from(kept).scalar_subquery().label("total"),
                    select(func.array_agg(newest.c.id)).scalar_subquery().label("ids"),
                )
            )
        ).one()
        if self._narrowed or row.many <= _MANY:
            return Found(sorted(row.ids or (), reverse=True), row.total)
        ids = (
            select(AppealRow.id)
            .join(words, words.c.appeal_id == AppealRow.id)
            .where(fulltext.postgresql_walk(self._words))
        )
        found = await self._page(ids.order_by(AppealRow.id.desc()))
        bounded = ids.limit(max(_ENOUGH, self._skip + self._size) + 1).subquery()
        total = await self._session.scalar(select(func.count()).select_from(bounded)) or 0
        if total > _ENOUGH:
            least = max(_ENOUGH, self._skip + len(found))
            return Found(found, least if total > least else total, total > least)
        return Found(found, total)

    async def _counted(self, ordered: Select[Any], *parts: Select[Any]) -> Found:
        """The page, and the sum of what the parts hold; a page that is not full has told the total."""
        found = await self._page(ordered)
        if len(found) < self._size and (found or not self._skip):
            return Found(found, self._skip + len(found))
        # one number each, because a sum over a union would have to be stored first
        counted = (part.with_only_columns(func.count(), maintain_column_froms=True) for part in parts)
        counts = [part.scalar_subquery() for part in counted]
        total = await self._session.scalar(select(sum(counts[1:], counts[0])))
        return Found(found, total or 0)

    async def _page(self, ordered: Select[Any]) -> Sequence[int]:
        return (await self._session.scalars(ordered.limit(self._size).offset(self._skip))).all()

    def _read(self, query: Select[Any]) -> Select[Any]:
        """Tell SQLite by which index to read."""
        if self._picked:
            return self._hint(query, self._picked[0][1])
        return self._hint(query, OPEN_INDEX if self._is_open else LIST_INDEX)

    def _hint(self, query: Select[Any], index: str) -> Select[Any]:
        return query.with_hint(AppealRow, f"INDEXED BY {index}", "sqlite")


def _picked(scope: Scope, phone_hash: str | None) -> list[tuple[Condition, str]]:
    """Conditions that few appeals meet, and the index that finds these."""
    picked: list[tuple[Condition, str]] = []
    if phone_hash is not None:
        picked.append((AppealRow.phone_hash == phone_hash, "ix_appeals_phone_hash"))
    if scope.liaison is not None:
        paired = (
            select(LiaisonEnterpriseRow.enterprise_key)
            .join(AccountRow, AccountRow.id == LiaisonEnterpriseRow.account_id)
            .where(AccountRow.username == scope.liaison)
        )
        picked.append((AppealRow.enterprise_key.in_(paired), "ix_appeals_enterprise_key_submitted_at"))
    return picked


def _only_open(query: AppealQuery) -> bool:
    """Whether nothing but open appeals can fit."""
    return (
        query.open is True
        or query.overdue is True
        or (query.state is not None and query.state not in SETTLED)
    )


def _plain(query: AppealQuery, now: datetime) -> list[Condition]:
    """The conditions on columns of the list's own indexes."""
    conditions: list[Condition] = []
    if query.state is not None:
        conditions.append(AppealRow.state == query.state.value)
    if query.level is not None:
        conditions.append(AppealRow.level == query.level.value)
    if query.category is not None:
        conditions.append(AppealRow.category == query.category)
    if query.direct_line is not None:
        conditions.append(AppealRow.direct_line == query.direct_line)
    if query.open is False:
        conditions.append(AppealRow.state.in_([state.value for state in State if state in SETTLED]))
    if query.overdue is True:
        conditions.append(AppealRow.due_at < now)
    if query.overdue is False:
        conditions.append(or_(AppealRow.state.not_in(OPEN), AppealRow.due_at >= now))
    return conditions


def _territories(query: AppealQuery, scope: Scope) -> tuple[str | None, ...] | None:
    """Where an appeal may lie, None for one without a territory; or None where that does not matter."""
    if scope.territory is None:
        return None if query.territory is None else (query.territory,)
    if query.territory is None:
        return (scope.territory, None)
    return (scope.territory,) if query.territory == scope.territory else ()


def _anywhere(territories: tuple[str | None, ...] | None) -> list[Condition]:
    return [] if territories is None else [or_(*(AppealRow.territory == name for name in territories))]


def within(scope: Scope) -> list[Condition]:
    """Everything that a scope asks of a single appeal."""
    picked = [condition for condition, _ in _picked(Scope(liaison=scope.liaison), None)]
    departments = [_involves(scope.department)] if scope.department is not None else []
    assigned = [AppealRow.assigned_at.is_not(None)] if scope.department is not None else []
    return [*assigned, *departments, *_anywhere(_territories(AppealQuery(), scope)), *picked]


def _involves(department: str) -> Condition:
    helped = select(CoDepartmentRow.appeal_id).where(CoDepartmentRow.department == department)
    return or_(AppealRow.lead_department == department, AppealRow.id.in_(helped))
