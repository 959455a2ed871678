"""How long filing an appeal takes through the real HTTP API, on a database that holds many already.

    python -m benchmarks.filing sqlite:////tmp/big.db [--requests 500] [--clients 1] [--no-triage]

Each filing is a new one with an idempotency key, of an enterprise that has filed before or has not, with
one or two problems of 15 to 600 characters. ``--no-triage`` puts a stand-in for triage that proposes
nothing at once, which shows what the rest costs.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.appeals_backend import backend, data_folder, line, surroundings
from benchmarks.appeals_seed import made_up


def filing(pick: random.Random) -> dict[str, Any]:
    """One filing that was never sent before."""
    return {
        **made_up(pick),
        "channel": "portal",
        "idempotency_key": uuid.UUID(int=pick.getrandbits(128), version=4).hex,
    }


async def measure(address: str, filings: list[dict[str, Any]], clients: int) -> tuple[list[float], int]:
    """Sends the filings; how long each took, and how many appeals came of them."""
    waiting, seconds, appeals = iter(filings), [], 0

    async def client(session: aiohttp.ClientSession) -> None:
        nonlocal appeals
        for body in waiting:
            began = time.perf_counter()
            async with session.post(f"{address}/api/v1/appeals", json=body) as answer:
                said = await answer.json()
            if answer.status != 201:
                raise RuntimeError(f"{answer.status}: {said}")
            seconds.append(time.perf_counter() - began)
            appeals += len(said["appeals"])

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(client(session) for _ in range(clients)))
    return seconds, appeals


def main() -> None:
    """Measures the database of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("url", help="sqlite:///PATH or postgresql://..., filled")
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--no-triage", action="store_true")
    parser.add_argument("--data-dir", type=Path, help="folder of data.key; default: beside a SQLite file")
    given = parser.parse_args()
    folder = data_folder(given.url, given.data_dir)
    pick = random.Random()
    filings = [filing(pick) for _ in range(given.requests + 50)]
    with (
        tempfile.TemporaryDirectory() as temporary,
        backend(given.url, folder, Path(temporary) / "log", triage=not given.no_triage) as address,
    ):
        asyncio.run(measure(address, filings[:50], 1))
        print(f"{given.clients} clients, {surroundings()}")
        began = time.perf_counter()
        seconds, appeals = asyncio.run(measure(address, filings[50:], given.clients))
        passed = time.perf_counter() - began
        print(line("filing", seconds))
        print(f"{appeals} appeals of {len(seconds)} filings, {len(seconds) / passed:.1f} filings/s")
        print(surroundings())


if __name__ == "__main__":
    main()
