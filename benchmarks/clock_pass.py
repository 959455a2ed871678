"""How long one pass of the supervision clock takes over many open appeals.

    .venv/bin/python -m benchmarks.clock_pass [sqlite:////tmp/clock.db | postgresql://...] [--count 200000]
        [--due 1000] [--rounds 9]

The database is filled first, unless it holds appeals already: all of them open. Before each round, as many
moments as asked for are made due, each of another appeal; the pass that acts on them is measured as a whole,
with reminders, lines of the record, messages and penalties, and checked: each of them acted on, none left.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url

from backend.people.roles import Role
from backend.storage.database import Database
from backend.storage.schema import migrate
from backend.storage.vault import open_vault
from backend.supervision.clock import SupervisionClock
from benchmarks.appeals_seed import UNTIL, seed_database

NOW = UNTIL + timedelta(minutes=1)


async def _scalar(database: Database, statement: str) -> int:
    async with database.engine.connect() as connection:
        return int((await connection.execute(text(statement))).scalar_one())


async def _make_due(database: Database, count: int, turn: int, now: datetime) -> None:
    """Make moments due: of the open appeals, every so many, another set each turn."""
    values = {"count": count, "turn": turn}
    async with database.engine.begin() as connection:
        await connection.execute(
            text(
                "UPDATE appeal_supervision SET state = 'done' WHERE state = 'pending' AND kind <> 'call'"
                " AND at <= :now"
            ).bindparams(now=_plain(database, now))
        )
        await connection.execute(
            text(
                "UPDATE appeal_supervision SET state = 'pending', acted_at = NULL WHERE id IN ("
                " SELECT max(s.id) FROM appeal_supervision s JOIN appeals a ON a.id = s.appeal_id"
                " WHERE s.kind = 'moment' AND s.at <= :now AND a.state IN ("
                " 'filed','assigned','transferred','in_work','replied','reopened','escalated','returned')"
                " AND a.id % 97 = :turn GROUP BY s.appeal_id LIMIT :count)"
            ).bindparams(now=_plain(database, now), **values)
        )


def _plain(database: Database, at: datetime) -> object:
    """A moment as a statement in plain SQL compares it."""
    if database.engine.dialect.name == "postgresql":
        return at
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


async def measure(database: Database, due: int, rounds: int) -> list[float]:
    """Seconds of each pass."""
    clock = SupervisionClock(database.unit_of_work, lambda: NOW, lambda unit: Role.DEPARTMENT)
    seconds = []
    for turn in range(rounds + 1):
        await _make_due(database, due, turn, NOW)
        began, busy = time.perf_counter(), time.process_time()
        done = await clock.run_once()
        took, spent = time.perf_counter() - began, time.process_time() - busy
        if (done.acted, clock.gauges.backlog.pending) != (due, 0):
            raise SystemExit(f"{done.acted} of {due} moments acted on, {clock.gauges.backlog.pending} left")
        if turn:  # the first pass warms up
            seconds.append(took)
            print(
                f"pass {turn}: {took:.3f} s, {spent:.3f} s of this process, "
                f"{done.messages} messages, {done.penalties} penalties",
                flush=True,
            )
    return seconds


async def run(url: str, folder: Path, due: int, rounds: int) -> None:
    """Measures and prints."""
    database = Database(url, open_vault(None, folder))
    try:
        unsettled = (
            "SELECT count(*) FROM appeals WHERE state NOT IN"
            " ('resolved','closed','not_accepted','withdrawn','merged')"
        )
        print(f"{await _scalar(database, unsettled):,} open appeals", flush=True)
        pending = "SELECT count(*) FROM appeal_supervision WHERE state = 'pending'"
        print(f"{await _scalar(database, pending):,} pending rows", flush=True)
        async with database.engine.begin() as connection:  # what an earlier run has left would not be new
            await connection.execute(text("DELETE FROM outbox"))
            await connection.execute(text("DELETE FROM penalties"))
        seconds = await measure(database, due, rounds)
        name = database.engine.dialect.name
        middle, worst = statistics.median(seconds), max(seconds)
        print(f"{name}: {due} moments a pass, median {middle:.3f} s, max {worst:.3f} s")
    finally:
        await database.close()


def main() -> None:
    """Fills and measures the database of the command line."""
    logging.disable(logging.INFO)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", nargs="?", help="default: a SQLite file in a temporary folder")
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--due", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--data-dir", type=Path, help="folder of data.key; default: beside a SQLite file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        url = given.url or f"sqlite:///{temporary}/clock.db"
        beside = Path(make_url(url).database or ".").parent
        folder = given.data_dir or (beside if url.startswith("sqlite") else Path("var"))
        vault = open_vault(None, folder)
        migrate(url, vault)
        try:
            print(seed_database(url, vault, count=given.count, open_share=1.0), flush=True)
        except ValueError:
            print("filled before", flush=True)
        asyncio.run(run(url, folder, given.due, given.rounds))


if __name__ == "__main__":
    main()
