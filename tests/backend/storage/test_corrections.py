"""Training reads corrected proposals without a service, and does without them where there is no database."""

from __future__ import annotations

from pathlib import Path

from backend.storage.corrections import read_corrections


def test_without_a_database_there_are_none_and_none_is_made(tmp_path: Path) -> None:
    path = tmp_path / "qifu.db"
    assert read_corrections(f"sqlite:///{path}", 10) == []
    assert not path.exists()


def test_an_empty_or_unreadable_database_gives_none(sqlite_template: Path, tmp_path: Path) -> None:
    assert read_corrections(f"sqlite:///{sqlite_template}", 10) == []
    (tmp_path / "torn.db").write_bytes(b"not a database, whatever it is called" * 40)
    assert read_corrections(f"sqlite:///{tmp_path / 'torn.db'}", 10) == []
