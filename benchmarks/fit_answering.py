"""Fits the search's coefficients and the two thresholds from question sets, and reports figures on the other half.

    python benchmarks/fit_answering.py            fit, report, leave the shipped coefficients alone
    python benchmarks/fit_answering.py --write    also write backend/knowledge/data/model.json

Examples:

* every phrasing of every entry, searched with that phrasing left out: right when its entry comes first;
* one phrasing of every entry, searched with the whole entry left out: a question inside the domain whose answer is
  missing, so nothing is right;
* the questions of `tests/data/questions/*.jsonl` (``{"question", "entry"}``; ``entry`` null: nothing is right).

Entries (with their phrasings) and questions are split by a hash into two halves. The figures come from a fit on one
half, measured on the other, both ways; the shipped coefficients are then fitted on everything.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from backend.knowledge import loading, search, text  # noqa: E402
from backend.knowledge.search import PAIR_FEATURES, TOP_FEATURES, KnowledgeIndex, Model  # noqa: E402

MODEL = ROOT / "backend" / "knowledge" / "data" / "model.json"
QUESTIONS = ROOT / "tests" / "data" / "questions"
# What an outcome costs, relative to each other: a wrong confident answer is the worst.
COSTS = {"answered_wrong": 4.0, "confirm_with": 1.0, "confirm_without": 1.6, "refused_wrongly": 3.0}
FLAT = {"rank": {"weights": dict.fromkeys(PAIR_FEATURES, 1.0), "bias": 0.0},
        "confidence": {"weights": dict.fromkeys(TOP_FEATURES, 0.0), "bias": 0.0},
        "bands": {"answer": 0.5, "confirm": 0.2}}


@dataclass
class Example:
    """One question with its candidates' features.

    Attributes:
        right: Ids that are right; empty when nothing is.
        origin: ``phrasing``, ``missing`` or the question file's name.
    """

    question: str
    right: frozenset[str]
    origin: str
    weight: float
    half: int
    query: search.Query
    positions: np.ndarray
    features: np.ndarray
    labels: np.ndarray


def half_of(key: str) -> int:
    """Splits by content, so that a new question never moves the others."""
    return hashlib.sha256(key.encode()).digest()[0] % 2


def read_questions(folder: Path = QUESTIONS) -> list[tuple[str, frozenset[str], str]]:
    """Returns (question, right ids, file name) of every question file."""
    result = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.strip():
                continue
            item = json.loads(line)
            if "entry" not in item:
                continue
            entry = item["entry"]
            right = frozenset() if entry is None else frozenset([entry] if isinstance(entry, str) else entry)
            result.append((item["question"], right, path.stem))
    return result


def examples(index: KnowledgeIndex, *, with_phrasings: bool = True) -> list[Example]:
    """Builds all examples."""
    result: list[Example] = []

    def add(question: str, right: frozenset[str], origin: str, weight: float, key: str,
            without_phrases: Sequence[int] = (), without_entry: int | None = None) -> None:
        named, _, _ = index.named(question)
        allowed = index.allowed(named).copy()
        if without_entry is not None:
            allowed[without_entry] = False
        query = index.read(question)
        positions, features = index.features(query, allowed, without_phrases=without_phrases)
        labels = np.array([index.entries[p].id in right for p in positions], dtype=bool)
        result.append(Example(question, right, origin, weight, half_of(key), query, positions, features, labels))

    if with_phrasings:
        starts = index._starts
        for number, entry in enumerate(index.entries):
            unique = list(dict.fromkeys((*entry.questions, entry.title, *entry.aliases)))
            for offset, phrase in enumerate(entry.questions):
                place = int(starts[number]) + unique.index(phrase)
                add(phrase, frozenset([entry.id]), "phrasing", 1.0, entry.id, without_phrases=[place])
                if offset % 4 == 1:
                    add(phrase, frozenset(), "missing", 1.0, entry.id, without_entry=number)
    for question, right, origin in read_questions():
        known = frozenset(name for name in right if name in index.positions)
        if right and not known:
            print(f"unknown entry in {origin}: {sorted(right)} ({question})", file=sys.stderr)
            continue
        add(question, known, origin, 2.0, question)
    return result


def fit(data: Sequence[Example]) -> dict[str, Any]:
    """Fits ranker, confidence and thresholds."""
    differences, weights = [], []
    for item in data:
        if not item.labels.any():
            continue
        best = item.features[item.labels]
        others = item.features[~item.labels][:10]
        for good in best:
            for other in others:
                differences.append(good - other)
                weights.append(item.weight / max(len(others), 1))
    x = np.array(differences)
    x = np.vstack([x, -x])
    y = np.array([1] * len(differences) + [0] * len(differences))
    ranker = LogisticRegression(fit_intercept=False, C=3.0, max_iter=2000)
    ranker.fit(x, y, sample_weight=np.array(weights + weights))
    rank = ranker.coef_[0]
    # The bias turns relative odds into odds of being right, over all candidates.
    odds = np.concatenate([item.features @ rank for item in data if len(item.features)])
    labels = np.concatenate([item.labels for item in data if len(item.features)])
    scale = LogisticRegression(C=100.0, max_iter=1000).fit(odds.reshape(-1, 1), labels)
    rank, bias = rank * scale.coef_[0][0], float(scale.intercept_[0])
    model = {"rank": {"weights": dict(zip(PAIR_FEATURES, map(float, rank), strict=True)), "bias": bias}}

    tops, right, weights = [], [], []
    for item in data:
        top, first = top_of(item, rank, bias)
        if top is None:
            continue
        tops.append(top)
        right.append(bool(item.labels[first]))
        weights.append(item.weight)
    confidence = LogisticRegression(C=1.0, max_iter=5000)
    confidence.fit(np.array(tops), np.array(right), sample_weight=np.array(weights))
    model["confidence"] = {
        "weights": dict(zip(TOP_FEATURES, map(float, confidence.coef_[0]), strict=True)),
        "bias": float(confidence.intercept_[0]),
    }
    model["bands"] = {"answer": 0.5, "confirm": 0.2}
    judged = judge(data, model)
    best = min(
        ((cost(judged, answer, confirm), answer, confirm)
         for answer in np.arange(0.3, 0.9, 0.02) for confirm in np.arange(0.04, 0.6, 0.02) if confirm <= answer),
    )
    model["bands"] = {"answer": round(float(best[1]), 3), "confirm": round(float(best[2]), 3)}
    return model


INDEX: KnowledgeIndex


def top_of(item: Example, rank: np.ndarray, bias: float) -> tuple[np.ndarray | None, int]:
    """Returns the confidence features of the first candidate, and its row."""
    if not len(item.features):
        return None, -1
    odds = item.features @ rank + bias
    first = int(np.lexsort((item.positions, -odds))[0])
    return INDEX.top_features(item.query, item.features, odds, first), first


def judge(data: Sequence[Example], model: dict[str, Any]) -> list[tuple[float, bool, bool, bool, float, str]]:
    """Returns (score, top right, right in top three, answerable, weight, origin) for every example."""
    parts = Model.of(model)
    result = []
    for item in data:
        answerable = bool(item.right)
        top, first = top_of(item, parts.rank, parts.rank_bias)
        if top is None:
            result.append((0.0, False, False, answerable, item.weight, item.origin))
            continue
        odds = item.features @ parts.rank + parts.rank_bias
        order = np.lexsort((item.positions, -odds))
        score = 1 / (1 + np.exp(-(top @ parts.confidence + parts.confidence_bias)))
        result.append((float(score), bool(item.labels[first]), bool(item.labels[order[:3]].any()), answerable,
                       item.weight, item.origin))
    return result


def cost(judged: Sequence[tuple[float, bool, bool, bool, float, str]], answer: float, confirm: float) -> float:
    """Sums the costs of the outcomes at two thresholds."""
    total = 0.0
    for score, right, in_three, answerable, weight, _ in judged:
        if score >= answer:
            total += 0.0 if right else COSTS["answered_wrong"] * weight
        elif score >= confirm:
            total += COSTS["confirm_with" if in_three else "confirm_without"] * weight
        elif answerable:
            total += COSTS["refused_wrongly"] * weight
    return total


def figures(judged: Sequence[tuple[float, bool, bool, bool, float, str]], bands: dict[str, float]) -> dict[str, Any]:
    """Returns shares by origin."""
    result: dict[str, Any] = {}
    for origin in sorted({item[5] for item in judged}):
        rows = [item for item in judged if item[5] == origin]
        n = len(rows)
        answered = [row for row in rows if row[0] >= bands["answer"]]
        confirm = [row for row in rows if bands["confirm"] <= row[0] < bands["answer"]]
        can = [row for row in rows if row[3]]
        shares = {
            "n": n,
            "answered_right": sum(row[1] for row in answered) / n,
            "answered_wrong": sum(not row[1] for row in answered) / n,
            "confirm": len(confirm) / n,
            "confirm_has_it": sum(row[2] for row in confirm) / n,
            "refused": (n - len(answered) - len(confirm)) / n,
        }
        if can:
            shares["top1"] = sum(row[1] for row in can) / len(can)
            shares["top3"] = sum(row[2] for row in can) / len(can)
        result[origin] = {key: round(value, 3) for key, value in shares.items()}
    return result


def main() -> None:
    """Runs the fit."""
    global INDEX
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the coefficients that the service uses")
    parser.add_argument("--knowledge", type=Path, default=ROOT / "knowledge_base")
    parser.add_argument("--failures", type=int, default=0, help="list so many failures of the question files")
    arguments = parser.parse_args()
    base, problems = loading.read(arguments.knowledge)
    for problem in problems[:20]:
        print(problem, file=sys.stderr)
    INDEX = KnowledgeIndex(base, model=Model.of(FLAT))
    data = examples(INDEX)
    print(f"{len(base.entries)} entries, {len(data)} examples")
    crossed = []
    for held_out in (0, 1):
        model = fit([item for item in data if item.half != held_out])
        rest = [item for item in data if item.half == held_out]
        judged = judge(rest, model)
        crossed.append((judged, model["bands"]))
        print(f"half {held_out}: thresholds {model['bands']}")
        if arguments.failures:
            show_failures(rest, judged, model, arguments.failures)
    report: dict[str, Any] = {}
    for number, (judged, bands) in enumerate(crossed):
        report[f"half_{number}"] = figures(judged, bands)
        for origin, shares in report[f"half_{number}"].items():
            print(f"  half {number} {origin:18} " + "  ".join(f"{key} {value}" for key, value in shares.items()))
    model = fit(data)
    model["figures"] = {"entries": len(base.entries), "examples": len(data), "held_out": report}
    print("thresholds", model["bands"])
    print("rank", {key: round(value, 2) for key, value in model["rank"]["weights"].items()}, round(model["rank"]["bias"], 2))
    weights = model["confidence"]["weights"]
    print("confidence", {key: round(value, 2) for key, value in weights.items()}, round(model["confidence"]["bias"], 2))
    if arguments.write:
        MODEL.write_text(json.dumps(model, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(f"written to {MODEL.relative_to(ROOT)}")


def show_failures(rest: Sequence[Example], judged: Sequence[Any], model: dict[str, Any], limit: int) -> None:
    """Prints what went wrong on the question files."""
    rank, bias = Model.of(model).rank, Model.of(model).rank_bias
    shown = 0
    for item, row in zip(rest, judged, strict=True):
        if item.origin in {"phrasing", "missing"}:
            continue
        score, right, *_ = row
        answered = score >= model["bands"]["answer"]
        if (item.right and (not right or not answered)) or (not item.right and answered):
            _, first = top_of(item, rank, bias)
            got = INDEX.entries[int(item.positions[first])].id if first >= 0 else None
            print(f"  {item.origin} {score:.2f} {item.question} -> {got}; right {sorted(item.right)}; topic {item.query.topic}")
            shown += 1
            if shown >= limit:
                return


if __name__ == "__main__":
    assert text
    main()
