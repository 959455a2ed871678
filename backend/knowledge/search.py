"""Finds the entry that a question is about, and says how sure that is.

Candidates are the entries that share the rarest words with the question, by spelling or by sound, and, where
an encoder is at work, those with a phrasing of like meaning. They are weighed by a handful of features (BM25
over characters and pairs, how much of the question an entry covers, names that it contains, whether it states
what was asked, how near its vectors are) with coefficients that `benchmarks/fit_answering.py` fits from
question sets and keeps in `data/model.json`; no number in it is set by hand. There are two sets of them: one
for words alone, and one with vectors.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import re
import threading
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.knowledge import facets, indexing, pinyin, text
from backend.knowledge.entries import Entry, Jurisdiction
from backend.knowledge.facets import Ask
from backend.knowledge.indexing import (
    Collector,
    Fingerprints,
    Floats,
    Inverted,
    Positions,
    Rows,
    Vocabulary,
    grams,
    shape_weight,
)
from backend.knowledge.loading import KnowledgeBase, prefix_of
from backend.knowledge.vectors import Vectors

_MODEL = Path(__file__).parent / "data" / "model.json"
_CANDIDATES = 24
_NEAR = 16  # candidates more that the vectors may add
_NEAR_PHRASES = 64  # phrasings nearest in meaning that these are found among
_ROUGH = 64  # entries that are looked at before the candidates are chosen
_POSTINGS = 50_000  # entries read in the lists of a question's words, the rarest first
_SOUND_ALONE = 0.5  # weight of a word that only sounds alike, against the word itself, in finding candidates
_WINDOWS = 2  # readings of one message at most: the whole, and its end, where the question mostly is
_LONG = 100  # characters from which a message of several clauses is also read clause by clause
_WHOLE = 140  # characters up to which a message is also read as one question
_PART = 40  # characters of a clause that is read by itself
_WHOLE_LEAD = 0.3  # confidence by which a part of a message must lead the whole of it
_SPARE = 5  # words of matter below which a part of a long message is not answered without reserve
_TOPIC = 12  # characters beyond which a longer topic says nothing more about how sure one can be
_EXACT = 20.0  # odds for an entry one of whose phrasings is the question, word for word
SURE = 0.99
# Log odds by which another district's entry must lead to be preferred unasked: when the question uses a word
# that only that district's documents use, and when it does not.
_HOME_LEAD = 0.8
_HOME_LEAD_UNSPOKEN = 6.0
_PROPER = 3  # characters of a proper name at least
_USERS = 6  # entries of a folder that use a proper name at least
_REMEMBERED = 20_000  # answers about what entries state that are kept
_SPOKEN = 0.15  # share of a topic in words of only one other district's documents that points to it

WORD_FEATURES = (
    "phrases_bm25",
    "title_likeness",
    "body_bm25",
    "entry_cover",
    "topic_phrase_likeness",
    "topic_entry_cover",
    "name_share",
    "local_entry_cover",
    "local_name_cover",
    "local_answer_cover",
    "asked_stated",
    "asked_in_facts",
    "asked_missing",
)
SOUND_FEATURES = ("sound_gain", "sound_repaired")
PAIR_FEATURES = (*WORD_FEATURES, *SOUND_FEATURES)
"""What is measured of a question and a candidate, by words alone."""

VECTOR_FEATURES = ("dense_best", "dense_mean", "dense_title", "dense_gap")
FUSED_FEATURES = (*PAIR_FEATURES, *VECTOR_FEATURES)
"""The same with vectors."""

_LEAD_FEATURES = ("lead", "topic_size", "bare")
TOP_FEATURES = (*PAIR_FEATURES, *_LEAD_FEATURES)
FUSED_TOP_FEATURES = (*FUSED_FEATURES, *_LEAD_FEATURES)


@dataclass(frozen=True)
class Coefficients:
    """Fitted coefficients: a ranker of candidates and the confidence in the first of them.

    Attributes:
        answer: Confidence from which a question is answered.
        likely: Confidence from which the first entry is shown, with reserve and alternatives.
        confirm: Confidence from which entries are offered to choose from; below, nothing fits.
    """

    rank: Floats
    rank_bias: float
    confidence: Floats
    confidence_bias: float
    answer: float
    likely: float
    confirm: float

    @classmethod
    def of(cls, data: Mapping[str, Any], pair: Sequence[str], top: Sequence[str]) -> Coefficients:
        """Reads the coefficients by name, so that a file of other features fails with a plain KeyError."""
        return cls(
            rank=np.array([data["rank"]["weights"][name] for name in pair], dtype=np.float64),
            rank_bias=float(data["rank"]["bias"]),
            confidence=np.array([data["confidence"]["weights"][name] for name in top], dtype=np.float64),
            confidence_bias=float(data["confidence"]["bias"]),
            answer=float(data["bands"]["answer"]),
            likely=float(data["bands"]["likely"]),
            confirm=float(data["bands"]["confirm"]),
        )

    def weigh(self, features: Floats) -> Floats:
        """Returns the log odds of candidates."""
        weighed: Floats = features @ self.rank + self.rank_bias
        return weighed

    def sure(self, top: Floats) -> float:
        """Returns the confidence in a candidate."""
        return _sigmoid(float(top @ self.confidence) + self.confidence_bias)


@dataclass(frozen=True)
class Model:
    """Coefficients for words alone and, where they were fitted, with vectors.

    Attributes:
        certain: Confidence by words alone from which the vectors are not asked.
    """

    lexical: Coefficients
    fused: Coefficients | None
    certain: float
    figures: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path = _MODEL) -> Model:
        """Reads a file of coefficients."""
        return cls.of(json.loads(path.read_text(encoding="utf-8")))

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Model:
        """Builds the model from the file's content."""
        fused = data.get("fused")
        return cls(
            lexical=Coefficients.of(data["lexical"], PAIR_FEATURES, TOP_FEATURES),
            fused=Coefficients.of(fused, FUSED_FEATURES, FUSED_TOP_FEATURES) if fused else None,
            certain=float(data.get("certain", 1.0)),
            figures=data.get("figures", {}),
        )

    @property
    def answer(self) -> float:
        """Confidence from which a question is answered."""
        return self.lexical.answer

    @property
    def likely(self) -> float:
        """Confidence from which the first entry is shown, with reserve and alternatives."""
        return self.lexical.likely

    @property
    def confirm(self) -> float:
        """Confidence from which entries are offered to choose from; below, nothing fits."""
        return self.lexical.confirm

    def level(self, score: float, of: Coefficients) -> float:
        """Returns a confidence on the scale of the first set, so that the same thresholds hold for both."""
        if of is self.lexical:
            return score
        marks = [0.0, of.confirm, max(of.likely, of.confirm + 1e-6), max(of.answer, of.likely + 2e-6), 1.0]
        return float(np.interp(score, marks, [0.0, self.confirm, self.likely, self.answer, 1.0]))


