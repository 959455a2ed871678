"""Makes the classifier from labelled appeals, the knowledge base and corrected proposals.

scikit-learn fits the weights; `classifier` uses them without it. The probabilities are made honest on appeals
that the weights have not seen (three folds), by one temperature for each of the three classifiers.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from backend.errors import ContentError
from backend.knowledge.entries import BoardName, Entry, LevelName
from backend.triage.boundaries import COLUMNS, Judge, describe, pieces, starts
from backend.triage.classifier import FORMAT, HEADS, MODEL, BrokenModel, Classifier, Features, Head, Linear
from backend.triage.features import grams, knowledge
from backend.triage.joining import Joined, Told, alike, groups, joined, letter, single
from backend.triage.labelled import Correction, Corrections, Labelled
from backend.triage.names import Names
from backend.triage.reading import normal
from backend.triage.rules import Knowledge, Rules
from backend.triage.splitting import split
from backend.triage.words import LONGEST, Words

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FOLDS: Final = 3

_SEEN_TWICE: Final = 2
_SHARE: Final = 0.5
_STRENGTH: Final[Mapping[Head, float]] = {"category": 10.0, "level": 30.0, "department": 10.0}
_OTHERS: Final = 0.35
"""Weight that the further right answers of an appeal have together, next to 1 for the best."""

_RARE: Final = 1.5
"""Weight of a whistle matter: among our labelled appeals they are rarer than at the desks."""

_DUTY: Final = 0.3
_SERVICE: Final = 0.15
_MOST_ANSWERS: Final = 4
_TEMPERATURES: Final = tuple(0.3 * 1.08**step for step in range(40))
_BINS: Final = 10
_NEVER: Final = 1e-6
_FEWEST: Final = 3
_PAIRS: Final = 8
"""Boundaries that a pair of characters must begin to be learnt."""

_PAIR: Final = 0.3
_WHISTLE: Final = 2.0
_SHORT: Final = 18
_LETTER: Final = 0.5
_BRIEF: Final = 2.0
_JOINED: Final = 2.0
_TOPIC_WORD: Final = 100
_COMMON: Final = 0.05
"""Share of the appeals from which a word is in too many to tell anything."""

_AS_TOLD: Final = 6.0
"""Weight of an appeal of several sentences just as it was told, next to one whose sentences we made."""

_CUT: Final = 0.6
"""Probability from which a message is cut: about 3 of 100 held-out single appeals are cut then."""


class Sources(Knowledge, Protocol):
    """What training reads of the knowledge base."""

    @property
    def entries(self) -> Mapping[str, Entry]:
        """The entries by id; those listed in a catalogue are service items."""
        ...


@dataclass(frozen=True)
class Quality:
    """How well one classifier does on appeals that it has not seen.

    Attributes:
        right: Share of appeals whose likeliest answer is a right one.
        error: Expected calibration error: how far the probability said is from the share right.
        bins: For each tenth of probability that occurs: appeals, mean probability, share right.
    """

    right: float
    error: float
    bins: tuple[tuple[int, float, float], ...]


@dataclass(frozen=True)
class Report:
    """What a training did.

    Attributes:
        trained: False if the model was there already and nothing had changed.
        appeals: Number of labelled appeals.
        corrections: Number of corrected proposals.
        features: Number of features.
        quality: By classifier, on unseen folds.
    """

    trained: bool
    appeals: int
    corrections: int
    features: int
    quality: Mapping[str, Quality]


@dataclass(frozen=True)
class _Row:
    """A text with weighted right answers for each classifier; none where nothing is known."""

    counts: Counter[str]
    seen: Mapping[str, float]
    answers: Mapping[Head, Mapping[str, float]]
    fold: int | None
    """None for what is never left out."""

    asked: bool = True
    """False for what only helps and is never asked about."""


def train(
    sources: Sources,
    labelled: Sequence[Labelled],
    corrections: Corrections,
    folder: Path,
    *,
    force: bool = False,
) -> Report:
    """Train the classifier and write it, unless one made from the same is there.

    Args:
        sources: The knowledge base.
        labelled: Labelled appeals.
        corrections: Corrected proposals; one with an unknown board, level or department teaches the rest.
        folder: Where trained models are kept.
        force: Train even if nothing has changed.
    """
    kept = list(corrections)
    made_from = fingerprint(sources, labelled, kept)
    path = folder / MODEL
    if not force:
        try:
            present = Classifier.load(path)
        except BrokenModel:
            present = None
        if present is not None and present.about.get("made_from") == made_from:
            quality = {head: _quality_of(fields) for head, fields in present.about["quality"].items()}
            return Report(False, len(labelled), len(kept), len(present.features), quality)
    rules = Rules(sources)
    rows = _rows(rules, sources, labelled, kept)
    features = _features([row for row in rows if row.asked or row.fold is None])
    matrix = _matrix(features, rows)
    quality = {}
    heads: dict[Head, Linear] = {}
    of_folds: list[dict[Head, Linear]] = [{} for _ in range(FOLDS)]
    for head in HEADS:
        scored, models = _unseen(matrix, rows, head)
        temperature = _temperature(scored)
        for fold, model in models.items():
            of_folds[fold][head] = _linear(model, temperature)
        quality[head] = measure(_calibrated(scored, temperature))
        heads[head] = _linear(_fit(matrix, rows, head), temperature)
    about = {
        "made_from": made_from,
        "appeals": len(labelled),
        "corrections": len(kept),
        "quality": {head: [found.right, found.error, found.bins] for head, found in quality.items()},
    }
    readers = [Classifier(features, of_fold, {}) for of_fold in of_folds]
    judge = _judge(rules, sources, readers, labelled)
    Classifier(features, heads, about, judge, _words(sources, labelled)).save(path)
    return Report(True, len(labelled), len(kept), len(features), quality)


def _words(sources: Sources, labelled: Sequence[Labelled]) -> Words:
    """The words of the appeals by a dictionary, and those of the topics, which it may not know."""
    texts = [normal(item.text) for item in labelled]
    held = {
        text[start : start + size]
        for text in texts
        for size in range(2, LONGEST + 1)
        for start in range(len(text) - size + 1)
    }
    found = {word: frequency for word, frequency in _dictionary() if word in held}
    for topic in sources.topics.values():
        for word in map(normal, topic.words):
            if 1 < len(word) <= LONGEST:
                found[word] = max(found.get(word, 0), _TOPIC_WORD)
    words = Words(dict(sorted(found.items())))
    texts_of = Counter(word for text in texts for word in {word for _, word in words.cut(text)})
    common = {word for word, count in texts_of.items() if count > len(texts) * _COMMON}
    return Words({word: found[word] for word in words.frequency if word in texts_of}, common)


def _dictionary() -> Iterator[tuple[str, int]]:
    """The words of jieba's dictionary with their frequency, read without the machinery around it."""
    package = find_spec("jieba")
    if package is None or package.origin is None:
        return
    with Path(package.origin).with_name("dict.txt").open(encoding="utf-8") as lines:
        for line in lines:
            word, frequency, *_ = line.split(" ")
            yield word, max(1, int(frequency))


