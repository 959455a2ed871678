"""Backups are consistent while the service writes; restoring never destroys what it cannot replace."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.cli import archive, main
from backend.cli.instance import keep_private, only_one
from backend.errors import Conflict, InvalidInput
from backend.settings import load_settings

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def fill(file: Path, *words: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE IF NOT EXISTS words (word TEXT)")
        database.executemany("INSERT INTO words VALUES (?)", [(word,) for word in words])
        database.commit()
    return file


def words(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as database:
        return [word for (word,) in database.execute("SELECT word FROM words ORDER BY rowid")]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    return {"qifu.db": tmp_path / "var" / "qifu.db", "tracker.db": tmp_path / "var" / "tracker.db"}


def test_what_was_backed_up_comes_back(tmp_path: Path, files: dict[str, Path]) -> None:
    fill(files["qifu.db"], "a")
    fill(files["tracker.db"], "t")
    backup = tmp_path / "b.tar.gz"
    assert archive.write(backup, files, NOW) == ["qifu.db", "tracker.db"]
    elsewhere = {name: tmp_path / "new" / name for name in files}
    assert archive.read(backup, elsewhere, force=False) == ["qifu.db", "tracker.db"]
    assert [words(elsewhere[name]) for name in files] == [["a"], ["t"]]


def test_an_uncommitted_change_is_not_in_the_backup_and_does_not_stop_it(tmp_path: Path, files) -> None:
    fill(files["qifu.db"], "a")
    with closing(sqlite3.connect(files["qifu.db"], isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO words VALUES ('b')")
        assert archive.write(tmp_path / "b.tar.gz", files, NOW) == ["qifu.db"]
        writer.execute("COMMIT")
    archive.read(tmp_path / "b.tar.gz", files, force=True)
    assert words(files["qifu.db"]) == ["a"]


def test_a_backup_is_for_its_owner_only(tmp_path: Path, files) -> None:
    fill(files["qifu.db"])
    archive.write(tmp_path / "b.tar.gz", files, NOW)
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o777 == 0o600


def test_nothing_to_back_up_is_said(tmp_path: Path, files) -> None:
    with pytest.raises(InvalidInput, match="还没有"):
        archive.write(tmp_path / "b.tar.gz", files, NOW)
    assert list(tmp_path.iterdir()) == []


def test_existing_data_is_replaced_only_when_told_to(tmp_path: Path, files) -> None:
    fill(files["qifu.db"], "old")
    archive.write(tmp_path / "b.tar.gz", files, NOW)
    fill(files["qifu.db"], "new")
    with pytest.raises(Conflict, match="--force"):
        archive.read(tmp_path / "b.tar.gz", files, force=False)
    assert words(files["qifu.db"]) == ["old", "new"]
    archive.read(tmp_path / "b.tar.gz", files, force=True)
    assert words(files["qifu.db"]) == ["old"]


def test_a_journal_of_the_old_database_is_not_played_into_the_new_one(tmp_path: Path, files) -> None:
    fill(files["qifu.db"], "old")
    archive.write(tmp_path / "b.tar.gz", files, NOW)
    with closing(sqlite3.connect(files["qifu.db"])) as left_open:
        left_open.execute("INSERT INTO words VALUES ('new')")
        left_open.commit()
        assert files["qifu.db"].with_name("qifu.db-wal").stat().st_size > 0
        archive.read(tmp_path / "b.tar.gz", files, force=True)
        assert words(files["qifu.db"]) == ["old"]


def tar_of(file: Path, **members: bytes) -> Path:
    with tarfile.open(file, "w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name.replace("__", "."))
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file


def manifest(*names: str, form: str = archive.FORMAT) -> bytes:
    return json.dumps({"format": form, "databases": names}).encode()


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"manifest__json": b"{"},
        {"manifest__json": b"[]"},
        {"manifest__json": manifest()},
        {"manifest__json": manifest("qifu.db")},
        {"manifest__json": manifest("qifu.db", form="other"), "qifu__db": b""},
        {"manifest__json": manifest("../evil"), "../evil": b"x"},
        {"manifest__json": manifest("qifu.db"), "qifu__db": b"not a database at all"},
    ],
)
def test_what_is_not_a_sound_backup_changes_nothing(tmp_path: Path, files, members) -> None:
    fill(files["qifu.db"], "kept")
    broken = tar_of(tmp_path / "b.tar.gz", **members)
    with pytest.raises(InvalidInput, match="没有改动任何数据"):
        archive.read(broken, files, force=True)
    assert words(files["qifu.db"]) == ["kept"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar.gz", "var"]


def test_a_file_cut_short_is_refused(tmp_path: Path, files) -> None:
    fill(files["qifu.db"], *"abcdefgh")
    archive.write(tmp_path / "b.tar.gz", files, NOW)
    whole = (tmp_path / "b.tar.gz").read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 9):
        (tmp_path / "cut.tar.gz").write_bytes(whole[:length])
        with pytest.raises(InvalidInput):
            archive.read(tmp_path / "cut.tar.gz", files, force=True)
    assert words(files["qifu.db"]) == [*"abcdefgh"]


def test_postgresql_is_left_to_its_own_tools() -> None:
    with pytest.raises(InvalidInput, match="pg_dump"):
        archive.database_files(load_settings({"QIFU_DATABASE_URL": "postgresql://db/qifu"}))


def test_the_commands(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("QIFU_DATA_DIR", str(tmp_path / "var"))
    fill(tmp_path / "var" / "qifu.db", "a")
    assert main(["backup"]) == 0
    (backup,) = (tmp_path / "var" / "backups").iterdir()
    assert str(backup) in capsys.readouterr().out
    assert main(["restore", str(backup)]) == 2
    assert "--force" in capsys.readouterr().err
    with only_one(tmp_path / "var"):
        assert main(["restore", str(backup), "--force"]) == 2
    assert "已有一个服务在运行" in capsys.readouterr().err
    assert main(["restore", str(backup), "--force"]) == 0
    assert main(["restore", str(tmp_path / "absent")]) == 2


def test_what_is_restored_is_nobody_elses(tmp_path: Path, files: dict[str, Path]) -> None:
    fill(files["qifu.db"], "a")
    fill(files["tracker.db"], "t")
    archive.write(tmp_path / "b.tar.gz", files, NOW)
    archive.read(tmp_path / "b.tar.gz", files, force=True)
    assert [file.stat().st_mode & 0o777 for file in files.values()] == [0o600, 0o600]


@pytest.mark.database
def test_databases_are_nobody_elses(tmp_path: Path, monkeypatch, umask_of_before) -> None:
    os.umask(0o022)
    monkeypatch.setenv("QIFU_DATA_DIR", str(tmp_path / "var"))
    old = fill(tmp_path / "var" / "tracker.db", "t")
    old.chmod(0o644)
    (tmp_path / "var" / "serve.lock").touch()
    assert main(["migrate"]) == 0
    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in (tmp_path / "var").glob("*.db*") if path.stat().st_mode & 0o077] == []


def test_a_new_data_folder_is_ours_and_a_folder_of_others_stays_open(tmp_path: Path, umask_of_before) -> None:
    os.umask(0o022)
    (tmp_path / "shared").mkdir()
    keep_private(tmp_path / "shared")
    keep_private(tmp_path / "new")
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


@pytest.fixture
def umask_of_before() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)
