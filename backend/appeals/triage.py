"""Proposes what kind of problem an appeal is, how hard it is and whose it is; the territory decides.

Nothing here knows a department or a word: topics, signals, departments and boards come from the knowledge
base. The rules are those of 《杭州市钱塘区企业服务分级分类协调机制》 and of 《“全流程”闭环机制》, in the
order that the project reads in them: an unclear department makes a whistle matter, so do several departments;
one department and a question, a suggestion or thanks make a simple one; anything else is for a single
department. Every conclusion carries its reason in words.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from backend.appeals.splitting import Subject, split
from backend.knowledge.entries import Board, BoardName, Department, Signal, Topic

_READ: Final = 1200
"""Characters that are looked at; a longer text has said by then what it is about."""

_SPAN: Final = 26
"""Characters within which the parts of a phrase must stand together."""

_SURE: Final = 0.65
"""Score from which a topic is taken as known."""

_LEAST: Final = 0.35
"""Score below which a topic is not worth naming."""

_LIKENESS: Final = 4.0
"""Weight of the likeness to a topic's words and examples, next to its words themselves."""

_TEMPERATURE: Final = 0.75
_REPEATED: Final = 0.3
_NAMED: Final = 1.6
_SPOKE: Final = 0.8
_FURTHER: Final = 0.6
_MAX_CANDIDATES: Final = 5
_MAX_TOPICS: Final = 8

_DEFAULT_BOARD: Final[BoardName] = "诉求"
_CATCH_ALL_BOARD: Final[BoardName] = "兜底"
_OF_CATCH_ALL: Final = frozenset({"审批"})
"""Boards whose matters become catch-all ones when nobody takes them (兜底服务制度 五（二）)."""

_ASIDE: Final = r"(?:那边|这边|那里|部门|方面|窗口|的人|的)?(?:又|却|就|则|都|也|还|直接|一直|总)?"
_SAYS: Final = (
    r"(?:说|讲|让|叫|推|要求|回复|答复|表示|称|认为|要(?!求帮)|非要|坚持|不认|不管|不肯|不给|不接|没人|嫌|卡)"
)
_OFFICE: Final = re.compile(r"^(?:区|市|钱塘区?)?(?P<stem>[\u4e00-\u9fff]{2,4}?)(?:分局|局|委|公司|集团)$")
_ONLY_A_NAME: Final = re.compile(
    r"^(?:(?!我|你|他|这|那|有个|没|被|了|要|想|不|的|附近|旁边|隔壁|门口|楼下)[\w（）()·&.,]){2,40}"
    r"(?:公司|集团|工作室|商行|经营部|事务所|合作社|合伙企业|厂|店|铺|超市|馆|有限合伙)[)）。.]?$"
)
_CLAUSES: Final = re.compile("[。！!；;，,?？]")
_ALSO: Final = re.compile(
    r"[，,。；;]\s*(?:还想|还要|还希望|还需要|同时|并且|并要求|并希望|并|以及|也想|也要|又想|另外|而且还|此外)"
)


class Knowledge(Protocol):
    """What triage reads of the knowledge base."""

    @property
    def topics(self) -> Mapping[str, Topic]:
        """What appeals can be about, by id."""
        ...

    @property
    def signals(self) -> Mapping[str, Signal]:
        """Words that decide a level, by id."""
        ...

    @property
    def departments(self) -> Mapping[str, Department]:
        """The departments by id."""
        ...

    @property
    def boards(self) -> Mapping[str, Board]:
        """The boards by id."""
        ...


@dataclass(frozen=True)
class Candidate:
    """A department that may lead.

    Attributes:
        department: Its name.
        probability: 0 to 1; those of one problem sum to at most 1.
    """

    department: str
    probability: float


@dataclass(frozen=True)
class Problem:
    """One separate problem with what is proposed for it.

    Attributes:
        text: The part of the message that tells of it.
        category: Board it is counted under.
        level: ``simple``, ``single`` or ``whistle``.
        lead_department: Most likely department; for ``whistle`` the territory leads.
        co_departments: The others involved.
        candidates: Likeliest first.
        reasons: Why, in words.
    """

    text: str
    category: str
    level: str
    lead_department: str
    co_departments: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _Match:
    topic: Topic
    score: float
    words: tuple[str, ...]


@dataclass(frozen=True)
class _Named:
    department: str
    spoke: bool


