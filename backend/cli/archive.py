"""One backup file: a gzipped tar with a consistent copy of each SQLite database.

Copies are made with SQLite's own backup, so the service may be running while one is made. The data key, which
contacts cannot be read without, is left out unless it is asked for: who finds the file should not have both.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

from backend.errors import Conflict, InvalidInput
from backend.settings import Settings

MANIFEST = "manifest.json"
FORMAT = "qifu-backup-1"
KEY_FILE = "data.key"


def database_files(settings: Settings) -> dict[str, Path]:
    """Return name in the archive → file, for the databases that a backup holds.

    Raises:
        InvalidInput: One of them is not SQLite; PostgreSQL has its own tools.
    """
    files = sqlite_files(settings)
    if len(files) < 2:
        raise InvalidInput(
            "数据在 PostgreSQL 里，请用 pg_dump 备份、pg_restore 恢复；这里只处理 SQLite 文件。"
        )
    return files


def sqlite_files(settings: Settings) -> dict[str, Path]:
    """Return name in the archive → file, for the databases that are SQLite files, there or not yet."""
    return {
        name: Path(os.path.abspath(url.removeprefix("sqlite:///")))
        for name, url in (("qifu.db", settings.database_url), ("tracker.db", settings.tracker_url))
        if url.startswith("sqlite:///")
    }


def _copy(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)


def _is_sound(file: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
            found: object = database.execute("PRAGMA integrity_check").fetchone()
            return found == ("ok",)
    except sqlite3.DatabaseError:
        return False


def write(archive: Path, files: Mapping[str, Path], now: datetime, key: Path | None = None) -> list[str]:
    """Write an archive of the databases that exist, readable by its owner only.

    Args:
        archive: Where to.
        files: Name in the archive → database.
        now: The present moment.
        key: The file with the data key, where it is to be taken along.

    Returns:
        The names of those in it.

    Raises:
        InvalidInput: None of them exists.
    """
    present = {name: file for name, file in files.items() if file.is_file()}
    if not present:
        raise InvalidInput("还没有可备份的数据。")
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".backup-") as folder:
        for name, file in present.items():
            _copy(file, Path(folder) / name)
        taken = [] if key is None else [KEY_FILE]
        if key is not None:
            shutil.copyfile(key, Path(folder) / KEY_FILE)
        manifest = {
            "format": FORMAT,
            "made_at": now.isoformat(),
            "databases": sorted(present),
            "key": key is not None,
        }
        (Path(folder) / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
        unfinished = Path(folder) / "archive"
        with tarfile.open(unfinished, "w:gz") as tar:
            for name in (MANIFEST, *sorted(present), *taken):
                tar.add(Path(folder) / name, arcname=name)
        unfinished.chmod(0o600)
        unfinished.replace(archive)
    return sorted(present)


def read(
    archive: Path,
    files: Mapping[str, Path],
    *,
    force: bool,
    key: Path | None = None,
    check: Callable[[Path, Path | None], None] = lambda database, key: None,
) -> list[str]:
    """Put the databases of an archive in their places, all checked before the first is replaced.

    Args:
        archive: What ``write`` made.
        files: Name in the archive → place.
        force: Replace databases that exist.
        key: Where a data key that the archive holds belongs; it is put there if none is there.
        check: Called with the unpacked ``qifu.db`` and the key that came along, before anything is replaced.

    Returns:
        The names of those restored.

    Raises:
        InvalidInput: This is not a sound backup.
        Conflict: There are databases already and ``force`` is not given.
    """
    present = [str(file) for file in files.values() if file.exists()]
    if present and not force:
        raise Conflict(f"已有数据 {'、'.join(present)}，没有覆盖；确实要覆盖请加 --force。")
    parent = next(iter(files.values())).parent
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=".restore-") as folder:
        names = _unpack(archive, files, Path(folder))
        came_along = Path(folder) / KEY_FILE
        if "qifu.db" in names:
            check(Path(folder) / "qifu.db", came_along if came_along.exists() else None)
        if key is not None and came_along.exists() and not key.exists():
            came_along.chmod(0o600)
            shutil.move(came_along, key)
        for name in names:
            target = files[name]
            target.parent.mkdir(parents=True, exist_ok=True)
            # A journal of the database that was there would be played into the one that comes.
            for ending in ("-wal", "-shm", "-journal"):
                target.with_name(target.name + ending).unlink(missing_ok=True)
            (Path(folder) / name).chmod(0o600)
            shutil.move(Path(folder) / name, target)
    return names


def _read_through(archive: Path) -> None:
    """Read a compressed file to its end, where its checksum is."""
    with gzip.open(archive) as content:
        while content.read(1 << 20):
            pass


def _unpack(archive: Path, files: Mapping[str, Path], folder: Path) -> list[str]:
    try:
        _read_through(archive)
        with tarfile.open(archive, "r:gz") as tar:
            stored = tar.extractfile(MANIFEST)
            manifest = json.load(stored) if stored else {}
            names = [str(name) for name in manifest["databases"]]
            if manifest.get("format") != FORMAT or not names or not set(names) <= files.keys():
                raise ValueError
            for name in (*names, *([KEY_FILE] if manifest.get("key") else [])):
                member = tar.extractfile(name)
                if member is None:
                    raise ValueError
                with (folder / name).open("wb") as out:
                    shutil.copyfileobj(member, out)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, KeyError, TypeError):
        raise InvalidInput(f"{archive} 不是 qifu backup 做的备份，或已损坏；没有改动任何数据。") from None
    broken = [name for name in names if not _is_sound(folder / name)]
    if broken:
        raise InvalidInput(f"备份里的 {'、'.join(broken)} 已损坏；没有改动任何数据。")
    return names
