"""`qifu serve`: run the backend and the bot and keep them running.

The backend, which brings the database up to date by itself, is started before the model is trained, because
it is useful alone: it answers from the knowledge base and takes appeals while the bot is not there yet.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import logging
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from backend import logs
from backend.cli import archive
from backend.cli.instance import keep_private, only_one
from backend.cli.processes import environment
from backend.cli.supervisor import MISCONFIGURED, Child, dies_with_parent
from backend.errors import Conflict, InvalidInput
from backend.settings import Settings
from backend.storage.vault import open_vault

NAME = "serve"
HELP = "启动服务：运行并看护后端和对话引擎两个进程；必要时先训练对话模型"

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--no-bot", action="store_true", help="只运行后端：问答和提交诉求可用，没有多轮对话")


def require_free_port(host: str, port: int) -> None:
    """Make sure that the backend will be able to listen.

    Raises:
        Conflict: Something listens there already.
        InvalidInput: The address cannot be listened on.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"端口 {port} 已被别的程序占用；请停止它，或用 QIFU_PORT 换一个端口。"
            raise Conflict(message) from None
        raise InvalidInput(f"不能在 {host}:{port} 上监听（{error.strerror}）；请检查 QIFU_HOST。") from None


def require_writable(folder: Path) -> None:
    """Make sure that a folder is there and files can be made in it.

    Raises:
        InvalidInput: They cannot.
    """
    probe = folder / f".write-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InvalidInput(
            f"文件夹 {folder} 不能写（{error.strerror}）；请检查权限，或换一个文件夹。"
        ) from None


async def get_json(address: str, path: str) -> dict[str, Any] | None:
    """Ask a process of ours for JSON with the plainest HTTP; None if it does not answer (yet).

    Args:
        address: ``unix:PATH`` or ``http://HOST:PORT``.
        path: Path of the resource.
    """
    writer = None
    try:
        async with asyncio.timeout(2):
            if address.startswith("unix:"):
                reader, writer = await asyncio.open_unix_connection(address.removeprefix("unix:"))
            else:
                host, _, port = address.removeprefix("http://").rpartition(":")
                reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            answered = json.loads(body) if b" 200 " in head.split(b"\r\n", 1)[0] else None
            return answered if isinstance(answered, dict) else None
    except (OSError, ValueError, TimeoutError):
        return None
    finally:
        if writer is not None:
            writer.close()


class Service:
    """The two children of one `qifu serve`."""

    def __init__(self, settings: Settings, *, with_bot: bool) -> None:
        self._settings = settings
        self._with_bot = with_bot
        self._environment = environment(settings)
        self.backend = Child("backend", [sys.executable, "-m", "backend"], self._environment)
        self.bot = Child("bot", [sys.executable, "-m", "bot"], self._of_bot(), self._ask_bot)

    def _of_bot(self) -> dict[str, str]:
        """The bot's environment, with its own key and without the one that reads contacts."""
        if not self._with_bot:
            return self._environment
        key = self._settings.data_key
        vault = open_vault(key.get_secret_value() if key else None, self._settings.data_dir)
        kept = {name: value for name, value in self._environment.items() if name != "QIFU_DATA_KEY"}
        return {**kept, "QIFU_TRACKER_KEY": vault.dialogue_key}

    async def run(self) -> int:
        """Serve until told to stop; return the exit code."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, stop.set)
        tasks = {asyncio.create_task(stop.wait()), asyncio.create_task(self.backend.keep_running())}
        if self._with_bot:
            tasks.add(asyncio.create_task(self._bring_up_bot()))
        tasks.add(asyncio.create_task(self._announce()))
        try:
            while not stop.is_set() and not self.backend.misconfigured:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                tasks -= done
                for task in done:
                    task.result()
        finally:
            print("正在停止……", flush=True)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return MISCONFIGURED if self.backend.misconfigured else 0

    async def _ask_bot(self) -> bool | None:
        answer = await get_json(self._settings.bot_address, "/healthz")
        return None if answer is None else answer.get("ready") is True

    async def _bring_up_bot(self) -> None:
        if await self._train():
            await self.bot.keep_running()
        else:
            print("对话模型没有训练成功，原因见上面的输出；后端继续运行，修正后请重新启动。", flush=True)

    async def _train(self) -> bool:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "backend.cli",
            "train",
            env=self._environment,
            start_new_session=True,
            preexec_fn=dies_with_parent,
        )
        try:
            return await process.wait() == 0
        except asyncio.CancelledError:
            with suppress(ProcessLookupError):
                # Its own session is also its process group: the trainer below it goes too.
                os.killpg(process.pid, signal.SIGTERM)
            await process.wait()
            raise

    async def _announce(self) -> None:
        started = time.monotonic()
        await self._until_answers(self._settings.local_url, "/healthz", "status", "ok")
        passed = time.monotonic() - started
        print(f"门户已可使用（{passed:.1f} 秒）：{self._settings.local_url}/", flush=True)
        if self._with_bot:
            await self._until_answers(self._settings.bot_address, "/healthz", "ready", True)
            passed = time.monotonic() - started
            print(f"对话引擎已就绪（{passed:.1f} 秒）。门户地址：{self._settings.local_url}/", flush=True)

    @staticmethod
    async def _until_answers(address: str, path: str, key: str, value: object) -> None:
        while True:
            answer = await get_json(address, path)
            if answer is not None and answer.get(key) == value:
                return
            await asyncio.sleep(_POLL_SECONDS)


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check what can be checked before anything is started, then serve."""
    keep_private(settings.data_dir, archive.sqlite_files(settings).values())
    require_writable(settings.data_dir)
    require_writable(settings.model_dir)
    with only_one(settings.data_dir):
        require_free_port(settings.host, settings.port)
        logs.configure(settings.log_level)
        return asyncio.run(Service(settings, with_bot=not arguments.no_bot).run())