@functools.cache
def shipped_model() -> Model:
    """Returns the model in the package."""
    return Model.read()


@dataclass(frozen=True)
class Hit:
    """An entry that was found.

    Attributes:
        score: How likely it is what was asked, 0 to 1.
        odds: The ranker's log odds, to compare hits of one search with each other.
    """

    entry: Entry
    score: float
    odds: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class Query:
    """A question read: what it is about and what of it is asked.

    Attributes:
        text: Normalised.
        topic: What is left without districts, asking words and generic words.
        asks: What is asked.
        weights: Token to weight, for the whole question.
        topic_weights: Token to weight, for the topic.
        grams: Tokens of the whole question in order.
    """

    text: str
    topic: str
    asks: tuple[Ask, ...]
    grams: tuple[str, ...]
    weights: Mapping[str, float]
    topic_weights: Mapping[str, float]

    @property
    def size(self) -> int:
        """How many characters or words of the topic carry matter."""
        return sum(1 for token in self.topic_weights if len(token) == 1 or token.isascii())

    @property
    def bare(self) -> bool:
        """Whether the question names no topic of its own, as “那电话呢” does."""
        return not self.topic_weights


@dataclass(frozen=True)
class Finding:
    """What a search found, with what it understood on the way.

    Attributes:
        hits: Best first.
        query: The reading of the question that the first hit was found with.
        named: Jurisdictions that the question names.
        outside: A place named that no folder is about, if any.
    """

    hits: tuple[Hit, ...]
    query: Query
    named: tuple[Jurisdiction, ...] = ()
    outside: str | None = None


class _Scratch(threading.local):
    """A thread's own table from tokens to the columns of the question at hand."""

    def __init__(self, width: int) -> None:
        self.words = np.full(width, -1, dtype=np.int16)
        self.sounds = np.full(width, -1, dtype=np.int16)


@dataclass(frozen=True)
class _Columns:
    """A question's known tokens and sounds, each with a column, and what each weighs.

    A pair of characters that no entry has, but that sounds as one does, is read as that one: it was likely
    misheard or mistyped.

    Attributes:
        tokens: Numbers of the tokens.
        spelt: Tokens that count as one of these, with those themselves.
        spelt_columns: Which column each of them counts for.
        repaired: Of each token, 1 if it was only found by its sound.
        weights: Of each token in the whole question.
        topic: Of each token in the topic, 0 for those outside.
        pairs: Of each token in the topic that has a sound, what the sound weighs; 0 for others.
        alike: Tokens that sound as a pair of the topic does.
        alike_columns: Which sound each of these is.
        sounds: What each sound of the topic weighs.
    """

    tokens: Positions
    spelt: Positions
    spelt_columns: Positions
    repaired: Floats
    weights: Floats
    topic: Floats
    pairs: Floats
    alike: Positions
    alike_columns: Positions
    sounds: Floats


