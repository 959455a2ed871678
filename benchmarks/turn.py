"""How long a turn takes: our engine beside stock Rasa, on the same model, machine and run.

    python benchmarks/turn.py [--turns 200]

Ours is `bot.engine`, called in this process. Stock is Rasa's Agent as it comes, with the same model on a
SQLite tracker store, and a `rasa_sdk` action server on loopback, as `rasa run` with `rasa run actions` works.
Both ask the same backend, which answers at once, so that what is measured is the dialogue engine. The two
take turns, so that a busy machine treats them alike. One client; wall-clock ms, CPU time of this process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.processes import free_port  # noqa: E402

QUESTION = ("热线电话是多少", "小微企业园怎么评星", "注册公司要多久", "出国参展有补贴吗", "诉求几天能办完")
FORM = (
    "我要提诉求",
    "厂门口的路坏了半年没人修",
    "杭州示例科技有限公司",
    "王芳",
    "13800001111",
    "不清楚",
    "联系人改成李四",
    "取消",
)
COURTESY = ("你好", "谢谢", "你是机器人吗")
KINDS = {"question": QUESTION, "form": FORM, "courtesy": COURTESY}

Turn = Callable[[str, str], Awaitable[Any]]


class Backend:
    """Answers every call of the actions at once; small enough not to be measured."""

    def __init__(self) -> None:
        self.url = ""
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listens on a free port of loopback."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Stops listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = next(
                    (int(h[15:]) for h in head.split("\r\n") if h.lower().startswith("content-length:")), 0
                )
                await reader.readexactly(length)
                body = json.dumps(_answer(head.split(" ", 2)[1])).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                    % (len(body), body)
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()


def _answer(path: str) -> dict[str, Any]:
    if path.endswith("/territories"):
        return {"territories": [{"name": "东湖街道", "kind": "street", "aliases": []}]}
    if path.endswith("/triage"):
        return {
            "problems": [{"text": "x", "category": "诉求", "level": "single", "lead_department": "区示例局"}]
        }
    if path.endswith("/deadline"):
        return {"result": {"due_at": "2026-11-25T17:30:00+08:00"}}
    return {"messages": [{"text": "示例回答。", "citations": [], "buttons": []}], "outcome": "answered"}


async def ours(model: Path, backend: Backend, folder: Path) -> tuple[Turn, Callable[[], Awaitable[None]]]:
    """Our engine."""
    from bot.engine import Engine
    from bot.settings import BotSettings

    engine = await Engine.open(
        model,
        BotSettings.from_environment(
            {
                "QIFU_TRACKER_URL": f"sqlite:///{folder / 'ours.db'}",
                "QIFU_BACKEND_URL": backend.url,
                "QIFU_LOG_LEVEL": "WARNING",
            }
        ),
    )
    return engine.turn, engine.close


async def stock(model: Path, backend: Backend, folder: Path) -> tuple[Turn, Callable[[], Awaitable[None]]]:
    """Rasa's Agent and an action server in a process of its own, as they come."""
    from rasa.core.agent import Agent
    from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
    from rasa.core.tracker_store import SQLTrackerStore
    from rasa.utils.endpoints import EndpointConfig

    port = free_port()
    # not asyncio's: Rasa has installed another event loop policy by now
    server = subprocess.Popen(
        [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "rasa_sdk",
            "--actions",
            "actions",
            "--port",
            str(port),
            "--quiet",
        ],
        cwd=ROOT,
        env={**os.environ, "RASA_TELEMETRY_ENABLED": "false", "QIFU_BACKEND_URL": backend.url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    await _listening(port)
    agent = Agent.load(
        model,
        tracker_store=SQLTrackerStore(host=f"sqlite:///{folder / 'stock.db'}"),
        action_endpoint=EndpointConfig(f"http://127.0.0.1:{port}/webhook"),
    )

    async def turn(sender: str, message: str) -> Any:
        return await agent.handle_message(UserMessage(message, CollectingOutputChannel(), sender))

    async def close() -> None:
        server.terminate()
        server.wait()

    return turn, close


async def measure(turns: int) -> None:
    """Prints the table."""
    from bot.train import latest

    model = latest(ROOT / "models")
    with tempfile.TemporaryDirectory() as name:
        backend = Backend()
        await backend.start()
        ours_turn, close_ours = await ours(model, backend, Path(name))
        stock_turn, close_stock = await stock(model, backend, Path(name))
        engines = {"bot.engine": ours_turn, "stock Rasa": stock_turn}
        times: dict[tuple[str, str], list[float]] = {}
        cpu: dict[tuple[str, str], list[float]] = {}
        for turn in engines.values():
            for message in (*QUESTION, *FORM, *COURTESY):
                await turn("warm", message)
        for number in range(turns):
            for kind, messages in KINDS.items():
                for engine, turn in engines.items():
                    # eight messages to a conversation, as people have them
                    message = messages[number % len(messages)]
                    started, worked = time.perf_counter(), time.process_time()
                    await turn(f"{kind} {number // 8}", message)
                    times.setdefault((kind, engine), []).append((time.perf_counter() - started) * 1000)
                    cpu.setdefault((kind, engine), []).append((time.process_time() - worked) * 1000)
        await close_ours()
        await close_stock()
        await backend.stop()
    print(f"{turns} turns of each kind, one client, model {model.name}")
    print(f"{'':10} {'':12} {'p50 ms':>8} {'p95 ms':>8} {'CPU p50 ms':>11} {'turns/CPU s':>12}")
    for (kind, engine), found in times.items():
        p50, p95 = statistics.median(found), statistics.quantiles(found, n=20)[18]
        worked = cpu[kind, engine]
        print(
            f"{kind:10} {engine:12} {p50:8.1f} {p95:8.1f} {statistics.median(worked):11.1f} "
            f"{1000 * len(worked) / sum(worked):12.0f}"
        )
    print("CPU of stock Rasa does not hold that of its action server, which is a process of its own.")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"memory of this process with both engines loaded: {memory} MB")


async def _listening(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--turns", type=int, default=200, help="turns of each kind and engine")
    asyncio.run(measure(arguments.parse_args().turns))
