"""Start-up times, memory and size of the environment.

    .venv/bin/python -m benchmarks.footprint

Starts the whole service with a new data folder, waits until it is ready, asks forty questions and reads the
memory of its two processes; then adds up the files of the Python environment.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.chat import _ours, measure, questions
from benchmarks.processes import memory_mb, service


def environment_gb() -> float:
    """Size of the environment's files on disk, links not followed, in GB (1e9 bytes)."""
    total = 0
    for folder, _, files in os.walk(sys.prefix):
        for name in files:
            status = os.lstat(os.path.join(folder, name))
            total += status.st_blocks * 512
    return total / 1e9


def main() -> None:
    """Print one figure a line."""
    with tempfile.TemporaryDirectory() as name, service(Path(name)) as running:
        asyncio.run(measure(_ours(running.url), questions(40), 2, running.pids))
        print(f"backend ready after   {running.backend_seconds:6.2f} s")
        print(f"bot ready after       {running.bot_seconds:6.2f} s")
        print(f"backend memory        {memory_mb(running.pid_of('-m backend')):6.0f} MB")
        print(f"bot memory            {memory_mb(running.pid_of('-m bot')):6.0f} MB")
    print(f"Python environment    {environment_gb():6.2f} GB (test tools included where installed)")


if __name__ == "__main__":
    main()
