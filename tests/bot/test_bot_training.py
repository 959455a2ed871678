"""Training: the pointer, the fingerprint, and the files that Rasa's own commands expect."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml
from trained_bot import ROOT

from bot.train import NoModel, fingerprint, latest, main


def project(folder: Path) -> Path:
    for name in ("config.yml", "domain", "data/nlu", "data/rules", "bot/nlu", "actions/recognition.py"):
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return folder


@pytest.mark.parametrize(
    "name",
    [
        "config.yml",
        "domain/responses.yml",
        "data/nlu/person.yml",
        "data/rules/appeals.yml",
        "bot/nlu/tokenizer.py",
    ],
)
def test_a_change_anywhere_is_another_model(name: str, tmp_path: Path) -> None:
    root = project(tmp_path)
    before = fingerprint(root)
    assert fingerprint(root) == before
    with (root / name).open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    assert fingerprint(root) != before


def test_the_generated_lexicon_counts_too(tmp_path: Path) -> None:
    root = project(tmp_path)
    before = fingerprint(root)
    (root / "data" / "generated" / "jieba").mkdir(parents=True)
    (root / "data" / "generated" / "jieba" / "userdict.txt").write_text(
        "企服新干线 20000 nz\n", encoding="utf-8"
    )
    assert fingerprint(root) != before


def test_the_pointer_names_the_model(tmp_path: Path) -> None:
    with pytest.raises(NoModel, match="qifu train"):
        latest(tmp_path)
    (tmp_path / "latest").write_text("a.tar.gz\n")
    with pytest.raises(NoModel):
        latest(tmp_path)
    (tmp_path / "a.tar.gz").touch()
    assert latest(tmp_path) == tmp_path / "a.tar.gz"


def test_training_outside_the_project_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main() == 2
    assert "config.yml" in capsys.readouterr().err


def test_the_domain_names_every_action_and_nothing_else() -> None:
    from rasa_sdk.executor import ActionExecutor

    executor = ActionExecutor()
    executor.register_package("actions")
    domain = yaml.safe_load((ROOT / "domain" / "conversation.yml").read_text(encoding="utf-8"))
    assert sorted(domain["actions"]) == sorted(executor.actions)


def test_rasa_s_own_commands_find_the_domain() -> None:
    assert (ROOT / "domain.yml").resolve() == ROOT / "domain"


def test_every_button_of_a_response_is_understood() -> None:
    domain = yaml.safe_load((ROOT / "domain" / "understanding.yml").read_text(encoding="utf-8"))
    intents = {name for intent in domain["intents"] for name in intent}
    entities = {name if isinstance(name, str) else next(iter(name)) for name in domain["entities"]}
    responses = yaml.safe_load((ROOT / "domain" / "responses.yml").read_text(encoding="utf-8"))["responses"]
    payloads = [
        button["payload"]
        for variants in responses.values()
        for variant in variants
        for button in variant.get("buttons", [])
    ]
    assert payloads
    for payload in payloads:
        name, _, values = payload.removeprefix("/").partition("{")
        assert name in intents
        assert set(yaml.safe_load("{" + values) if values else {}) <= entities


@pytest.mark.rasa
def test_the_model_is_trained_once(model: Path) -> None:
    from bot.train import train

    before = model.stat().st_mtime_ns
    assert train(ROOT, model.parent) == model
    assert model.stat().st_mtime_ns == before
    assert latest(model.parent) == model


def test_old_models_are_cleared_away(tmp_path: Path) -> None:
    from bot.train import _prune

    names = [f"{number:016x}.tar.gz" for number in range(6)]
    for number, name in enumerate(names):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (number, number))
    (tmp_path / "by-hand.tar.gz").touch()
    _prune(tmp_path, tmp_path / names[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [names[0], names[4], names[5], "by-hand.tar.gz"]
    )