class KnowledgeIndex:
    """The search over one knowledge base; building takes well under a second for a thousand entries.

    Safe to be used by several threads at once.

    Args:
        base: What to search.
        home: Name of the home district: among entries of like standing its own come first.
        model: Coefficients; the shipped ones by default.

    Attributes:
        vectors: What the phrasings mean, once they are encoded; None while words alone serve.
        pressed: Tells whether so much is asked at once that words alone must do.
    """

    def __init__(self, base: KnowledgeBase, home: str | None = None, model: Model | None = None) -> None:
        self.base = base
        self.model = model or shipped_model()
        self.vectors: Vectors | None = None
        self.pressed: Callable[[], bool] = lambda: False
        self.entries: list[Entry] = sorted(base.entries.values(), key=lambda entry: entry.id)
        self.positions = {entry.id: number for number, entry in enumerate(self.entries)}
        self._home = prefix_of(base.home(home).id) if home else None
        self._wide = frozenset(
            prefix_of(item.id) for item in base.jurisdictions.values() if item.level == "province"
        )
        prefixes = [prefix_of(entry.id) for entry in self.entries]
        self._folder_names = sorted(set(prefixes))
        numbers = {prefix: number for number, prefix in enumerate(self._folder_names)}
        self._folders = np.array([numbers[prefix] for prefix in prefixes], dtype=np.int16)
        self._facets: dict[tuple[int, str], tuple[bool, bool]] = {}
        self._missing: dict[tuple[int, Ask], bool] = {}
        self._read_jurisdictions()
        self._build()
        self._themes = self._read_themes()
        self._longest_theme = max(map(len, self._themes), default=0)

    def _read_jurisdictions(self) -> None:
        self._names: list[tuple[str, Jurisdiction]] = sorted(
            (
                (text.squeeze(name), jurisdiction)
                for jurisdiction in self.base.jurisdictions.values()
                for name in (jurisdiction.name, *jurisdiction.aliases)
            ),
            key=lambda pair: (-len(pair[0]), pair[0]),
        )
        known = {name for name, _ in self._names}
        for territory in self.base.territories.values():
            known.update(text.squeeze(name) for name in (territory.name, *territory.aliases))
        self._places = tuple(place for place in text.words().places if text.squeeze(place) not in known)
        self._place = re.compile(text.any_of(self._places))

    def _build(self) -> None:
        words = Vocabulary()
        phrases, bodies = Collector(), Collector()
        frequencies, starts, are_names, prints = array("B"), array("q"), array("b"), array("q")
        names: dict[str, tuple[int, ...]] = {}
        for number, entry in enumerate(self.entries):
            starts.append(len(phrases.starts) - 1)
            called = {entry.title, *entry.aliases}
            for phrase in phrases_of(entry):
                normal = text.normalise(phrase)
                phrases.add(set(words.add(text.tokens(text.canonical(normal)))))
                prints.append(indexing.fingerprint(normal.replace(" ", "")))
                are_names.append(phrase in called)
                if phrase in called:
                    squeezed = text.squeeze(phrase)
                    if len(squeezed) >= 2:
                        names[squeezed] = (*names.get(squeezed, ()), number)
            counts = Counter(words.add(grams(body_of(entry))))
            bodies.add(counts)
            frequencies.extend([min(count, 255) for count in counts.values()])
        starts.append(len(phrases.starts) - 1)
        self._names_of_entries = names
        self._name_sizes: dict[str, tuple[int, ...]] = {}
        for name in names:
            sizes = self._name_sizes.get(name[:2], ())
            if len(name) not in sizes:
                self._name_sizes[name[:2]] = (*sizes, len(name))
        self._words, width = words, len(words)
        self._starts = np.frombuffer(starts, dtype=np.int64)
        self._phrases, self._bodies = phrases.rows(), bodies.rows()
        self._body_frequencies = _bytes(frequencies)
        self._are_names = _bytes(are_names).astype(np.bool_)
        self._owners = np.repeat(np.arange(len(self.entries), dtype=np.int32), np.diff(self._starts))
        self._phrased_so = Fingerprints(prints, self._owners)
        one_each = np.arange(len(self.entries) + 1)
        self._holders = Inverted([(self._phrases, self._starts), (self._bodies, one_each)], width)
        self._weigh_tokens(width)
        self._tokens = list(words.tokens())
        self._scratch = _Scratch(width)

    def _weigh_tokens(self, width: int) -> None:
        size = len(self.entries)
        held = self._holders.counts
        shapes = np.fromiter(map(shape_weight, self._words.tokens()), np.float64, width)
        self._shapes = shapes
        self._unseen = indexing.unseen(size)
        self._weights = indexing.idf(held, size) * shapes
        self._phrase_weight = self._phrases.sums(self._weights)
        self._phrase_idf = indexing.idf(indexing.counted(self._phrases.values, width), len(self._phrases))
        self._phrase_unseen = indexing.unseen(len(self._phrases))
        self._body_idf = indexing.idf(indexing.counted(self._bodies.values, width), size)
        self._phrase_norm = (1 / (1 + indexing.K1 * indexing.length_share(self._phrases.lengths))).astype(
            np.float32
        )
        lengths = _totals(self._bodies, self._body_frequencies)
        self._body_norm = (indexing.K1 * indexing.length_share(lengths)).astype(np.float32)
        # What each folder uses: tokens (rows) by folders (columns), counted in entries.
        self._held_by = self._holders.by_kind(self._folders, max(len(self._folder_names), 1))
        self._read_sounds(width)

    def _read_sounds(self, width: int) -> None:
        numbers: dict[str, int] = {}
        of_token = np.full(width, -1, dtype=np.int32)
        for number, token in enumerate(self._words.tokens()):
            said = pinyin.sound(token)
            if said is not None:
                of_token[number] = numbers.setdefault(said, len(numbers))
        self._sounds = numbers
        spoken = np.flatnonzero(of_token >= 0)
        order = spoken[np.lexsort((-self._holders.counts[spoken], of_token[spoken]))]
        self._alike = Rows(
            np.concatenate([[0], np.cumsum(np.bincount(of_token[spoken], minlength=len(numbers)))]), order
        )
        size = len(self.entries)
        held = np.bincount(of_token[spoken], weights=self._holders.counts[spoken], minlength=len(numbers))
        self._sound_idf = indexing.idf(np.minimum(held, size).astype(np.int64), size)

    def _read_themes(self) -> dict[str, str]:
        """Returns the proper names of themes that only one folder has, with its prefix.

        A proper name is a title or alias that several entries of the folder use and no entry of another; it
        may lack its district, or be cut to its beginning or end if very many entries do so, as 小站 is for
        暖企小站.
        """

        def owner(name: str, least: int = _USERS) -> str | None:
            pairs = [self._words.number(token) for token in grams(name) if len(token) > 1]
            known = [pair for pair in pairs if pair is not None]
            if not known or len(known) < len(pairs):
                return None
            known.sort(key=lambda pair: int(self._holders.counts[pair]))
            users = self._holders.holders(known[0])
            for pair in known[1:]:
                if len(users) < least:
                    return None
                users = users[_among(users, self._holders.holders(pair))]
            folders = set(self._folders[users].tolist())
            return self._folder_names[folders.pop()] if len(folders) == 1 and len(users) >= least else None

        themes: dict[str, str] = {}
        for name in self._names_of_entries:
            prefix = owner(name) if len(name) >= _PROPER else None
            if prefix is None:
                continue
            themes[name] = prefix
            bare = text.squeeze(self.named(name)[2])
            if len(bare) >= _PROPER and owner(bare) == prefix:
                themes[bare] = prefix
            for size in range(2, 0 if name.isascii() else len(name)):
                for part in (name[:size], name[-size:]):
                    if owner(part, 2 * _USERS) == prefix:
                        themes[part] = prefix
        return themes

    def phrasings(self) -> list[str]:
        """Returns every way of naming every entry, normalised, in the order of its number."""
        return [text.normalise(phrase) or phrase for entry in self.entries for phrase in phrases_of(entry)]

    def names_theme(self, question: str, prefix: str) -> bool:
        """Tells whether a question uses a proper name that only the folder with this prefix uses."""
        spoken = text.squeeze(question)
        return any(
            self._themes.get(spoken[start:end]) == prefix
            for start in range(len(spoken))
            for end in range(start + 2, min(start + self._longest_theme, len(spoken)) + 1)
        )

    def is_elsewhere(self, entry: Entry) -> bool:
        """Tells whether an entry is about another district or city than the home district."""
        return self._home is not None and not self._at_home(self.positions[entry.id])

    def unheard(self, entry: Entry, query: Query) -> int:
        """Returns the longest run of a question's topic, in characters, of which an entry has no word."""
        position = self.positions[entry.id]
        known = set(self._bodies.row(position).tolist())
        known.update(self._phrases.gather(np.arange(*self._starts[position : position + 2]))[0].tolist())
        grammar = text.words().grammar
        longest = 0
        for clause in text.canonical(query.topic).split():
            pairs = [self._hears(clause[at : at + 2], known) for at in range(len(clause) - 1)]
            run = 0
            for at, char in enumerate(clause):
                if any(pairs[max(at - 1, 0) : at + 1]):
                    run = 0
                elif char not in grammar and not char.isascii():
                    run += 1
                    longest = max(longest, run)
        return longest

    def _hears(self, pair: str, known: Collection[int]) -> bool:
        """Tells whether some tokens hold a pair of characters, or one that sounds alike."""
        if self._words.number(pair) in known:
            return True
        sound = self._sounds.get(pinyin.sound(pair) or "")
        return sound is not None and any(int(token) in known for token in self._alike.row(sound))

    def weight(self, token: str) -> float:
        """Returns what a token counts: rare more than common, pairs more than characters, grammar little."""
        number = self._words.number(token)
        if number is not None:
            return float(self._weights[number])
        sound = self._sound_of(token)
        return shape_weight(token) * (self._unseen if sound is None else float(self._sound_idf[sound]))

    def _sound_of(self, token: str) -> int | None:
        """Returns the number of how a pair sounds, if any entry has a pair that does."""
        said = pinyin.sound(token)
        return None if said is None else self._sounds.get(said)

    # Understanding the question

    def named(self, question: str) -> tuple[tuple[Jurisdiction, ...], str | None, str]:
        """Finds the districts in a question.

        Returns:
            Those that folders are about; a place outside, if one is named instead; the normalised question
            without them.
        """
        rest = _normal(question)
        found: list[Jurisdiction] = []
        for name, jurisdiction in self._names:
            if name and name in rest:
                # “江东一路”, “宁波港”: part of an address or of another name, not of a district's name.
                pieces = rest.split(name)
                if all(itertools.starmap(_means_another, itertools.pairwise(pieces))):
                    continue
                rest = " ".join(pieces)
                if jurisdiction not in found:
                    found.append(jurisdiction)
        outside = None
        if not found:
            outside = self._outside(rest)
        return tuple(found), outside, " ".join(rest.split())

    def _outside(self, rest: str) -> str | None:
        if self._place.search(rest) is None:
            return None
        return next((place for place in self._places if _asks_about(rest, place)), None)

    def read(self, question: str) -> Query:
        """Reads one question (or one clause of it)."""
        _, _, rest = self.named(question)
        normal = _normal(question)
        spoken = tuple(dict.fromkeys(grams(normal)))
        asks = facets.asked(rest)
        lists = text.words()
        stripped = facets.strip(rest)
        inside = self._names_within(stripped)
        topic = lists.generic.sub(
            lambda match: match.group() if inside[match.start() : match.end()].all() else " ", stripped
        )
        topic = " ".join(lists.particles.sub(" ", topic).split())
        topic_grams = dict.fromkeys(grams(topic))
        topic_weights = {
            gram: self.weight(gram) for gram in topic_grams if not all(char in lists.grammar for char in gram)
        }
        return Query(
            text=normal,
            topic=topic,
            asks=asks,
            grams=spoken,
            weights={gram: self.weight(gram) for gram in spoken},
            topic_weights=topic_weights,
        )

    def _readings(self, question: str) -> list[Query]:
        """Reads the whole message if it is short enough to be one question, and clauses that may hold it."""
        normal = _normal(question)
        clauses = text.clauses(normal)
        length = len(normal) - len(clauses) + 1
        readings = (
            [self.read(normal)] if length <= _WHOLE or (len(clauses) < 2 and length <= _WHOLE + 10) else []
        )
        if length < _LONG or (len(clauses) < 2 and readings):
            return readings
        asking = [clause for clause in clauses if facets.asked(clause)]
        windows = [" ".join(clauses[-2:]), clauses[-1], *reversed(asking), clauses[0]]
        for window in dict.fromkeys(window[-_PART:] for window in windows):
            if window != normal and len(readings) < _WINDOWS:
                reading = self.read(window)
                if reading.size >= 3:
                    readings.append(reading)
        return readings or [self.read(normal[-_PART:])]

    def spelt(self, typed: str) -> str:
        """Returns a normalised text with characters that fit no neighbour replaced by ones that sound alike.

        What is encoded has no other way to know that 形政 is 行政. Only characters whose pairs with their
        neighbours no entry knows are touched.
        """
        return " ".join(map(self._spelt_clause, typed.split(" ")))

    def _spelt_clause(self, clause: str) -> str:
        chars = list(clause)
        for at in range(len(chars)):
            pairs = [start for start in (at - 1, at) if 0 <= start < len(chars) - 1]
            spoken = ["".join(chars[start : start + 2]) for start in pairs]
            if any(self._words.number(pair) is not None for pair in spoken):
                continue
            votes: dict[str, int] = {}
            for start, pair in zip(pairs, spoken, strict=True):
                sound, place = self._sound_of(pair), at - start
                for number in () if sound is None else self._alike.row(sound).tolist():
                    other = self._tokens[number]
                    if other[1 - place] == pair[1 - place]:
                        votes[other[place]] = votes.get(other[place], 0) + int(self._holders.counts[number])
            if votes:
                chars[at] = max(votes, key=lambda char: (votes[char], char))
        return "".join(chars)

    # Weighing

    def _columns(self, query: Query) -> _Columns:
        tokens: list[int] = []
        spelt: list[int] = []
        spelt_columns: list[int] = []
        repaired: list[float] = []
        weights: list[float] = []
        topic: list[float] = []
        known = {token: self._words.number(token) for token in query.weights}
        own = {number for number in known.values() if number is not None}
        for token, number in known.items():
            alike_to = [] if number is None else [number]
            if number is None and (sound := self._sound_of(token)) is not None:
                # Ordered by how many entries have it.
                alike_to = [same for same in self._alike.row(sound).tolist() if same not in own]
            if not alike_to:
                continue
            own.update(alike_to)
            spelt += alike_to
            spelt_columns += [len(tokens)] * len(alike_to)
            tokens.append(alike_to[0])
            repaired.append(float(number is None))
            weights.append(query.weights[token])
            topic.append(query.topic_weights.get(token, 0.0))
        pairs = [0.0] * len(tokens)
        columns = {number: column for column, number in enumerate(tokens)}
        alike: list[NDArray[np.int32]] = []
        of: list[int] = []
        sounds: dict[int, float] = {}
        lost = 0.0
        for token in query.topic_weights:
            if pinyin.sound(token) is None:
                continue
            sound = self._sound_of(token)
            if sound is None:
                # Nothing sounds like it: it weighs in the whole and can be covered by nothing.
                lost += self._unseen * shape_weight(token)
                continue
            weight = float(self._sound_idf[sound]) * shape_weight(token)
            if (column := columns.get(self._words.number(token) or -1)) is not None:
                pairs[column] = weight
            if sound not in sounds:
                same = self._alike.row(sound)
                alike.append(same)
                of += [len(sounds)] * len(same)
                sounds[sound] = weight
        return _Columns(
            tokens=np.array(tokens, dtype=np.int64),
            spelt=np.array(spelt, dtype=np.int64),
            spelt_columns=np.array(spelt_columns, dtype=np.int64),
            repaired=np.array(repaired),
            weights=np.array(weights),
            topic=np.array(topic),
            pairs=np.array(pairs),
            alike=np.concatenate(alike).astype(np.int64) if alike else np.zeros(0, dtype=np.int64),
            alike_columns=np.array(of, dtype=np.int64),
            sounds=np.array([*sounds.values(), lost]),
        )

    def features(
        self,
        query: Query,
        allowed: NDArray[np.bool_],
        *,
        without_phrases: Collection[int] = (),
        meaning: NDArray[np.float32] | None = None,
    ) -> tuple[Positions, Floats]:
        """Returns the best candidates and their features.

        Args:
            query: The question.
            allowed: Which entries may be answered from.
            without_phrases: Phrasings to leave out of account, when they are themselves the test.
            meaning: The question's vector, to weigh and find candidates by it too.

        Returns:
            Positions of entries, shape (n,), and their features, shape (n, m): by `FUSED_FEATURES` if a
            vector is given, by `PAIR_FEATURES` otherwise.
        """
        vectors = self.vectors if meaning is not None else None
        names = PAIR_FEATURES if vectors is None else FUSED_FEATURES
        count = min(_CANDIDATES, int(np.count_nonzero(allowed))) if query.grams else 0
        if not count:
            return np.zeros(0, dtype=np.int64), np.zeros((0, len(names)))
        columns = self._columns(query)
        left_out = np.array(sorted(without_phrases), dtype=np.int64)
        scratch = self._scratch
        scratch.words[columns.spelt] = columns.spelt_columns
        scratch.sounds[columns.alike] = columns.alike_columns
        try:
            chosen = self._candidates(query, columns, allowed, left_out, count)
            near: _Near | None = None
            if vectors is not None and meaning is not None:
                near = self._near(vectors, meaning, allowed, left_out)
                more = near.entries[~np.isin(near.entries, chosen)][:_NEAR]
                chosen = np.concatenate([chosen, more])
            measured = self._measure(query, columns, chosen, left_out)
        finally:
            scratch.words[columns.spelt] = -1
            scratch.sounds[columns.alike] = -1
        if vectors is not None and near is not None and meaning is not None:
            measured |= self._compare(vectors, meaning, chosen, left_out, near.best)
        return chosen, np.column_stack([measured[name] for name in names])

    def _candidates(
        self, query: Query, columns: _Columns, allowed: NDArray[np.bool_], left_out: Positions, count: int
    ) -> Positions:
        """Returns the entries that share most with a question, best first."""
        size = len(self.entries)
        total = max(sum(query.weights.values()), 1e-9)
        topic_total = max(sum(query.topic_weights.values()), 1e-9)
        rough = self._rough(columns, total, topic_total)
        for phrase in left_out.tolist():
            self._forget(rough, columns, phrase, total, topic_total)
        rough = np.where(allowed, rough, -1.0)
        if size > _ROUGH:
            found = np.argpartition(-rough, _ROUGH - 1)[:_ROUGH].astype(np.int64)
            found = np.sort(found[rough[found] >= 0])
        else:
            found = np.flatnonzero(allowed)
        places, of = spans_of(self._starts, found)
        keep = ~np.isin(places, left_out) if len(left_out) else slice(None)
        places, of = places[keep], of[keep]
        tokens, row = self._phrases.gather(places)
        column = self._scratch.words[tokens]
        there = column >= 0
        row, column = row[there], column[there]
        own = float(self._phrase_idf[columns.tokens].sum())
        own += self._phrase_unseen * (len(query.grams) - len(columns.tokens))
        bm25 = _sums(row, self._phrase_idf[columns.tokens][column], len(places))
        bm25 *= self._phrase_norm[places] * ((1 + indexing.K1) / max(own, 1e-9))
        shared = _sums(row, columns.topic[column], len(places)) / topic_total
        score = _highest(bm25, of, len(found)) + _highest(shared, of, len(found))
        # What stands in the answer only, or only sounds like the question, counts by the rough score.
        score += 0.5 * rough[found]
        best = np.lexsort((found, -score))[:count]
        chosen: Positions = found[best]
        return chosen

    def _rough(self, columns: _Columns, total: float, topic_total: float) -> Floats:
        """Returns how much of the question each entry has, by its rarest words as far as the budget goes."""
        counts = self._holders.counts
        lists = [
            (int(counts[token]), int(token), weight / total + topic / topic_total)
            for token, weight, topic in zip(
                columns.tokens.tolist(), columns.weights.tolist(), columns.topic.tolist(), strict=True
            )
        ]
        own = set(columns.tokens.tolist())
        lists += [
            (int(counts[token]), token, _SOUND_ALONE * float(columns.sounds[sound]) / topic_total)
            for token, sound in zip(columns.alike.tolist(), columns.alike_columns.tolist(), strict=True)
            if token not in own
        ]
        lists.sort()
        budget = _POSTINGS
        score = np.zeros(len(self.entries))
        for held, token, weight in lists:
            if budget < held and budget < _POSTINGS:
                break
            budget -= held
            score[self._holders.holders(token)] += weight
        return score

    def _forget(
        self, rough: Floats, columns: _Columns, phrase: int, total: float, topic_total: float
    ) -> None:
        """Takes out of the rough scores what an entry has only from one phrasing."""
        owner = int(self._owners[phrase])
        others = np.array(
            [row for row in range(*self._starts[owner : owner + 2]) if row != phrase], dtype=np.int64
        )
        tokens = np.concatenate([self._phrases.gather(others)[0], self._bodies.row(owner)])
        there, sounds = np.isin(columns.tokens, tokens), np.isin(columns.alike, tokens)
        rough[owner] = (columns.weights[there] / total + columns.topic[there] / topic_total).sum()
        alone = sounds & ~np.isin(columns.alike, columns.tokens)
        rough[owner] += _SOUND_ALONE * columns.sounds[columns.alike_columns[alone]].sum() / topic_total

    def _body_bm25(self, query: Query, columns: _Columns, rows: Positions) -> Floats:
        places, row = self._bodies.places(rows)
        column = self._scratch.words[self._bodies.values[places]]
        there = column >= 0
        row, column = row[there], column[there]
        times = self._body_frequencies[places[there]].astype(np.float64)
        gained = self._body_idf[columns.tokens][column] * times / (times + self._body_norm[rows][row])
        own = float(self._body_idf[columns.tokens].sum())
        own += self._unseen * (len(query.grams) - len(columns.tokens))
        return _sums(row, gained, len(rows)) * ((1 + indexing.K1) / max(own, 1e-9))

    def _measure(
        self, query: Query, columns: _Columns, chosen: Positions, left_out: Positions
    ) -> dict[str, Floats]:
        """Returns the features by words and sounds of some candidates."""
        count, width = len(chosen), len(columns.tokens)
        total = max(sum(query.weights.values()), 1e-9)
        topic_total = max(sum(query.topic_weights.values()), 1e-9)
        places, of = spans_of(self._starts, chosen)
        keep = ~np.isin(places, left_out) if len(left_out) else slice(None)
        places, of = places[keep], of[keep]
        tokens, row = self._phrases.gather(places)
        in_phrases = _table(row, self._scratch.words[tokens], len(places), width)
        sounds_in_phrases = _table(row, self._scratch.sounds[tokens], len(places), len(columns.sounds))
        tokens, row = self._bodies.gather(chosen)
        in_bodies = _table(row, self._scratch.words[tokens], count, width)
        sounds = _table(row, self._scratch.sounds[tokens], count, len(columns.sounds))
        wholes, names = in_bodies.copy(), np.zeros_like(in_bodies)
        _unite(wholes, of, in_phrases)
        _unite(sounds, of, sounds_in_phrases)
        named = self._are_names[places]
        _unite(names, of[named], in_phrases[named])
        titles = np.zeros_like(in_bodies)
        is_title = places == self._starts[chosen][of]
        titles[of[is_title]] = in_phrases[is_title]
        own = float(self._phrase_idf[columns.tokens].sum())
        own += self._phrase_unseen * (len(query.grams) - width)
        bm25 = in_phrases @ self._phrase_idf[columns.tokens] * self._phrase_norm[places]
        bm25 *= (1 + indexing.K1) / max(own, 1e-9)
        likeness = 2 * (in_phrases @ columns.topic) / (topic_total + self._phrase_weight[places])
        sound_total = max(float(columns.sounds.sum()), 1e-9)
        sound_cover = sounds @ columns.sounds / sound_total
        return {
            "phrases_bm25": _mean_of_best(bm25, of, count),
            "title_likeness": 2
            * (titles @ columns.weights)
            / (total + self._phrase_weight[self._starts[chosen]]),
            "body_bm25": self._body_bm25(query, columns, chosen),
            "entry_cover": wholes @ columns.weights / total,
            "topic_phrase_likeness": _highest(likeness, of, count),
            "topic_entry_cover": wholes @ columns.topic / topic_total,
            "name_share": self._name_shares(query, chosen),
            "local_entry_cover": self._local_cover(wholes, columns.tokens),
            "local_name_cover": self._local_cover(names, columns.tokens),
            "local_answer_cover": self._local_cover(in_bodies, columns.tokens),
            "sound_repaired": wholes @ (columns.weights * columns.repaired) / total,
            "sound_gain": np.maximum(sound_cover - wholes @ columns.pairs / sound_total, 0.0),
            **self._asked(query, chosen),
        }

    def _asked(self, query: Query, chosen: Positions) -> dict[str, Floats]:
        """Returns how much of what was asked each candidate states."""
        stated, listed, missing = (np.zeros(len(chosen)) for _ in range(3))
        strict = [ask for ask in query.asks if ask.strict]
        for row, position in enumerate(chosen.tolist()):
            for ask in query.asks:
                told = self._facets.get((position, ask.facet))
                if told is None:
                    entry = self.entries[position]
                    told = facets.has(entry, ask.facet), bool(getattr(entry.facts, ask.facet, None))
                    if len(self._facets) < _REMEMBERED:
                        self._facets[position, ask.facet] = told
                stated[row] += told[0] / len(query.asks)
                listed[row] += told[1] / len(query.asks)
            for ask in strict:
                lacks = self._missing.get((position, ask))
                if lacks is None:
                    lacks = not facets.answers(self.entries[position], ask)
                    if len(self._missing) < _REMEMBERED:
                        self._missing[position, ask] = lacks
                missing[row] += lacks / len(strict)
        return {"asked_stated": stated, "asked_in_facts": listed, "asked_missing": missing}

    def _near(
        self, vectors: Vectors, meaning: NDArray[np.float32], allowed: NDArray[np.bool_], left_out: Positions
    ) -> _Near:
        """Returns the entries with the phrasings nearest in meaning, nearest first."""
        everywhere = bool(allowed.all())
        rows, likeness = vectors.nearest(
            meaning, _NEAR_PHRASES + len(left_out), None if everywhere else allowed[self._owners]
        )
        if len(left_out):
            keep = ~np.isin(rows, left_out)
            rows, likeness = rows[keep], likeness[keep]
        owners = self._owners[rows]
        _, first = np.unique(owners, return_index=True)
        entries = owners[np.sort(first)].astype(np.int64)
        return _Near(entries, float(likeness[0]) if len(likeness) else 0.0)

    def _compare(
        self,
        vectors: Vectors,
        meaning: NDArray[np.float32],
        chosen: Positions,
        left_out: Positions,
        best: float,
    ) -> dict[str, Floats]:
        """Returns the features by meaning of some candidates."""
        places, of = spans_of(self._starts, chosen)
        likeness = vectors.likeness(meaning, places).astype(np.float64)
        if len(left_out):
            keep = ~np.isin(places, left_out)
            places, of, likeness = places[keep], of[keep], likeness[keep]
        count = len(chosen)
        titles = np.zeros(count)
        is_title = places == self._starts[chosen][of]
        titles[of[is_title]] = likeness[is_title]
        highest = _highest(likeness, of, count)
        return {
            "dense_best": highest,
            "dense_mean": _mean_of_best(likeness, of, count),
            "dense_title": titles,
            "dense_gap": np.minimum(highest - best, 0.0),
        }

    def _local_cover(self, there: NDArray[np.bool_], tokens: Positions) -> Floats:
        """Returns how much of the question each candidate covers, counting what tells the candidates apart.

        Args:
            there: Which candidates (rows) contain which tokens (columns).
            tokens: The tokens.
        """
        holders = there.sum(axis=0)
        weights = self._shapes[tokens] * np.log((len(there) + 1) / (holders + 0.5)) * (holders > 0)
        total = float(weights.sum())
        return there @ weights / total if total > 0 else np.zeros(len(there))

    def _name_shares(self, query: Query, chosen: NDArray[np.int64]) -> Floats:
        """Returns how much of the topic the longest name of an entry takes up that stands in the question."""
        size = max(len(query.topic.replace(" ", "")), 1)
        found: dict[int, int] = {}
        for name in self.names_in(query.text.replace(" ", "")):
            for position in self._names_of_entries[name]:
                found[position] = max(found.get(position, 0), len(name))
        return np.array([min(found.get(int(position), 0) / size, 1.0) for position in chosen])

    def _names_within(self, spoken: str) -> NDArray[np.bool_]:
        """Returns which characters of a text belong to the name of an entry, 企业 in 企业码 for example."""
        within = np.zeros(len(spoken), dtype=np.bool_)
        for name in self.names_in(spoken):
            if len(name) >= _PROPER:
                at = spoken.find(name)
                while at >= 0:
                    within[at : at + len(name)] = True
                    at = spoken.find(name, at + 1)
        return within

    def names_in(self, spoken: str) -> set[str]:
        """Returns the titles and aliases of entries that stand in a text without spaces."""
        names, sizes = self._names_of_entries, self._name_sizes
        return {
            spoken[start : start + size]
            for start in range(len(spoken) - 1)
            for size in sizes.get(spoken[start : start + 2], ())
            if spoken[start : start + size] in names
        }

    def top_features(self, query: Query, features: Floats, odds: Floats, first: int = 0) -> Floats:
        """Returns the features of the confidence in one candidate: its own, then by `_LEAD_FEATURES`."""
        others = np.delete(odds, first)
        lead = float(odds[first] - others.max()) if len(others) else 4.0
        size = min(query.size, _TOPIC)
        extra = [
            min(max(lead, -4.0), 4.0),
            math.log1p(size),
            1.0 if query.bare else 0.0,
        ]
        return np.concatenate([features[first], extra])

    # Searching

    def allowed(self, named: Iterable[Jurisdiction]) -> NDArray[np.bool_]:
        """Returns which entries may be answered from when these jurisdictions are named; all when none is."""
        prefixes = {prefix_of(item.id) for item in named}
        if not prefixes:
            return np.ones(len(self.entries), dtype=np.bool_)
        prefixes |= self._wide
        wanted = np.array([prefix in prefixes for prefix in self._folder_names], dtype=np.bool_)
        return wanted[self._folders] if len(wanted) else np.zeros(0, dtype=np.bool_)

    def search(self, question: str, k: int = 5, district: str | None = None) -> list[Hit]:
        """Returns the best entries, best first.

        Args:
            question: As typed; any text.
            k: How many at most.
            district: Answer from this district only, unless the question names another.
        """
        return list(self.look_up(question, k=k, district=district).hits)

    def look_up(self, question: str, *, k: int = 5, district: str | None = None) -> Finding:
        """Searches and tells what was understood.

        By words first. Only where they leave a doubt, and vectors are at hand, the question is encoded
        and weighed again, as a whole, by words and meaning.
        """
        question = text.shorten(question)
        named, outside, _ = self.named(question)
        chosen_district = self.base.jurisdiction_named(district) if district else None
        scope = named or ((chosen_district,) if chosen_district else ())
        search = _Search(
            allowed=self.allowed(scope),
            k=k,
            prefer_home=not scope,
            names=self.names_in(text.squeeze(question)),
            long=len(text.squeeze(question)) > _WHOLE,
        )
        readings = self._readings(question)
        best = self._best(readings, search, readings[0])
        vectors = self.vectors
        if (
            vectors is not None
            and self.model.fused is not None
            and (not best.hits or best.hits[0].score < self.model.certain)
        ):
            meaning = vectors.meaning(self.spelt(readings[0].text), ask=not self.pressed())
            if meaning is not None:
                # The whole message: one encoding is as dear as all else, and understands long ones best.
                whole = self._best(readings[:1], search, readings[0], [meaning])
                part = best.query is not readings[0] and bool(best.hits and whole.hits)
                if not part or best.hits[0].score <= whole.hits[0].score + _WHOLE_LEAD:
                    best = whole
        return replace(best, named=named, outside=outside)

    def _best(
        self,
        readings: Sequence[Query],
        search: _Search,
        whole: Query,
        meanings: Sequence[NDArray[np.float32] | None] = (),
    ) -> Finding:
        """Returns what the reading finds that is surest of it."""
        best: Finding | None = None
        for number, query in enumerate(readings):
            hits = self._weigh(query, search, meanings[number] if meanings else None)
            part = query is not whole or search.long
            spoken = query.text.replace(" ", "")
            if part and hits and (query.size < _SPARE or search.names - self.names_in(spoken)):
                # A few words, or a clause without what the message names, may ask something else.
                capped = min(hits[0].score, self._likely)
                hits = tuple(replace(hit, score=min(hit.score, capped)) for hit in hits)
            lead = _WHOLE_LEAD if best is not None and not search.long else 0.0
            if best is None or (hits and (not best.hits or hits[0].score > best.hits[0].score + lead)):
                best = Finding(hits, query)
        assert best is not None  # noqa: S101 - there is always one reading
        return best

    def _weigh(
        self, query: Query, search: _Search, meaning: NDArray[np.float32] | None = None
    ) -> tuple[Hit, ...]:
        chosen, features = self.features(query, search.allowed, meaning=meaning)
        if not len(chosen):
            return ()
        by = self.model.lexical
        if features.shape[1] == len(FUSED_FEATURES) and self.model.fused is not None:
            by = self.model.fused
        odds = by.weigh(features)
        exact = self._phrased_so.find(query.text.replace(" ", ""))
        odds = odds + np.array([_EXACT if int(position) in exact else 0.0 for position in chosen])
        order = np.lexsort((chosen, -odds))
        first = int(order[0])

        def confidence(row: int) -> float:
            return self.model.level(by.sure(self.top_features(query, features, odds, row)), by)

        score = confidence(first)
        if int(chosen[first]) in exact:
            score = max(score, SURE)
        elif (
            search.prefer_home
            and self._home is not None
            and not self._at_home(int(chosen[first]))
            and not self.names_theme(query.text, prefix_of(self.entries[int(chosen[first])].id))
        ):
            spoken = self._speaks_of(int(self._folders[chosen[first]]), query)
            margin = _HOME_LEAD if spoken else _HOME_LEAD_UNSPOKEN
            near = (int(row) for row in order if odds[row] > odds[first] - margin)
            at_home = next((row for row in near if self._at_home(int(chosen[row]))), None)
            score_at_home = 0.0 if at_home is None else confidence(at_home)
            unsure = score < self.model.answer
            least = self.model.confirm if spoken or unsure else self.model.likely
            if at_home is not None and score_at_home >= least:
                first, score = at_home, score_at_home
            elif not spoken:
                # Nothing in the question points to that district, so its answer is at most a likely one.
                score = min(score, self._likely)
        rest = [int(row) for row in order if row != first][: max(search.k - 1, 0)]
        hits = [Hit(self.entries[int(chosen[first])], score, float(odds[first]))]
        hits += [
            Hit(self.entries[int(chosen[row])], min(score, _sigmoid(float(odds[row]))), float(odds[row]))
            for row in rest
        ]
        return tuple(hits[: max(search.k, 0)])

    @property
    def _likely(self) -> float:
        """A confidence that shows an entry with reserve."""
        return (self.model.answer + self.model.likely) / 2

    def _speaks_of(self, folder: int, query: Query) -> bool:
        """Tells whether enough of a topic is in words that this folder uses and the home folder never."""
        home = self._folder_names.index(self._home) if self._home in self._folder_names else None
        specific = total = 0.0
        for token, weight in query.topic_weights.items():
            number = self._words.number(token)
            if number is None or len(token) < 2:
                continue
            total += weight
            if (home is None or not self._held_by[number, home]) and self._held_by[number, folder] >= 2:
                specific += weight
        return total > 0 and specific / total >= _SPOKEN

    def _at_home(self, position: int) -> bool:
        prefix = self._folder_names[self._folders[position]]
        return prefix == self._home or prefix in self._wide


