"""Answers to questions through ``/api/v1/chat``, dialogue engine and search included, beside stock Rasa.

    .venv/bin/python -m benchmarks.chat [--questions N] [--clients 8] [--no-stock]

One run starts the real service and, on the same machine and model, stock Rasa (``rasa run`` with its REST
channel and ``rasa run actions``), and asks both the same questions: one client for the time of an answer,
eight for the rate. "Busy core" is CPU time: answers divided by the CPU seconds that all processes of the side
used. A conversation asks ten questions, then a new one begins.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

import aiohttp

from benchmarks.processes import ROOT, answers, cpu_seconds, family, free_port, running, service, wait_for

_PER_CONVERSATION = 10

Ask = Callable[[aiohttp.ClientSession, str, str], Awaitable[None]]


def questions(count: int) -> list[str]:
    """Questions of the project's own sets, in a fixed order, repeated as often as needed."""
    found = [
        json.loads(line)["question"]
        for path in sorted((ROOT / "tests/data/questions").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    return [found[(i * 7) % len(found)] for i in range(count)]


async def _client(ask: Ask, asked: list[str], times: list[float]) -> None:
    async with aiohttp.ClientSession() as session:
        sender = ""
        for i, question in enumerate(asked):
            if i % _PER_CONVERSATION == 0:
                sender = uuid.uuid4().hex
            began = time.perf_counter()
            await ask(session, sender, question)
            times.append(time.perf_counter() - began)


async def measure(ask: Ask, asked: list[str], clients: int, pids: list[int]) -> dict[str, float]:
    """Ask all questions with some clients at once; times in ms, rates per second."""
    times: list[float] = []
    cpu, began = cpu_seconds(pids), time.perf_counter()
    await asyncio.gather(*(_client(ask, asked[i::clients], times) for i in range(clients)))
    wall, busy = time.perf_counter() - began, cpu_seconds(pids) - cpu
    cuts = statistics.quantiles(times, n=100)
    return {
        "p50 ms": cuts[49] * 1000,
        "p95 ms": cuts[94] * 1000,
        "answers/s": len(times) / wall,
        "answers/s per busy core": len(times) / busy,
    }


def _ours(url: str) -> Ask:
    async def ask(session: aiohttp.ClientSession, sender: str, question: str) -> None:
        body = {"sender": sender, "message": question}
        async with session.post(f"{url}/api/v1/chat", json=body) as answer:
            if answer.status != 200 or not (await answer.json())["messages"]:
                raise RuntimeError(f"no answer: HTTP {answer.status}")

    return ask


def _stock(url: str) -> Ask:
    async def ask(session: aiohttp.ClientSession, sender: str, question: str) -> None:
        body = {"sender": sender, "message": question}
        async with session.post(f"{url}/webhooks/rest/webhook", json=body) as answer:
            if answer.status != 200 or not await answer.json(content_type=None):
                raise RuntimeError(f"no answer: HTTP {answer.status}")

    return ask


async def _side(name: str, ask: Ask, asked: list[str], clients: int, pids: list[int]) -> None:
    await measure(ask, asked[:20], 1, pids)
    for count in (1, clients):
        figures = await measure(ask, asked, count, pids)
        row = "  ".join(f"{label} {value:7.1f}" for label, value in figures.items())
        print(f"{name:12} {count} client{'s' if count > 1 else ' '}  {row}", flush=True)


def main() -> None:
    """Run the comparison and print one row for each side and number of clients."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--questions", type=int, default=400)
    options.add_argument("--clients", type=int, default=8)
    options.add_argument("--no-stock", action="store_true", help="leave stock Rasa out")
    chosen = options.parse_args()
    asked = questions(chosen.questions)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        ours = stack.enter_context(service(folder))
        asyncio.run(_side("qifu", _ours(ours.url), asked, chosen.clients, ours.pids))
        if chosen.no_stock:
            return
        actions, port = free_port(), free_port()
        endpoints = folder / "endpoints.yml"
        endpoints.write_text(f"action_endpoint:\n  url: http://127.0.0.1:{actions}/webhook\n")
        rasa = [sys.executable, "-m", "rasa"]
        quiet = {"RASA_TELEMETRY_ENABLED": "false", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}
        first = stack.enter_context(
            running(
                [*rasa, "run", "actions", "--port", str(actions)],
                folder / "actions.log",
                QIFU_BACKEND_URL=ours.url,
                **quiet,
            )
        )
        second = stack.enter_context(
            running(
                [*rasa, "run", "-i", "127.0.0.1", "-p", str(port), "--endpoints", str(endpoints)],
                folder / "rasa.log",
                **quiet,
            )
        )
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: answers(url), 120, "stock Rasa")
        backend = ours.pid_of("-m backend")
        pids = [*family(first.pid), *family(second.pid), backend]
        asyncio.run(_side("stock Rasa", _stock(url), asked, chosen.clients, pids))


if __name__ == "__main__":
    main()