def fingerprint(sources: Sources, labelled: Sequence[Labelled], corrections: Sequence[Correction]) -> str:
    """Returns a hash of everything that a model is made from, the code that reads texts included."""
    digest = hashlib.sha256(f"{FORMAT} {version('scikit-learn')}".encode())
    for module in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(module.read_bytes())
    for kind in (sources.topics, sources.signals, sources.departments, sources.boards):
        for item in kind.values():
            digest.update(item.model_dump_json().encode())
    for entry in sources.entries.values():
        if entry.listings:
            digest.update(f"{entry.id} {entry.title} {entry.board} {entry.facts.unit}".encode())
    for appeal in labelled:
        digest.update(appeal.model_dump_json().encode())
    for one in corrections:
        digest.update(json.dumps([one.text, one.category, one.level, one.lead_department]).encode())
    return digest.hexdigest()


def _rows(
    rules: Rules, sources: Sources, labelled: Sequence[Labelled], corrections: Sequence[Correction]
) -> list[_Row]:
    def row(text: str, answers: Mapping[Head, Mapping[str, float]], fold: int | None) -> _Row:
        evidence = rules.read(text)
        return _Row(grams(evidence.text), knowledge(rules, evidence), answers, fold, fold is not None)

    names = Names(rules.departments.values())
    found: list[_Row] = []
    for item in labelled:
        departments = [key for key in item.departments if key in rules.departments]
        found.append(
            row(
                item.text,
                {
                    "category": _weighted(item.categories),
                    "level": {item.level: _RARE if item.level == "whistle" else 1.0},
                    "department": _weighted(departments),
                },
                fold_of(item.text),
            )
        )
    for one in corrections:
        named = names.find(normal(one.lead_department or ""))
        answers: dict[Head, Mapping[str, float]] = {
            "category": {one.category: 1.0} if one.category in get_args(BoardName) else {},
            "level": {one.level: 1.0} if one.level in get_args(LevelName) else {},
            "department": {named[0].department: 1.0} if named else {},
        }
        found.append(row(one.text, answers, fold_of(one.text)))
    for topic in sources.topics.values():
        for line in (topic.title, *topic.examples):
            found.append(
                row(line, {"category": {topic.category: _DUTY}, "department": {topic.lead: _DUTY}}, None)
            )
    for department in rules.departments.values():
        for duty in department.duties:
            found.append(row(duty, {"department": {department.id: _DUTY}}, None))
    for entry in sources.entries.values():
        if entry.listings and entry.board:
            units = [named.department for unit in entry.facts.unit for named in names.find(normal(unit))]
            answers = {
                "category": {entry.board: _SERVICE},
                "department": _weighted(list(dict.fromkeys(units)), _SERVICE),
            }
            found.append(row(entry.title, answers, None))
    # The topics fit our labelled appeals better than strangers' ones, whose words they may not know: so each
    # text is also learnt without what the knowledge base says about it.
    return found + [replace(one, seen={}, asked=False) for one in found if one.fold is not None]