@dataclass(frozen=True)
class _Search:
    """One question's search.

    Attributes:
        allowed: Which entries may be answered from.
        k: How many hits at most.
        prefer_home: Whether the home district's entries come first among those of like standing.
        names: Names of entries that the whole message holds.
        long: Whether it is too long to be one question.
    """

    allowed: NDArray[np.bool_]
    k: int
    prefer_home: bool
    names: set[str]
    long: bool


@dataclass(frozen=True)
class _Near:
    """Entries near in meaning, nearest first, and how near the nearest phrasing is."""

    entries: Positions
    best: float


@functools.lru_cache(maxsize=256)
def _normal(question: str) -> str:
    """Returns a question normalised; one search asks for it several times."""
    return text.normalise(question)


# What after a place's name makes it part of another name: a road's, a harbour's, a bank's.
_NOT_THE_PLACE = (
    *("路", "街", "大道", "大街", "一路", "二路", "三路", "四路", "东路", "西路", "南路", "北路"),
    *("港", "舟山港", "口岸", "机场", "银行", "大学"),
)
# What before a place's name at the end of a question makes it where something is sent.
_BOUND_FOR = ("走水路去", "运到", "运去", "运往", "发到", "发往", "送到", "水路去", "船去", "货去")
_MENTIONS_ONLY = (
    *("去", "到", "从", "来自", "飞", "往", "回", "对接", "跟", "和", "与"),
    *("原来在", "以前在", "之前在", "原先在", "本来在", "老家", "老家在"),
)