class Triage:
    """Proposes category, level and departments by the knowledge base's topics and signals.

    Args:
        base: The knowledge base; only the departments of the folders that hold topics take part.
    """

    def __init__(self, base: Knowledge) -> None:
        folders = {_folder(key) for key in (*base.topics, *base.boards)}
        self._departments = {key: item for key, item in base.departments.items() if _folder(key) in folders}
        self._boards = {board.name: board for board in base.boards.values()}
        self._index = _TopicIndex(list(base.topics.values()), self._departments)
        self._names = _Names(self._departments.values())
        self._signals: dict[str, list[tuple[Signal, list[re.Pattern[str]]]]] = defaultdict(list)
        for signal in base.signals.values():
            self._signals[signal.means].append((signal, [re.compile(pattern) for pattern in signal.patterns]))

    def propose(self, text: str, territory: str | None = None) -> list[Problem]:
        """Propose for each separate problem of a message, in its order.

        Args:
            text: The message, at most a few thousand characters.
            territory: Platform or street, if known; named in the reason of a whistle matter.

        Returns:
            One element for each problem, at least one.
        """
        return [self._problem(part, territory) for part in split(text, self._subject)]

    def _subject(self, part: str) -> Subject | None:
        matches = self._index.match(_normal(part))
        if not matches or matches[0].score < _SURE:
            return None
        # A long part touches many topics by chance, so it must say more to be clear.
        clear = bool(matches[0].words) and matches[0].score >= _SURE + len(part) / 150
        return Subject(matches[0].topic.id, matches[0].topic.lead, clear)

    def _problem(self, part: str, territory: str | None) -> Problem:
        text = _normal(part)
        # A name may hold words of a topic, 贸易 or 小学 for example, and tells of no problem.
        only_a_name = bool(_ONLY_A_NAME.match(text))
        matches = [] if only_a_name else self._index.match(text)
        named = [] if only_a_name else self._names.find(text)
        hits = defaultdict(list, {means: self._hits(means, text) for means in self._signals})
        shares, best = self._shares(matches, named)
        topic = best.topic if best else None
        reasons: list[str] = []
        sure = bool(best and (best.score >= _SURE or named))
        if best and best.words:
            reasons.append(f"内容与“{best.topic.title}”相符（{'、'.join(best.words[:4])}）")
        elif best:
            reasons.append(f"说法与“{best.topic.title}”相近")
        for item in named[:3]:
            reasons.append(f"文中提到{self._departments[item.department].name}")
        category: BoardName = self._category(topic, text)
        level, why, others = self._level(text, matches, named, hits, sure)
        reasons.extend(why)
        if hits["major"]:
            reasons.append(hits["major"][0].reason)
        if category in _OF_CATCH_ALL and hits["unclear"]:
            category = _CATCH_ALL_BOARD
            reasons.append("办事中无处受理、无人牵头，按兜底服务登记")
        lead = next(iter(shares), self._boards[category].lead)
        co = [key for key in others if key != lead] if level == "whistle" else []
        if level == "whistle":
            reasons.append(f"由{territory or '平台、街道'}牵头，相关部门协办")
        if not shares:
            reasons.append(f"未能确定办理部门，暂列{category}板块的牵头部门")
        return Problem(
            text=part,
            category=category,
            level=level,
            lead_department=self._departments[lead].name,
            co_departments=tuple(self._departments[key].name for key in co),
            candidates=tuple(
                Candidate(self._departments[key].name, round(share, 3))
                for key, share in list(shares.items())[:_MAX_CANDIDATES]
            ),
            reasons=tuple(reasons),
        )

    def _hits(self, means: str, text: str) -> list[Signal]:
        """The signals of a meaning, each as often as its patterns match."""
        return [
            signal
            for signal, patterns in self._signals.get(means, ())
            for pattern in patterns
            if pattern.search(text)
        ]

    def _shares(
        self, matches: Sequence[_Match], named: Sequence[_Named]
    ) -> tuple[dict[str, float], _Match | None]:
        """Each department's share of the likelihood, largest first, and the topic that leads."""
        weight: dict[str, float] = defaultdict(float)
        if matches:
            top = matches[0].score
            for match in matches:
                # Further topics of a department count less, or one with many topics would always win.
                factor = (_REPEATED if match.topic.lead in weight else 1.0) * min(1.0, top / _SURE)
                weight[match.topic.lead] += factor * math.exp((match.score - top) / _TEMPERATURE)
        for item in named:
            weight[item.department] += _SPOKE if item.spoke else _NAMED
        total = sum(weight.values())
        if not total:
            return {}, None
        # A little likelihood is left for departments that nothing here points to.
        rest = 0.15 + max(0.0, 1.0 - (matches[0].score if matches else 0.0)) * 0.3
        ranked = sorted(weight.items(), key=lambda item: -item[1])
        shares = {key: value / (total + rest) for key, value in ranked}
        lead = ranked[0][0]
        best = next((match for match in matches if match.topic.lead == lead), None)
        return shares, best or (matches[0] if matches else None)

    def _category(self, topic: Topic | None, text: str) -> BoardName:
        if topic is not None:
            return topic.category
        found = {name: sum(word in text for word in board.words) for name, board in self._boards.items()}
        best = max(found, key=lambda name: found[name])
        return best if found[best] else _DEFAULT_BOARD

    def _level(
        self,
        text: str,
        matches: Sequence[_Match],
        named: Sequence[_Named],
        hits: Mapping[str, list[Signal]],
        sure: bool,
    ) -> tuple[str, list[str], list[str]]:
        """The level, its reasons and the ids of the departments involved."""
        answerable = hits["praise"] or hits["suggestion"] or hits["question"]
        if hits["rhetorical"] and hits["action"]:
            answerable = []
        spoke = [item.department for item in named if item.spoke]
        involved = [item.department for item in named]
        leads = list(dict.fromkeys(match.topic.lead for match in matches if match.score >= _SURE))
        if hits["neglect"] and not (sure and (len(leads) == 1 or len(set(involved)) == 1)):
            return "whistle", [f"{hits['neglect'][0].reason}，按吹哨问题办理"], involved or leads[:3]
        if hits["unclear"]:
            return "whistle", [f"{hits['unclear'][0].reason}，按吹哨问题办理"], involved or leads[:3]
        if len(spoke) > 1:
            names = "、".join(self._departments[key].name for key in spoke)
            return "whistle", [f"{names}说法不一或互相推转，涉及多个部门，按吹哨问题办理"], involved
        if hits["several"]:
            return "whistle", [f"{hits['several'][0].reason}，按吹哨问题办理"], involved or leads[:3]
        if sure and matches and matches[0].topic.co and not answerable:
            return "whistle", ["这类事项需要多个部门办理，按吹哨问题办理"], list(matches[0].topic.co)
        demands = self._demands(text)
        if len(demands) > 1:
            return "whistle", ["同一件事里的几项要求分属不同部门，按吹哨问题办理"], demands
        if answerable and self._asks_more_than_wants(text, hits):
            reason = answerable[0].reason
            return "simple", [f"{reason}，主办部门可以直接答复，按简单问题办理"], []
        if not sure:
            return "whistle", ["办理部门不明确，按吹哨问题办理"], leads
        return "single", ["涉及一个部门，需要主办部门专题协调，按单一部门问题办理"], []

    def _asks_more_than_wants(self, text: str, hits: Mapping[str, list[Signal]]) -> bool:
        """Whether an answer is wanted rather than a deed; the last clause, the point of it, counts twice."""
        asks = len(hits["question"]) + len(hits["suggestion"]) + 3 * bool(hits["praise"])
        last = _CLAUSES.split(text.rstrip("。！!；;，,. "))[-1]
        asks += any(self._hits(means, last) for means in ("question", "suggestion"))
        return asks >= len(hits["action"])

    def _demands(self, text: str) -> list[str]:
        """Departments of the demands that one problem joins with 还想, 同时 and the like."""
        pieces = _ALSO.split(text)
        if len(pieces) < 2:
            return []
        leads: list[str] = []
        for piece in pieces:
            subject = self._subject(piece)
            if subject and subject.department not in leads:
                leads.append(subject.department)
        return leads


