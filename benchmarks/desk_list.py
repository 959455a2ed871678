"""How long the desk list takes through the real HTTP API, for every role and filter.

    python -m benchmarks.desk_list sqlite:////tmp/big.db [--requests 1500] [--clients 1]

The database is one that `benchmarks.appeals_seed` has filled; accounts are added to it. Requests are drawn
from all roles, filters, combinations of up to three of them, words of one to eight characters and pages deep
in the list, the same ones for the same seed; each is read to its end. Words that 30,000 and more appeals hold
are told apart, because nobody looks for them on purpose.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.appeals_backend import Desk, backend, data_folder, line, make_desks, surroundings
from benchmarks.appeals_seed import Names, names

_STATES = (
    "filed",
    "assigned",
    "in_work",
    "replied",
    "resolved",
    "closed",
    "escalated",
    "reopened",
    "withdrawn",
)
_LEVELS = ("simple", "single", "whistle")
_BOARDS = ("人才", "科创", "政策", "金融", "开放", "法治", "诉求", "兜底", "项目", "审批")
_WORDS = (
    "停电",
    "路灯",
    "补贴",
    "青六路",
    "污水管",
    "经营许可证",
    "博士",
    "生物医药有限",
    "消防验收整改",
    "QT20261120",
    "20260525-00",
    "没有这样的词",
    "围垦街",
    "堵",
    "税",
    "江东大道 积水",
)
_COMMON = ("企业", "有限公司", "员工", "的")

Request = tuple[str, Desk, dict[str, Any]]


def draw(desks: list[Desk], known: Names, pick: random.Random) -> Request:
    """One request: its kind, who sends it, its query."""
    desk = pick.choice(desks)
    filters: dict[str, Any] = {
        "state": pick.choice(_STATES),
        "level": pick.choice(_LEVELS),
        "category": pick.choice(_BOARDS),
        "department": pick.choice(known.departments[:25]),
        "territory": pick.choice(known.territories),
        "open": pick.choice(("true", "false")),
        "overdue": pick.choice(("true", "false")),
        "direct_line": pick.choice(("true", "false")),
        "phone": f"1380000{pick.randrange(10_000):04d}",
    }
    kind = pick.choices(
        (
            "no filter",
            "one filter",
            "two or three filters",
            "deep page",
            "words",
            "words and filter",
            "common words",
        ),
        (10, 25, 30, 10, 14, 8, 3),
    )[0]
    count = {"one filter": 1, "two or three filters": pick.choice((2, 3)), "words and filter": 1}.get(kind, 0)
    if kind == "deep page":
        count = pick.choice((0, 0, 1))
        filters.pop("phone")
    query = {name: filters[name] for name in pick.sample(sorted(filters), count)}
    if kind == "deep page":
        query["page"] = pick.choice((50, 400, 2000, 9000))
    if kind.startswith("words"):
        query["q"] = pick.choice(_WORDS)
    if kind == "common words":
        query["q"] = pick.choice(_COMMON)
    query["page_size"] = pick.choice((20, 20, 20, 50, 100))
    return kind, desk, query


async def measure(address: str, requests: list[Request], clients: int) -> list[tuple[Request, float]]:
    """Sends the requests, each client its next one as soon as it has read the last."""
    waiting = iter(requests)
    done: list[tuple[Request, float]] = []

    async def client(session: aiohttp.ClientSession) -> None:
        for request in waiting:
            _, desk, query = request
            headers = {"Authorization": f"Bearer {desk.token}"}
            began = time.perf_counter()
            async with session.get(f"{address}/api/v1/desk/appeals", params=query, headers=headers) as answer:
                body = await answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{answer.status} for {query}: {body[:300]!r}")
            done.append((request, time.perf_counter() - began))

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(client(session) for _ in range(clients)))
    return done


def report(done: list[tuple[Request, float]]) -> None:
    """Prints the figures by kind and by role, and the slowest requests."""
    by_kind: dict[str, list[float]] = defaultdict(list)
    by_role: dict[str, list[float]] = defaultdict(list)
    for (kind, desk, _), seconds in done:
        by_kind[kind].append(seconds)
        if kind != "common words":
            by_role[desk.role.value].append(seconds)
    for name, values in sorted(by_kind.items()) + sorted(by_role.items()):
        print(line(name, values))
    print(line("all but common words", [taken for (kind, _, _), taken in done if kind != "common words"]))
    print("slowest:")
    for (kind, desk, query), seconds in sorted(done, key=lambda one: -one[1])[:8]:
        print(f"  {1000 * seconds:6.1f} ms  {kind}, {desk.role.value}: {query}")


def main() -> None:
    """Measures the database of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", help="sqlite:///PATH or postgresql://..., filled")
    parser.add_argument("--requests", type=int, default=1500)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data-dir", type=Path, help="folder of data.key; default: beside a SQLite file")
    given = parser.parse_args()
    folder = data_folder(given.url, given.data_dir)
    known, pick = names(), random.Random(given.seed)
    departments, territories = pick.sample(known.departments[:25], 3), pick.sample(known.territories, 2)
    desks = asyncio.run(make_desks(given.url, folder, departments, territories))
    requests = [draw(desks, known, pick) for _ in range(given.requests)]
    with (
        tempfile.TemporaryDirectory() as temporary,
        backend(given.url, folder, Path(temporary) / "log") as address,
    ):
        first = [("warm", desk, {"page_size": 100}) for desk in desks]
        asyncio.run(measure(address, first, 1))
        print(f"{given.clients} clients, {surroundings()}")
        report(asyncio.run(measure(address, requests, given.clients)))
        print(surroundings())


if __name__ == "__main__":
    main()
