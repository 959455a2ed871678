"""`qifu eval`: ask the running service every question of a file and count the right answers."""

from __future__ import annotations

import argparse
import json
import secrets
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from backend.cli import scoring
from backend.cli.http import call, service_url
from backend.errors import QifuError, Unavailable
from backend.settings import Settings

NAME = "eval"
HELP = "用问题文件（JSON Lines）考正在运行的助手：分类统计答对、拒答、误拒，并列出答错的"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, help="问题文件，每行一题")
    parser.add_argument("--json", action="store_true", help="输出一个 JSON 对象，供程序读取")
    parser.add_argument("--url", help="服务地址（默认按 QIFU_HOST 和 QIFU_PORT）")


def ask(url: str, item: dict[str, Any]) -> scoring.Verdict:
    """Put one item to the service; an error of the service is a wrong answer, an absent service is not."""
    question = item["question"]
    try:
        if item["kind"] == scoring.APPEAL:
            found = call(f"{url}/api/v1/triage", {"text": item.get("text") or question})
            return scoring.judge_triage(item, found["problems"])
        # A sender of its own, so that no question is understood in the light of the one before.
        body = {"sender": f"eval-{secrets.token_hex(12)}", "message": question}
        return scoring.judge_reply(item, call(f"{url}/api/v1/chat", body))
    except Unavailable:
        raise
    except QifuError as error:
        return scoring.Verdict(
            id=item["id"],
            kind=item["kind"],
            question=question,
            right=False,
            answer=error.message,
            outcome=error.code,
        )


def _show(summary: scoring.Summary, failures: list[scoring.Verdict], seconds: float) -> None:
    for verdict in failures:
        print(f"✗ {verdict.id} [{verdict.kind}] {verdict.question}")
        if verdict.missing:
            print(f"    缺少：{'；'.join(text[:80] for text in verdict.missing)}")
        if verdict.forbidden:
            print(f"    不该有：{'；'.join(verdict.forbidden)}")
        print(f"    答（{verdict.outcome}）：{' '.join(verdict.answer.split())[:200]}")
    if failures:
        print()
    for kind in sorted(summary.asked):
        print(f"{kind:<14}{summary.right[kind]:>4} / {summary.asked[kind]}")
    right, asked = summary.right.total(), summary.asked.total()
    share = f"（{right / asked:.1%}）" if asked else ""
    print(f"{'合计':<12}{right:>4} / {asked}{share}")
    print(f"超出范围的问题：拒答 {summary.refusals} / {summary.asked[scoring.OUT_OF_SCOPE]}")
    print(f"误拒：{summary.false_refusals}")
    print(f"用时 {seconds:.1f} 秒")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Ask all questions one after another and report."""
    url = service_url(arguments.url, settings.local_url)
    items = scoring.read_items(arguments.file)
    started = time.monotonic()
    verdicts = [ask(url, item) for item in items]
    seconds = time.monotonic() - started
    summary = scoring.Summary()
    for verdict in verdicts:
        summary.add(verdict)
    failures = [verdict for verdict in verdicts if not verdict.right]
    if arguments.json:
        report = summary.as_json() | {
            "seconds": round(seconds, 3),
            "failures": [asdict(verdict) for verdict in failures],
        }
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        _show(summary, failures, seconds)
    return 0
