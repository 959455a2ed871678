"""Whatever is served as a fact stands in the entry that is cited, which cites a document that we hold."""

from __future__ import annotations

import re

import pytest

from backend.knowledge import composing
from backend.knowledge.answering import AnswerService
from backend.knowledge.entries import Entry
from backend.knowledge.loading import KnowledgeBase
from backend.knowledge.search import body_of

ASKED = (
    "",
    "电话多少",
    "地址在哪里",
    "要什么材料",
    "怎么办理",
    "多久办好",
    "哪个部门负责",
    "能拿多少钱",
    "网址是多少",
    "有哪些",
)
FIGURES = re.compile(r"\d+(?:\.\d+)?[%％]?|https?://[\w./?=&%#:~-]+", re.ASCII)


def stated(entry: Entry) -> str:
    parts = [body_of(entry), entry.date_note or "", entry.title]
    parts += [f"{phone.number} {phone.note or ''}" for phone in entry.facts.phone]
    parts += [f"{link.name} {link.url or ''}" for link in entry.facts.link]
    parts += [item.label or "" for item in (*entry.facts.amount, *entry.facts.score, *entry.facts.share)]
    return "\n".join(parts)


@pytest.mark.parametrize("asked", ASKED)
def test_every_figure_stands_in_the_cited_entry(
    real_base: KnowledgeBase, real_service: AnswerService, asked: str
) -> None:
    hotlines = {real_service.hotline(item) or "" for item in real_base.jurisdictions.values()}
    for entry in real_base.entries.values():
        reply = real_service.answer_entry(entry.id, question=f"{entry.title}{asked}")
        message = reply.messages[0]
        assert [citation.entry for citation in message.citations] == [entry.id]
        source = composing.source_line(message.citations[0])
        said = "\n".join(line for line in message.text.split("\n") if line != source)
        said = re.sub(r"(?m)^\d+\. ", "", said)
        known = stated(entry) + "".join(hotlines)
        missing = [figure for figure in FIGURES.findall(said) if figure not in known]
        assert not missing, (entry.id, missing)


def test_every_citation_names_a_held_document(real_base: KnowledgeBase) -> None:
    titles = {document.title for document in real_base.documents.values()}
    for entry in real_base.entries.values():
        citation = real_base.citation(entry)
        assert citation.document in titles
        assert citation.section
