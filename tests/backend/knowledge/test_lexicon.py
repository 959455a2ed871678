from __future__ import annotations

import json
from pathlib import Path

import yaml
from knowledge_samples import FOLDERS, write

from backend.knowledge import lexicon, loading
from backend.knowledge.loading import KnowledgeBase


def test_the_dictionary_has_every_name_with_its_kind(small_base: KnowledgeBase) -> None:
    words = dict(lexicon.dictionary(small_base))
    assert words["区经信局"] == "nt"
    assert words["下沙街道办"] == "ns"
    assert words["滨江区"] == "ns"
    assert words["暖企小站"] == "nz"
    assert "135" not in words
    assert "“135”限时办结" not in words
    assert list(words) == sorted(words)


def test_patterns_point_to_their_objects(small_base: KnowledgeBase) -> None:
    found = {(item["label"], item["pattern"]): item.get("id") for item in lexicon.patterns(small_base)}
    assert found["DEPARTMENT", "区经信科技局"] == "qt.dept.economy"
    assert found["TERRITORY", "下沙街道"] == "qt.territory.xiasha"
    assert found["SERVICE", "人才公寓"] == "qt.materials"


def test_examples_are_valid_training_data_without_doubles(tmp_path: Path) -> None:
    folders = {name: dict(files) for name, files in FOLDERS.items()}
    folders["qiantang"]["entries.yaml"] = folders["qiantang"]["entries.yaml"].replace(
        "questions: [报税去哪里,", "questions: [报税去哪里, 报税去哪里？, '[报税](x) {去}哪里办',"
    )
    base = loading.load(write(tmp_path, folders))
    data = yaml.safe_load(lexicon.nlu(base))
    assert data["version"] == "3.1"
    assert [item["intent"] for item in data["nlu"]] == ["ask"]
    examples = [line.removeprefix("- ") for line in data["nlu"][0]["examples"].splitlines()]
    assert len(examples) == len(set(examples))
    assert "报税去哪里" in examples
    assert "报税去哪里？" not in examples
    assert not any(char in example for example in examples for char in "[](){}")


def test_export_writes_the_same_bytes_every_time(small_base: KnowledgeBase, tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    lexicon.export(small_base, first)
    lexicon.export(small_base, second)
    lexicon.export(small_base, second)
    for name in (lexicon.USERDICT, lexicon.PATTERNS, lexicon.NLU):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    lines = (first / lexicon.PATTERNS).read_text(encoding="utf-8").splitlines()
    assert all({"label", "pattern"} <= json.loads(line).keys() for line in lines)
    word, frequency, tag = (first / lexicon.USERDICT).read_text(encoding="utf-8").splitlines()[0].split(" ")
    assert word
    assert int(frequency) > 0
    assert tag in {"nt", "ns", "nz"}
