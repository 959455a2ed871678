"""How the words about a catch-all matter are read, with the departments of the knowledge base."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.calculators.situations import Step, read
from backend.calculators.units import Units
from backend.knowledge.loading import load

_BASE = load(Path(__file__).parents[3] / "knowledge_base")
UNITS = Units(item for item in _BASE.departments.values() if item.id.startswith("qt."))


SAID: dict[str, list[str]] = yaml.safe_load(
    (Path(__file__).parent / "situations.yaml").read_text(encoding="utf-8")
)
STEPS = {"at_once": Step.AT_ONCE, "leader": Step.LEADER, "several": Step.SEVERAL, "none": None}


@pytest.mark.parametrize(("words", "step"), [(words, STEPS[way]) for way in SAID for words in SAID[way]])
def test_a_situation_is_read(words: str, step: Step | None) -> None:
    assert read(words, UNITS.official) is step


FAILURES = (
    "办不了",
    "不能办",
    "无法解决",
    "没能办成",
    "不予受理",
    "没有权限",
    "搞不定",
    "拒绝受理",
    "难以处理",
)
PLACES = ("窗口", "现场", "窗口工作人员", "前台")
DENIALS = ("不是", "并非", "不存在", "没有")
BEYOND_DOUBT = ("办不了", "不能办", "无法解决", "不给办", "解决不了", "搞不定")


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("place", PLACES)
def test_no_failure_at_the_window_is_taken_for_a_matter_done_at_once(place: str, failure: str) -> None:
    for words in (f"{place}{failure}", f"简单问题，{place}{failure}", f"{place}受理了，但{failure}"):
        assert read(words, UNITS.official) is Step.LEADER, words
    assert read(f"{place}{failure}，需要多部门会商", UNITS.official) is Step.SEVERAL


@pytest.mark.parametrize("failure", BEYOND_DOUBT)
@pytest.mark.parametrize("denial", DENIALS)
def test_a_denied_failure_is_none(denial: str, failure: str) -> None:
    assert read(f"{denial}窗口{failure}的", UNITS.official) is Step.AT_ONCE


@pytest.mark.parametrize("needless", ["不需要", "无需", "不用", "不必", "不涉及"])
@pytest.mark.parametrize("wide", ["多部门会商", "几个部门一起研究", "领导出面", "局长拍板", "联席会议"])
def test_what_is_not_needed_decides_nothing(needless: str, wide: str) -> None:
    assert read(f"{needless}{wide}", UNITS.official) is None
    assert read(f"{needless}{wide}，窗口能办", UNITS.official) is Step.AT_ONCE
    assert read(f"窗口能办，{needless}{wide}", UNITS.official) is Step.AT_ONCE


@pytest.mark.parametrize("words", ["涉及住建、环保", "要住建局和规划局批"])
def test_a_list_of_departments_needs_departments(words: str) -> None:
    assert read(words, UNITS.official) is Step.SEVERAL
    assert read(words, Units().official) is None
    assert read("办理执照和公章，窗口当场办", UNITS.official) is Step.AT_ONCE


PIECES = ["窗口", "现场", "不", "不是", "没有", "办", "能", "简单", "，", "但", "、", "和", "住建", "环保局"]
PIECES += ["涉及", "领导"]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=60))
@settings(max_examples=300)
def test_any_words_are_read_and_writing_them_wide_changes_nothing(words: str) -> None:
    step = read(words, UNITS.official)
    assert step is read(words.replace("，", ",").replace("（", "("), UNITS.official)
    assert step is read(f" {words} ", UNITS.official)


@pytest.mark.parametrize("piece", ["不是", "涉及住建和", "不是什么任何", "没有窗口", "、", "非"])
def test_a_long_text_is_read_in_a_moment(piece: str) -> None:
    begun = time.perf_counter()
    read((piece * 2000)[:2000], UNITS.official)
    assert time.perf_counter() - begun < 2