def _means_another(before: str, after: str) -> bool:
    """Tells whether a place's name between two texts is part of another name, or where something is sent."""
    return after.startswith(_NOT_THE_PLACE) or (before.endswith(_BOUND_FOR) and after[:1] in {"", " "})


def _asks_about(question: str, place: str) -> bool:
    """Tells whether a question is about a place outside, not only somebody going there or coming from it."""
    at = question.find(place)
    return at >= 0 and not question[:at].endswith(_MENTIONS_ONLY)


def spans_of(starts: Positions, rows: Positions) -> tuple[Positions, Positions]:
    """Returns the phrasings of some entries, and for each phrasing which of these entries it is of."""
    return indexing.spans(starts[rows], starts[rows + 1])


def _table(row: Positions, column: NDArray[np.int16], height: int, width: int) -> NDArray[np.bool_]:
    """Returns which rows have which columns; a column of -1 is none."""
    table = np.zeros((height, width), dtype=np.bool_)
    there = column >= 0
    table[row[there], column[there]] = True
    return table


def _begins(of: Positions) -> Positions:
    """Returns where the values of each owner begin; the values of one owner stand together."""
    changes = np.empty(len(of), dtype=np.bool_)
    changes[:1] = True
    np.not_equal(of[1:], of[:-1], out=changes[1:])
    return np.flatnonzero(changes)