def fold_of(text: str) -> int:
    """Returns the fold of a text, always the same."""
    return hashlib.sha256(text.encode()).digest()[0] % FOLDS


def _weighted(answers: Sequence[str], weight: float = 1.0) -> dict[str, float]:
    """The best answer with most of the weight, the others sharing the rest."""
    kept = list(dict.fromkeys(answers))[:_MOST_ANSWERS]
    raw = [1.0, *([_OTHERS / (len(kept) - 1)] * (len(kept) - 1) if len(kept) > 1 else [])]
    return {answer: weight * share / sum(raw) for answer, share in zip(kept, raw, strict=False)}


def _features(rows: Sequence[_Row]) -> Features:
    """What occurs in two rows at least is a feature."""
    gram_rows: Counter[str] = Counter()
    known_rows: Counter[str] = Counter()
    for row in rows:
        gram_rows.update(row.counts.keys())
        known_rows.update(row.seen.keys())
    vocabulary = sorted(gram for gram, count in gram_rows.items() if count >= _SEEN_TWICE)
    known = sorted(name for name, count in known_rows.items() if count >= _SEEN_TWICE)
    rarity = [math.log((1 + len(rows)) / (1 + gram_rows[gram])) + 1 for gram in vocabulary]
    # as they will be read back
    return Features(vocabulary, np.array(rarity, np.float16).astype(np.float32), known, _SHARE)


def _matrix(features: Features, rows: Sequence[_Row]) -> csr_matrix:
    from scipy.sparse import csr_matrix

    described = [features.of(row.counts, row.seen) for row in rows]
    values = np.concatenate([item.value for item in described])
    places = np.concatenate([item.index for item in described])
    starts = np.cumsum([0, *(len(item.index) for item in described)])
    return csr_matrix((values, places, starts), shape=(len(rows), len(features)))


