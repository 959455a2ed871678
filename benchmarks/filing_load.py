"""Many filers at once, clients that hang up, and repeats; then whether anything was lost or doubled.

    python -m benchmarks.filing_load sqlite:////tmp/load.db [--filers 50] [--seconds 60]

Every filer sends one filing after the other with an idempotency key of its own. Of ten filings one is hung
up on at a random moment and sent again until it is confirmed, one is sent again after it was confirmed, and
some are sent twice at the same moment. Afterwards the database is asked: every key stands there once, with
the very numbers that were confirmed; nothing else was filed; the numbers of each day have no gap; the
sealed count of all appeals is right; and the record of every new appeal bears its signatures. The database
is migrated first; it may be empty or hold appeals already.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import func, select

from backend.appeals import chain
from backend.storage.database import Database
from backend.storage.records import integrity_values, line_of
from backend.storage.schema import migrate
from backend.storage.tables import AppealRow, CounterRow, FilingRow, HistoryRow, IntegrityRow
from backend.storage.vault import Vault, open_vault
from benchmarks.appeals_backend import backend, data_folder, line, surroundings
from benchmarks.appeals_seed import made_up


@dataclass
class Load:
    """What the filers saw.

    Attributes:
        confirmed: The numbers of each key.
        seconds: How long each confirmed answer took.
        hung_up: Requests that were left before the answer.
        repeats: Requests with a key that was used before.
        errors: What went wrong, and how often.
    """

    confirmed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    hung_up: int = 0
    repeats: int = 0
    errors: Counter[str] = field(default_factory=Counter)


class Filer:
    """One of the many."""

    def __init__(self, session: aiohttp.ClientSession, address: str, load: Load, seed: int) -> None:
        self._session = session
        self._url = f"{address}/api/v1/appeals"
        self._load = load
        self._pick = random.Random(f"{time.time_ns()} {seed}")

    async def run(self, until: float) -> None:
        """Files until the time is over; the last filing is brought to its end."""
        while time.perf_counter() < until:
            body: dict[str, Any] = {**made_up(self._pick), "idempotency_key": uuid.uuid4().hex}
            chance = self._pick.random()
            if chance < 0.10:
                await self._hang_up(body)
            elif chance < 0.13:
                self._load.repeats += 1
                await asyncio.gather(self._send(body), self._send(body))
                continue
            await self._send(body)
            if chance > 0.90:
                self._load.repeats += 1
                await self._send(body)

    async def _hang_up(self, body: dict[str, Any]) -> None:
        """Sends, and leaves before the answer has come (or just after)."""
        self._load.hung_up += 1
        self._load.repeats += 1
        with suppress(TimeoutError, aiohttp.ClientError):
            async with asyncio.timeout(self._pick.uniform(0.001, 0.6)):
                async with self._session.post(self._url, json=body) as answer:
                    await answer.read()

    async def _send(self, body: dict[str, Any]) -> None:
        key = str(body["idempotency_key"])
        began = time.perf_counter()
        try:
            async with self._session.post(self._url, json=body) as answer:
                said = await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            self._load.errors[type(error).__name__] += 1
            return
        if answer.status != 201:
            self._load.errors[f"{answer.status} {said['error']['code']}"] += 1
            return
        self._load.seconds.append(time.perf_counter() - began)
        numbers = tuple(appeal["number"] for appeal in said["appeals"])
        if self._load.confirmed.setdefault(key, numbers) != numbers:
            self._load.errors["a repeat was answered otherwise"] += 1


async def press(address: str, filers: int, seconds: float) -> Load:
    """Lets all filers work at once."""
    load = Load()
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
        until = time.perf_counter() + seconds
        await asyncio.gather(*(Filer(session, address, load, seed).run(until) for seed in range(filers)))
    return load


async def newest(url: str, vault: Vault) -> int:
    """The last appeal's id; 0 where there is none."""
    database = Database(url, vault)
    async with database.engine.connect() as connection:
        found = await connection.scalar(select(func.max(AppealRow.id)))
    await database.close()
    return found or 0


