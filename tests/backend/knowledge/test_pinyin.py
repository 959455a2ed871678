from __future__ import annotations

import importlib

import pytest
from knowledge_samples import ROOT

from backend.knowledge import pinyin
from backend.knowledge.loading import KnowledgeBase
from backend.knowledge.search import KnowledgeIndex


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("形政", "行政"),
        ("补铁", "补贴"),
        ("钱糖", "钱塘"),
        ("主企", "助企"),
        ("诉球", "诉求"),
        ("身批", "审批"),
    ],
)
def test_what_sounds_alike(heard: str, meant: str) -> None:
    assert pinyin.sound(heard) == pinyin.sound(meant) is not None


def test_words_are_read_as_in_use() -> None:
    assert pinyin.sound("银行") == "yin hang"
    assert pinyin.sound("行业") == "hang ye"
    assert pinyin.sound("行政") == "xin zen"  # zh and z, ng and n are one here


@pytest.mark.parametrize("other", ["", "行", "行政局", "a行", "12", "行\u3400", "😀行"])
def test_nothing_else_has_a_sound(other: str) -> None:
    assert pinyin.sound(other) is None


def test_the_table_is_what_the_library_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    written = (ROOT / "backend" / "knowledge" / "data" / "pinyin.txt").read_text(encoding="utf-8")
    assert importlib.import_module("pinyin_table").table() == written


def test_a_misheard_question_finds_its_entry(small_base: KnowledgeBase) -> None:
    index = KnowledgeIndex(small_base, home="钱塘区")
    clean, heard = index.search("暖企小站验收奖励"), index.search("暖其小站厌收奖励")
    assert heard[0].entry.id == clean[0].entry.id == "bj.award"


def test_only_what_fits_no_neighbour_is_spelt_anew(small_base: KnowledgeBase) -> None:
    index = KnowledgeIndex(small_base, home="钱塘区")
    assert index.spelt("暖其小站") == "暖企小站"
    assert index.spelt("暖企小站 abc 12") == "暖企小站 abc 12"
    for phrase in index.phrasings():
        assert index.spelt(phrase) == phrase
