"""Judges where in a message another matter begins, by what joined and single appeals have taught.

A message is read in pieces, from one stop to the next or to words that begin something new. What the pieces
before and after a boundary are about, how they resemble each other and how the later one begins become
numbers; a logistic regression that `training` fits says how likely it is that another matter begins there.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from backend.triage.features import grams
from backend.triage.reading import normal

_MOST: Final = 14
"""Boundaries that are judged in one message; a longer story is one matter, or counts its matters."""

_JUDGED: Final = 500
"""Characters of a message that is judged at most."""

_LEAST: Final = 5
_LOOK: Final = 30
_MOST_PARTS: Final = 8
_STARTS: Final = 8
_WIDE: Final = 3
_TOPIC_FULL: Final = 3.0
_STOP: Final = re.compile(r"[\n。；;！!？?]+[”’」）)]*\s*")
_NEW: Final = (
    r"(?:哦|噢|嗯|啊|然后|那|就是|也)?[，,]?(?:另外|另有|另一(?![头边方家份半位人端])|另，|此外|除此(?:以外|之外)|除了这个|对了|顺(?:便|带|道|嘴|口|手)|"
    r"捎带|还有(?!没|人|谁|什么|哪|几|多)|再(?:有|者|就是|一(?:个|件|桩|条|事)|问|说一|提|来一|反映|请教|咨询)|至于|其次|"
    r"还(?:想|要|得)(?:再)?(?:反映|问|咨询|说|了解|打听|请教)|第[二三四五](?:个|件|桩|条|点|是|急|，|,|、)|不急的|次要的|"
    r"(?:老板|领导|同事|财务|人事)(?:还|也|又)?(?:让|叫|托|要)我|多(?:问|嘴|说)一句|换(?:个|一)(?:话题|件事)|以及(?!因为)|"
    r"别的|其他(?:问题|的)|下一(?:个|件)|最后(?:一|再|还|问|想)|同时|然后(?![才呢再])|"
    r"(?:我们|我司|公司|我)?(?:也|还)(?:有)?(?:一|个)(?:个|件|桩)?(?:事|问题))"
)
_NEW_AT: Final = re.compile(rf"(?<=[，,、\s])(?={_NEW})")
_ASIDE: Final = r"(?:另外|再|还要|我再)?(?:补充|说明|强调|提醒|交代|解释)(?:一|下|说明|的是|两句|几句|一点)"
_OPENINGS: Final[Mapping[str, re.Pattern[str]]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "new": _NEW,
        "matter": r".{0,8}(?:[一两三另]|还有|再来|个)(?:个|件|桩|条|样)?(?:事|问题|情况)",
        "aside": _ASIDE,
        "and": r"(?:还有|同时|以及|并且|也|又|而且|甚至|连)",
        "there": r"(?:这|那|它|他|她|该|此|其|同|上述|以上|前面|刚才|之前)",
        "so": r"(?:所以|因此|结果|导致|害|于是|为此|因为|以及因为|现在|目前|到现在|至今|"
        r"搞得|弄得|眼看|再(?:不|这样|拖))",
        "but": r"(?:但|可是|可|不过|然而|虽|只是|却|就|才|都|都已)",
        "wants": r"(?:希望|请|麻烦|求|恳请|盼|望|要求|能不能|能否|可否|可不可以|有没有|"
        r"该|谁|怎么|为什么|为何|凭什么|到底|究竟|难道)",
        "thanks": r"(?:谢|多谢|感谢|辛苦|拜托|打扰|盼复|急)",
        "if": r"(?:如果|要是|否则|不然|万一|只要|若)",
        "we": r"(?:我们|我司|我公司|本公司|我厂|我店|我单位|咱|公司|厂里|单位|店里|企业|员工|我)",
        "ask": r"(?:想|请|咨询|问|打听|了解|请教)",
        "time": r"(?:今年|去年|上个?月|上周|昨天|前天|最近|近期|前几天|\d+年|\d+月)",
    }.items()
}
_WITHIN: Final[Mapping[str, re.Pattern[str]]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "question": r"[？?吗呢]|怎么|如何|能不能|能否|可否|哪|多少|几",
        "request": r"希望|请|麻烦|求|恳请|要求|协调|帮忙|解决|处理",
        "harm": r"损失|违约|索赔|停产|停工|工资|订单|客户|赔|发货|成本|周转|受伤|摔|影响|耽误|倒闭|裁员",
        "said": r"[说讲]|答复|回复|推",
        "there": r"[这那该此]|上述|前面",
    }.items()
}
COLUMNS: Final = 3 * 12 + 10 + len(_OPENINGS) + 5 * len(_WITHIN) + 5
"""Numbers that describe a boundary."""

_WANTS: Final = 2
"""Of what a piece holds, the first are questions and requests."""

_APART: Final = 0.6
_SEVERAL: Final = re.compile(r"[两二三四五几](?:个|件|点|条|桩|样)(?:事|问题|情况|诉求|困难|难题)")
_SEVERAL_WITHIN: Final = 40


class Reader(Protocol):
    """What gives the likelihoods of a text by its n-grams: the classifier's weights."""

    @property
    def features(self) -> Any:
        """How a text becomes numbers."""
        ...

    @property
    def heads(self) -> Mapping[Any, Any]:
        """Its linear classifiers."""
        ...


