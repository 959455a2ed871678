from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from knowledge_samples import FOLDERS, ROOT, write

from backend.errors import ContentError
from backend.knowledge import loading
from backend.knowledge.loading import KnowledgeBase, Problem


def problems_with(tmp_path: Path, file: str, content: str) -> list[Problem]:
    """Reads the small folder with one file of qiantang replaced or added."""
    folders = {name: dict(files) for name, files in FOLDERS.items()}
    folders["qiantang"][file] = content
    return loading.read(write(tmp_path, folders))[1]


ENTRY = """entries:
  - id: qt.other
    kind: faq
    title: 别的
    questions: [别的问题]
    answer: 别的回答。
    source: {document: qt.doc, section: 一}
"""


def test_loads_everything_by_id(small_base: KnowledgeBase) -> None:
    assert set(small_base.jurisdictions) == {"qt.district", "bj.district", "sc.district"}
    assert small_base.entries["bj.award"].facts.amount[1].label == "首批|试点"
    assert small_base.places["qt.promise"].file == "qiantang/entries.yaml"
    assert small_base.places["qt.promise"].line == 14


def test_numbers_are_read_as_the_text_that_stands_there(small_base: KnowledgeBase) -> None:
    assert small_base.entries["qt.hotline"].facts.phone[0].number == "0571-85901890"


def test_finds_by_name_and_alias(small_base: KnowledgeBase) -> None:
    assert small_base.jurisdiction_of("bj.award").name == "滨江区"
    department = small_base.department_named(" 经信局 ")
    assert department is not None
    assert department.id == "qt.dept.economy"
    assert small_base.department_named("经信局", within=small_base.jurisdictions["bj.district"]) is None
    assert small_base.department_named("") is None
    assert small_base.department_named("不存在局") is None
    territory = small_base.territory_named("下沙街道办")
    assert territory is not None
    assert territory.name == "下沙街道"
    assert small_base.home("钱塘").id == "qt.district"


def test_home_that_no_folder_is_about(small_base: KnowledgeBase) -> None:
    with pytest.raises(ContentError, match="没有“西湖区”的文件夹"):
        small_base.home("西湖区")


def test_citation_has_the_documents_title(small_base: KnowledgeBase) -> None:
    citation = small_base.citation(small_base.entries["bj.award"])
    assert (citation.document, citation.section, citation.entry) == (
        "暖企小站激励方案",
        "一、建设奖励",
        "bj.award",
    )


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (ENTRY.replace("answer:", "anwser:"), 6, "不认识的字段“anwser”"),
        (ENTRY.replace("answer:", "anwser:"), 2, "缺少“answer”"),
        (ENTRY.replace("    source: {document: qt.doc, section: 一}\n", ""), 2, "缺少“source”"),
        (ENTRY.replace("kind: faq", "kind: poem"), 3, "“poem”不在允许的范围内"),
        (ENTRY.replace("qt.doc,", "qt.lost,"), 7, "引用的“qt.lost”不存在"),
        (ENTRY.replace("[别的问题]", "[]"), 5, "“questions”至少要有一项"),
        (ENTRY.replace("id: qt.other", "id: xx.other"), 2, "应以本文件夹的前缀“qt.”开头"),
        (ENTRY.replace("id: qt.other", "id: qt.Other"), 2, "不是合法的编号"),
        (ENTRY.replace("id: qt.other", "id: qt.promise"), 2, "编号“qt.promise”重复"),
        (ENTRY + "    related: [qt.promise, qt.nothing]\n", 8, "引用的“qt.nothing”不存在"),
        (ENTRY + "    title: 又一个\n", 8, "“title”写了两次"),
        (ENTRY + "    facts:\n      phone:\n        - {number: 12345678901}\n", 10, "不可能是一个电话号码"),
        (ENTRY + "    facts:\n      phone:\n        - {number: 188698796856}\n", 10, "不可能是一个电话号码"),
        (
            ENTRY + "    facts:\n      link: [{name: 网, url: www.x.com}]\n",
            9,
            "不是以 http:// 或 https:// 开头的网址",
        ),
        (ENTRY + "    facts:\n      unit: 区局\n", 9, "应为列表"),
        (ENTRY + "    facts:\n      unit: [区局]\n    not_stated: [unit]\n", 2, "只能选一个"),
        ("entrys: []\n", 1, "不认识的字段“entrys”"),
        ("- 1\n", 1, "文件开头应是"),
        ("entries: 没有\n", 1, "应是列表"),
        ("entries:\n  - {id: [}\n", 2, "YAML 写法有误"),
        ("documents:\n  - {id: qt.doc2, title: 题, issuer: 单位, issued: 去年}\n", 2, "应为日期"),
        (
            "boards:\n  - {id: qt.b, name: 法治, lead: qt.dept.lost, "
            "source: {document: qt.doc, section: 一}}\n",
            2,
            "引用的“qt.dept.lost”不存在",
        ),
        (
            "topics:\n  - id: qt.t\n    title: 路\n    category: 诉求\n    lead: qt.dept.economy\n"
            "    co: [qt.dept.gone]\n    words: [路]\n    source: {document: qt.doc, section: 一}\n",
            6,
            "引用的“qt.dept.gone”不存在",
        ),
    ],
)
def test_says_file_line_and_what(tmp_path: Path, content: str, line: int, words: str) -> None:
    found = problems_with(tmp_path, "extra.yaml", content)
    assert [(problem.file, problem.line) for problem in found if words in problem.message] == [
        ("qiantang/extra.yaml", line)
    ], [str(problem) for problem in found]