async def wrong(url: str, vault: Vault, before: int, load: Load) -> list[str]:
    """Everything that the database does not hold as it was confirmed."""
    database = Database(url, vault)
    problems: list[str] = []
    async with database.engine.connect() as connection:
        stored: dict[str, list[str]] = {}
        query = (
            select(FilingRow.idempotency_key, AppealRow.number)
            .join(FilingRow, FilingRow.group_id == AppealRow.group_id)
            .where(AppealRow.id > before)
            .order_by(AppealRow.id)
        )
        for key, number in await connection.execute(query):
            stored.setdefault(key, []).append(number)
        problems += [f"lost: {key}" for key in load.confirmed.keys() - stored.keys()]
        problems += [f"nobody confirmed: {key}" for key in stored.keys() - load.confirmed.keys()]
        problems += [
            f"other numbers: {key}"
            for key, numbers in load.confirmed.items()
            if key in stored and tuple(stored[key]) != numbers
        ]
        days = Counter(number.split("-")[0] for number in await connection.scalars(select(AppealRow.number)))
        for day, last in await connection.execute(select(CounterRow.day, CounterRow.last)):
            held = sum(count for name, count in days.items() if name.endswith(f"{day:%Y%m%d}"))
            if held != last:
                problems.append(f"{day}: {held} appeals, numbered up to {last}")
        total = await connection.scalar(select(func.count(AppealRow.id))) or 0
        sealed = (await connection.execute(select(IntegrityRow.__table__))).one()
        wanted = integrity_values(
            vault,
            appeals_filed=total,
            audit_length=sealed.audit_length,
            audit_head=sealed.audit_head,
            anchors=sealed.anchors,
            anchor_head=sealed.anchor_head,
        )
        if dict(sealed._mapping) != wanted:
            problems.append(f"{total} appeals, sealed as {sealed.appeals_filed}")
        problems += await _badly_signed(connection, vault, before)
    await database.close()
    return problems


async def _badly_signed(connection: Any, vault: Vault, before: int) -> list[str]:
    """New appeals whose first line does not bear the signatures that it must."""
    lines = (
        select(AppealRow.number, AppealRow.record_length, AppealRow.record_head, HistoryRow.__table__)
        .join(HistoryRow, HistoryRow.appeal_id == AppealRow.id, isouter=True)
        .where(AppealRow.id > before)
    )
    problems = []
    for row in await connection.execute(lines):
        if row.signature is None:
            problems.append(f"no record: {row.number}")
            continue
        signed = chain.link(vault.sign, chain.START, row.number, 1, line_of(row), row.text_signature)
        head = chain.head(vault.sign, row.number, 1, signed)
        if (row.record_length, row.signature, row.record_head) != (1, signed, head):
            problems.append(f"badly signed: {row.number}")
    return problems


def main() -> int:
    """Presses the database of the command line; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("url", help="sqlite:///PATH or postgresql://...")
    parser.add_argument("--filers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--data-dir", type=Path, help="folder of data.key; default: beside a SQLite file")
    given = parser.parse_args()
    folder = data_folder(given.url, given.data_dir)
    vault = open_vault(None, folder)
    migrate(given.url, vault)
    before = asyncio.run(newest(given.url, vault))
    with tempfile.TemporaryDirectory() as temporary:
        log = Path(temporary) / "log"
        with backend(given.url, folder, log) as address:
            print(f"{given.filers} filers, {before} appeals there, {surroundings()}")
            began = time.perf_counter()
            load = asyncio.run(press(address, given.filers, given.seconds))
            passed = time.perf_counter() - began
        said = log.read_text(errors="replace").strip()
    problems = asyncio.run(wrong(given.url, vault, before, load))
    appeals = sum(map(len, load.confirmed.values()))
    print(line("confirmed answers", load.seconds))
    print(
        f"{len(load.confirmed)} filings with {appeals} appeals in {passed:.1f} s: "
        f"{len(load.confirmed) / passed:.1f} filings/s; {load.hung_up} hung up on, {load.repeats} repeats"
    )
    print(f"errors: {dict(load.errors) or 'none'}; {surroundings()}")
    print(
        "\n".join(["wrong in the database:", *problems[:20]]) if problems else "nothing lost, nothing doubled"
    )
    if said:
        print(f"the backend said:\n{said[-2000:]}")
    return 1 if problems or load.errors else 0


if __name__ == "__main__":
    sys.exit(main())
