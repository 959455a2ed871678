"""Start the backend alone on a database with appeals, with one account of every role, for a measurement."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.engine import make_url

from backend.people.roles import Role
from backend.people.service import PeopleService
from backend.storage.database import Database
from backend.storage.tables import AccountRow, AppealRow, LiaisonEnterpriseRow
from backend.storage.vault import open_vault
from benchmarks.processes import free_port, get_json, running, wait_for

_PAIRED = 30
"""Enterprises of the liaison."""


_WITHOUT_TRIAGE = """
from backend.__main__ import main
from backend.triage.proposing import Triage
Triage.propose = lambda self, text, territory=None: ()
main()
"""


@dataclass(frozen=True)
class Desk:
    """A member of staff who is signed in.

    Attributes:
        name: Of the account.
        role: Its role.
        unit: Its department or territory.
        token: Bearer token.
    """

    name: str
    role: Role
    unit: str | None
    token: str


def data_folder(url: str, given: Path | None = None) -> Path:
    """Where ``data.key`` of a database lies: beside a SQLite file unless said."""
    if given is not None:
        return given
    beside = make_url(url).database
    return Path(beside).parent if beside and url.startswith("sqlite") else Path("var")


async def make_desks(
    url: str, folder: Path, departments: Sequence[str], territories: Sequence[str]
) -> list[Desk]:
    """One account of every role that has a desk, with a token; a department and a territory for each given.

    The liaison is paired with the enterprises of some appeals.
    """
    database = Database(url, open_vault(None, folder))
    people = PeopleService(database.unit_of_work, lambda: datetime.now(UTC))
    wanted: list[tuple[Role, str | None]] = [
        (Role.TASKFORCE, None),
        (Role.OPERATOR, None),
        (Role.LIAISON, None),
        *((Role.DEPARTMENT, name) for name in departments),
        *((Role.TERRITORY, name) for name in territories),
    ]
    desks = []
    mark = f"{datetime.now(UTC):%m%d%H%M%S}"
    for position, (role, unit) in enumerate(wanted):
        name = f"bench-{mark}-{position}"
        await people.create_account(name, role, unit)
        issued = await people.issue_token(name, "bench", timedelta(days=1))
        desks.append(Desk(name, role, unit, issued.token))
    async with database.engine.begin() as connection:
        liaison = next(desk.name for desk in desks if desk.role is Role.LIAISON)
        account = await connection.scalar(select(AccountRow.id).where(AccountRow.username == liaison))
        names = (
            select(AppealRow.enterprise_key, AppealRow.enterprise).order_by(AppealRow.id.desc()).limit(200)
        )
        paired = dict((await connection.execute(names)).tuples().all())
        await connection.execute(
            LiaisonEnterpriseRow.__table__.insert(),  # type: ignore[attr-defined]
            [
                {"account_id": account, "enterprise_key": key, "enterprise": name, "since": datetime.now(UTC)}
                for key, name in list(paired.items())[:_PAIRED]
            ],
        )
    await database.close()
    return desks


@contextmanager
def backend(url: str, folder: Path, log: Path, *, triage: bool = True) -> Iterator[str]:
    """The backend process on a free port; yields its address.

    Args:
        url: Of the database.
        folder: With ``data.key``.
        log: File for its output.
        triage: False puts a stand-in in place of triage that proposes nothing at once.
    """
    port = free_port()
    settings = {
        "QIFU_PORT": str(port),
        "QIFU_DATA_DIR": str(folder),
        "QIFU_DATABASE_URL": url,
        "QIFU_ENCODER": "none",
        "QIFU_LOG_LEVEL": "WARNING",
    }
    command = ["-m", "backend"] if triage else ["-c", _WITHOUT_TRIAGE]
    with running([sys.executable, *command], log, **settings):
        address = f"http://127.0.0.1:{port}"
        wait_for(lambda: get_json(f"{address}/healthz")[0] == 200, 120, "the backend")
        yield address


def share(values: Sequence[float], part: float) -> float:
    """The value below which a part of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def line(name: str, seconds: Sequence[float]) -> str:
    """Median, 95th percentile, worst, in ms."""
    ms = [1000 * value for value in seconds]
    return (
        f"{name:24} {len(ms):6} times  p50 {statistics.median(ms):6.1f} ms  p95 {share(ms, 0.95):6.1f} ms  "
        f"worst {max(ms):7.1f} ms"
    )


def surroundings() -> str:
    """How busy the machine was, to be printed beside every figure."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
