"""How long figures, ranking and exports take over many appeals.

    .venv/bin/python -m benchmarks.figures [sqlite:////tmp/big.db | postgresql://...] [--count 200000]
        [--rounds 5] [--data-dir FOLDER]

The database is filled first, unless it holds appeals already. Figures are asked for as the API asks for them,
over all appeals and over one month; the exports write the appeals of 150 days, and tell the most memory that
the process has held. Wall time and CPU time of this process are told; on PostgreSQL the computing happens in
the server, so only the first one says something.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import resource
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from backend.appeals.calendar import WorkCalendar
from backend.figures.exports import ExportService, Form
from backend.figures.model import Grouping, Selection, month_bounds
from backend.figures.service import FigureService
from backend.people.actors import Actor
from backend.people.roles import Role
from backend.storage.database import Database
from backend.storage.schema import migrate
from backend.storage.vault import open_vault
from benchmarks.appeals_seed import UNTIL, seed_database

NOW = UNTIL + timedelta(minutes=1)
TASKFORCE = Actor("bench", Role.TASKFORCE)
EXPORT_ROWS = 50_000


async def _timed(name: str, rounds: int, run: Callable[[], Awaitable[object]]) -> None:
    walls, cpus = [], []
    for _ in range(rounds + 1):
        began, busy = time.perf_counter(), time.process_time()
        await run()
        walls.append(time.perf_counter() - began)
        cpus.append(time.process_time() - busy)
    walls, cpus = walls[1:], cpus[1:]  # the first one warms up
    print(
        f"{name:32} median {statistics.median(walls):6.2f} s   fastest {min(walls):6.2f} s   "
        f"CPU here {statistics.median(cpus):6.2f} s",
        flush=True,
    )


async def _drain(exports: ExportService, selection: Selection, form: Form) -> None:
    export = await exports.appeals(TASKFORCE, selection, form)
    size = 0
    async for piece in export.pieces:
        size += len(piece)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {export.rows} rows, {size / 1e6:.1f} MB, process at most {held:.0f} MB", flush=True)


async def measure(database: Database, rounds: int) -> None:
    """Print every figure."""
    figures = FigureService(database.unit_of_work, WorkCalendar(), lambda: NOW)
    exports = ExportService(database.unit_of_work, figures, lambda: NOW, EXPORT_ROWS)
    month = f"{NOW:%Y-%m}"
    everything, one = Selection(), Selection(*month_bounds(month))
    for by in Grouping:
        for name, selection in (("all", everything), ("one month", one)):
            await _timed(
                f"by {by}, {name}",
                rounds,
                lambda by=by, selection=selection: figures.figures(TASKFORCE, by, selection),  # type: ignore[misc]
            )
    await _timed(f"ranking of {month}", rounds, lambda: figures.table(TASKFORCE, month))
    since = UNTIL - timedelta(days=150)
    recent = Selection(since=since)
    for form in Form:
        await _timed(f"appeals.{form} of 150 days", 1, lambda form=form: _drain(exports, recent, form))  # type: ignore[misc]


async def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "url", nargs="?", help="sqlite:///PATH or postgresql://...; a file that goes if left out"
    )
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data-dir", type=Path, help="folder of data.key; default: beside a SQLite file")
    given = parser.parse_args()
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as folder:
        url = given.url or f"sqlite:///{folder}/figures.db"
        data_dir = given.data_dir or (
            Path(url.removeprefix("sqlite:///")).parent if url.startswith("sqlite") else Path(folder)
        )
        vault = open_vault(None, data_dir)
        migrate(url, vault)
        database = Database(url, vault)
        try:
            async with database.engine.connect() as connection:
                there = (await connection.execute(text("SELECT count(*) FROM appeals"))).scalar_one()
            if not there:
                seed_database(url, vault, count=given.count)
            await measure(database, given.rounds)
        finally:
            await database.close()


if __name__ == "__main__":
    asyncio.run(main())
