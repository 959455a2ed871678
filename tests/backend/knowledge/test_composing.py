"""What is said of an entry: what was asked first, nothing twice, nothing cut in a misleading way."""

from __future__ import annotations

import re

from backend.knowledge import composing
from backend.knowledge.facets import Ask
from backend.knowledge.loading import KnowledgeBase

PHONE = [Ask("phone", strict=True)]


def test_a_number_that_leads_is_not_said_again_in_a_service(real_base: KnowledgeBase) -> None:
    for entry in real_base.entries.values():
        if not entry.listings or not entry.facts.phone:
            continue
        said = composing.answer_text(entry, real_base.citation(entry), PHONE, "电话多少")
        assert all(phone.number in said for phone in entry.facts.phone), entry.id
        if len(entry.facts.phone) == 1 and said.startswith(("电话", "【")):
            body = said.rsplit("\n来源：", 1)[0]
            assert body.count(entry.facts.phone[0].number) <= 2, entry.id


def test_cutting_numbers_leaves_whole_sentences(real_base: KnowledgeBase) -> None:
    for entry in real_base.entries.values():
        rest = composing._without_phones(entry)
        assert rest
        assert not re.search(r"[，、：][。；]|^[，、。；]|[，、]$", rest), (entry.id, rest)


def test_an_entry_that_is_offered_shows_one_line(real_base: KnowledgeBase) -> None:
    for entry in real_base.entries.values():
        line = composing.glimpse(entry, (), "")
        assert 0 < len(line) <= 110
        assert "\n" not in line
    without = next(entry for entry in real_base.entries.values() if not entry.facts.phone)
    assert composing.glimpse(without, PHONE, "电话多少") == ""
