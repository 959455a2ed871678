"""How fast and how well triage proposes: `python -m benchmarks.triage [--rounds N]`.

Trains into a temporary folder, times proposals of labelled appeals, of long letters put together from them
and of texts made to be slow, and counts what is right on appeals that were not trained on.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from backend.knowledge.loading import load
from backend.settings import Settings
from backend.triage.classifier import MODEL
from backend.triage.keeping import Kept
from backend.triage.labelled import load_labelled
from backend.triage.proposing import Triage
from backend.triage.training import Quality, measure, train

UNSEEN = Path("tests/data/triage")
LONG = 1200
ENDLESS = 5000


def percentile(times: Sequence[float], share: float) -> float:
    """Returns the time that a share of the calls stays under, in milliseconds."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000


def timed(call: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    """Returns CPU seconds of this thread for each text; a busy machine does not count."""
    found = []
    for text in texts:
        started = time.thread_time()
        call(text)
        found.append(time.thread_time() - started)
    return found


def letters(texts: Sequence[str], count: int) -> list[str]:
    """Returns letters of `LONG` characters put together from real sentences."""
    draw = random.Random(135)
    found = []
    for _ in range(count):
        letter = ""
        while len(letter) < LONG:
            letter += draw.choice(texts).rstrip("。") + draw.choice("。，；")
        found.append(letter[:LONG])
    return found


def hostile() -> dict[str, str]:
    """Returns texts made to be slow, by what they are."""
    return {
        "punctuation": "，。；！" * (ENDLESS // 4),
        "one character": "说" * ENDLESS,
        "another character": "路" * ENDLESS,
        "counted": "".join(f"{number % 20 + 1}、路灯不亮；" for number in range(ENDLESS // 8)),
        "joined": "，还有路灯坏了，另外社保断了" * (ENDLESS // 14),
        "said": "规划说找住建，住建说找规划，" * (ENDLESS // 14),
        "blanks": "\n \t" * (ENDLESS // 3),
        "digits": "1234567890" * (ENDLESS // 10),
        "unfolding": "﷽" * ENDLESS,
    }


def row(name: str, quality: Quality) -> str:
    """Returns a line of the table of quality."""
    bins = "；".join(f"{mean:.2f}→{right:.2f} ({count})" for count, mean, right in quality.bins)
    return f"| {name} | {quality.right:.1%} | {quality.error:.3f} | {bins} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often every text is proposed")
    rounds = parser.parse_args().rounds
    settings = Settings()
    base = load(settings.knowledge_dir)
    labelled = load_labelled(settings.knowledge_dir, base.departments)
    texts = [item.text for item in labelled]
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        report = train(base, labelled, [], Path(folder))
        trained = time.process_time() - began
        size = (Path(folder) / MODEL).stat().st_size
        began = time.process_time()
        kept = Kept(Path(folder) / MODEL)
        kept()
        loaded = time.process_time() - began
        triage, rules = Triage(base, kept), Triage(base)
    print(
        f"{report.appeals} labelled appeals, {report.features} features, model {size / 1e6:.1f} MB, "
        f"trained in {trained:.1f} CPU s, loaded in {loaded * 1000:.0f} ms\n"
    )
    print("| texts | p50 ms | p95 ms | slowest ms | by rules alone p95 ms |\n|---|---|---|---|---|")
    long = letters(texts, 200)
    for name, sample in (("labelled appeals", texts), (f"letters of {LONG} characters", long)):
        times = timed(triage.propose, sample * rounds)
        alone = timed(rules.propose, sample)
        print(
            f"| {name} | {percentile(times, 0.5):.1f} | {percentile(times, 0.95):.1f} "
            f"| {max(times) * 1000:.1f} | {percentile(alone, 0.95):.1f} |"
        )
    for name, text in hostile().items():
        times = timed(triage.propose, [text] * rounds * 3)
        print(
            f"| {ENDLESS} characters: {name} | {percentile(times, 0.5):.1f} | | {max(times) * 1000:.1f} | |"
        )
    print(
        "\n| on unseen folds of the labelled appeals | right | calibration error | said → right (appeals) |"
    )
    print("|---|---|---|---|")
    for name, quality in report.quality.items():
        print(row(name, quality))
    print("\n| not trained on | appeals | category | level | lead department | by rules alone |")
    print("|---|---|---|---|---|---|")
    said: list[tuple[float, bool]] = []
    for path in sorted(UNSEEN.glob("*.jsonl")):
        items = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        cells = []
        for proposer in (triage, rules):
            proposed = [proposer.propose(item["text"])[0] for item in items]
            pairs = list(zip(items, proposed, strict=True))
            if proposer is triage:
                said += [
                    (problem.candidates[0].probability, problem.lead_department in item["departments"])
                    for item, problem in pairs
                ]
            right = (
                sum(problem.category in item["accept_categories"] for item, problem in pairs),
                sum(problem.level == item["level"] for item, problem in pairs),
                sum(problem.lead_department in item["departments"] for item, problem in pairs),
            )
            cells.append([f"{count / len(items):.1%}" for count in right])
        print(f"| {path.stem} | {len(items)} | {' | '.join(cells[0])} | {', '.join(cells[1])} |")
    print(
        "\n| the lead department's probability, not trained on | right | calibration error | said → right |"
    )
    print("|---|---|---|---|")
    print(row("all of them", measure(said)))


if __name__ == "__main__":
    main()