def _unite(tables: NDArray[np.bool_], of: Positions, rows: NDArray[np.bool_]) -> None:
    """Adds to each owner's row what any of its rows has; the rows of one owner stand together."""
    if len(rows):
        begins = _begins(of)
        tables[of[begins]] |= np.logical_or.reduceat(rows, begins)


def _highest(values: Floats, of: Positions, count: int) -> Floats:
    """Returns the highest value of each of so many owners, 0 at least."""
    highest = np.zeros(count)
    if len(values):
        begins = _begins(of)
        highest[of[begins]] = np.maximum(np.maximum.reduceat(values, begins), 0.0)
    return highest


def _sums(of: Positions, values: Floats, count: int) -> Floats:
    """Returns the sum of each of so many owners' values."""
    return np.asarray(np.bincount(of, weights=values, minlength=count), dtype=np.float64)


def _mean_of_best(values: Floats, of: Positions, count: int, best: int = 3) -> Floats:
    """Returns the mean of the best few values of each of so many owners."""
    order = np.lexsort((-values, of))
    owners = of[order]
    held = np.bincount(owners, minlength=count)
    rank = np.arange(len(owners)) - (np.cumsum(held) - held)[owners]
    kept = rank < best
    means: Floats = _sums(owners[kept], values[order][kept], count) / np.maximum(np.minimum(held, best), 1)
    return means