TopicsOf = Callable[[str], Mapping[str, tuple[str, float]]]
"""A normal text → id of a topic → its department and score."""


@dataclass(frozen=True)
class Piece:
    """A piece of a message.

    Attributes:
        start: Where it begins in the message.
        end: Where it ends.
        text: The normal text.
        spoken: Whether words that begin something new stand before it rather than a stop.
    """

    start: int
    end: int
    text: str
    spoken: bool


def pieces(text: str, ruled: frozenset[int] = frozenset(), most: int | None = None) -> list[Piece]:
    """Returns the pieces of a message, in order and without a gap.

    Args:
        text: The message.
        ruled: Places where the rules would cut, which are looked at too.
        most: Of more pieces than these none is returned.
    """
    at = dict.fromkeys(ruled, True) | {match.end(): False for match in _STOP.finditer(text)}
    for match in _NEW_AT.finditer(text):
        at.setdefault(match.start(), True)
    starts = [(0, False)]
    for place in sorted(place for place in at if 0 < place < len(text)):
        # what is too short to tell of anything goes with what follows
        if _signs(text[starts[-1][0] : place]) >= _LEAST <= _signs(text[place : place + _LOOK]):
            starts.append((place, at[place]))
            if most is not None and len(starts) > most:
                return []
    bounds = [*starts, (len(text), False)]
    return [
        Piece(start, end, normal(text[start:end]), spoken) for (start, spoken), (end, _) in pairwise(bounds)
    ]


def _signs(text: str) -> int:
    return sum(map(len, text.split()))


