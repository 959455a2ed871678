"""`qifu train`: train triage, write what the dialogue engine learns from the knowledge base, then train it.

Triage learns from labelled appeals and from the proposals that territories have set right; a running backend
takes the new model by itself. The dialogue engine's trainer (`bot.train`) names each model by the content of
everything it is made from, the files written here included. Training again without a change takes seconds.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from backend.cli.processes import environment
from backend.cli.supervisor import dies_with_parent
from backend.errors import QifuError
from backend.settings import Settings

if TYPE_CHECKING:
    from backend.knowledge.loading import KnowledgeBase

NAME = "train"
HELP = "训练诉求分诊模型，从知识库生成词典和例句，并训练对话模型；没有变化时不重复训练"

GENERATED = Path("data/generated")

LOG = "training.log"
"""File in the model folder with what the trainer printed last."""

_TELL_SECONDS = 10.0
_MOST_CORRECTIONS = 20_000
_HEADS = {"category": "板块", "level": "级别", "department": "部门"}


class TrainingFailed(QifuError):
    """The dialogue engine could not be trained; what it printed says why."""

    code = "training_failed"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--force", action="store_true", help="没有变化也重新训练")
    parser.add_argument("--lexicon-only", action="store_true", help="只从知识库生成词典和例句，不训练")
    parser.add_argument("--triage-only", action="store_true", help="只训练诉求分诊模型")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Train triage, export, then train the dialogue engine in a process of its own.

    Raises:
        ContentError: The knowledge base breaks its rules.
        TrainingFailed: The trainer ended without a model.
    """
    from backend.knowledge.lexicon import export
    from backend.knowledge.loading import load

    base = load(settings.knowledge_dir)
    if not arguments.lexicon_only:
        teach_triage(base, settings, force=arguments.force)
    if arguments.triage_only:
        return 0
    export(base, GENERATED)
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


def teach_triage(base: KnowledgeBase, settings: Settings, *, force: bool) -> None:
    """Train triage and say how well it does on appeals that it has not seen.

    Raises:
        ContentError: A labelled appeal breaks the rules.
    """
    from backend.storage.corrections import read_corrections
    from backend.triage.labelled import load_labelled
    from backend.triage.training import train

    started = time.monotonic()
    labelled = load_labelled(settings.knowledge_dir, base.departments)
    corrections = read_corrections(settings.database_url, _MOST_CORRECTIONS)
    report = train(base, labelled, corrections, settings.model_dir, force=force)
    right = "、".join(f"{name}{report.quality[head].right:.0%}" for head, name in _HEADS.items())
    print(
        f"分诊模型就绪（{time.monotonic() - started:.0f} 秒）：标注诉求 {report.appeals} 条、"
        f"更正 {report.corrections} 条；没有学过的诉求判对{right}。",
        flush=True,
    )


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
