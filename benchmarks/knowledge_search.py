"""Time of a search and of building the index, at the present size of the knowledge base and at ten times it.

    .venv/bin/python -m benchmarks.knowledge_search [--questions 400]

The larger base repeats the entries with some of their characters exchanged, so that its phrasings and
vocabulary grow as real content's would. Times are CPU times of one thread, and so hold on a busy machine too.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from backend.knowledge import loading
from backend.knowledge.answering import AnswerService
from backend.knowledge.entries import Entry
from backend.knowledge.loading import KnowledgeBase

ROOT = Path(__file__).resolve().parent.parent


def questions(limit: int) -> list[str]:
    """Returns questions of the sets, always the same."""
    every = [
        json.loads(line)["question"]
        for path in sorted((ROOT / "tests" / "data" / "questions").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return random.Random(7).sample(every, min(limit, len(every)))


def grown(base: KnowledgeBase, times: int) -> KnowledgeBase:
    """Returns a knowledge base of so many times the entries, the copies with some other characters."""
    chance = random.Random(11)
    alphabet = sorted({char for entry in base.entries.values() for char in entry.answer if char > "\u4e00"})

    def blurred(words: str) -> str:
        return "".join(chance.choice(alphabet) if chance.random() < 0.3 else char for char in words)

    entries: dict[str, Entry] = dict(base.entries)
    for copy in range(1, times):
        for entry in base.entries.values():
            name = f"{entry.id}.c{copy}"
            entries[name] = entry.model_copy(
                update={
                    "id": name,
                    "title": blurred(entry.title),
                    "questions": [blurred(question) for question in entry.questions],
                    "aliases": [blurred(alias) for alias in entry.aliases],
                    "answer": blurred(entry.answer),
                    "related": [],
                }
            )
    return replace(base, entries=entries)


def timed(service: AnswerService, asked: Sequence[str]) -> tuple[list[float], list[float]]:
    """Returns milliseconds of every search and of every whole answer."""
    searches, answers = [], []
    for question in asked[:20]:
        service.answer(question)
    for question in asked:
        started = time.process_time()
        service.index.look_up(question)
        between = time.process_time()
        service.answer(question)
        searches.append((between - started) * 1000)
        answers.append((time.process_time() - between) * 1000)
    return searches, answers


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=400)
    arguments = parser.parse_args()
    started = time.process_time()
    base = loading.load(ROOT / "knowledge_base")
    print(f"load {len(base.entries)} entries: {time.process_time() - started:.2f} s CPU")
    asked = questions(arguments.questions)
    for times in (1, 10):
        larger = grown(base, times)
        started = time.process_time()
        service = AnswerService(larger, "钱塘区")
        built = time.process_time() - started
        for name, found in zip(("search", "answer"), timed(service, asked), strict=True):
            steps = statistics.quantiles(found, n=100)
            print(f"{len(larger.entries)} entries, {name}: p50 {steps[49]:.2f} ms, p95 {steps[94]:.2f} ms")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{len(larger.entries)} entries: index built in {built:.2f} s CPU, peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
