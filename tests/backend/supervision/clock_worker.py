"""A worker in a process of its own, for the test that kills it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from multiprocessing.synchronize import Event

import psycopg  # noqa: F401 - with the drivers, so that a fork of this need not import them
import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite.aiosqlite  # noqa: F401
from appeal_district import StubDirectory
from backend_vault import VAULT

from backend.storage.database import Database
from backend.supervision.clock import SupervisionClock
from backend.supervision.service import role_of


def work(url: str, now: datetime, ready: Event) -> None:
    """Make passes until killed, one appeal a transaction, so that there is a middle to be killed in."""

    async def run() -> None:
        database = Database(url, VAULT, pool_size=1)
        directory = StubDirectory()
        clock = SupervisionClock(
            database.unit_of_work, lambda: now, lambda unit: role_of(unit, directory), batch=1
        )
        await database.ping()
        ready.set()
        while True:
            await clock.run_once()

    asyncio.run(run())
