"""`qifu check --audit`, and what backup and restore do about key and anchors."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from backend.appeals.model import Filing
from backend.cli import main
from backend.cli.migrate import bring_up_to_date
from backend.composition import build
from backend.settings import load_settings
from backend.storage.anchors import ANCHOR_FILE
from backend.storage.vault import KEY_FILE

ROOT = Path(__file__).parents[3]
FILED = Filing("杭州测试科技有限公司", "王小明", "13800000001", "厂区门口道路积水一直没人处理", "下沙街道")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which one appeal was filed by a service that has ended."""
    folder = tmp_path_factory.mktemp("served") / "var"
    settings = load_settings({}, data_dir=folder, knowledge_dir=ROOT / "knowledge_base", encoder="none")
    bring_up_to_date(settings)

    async def serve() -> None:
        container = build(settings)
        await container.open()
        await container.appeals.file(FILED)
        await container.close()

    asyncio.run(serve())
    return folder


@pytest.fixture
def data_dir(served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which the settings name."""
    folder = tmp_path / "var"
    shutil.copytree(served, folder)
    monkeypatch.setenv("QIFU_DATA_DIR", str(folder))
    return folder


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "qifu.db")) as database:
        database.create_function("qifu_pairs", 3, lambda *parts: "")
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            if not name.startswith(("appeal_history_no", "audit_log_no")):
                database.execute(f"DROP TRIGGER {name}")
        database.execute(statement)
        database.commit()


def test_a_whole_database_is_said_to_be_whole(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["check", "--audit"]) == 0
    assert "1 件诉求、1 条记录、0 条日志、1 个锚点，全部相符" in capsys.readouterr().out


def test_each_finding_is_a_sentence_without_personal_data(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(data_dir, "UPDATE appeals SET state = 'closed', text = '没有问题'")
    capsys.readouterr()
    assert main(["check", "--audit"]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("QT20")
    assert len(out) == 3
    assert out[-1].endswith("发现 2 处不符。")
    assert not any(word in "".join(out) for word in ("王小明", "13800000001", "积水", "没有问题"))


def test_an_older_database_is_found_by_the_anchors(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in data_dir.glob("qifu.db*"):
        file.unlink()
    assert main(["migrate"]) == 0
    capsys.readouterr()
    assert main(["check", "--audit"]) == 1
    assert "锚点" in capsys.readouterr().out


def test_a_copy_of_the_anchors_can_be_checked_against(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy.jsonl"
    shutil.move(data_dir / ANCHOR_FILE, copy)
    assert main(["check", "--audit", "--anchors", str(copy)]) == 0
    copy.write_text(copy.read_text().replace('"filed": 1', '"filed": 2'))
    capsys.readouterr()
    assert main(["check", "--audit", "--anchors", str(copy)]) == 1
    assert "锚点文件第 1 行" in capsys.readouterr().out
    assert main(["check", "--audit", "--anchors", str(tmp_path / "none")]) == 2


def test_a_file_of_anchors_that_is_gone_is_missed_until_somebody_answers_for_it(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, copy = data_dir / ANCHOR_FILE, tmp_path / "copy.jsonl"
    shutil.move(file, copy)
    capsys.readouterr()
    assert main(["check", "--audit"]) == 1
    out = capsys.readouterr().out
    assert "登记过 1 个锚点，锚点文件里只有 0 个" in out
    assert "--restart-anchors" in out
    assert main(["check", "--audit", "--anchors", str(copy)]) == 0
    assert main(["check", "--audit", "--anchors", str(copy), "--restart-anchors"]) == 2
    file.write_text("nonsense\n")
    assert main(["check", "--audit", "--restart-anchors"]) == 2
    file.unlink()
    assert main(["check", "--audit", "--restart-anchors"]) == 1
    assert "从现有的 0 个重新登记" in capsys.readouterr().out
    assert main(["check", "--audit"]) == 0


def test_without_database_or_key_nothing_is_made(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (data_dir / KEY_FILE).rename(tmp_path / "away")
    assert main(["check", "--audit"]) == 2
    assert "数据密钥" in capsys.readouterr().err
    assert not (data_dir / KEY_FILE).exists()
    monkeypatch.setenv("QIFU_DATA_KEY", "00" * 32)
    assert main(["check", "--audit"]) == 2
    assert "数据密钥与这个数据库不符" in capsys.readouterr().err
    monkeypatch.setenv("QIFU_DATA_DIR", str(tmp_path / "empty"))
    assert main(["check", "--audit"]) == 2
    assert not (tmp_path / "empty").exists()


# -- backup and restore --------------------------------------------------------------------------------------


def names(backup: Path) -> list[str]:
    with tarfile.open(backup) as tar:
        return sorted(tar.getnames())


def test_the_key_is_in_a_backup_only_when_asked_for(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backup", str(tmp_path / "plain.tar.gz")]) == 0
    assert "另行保存" in capsys.readouterr().out
    assert KEY_FILE not in names(tmp_path / "plain.tar.gz")
    assert main(["backup", "--with-key", str(tmp_path / "whole.tar.gz")]) == 0
    assert "像密钥一样保管" in capsys.readouterr().out
    assert KEY_FILE in names(tmp_path / "whole.tar.gz")


def test_a_key_that_stands_in_the_settings_is_not_taken_along(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QIFU_DATA_KEY", "00" * 32)
    assert main(["backup", "--with-key", str(tmp_path / "b.tar.gz")]) == 2
    assert not (tmp_path / "b.tar.gz").exists()


def test_restoring_says_that_the_key_fits_and_puts_the_anchors_aside(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backup", str(tmp_path / "b.tar.gz")]) == 0
    capsys.readouterr()
    assert main(["restore", "--force", str(tmp_path / "b.tar.gz")]) == 0
    out = capsys.readouterr().out
    assert "数据密钥与备份相符" in out
    assert "锚点已移到" in out
    assert not (data_dir / ANCHOR_FILE).exists()
    assert len(list(data_dir.glob("audit-anchors-*.jsonl"))) == 1
    assert main(["check", "--audit"]) == 0


def test_a_backup_of_another_key_changes_nothing(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["backup", "--with-key", str(tmp_path / "b.tar.gz")]) == 0
    before = (data_dir / "qifu.db").read_bytes()
    (data_dir / KEY_FILE).write_text("00" * 32)
    assert main(["restore", "--force", str(tmp_path / "b.tar.gz")]) == 2
    assert "另一个数据密钥" in capsys.readouterr().err
    assert (data_dir / "qifu.db").read_bytes() == before
    assert (data_dir / KEY_FILE).read_text() == "00" * 32
    assert (data_dir / ANCHOR_FILE).exists()


@pytest.mark.parametrize("with_key", [True, False])
def test_on_another_machine_the_key_must_come_along(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, with_key: bool
) -> None:
    assert main(["backup", *(["--with-key"] if with_key else []), str(tmp_path / "b.tar.gz")]) == 0
    other = tmp_path / "other"
    monkeypatch.setenv("QIFU_DATA_DIR", str(other))
    assert main(["restore", str(tmp_path / "b.tar.gz")]) == (0 if with_key else 2)
    assert (other / KEY_FILE).exists() is with_key
    assert (other / "qifu.db").exists() is with_key
    if with_key:
        assert (other / KEY_FILE).stat().st_mode & 0o777 == 0o600
        assert main(["check", "--audit"]) == 0


def test_contacts_and_keys_stand_nowhere_in_the_clear(data_dir: Path) -> None:
    key = (data_dir / KEY_FILE).read_text().strip()
    for file in data_dir.rglob("*"):
        if file.is_file() and file.name != KEY_FILE:
            content = file.read_bytes()
            assert b"13800000001" not in content, file
            assert "王小明".encode() not in content, file
            assert key.encode() not in content, file
    for line in (data_dir / ANCHOR_FILE).read_text().splitlines():
        assert set(json.loads(line)) == {
            "at", "upto", "lines", "digest", "filed", "audit_length", "audit_head", "signature",
        }  # fmt: skip
