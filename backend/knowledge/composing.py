"""Puts an entry into words: exactly what was asked first, then the answer, then where it stands.

All facts come from the entry; the sentences here only carry them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from backend.knowledge import facets, text
from backend.knowledge.entries import Entry, Facet, Link, Phone
from backend.knowledge.facets import Ask
from backend.replies import Citation

LABELS: dict[Facet, str] = {
    "phone": "电话",
    "address": "地址",
    "hours": "时间",
    "link": "入口",
    "materials": "材料",
    "conditions": "条件",
    "steps": "流程",
    "time_limit": "时限",
    "amount": "金额",
    "unit": "负责单位",
    "audience": "对象",
    "dates": "日期",
    "score": "分值",
    "share": "比例",
    "items": "内容",
    "definition": "含义",
}
MISSING_WORDS: dict[Facet, str] = {
    "phone": "联系电话",
    "address": "地址",
    "hours": "办公或服务时间",
    "link": "网址或线上入口",
    "materials": "所需材料",
    "conditions": "具体条件",
    "steps": "办理流程",
    "time_limit": "办理时限",
    "amount": "具体金额",
    "unit": "负责单位",
    "audience": "适用对象",
    "dates": "具体日期",
    "score": "分值",
    "share": "比例",
    "items": "清单",
    "definition": "定义",
}
_CARD_ORDER: tuple[Facet, ...] = (
    "amount",
    "score",
    "share",
    "conditions",
    "materials",
    "steps",
    "time_limit",
    "dates",
    "hours",
    "audience",
    "unit",
    "phone",
    "address",
    "link",
    "items",
)
_EXACT: frozenset[Facet] = frozenset({"amount", "score", "share", "dates", "time_limit", "hours"})
_ALWAYS_LISTED: frozenset[Facet] = frozenset({"materials", "conditions", "steps", "items"})
_RETOLD = 0.8  # share of a list's pairs of characters from which the answer is taken to tell the list
_GLIMPSE = 110  # characters of an entry that is only offered
_CLAUSE = 24  # characters of a clause that holds nothing but a number and whose it is
_FRAGMENT = 8  # characters below which what is left of a sentence says nothing
_SHORTEST = 20  # characters of an answer that are worth saying after a number
_SHORT = 100  # characters up to which an answer needs no lead
_T = TypeVar("_T")


def phone_text(phone: Phone) -> str:
    """Returns a number with whose it is, in brackets."""
    extra = "，".join(part for part in (phone.name, phone.note) if part)
    return f"{phone.number}（{extra}）" if extra else phone.number


def link_text(link: Link) -> str:
    """Returns a name with its address."""
    return f"{link.name}（{link.url}）" if link.url and link.url != link.name else link.name


def _pick(items: Sequence[_T], label: Callable[[_T], str | None], question: str) -> tuple[list[_T], bool]:
    """Picks the items that the question means by their labels.

    Returns:
        The items to say, and whether a label chose them. Without a match: those that have no label, else all.
    """
    if len(items) < 2:
        return list(items), False
    spoken = text.squeeze(question)
    lengths = []
    for item in items:
        names = [text.squeeze(name) for name in (label(item) or "").split("|")]
        lengths.append(max((len(name) for name in names if name and name in spoken), default=0))
    longest = max(lengths)
    if longest:
        return [item for item, length in zip(items, lengths, strict=True) if length == longest], True
    unlabelled = [item for item in items if not label(item)]
    return (unlabelled or list(items)), False


def _pick_named(
    items: Sequence[_T], label: Callable[[_T], str | None], question: str
) -> tuple[list[_T], bool]:
    """Picks numbers or places by name; a name may be said in part (“下沙这边” for “下沙办税服务厅”)."""
    if len(items) < 2:
        return list(items), False
    spoken = set(text.tokens(text.squeeze(question)))
    grams = [
        {gram for gram in text.tokens(text.squeeze(label(item) or "")) if len(gram) > 1} for item in items
    ]
    shared = set.intersection(*grams) if all(grams) else set()
    hits = [len((gram - shared) & spoken) for gram in grams]
    most = max(hits)
    if not most:
        return list(items), False
    return [item for item, count in zip(items, hits, strict=True) if count == most], True


def values(entry: Entry, facet: Facet, question: str = "") -> tuple[list[str], bool]:
    """Returns what an entry states of a facet, ready to be said.

    Args:
        entry: Which entry.
        facet: Which facet.
        question: Picks among several by their labels; empty for all.

    Returns:
        The values, and whether the question picked them from more.
    """
    facts = entry.facts
    if facet == "phone":
        phones, picked = (
            _pick_named(facts.phone, lambda phone: phone.name, question) if question else (facts.phone, False)
        )
        return [phone_text(phone) for phone in phones], picked
    if facet == "address":
        places, picked = (
            _pick_named(facts.address, lambda place: place.name, question)
            if question
            else (facts.address, False)
        )
        return [f"{place.name}：{place.text}" if place.name else place.text for place in places], picked
    if facet == "link":
        links, picked = (
            _pick_named(facts.link, lambda link: link.name, question) if question else (facts.link, False)
        )
        return [link_text(link) for link in links], picked
    if facet == "items":
        return [f"{item.title}：{item.text}" if item.text else item.title for item in facts.items], False
    if facet == "definition":
        return [], False
    stated: Sequence[Any] = getattr(facts, facet)
    if not stated or isinstance(stated[0], str):
        return [str(value) for value in stated], False
    chosen, picked = _pick(stated, lambda item: item.label, question) if question else (list(stated), False)
    return [item.text for item in chosen], picked


def _line(facet: Facet, said: Sequence[str]) -> str:
    label = LABELS[facet]
    if len(said) == 1:
        return f"{label}：{said[0]}"
    if facet in _ALWAYS_LISTED or len(said) > 3 or max(map(len, said)) > 30:
        return "\n".join([f"{label}：", *(f"{number}. {value}" for number, value in enumerate(said, 1))])
    return f"{label}：" + "；".join(said)


def _contains(whole: str, part: str) -> bool:
    return re.sub(r"\W", "", part) in re.sub(r"\W", "", whole)


def _retold(answer: str, said: Sequence[str], facet: Facet) -> bool:
    """Tells whether the answer says these values anyway, so that they would be said twice."""
    if facet in _ALWAYS_LISTED:
        grams = set(text.tokens(text.squeeze(answer)))
        wanted = [gram for value in said for gram in text.tokens(text.squeeze(value)) if len(gram) > 1]
        return sum(gram in grams for gram in wanted) >= _RETOLD * len(wanted)
    return len(answer) <= _SHORT and all(_contains(answer, value) for value in said)


def source_line(citation: Citation) -> str:
    """Returns the line that says where an answer stands."""
    title = citation.document.replace("《", "〈").replace("》", "〉")
    return f"来源：《{title}》{citation.section}"


def answer_text(
    entry: Entry,
    citation: Citation,
    asks: Sequence[Ask],
    question: str,
    *,
    district: str | None = None,
    missing: Sequence[Facet] = (),
    contact: str = "",
) -> str:
    """Returns the whole answer as text.

    Args:
        entry: What is answered from.
        citation: Where it stands.
        asks: What was asked and the entry states.
        question: As typed; picks among several values.
        district: Name to say in front when the answer is about another district than one might think.
        missing: What was asked besides and the documents do not state.
        contact: Where to ask for what is missing.
    """
    lines: list[str] = []
    exact = told = False
    for ask in asks:
        said, picked = values(entry, ask.facet, question)
        if not said:
            continue
        if picked or not _retold(entry.answer, said, ask.facet):
            lines.append(_line(ask.facet, said))
            told = told or ask.facet == "phone"
        exact = exact or (picked and ask.facet in _EXACT)
    if not exact or not lines:
        lines.append(_without_phones(entry) if told and entry.listings else entry.answer)
    if missing:
        words = "、".join(MISSING_WORDS[facet] for facet in missing)
        lines.append(f"资料中未载明{words}。{contact}")
    so_far = "\n".join(lines)
    for facet in ("phone", "address", "link"):
        said, _ = values(entry, facet, question)  # type: ignore[arg-type]
        fresh = [value for value in said if not _contains(so_far, re.split(r"[（：]", value)[0])]
        if (
            0 < len(fresh) <= 3
            and len(fresh) == len(said)
            and entry.kind in {"service", "policy", "contact", "channel", "faq"}
        ):
            lines.append(_line(facet, fresh))  # type: ignore[arg-type]
    name = re.sub(r"（[^（）]*）$", "", entry.title)
    if entry.listings and not _contains("\n".join(lines), name):
        lines.insert(0, f"【{entry.title}】")
    if entry.date_note:
        lines.append(entry.date_note)
    if district:
        lines.insert(0, f"以下是{district}的规定：")
    lines.append(source_line(citation))
    return "\n".join(lines)


def _without_phones(entry: Entry) -> str:
    """Returns the answer without the clauses that only give the numbers which were just said."""
    numbers = {re.sub(r"\D", "", phone.number)[-8:] for phone in entry.facts.phone}
    names = {phone.name for phone in entry.facts.phone if phone.name}
    sentences = []
    for sentence in re.split(r"(?<=[。；])", entry.answer):
        kept = []
        for clause in re.split(r"(?<=[，、])", sentence.rstrip("。；")):
            digits = re.sub(r"\D", "", clause)
            a_number = any(number in digits for number in numbers) and len(clause) <= _CLAUSE
            a_name = len(clause) <= _CLAUSE // 2 and any(name in clause for name in names)
            if not (a_number or a_name):
                kept.append(clause)
        whole = "".join(kept).rstrip("，、")
        if len(whole) >= _FRAGMENT or len(kept) == len(re.split(r"(?<=[，、])", sentence)):
            sentences.append(whole + sentence[len(sentence.rstrip("。；")) :])
    rest = "".join(sentences)
    return re.sub(r"；$", "。", rest) if len(rest) >= _SHORTEST else entry.answer


def glimpse(entry: Entry, asks: Sequence[Ask], question: str) -> str:
    """Returns what an entry says in a line or two: what was asked if it states that, else how it begins.

    Empty where something is asked that the entry does not state: a beginning would look like an answer.
    """
    for ask in asks:
        said, _ = values(entry, ask.facet, question)
        if said:
            whole = "；".join(said)
            return whole if len(whole) <= _GLIMPSE else f"{whole[: _GLIMPSE - 1]}…"
    if any(ask.strict and not facets.answers(entry, ask) for ask in asks):
        return ""
    told = ""
    for sentence in re.split(r"(?<=[。；！？])", entry.answer):
        if told and len(told) + len(sentence) > _GLIMPSE:
            break
        told += sentence
    return told if len(told) <= _GLIMPSE else f"{told[: _GLIMPSE - 1]}…"


def card(entry: Entry, citation: Citation, asks: Sequence[Ask], question: str) -> dict[str, Any]:
    """Returns the structured view of an entry; what was asked comes first."""
    first = [ask.facet for ask in asks]
    fields: list[dict[str, Any]] = []
    for facet in dict.fromkeys((*first, *_CARD_ORDER)):
        said, _ = values(entry, facet, question if facet in first else "")
        if not said:
            continue
        shown: dict[str, Any] = {"label": LABELS[facet], "value": "\n".join(said)}
        links = [{"name": link.name, "url": link.url} for link in entry.facts.link if link.url]
        if facet == "link" and links:
            shown["links"] = links
        fields.append(shown)
    return {
        "type": "entry",
        "entry": entry.id,
        "title": entry.title,
        "board": entry.board,
        "fields": fields,
        "source": {"document": citation.document, "section": citation.section},
    }
