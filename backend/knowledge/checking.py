"""The guard of `knowledge_base/`: everything `load` refuses, and what a careful reader would also notice."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from backend.knowledge import loading, text
from backend.knowledge.entries import Entry
from backend.knowledge.loading import KnowledgeBase, Problem

_LONGEST_ANSWER = 400
_SCAN_MARKS = re.compile(r"\[(?:image|bookmark):?|</?(?:p|ol|li|input|td)\b|\ufffd|\*\*")
_SPLIT_NUMBER = re.compile(r"\d{3,} \d{3,}")
_PHONE_IN_TEXT = re.compile(r"(?<![\d.])(?:0\d{2,3}-)?(?:1[3-9]\d{9}|[2-9]\d{7})(?!\d)")
_DATE = re.compile(r"(?:\d{4}年)?\d{1,2}月(?:\d{1,2}日)?|\d{4}年")
_MONEY = re.compile(r"\d+(?:\.\d+)?\s*(?:万|亿)?元")
_PERCENT = re.compile(r"\d+(?:\.\d+)?[%％]")
_URL = re.compile(r"(?:https?://|www\.)[\w./?=&%#:~-]+[\w/]", re.ASCII)
_HOUSE = re.compile(r"\d+号|\d+楼|\d+幢|[A-Z]座|\d+室")
_LENGTH = re.compile(r"\d+\s*(?:个工作日|小时)")


def check(folder: Path) -> list[Problem]:
    """Checks a knowledge folder.

    Returns:
        All problems, sorted by file and line; an empty list when the content is in order.
    """
    base, problems = loading.read(folder)
    return sorted({*problems, *_lint(base)})


def _lint(base: KnowledgeBase) -> Iterator[Problem]:
    yield from _shared_questions(base)
    yield from _shared_names(base)
    yield from _rows(base)
    for entry in base.entries.values():
        yield from _lint_entry(base, entry)


def _at(base: KnowledgeBase, object_id: str, message: str, *path: str | int) -> Problem:
    place = base.places[object_id]
    return Problem(place.file, place.line_of(*path), message)


def _shared_questions(base: KnowledgeBase) -> Iterator[Problem]:
    seen: dict[str, tuple[str, str]] = {}
    for entry in base.entries.values():
        for number, question in enumerate(entry.questions):
            key = text.squeeze(question)
            if not key:
                yield _at(base, entry.id, f"问法“{question}”里没有文字", "questions", number)
                continue
            if key in seen:
                other, _ = seen[key]
                place = base.places[other]
                where = "本条" if other == entry.id else f"“{other}”（{place.file}:{place.line}）"
                yield _at(base, entry.id, f"问法“{question}”与{where}的一字不差", "questions", number)
            else:
                seen[key] = (entry.id, question)


def _shared_names(base: KnowledgeBase) -> Iterator[Problem]:
    """Two departments or territories of one district must not answer to one name."""
    for items in (base.departments, base.territories):
        seen: dict[tuple[str, str], str] = {}
        for item in items.values():
            for name in {text.squeeze(each) for each in (item.name, *item.aliases)}:
                key = (loading.prefix_of(item.id), name)
                if key in seen:
                    yield _at(base, item.id, f"名称“{name}”已由“{seen[key]}”使用", "aliases")
                seen.setdefault(key, item.id)


def _rows(base: KnowledgeBase) -> Iterator[Problem]:
    """Every printed row of a catalogue must be there once."""
    for catalogue in base.catalogues.values():
        holders: dict[int, str] = {}
        for entry in base.entries.values():
            for place, listing in enumerate(entry.listings):
                if listing.catalogue != catalogue.id:
                    continue
                if listing.number in holders:
                    message = f"“{catalogue.name}”第 {listing.number} 项已由“{holders[listing.number]}”占用"
                    yield _at(base, entry.id, message, "listings", place, "number")
                holders.setdefault(listing.number, entry.id)
        missing = [number for number in range(1, catalogue.stated + 1) if number not in holders]
        if missing:
            shown = "、".join(map(str, missing[:10])) + ("……" if len(missing) > 10 else "")
            message = f"“{catalogue.name}”应有 {catalogue.stated} 项，缺第 {shown} 项"
            yield _at(base, catalogue.id, message, "stated")
        for number in sorted(number for number in holders if number > catalogue.stated):
            message = f"“{catalogue.name}”只有 {catalogue.stated} 项，没有第 {number} 项"
            yield _at(base, holders[number], message, "listings")


def _lint_entry(base: KnowledgeBase, entry: Entry) -> Iterator[Problem]:
    if len(entry.answer) > _LONGEST_ANSWER:
        message = f"answer 有 {len(entry.answer)} 字，超过 {_LONGEST_ANSWER} 字：请拆成几条或移到 facts.items"
        yield _at(base, entry.id, message, "answer")
    for name in ("title", "answer"):
        value = getattr(entry, name)
        if _SCAN_MARKS.search(value):
            yield _at(base, entry.id, f"{name} 里有扫描残留的标记", name)
        if _SPLIT_NUMBER.search(value):
            yield _at(base, entry.id, f"{name} 里有被空格断开的数字", name)
    if entry.id in entry.related:
        yield _at(base, entry.id, "related 引用了自己", "related")
    stated = {
        re.sub(r"\D", "", number)
        for number in (*_hotlines(base), *(each.number for each in entry.facts.phone))
    }
    for match in _PHONE_IN_TEXT.finditer(entry.answer):
        digits = re.sub(r"\D", "", match.group())
        if not any(number.endswith(digits) or digits.endswith(number) for number in stated):
            yield _at(base, entry.id, f"answer 里的电话 {match.group()} 没有写进 facts.phone", "answer")


def _hotlines(base: KnowledgeBase) -> list[str]:
    """Returns the hotlines' numbers, which any answer may name as the way on."""
    entries = [base.entries.get(item.hotline or "") for item in base.jurisdictions.values()]
    return [phone.number for entry in entries if entry for phone in entry.facts.phone]


