"""What labelled appeals have taught: likelihoods of board, level and department, with numpy alone.

A model is one file that `training` writes: the weights of three linear classifiers over the same features,
and what belongs to them as JSON. Loading it needs a few megabytes and a few hundredths of a second.
"""

from __future__ import annotations

import io
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from backend.errors import QifuError
from backend.triage.boundaries import COLUMNS, Judge
from backend.triage.features import grams, knowledge, seen
from backend.triage.rules import Evidence, Rules
from backend.triage.words import Words

MODEL: Final = "triage.npz"
"""Name of the model's file in the folder of trained models."""

FORMAT: Final = 2
Head = Literal["category", "level", "department"]
HEADS: Final[tuple[Head, ...]] = ("category", "level", "department")

_SAYABLE: Final = re.compile(r"^[\u4e00-\u9fffa-z]{2,}$")
_WORDY: Final = re.compile(r"^[\u4e00-\u9fffa-z]{2,3}$")
_WORTH: Final = 0.04
_CLAUSE: Final = re.compile(r"\w+")
_MOST_GRAMS: Final = 40
_MOST_CLAUSES: Final = 8


class BrokenModel(QifuError):
    """The triage model's file cannot be read; proposals are made by the rules alone."""

    code = "broken_triage_model"


@dataclass(frozen=True)
class Described:
    """A text as sparse features.

    Attributes:
        index: Places of the features that are not zero.
        value: Their values.
    """

    index: NDArray[np.int32]
    value: NDArray[np.float32]


@dataclass(frozen=True)
class Likelihoods:
    """What a text is likely to be.

    Attributes:
        category: Board → probability, likeliest first; they sum to 1. The others alike.
        level: Level → probability.
        department: Id of a department → probability.
        described: The text's features, to say why.
    """

    category: Mapping[str, float]
    level: Mapping[str, float]
    department: Mapping[str, float]
    described: Described


class Features:
    """Turns texts into sparse features by a fixed vocabulary.

    Args:
        grams: The n-grams in the order of their places.
        rarity: Weight of each.
        known: Names of the knowledge features, whose places follow.
        share: Weight of a knowledge feature next to an n-gram.

    Attributes:
        wordy: For each n-gram whether it may be a word.
    """

    def __init__(
        self, grams: Sequence[str], rarity: NDArray[np.float32], known: Sequence[str], share: float
    ) -> None:
        self.grams = list(grams)
        self.rarity = rarity
        self.known = list(known)
        self.share = share
        self._gram_at = {gram: place for place, gram in enumerate(self.grams)}
        self._known_at = {name: place + len(self.grams) for place, name in enumerate(self.known)}
        self.wordy = np.array([bool(_WORDY.match(gram)) for gram in self.grams], np.bool_)

    def __len__(self) -> int:
        return len(self.grams) + len(self.known)

    def of(self, counts: Mapping[str, int], seen: Mapping[str, float], *, unit: bool = True) -> Described:
        """Returns the features of what `grams` and `knowledge` found in a text.

        Args:
            counts: Its n-grams.
            seen: What the knowledge base says of it.
            unit: Whether the n-grams' values are brought to length 1; else those of pieces can be added up.
        """
        at = self._gram_at
        found = list(counts.keys() & at.keys())
        index = np.fromiter(map(at.__getitem__, found), np.int32, len(found))
        value = np.fromiter(map(counts.__getitem__, found), np.float32, len(found))
        # a set has no order of its own, and sums must always be the same
        order = np.argsort(index)
        index, value = index[order], np.log(value[order]) + np.float32(1.0)
        value *= self.rarity[index]
        norm = (float(np.sqrt((value * value).sum())) or 1.0) if unit else 1.0
        more = [
            (place, level) for name, level in seen.items() if (place := self._known_at.get(name)) is not None
        ]
        return Described(
            np.concatenate([index, np.array([place for place, _ in more], np.int32)]),
            np.concatenate([value / norm, np.array([level * self.share for _, level in more], np.float32)]),
        )


@dataclass(frozen=True)
class Linear:
    """One linear classifier.

    Attributes:
        classes: What it tells apart.
        weights: Shape features × classes.
        bias: One for each class.
        temperature: Scores are divided by it before they become probabilities, so that these are honest.
    """

    classes: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    temperature: float

    def scores(self, text: Described) -> NDArray[np.float32]:
        """Returns one score for each class, as scikit-learn's ``decision_function`` does."""
        found: NDArray[np.float32] = text.value @ self.weights[text.index] + self.bias
        return found

    def probabilities(self, text: Described) -> dict[str, float]:
        """Returns class → probability, likeliest first."""
        scaled = self.scores(text) / self.temperature
        spread = np.exp(scaled - scaled.max())
        spread /= spread.sum()
        return {self.classes[place]: float(spread[place]) for place in np.argsort(-spread, kind="stable")}