def test_a_duplicate_names_both_places(tmp_path: Path) -> None:
    found = problems_with(tmp_path, "extra.yaml", ENTRY.replace("qt.other", "qt.promise"))
    assert any("qiantang/entries.yaml:14" in problem.message for problem in found)


def test_jurisdiction_rules(tmp_path: Path) -> None:
    folders: dict[str, Any] = {name: dict(files) for name, files in FOLDERS.items()}
    del folders["binjiang"]["jurisdiction.yaml"]
    folders["second"] = {
        "jurisdiction.yaml": "jurisdiction: {id: qt.again, name: 又, level: city, hotline: qt.no}\n"
    }
    found = [str(problem) for problem in loading.read(write(tmp_path, folders))[1]]
    assert any("binjiang：文件夹里没有 jurisdiction" in problem for problem in found)
    assert any("前缀“qt.”已由文件夹 qiantang 使用" in problem for problem in found)
    assert any("引用的“qt.no”不存在" in problem for problem in found)


def test_collects_all_problems_in_one_error(tmp_path: Path) -> None:
    folders = {name: dict(files) for name, files in FOLDERS.items()}
    folders["qiantang"]["x.yaml"] = ENTRY.replace("kind: faq", "kind: poem").replace("section: 一", "page: 1")
    with pytest.raises(ContentError) as error:
        loading.load(write(tmp_path, folders))
    assert error.value.details["file"] == "qiantang/x.yaml"
    assert error.value.details["line"] == 3
    assert len(error.value.details["problems"]) == 3
    assert "共 3 处问题" in error.value.message


@pytest.mark.parametrize("kind", ["absent", "empty", "stray", "not utf-8"])
def test_what_is_no_knowledge_folder(tmp_path: Path, kind: str) -> None:
    if kind == "absent":
        tmp_path = tmp_path / "nowhere"
    elif kind == "stray":
        write(tmp_path, FOLDERS)
        (tmp_path / "entries.yaml").write_text("entries: []\n", encoding="utf-8")
    elif kind == "not utf-8":
        write(tmp_path, FOLDERS)
        (tmp_path / "qiantang" / "x.yaml").write_bytes("entries: 内容".encode("gb18030"))
    with pytest.raises(ContentError):
        loading.load(tmp_path)


def test_an_empty_file_is_no_problem(tmp_path: Path) -> None:
    assert problems_with(tmp_path, "later.yaml", "# to come\n") == []


def test_the_projects_knowledge_base_is_sound() -> None:
    started = time.perf_counter()
    base = loading.load(ROOT / "knowledge_base")
    assert len(base.entries) >= 150
    assert base.home("钱塘区").appeals
    # Far above what it takes (about 0.1 s); only a change of kind, such as a pure Python parser, exceeds it.
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("临江街道", {"临江街道"}),
        ("芯谷", {"钱塘芯谷"}),
        ("下沙", {"下沙街道"}),
        ("白扬街道", {"白杨街道"}),
        ("前进", {"前进街道", "前进智造园"}),
        ("临江", {"临江街道", "临江高科园"}),
        ("钱塘", set()),
        ("萧山", set()),
        ("前", set()),
        ("", set()),
    ],
)
def test_an_ambiguous_territory_is_said_to_be_so(text: str, names: set[str]) -> None:
    base = loading.load(ROOT / "knowledge_base")
    assert {item.name for item in base.territories_named(text)} == names
    alone = base.territory_named(text)
    assert (alone is not None) == (len(names) == 1)