class Described:
    """The pieces of a message as numbers, of which those of any stretch of it are sums.

    Args:
        parts: The pieces.
        reader: Gives likelihoods.
        topics_of: What the topics say of a piece.
        rules: Where the rules would cut, as places in the message.
        several: Whether the message announces several matters.
    """

    def __init__(
        self,
        parts: Sequence[Piece],
        reader: Reader,
        topics_of: TopicsOf,
        rules: frozenset[int],
        several: bool,
    ) -> None:
        self.parts = list(parts)
        self.rules = rules
        self.several = several
        features = reader.features
        self._linear = [reader.heads["category"], reader.heads["department"]]
        scores: list[list[NDArray[np.float32]]] = [[], []]
        norms: list[float] = []
        bags: list[dict[int, float]] = []
        topics: list[Mapping[str, tuple[str, float]]] = []
        for part in self.parts:
            told = features.of(grams(part.text), {}, unit=False)
            for head, linear in enumerate(self._linear):
                scores[head].append(told.value @ linear.weights[told.index])
            norms.append(float((told.value * told.value).sum()))
            bags.append(
                {
                    int(place): float(value)
                    for place, value in zip(told.index, told.value, strict=True)
                    if features.wordy[place]
                }
            )
            topics.append(topics_of(part.text))
        self._scores = [_sums(np.array(rows)) for rows in scores]
        self._norms = _sums(np.array(norms)[:, None])
        self._words = _sums(_dense(bags))
        self._topics = _sums(_dense([{key: score for key, (_, score) in item.items()} for item in topics]))
        leads: list[dict[str, float]] = []
        for item in topics:
            lead: dict[str, float] = {}
            for department, score in item.values():
                lead[department] = max(lead.get(department, 0.0), score)
            leads.append(lead)
        self._leads = _sums(_dense(leads))
        self._best = np.array([max((score for _, score in item.values()), default=0.0) for item in topics])
        self._length = _sums(np.array([len(part.text) for part in self.parts], np.float64)[:, None])
        self._opens = np.array([opening(part.text) for part in self.parts])
        self._holds = np.array(
            [[float(bool(p.search(part.text))) for p in _WITHIN.values()] for part in self.parts]
        )
        self._held = _sums(self._holds)

    def boundaries(self, first: int, last: int) -> NDArray[np.float64]:
        """Describes the boundaries within the pieces from ``first`` up to but without ``last``.

        Returns:
            Shape boundaries × what is known of each.
        """
        places = np.arange(first + 1, last)
        ends = np.full_like(places, last)
        starts = np.full_like(places, first)
        columns: list[NDArray[np.float64]] = []
        near = np.maximum(places - 1, first), np.minimum(places + 1, last)
        # all three at once: with so few rows it is the calls that cost
        lefts, rights = np.concatenate([starts, near[0], starts]), np.concatenate([ends, near[1], near[1]])
        apart_at = [np.split(one, 3) for one in self._apart(lefts, np.tile(places, 3), rights)]
        for which in range(3):
            columns.extend(one[which] for one in apart_at)
        length = self._length[:, 0]
        for left, right in ((starts, places), (places, ends), (near[0], places), (places, near[1])):
            columns.append(np.log1p(length[right] - length[left]) / 4)
        columns.append(np.minimum(places - first, _WIDE) / _WIDE)
        columns.append(np.minimum(last - places, _WIDE) / _WIDE)
        columns.append(np.array([float(self.parts[place].start in self.rules) for place in places]))
        columns.append(np.full(len(places), float(self.several)))
        columns.append(np.array([float(self.parts[place].spoken) for place in places]))
        opens = self._opens[places]
        apart = 1.0 - columns[0]
        columns.append(opens[:, 0] * apart)
        columns.extend(opens.T)
        columns.extend(self._holds[places].T)
        columns.extend(self._holds[places - 1].T)
        # who has asked already and asks again may ask for something else; a story alone awaits its question
        before = (self._held[places] - self._held[first]) > 0
        after = (self._held[last] - self._held[places]) > 0
        asked, asks = before[:, :_WANTS].any(axis=1), after[:, :_WANTS].any(axis=1)
        for one in (*before.T, *after.T, *(before & after).T, asked & asks, asked & asks & (apart > _APART)):
            columns.append(one.astype(np.float64))
        columns.append((asked & asks) * apart)
        columns.append((asked & ~asks) * apart)
        columns.append((~asked & asks) * apart)
        return np.stack(columns, axis=1)

    def _apart(
        self, left: NDArray[Any], place: NDArray[Any], right: NDArray[Any]
    ) -> list[NDArray[np.float64]]:
        found: list[NDArray[np.float64]] = []
        sure = np.ones(len(place))
        for linear, scores in zip(self._linear, self._scores, strict=True):
            one = self._likely(linear, scores, left, place)
            other = self._likely(linear, scores, place, right)
            common = np.sqrt(one * other).sum(axis=1)
            least = np.minimum(one.max(axis=1), other.max(axis=1))
            sure = sure * least
            found += [common, least, (1 - common) * least]
        for sums in (self._words, self._topics, self._leads):
            found.append(_cosine(sums[place] - sums[left], sums[right] - sums[place]))
        both = np.minimum(_top(self._best, left, place), _top(self._best, place, right)) / _TOPIC_FULL
        found += [both, both * (1 - found[-1]), sure * (1 - found[-1]) * (1 - found[0])]
        return found

    def _likely(
        self, linear: Any, scores: NDArray[Any], left: NDArray[Any], right: NDArray[Any]
    ) -> NDArray[np.float64]:
        norm = np.sqrt(np.maximum(self._norms[right] - self._norms[left], 1e-9))
        raw = ((scores[right] - scores[left]) / norm + linear.bias) / linear.temperature
        raised = np.exp(raw - raw.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float64)


