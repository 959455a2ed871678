"""Start the real service, or stock Rasa, for a measurement, and read what the processes cost."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def family(pid: int) -> list[int]:
    """A process and all that it started, directly or not."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
    found = [pid]
    for known in found:
        found.extend(child for child, parent in parents.items() if parent == known)
    return found


def cpu_seconds(pids: list[int]) -> float:
    """CPU time, user and system, that the processes have used so far."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def memory_mb(pid: int) -> float:
    """Resident memory of one process in MB (1e6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"process {pid} has no resident memory")


def command_line(pid: int) -> str:
    """The command of a process, words joined by blanks."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def get_json(url: str, timeout: float = 2) -> tuple[int, Any]:
    """GET a URL; the status and the decoded body, whatever the status is."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def answers(url: str) -> bool:
    """Whether a URL answers 200, whatever it says."""
    with urllib.request.urlopen(url, timeout=2) as answer:
        return bool(answer.status == 200)


def wait_for(ready: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait until ``ready`` holds.

    Returns:
        The seconds that it took.

    Raises:
        TimeoutError: It did not hold in time.
    """
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        try:
            if ready():
                return time.perf_counter() - began
        except (OSError, ValueError):
            pass
        time.sleep(0.02)
    raise TimeoutError(f"{what} was not ready after {seconds} s")


@contextmanager
def running(command: list[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command from the project's root with its output in ``log``; its whole group is ended afterwards."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Service:
    """A running ``qifu serve`` with a data folder of its own.

    Attributes:
        url: Where it answers.
        backend_seconds: From start to ``/healthz`` answering, interpreter included.
        bot_seconds: From start to ``/readyz`` answering 200.
        pids: The supervisor and all its processes.
    """

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.url = url
        self._process = process
        self.backend_seconds = wait_for(lambda: get_json(f"{url}/healthz")[0] == 200, 60, "the backend")
        self.bot_seconds = self.backend_seconds + wait_for(
            lambda: get_json(f"{url}/readyz")[0] == 200, 120, "the bot"
        )
        self.pids = family(process.pid)

    def pid_of(self, words: str) -> int:
        """The process whose command contains ``words``."""
        return next(pid for pid in self.pids if words in command_line(pid))


@contextmanager
def service(folder: Path, **environment: str) -> Iterator[Service]:
    """The whole service on a free port, ready to answer."""
    port = free_port()
    settings = {"QIFU_PORT": str(port), "QIFU_DATA_DIR": str(folder / "var"), "QIFU_LOG_LEVEL": "WARNING"}
    qifu = str(Path(sys.executable).with_name("qifu"))
    with running([qifu, "serve"], folder / "service.log", **{**settings, **environment}) as process:
        yield Service(process, f"http://127.0.0.1:{port}")
