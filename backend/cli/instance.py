"""One service to a data folder: a lock that goes with the process that holds it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.errors import Conflict

LOCK = "serve.lock"


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder's lock.

    Raises:
        Conflict: Another process holds it.
        OSError: The folder cannot be made or written.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                f"数据文件夹 {data_dir} 已有一个服务在运行；请先停止它，或换一个 QIFU_DATA_DIR。"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
