"""Finds the entry that a question is about, and says how sure that is.

Two BM25 indexes over characters and character pairs (`bm25s`): one document for each phrasing, title and
alias, pooled by maximum to entries, and one document for each entry's whole text. The best candidates are
weighed by a few more features (how much of the question an entry covers, names that it contains, whether it
states what was asked) with coefficients that `benchmarks/fit_answering.py` fits from question sets and keeps
in `data/model.json`; no number in it is set by hand.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.knowledge import facets, text
from backend.knowledge.entries import Entry, Jurisdiction
from backend.knowledge.facets import Ask
from backend.knowledge.indexing import Bm25, Floats, Postings, Vocabulary, grams, shape_weight
from backend.knowledge.loading import KnowledgeBase, prefix_of

_MODEL = Path(__file__).parent / "data" / "model.json"
_CANDIDATES = 24
_WINDOWS = 5  # readings of one message at most
_LONG = 16  # characters from which a message of several clauses is also read clause by clause
_WHOLE = 40  # characters up to which a message is also read as one question
_WHOLE_LEAD = 0.1  # confidence by which a part of a short message must lead the whole of it
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
_SPOKEN = 0.15  # share of a topic in words of only one other district's documents that points to it

PAIR_FEATURES = (
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
TOP_FEATURES = (*PAIR_FEATURES, "lead", "topic_size", "bare")


@dataclass(frozen=True)
class Model:
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
    figures: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path = _MODEL) -> Model:
        """Reads the coefficients by name, so that a file of other features fails with a plain KeyError."""
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls.of(data)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Model:
        """Builds the model from the file's content."""
        return cls(
            rank=np.array([data["rank"]["weights"][name] for name in PAIR_FEATURES], dtype=np.float64),
            rank_bias=float(data["rank"]["bias"]),
            confidence=np.array(
                [data["confidence"]["weights"][name] for name in TOP_FEATURES], dtype=np.float64
            ),
            confidence_bias=float(data["confidence"]["bias"]),
            answer=float(data["bands"]["answer"]),
            likely=float(data["bands"]["likely"]),
            confirm=float(data["bands"]["confirm"]),
            figures=data.get("figures", {}),
        )


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