def _squeezed(words: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", words))


def figures_of(entry: Entry) -> dict[str, set[str]]:
    """Returns what an entry states in figures by kind: phones, money, percentages, dates, links and so on."""
    words = [entry.answer, entry.date_note or ""]
    facts = entry.facts.model_dump()
    for values in facts.values():
        for value in values:
            words += [value] if isinstance(value, str) else [str(part) for part in value.values() if part]
    whole = _squeezed("‖".join(words))
    return {
        "phone": {re.sub(r"^0\d{2,3}-", "", phone.number) for phone in entry.facts.phone},
        "money": set(_MONEY.findall(whole)),
        "percent": set(_PERCENT.findall(whole)),
        "date": set(_DATE.findall(whole)),
        "length": set(_LENGTH.findall(whole)),
        "link": {_bare_link(found) for found in _URL.findall(whole)},
        "address": set().union(*(_HOUSE.findall(_squeezed(place.text)) for place in entry.facts.address)),
    }


def _bare_link(url: str) -> str:
    return re.sub(r"^https?://|/+$", "", url).casefold()


def check_against_sources(base: KnowledgeBase, sources: Iterable[Path]) -> list[Problem]:
    """Finds figures of the knowledge base that stand in none of the source texts (whitespace ignored).

    Args:
        base: The content, as `loading.read` gives it, with its lines.
        sources: The source documents as text files.

    Returns:
        One problem for each figure that is not found; phones compare by their digits without the area code.
    """
    whole = _squeezed("\n".join(path.read_text(encoding="utf-8") for path in sources))
    digits = re.sub(r"[-—]", "", whole)
    problems = []
    for entry in base.entries.values():
        for kind, found in figures_of(entry).items():
            for figure in sorted(found):
                there = (
                    re.sub(r"\D", "", figure) in digits
                    if kind == "phone"
                    else _stands_in(figure, kind, whole)
                )
                if not there:
                    problems.append(_at(base, entry.id, f"“{figure}”在来源文件里找不到"))
    return sorted(problems)


_SPOKEN = {
    "1": "一",
    "2": "两",
    "3": "三",
    "4": "四",
    "5": "五",
    "6": "六",
    "7": "七",
    "8": "八",
    "9": "九",
    "10": "十",
    "20": "二十",
}


def _stands_in(figure: str, kind: str, whole: str) -> bool:
    if kind == "link":
        return figure in whole.casefold()
    if figure in whole:
        return True
    if kind == "percent":
        # The percent sign was lost as a picture in one scan.
        return re.search(rf"(?<!\d){re.escape(figure[:-1])}\[image", whole) is not None
    if kind in {"money", "length"}:
        number = re.match(r"[\d.]+", figure)
        if number and number.group() in _SPOKEN:
            return _SPOKEN[number.group()] + figure[number.end() :] in whole
    if kind == "date":
        # A date is often put together from a year said once and days said without it.
        parts = re.findall(r"\d{4}年|\d{1,2}月|\d{1,2}日", figure)
        if all(part in whole for part in parts):
            return True
        iso = re.fullmatch(r"(\d{4})年(\d{1,2})月(\d{1,2})日", figure)
        return iso is not None and f"{iso[1]}-{int(iso[2]):02}-{int(iso[3]):02}" in whole
    return False
