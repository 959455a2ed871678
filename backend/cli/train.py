"""`qifu train`: write what the dialogue engine learns from the knowledge base, then train it.

The trainer (`bot.train`) names each model by the content of everything it is made from, the files written
here included, so that training again without a change takes about a second.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from backend.cli.processes import environment
from backend.cli.supervisor import dies_with_parent
from backend.errors import QifuError
from backend.settings import Settings

NAME = "train"
HELP = "从知识库生成词典和例句，并训练对话模型；没有变化时不重复训练"

GENERATED = Path("data/generated")

LOG = "training.log"
"""File in the model folder with what the trainer printed last."""

_TELL_SECONDS = 10.0


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
    log = settings.model_dir / LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    code, seconds = _run(command, environment(settings), log)
    if code:
        print(
            "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]), file=sys.stderr
        )
        raise TrainingFailed(f"对话模型没有训练成功（返回码 {code}），完整输出见 {log}。")
    print(f"对话模型就绪（{seconds:.0f} 秒）。", flush=True)
    return 0


def _run(command: list[str], environ: dict[str, str], log: Path) -> tuple[int, float]:
    """Run a process with its output in a file, telling from time to time that it goes on."""
    started = time.monotonic()
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            env=environ,
            stdout=output,
            stderr=subprocess.STDOUT,
            # without it, a killed service would leave the trainer behind
            preexec_fn=dies_with_parent,
        ) as process,
    ):
        try:
            while True:
                try:
                    return process.wait(_TELL_SECONDS), time.monotonic() - started
                except subprocess.TimeoutExpired:
                    passed = time.monotonic() - started
                    print(f"  … 正在训练对话模型（约一分钟）：已用 {passed:.0f} 秒", flush=True)
        except BaseException:
            process.terminate()
            raise