def _among(some: NDArray[np.int32], all_of: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Returns which of some numbers are among others; both ascend."""
    if not len(all_of):
        return np.zeros(len(some), dtype=np.bool_)
    there: NDArray[np.bool_] = all_of[np.minimum(all_of.searchsorted(some), len(all_of) - 1)] == some
    return there


def _bytes(values: array[int]) -> NDArray[Any]:
    return np.frombuffer(values, dtype=np.uint8) if len(values) else np.zeros(0, dtype=np.uint8)


def _totals(rows: Rows, values: NDArray[np.uint8]) -> Positions:
    """Returns the sum of each row's values."""
    return rows.sums(values, places=True).astype(np.int64)


def phrases_of(entry: Entry) -> list[str]:
    """Returns every way of naming an entry, each once: its title first, then questions and aliases."""
    return list(dict.fromkeys((entry.title, *entry.questions, *entry.aliases)))


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(min(value, 30.0), -30.0)))


def body_of(entry: Entry) -> str:
    """Returns everything an entry says, for the search over whole entries."""
    facts = entry.facts
    parts = [entry.title, *entry.aliases, entry.answer]
    parts += [phone.name or "" for phone in facts.phone]
    parts += [f"{place.name or ''} {place.text}" for place in facts.address]
    parts += [link.name for link in facts.link]
    for texts in (facts.materials, facts.conditions, facts.steps, facts.unit, facts.audience):
        parts += texts
    for labelled in (facts.hours, facts.time_limit, facts.dates, facts.score, facts.share):
        parts += [item.text for item in labelled]
    parts += [item.text for item in facts.amount]
    parts += [f"{item.title} {item.text or ''}" for item in facts.items]
    return "\n".join(part for part in parts if part)
