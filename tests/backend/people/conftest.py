"""Accounts on a real database, with a clock that stands still and hashes that take no time."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from people_helpers import Log, StillClock, Written
from sqlalchemy import select

from backend.people.liaisons import LiaisonService
from backend.people.passwords import Passwords
from backend.people.roles import Role
from backend.people.service import PeopleService
from backend.storage.database import Database
from backend.storage.tables import AuditRow


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


def units(role: Role, name: str) -> str | None:
    return {"住建局": "区住建局", "区住建局": "区住建局"}.get(name)


@pytest.fixture
def people(database: Database, clock: StillClock) -> PeopleService:
    quick = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return PeopleService(database.unit_of_work, clock, units, quick)


@pytest.fixture
def liaisons(database: Database, clock: StillClock) -> LiaisonService:
    return LiaisonService(database.unit_of_work, clock, lambda name: name.removesuffix("有限公司").strip())


@pytest.fixture
def log(database: Database) -> Log:
    async def read() -> list[Written]:
        async with database.engine.connect() as connection:
            rows = await connection.execute(select(AuditRow).order_by(AuditRow.id))
            return [Written(row.actor_name, row.action, row.subject, row.before, row.after) for row in rows]

    return read