def _fit(matrix: csr_matrix, rows: Sequence[_Row], head: Head, left_out: int | None = None) -> Any:
    """A logistic regression of scikit-learn for one classifier, without the rows of a fold."""
    from sklearn.linear_model import LogisticRegression

    places, answers, weights = [], [], []
    for place, row in enumerate(rows):
        if left_out is None or row.fold != left_out:
            for answer, weight in row.answers.get(head, {}).items():
                places.append(place)
                answers.append(answer)
                weights.append(weight)
    if len(set(answers)) < _FEWEST:
        raise ContentError("标注的诉求太少，学不出分诊模型：每一项至少要有三种不同的答案。")
    model = LogisticRegression(C=_STRENGTH[head], solver="liblinear", dual=True, tol=1.0, random_state=0)
    # the dual is several times faster where there are more features than texts
    return model.fit(matrix[places], answers, sample_weight=weights)


def _linear(model: Any, temperature: float) -> Linear:
    """The weights as they will be read back."""
    return Linear(
        tuple(str(name) for name in model.classes_),
        model.coef_.T.astype(np.float16).astype(np.float32),
        model.intercept_.astype(np.float32),
        temperature,
    )


@dataclass(frozen=True)
class _Scored:
    """Scores of an appeal by a classifier that has not seen it, and which answers are right."""

    scores: NDArray[np.float32]
    right: NDArray[np.bool_]


def _unseen(matrix: csr_matrix, rows: Sequence[_Row], head: Head) -> tuple[list[_Scored], dict[int, Any]]:
    """Scores by classifiers that have not seen what they score, and these classifiers by fold."""
    found: list[_Scored] = []
    models: dict[int, Any] = {}
    for fold in range(FOLDS):
        asked = [
            place
            for place, row in enumerate(rows)
            if row.asked and row.fold == fold and row.answers.get(head)
        ]
        if not asked:
            continue
        model = models[fold] = _fit(matrix, rows, head, left_out=fold)
        for place, scores in zip(asked, model.decision_function(matrix[asked]), strict=True):
            right = np.array([name in rows[place].answers[head] for name in model.classes_])
            found.append(_Scored(scores, right))
    return found, models


@dataclass(frozen=True)
class _Short:
    """A topic's example, which tells of one matter in few words."""

    text: str
    departments: tuple[str, ...]


def _shorts(sources: Sources) -> list[_Short]:
    return [
        _Short(example, (topic.lead,))
        for topic in sources.topics.values()
        for example in topic.examples
        if len(example) <= _SHORT
    ]


def made_of(
    items: Sequence[Labelled], chance: random.Random, shorts: Sequence[Told] = ()
) -> list[tuple[Joined, float]]:
    """Returns messages of one matter and of several made of appeals, with what each counts.

    Args:
        items: The appeals.
        shorts: Matters told in few words.
        chance: Decides how they are told.
    """
    found: list[tuple[Joined, float]] = []
    for item in items:
        weight = _WHISTLE if item.level == "whistle" else 1.0
        found.append((single(item, chance), 2 * weight))
        found.append((Joined(item.text, ()), weight * _AS_TOLD))
    found += [(joined(group, chance), _JOINED) for group in groups(items, chance)]
    found += [(joined(group, chance), _BRIEF) for group in groups(shorts, chance)]
    # what one department has to do with one kind of thing is one story
    found += [
        (letter(group, chance), _LETTER)
        for group in alike(items, lambda item: (item.departments[:1], item.categories[:1]), chance)
    ]
    found += [
        (letter(group[:2], chance), 1.0) for group in alike(shorts, lambda item: item.departments, chance)
    ]
    return found


