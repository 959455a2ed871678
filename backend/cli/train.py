"""`qifu train`: write what the dialogue engine learns from the knowledge base, then train it.

The trainer (`bot.train`) names each model by the content of everything it is made from, the files written
here included, so that training again without a change takes about a second.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from backend.cli.processes import environment
from backend.errors import QifuError
from backend.settings import Settings

NAME = "train"
HELP = "从知识库生成词典和例句，并训练对话模型；没有变化时不重复训练"

GENERATED = Path("data/generated")


class TrainingFailed(QifuError):
    """The dialogue engine could not be trained; what it printed says why."""

    code = "training_failed"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--force", action="store_true", help="没有变化也重新训练")
    parser.add_argument("--lexicon-only", action="store_true", help="只从知识库生成词典和例句，不训练")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Export, then train in a process of its own.

    Raises:
        ContentError: The knowledge base breaks its rules.
        TrainingFailed: The trainer ended without a model.
    """
    from backend.knowledge.lexicon import export
    from backend.knowledge.loading import load

    export(load(settings.knowledge_dir), GENERATED)
    if arguments.lexicon_only:
        return 0
    command = [sys.executable, "-m", "bot.train", *(["--force"] if arguments.force else [])]
    code = subprocess.run(command, env=environment(settings), check=False).returncode
    if code:
        raise TrainingFailed(f"对话模型没有训练成功（返回码 {code}），原因见上面的输出。")
    return 0
