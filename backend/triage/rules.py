"""The explicit rules: what a text says outright about its level, its topic and its departments.

They are those of 《杭州市钱塘区企业服务分级分类协调机制》 and of 《“全流程”闭环机制》, in the order that the
project reads in them (docs/135.md, 6): an unclear department makes a whistle matter, so do several
departments; one department and a question, a suggestion or thanks make a simple one; anything else is for a
single department. Nothing here knows a department or a word: they come from the knowledge base.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from backend.knowledge.entries import Board, BoardName, Department, LevelName, Signal, Topic
from backend.triage.names import Named, Names, parties
from backend.triage.reading import bare, clauses, last_clause, marked, normal
from backend.triage.splitting import Subject
from backend.triage.topics import Match, TopicIndex

SURE: Final = 0.65
"""Score from which a topic is taken as known."""

_PLAIN: Final = 0.45
_OUTRIGHT: Final = 0.9
_NEAR_BEST: Final = 0.5
_TEMPERATURE: Final = 0.75
_REPEATED: Final = 0.3
_NAMED: Final = 1.6
_SPOKE: Final = 0.8
_SHOWN: Final = 3
_MOST_DEMANDS: Final = 12
_REMEMBERED: Final = 64
_REST: Final = 4
_HEAD: Final = 600
_TAIL: Final = 200
_DEFAULT_BOARD: Final[BoardName] = "诉求"
_ONLY_A_NAME: Final = re.compile(
    r"^(?:(?!我|你|他|这|那|有个|没|被|了|要|想|不|的|附近|旁边|隔壁|门口|楼下)[\w（）()·&.,]){2,40}"
    r"(?:公司|集团|工作室|商行|经营部|事务所|合作社|合伙企业|厂|店|铺|超市|馆|有限合伙)[)）。.]?$"
)
_DONE: Final = re.compile(
    r"(?:好|成|完|到账|到位|落实|解决|处理|恢复|开通|拿到|通过|下来|修|办|接通|改|拨|发|批|领|搞定|清理|协调|落地)(?:到|出来|下来|好)?(?:了|啦)(?!吗|没|么)"
)
"""What is done already; thanks for it are the point, whatever was wrong before."""

_WIDTHS: Final = str.maketrans({"，": ",", "；": ";", "！": "!", "：": ":"})
_ALSO: Final = re.compile(
    r"[，,。；;](?:还想|还要|还希望|还需要|同时|并且|并要求|并希望|并|以及|也想|也要|又想|另外|而且还|此外)"
)
_WANTS: Final = re.compile(
    r"(?:要求|希望|请|恳请|想|要)[^。;!]{2,30}?[,，](?:还想|还要|还希望|并要求|并希望|也想|也要|又想|同时要求|同时希望|同时还)"
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
class Evidence:
    """What the rules see in a text.

    Attributes:
        text: The normal text.
        only_a_name: Whether it is a company's name and nothing else, whose words tell of no problem.
        matches: The topics it may be about, likeliest first.
        named: The departments it names, in its order.
        mentioned: Ids of the departments that it names if only by a short name, in passing.
        parties: How many parties, of whatever kind, it reports as saying something.
        hits: Meaning of a signal → the signals, each as often as its patterns match.
        last: The same for what the text says last.
    """

    text: str
    only_a_name: bool
    matches: tuple[Match, ...]
    named: tuple[Named, ...]
    mentioned: frozenset[str]
    parties: int
    hits: Mapping[str, list[Signal]]
    last: Mapping[str, list[Signal]]

    @property
    def sure(self) -> bool:
        """Whether topic or department is known."""
        return bool(self.matches) and (self.matches[0].score >= SURE or bool(self.named))

    @property
    def spoke(self) -> list[str]:
        """Ids of the departments that are said to have spoken."""
        return [item.department for item in self.named if item.spoke]


@dataclass(frozen=True)
class Verdict:
    """What the rules make of a text.

    Attributes:
        level: The level.
        reason: Why, in words.
        involved: Ids of the departments that a whistle matter needs.
        firm: Whether the text says so outright, so that no likelihood can overrule it.
    """

    level: LevelName
    reason: str
    involved: tuple[str, ...] = ()
    firm: bool = False


class Rules:
    """Reads texts by the topics, signals, departments and boards of the knowledge base.

    Args:
        base: The knowledge base; only the departments of the folders that hold topics take part.

    Attributes:
        departments: Those that take part, by id.
        boards: The boards by name.
    """

    def __init__(self, base: Knowledge) -> None:
        folders = {_folder(key) for key in (*base.topics, *base.boards)}
        self.departments = {key: item for key, item in base.departments.items() if _folder(key) in folders}
        self.boards = {board.name: board for board in base.boards.values()}
        index = TopicIndex(list(base.topics.values()))
        # the splitter asks for the same parts as the reader does afterwards
        self._matches = lru_cache(_REMEMBERED)(lambda text: tuple(index.match(_ends(text))))
        self._names = Names(self.departments.values())
        self._signals: dict[str, list[tuple[Signal, list[re.Pattern[str]]]]] = defaultdict(list)
        for signal in base.signals.values():
            # normal texts have stops of half width
            patterns = [re.compile(_halved(pattern)) for pattern in signal.patterns]
            self._signals[signal.means].append((signal, patterns))

    def read(self, text: str) -> Evidence:
        """Returns what the rules see in a text, whatever its length."""
        read = bare(normal(marked(text)))
        only_a_name = bool(_ONLY_A_NAME.match(read))
        end = last_clause(read)
        hits = {means: list(self._hits(means, read)) for means in self._signals}
        last = {means: list(self._hits(means, end)) for means in self._signals}
        if hits.get("praise") and hits.get("action") and self._tells_of_a_problem(read):
            hits["praise"], last["praise"] = [], []
        return Evidence(
            text=read,
            only_a_name=only_a_name,
            matches=() if only_a_name else self._matches(read),
            named=() if only_a_name else tuple(self._names.find(read)),
            mentioned=frozenset() if only_a_name else frozenset(self._names.mentioned(read)),
            parties=parties(read),
            hits=hits,
            last=last,
        )

    def _tells_of_a_problem(self, text: str) -> bool:
        """Whether a deed is wanted where nobody is thanked; thanks alone then are a courtesy."""
        said = clauses(text)
        last = said[-1] if said else ""
        if any(self._hits("action", last)) and not any(self._hits("praise", last)):
            return True
        if _DONE.search(text):
            return False
        return any(
            any(self._hits("action", clause)) for clause in said if not any(self._hits("praise", clause))
        )

    def _asks_only(self, text: str) -> bool:
        """Whether a text that does not know whose something is asks no more than that."""
        if any(self._hits("action", text)) or any(self._hits("neglect", text)):
            return False
        rest = ",".join(clause for clause in clauses(text) if not any(self._hits("unclear", clause)))
        return any(self._hits("question", rest if len(rest) >= _REST else text))

    def _hits(self, means: str, text: str) -> Iterator[Signal]:
        for signal, patterns in self._signals[means]:
            for pattern in patterns:
                if pattern.search(text):
                    yield signal

    def subject(self, part: str) -> Subject | None:
        """Returns what a part of a message is about, None if that is not known."""
        text = normal(part)
        matches = self._matches(text)
        if not matches or matches[0].score < SURE:
            return None
        best = matches[0]
        # A long part touches many topics by chance, so it must say more to be clear.
        least = SURE + len(text) / 150
        clear = bool(best.words) and best.score >= least
        plain = clear and best.score >= least + _PLAIN
        return Subject(best.topic.id, best.topic.lead, clear, best.topic.category, plain)

    def topics(self, text: str) -> dict[str, tuple[str, float]]:
        """Returns the topics that a normal text may be about: id → lead department and score."""
        return {match.topic.id: (match.topic.lead, match.score) for match in self._matches(text)}

    def shares(self, evidence: Evidence) -> dict[str, float]:
        """Returns each department's share of the likelihood by topics and names, largest first."""
        weight: dict[str, float] = defaultdict(float)
        matches = evidence.matches
        if matches:
            top = matches[0].score
            for match in matches:
                # Further topics of a department count less, or one with many topics would always win.
                factor = (_REPEATED if match.topic.lead in weight else 1.0) * min(1.0, top / SURE)
                weight[match.topic.lead] += factor * math.exp((match.score - top) / _TEMPERATURE)
        for item in evidence.named:
            weight[item.department] += _SPOKE if item.spoke else _NAMED
        total = sum(weight.values())
        if not total:
            return {}
        # A little likelihood is left for departments that nothing here points to.
        rest = 0.15 + max(0.0, 1.0 - (matches[0].score if matches else 0.0)) * 0.3
        ranked = sorted(weight.items(), key=lambda item: -item[1])
        return {key: value / (total + rest) for key, value in ranked}

    def outright(self, evidence: Evidence) -> set[str]:
        """Returns the departments of the topics whose words stand in the text plainly."""
        found = [match for match in evidence.matches if match.words]
        least = max(_OUTRIGHT, found[0].score * _NEAR_BEST) if found else 0.0
        return {match.topic.lead for match in found if match.score >= least}

    def topic(self, evidence: Evidence, lead: str | None) -> Match | None:
        """Returns the likeliest topic of a department, else the likeliest of all."""
        best = next((match for match in evidence.matches if match.topic.lead == lead), None)
        return best or next(iter(evidence.matches), None)

    def board(self, evidence: Evidence, topic: Match | None) -> BoardName:
        """Returns the board of the topic, else the one whose words the text holds most of."""
        if topic is not None:
            return topic.topic.category
        found = {
            name: sum(word in evidence.text for word in board.words) for name, board in self.boards.items()
        }
        best = max(found, key=lambda name: found[name])
        return best if found[best] else _DEFAULT_BOARD

    def level(self, evidence: Evidence) -> Verdict:
        """Returns the level by the order of decision 6."""
        hits, matches = evidence.hits, evidence.matches
        answerable = hits.get("praise") or hits.get("suggestion") or hits.get("question") or []
        if hits.get("rhetorical") and hits.get("action"):
            answerable = []
        sure, spoke = evidence.sure, evidence.spoke
        named = [item.department for item in evidence.named]
        leads = list(dict.fromkeys(match.topic.lead for match in matches if match.score >= SURE))
        outright = self.outright(evidence)
        involved = tuple(named or [key for key in leads if key in outright][:_SHOWN])
        if hits.get("neglect") and not (sure and (len(leads) == 1 or len(named) == 1)):
            return Verdict("whistle", f"{hits['neglect'][0].reason}，按吹哨问题办理", involved)
        if unclear := hits.get("unclear"):
            firm = not hits.get("praise") and not (answerable and self._asks_only(evidence.text))
            return Verdict("whistle", f"{unclear[0].reason}，按吹哨问题办理", involved, firm=firm)
        if len(spoke) > 1:
            names = "、".join(self.departments[key].name for key in spoke)
            reason = f"{names}说法不一或互相推转，涉及多个部门，按吹哨问题办理"
            return Verdict("whistle", reason, tuple(named), firm=True)
        if hits.get("several"):
            firm = len(named) > 1 and not answerable
            return Verdict("whistle", f"{hits['several'][0].reason}，按吹哨问题办理", involved, firm=firm)
        if sure and matches and matches[0].topic.co and not answerable:
            reason = "这类事项需要多个部门办理，按吹哨问题办理"
            return Verdict("whistle", reason, tuple(matches[0].topic.co))
        demands, wanted = self._demands(evidence.text)
        if len(demands) > 1:
            reason = "同一件事里的几项要求分属不同部门，按吹哨问题办理"
            return Verdict("whistle", reason, tuple(demands), firm=wanted and not answerable)
        if answerable and _asks_more_than_wants(evidence):
            return Verdict("simple", f"{answerable[0].reason}，主办部门可以直接答复，按简单问题办理")
        if not sure:
            return Verdict("whistle", "办理部门不明确，按吹哨问题办理", involved)
        return Verdict("single", "涉及一个部门，需要主办部门专题协调，按单一部门问题办理")

    def _demands(self, text: str) -> tuple[list[str], bool]:
        """Departments of the demands that 还想, 同时 and the like join; whether it wants both."""
        pieces = _ALSO.split(text)
        if len(pieces) < 2:
            return [], False
        leads: list[str] = []
        wanted = bool(_WANTS.search(text))
        for piece in pieces[:_MOST_DEMANDS]:
            subject = self.subject(piece)
            if subject and subject.department not in leads:
                leads.append(subject.department)
                wanted = wanted and subject.clear
        return leads, wanted


def _asks_more_than_wants(evidence: Evidence) -> bool:
    """Whether an answer is wanted rather than a deed; the last clause, the point of it, counts twice."""
    hits, last = evidence.hits, evidence.last
    asks = len(hits.get("question", ())) + len(hits.get("suggestion", ())) + 3 * bool(hits.get("praise"))
    asks += bool(last.get("question")) + bool(last.get("suggestion"))
    return asks >= len(hits.get("action", ()))


def _halved(pattern: str) -> str:
    return pattern.translate(_WIDTHS).replace("？", r"\?")


def _folder(object_id: str) -> str:
    return object_id.split(".", 1)[0]


def _ends(text: str) -> str:
    """The beginning and the end of a long text, where it says what it is about."""
    return text if len(text) <= _HEAD + _TAIL else text[:_HEAD] + text[-_TAIL:]