def _judge(
    rules: Rules, sources: Sources, readers: Sequence[Classifier], labelled: Sequence[Labelled]
) -> Judge | None:
    """Learns where another matter begins, from messages whose likelihoods come from unseen folds."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression

    columns: list[NDArray[np.float64]] = []
    begun: list[set[str]] = []
    answers: list[bool] = []
    weights: list[float] = []
    brief = _shorts(sources)
    for fold, reader in enumerate(readers):
        shorts = [item for item in brief if fold_of(item.text) == fold]
        items = [item for item in labelled if fold_of(item.text) == fold]
        if not items or len(reader.heads) < len(HEADS):
            return None
        for message, weight in made_of(items, random.Random(fold), shorts):  # noqa: S311 - the same messages each time
            if len(pieces(message.text)) < 2:
                continue
            described = describe(message.text, reader, rules.topics, split(message.text, rules.subject))
            if described is None:
                continue
            starting = [part.start for part in described.parts]
            right = {starting.index(place) for place in message.begins if place in starting}
            stretches = _stretches(sorted(right), len(starting))
            for first, last in stretches:
                columns.append(described.boundaries(first, last))
                for place in range(first + 1, last):
                    begun.append(starts(described.parts[place].text))
                    answers.append(place in right)
                    weights.append(weight / math.sqrt(len(stretches)))
    if len(set(answers)) < 2:
        return None
    common = Counter(pair for pairs in begun for pair in pairs)
    at = {
        pair: place
        for place, pair in enumerate(sorted(pair for pair, count in common.items() if count >= _PAIRS))
    }
    found = [(row, at[pair]) for row, pairs in enumerate(begun) for pair in sorted(pairs) if pair in at]
    rows, places = zip(*found, strict=True) if found else ((), ())
    pairs_of = csr_matrix((np.full(len(rows), _PAIR), (rows, places)), shape=(len(begun), len(at)))
    model = LogisticRegression(C=1.0, solver="liblinear", tol=1e-2, random_state=0)
    model.fit(hstack([csr_matrix(np.concatenate(columns)), pairs_of]).tocsr(), answers, sample_weight=weights)
    learnt = model.coef_[0]
    of_pairs = {pair: float(np.float32(learnt[COLUMNS + place] * _PAIR)) for pair, place in at.items()}
    return Judge(learnt[:COLUMNS].astype(np.float32), of_pairs, float(model.intercept_[0]), _CUT)


def _stretches(right: Sequence[int], count: int) -> list[tuple[int, int]]:
    """The stretches of a message that are judged when it is cut rightly in any order."""
    bounds = [0, *right, count]
    return [
        (first, last)
        for number, first in enumerate(bounds)
        for last in bounds[number + 1 :]
        if last - first > 1
    ]


def _temperature(scored: Sequence[_Scored]) -> float:
    """The temperature under which the probability of the likeliest answer tells best whether it is right."""

    def surprise(temperature: float) -> float:
        said = _calibrated(scored, temperature)
        return -sum(math.log(max(_NEVER, share if right else 1.0 - share)) for share, right in said)

    return min(_TEMPERATURES, key=surprise)


def _calibrated(scored: Sequence[_Scored], temperature: float) -> list[tuple[float, bool]]:
    """The probability of the likeliest answer and whether it is right, for each appeal."""
    found: list[tuple[float, bool]] = []
    # the classifiers of the folds may know different answers, those of one all know the same
    for _, items in groupby(scored, key=lambda item: len(item.scores)):
        group = list(items)
        scores = np.stack([item.scores for item in group])
        best = scores.argmax(axis=1)
        spread = np.exp((scores - scores.max(axis=1, keepdims=True)) / temperature).sum(axis=1)
        right = [bool(item.right[place]) for item, place in zip(group, best, strict=True)]
        found += zip((1.0 / spread).tolist(), right, strict=True)
    return found


def measure(said: Sequence[tuple[float, bool]]) -> Quality:
    """Returns how often the likeliest answer is right, and how honest its probability is.

    Args:
        said: Probability of the likeliest answer, and whether it is right.
    """
    bins: list[tuple[int, float, float]] = []
    for tenth in range(_BINS):
        inside = [item for item in said if min(_BINS - 1, int(item[0] * _BINS)) == tenth]
        if inside:
            mean = sum(probability for probability, _ in inside) / len(inside)
            bins.append(
                (len(inside), round(mean, 3), round(sum(right for _, right in inside) / len(inside), 3))
            )
    total = max(1, len(said))
    error = sum(count * abs(mean - right) for count, mean, right in bins) / total
    return Quality(round(sum(right for _, right in said) / total, 4), round(error, 4), tuple(bins))


def _quality_of(fields: Sequence[Any]) -> Quality:
    return Quality(fields[0], fields[1], tuple((count, mean, right) for count, mean, right in fields[2]))


def is_current(sources: Sources, labelled: Sequence[Labelled], present: Classifier) -> bool:
    """Returns whether a model without corrections would be made from the same as this one."""
    return present.about.get("made_from") == fingerprint(sources, labelled, [])