def opening(text: str) -> list[float]:
    """Returns for each kind of opening whether a piece begins so, in the order of `_OPENINGS`."""
    return [float(bool(pattern.match(text))) for pattern in _OPENINGS.values()]


def starts(text: str) -> set[str]:
    """Returns the pairs of characters with which a piece begins, whose weights are learnt."""
    body = re.sub(r"\d+", "0", text)[:_STARTS]
    return {"^" + body[:2], *(body[i : i + 2] for i in range(len(body) - 1))}


@dataclass(frozen=True)
class Judge:
    """Says where another matter begins.

    Attributes:
        weights: One for each number of `Described.boundaries`.
        starts: Weights of the pairs of characters with which a piece begins.
        bias: What is added.
        least: Probability from which a message is cut.
    """

    weights: NDArray[np.float32]
    starts: Mapping[str, float]
    bias: float
    least: float

    def cuts(self, described: Described) -> list[int]:
        """Returns where to cut the message, in its order: the likeliest place first, then both sides."""
        begun = np.array(
            [sum(self.starts.get(pair, 0.0) for pair in starts(part.text)) for part in described.parts]
        )
        found: list[int] = []
        todo = [(0, len(described.parts))]
        while todo and len(found) < _MOST_PARTS:
            first, last = todo.pop(0)
            if last - first < 2:
                continue
            scores = described.boundaries(first, last) @ self.weights + begun[first + 1 : last] + self.bias
            best = int(scores.argmax())
            if 1 / (1 + math.exp(-float(np.clip(scores[best], -30, 30)))) >= self.least:
                place = first + 1 + best
                found.append(described.parts[place].start)
                todo += [(first, place), (place, last)]
        return sorted(found)


def describe(text: str, reader: Reader, topics_of: TopicsOf, ruled: Sequence[str]) -> Described | None:
    """Describes the boundaries of a message.

    Args:
        text: The message.
        reader: Gives likelihoods.
        topics_of: What the topics say of a piece.
        ruled: The parts that the rules would cut it into.

    Returns:
        None where there is nothing to judge, or too much.
    """
    if len(text) > _JUDGED:
        return None
    places = _places(text, ruled)
    parts = pieces(text, places, _MOST + 1)
    if not 1 < len(parts) <= _MOST + 1:
        return None
    return Described(parts, reader, topics_of, places, announces(text))


def announces(text: str) -> bool:
    """Whether the writer says at the start that there are several matters."""
    return bool(_SEVERAL.search(text[:_SEVERAL_WITHIN]))


def slices(text: str, cuts: Sequence[int]) -> list[str]:
    """Returns the parts between the cuts, without blanks at their ends."""
    return [part for start, end in pairwise([0, *cuts, len(text)]) if (part := text[start:end].strip())] or [
        text.strip()
    ]


def _places(text: str, ruled: Sequence[str]) -> frozenset[int]:
    """Where in the message the parts begin, which differ from it in nothing but blanks."""
    if len(ruled) < 2:
        return frozenset()
    found: set[int] = set()
    wanted, count = 0, 0
    marks = set()
    for part in ruled[:-1]:
        wanted += len("".join(part.split()))
        marks.add(wanted)
    for place, sign in enumerate(text):
        if sign.isspace():
            continue
        if count in marks:
            found.add(place)
        count += 1
    return frozenset(found)


def _sums(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Running sums that begin with zeros, so that any stretch is a difference."""
    return np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0, dtype=np.float64)])


def _dense(bags: Sequence[Mapping[Any, float]]) -> NDArray[np.float64]:
    held = Counter(key for bag in bags for key in bag)
    at = {key: place for place, key in enumerate(held)}
    found = np.zeros((len(bags), max(1, len(at))))
    for row, bag in enumerate(bags):
        found[row, [at[key] for key in bag]] = list(bag.values())
    return found


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.sqrt((one * one).sum(axis=1) * (other * other).sum(axis=1))
    return np.asarray((one * other).sum(axis=1) / np.maximum(lengths, 1e-9), np.float64)


def _top(best: NDArray[np.float64], left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.float64]:
    return np.array([best[a:b].max() for a, b in zip(left, right, strict=True)])
