from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml
from knowledge_samples import FOLDERS, ROOT, write

from backend.knowledge import checking, loading
from backend.knowledge.entries import Entry, EntryKind, Facet
from backend.knowledge.loading import KnowledgeBase

SEEDS = ROOT.parent / "shared" / "seeds"

MORE = """entries:
  - id: qt.more
    kind: faq
    title: 更多
    questions: [更多的问题]
    answer: 更多的回答。
    source: {document: qt.doc, section: 一}
"""


def check_with(tmp_path: Path, content: str) -> list[str]:
    folders = {name: dict(files) for name, files in FOLDERS.items()}
    folders["qiantang"]["more.yaml"] = content
    return [str(problem) for problem in checking.check(write(tmp_path, folders))]


def test_sound_content_has_no_problem(small_folder: Path) -> None:
    assert checking.check(small_folder) == []


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (MORE.replace("更多的问题", "人才公寓怎么申请？"), 5, "与“qt.materials”（qiantang/entries.yaml:"),
        (MORE.replace("[更多的问题]", "[更多的问题, 更多的，问题]"), 5, "与本条的一字不差"),
        (MORE.replace("更多的问题", "？？"), 5, "里没有文字"),
        (MORE.replace("更多的回答。", "长" * 401), 6, "超过 400 字"),
        (MORE.replace("更多的回答。", "占50[image:x]。"), 6, "扫描残留的标记"),
        (MORE.replace("更多的回答。", "请打0571-829 80912。"), 6, "被空格断开的数字"),
        (MORE.replace("更多的回答。", "请打82980912。"), 6, "电话 82980912 没有写进 facts.phone"),
        (MORE + "    related: [qt.more]\n", 8, "引用了自己"),
        (MORE + "    not_stated: [phoen]\n", 8, "不在允许的范围内"),
    ],
)
def test_what_a_careful_reader_notices(tmp_path: Path, content: str, line: int, words: str) -> None:
    found = check_with(tmp_path, content)
    assert len(found) == 1, found
    assert found[0].startswith(f"qiantang/more.yaml:{line}：")
    assert words in found[0]


def test_the_hotline_may_be_named_in_any_answer(tmp_path: Path) -> None:
    assert check_with(tmp_path, MORE.replace("更多的回答。", "请打0571-85901890。")) == []


def test_two_departments_with_one_name(tmp_path: Path) -> None:
    twin = "departments:\n  - {id: qt.d2, name: 经信局, source: {document: qt.doc, section: 一}}\n"
    assert check_with(tmp_path, twin) == ["qiantang/more.yaml:2：名称“经信局”已由“qt.dept.economy”使用"]


def test_figures_are_looked_up_in_the_sources(tmp_path: Path, small_base: KnowledgeBase) -> None:
    source = tmp_path / "source.txt"
    source.write_text(
        "热线 8590\n1890，上城8590 8590；1个工作日、3个工作 日、5个工作日；"
        "给予 5 万元，再增加1万元。2023年。大厅在金沙大道600号东楼2楼、江东大道 3899 号",
        encoding="utf-8",
    )
    base, _ = loading.read(write(tmp_path / "kb", FOLDERS))
    assert checking.check_against_sources(base, [source]) == []
    source.write_text("热线85901890", encoding="utf-8")
    found = [str(problem) for problem in checking.check_against_sources(base, [source])]
    assert any("“5万元”在来源文件里找不到" in problem for problem in found)
    assert any("“85908590”在来源文件里找不到" in problem for problem in found)
    assert any("“2楼”在来源文件里找不到" in problem for problem in found)
    assert not any("85901890" in problem for problem in found)


def test_the_projects_content_is_in_order() -> None:
    assert [str(problem) for problem in checking.check(ROOT / "knowledge_base")] == []


@pytest.mark.skipif(
    not SEEDS.is_dir(), reason="the source documents are not beside the project (../shared/seeds)"
)
def test_the_projects_figures_stand_in_the_sources() -> None:
    base, _ = loading.read(ROOT / "knowledge_base")
    found = checking.check_against_sources(base, sorted(SEEDS.glob("*.txt")))
    assert [str(problem) for problem in found] == []


def test_the_guide_for_officials_shows_what_can_be_written() -> None:
    guide = (ROOT / "docs" / "knowledge-base.md").read_text(encoding="utf-8")
    whole, row = re.findall(r"```yaml\n(.*?)```", guide, re.S)
    entry = yaml.safe_load(whole)["entries"][0]
    entry["listings"] = yaml.safe_load(row)["listings"]
    Entry.model_validate(entry)
    for facet in get_args(Facet):
        assert f"`{facet}`" in guide or facet == "definition"
    for kind in get_args(EntryKind):
        assert kind in guide