class KnowledgeIndex:
    """The search over one knowledge base; building takes well under a second for a thousand entries.

    Args:
        base: What to search.
        home: Name of the home district: among entries of like standing its own come first.
        model: Coefficients; the shipped ones by default.
    """

    def __init__(self, base: KnowledgeBase, home: str | None = None, model: Model | None = None) -> None:
        self.base = base
        self.model = model or shipped_model()
        self.entries: list[Entry] = sorted(base.entries.values(), key=lambda entry: entry.id)
        self.positions = {entry.id: number for number, entry in enumerate(self.entries)}
        self._home = prefix_of(base.home(home).id) if home else None
        self._prefixes = np.array([prefix_of(entry.id) for entry in self.entries], dtype=object)
        self._wide = frozenset(
            prefix_of(item.id) for item in base.jurisdictions.values() if item.level == "province"
        )
        self._read_jurisdictions()
        self._build()
        self._themes = self._read_themes()

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

    def _build(self) -> None:
        words = Vocabulary()
        phrases: list[list[int]] = []
        starts: list[int] = []
        bodies: list[list[int]] = []
        names: list[list[int]] = []
        titles: list[list[int]] = []
        self._phrased_so: dict[str, set[int]] = {}
        self._names_of_entries: dict[str, set[int]] = {}
        for number, entry in enumerate(self.entries):
            starts.append(len(phrases))
            for phrase in phrases_of(entry):
                phrases.append(words.add(grams(phrase)))
                self._phrased_so.setdefault(text.normalise(phrase).replace(" ", ""), set()).add(number)
            bodies.append(words.add(grams(body_of(entry))))
            titles.append(words.add(grams(entry.title)))
            names.append([])
            for name in (entry.title, *entry.aliases):
                names[-1] += words.add(grams(name))
                squeezed = text.squeeze(name)
                if len(squeezed) >= 2:
                    self._names_of_entries.setdefault(squeezed, set()).add(number)
        self._longest_name = max(map(len, self._names_of_entries), default=0)
        ends = [*starts, len(phrases)][1:]
        self._starts = np.array(starts, dtype=np.int64)
        self._ends = np.array(ends, dtype=np.int64)
        self._words, width = words, len(words)
        self._phrase_bm25 = Bm25(phrases, width)
        self._body_bm25 = Bm25(bodies, width)
        unions = [
            set(body).union(*phrases[start:end])
            for body, start, end in zip(bodies, starts, ends, strict=True)
        ]
        self._phrases = Postings(phrases, width)
        self._titles = Postings(titles, width)
        self._wholes = Postings(unions, width)
        self._bodies = Postings(bodies, width)
        self._name_words = Postings(names, width)
        size = len(self.entries)
        self._unseen = math.log(1 + (size + 0.5) / 0.5)
        shapes = np.fromiter(map(shape_weight, words.tokens()), np.float64, width)
        held = self._wholes.counts
        self._weights = np.log(1 + (size - held + 0.5) / (held + 0.5)) * shapes
        self._shapes = shapes
        self._phrase_weight = self._phrases.sums(self._weights)
        self._title_weight = self._titles.sums(self._weights)
        self._folders = {prefix: self._prefixes == prefix for prefix in set(self._prefixes)}

    def _read_themes(self) -> dict[str, str]:
        """Returns the proper names of themes that only one folder has, with its prefix.

        A proper name is a title or alias that several entries of the folder use and no entry of another; it
        may lack its district, or be cut to its beginning or end if very many entries do so, as 小站 is for
        暖企小站.
        """
        told = [text.squeeze(f"{body_of(entry)} {' '.join(phrases_of(entry))}") for entry in self.entries]
        # Only entries with its rarest pair can use a name; looking through all would grow with the square.
        by_pair: dict[str, list[int]] = {}
        for position, words in enumerate(told):
            for pair in {words[at : at + 2] for at in range(len(words) - 1)}:
                by_pair.setdefault(pair, []).append(position)

        def owner(name: str, least: int = _USERS) -> str | None:
            pairs = (by_pair.get(name[at : at + 2], []) for at in range(len(name) - 1))
            users = [position for position in min(pairs, key=len) if name in told[position]]
            prefixes = {str(self._prefixes[position]) for position in users}
            return prefixes.pop() if len(prefixes) == 1 and len(users) >= least else None

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

    def names_theme(self, question: str, prefix: str) -> bool:
        """Tells whether a question uses a proper name that only the folder with this prefix uses."""
        spoken = text.squeeze(question)
        return any(theme in spoken for theme, owner in self._themes.items() if owner == prefix)

    def is_elsewhere(self, entry: Entry) -> bool:
        """Tells whether an entry is about another district or city than the home district."""
        return self._home is not None and not self._at_home(self.positions[entry.id])

    def unheard(self, entry: Entry, query: Query) -> int:
        """Returns the longest run of a question's topic, in characters, of which an entry has no word."""
        whole = f"{body_of(entry)} {' '.join(phrases_of(entry))}"
        known, grammar = set(grams(whole)), text.words().grammar
        longest = 0
        for clause in text.canonical(query.topic).split():
            pairs = [clause[at : at + 2] in known for at in range(len(clause) - 1)]
            run = 0
            for at, char in enumerate(clause):
                if any(pairs[max(at - 1, 0) : at + 1]):
                    run = 0
                elif char not in grammar and not char.isascii():
                    run += 1
                    longest = max(longest, run)
        return longest

    def weight(self, token: str) -> float:
        """Returns what a token counts: rare more than common, pairs more than characters, grammar little."""
        number = self._words.number(token)
        return shape_weight(token) * self._unseen if number is None else float(self._weights[number])

    def _numbered(self, weights: Mapping[str, float]) -> dict[int, float]:
        """Returns the weights of the tokens that any entry has, by number."""
        numbered = ((self._words.number(token), weight) for token, weight in weights.items())
        return {number: weight for number, weight in numbered if number is not None}

    # Understanding the question

    def named(self, question: str) -> tuple[tuple[Jurisdiction, ...], str | None, str]:
        """Finds the districts in a question.

        Returns:
            Those that folders are about; a place outside, if one is named instead; the normalised question
            without them.
        """
        rest = text.normalise(question)
        found: list[Jurisdiction] = []
        for name, jurisdiction in self._names:
            if name and name in rest:
                # “江东一路”, “钱塘路”: part of an address, not of a district's name.
                pieces = rest.split(name)
                if all(piece[:2] in _ROADS or piece[:1] in _ROADS for piece in pieces[1:]):
                    continue
                rest = " ".join(pieces)
                if jurisdiction not in found:
                    found.append(jurisdiction)
        outside = None
        if not found:
            outside = next((place for place in self._places if _asks_about(rest, place)), None)
        return tuple(found), outside, " ".join(rest.split())

    def read(self, question: str) -> Query:
        """Reads one question (or one clause of it)."""
        _, _, rest = self.named(question)
        normal = text.normalise(question)
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
        normal = text.normalise(question)
        clauses = text.clauses(normal)
        length = len(normal) - len(clauses) + 1
        readings = (
            [self.read(normal)] if length <= _WHOLE or (len(clauses) < 2 and length <= _WHOLE + 10) else []
        )
        if length < _LONG or (len(clauses) < 2 and readings):
            return readings
        asking = [clause for clause in clauses if facets.asked(clause)]
        windows = [" ".join(clauses[-2:]), clauses[-1], *reversed(asking), clauses[0]]
        for window in dict.fromkeys(window[-_WHOLE:] for window in windows):
            if window != normal and len(readings) < _WINDOWS:
                reading = self.read(window)
                if reading.size >= 3:
                    readings.append(reading)
        return readings or [self.read(normal[-_WHOLE:])]

    # Weighing

    def features(
        self, query: Query, allowed: NDArray[np.bool_], *, without_phrases: Collection[int] = ()
    ) -> tuple[NDArray[np.int64], Floats]:
        """Returns the best candidates and their features.

        Args:
            query: The question.
            allowed: Which entries may be answered from.
            without_phrases: Phrasings to leave out of account, when they are themselves the test.

        Returns:
            Positions of entries, shape (n,), and features by `PAIR_FEATURES`, shape (n, len(PAIR_FEATURES)).
        """
        if not self.entries or not query.grams:
            return np.zeros(0, dtype=np.int64), np.zeros((0, len(PAIR_FEATURES)))
        weights, topic_weights = self._numbered(query.weights), self._numbered(query.topic_weights)
        known, unknown = list(weights), len(query.grams) - len(weights)
        bm25 = self._phrase_bm25.scores(known, unknown)
        body_bm25 = self._body_bm25.scores(known, unknown)
        topic_shared = self._phrases.overlap(topic_weights)
        left_out = list(without_phrases)
        if left_out:
            bm25[left_out] = topic_shared[left_out] = 0.0
        total = max(sum(query.weights.values()), 1e-9)
        topic_total = max(sum(query.topic_weights.values()), 1e-9)
        pool = functools.partial(np.maximum.reduceat, indices=self._starts)
        order = np.where(allowed, pool(bm25) + 0.3 * body_bm25 + pool(topic_shared) / topic_total, -1.0)
        count = min(_CANDIDATES, int(allowed.sum()))
        if not count:
            return np.zeros(0, dtype=np.int64), np.zeros((0, len(PAIR_FEATURES)))
        chosen = np.argpartition(-order, count - 1)[:count].astype(np.int64)
        chosen = chosen[np.lexsort((chosen, -order[chosen]))]
        wholes = self._wholes.table(chosen, known)
        for phrase in left_out:
            self._forget(wholes, chosen, known, phrase)
        token_weights = np.array(list(weights.values()))
        in_topic = np.array([topic_weights.get(token, 0.0) for token in known])
        likeness = pool(2 * topic_shared / (topic_total + self._phrase_weight))
        columns = {
            "phrases_bm25": np.array([_mean_of_best(bm25[self._starts[p] : self._ends[p]]) for p in chosen]),
            "title_likeness": 2
            * (self._titles.table(chosen, known) @ token_weights)
            / (total + self._title_weight[chosen]),
            "body_bm25": body_bm25[chosen],
            "entry_cover": wholes @ token_weights / total,
            "topic_phrase_likeness": likeness[chosen],
            "topic_entry_cover": wholes @ in_topic / topic_total,
            "name_share": self._name_shares(query, chosen),
            "local_entry_cover": self._local_cover(wholes, known),
            "local_name_cover": self._local_cover(self._name_words.table(chosen, known), known),
            "local_answer_cover": self._local_cover(self._bodies.table(chosen, known), known),
            "asked_stated": np.zeros(count),
            "asked_in_facts": np.zeros(count),
            "asked_missing": np.zeros(count),
        }
        strict = [ask for ask in query.asks if ask.strict]
        for row, position in enumerate(chosen):
            entry = self.entries[position]
            if query.asks:
                stated = sum(facets.has(entry, ask.facet) for ask in query.asks)
                columns["asked_stated"][row] = stated / len(query.asks)
                listed = sum(bool(getattr(entry.facts, ask.facet, None)) for ask in query.asks)
                columns["asked_in_facts"][row] = listed / len(query.asks)
            if strict:
                columns["asked_missing"][row] = sum(not facets.answers(entry, ask) for ask in strict) / len(
                    strict
                )
        return chosen.astype(np.int64), np.column_stack([columns[name] for name in PAIR_FEATURES])

    def _forget(self, wholes: Floats, chosen: NDArray[np.int64], known: Sequence[int], phrase: int) -> None:
        """Takes out of a table of whole entries what an entry has only from one phrasing."""
        position = int(np.searchsorted(self._starts, phrase, side="right")) - 1
        rows = np.flatnonzero(chosen == position)
        if not len(rows):
            return
        others = [n for n in range(self._starts[position], self._ends[position]) if n != phrase]
        elsewhere = self._phrases.table(np.array(others, dtype=np.int64), known).any(axis=0)
        elsewhere |= self._bodies.table(np.array([position]), known)[0] > 0
        wholes[rows[0]] *= elsewhere

    def _local_cover(self, there: Floats, known: Sequence[int]) -> Floats:
        """Returns how much of the question each candidate covers, counting what tells the candidates apart.

        Args:
            there: Which candidates (rows) contain which tokens (columns).
            known: The tokens.
        """
        holders = there.sum(axis=0)
        weights = self._shapes[list(known)] * np.log((len(there) + 1) / (holders + 0.5)) * (holders > 0)
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
        longest, names = self._longest_name, self._names_of_entries
        return {
            spoken[start:end]
            for start in range(len(spoken))
            for end in range(start + 2, min(start + longest, len(spoken)) + 1)
            if spoken[start:end] in names
        }

    def top_features(self, query: Query, features: Floats, odds: Floats, first: int = 0) -> Floats:
        """Returns the features of the confidence in one candidate, by `TOP_FEATURES`."""
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
        return np.array([prefix in prefixes for prefix in self._prefixes], dtype=np.bool_)

    def search(self, question: str, k: int = 5, district: str | None = None) -> list[Hit]:
        """Returns the best entries, best first.

        Args:
            question: As typed; any text.
            k: How many at most.
            district: Answer from this district only, unless the question names another.
        """
        return list(self.look_up(question, k=k, district=district).hits)

    def look_up(self, question: str, *, k: int = 5, district: str | None = None) -> Finding:
        """Searches and tells what was understood."""
        question = text.shorten(question)
        named, outside, _ = self.named(question)
        chosen_district = self.base.jurisdiction_named(district) if district else None
        scope = named or ((chosen_district,) if chosen_district else ())
        allowed = self.allowed(scope)
        best: Finding | None = None
        readings = self._readings(question)
        names = self.names_in(text.squeeze(question))
        long = len(text.squeeze(question)) > _WHOLE
        for query in readings:
            hits = self._weigh(query, allowed, k, prefer_home=not scope)
            part = query is not readings[0] or long
            spoken = query.text.replace(" ", "")
            if part and hits and (query.size < _SPARE or names - self.names_in(spoken)):
                # A few words, or a clause without what the message names, may ask something else.
                capped = min(hits[0].score, self._likely)
                hits = tuple(replace(hit, score=min(hit.score, capped)) for hit in hits)
            finding = Finding(hits, query, named, outside)
            lead = _WHOLE_LEAD if best is not None and not long else 0.0
            if best is None or (hits and (not best.hits or hits[0].score > best.hits[0].score + lead)):
                best = finding
        assert best is not None  # noqa: S101 - there is always the whole message
        return best

    def _weigh(
        self, query: Query, allowed: NDArray[np.bool_], k: int, *, prefer_home: bool
    ) -> tuple[Hit, ...]:
        chosen, features = self.features(query, allowed)
        if not len(chosen):
            return ()
        odds = features @ self.model.rank + self.model.rank_bias
        exact = self._phrased_so.get(query.text.replace(" ", ""), ())
        odds = odds + np.array([_EXACT if int(position) in exact else 0.0 for position in chosen])
        order = np.lexsort((chosen, -odds))
        first = int(order[0])
        score = self._confidence(query, features, odds, first)
        if int(chosen[first]) in exact:
            score = max(score, SURE)
        elif prefer_home and self._home is not None and not self._at_home(int(chosen[first])):
            spoken = self._speaks_of(self._prefixes[int(chosen[first])], query)
            margin = _HOME_LEAD if spoken else _HOME_LEAD_UNSPOKEN
            near = (int(row) for row in order if odds[row] > odds[first] - margin)
            at_home = next((row for row in near if self._at_home(int(chosen[row]))), None)
            score_at_home = 0.0 if at_home is None else self._confidence(query, features, odds, at_home)
            unsure = score < self.model.answer
            if at_home is not None and (spoken or unsure or score_at_home >= self.model.likely):
                first, score = at_home, score_at_home
            elif not spoken:
                # Nothing in the question points to that district, so its answer is at most a likely one.
                score = min(score, self._likely)
        rest = [int(row) for row in order if row != first]
        hits = [Hit(self.entries[int(chosen[first])], score, float(odds[first]))]
        hits += [
            Hit(self.entries[int(chosen[row])], min(score, _sigmoid(float(odds[row]))), float(odds[row]))
            for row in rest
        ]
        return tuple(hits[: max(k, 0)])

    def _confidence(self, query: Query, features: Floats, odds: Floats, row: int) -> float:
        top = self.top_features(query, features, odds, row)
        return _sigmoid(float(top @ self.model.confidence) + self.model.confidence_bias)

    @property
    def _likely(self) -> float:
        """A confidence that shows an entry with reserve."""
        return (self.model.answer + self.model.likely) / 2

    def _speaks_of(self, prefix: str, query: Query) -> bool:
        """Tells whether enough of a topic is in words that this folder uses and the home folder never."""
        nowhere = np.zeros(len(self.entries), dtype=np.bool_)
        there, at_home = self._folders.get(prefix, nowhere), self._folders.get(self._home, nowhere)
        specific = total = 0.0
        for token, weight in query.topic_weights.items():
            number = self._words.number(token)
            if number is None or len(token) < 2:
                continue
            holders = self._wholes.holders(number)
            total += weight
            if not at_home[holders].any() and there[holders].sum() >= 2:
                specific += weight
        return total > 0 and specific / total >= _SPOKEN

    def _at_home(self, position: int) -> bool:
        prefix = self._prefixes[position]
        return prefix == self._home or prefix in self._wide


_ROADS = frozenset(
    {"路", "街", "大道", "大街", "一路", "二路", "三路", "四路", "东路", "西路", "南路", "北路"}
)
_MENTIONS_ONLY = ("去", "到", "从", "来自", "飞", "往", "回", "对接", "跟", "和", "与")


def _asks_about(question: str, place: str) -> bool:
    """Tells whether a question is about a place outside, not only somebody going there or coming from it."""
    at = question.find(place)
    return at >= 0 and not question[:at].endswith(_MENTIONS_ONLY)


def _mean_of_best(scores: Floats, count: int = 3) -> float:
    best = np.sort(scores)[-count:]
    return float(best.sum()) / max(len(best), 1)


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