class _Names:
    """Finds departments by name or alias, the longest first, and tells whether they are said to speak."""

    def __init__(self, departments: Iterable[Department]) -> None:
        names: dict[str, str] = {}
        stems: dict[str, str] = {}
        for department in departments:
            for name in (department.name, *department.aliases):
                names.setdefault(_normal(name), department.id)
                match = _OFFICE.match(name)
                if match:
                    stems.setdefault(_normal(match["stem"]), department.id)
        self._names = names
        self._stems = {stem: key for stem, key in stems.items() if stem not in names}
        ordered = sorted(names, key=len, reverse=True)
        short = sorted(self._stems, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None
        self._spoken = re.compile(f"({'|'.join(map(re.escape, short))}){_ASIDE}{_SAYS}") if short else None
        self._after = re.compile(_ASIDE + _SAYS)

    def find(self, text: str) -> list[_Named]:
        """The departments named, in order of appearance, each once."""
        found: dict[str, tuple[int, bool]] = {}
        if self._pattern is None or self._spoken is None:
            return []
        for match in self._pattern.finditer(text):
            key = self._names[match.group()]
            spoke = bool(self._after.match(text, match.end()))
            position, before = found.get(key, (match.start(), False))
            found[key] = (position, before or spoke)
        for match in self._spoken.finditer(text):
            key = self._stems[match.group(1)]
            found[key] = (found.get(key, (match.start(), True))[0], True)
        return [_Named(key, spoke) for key, (_, spoke) in sorted(found.items(), key=lambda item: item[1][0])]


class _TopicIndex:
    """Scores topics by the words they list and by likeness to their words, titles and examples."""

    def __init__(self, topics: Sequence[Topic], departments: Mapping[str, Department]) -> None:
        self._topics = list(topics)
        counts: Counter[str] = Counter()
        parsed: list[list[tuple[str, tuple[str, ...]]]] = []
        for topic in self._topics:
            words = []
            for word in dict.fromkeys(topic.words):
                parts = tuple(_normal(piece) for piece in word.split())
                words.append((word, parts))
                counts.update([" ".join(parts)])
            parsed.append(words)
        total = max(2, len(self._topics))
        self._by_start: dict[str, list[tuple[tuple[str, ...], str, float, int]]] = defaultdict(list)
        for number, words in enumerate(parsed):
            for word, parts in words:
                rarity = 1.0 - 0.5 * math.log(counts[" ".join(parts)]) / math.log(total)
                weight = _weight(parts) * rarity
                longest = max(parts, key=len)
                self._by_start[longest[:2]].append((parts, word, weight, number))
        profiles: list[Counter[str]] = []
        for topic in self._topics:
            profile: Counter[str] = Counter()
            for line in (topic.title, *topic.words, *topic.examples):
                profile.update(set(_grams(_normal(line))))
            profiles.append(profile)
        spread: Counter[str] = Counter()
        for profile in profiles:
            spread.update(profile.keys())
        self._rarity = {gram: math.log((total + 1) / count) for gram, count in spread.items()}
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, profile in enumerate(profiles):
            values = {gram: (1 + math.log(count)) * self._rarity[gram] for gram, count in profile.items()}
            norm = math.sqrt(sum(value * value for value in values.values())) or 1.0
            for gram, value in values.items():
                self._postings[gram].append((number, value / norm))

    def match(self, text: str) -> list[_Match]:
        """The likeliest topics, best first; empty if nothing of the text is known."""
        found: dict[int, list[tuple[float, str]]] = defaultdict(list)
        for start in {text[i : i + 2] for i in range(len(text))} | set(text):
            for parts, word, weight, number in self._by_start.get(start, ()):
                if _near(text, parts):
                    found[number].append((weight, word.replace(" ", "…")))
        scores: dict[int, float] = defaultdict(float)
        words: dict[int, list[str]] = defaultdict(list)
        for number, said in found.items():
            said.sort(key=lambda item: (-item[0], item[1]))
            scores[number] = said[0][0] + _FURTHER * sum(weight for weight, _ in said[1:])
            words[number] = [word for _, word in said]
        grams = sorted({gram for gram in _grams(text) if gram in self._rarity})
        norm = math.sqrt(sum(self._rarity[gram] ** 2 for gram in grams)) or 1.0
        for gram in grams:
            share = self._rarity[gram] / norm
            for number, value in self._postings[gram]:
                scores[number] += _LIKENESS * share * value
        ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:_MAX_TOPICS]
        return [
            _Match(self._topics[number], score, tuple(words[number]))
            for number, score in ranked
            if score >= _LEAST
        ]


def _weight(parts: tuple[str, ...]) -> float:
    """Longer words say more; a phrase of scattered parts is less certain than a word."""
    length = sum(map(len, parts))
    if length == 1:
        return 0.55
    return (0.1 + 0.35 * min(length, 6)) * (1.0 if len(parts) == 1 else 0.65)


def _near(text: str, parts: tuple[str, ...]) -> bool:
    """Whether all parts occur, within a span of a clause or two."""
    if len(parts) == 1:
        return parts[0] in text
    first = parts[0]
    at = text.find(first)
    while at >= 0:
        window = text[max(0, at - _SPAN) : at + len(first) + _SPAN]
        if all(part in window for part in parts[1:]):
            return True
        at = text.find(first, at + 1)
    return False


def _grams(text: str) -> list[str]:
    """Character pairs within runs of letters and digits."""
    return [run[i : i + 2] for run in re.findall(r"\w{2,}", text) for i in range(len(run) - 1)]


def _normal(text: str) -> str:
    """The text as it is compared: one width, lower case, no blanks, not endless."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return re.sub(r"\s+", "", folded)[:_READ]


def _folder(object_id: str) -> str:
    return object_id.split(".", 1)[0]