class Classifier:
    """Three linear classifiers over the same features.

    Args:
        features: How a text becomes numbers.
        heads: The classifiers by what they decide.
        about: What the model was made from, for messages and for telling whether it is still of today.
        judge: Says where in a message another matter begins; None if that has not been learnt.
        lexicon: The words that reasons may quote.
    """

    def __init__(
        self,
        features: Features,
        heads: Mapping[Head, Linear],
        about: Mapping[str, Any],
        judge: Judge | None = None,
        lexicon: Words | None = None,
    ) -> None:
        self.features = features
        self.heads = dict(heads)
        self.about = dict(about)
        self.judge = judge
        self.lexicon = lexicon or Words({})
        self._usual = {head: linear.weights.mean(axis=1) for head, linear in self.heads.items()}

    def read(self, rules: Rules, evidence: Evidence) -> Likelihoods:
        """Returns what a text is likely to be.

        Args:
            rules: Those that read it.
            evidence: What they saw.
        """
        described = self.features.of(grams(evidence.text), knowledge(rules, evidence))
        found = {head: linear.probabilities(described) for head, linear in self.heads.items()}
        return Likelihoods(found["category"], found["level"], found["department"], described)

    def words(self, text: str, described: Described, head: Head, chosen: str, most: int = 3) -> list[str]:
        """Returns the whole words of a text that spoke most for a class, weightiest first.

        Args:
            text: The normal text.
            described: Its features.
            head: What was decided.
            chosen: The class.
            most: How many words at most.
        """
        linear = self.heads[head]
        if chosen not in linear.classes:
            return []
        place = linear.classes.index(chosen)
        weights = linear.weights[described.index, place]
        gain = described.value * (weights - self._usual[head][described.index])
        body = seen(text)
        # what an n-gram says is shared out among its characters, and a word says what its characters do
        of_signs = np.zeros(len(body))
        for number in np.argsort(-gain, kind="stable")[:_MOST_GRAMS]:
            at = int(described.index[number])
            gram = self.features.grams[at] if at < len(self.features.grams) else ""
            start = body.find(gram) if gram and gain[number] > 0 else -1
            while start >= 0:
                of_signs[start : start + len(gram)] += gain[number] / len(gram)
                start = body.find(gram, start + 1)
        told: dict[str, float] = {}
        upto = np.concatenate(([0.0], np.cumsum(of_signs)))
        clauses = [found.span() for found in _CLAUSE.finditer(body)]
        # a long letter is not cut whole for the sake of three words
        best = sorted(clauses, key=lambda span: upto[span[0]] - upto[span[1]])[:_MOST_CLAUSES]
        for first, last in sorted(best):
            for start, word in self.lexicon.cut(body[first:last]):
                if _SAYABLE.match(word) and self.lexicon.telling(word):
                    worth = upto[first + start + len(word)] - upto[first + start]
                    told[word] = max(told.get(word, 0.0), float(worth))
        ranked = sorted(told.items(), key=lambda item: -item[1])
        return [word for word, worth in ranked[:most] if worth >= _WORTH]

    def save(self, path: Path) -> None:
        """Write the model so that a reader sees the old file or the new one and nothing between.

        Args:
            path: The file; its folder is made if need be.
        """
        about = {
            **self.about,
            "format": FORMAT,
            "grams": self.features.grams,
            "known": self.features.known,
            "share": self.features.share,
            "words": self.lexicon.frequency,
            "common": sorted(self.lexicon.common),
            "heads": {
                head: {"classes": linear.classes, "temperature": linear.temperature}
                for head, linear in self.heads.items()
            },
        }
        arrays: dict[str, NDArray[Any]] = {"rarity": self.features.rarity.astype(np.float16)}
        for head, linear in self.heads.items():
            arrays[f"{head}_weights"] = linear.weights.astype(np.float16)
            arrays[f"{head}_bias"] = linear.bias.astype(np.float32)
        if self.judge is not None:
            about["judge"] = {
                "starts": list(self.judge.starts),
                "bias": self.judge.bias,
                "least": self.judge.least,
            }
            arrays["judge_weights"] = self.judge.weights.astype(np.float32)
            arrays["judge_starts"] = np.array(list(self.judge.starts.values()), np.float32)
        arrays["about"] = np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), np.uint8)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(buffer.getvalue())
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @classmethod
    def load(cls, path: Path) -> Classifier | None:
        """Read a model.

        Args:
            path: The file that `save` wrote.

        Returns:
            The classifier; None if there is no such file.

        Raises:
            BrokenModel: The file is not a model of this version.
        """
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
                about = json.loads(arrays["about"].tobytes())
                if about.pop("format") != FORMAT:
                    raise ValueError("another format")
                features = Features(
                    about.pop("grams"),
                    arrays["rarity"].astype(np.float32),
                    about.pop("known"),
                    about.pop("share"),
                )
                heads: dict[Head, Linear] = {
                    head: Linear(
                        tuple(fields["classes"]),
                        arrays[f"{head}_weights"].astype(np.float32),
                        arrays[f"{head}_bias"],
                        float(fields["temperature"]),
                    )
                    for head, fields in about.pop("heads").items()
                }
                said = about.pop("judge", None)
                lexicon = Words(about.pop("words"), about.pop("common"))
                judge = said and Judge(
                    arrays["judge_weights"],
                    dict(zip(said["starts"], arrays["judge_starts"].tolist(), strict=True)),
                    float(said["bias"]),
                    float(said["least"]),
                )
            if judge and len(judge.weights) != COLUMNS:
                raise ValueError("a judge of other boundaries")
            if set(heads) != set(HEADS) or any(
                len(linear.weights) != len(features) for linear in heads.values()
            ):
                raise ValueError("parts that do not fit")
        except FileNotFoundError:
            return None
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            EOFError,
            zipfile.BadZipFile,
        ) as error:
            raise BrokenModel(f"分诊模型 {path.name} 读不出来，请运行 qifu train 重新训练。") from error
        return cls(features, heads, about, judge, lexicon)
