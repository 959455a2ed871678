"""Appeals read to be compared: their words, without the sealed contacts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appeals.duplicates import Matter
from backend.appeals.model import State
from backend.appeals.ports import Scope
from backend.appeals.topics import Letter
from backend.storage.listing import within
from backend.storage.tables import AppealRow

_ENDED = (State.WITHDRAWN.value, State.MERGED.value)
_MATTER: Any = (
    AppealRow.number,
    AppealRow.group_id,
    AppealRow.enterprise,
    AppealRow.text,
    AppealRow.category,
    AppealRow.state,
    AppealRow.territory,
    AppealRow.lead_department,
    AppealRow.submitted_at,
)


class SqlLikeness:
    """Implements `backend.appeals.duplicates.LikenessRepository`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def matter(self, number: str, scope: Scope) -> Matter | None:
        """The appeal of a number, if a desk with this scope may see it."""
        query = select(*_MATTER).where(AppealRow.number == number, *within(scope))
        row = (await self._session.execute(query)).first()
        return None if row is None else _matter(row)

    async def of_enterprise(
        self, key: str, closed_since: datetime, scope: Scope, limit: int
    ) -> tuple[Matter, ...]:
        """The appeals of an enterprise that are not withdrawn, merged, or closed before; the newest first."""
        query = (
            select(*_MATTER)
            .where(
                AppealRow.enterprise_key == key,
                AppealRow.state.not_in(_ENDED),
                or_(AppealRow.state != State.CLOSED.value, AppealRow.closed_at >= closed_since),
                *within(scope),
            )
            .order_by(AppealRow.submitted_at.desc(), AppealRow.id.desc())
            .limit(limit)
        )
        return tuple(map(_matter, await self._session.execute(query)))

    async def letters(self, since: datetime, scope: Scope, limit: int) -> tuple[Letter, ...]:
        """The appeals filed since a moment that are not withdrawn or merged; the newest first."""
        columns = (
            AppealRow.number,
            AppealRow.enterprise,
            AppealRow.enterprise_key,
            AppealRow.text,
            AppealRow.submitted_at,
            AppealRow.territory,
        )
        query = (
            select(*columns)
            .where(AppealRow.submitted_at >= since, AppealRow.state.not_in(_ENDED), *within(scope))
            .order_by(AppealRow.submitted_at.desc(), AppealRow.id.desc())
            .limit(limit)
        )
        return tuple(Letter(*row) for row in await self._session.execute(query))

    async def newest_texts(self, limit: int) -> tuple[str, ...]:
        """The problems of the newest appeals."""
        query = select(AppealRow.text).order_by(AppealRow.id.desc()).limit(limit)
        return tuple(await self._session.scalars(query))


def _matter(row: Any) -> Matter:
    number, group, enterprise, text, category, state, territory, lead, submitted_at = row
    return Matter(number, group, enterprise, text, category, State(state), territory, lead, submitted_at)
