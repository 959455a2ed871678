"""`qifu train` shows what matters of a trainer that prints a lot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backend.cli import main, train


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Put a script in the trainer's place; the files that it learns from are written elsewhere."""
    monkeypatch.setenv("QIFU_MODEL_DIR", str(tmp_path / "models"))
    monkeypatch.setattr(train, "GENERATED", tmp_path / "generated")
    monkeypatch.setattr(train, "teach_triage", lambda base, settings, *, force: None)
    real = subprocess.Popen

    def replace(code: str) -> None:
        stand_in = [sys.executable, "-c", code]
        monkeypatch.setattr(subprocess, "Popen", lambda command, **rest: real(stand_in, **rest))

    return replace


def test_its_output_goes_to_a_file(trainer, tmp_path: Path, capfd) -> None:
    trainer("import os; print('chatter', os.environ['QIFU_MODEL_DIR'])")
    assert main(["train"]) == 0
    out, err = capfd.readouterr()
    assert "对话模型就绪" in out
    assert "chatter" not in out + err
    assert (tmp_path / "models" / train.LOG).read_text() == f"chatter {tmp_path / 'models'}\n"
    assert (tmp_path / "generated" / "nlu.yml").is_file()


def test_its_last_words_are_shown_if_it_fails(trainer, capfd) -> None:
    trainer("print('\\n'.join(map(str, range(100)))); raise SystemExit('domain is broken')")
    assert main(["train"]) == 2
    error = capfd.readouterr().err.splitlines()
    assert "99" in error
    assert "5" not in error
    assert "没有训练成功（返回码 1）" in error[-1]


def test_a_long_training_shows_that_it_goes_on(trainer, monkeypatch, capfd) -> None:
    monkeypatch.setattr(train, "_TELL_SECONDS", 0.05)
    trainer("import time; time.sleep(0.5)")
    assert main(["train"]) == 0
    assert "正在训练" in capfd.readouterr().out


def test_only_the_words_are_written_when_asked(trainer, tmp_path: Path) -> None:
    trainer("raise SystemExit(1)")
    assert main(["train", "--lexicon-only"]) == 0
    assert (tmp_path / "generated" / "jieba" / "userdict.txt").is_file()
