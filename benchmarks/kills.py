"""Kill the backend at random moments under load, and see whether anything was lost or doubled.

    .venv/bin/python -m benchmarks.kills                 200 kills on SQLite
    .venv/bin/python -m benchmarks.kills --database postgresql://127.0.0.1:5432/test --kills 50

Clients file (with idempotency keys), assign, answer, resolve and give feedback over HTTP, and try again what
was not confirmed; the supervision clock passes four times a second. Every deed carries a mark of its own, so
that the record tells how often it was done. The process is ended with SIGKILL and started again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import create_engine, select, text
from sqlalchemy.engine import make_url

from backend import __main__ as process
from backend import logs
from backend.composition import build, know, vault_of
from backend.people.roles import Role
from backend.people.service import PeopleService
from backend.settings import Settings, load_settings
from backend.storage.database import Database, sync_url
from backend.storage.schema import migrate
from backend.storage.tables import Base
from benchmarks.processes import ROOT, free_port

PHONE = "13800000001"
_START_SECONDS = 120
_ANSWER_SECONDS = 60


@dataclass
class Report:
    """What came of it.

    Attributes:
        kills: How often the process was killed.
        starting: Of these, while it was still starting.
        filed: Filings that were confirmed.
        deeds: Other deeds that were confirmed.
        repeated: Requests that were sent again because no answer came.
        done_before: Of these, deeds that turned out to be done already.
        reminders: Supervision moments acted on.
        messages: Messages in the outbox.
        seconds: How long it took.
        faults: What was lost, doubled or refused, one sentence each.
    """

    kills: int = 0
    starting: int = 0
    filed: int = 0
    deeds: int = 0
    repeated: int = 0
    done_before: int = 0
    reminders: int = 0
    messages: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


@dataclass
class Told:
    """What the service has confirmed to the clients.

    Attributes:
        filed: Idempotency key to the numbers.
        deeds: Mark to the appeal's number.
        tried: All marks that were ever sent, with the number.
    """

    filed: dict[str, list[str]] = field(default_factory=dict)
    deeds: dict[str, str] = field(default_factory=dict)
    tried: dict[str, str] = field(default_factory=dict)


class Backend:
    """A backend process that is killed and started again on the same data.

    A parent process has imported everything and read the knowledge base; each backend is its child, so that a
    start takes a tenth of a second and not the two seconds of `python -m backend`.
    """

    def __init__(self, folder: Path, database: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "backend.log"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("QIFU_")},
            "QIFU_PORT": str(self.port),
            "QIFU_DATA_DIR": str(folder),
            "QIFU_DATABASE_URL": database,
            "QIFU_ENCODER": "none",
            "QIFU_CLOCK_SECONDS": "0.25",
            "QIFU_LOG_LEVEL": "WARNING",
        }
        with self._log.open("ab") as output:
            self._parent = subprocess.Popen(
                [sys.executable, "-c", "from benchmarks.kills import parent; parent()"],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
            )
        self._ask("hello")

    def start(self) -> None:
        """Start it; it answers a little later."""
        self._ask("start")

    def kill(self) -> None:
        """SIGKILL, at once; returns when it is gone."""
        self._ask("kill")

    def close(self) -> None:
        """Kill it, and end the parent."""
        self._parent.communicate(b"kill\n", timeout=30)

    def _ask(self, word: str) -> None:
        into, out = self._parent.stdin, self._parent.stdout
        assert into is not None
        assert out is not None
        into.write(word.encode() + b"\n")
        into.flush()
        if out.readline() != b"done\n":
            raise RuntimeError(
                f"the backend's parent is gone: {self._log.read_text(errors='replace')[-2000:]}"
            )

    async def ready(self) -> None:
        """Wait until it answers."""
        until = time.monotonic() + _START_SECONDS
        async with aiohttp.ClientSession() as session:
            while time.monotonic() < until:
                with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                    async with session.get(self.url + "/healthz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.02)
        raise RuntimeError(f"the backend does not start: {self._log.read_text(errors='replace')[-2000:]}")

    def audit(self) -> tuple[int, str]:
        """`qifu check --audit`: the exit code, and what it says."""
        ran = subprocess.run(
            [sys.executable, "-m", "backend.cli", "check", "--audit"],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return ran.returncode, ran.stdout + ran.stderr


def parent() -> None:
    """Start and kill one backend after another, as the lines of the standard input say."""
    settings = load_settings()
    logs.configure(settings.log_level)
    # what `serve` builds, with a knowledge base that was read once
    process.build = partial(build, knowledge=know(settings))  # type: ignore[assignment]
    child = 0
    for line in sys.stdin:
        if line == "kill\n" and child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            child = 0
        elif line == "start\n":
            child = os.fork()
            if not child:
                os.close(0)
                process.serve(settings)
                os._exit(0)
        print("done", flush=True)


class Client:
    """Files appeals and brings them to their end, one after another, until it is told to stop."""

    def __init__(
        self, url: str, tokens: dict[str, str], territory: str, told: Told, report: Report, seed: int
    ) -> None:
        self._url = url
        self._tokens = tokens
        self._units = [unit for unit in tokens if unit]
        self._territory = territory
        self._told = told
        self._report = report
        self._random = random.Random(seed)

    async def run(self, stop: asyncio.Event) -> None:
        """Go on until ``stop``; what was begun is confirmed before it returns."""
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            self._session = session
            while not stop.is_set():
                number = await self._file()
                for _ in range(3):
                    if stop.is_set() or await self._handle(number):
                        break

    async def _file(self) -> str:
        key = uuid.UUID(int=self._random.getrandbits(128)).hex
        # the direct line is opened at the desk, and has a moment that is due at once
        direct = self._random.random() < 0.5
        body = {
            "enterprise": "杭州断电测试有限公司",
            "contact": "王测试",
            "phone": PHONE,
            "text": f"厂区门口的道路积水一直没有人处理，记号{key[:12]}",
            "territory": self._territory,
            "channel": "direct" if direct else "portal",
            "idempotency_key": key,
        }
        path = "/api/v1/desk/appeals" if direct else "/api/v1/appeals"
        answer, _ = await self._send(path, body, 201, "" if direct else None)
        numbers = [appeal["number"] for appeal in answer["appeals"]]
        self._told.filed[key] = numbers
        self._report.filed += 1
        return str(numbers[0])

    async def _handle(self, number: str) -> bool:
        """Assign or take up again, and let the enterprise say whether it is solved; True once it is."""
        desk = f"/api/v1/desk/appeals/{number}"
        if number not in self._leads:
            lead = self._random.choice(self._units)
            await self._deed(number, f"{desk}/assign", "text", "", lead_department=lead)
            self._leads[number] = lead
        lead = self._leads[number]
        await self._deed(number, f"{desk}/reply", "text", lead)
        await self._deed(number, f"{desk}/resolve", "text", lead)
        solved = self._random.random() < 0.6
        await self._deed(
            number,
            f"/api/v1/appeals/{number}/feedback",
            "comment",
            None,
            phone=PHONE,
            result="resolved" if solved else "unresolved",
            stars=5 if solved else 2,
        )
        return solved

    async def _deed(self, number: str, path: str, words: str, unit: str | None, **more: Any) -> None:
        mark = f"记号{self._random.getrandbits(64):016x}"
        self._told.tried[mark] = number
        if unit is not None:
            # who says what they have seen does nothing twice
            more["version"] = await self._version(number)
        answer, sent = await self._send(path, {words: mark, **more}, 200, unit)
        if "error" in answer:
            if sent == 1 or not await self._is_done(number, mark):
                self._report.faults.append(f"{path.rsplit('/', 1)[-1]}: {answer['error']['code']}")
                return
            self._report.done_before += 1
        self._told.deeds[mark] = number
        self._report.deeds += 1

    async def _is_done(self, number: str, mark: str) -> bool:
        return mark in json.dumps(await self._opened(number), ensure_ascii=False)

    async def _version(self, number: str) -> int:
        return int((await self._opened(number))["appeal"]["version"])

    async def _opened(self, number: str) -> dict[str, Any]:
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with self._session.get(
                    f"{self._url}/api/v1/desk/appeals/{number}", headers=self._headers("")
                ) as answer:
                    if answer.status == 200:
                        found: dict[str, Any] = await answer.json()
                        return found
            await asyncio.sleep(0.05)

    async def _send(
        self, path: str, body: dict[str, Any], wanted: int, unit: str | None = None
    ) -> tuple[dict[str, Any], int]:
        """Send until there is an answer; the answer, and how often it was sent."""
        sent = 0
        while True:
            sent += 1
            try:
                async with self._session.post(
                    self._url + path, json=body, headers=self._headers(unit)
                ) as answer:
                    found: dict[str, Any] = await answer.json()
                    if answer.status == wanted or answer.status == 409:
                        return found, sent
                    if answer.status != 503:
                        self._report.faults.append(f"{path} answered {answer.status}: {found}")
                        return found, sent
            except (aiohttp.ClientError, OSError, TimeoutError):
                pass
            self._report.repeated += 1
            await asyncio.sleep(0.05)

    def _headers(self, unit: str | None) -> dict[str, str]:
        return {} if unit is None else {"Authorization": f"Bearer {self._tokens[unit]}"}

    @property
    def _leads(self) -> dict[str, str]:
        return self.__dict__.setdefault("_known_leads", {})


@contextmanager
def own_database(given: str | None, folder: Path) -> Iterator[str]:
    """The URL of a database for this run alone: a file, or a schema that is dropped at the end."""
    if given is None:
        yield f"sqlite:///{folder / 'qifu.db'}"
        return
    schema = f"qifu_kills_{uuid.uuid4().hex[:12]}"
    engine = create_engine(sync_url(given), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    own = make_url(given).update_query_dict({"options": f"-csearch_path={schema}"})
    try:
        yield own.render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        engine.dispose()


async def _staff(settings: Settings, units: list[str]) -> dict[str, str]:
    """Unit to token; the task force has the empty name."""
    database = Database(settings.database_url, vault_of(settings))
    try:
        people = PeopleService(database.unit_of_work, lambda: datetime.now(UTC))
        await people.create_account("kills-office", Role.TASKFORCE)
        tokens = {"": (await people.issue_token("kills-office")).token}
        for place, unit in enumerate(units):
            await people.create_account(f"kills-{place}", Role.DEPARTMENT, unit)
            tokens[unit] = (await people.issue_token(f"kills-{place}")).token
        return tokens
    finally:
        await database.close()


async def _names(url: str) -> tuple[list[str], str]:
    """Three departments and a territory of the home district."""
    async with aiohttp.ClientSession() as session:
        async with session.get(url + "/api/v1/departments") as answer:
            departments = (await answer.json())["departments"]
        async with session.get(url + "/api/v1/territories") as answer:
            territories = (await answer.json())["territories"]
    return [found["name"] for found in departments[:3]], str(territories[0]["name"])


@asynccontextmanager
async def _working(clients: list[Client]) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(client.run(stop)) for client in clients]
    try:
        yield
        stop.set()
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def run(
    folder: Path, database: str, kills: int, *, clients: int = 6, seed: int = 1, say: bool = False
) -> Report:
    """Kill a backend under load again and again, then look at what is left.

    Args:
        folder: An empty data folder.
        database: URL of an empty database.
        kills: How often.
        clients: How many work at once.
        seed: Of the moments and of what the clients do.
        say: Whether progress is printed.
    """
    settings = Settings(data_dir=folder, database_url=database, encoder="none")
    migrate(database, vault_of(settings))
    backend, told, report = Backend(folder, database), Told(), Report()
    chance = random.Random(seed)
    began = time.perf_counter()
    try:
        backend.start()
        await backend.ready()
        units, territory = await _names(backend.url)
        tokens = await _staff(settings, units)
        workers = [
            Client(backend.url, tokens, territory, told, report, seed * 1000 + place)
            for place in range(clients)
        ]
        async with _working(workers):
            for count in range(kills):
                if chance.random() < 0.1:
                    report.starting += 1
                    await asyncio.sleep(chance.uniform(0.0, 0.3))
                else:
                    await backend.ready()
                    await asyncio.sleep(chance.uniform(0.02, 1.0))
                backend.kill()
                report.kills += 1
                backend.start()
                if say and (count + 1) % 20 == 0:
                    print(f"{count + 1} kills, {report.filed} filed, {report.deeds} deeds", flush=True)
            await backend.ready()
        await asyncio.sleep(1.5)  # a last pass of the clock
    finally:
        backend.close()
    report.faults += _look(database, told, report)
    code, words = backend.audit()
    if code:
        report.faults.append(f"qifu check --audit: {words[-1000:]}")
    report.seconds = time.perf_counter() - began
    return report


def _look(url: str, told: Told, report: Report) -> Iterator[str]:
    """What is lost or doubled in the database."""
    tables = Base.metadata.tables
    appeals, history, groups = tables["appeals"], tables["appeal_history"], tables["filings"]
    supervision, outbox = tables["appeal_supervision"], tables["outbox"]
    engine = create_engine(sync_url(url))
    with engine.connect() as connection:
        filed: dict[str, list[str]] = {}
        of_group = select(groups.c.idempotency_key, appeals.c.number).join(
            appeals, appeals.c.group_id == groups.c.group_id
        )
        for key, number in connection.execute(of_group.order_by(appeals.c.id)):
            filed.setdefault(key, []).append(number)
        lines = connection.execute(
            select(
                appeals.c.number, history.c.event, history.c.text, history.c.after, appeals.c.dissatisfied
            ).join(history, history.c.appeal_id == appeals.c.id)
        ).all()
        moments = connection.execute(
            select(appeals.c.number, supervision.c.at, supervision.c.by)
            .join(supervision, supervision.c.appeal_id == appeals.c.id)
            .where(supervision.c.kind == "moment", supervision.c.state == "done")
        ).all()
        messages = connection.execute(
            select(appeals.c.number, outbox.c.kind, outbox.c.key).join(
                outbox, outbox.c.appeal_id == appeals.c.id
            )
        ).all()
    engine.dispose()
    report.reminders, report.messages = len(moments), len(messages)
    for key, numbers in told.filed.items():
        if filed.get(key) != numbers:
            yield f"filed under {key}: told {numbers}, kept {filed.get(key)}"
    marks = Counter(line.text for line in lines if line.text in told.tried)
    places = {(line.text, line.number) for line in lines}
    for mark, number in told.tried.items():
        if mark in told.deeds and (mark, number) not in places:
            yield f"a confirmed deed of {number} is lost"
        if marks[mark] > 1:
            yield f"a deed of {number} was done {marks[mark]} times"
    told_of = Counter(
        (line.number, line.after["moment"], line.after["by"]) for line in lines if line.event == "remind"
    )
    yield from (f"acted on {count} times: {what}" for what, count in told_of.items() if count > 1)
    if len(told_of) != len(moments):
        yield f"{len(moments)} moments are done, the records tell of {len(told_of)}"
    said = Counter((number, kind) for number, kind, _ in messages)
    resolved = Counter(line.number for line in lines if line.event == "resolve")
    rejected = Counter(line.number for line in lines if line.event == "reject")
    for line in {line.number: line for line in lines}.values():
        if said[line.number, "outcome"] != resolved[line.number]:
            yield f"{line.number}: resolved {resolved[line.number]}, told {said[line.number, 'outcome']}"
        if line.dissatisfied != rejected[line.number]:
            yield f"{line.number}: counted as dissatisfied {line.dissatisfied} times"
    reminded = Counter(number for number, _, _ in told_of)
    for number, count in reminded.items():
        if said[number, "reminder"] < count:
            yield f"{number}: {count} times reminded, {said[number, 'reminder']} messages"


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", help="a PostgreSQL URL; a SQLite file unless given")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with own_database(arguments.database, folder) as url:
            report = asyncio.run(
                run(folder, url, arguments.kills, clients=arguments.clients, seed=arguments.seed, say=True)
            )
    for fault in report.faults:
        print(f"FAULT: {fault}")
    print(
        f"{report.kills} kills ({report.starting} while starting) in {report.seconds:.0f} s: "
        f"{report.filed} filings and {report.deeds} deeds confirmed, {report.repeated} requests sent again, "
        f"{report.done_before} deeds done before, {report.reminders} moments acted on, "
        f"{report.messages} messages; {len(report.faults)} faults"
    )
    return bool(report.faults)


if __name__ == "__main__":
    sys.exit(main())
