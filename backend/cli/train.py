"""`qifu train`: write what the dialogue engine learns from the knowledge base, then train it."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from backend.errors import QifuError
from backend.fingerprint import digest
from backend.settings import Settings

NAME = "train"
HELP = "从知识库生成词典和例句，并训练对话模型"

RECORD = "trained-from.json"
"""File in the model folder that says from which inputs the newest model was trained."""

_DIALOGUE = ("config.yml", "domain", "data", "bot/nlu")


class TrainingFailed(QifuError):
    """The dialogue engine could not be trained; what it printed says why."""

    code = "training_failed"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--if-stale", action="store_true", help="输入没有变化就不训练")
    parser.add_argument("--lexicon-only", action="store_true", help="只从知识库生成词典和例句，不训练")


def inputs(settings: Settings) -> str:
    """Hash everything that the model depends on; a change of it makes the model stale."""
    root = Path.cwd()
    knowledge = digest(settings.knowledge_dir, [settings.knowledge_dir])
    return digest(root, [root / path for path in _DIALOGUE], knowledge, version("rasa"), version("spacy"))


def is_stale(settings: Settings) -> bool:
    """Whether there is no model or it was trained from other inputs than the present ones."""
    try:
        record = json.loads((settings.model_dir / RECORD).read_text(encoding="utf-8"))
        model = settings.model_dir / record["model"]
    except (OSError, ValueError, KeyError, TypeError):
        return True
    return not model.is_file() or record.get("inputs") != inputs(settings)


def _newest(folder: Path) -> Path | None:
    models = sorted(folder.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    return models[-1] if models else None


def export_lexicon(settings: Settings) -> None:
    """Write `data/generated` from the knowledge base."""
    from backend.knowledge.lexicon import export
    from backend.knowledge.loading import load

    export(load(settings.knowledge_dir), Path("data/generated"))


def train(settings: Settings) -> None:
    """Write `data/generated` and train one model from everything.

    Raises:
        TrainingFailed: The training process ended without a model.
    """
    wanted = inputs(settings)
    started = time.time()
    export_lexicon(settings)
    environment = {**os.environ, **settings.bot_environment()}
    done = subprocess.run([sys.executable, "-m", "bot.train"], env=environment, check=False)
    model = _newest(settings.model_dir)
    if done.returncode or model is None:
        raise TrainingFailed(f"对话模型没有训练成功（返回码 {done.returncode}），原因见上面的输出。")
    record = settings.model_dir / RECORD
    unfinished = record.with_suffix(".new")
    unfinished.write_text(json.dumps({"inputs": wanted, "model": model.name}), encoding="utf-8")
    unfinished.replace(record)
    print(f"对话模型已训练，用时 {time.time() - started:.0f} 秒。", flush=True)


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Train, or say that there is nothing to do."""
    if arguments.lexicon_only:
        export_lexicon(settings)
        return 0
    if arguments.if_stale and not is_stale(settings):
        print("对话模型：无变化。", flush=True)
        return 0
    print("训练对话模型（约一分钟）……", flush=True)
    train(settings)
    return 0
