"""Proposes what kind of problem an appeal is, how hard it is and whose it is; the territory decides.

What a text says outright comes first (`rules`); where it says nothing outright, what labelled appeals have
taught decides (`classifier`). Without a trained classifier the rules alone propose. Every conclusion carries
its reason in words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

from backend.knowledge.entries import BoardName, LevelName
from backend.triage.boundaries import describe
from backend.triage.classifier import Classifier, Likelihoods
from backend.triage.rules import Evidence, Knowledge, Rules, Verdict
from backend.triage.splitting import Subject, split
from backend.triage.topics import Match

_MAX_CANDIDATES: Final = 5
_MAX_CO: Final = 4
_ENOUGH: Final = 2
"""Departments named from which no further ones are proposed to help."""

_SEEN: Final = 0.01
_ASKED: Final = 0.6
_TOPICS: Final = 0.5
_DOUBT: Final = 0.1
"""Share that every department keeps when the topics do not point to it."""

_SHOWN: Final = 3
_CATCH_ALL_BOARD: Final[BoardName] = "兜底"
_OF_CATCH_ALL: Final = frozenset({"审批"})
"""Boards whose matters become catch-all ones when nobody takes them (兜底服务制度 五（二）)."""

_LEVELS: Final[Mapping[str, str]] = {
    "simple": "多为主办部门可以直接答复的，按简单问题办理",
    "single": "多由一个部门专题协调解决，按单一部门问题办理",
    "whistle": "多需要几个部门一起办，按吹哨问题办理",
}


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


class Triage:
    """Proposes category, level and departments.

    Args:
        base: The knowledge base.
        classifier: Gives what labelled appeals have taught, None to propose by the rules alone; asked each
            time, because a model may appear while the backend runs.
    """

    def __init__(self, base: Knowledge, classifier: Callable[[], Classifier | None] = lambda: None) -> None:
        self._rules = Rules(base)
        self._classifier = classifier

    @property
    def trained(self) -> bool:
        """Whether a classifier takes part."""
        return self._classifier() is not None

    def propose(self, text: str, territory: str | None = None) -> list[Problem]:
        """Propose for each separate problem of a message, in its order.

        Args:
            text: The message, at most a few thousand characters.
            territory: Platform or street, if known; named in the reason of a whistle matter.

        Returns:
            One element for each problem, at least one.
        """
        told: dict[str, Subject | None] = {}

        def subject(part: str) -> Subject | None:
            if part not in told:
                told[part] = self._rules.subject(part)
            return told[part]

        classifier = self._classifier()
        judged = partial(self._judged, classifier) if classifier and classifier.judge else None
        return [self._problem(part, territory) for part in split(text, subject, judged)]

    def _judged(self, classifier: Classifier, text: str, ruled: list[str]) -> list[int] | None:
        described = describe(text, classifier, self._rules.topics, ruled)
        if described is None or classifier.judge is None:
            return None
        return classifier.judge.cuts(described)

    def _problem(self, part: str, territory: str | None) -> Problem:
        evidence = self._rules.read(part)
        verdict = self._rules.level(evidence)
        classifier = self._classifier()
        if classifier is None or evidence.only_a_name:
            return self._by_rules(part, evidence, verdict, territory)
        return self._by_likelihood(part, evidence, verdict, classifier, territory)

    def _by_rules(self, part: str, evidence: Evidence, verdict: Verdict, territory: str | None) -> Problem:
        shares = self._rules.shares(evidence)
        topic = self._rules.topic(evidence, next(iter(shares), None))
        category = self._rules.board(evidence, topic)
        reasons = [*self._seen(evidence, topic), verdict.reason, *_major(evidence)]
        if category in _OF_CATCH_ALL and evidence.hits.get("unclear"):
            category = _CATCH_ALL_BOARD
            reasons.append("办事中无处受理、无人牵头，按兜底服务登记")
        lead = next(iter(shares), self._rules.boards[category].lead)
        co = [key for key in verdict.involved if key != lead]
        if not shares:
            reasons.append(f"未能确定办理部门，暂列{category}板块的牵头部门")
        return self._made(part, category, verdict.level, lead, co, shares, reasons, territory)

    def _by_likelihood(
        self, part: str, evidence: Evidence, verdict: Verdict, classifier: Classifier, territory: str | None
    ) -> Problem:
        likely = classifier.read(self._rules, evidence)
        shares = self._shares(evidence, likely)
        lead = next(iter(shares))
        category = cast(BoardName, next(iter(likely.category)))
        level: LevelName = verdict.level if verdict.firm else cast(LevelName, next(iter(likely.level)))
        topic = self._rules.topic(evidence, lead)
        if topic is not None and topic.topic.lead != lead:
            topic = None
        reasons = self._seen(evidence, topic)
        if topic is None or not topic.words:
            words = classifier.words(evidence.text, likely.described, "department", lead)
            if words:
                said = "、".join(f"“{word}”" for word in words)
                reasons.append(f"以往标注的诉求里，说到{said}的多由{self._name(lead)}办理")
        if topic is None or topic.topic.category != category:
            words = classifier.words(evidence.text, likely.described, "category", category)
            if words:
                reasons.append(f"说到{'、'.join(f'“{word}”' for word in words)}，归入{category}板块")
        if verdict.level == level:
            reasons.append(verdict.reason)
        else:
            words = classifier.words(evidence.text, likely.described, "level", level)
            said = "、".join(f"“{word}”" for word in words)
            reasons.append(f"{f'带有{said}的' if said else '这样说的'}诉求{_LEVELS[level]}")
        reasons.extend(_major(evidence))
        # whose name or topic stands in the text; a likeness alone is no reason to call anyone
        outright = self._rules.outright(evidence)
        further = [key for key in shares if key in outright] if len(evidence.named) < _ENOUGH else []
        co = list(dict.fromkeys([*verdict.involved, *(item.department for item in evidence.named), *further]))
        co = [key for key in co if key != lead][:_MAX_CO]
        return self._made(part, category, level, lead, co, shares, reasons, territory)

    def _shares(self, evidence: Evidence, likely: Likelihoods) -> dict[str, float]:
        """Each department's probability, largest first; a department that is asked by name comes first.

        What the topics say weighs as much as the square root of what the classifier says: where their words
        stand in the text outright, a likeness of phrasing alone does not overrule them.
        """
        known = self._rules.shares(evidence)
        shares = {
            key: share * (known.get(key, 0.0) + _DOUBT) ** _TOPICS
            for key, share in likely.department.items()
            if key in self._rules.departments
        }
        total = sum(shares.values()) or 1.0
        shares = {key: share / total for key, share in shares.items()}
        asked = {item.department for item in evidence.named if item.asked}
        if len(asked) == 1:
            shares = {
                key: share * (1 - _ASKED) + (_ASKED if key in asked else 0.0) for key, share in shares.items()
            }
            shares |= {key: _ASKED for key in asked if key not in shares}
        return dict(sorted(shares.items(), key=lambda item: -item[1]))

    def _seen(self, evidence: Evidence, topic: Match | None) -> list[str]:
        reasons: list[str] = []
        if topic is not None and topic.words:
            reasons.append(f"内容与“{topic.topic.title}”相符（{'、'.join(topic.words[:4])}）")
        elif topic is not None:
            reasons.append(f"说法与“{topic.topic.title}”相近")
        reasons.extend(f"文中提到{self._name(item.department)}" for item in evidence.named[:_SHOWN])
        return reasons

    def _name(self, department: str) -> str:
        return self._rules.departments[department].name

    def _made(
        self,
        part: str,
        category: str,
        level: str,
        lead: str,
        co: Sequence[str],
        shares: Mapping[str, float],
        reasons: list[str],
        territory: str | None,
    ) -> Problem:
        if level == "whistle":
            reasons.append(f"由{territory or '平台、街道'}牵头，相关部门协办")
        return Problem(
            text=part,
            category=category,
            level=level,
            lead_department=self._name(lead),
            co_departments=tuple(self._name(key) for key in co) if level == "whistle" else (),
            candidates=tuple(
                Candidate(self._name(key), round(share, 3))
                for key, share in list(shares.items())[:_MAX_CANDIDATES]
                if share >= _SEEN
            ),
            reasons=tuple(reasons),
        )


def _major(evidence: Evidence) -> list[str]:
    return [signal.reason for signal in evidence.hits.get("major", ())[:1]]
