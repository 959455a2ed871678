"""Was an answer right: the comparison behind `qifu eval`, apart from asking.

An item is one line of a question file: ``id``, ``kind``, ``question``, ``expect`` (every element has to be in
the answer; a list inside it means any one of its elements), ``forbid`` (none may be). An item of kind
``appeal`` carries ``expect_category`` and ``accept_categories``, ``expect_level``, ``expect_departments``
instead. Whitespace is ignored.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.errors import InvalidInput

OUT_OF_SCOPE = "out_of_scope"
APPEAL = "appeal"


@dataclass(frozen=True)
class Verdict:
    """What became of one item.

    Attributes:
        id: The item's id.
        kind: The item's kind.
        question: What was asked.
        right: Whether the answer is right.
        refused: Whether the assistant said that it does not know.
        missing: Expected elements that the answer lacks; alternatives joined by ``|``.
        forbidden: Forbidden texts that it holds.
        answer: What was answered, for people to read.
        outcome: The chat API's ``outcome``, or an error's code.
    """

    id: str
    kind: str
    question: str
    right: bool
    refused: bool = False
    missing: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    answer: str = ""
    outcome: str = ""


@dataclass
class Summary:
    """Counts over all verdicts.

    Attributes:
        asked: Questions by kind.
        right: Right answers by kind.
        refusals: Out-of-scope questions that were refused.
        false_refusals: Other questions that were refused and so not answered rightly.
    """

    asked: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    refusals: int = 0
    false_refusals: int = 0

    def add(self, verdict: Verdict) -> None:
        """Count one verdict."""
        self.asked[verdict.kind] += 1
        self.right[verdict.kind] += verdict.right
        if verdict.refused:
            if verdict.kind == OUT_OF_SCOPE:
                self.refusals += 1
            elif not verdict.right:
                self.false_refusals += 1

    def as_json(self) -> dict[str, Any]:
        """Return the counts in JSON's types."""
        kinds = {kind: {"asked": self.asked[kind], "right": self.right[kind]} for kind in sorted(self.asked)}
        return {
            "asked": self.asked.total(),
            "right": self.right.total(),
            "by_kind": kinds,
            "refusals": {"asked": self.asked[OUT_OF_SCOPE], "refused": self.refusals},
            "false_refusals": self.false_refusals,
        }


def bare(text: str) -> str:
    """Return a text without whitespace of any kind."""
    return "".join(text.split())


def _alternatives(element: str | Sequence[str]) -> list[str]:
    return [element] if isinstance(element, str) else list(element)


def lacking(answer: str, expect: Iterable[str | Sequence[str]]) -> tuple[str, ...]:
    """Return the expected elements that an answer lacks."""
    found = bare(answer)
    return tuple(
        "|".join(_alternatives(element))
        for element in expect
        if not any(bare(text) in found for text in _alternatives(element))
    )


def holding(answer: str, forbid: Iterable[str]) -> tuple[str, ...]:
    """Return the forbidden texts that an answer holds."""
    found = bare(answer)
    return tuple(text for text in forbid if bare(text) in found)


def judge_reply(item: dict[str, Any], reply: dict[str, Any]) -> Verdict:
    """Judge an answer of the chat API: the texts of all its messages, not their citations and cards."""
    answer = "\n".join(message["text"] for message in reply["messages"])
    missing = lacking(answer, item.get("expect", []))
    forbidden = holding(answer, item.get("forbid", []))
    outcome = reply.get("outcome", "")
    return Verdict(
        id=item["id"],
        kind=item["kind"],
        question=item["question"],
        right=not missing and not forbidden,
        refused=outcome == "unanswered",
        missing=missing,
        forbidden=forbidden,
        answer=answer,
        outcome=outcome,
    )


def judge_triage(item: dict[str, Any], problems: list[dict[str, Any]]) -> Verdict:
    """Judge a triage: category, level and one of the departments, in any of the problems found."""
    categories = item.get("accept_categories") or [item["expect_category"]]
    departments = {bare(name) for name in item.get("expect_departments", [])}
    missing: list[str] = []
    if not any(problem["category"] in categories for problem in problems):
        missing.append("类别：" + "|".join(categories))
    if not any(problem["level"] == item["expect_level"] for problem in problems):
        missing.append("级别：" + str(item["expect_level"]))
    involved = [
        [name for name in (problem.get("lead_department"), *problem.get("co_departments", [])) if name]
        for problem in problems
    ]
    if departments and not departments & {bare(name) for names in involved for name in names}:
        missing.append("部门：" + "|".join(item["expect_departments"]))
    told = [
        " · ".join((problem["category"], problem["level"], "、".join(names)))
        for problem, names in zip(problems, involved, strict=True)
    ]
    return Verdict(
        id=item["id"],
        kind=item["kind"],
        question=item["question"],
        right=not missing,
        missing=tuple(missing),
        answer="\n".join(told),
        outcome="triage",
    )


def read_items(file: Path) -> list[dict[str, Any]]:
    """Read a question file.

    Raises:
        InvalidInput: A line is not an item; the sentence names the line.
    """
    items: list[dict[str, Any]] = []
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise InvalidInput(f"{file} 不是 UTF-8 编码的文本。") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except ValueError:
            raise InvalidInput(f"{file}:{number} 不是一行 JSON。") from None
        needed = {"id", "kind", "question"}
        if isinstance(item, dict) and item.get("kind") == APPEAL:
            needed |= {"expect_category", "expect_level"}
        absent = needed if not isinstance(item, dict) else needed - item.keys()
        if absent:
            raise InvalidInput(f"{file}:{number} 缺少 {'、'.join(sorted(absent))}。")
        items.append(item)
    return items
