from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.knowledge import search
from backend.knowledge.loading import KnowledgeBase
from backend.knowledge.search import (
    FUSED_FEATURES,
    FUSED_TOP_FEATURES,
    PAIR_FEATURES,
    TOP_FEATURES,
    KnowledgeIndex,
    Model,
    shipped_model,
)


@pytest.fixture(scope="module")
def index(small_base: KnowledgeBase) -> KnowledgeIndex:
    return KnowledgeIndex(small_base, home="钱塘区")


def test_finds_by_words_not_by_the_whole_phrase(index: KnowledgeIndex) -> None:
    assert index.search("大厅报税")[0].entry.id == "qt.tax-hall"
    assert index.search("小站验收了给几万块钱")[0].entry.id == "bj.award"


def test_every_phrasing_finds_its_entry(index: KnowledgeIndex) -> None:
    for entry in index.entries:
        if entry.id.endswith("hotline"):
            continue
        for question in entry.questions:
            hit = index.search(question)[0]
            assert hit.entry.id == entry.id
            assert hit.score >= index.model.answer


def test_a_synonym_finds_it_too(index: KnowledgeIndex) -> None:
    assert index.search("暖企小站补助")[0].entry.id == "bj.award"


def test_hits_are_ordered_and_limited(index: KnowledgeIndex) -> None:
    hits = index.search("热线电话", k=3)
    assert len(hits) == 3
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert index.search("热线电话", k=0) == []


def test_only_the_named_or_given_district(index: KnowledgeIndex) -> None:
    assert {hit.entry.id[:2] for hit in index.search("滨江热线电话", k=20)} == {"bj"}
    assert {hit.entry.id[:2] for hit in index.search("热线电话", k=20, district="上城区")} == {"sc"}


def test_an_address_is_no_district(index: KnowledgeIndex) -> None:
    assert index.look_up("钱塘路在哪").named == ()
    assert [item.name for item in index.look_up("钱塘的热线").named] == ["钱塘区"]


def test_what_is_outside(index: KnowledgeIndex) -> None:
    assert index.look_up("西湖区有暖企小站吗").outside == "西湖区"
    assert index.look_up("从上海搬来的公司怎么申请人才公寓").outside is None
    assert index.look_up("钱塘和上海的热线").outside is None


def test_the_topic_is_what_is_left(index: KnowledgeIndex) -> None:
    query = index.read("请问我们公司在滨江的暖企小站怎么申请啊")
    assert "暖企小站" in query.topic
    assert "滨江" not in query.topic
    assert index.read("那电话呢").bare
    assert not query.bare


@settings(max_examples=80)
@given(st.text(max_size=300))
def test_any_text_can_be_searched(index: KnowledgeIndex, typed: str) -> None:
    hits = index.search(typed, k=4)
    assert len(hits) <= 4
    assert all(0.0 <= hit.score <= 1.0 for hit in hits)
    assert index.search(typed, k=4) == hits


@pytest.mark.parametrize("typed", ["", " ", "\x00\x07", "😀" * 50, "热线" * 5000, "a" * 10000, "\ud83d"])
def test_odd_texts(index: KnowledgeIndex, typed: str) -> None:
    assert all(0.0 <= hit.score <= 1.0 for hit in index.search(typed))


def test_a_second_index_gives_the_same(index: KnowledgeIndex, small_base: KnowledgeBase) -> None:
    other = KnowledgeIndex(small_base, home="钱塘区")
    for question in ("热线电话多少", "暖企小站的奖励", "公寓"):
        assert other.search(question) == index.search(question)


def test_an_empty_knowledge_base_finds_nothing(small_base: KnowledgeBase) -> None:
    empty = KnowledgeIndex(replace(small_base, entries={}))
    assert empty.search("热线") == []


def test_the_shipped_model_has_every_feature_and_its_figures() -> None:
    model = shipped_model()
    assert model.fused is not None
    for part, pair, top in (
        (model.lexical, PAIR_FEATURES, TOP_FEATURES),
        (model.fused, FUSED_FEATURES, FUSED_TOP_FEATURES),
    ):
        assert part.rank.shape == (len(pair),)
        assert part.confidence.shape == (len(top),)
        assert 0 < part.confirm <= part.likely <= part.answer < 1
    assert model.answer <= model.certain <= 1
    assert model.figures["examples"] > 1000


def test_a_model_of_other_features_is_refused(tmp_path: Path) -> None:
    data = json.loads(search._MODEL.read_text(encoding="utf-8"))
    del data["lexical"]["rank"]["weights"]["name_share"]
    path = tmp_path / "model.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(KeyError):
        Model.read(path)
