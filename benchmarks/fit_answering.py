"""Fits the search's coefficients and thresholds from question sets; reports figures on the other half.

    .venv/bin/python -m benchmarks.fit_answering            fit, report, leave the shipped coefficients alone
    .venv/bin/python -m benchmarks.fit_answering --write    also write backend/knowledge/data/model.json

Examples:
* every phrasing of every entry, searched with that phrasing left out: right when its entry comes first;
* some phrasings of every entry, searched with the whole entry left out: a question inside the domain whose
  answer is missing, so nothing is right;
* the questions of `tests/data/questions/*.jsonl` (an ``entry`` of null: nothing is right).

Entries (with their phrasings) and questions are split by a hash into two halves. The figures come from a fit
on one half, measured on the other, both ways; the shipped coefficients are then fitted on everything.
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
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from backend.knowledge import loading, search  # noqa: E402
from backend.knowledge.answering import AnswerService  # noqa: E402
from backend.knowledge.search import PAIR_FEATURES, TOP_FEATURES, KnowledgeIndex, Model  # noqa: E402
from benchmarks.answering_quality import fits  # noqa: E402

MODEL = ROOT / "backend" / "knowledge" / "data" / "model.json"
QUESTIONS = ROOT / "tests" / "data" / "questions"
# What an outcome costs the person who asked, relative to each other, for questions that the documents answer
# and for those that they do not. A confident answer that is wrong is the worst.
COSTS = {
    "answered": (2.0, 3.0),  # wrong entry; nothing to answer
    "likely": (1.3, 2.0),  # the same, shown with reserve
    "likely_right": 0.3,
    "offered": (1.5, 1.2),  # a list without the right one; a list though nothing is right
    "offered_right": 1.0,
    "refused": 2.5,
}
PENALTY = 0.05  # of squared coefficients
PHRASING = 0.5  # weight of all examples made from the entries themselves against all questions of the sets
FLAT = {
    "rank": {"weights": dict.fromkeys(PAIR_FEATURES, 1.0), "bias": 0.0},
    "confidence": {"weights": dict.fromkeys(TOP_FEATURES, 0.0), "bias": 0.0},
    "bands": {"answer": 0.5, "likely": 0.3, "confirm": 0.2},
}


Judged = tuple[
    float, bool, bool, bool, float, str
]  # score, first right, in three, answerable, weight, origin


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


def read_questions(folder: Path = QUESTIONS) -> list[tuple[dict[str, Any], str]]:
    """Returns (item, file name) of every question file."""
    result = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            if "entry" in item:
                result.append((item, path.stem))
    return result


def kin_of(index: KnowledgeIndex) -> dict[str, set[str]]:
    """Returns, for every entry, those that either of the two calls related: one may answer for the other."""
    kin: dict[str, set[str]] = {entry.id: set() for entry in index.entries}
    for entry in index.entries:
        for other in entry.related:
            kin[entry.id].add(other)
            kin[other].add(entry.id)
    return kin


def examples(index: KnowledgeIndex, service: AnswerService) -> list[Example]:
    """Builds all examples."""
    result: list[Example] = []
    kin = kin_of(index)

    def add(
        question: str,
        right: frozenset[str],
        origin: str,
        weight: float,
        key: str,
        *,
        without_phrases: Sequence[int] = (),
        without: frozenset[str] = frozenset(),
        item: dict[str, Any] | None = None,
    ) -> None:
        named, _, _ = index.named(question)
        allowed = index.allowed(named)
        for name in without:
            allowed[index.positions[name]] = False
        query = index.read(question)
        positions, features = index.features(query, allowed, without_phrases=without_phrases)
        labels = np.array([index.entries[p].id in right for p in positions], dtype=bool)
        if item and item.get("expect") and right and not item.get("refuse"):
            for row, position in enumerate(positions):
                near = kin[next(iter(right))] | right
                entry = index.entries[position].id
                if not labels[row] and entry in near:
                    reply = service.answer_entry(entry, question=question)
                    labels[row] = reply.outcome == "answered" and fits(reply.messages[0].text, item)
        result.append(
            Example(question, right, origin, weight, half_of(key), query, positions, features, labels)
        )

    for number, entry in enumerate(index.entries):
        first = int(index._starts[number])
        unique = search.phrases_of(entry)
        near = frozenset(kin[entry.id])
        for offset, phrase in enumerate(dict.fromkeys(entry.questions)):
            place = first + unique.index(phrase)
            add(
                phrase,
                frozenset([entry.id]),
                "phrasing",
                1.0,
                entry.id,
                without_phrases=[place],
                without=near,
            )
            if offset % 4 == 1:
                add(phrase, frozenset(), "missing", 1.0, entry.id, without=near | {entry.id})
    for item, origin in read_questions():
        entry = item["entry"]
        right = frozenset() if entry is None else frozenset([entry] if isinstance(entry, str) else entry)
        known = frozenset(name for name in right if name in index.positions)
        if right and not known:
            print(f"unknown entry in {origin}: {sorted(right)} ({item['question']})", file=sys.stderr)
            continue
        add(item["question"], known, origin, 1.0, item["question"], item=item)
    return result


def fit(data: Sequence[Example]) -> dict[str, Any]:
    """Fits ranker, confidence and thresholds."""
    differences, weights = [], []
    balance = balance_of(data)
    for item in data:
        if not item.labels.any():
            continue
        best = item.features[item.labels]
        others = item.features[~item.labels][:10]
        for good in best:
            for other in others:
                differences.append(good - other)
                weights.append(balance[item.origin] * item.weight / max(len(others) * len(best), 1))
    x = np.array(differences)
    rank, _ = logistic(x, np.ones(len(x)), np.array(weights), PAIR_FEATURES, penalty=PENALTY, bias=False)
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
        weights.append(item.weight * balance[item.origin])
    confidence, confidence_bias = logistic(
        np.array(tops),
        np.array(right, dtype=float),
        np.array(weights),
        TOP_FEATURES,
        penalty=PENALTY,
        bias=True,
    )
    model["confidence"] = {
        "weights": dict(zip(TOP_FEATURES, map(float, confidence), strict=True)),
        "bias": confidence_bias,
    }
    model["bands"] = FLAT["bands"]
    judged = judge(data, model)
    steps = np.arange(0.06, 0.94, 0.04)
    best = min(
        (cost(judged, answer, likely, confirm), answer, likely, confirm)
        for answer in steps
        for likely in steps
        if likely <= answer
        for confirm in steps
        if confirm <= likely
    )
    model["bands"] = {
        name: round(float(value), 3)
        for name, value in zip(("answer", "likely", "confirm"), best[1:], strict=True)
    }
    return model


def balance_of(data: Sequence[Example]) -> dict[str, float]:
    """Weighs the examples made from the entries, all together, against the questions of the sets."""
    made = sum(item.weight for item in data if item.origin in {"phrasing", "missing"})
    asked = sum(item.weight for item in data if item.origin not in {"phrasing", "missing"})
    share = PHRASING * asked / made if made and asked else 1.0
    return {item.origin: share if item.origin in {"phrasing", "missing"} else 1.0 for item in data}


# More of these never makes an entry less likely (or, for the second, more likely), whatever the sample says:
# the features overlap, and a sign learned from their overlap would not hold for new content.
NEVER_NEGATIVE = frozenset(PAIR_FEATURES) - {"asked_missing"} | {"lead"}
NEVER_POSITIVE = frozenset({"asked_missing"})


def logistic(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray, names: Sequence[str], *, penalty: float, bias: bool
) -> tuple[np.ndarray, float]:
    """Fits a logistic regression whose coefficients keep their known signs.

    Returns:
        Coefficients, shape (len(names),), and the bias (0 without).
    """
    bounds: list[tuple[float | None, float | None]] = [
        (0.0, None) if name in NEVER_NEGATIVE else (None, 0.0) if name in NEVER_POSITIVE else (None, None)
        for name in names
    ]
    bounds.append((None, None) if bias else (0.0, 0.0))
    full = np.hstack([x, np.ones((len(x), 1))])
    sign = 2 * y - 1

    def loss(beta: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (full @ beta)
        value = float((weights * np.logaddexp(0, -margin)).sum() + penalty * 0.5 * (beta[:-1] ** 2).sum())
        slope = -(weights * sign / (1 + np.exp(np.clip(margin, -50, 50)))) @ full
        slope[:-1] += penalty * beta[:-1]
        return value, slope

    found = minimize(
        loss, np.zeros(full.shape[1]), jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": 2000}
    )
    return found.x[:-1], float(found.x[-1])


INDEX: KnowledgeIndex


def top_of(item: Example, rank: np.ndarray, bias: float) -> tuple[np.ndarray | None, int]:
    """Returns the confidence features of the first candidate, and its row."""
    if not len(item.features):
        return None, -1
    odds = item.features @ rank + bias
    first = int(np.lexsort((item.positions, -odds))[0])
    return INDEX.top_features(item.query, item.features, odds, first), first


def judge(data: Sequence[Example], model: dict[str, Any]) -> list[Judged]:
    """Returns (score, top right, right in top three, answerable, weight, origin) for every example."""
    parts, balance = Model.of(model), balance_of(data)
    result = []
    for item in data:
        answerable = bool(item.right)
        top, first = top_of(item, parts.rank, parts.rank_bias)
        if top is None:
            result.append((0.0, False, False, answerable, item.weight * balance[item.origin], item.origin))
            continue
        odds = item.features @ parts.rank + parts.rank_bias
        order = np.lexsort((item.positions, -odds))
        score = 1 / (1 + np.exp(-(top @ parts.confidence + parts.confidence_bias)))
        result.append(
            (
                float(score),
                bool(item.labels[first]),
                bool(item.labels[order[:3]].any()),
                answerable,
                item.weight * balance[item.origin],
                item.origin,
            )
        )
    return result


def cost(judged: Sequence[Judged], answer: float, likely: float, confirm: float) -> float:
    """Sums the costs of the outcomes at three thresholds."""
    scores = np.array([row[0] for row in judged])
    right = np.array([row[1] for row in judged])
    in_three = np.array([row[2] for row in judged])
    answerable = np.array([row[3] for row in judged])
    weight = np.array([row[4] for row in judged])
    answered = scores >= answer
    shown = (scores >= likely) & ~answered
    listed = (scores >= confirm) & ~answered & ~shown
    refused = scores < confirm
    costs = np.zeros(len(judged))
    for band, name in ((answered, "answered"), (shown, "likely")):
        costs[band & ~right & answerable] = COSTS[name][0]
        costs[band & ~answerable] = COSTS[name][1]
    costs[shown & right] = COSTS["likely_right"]
    costs[listed & answerable] = COSTS["offered"][0]
    costs[listed & in_three] = COSTS["offered_right"]
    costs[listed & ~answerable] = COSTS["offered"][1]
    costs[refused & answerable] = COSTS["refused"]
    return float((costs * weight).sum())


def figures(judged: Sequence[Judged], bands: dict[str, float]) -> dict[str, Any]:
    """Returns shares by origin."""
    result: dict[str, Any] = {}
    for origin in sorted({item[5] for item in judged}):
        rows = [item for item in judged if item[5] == origin]
        n = len(rows)
        answered = [row for row in rows if row[0] >= bands["answer"]]
        likely = [row for row in rows if bands["likely"] <= row[0] < bands["answer"]]
        confirm = [row for row in rows if bands["confirm"] <= row[0] < bands["likely"]]
        can = [row for row in rows if row[3]]
        shares = {
            "n": n,
            "answered_right": sum(row[1] for row in answered) / n,
            "answered_wrong": sum(not row[1] for row in answered) / n,
            "likely_right": sum(row[1] for row in likely) / n,
            "likely_wrong": sum(not row[1] for row in likely) / n,
            "listed": len(confirm) / n,
            "listed_has_it": sum(row[2] for row in confirm) / n,
            "refused": sum(row[0] < bands["confirm"] for row in rows) / n,
        }
        if can:
            shares["top1"] = sum(row[1] for row in can) / len(can)
            shares["top3"] = sum(row[2] for row in can) / len(can)
        result[origin] = {key: round(value, 3) for key, value in shares.items()}
    return result


def main() -> None:
    """Runs the fit."""
    global INDEX
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="write the coefficients that the service uses")
    parser.add_argument("--knowledge", type=Path, default=ROOT / "knowledge_base")
    parser.add_argument("--failures", type=int, default=0, help="list so many failures of the question files")
    arguments = parser.parse_args()
    base, problems = loading.read(arguments.knowledge)
    for problem in problems[:20]:
        print(problem, file=sys.stderr)
    INDEX = KnowledgeIndex(base, model=Model.of(FLAT))
    data = examples(INDEX, AnswerService(base, next(iter(base.jurisdictions.values())).name, Model.of(FLAT)))
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
            print(
                f"  half {number} {origin:18} " + "  ".join(f"{key} {value}" for key, value in shares.items())
            )
    model = fit(data)
    model["figures"] = {"entries": len(base.entries), "examples": len(data), "held_out": report}
    print("thresholds", model["bands"])
    print(
        "rank",
        {key: round(value, 2) for key, value in model["rank"]["weights"].items()},
        round(model["rank"]["bias"], 2),
    )
    weights = model["confidence"]["weights"]
    print(
        "confidence",
        {key: round(value, 2) for key, value in weights.items()},
        round(model["confidence"]["bias"], 2),
    )
    if arguments.write:
        MODEL.write_text(
            json.dumps(model, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
        )
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
            print(
                f"  {item.origin} {score:.2f} {item.question} -> {got}; right {sorted(item.right)}"
                f"; topic {item.query.topic}"
            )
            shown += 1
            if shown >= limit:
                return


if __name__ == "__main__":
    main()
