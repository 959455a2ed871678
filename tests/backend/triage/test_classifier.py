"""The weights are used as scikit-learn made them, and a model's file is whole or not taken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.knowledge.loading import KnowledgeBase
from backend.triage import training
from backend.triage.classifier import HEADS, MODEL, BrokenModel, Classifier, Features
from backend.triage.features import grams, knowledge
from backend.triage.labelled import Labelled
from backend.triage.rules import Rules
from backend.triage.words import Words


def test_scores_are_those_of_scikit_learn(
    base: KnowledgeBase, labelled: list[Labelled], tmp_path: Path
) -> None:
    rules = Rules(base)
    rows = training._rows(rules, base, labelled[:300], [])
    features = training._features(rows)
    matrix = training._matrix(features, rows)
    models = {head: training._fit(matrix, rows, head) for head in HEADS}
    written = Classifier(
        features, {head: training._linear(model, 1.7) for head, model in models.items()}, {"made_from": "x"}
    )
    written.save(tmp_path / MODEL)
    read = Classifier.load(tmp_path / MODEL)
    assert read is not None
    for place in range(0, len(rows), 37):
        described = read.features.of(rows[place].counts, rows[place].seen)
        for head, model in models.items():
            expected = model.decision_function(matrix[place])[0]
            found = read.heads[head].scores(described)
            assert np.allclose(found, expected, atol=0.02)
            assert tuple(model.classes_) == read.heads[head].classes
            assert model.classes_[expected.argmax()] == next(iter(read.heads[head].probabilities(described)))


def test_probabilities_sum_to_one_and_are_in_order(base: KnowledgeBase, classifier: Classifier) -> None:
    rules = Rules(base)
    found = classifier.read(rules, rules.read("厂门口的路灯坏了三个月，没人来修"))
    for shares in (found.category, found.level, found.department):
        assert sum(shares.values()) == pytest.approx(1.0, abs=1e-4)
        assert list(shares.values()) == sorted(shares.values(), reverse=True)


def test_the_words_that_decided_stand_in_the_text(base: KnowledgeBase, classifier: Classifier) -> None:
    rules = Rules(base)
    text = "银行突然要抽贷，流动资金断了"
    found = classifier.read(rules, rules.read(text))
    words = classifier.words(text, found.described, "category", "金融")
    assert words
    assert all(word in text for word in words)
    assert classifier.words(text, found.described, "department", "qt.dept.nobody") == []


def test_a_text_is_cut_into_the_likeliest_words() -> None:
    words = Words({"怎么": 900, "怎么办": 400, "公司": 800, "我们": 900, "贷款": 300, "款贴": 1}, ["我们"])
    said = words.cut("我们公司要贷款贴息怎么办啊")
    assert [word for _, word in said] == ["我们", "公司", "要", "贷款", "贴", "息", "怎么办", "啊"]
    assert [start for start, _ in said] == [0, 2, 4, 5, 7, 8, 9, 12]
    assert [word for _, word in said if words.telling(word)] == ["公司", "贷款", "怎么办"]
    assert words.cut("") == ()


@pytest.mark.parametrize("content", [b"", b"no model", b"PK\x03\x04 torn"])
def test_a_broken_file_is_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MODEL).write_bytes(content)
    with pytest.raises(BrokenModel, match="qifu train"):
        Classifier.load(tmp_path / MODEL)


def test_a_torn_file_is_refused(model_dir: Path, tmp_path: Path) -> None:
    whole = (model_dir / MODEL).read_bytes()
    for share in (0.3, 0.9):
        (tmp_path / MODEL).write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(BrokenModel):
            Classifier.load(tmp_path / MODEL)


def test_no_file_is_no_model(tmp_path: Path) -> None:
    assert Classifier.load(tmp_path / MODEL) is None


def test_a_model_is_written_whole_or_not_at_all(
    classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / MODEL
    path.write_bytes(b"before")

    def fails(self: Path, target: Path) -> Path:
        raise OSError("full")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OSError, match="full"):
        classifier.save(path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_serving_needs_no_scikit_learn() -> None:
    code = (
        "import sys, backend.composition, backend.triage.proposing\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('sklearn', 'scipy')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_unknown_features_are_left_out() -> None:
    features = Features(["路灯"], np.ones(1, np.float32), ["signal question"], 0.5)
    described = features.of({"路灯": 2, "停电": 1}, {"signal question": 1.0, "topic unknown": 1.0})
    assert described.index.tolist() == [0, 1]
    assert described.value.tolist() == [1.0, 0.5]
    assert features.of({}, {}).index.size == 0


@given(st.text(max_size=400))
@settings(max_examples=60, deadline=None)
def test_n_grams_are_of_one_to_four_characters(text: str) -> None:
    assert all(1 <= len(gram) <= 4 for gram in grams(text))


def test_what_the_rules_see_is_described_by_numbers_up_to_one(base: KnowledgeBase) -> None:
    rules = Rules(base)
    for text in ("", "请问路灯坏了找供电公司还是城管", "规划说先环评，环保说先规划"):
        found = knowledge(rules, rules.read(text))
        assert all(0.0 <= value <= 1.0 for value in found.values())
