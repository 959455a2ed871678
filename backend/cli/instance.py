"""One service to a data folder: a lock that goes with the process that holds it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from backend.errors import Conflict

LOCK = "serve.lock"


def keep_private(data_dir: Path, files: Iterable[Path] = ()) -> None:
    """Make the data folder, and let nobody else read what this process and its children write.

    A folder that others made and use for other things as well stays as open as it is; the files in it that
    are ours are closed.

    Args:
        data_dir: The data folder.
        files: Databases that may be there already, from a time when they were readable.

    Raises:
        OSError: The folder cannot be made.
    """
    os.umask(0o077)
    data_dir.mkdir(parents=True, exist_ok=True)
    if (data_dir / LOCK).exists():
        _close(data_dir, 0o700)
    for file in files:
        for ending in ("", "-wal", "-shm"):
            _close(file.with_name(file.name + ending), 0o600)


def _close(path: Path, mode: int) -> None:
    with suppress(FileNotFoundError):
        if path.stat().st_uid == os.getuid():
            path.chmod(mode)


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder's lock.

    Raises:
        Conflict: Another process holds it.
        OSError: The folder cannot be made or written.
    """
    keep_private(data_dir)
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
