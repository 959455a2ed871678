"""Departments under all their names, with the directory of the knowledge base and without."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.appeals.calendar import WorkCalendar
from backend.calculators import Calculators
from backend.knowledge.loading import load

_BASE = load(Path(__file__).parents[3] / "knowledge_base")
DEPARTMENTS = [item for item in _BASE.departments.values() if item.id.startswith("qt.")]
KNOWING = Calculators(WorkCalendar(), departments=DEPARTMENTS, district="钱塘区")
UNKNOWING = Calculators(WorkCalendar())
SECTIONS = [
    "企业科",
    "审批处",
    "（审批科）",
    "(综合科)",
    "-办公室",
    "行政许可科",
    "窗口",
    "服务中心",
    "执法大队",
]


def run(calculators: Calculators, *departments: str) -> dict[str, Any]:
    return calculators.run("routing", {"initial_level": "single", "departments": list(departments)}).result


@pytest.mark.parametrize(
    "names",
    [
        ("市生态环境局钱塘分局", "市生态环境局钱塘分局审批科"),
        ("区公安分局", "区公安分局交警大队"),
        ("区经信科技局（企业科）", "区经信科技局（科技科）"),
        ("区经信科技局-企业科", "区经信科技局 科技科"),
        ("综保办", "综保办通关科"),
        ("区人社局就业中心窗口", "区人社局"),
        ("住建局", "区住建局"),
        ("区检察院第二检察部", "区检察院"),
        ("区税务局第一税务分局", "区税务局"),
        ("甲局一科", "甲局二科"),
        ("市公安局某某分局", "市公安局某某分局交警大队"),
    ],
)
def test_a_section_is_its_department(names: tuple[str, ...]) -> None:
    assert run(KNOWING, *names)["level"] == "single"


@pytest.mark.parametrize(
    ("names", "lead"),
    [
        (("区住建局", "区住房和城乡建设局"), "区住建局"),
        (("区委组织部（人才办）", "区委组织部(人才办)", "区委人才办"), "区委组织部（人才办）"),
        (("区卫健局医政科", "区卫生健康局"), "区卫健局"),
        (("区城管局", "区综合行政执法局"), "区城管局"),
        (("钱塘区住房城乡建设局建管科", "区住建局"), "钱塘区住房城乡建设局"),
        (("杭州市钱塘区商务局", "区商务局"), "杭州市钱塘区商务局"),
    ],
)
def test_another_name_is_no_other_department_and_the_first_name_stays(
    names: tuple[str, ...], lead: str
) -> None:
    result = run(KNOWING, *names)
    assert (result["level"], result["lead"], result["co_departments"]) == ("single", lead, [])
    assert result["first_department"] == lead


@pytest.mark.parametrize(
    "names",
    [
        ("区住建局", "区财政局"),
        ("市财政局", "区财政局"),
        ("滨江区商务局", "区商务局"),
        ("市公安局钱塘分局", "市公安局滨江分局"),
        ("区委宣传部", "区委统战部"),
        ("区委巡察办公室", "区委外事办公室"),
        ("区政府督查室", "区政府信访室"),
        ("区科协", "区残联"),
        ("甲局", "乙局"),
    ],
)
def test_different_departments_stay_different(names: tuple[str, ...]) -> None:
    result = run(KNOWING, *names)
    assert (result["level"], result["co_departments"]) == ("whistle", list(names))


def test_two_departments_in_one_field_are_two() -> None:
    assert run(KNOWING, "区住建局、区财政局")["co_departments"] == ["区住建局", "区财政局"]


@pytest.mark.parametrize("name", ["、", "，；", " 、 "])
def test_a_field_of_marks_names_nobody(name: str) -> None:
    assert run(KNOWING, name)["first_department"] is None


known = st.sampled_from(DEPARTMENTS)


@given(known, st.data())
def test_every_name_and_section_of_a_department_is_the_one_department(item: Any, data: st.DataObject) -> None:
    names = st.sampled_from([item.name, *item.aliases])
    section = st.sampled_from(["", *SECTIONS])
    width: st.SearchStrategy[Literal["NFC", "NFKC"]] = st.sampled_from(["NFC", "NFKC"])
    said = [unicodedata.normalize(data.draw(width), data.draw(names) + data.draw(section)) for _ in range(3)]
    assert run(KNOWING, *said)["level"] == "single"


@given(st.lists(st.sampled_from(DEPARTMENTS), min_size=1, max_size=5))
def test_by_official_names_each_department_counts_once(items: list[Any]) -> None:
    names = [item.name for item in items]
    result = run(KNOWING, *names)
    distinct = list(dict.fromkeys(names))
    assert result["co_departments"] == ([] if len(distinct) == 1 else distinct)
    assert (result["level"] == "single") is (len(distinct) == 1)


@given(st.lists(st.text(min_size=1, max_size=30).filter(str.strip), max_size=4))
def test_any_names_give_a_route(names: list[str]) -> None:
    for calculators in (KNOWING, UNKNOWING):
        result = run(calculators, *names)
        assert len(set(result["co_departments"])) == len(result["co_departments"])
        assert (result["level"] == "single") is (result["lead"] == result["first_department"])
