from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from calculator_cases import FULL
from hypothesis import given
from hypothesis import strategies as st

from backend.appeals.calendar import WorkCalendar
from backend.calculators import Calculators
from backend.errors import InvalidInput, NotFound
from backend.knowledge.loading import load

KNOWLEDGE = Path(__file__).parents[3] / "knowledge_base"
CALCULATORS = Calculators(WorkCalendar())


def included(expected: dict[str, Any], result: dict[str, Any]) -> bool:
    return {key: result.get(key) for key in expected} == expected


WHISTLED = {"level": "whistle", "lead": "平台、街道"}

# (calculator, input, what the result holds at least)
CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "deadline",
        {"level": "single", "submitted_at": "2026-09-29T16:30:00+08:00"},
        {
            "due_at": "2026-10-09T17:30:00+08:00",
            "supervision": [
                {"at": "2026-10-09T12:00:00+08:00", "by": "专班"},
                {"at": "2026-10-10T09:00:00+08:00", "by": "专班督查考评组"},
            ],
            "provisional": False,
            "supervisor": "专班",
        },
    ),
    (
        "deadline",
        {"level": "simple", "submitted_at": "2025-01-26T01:10:00Z"},
        {
            "due_at": "2025-01-27T17:30:00+08:00",
            "supervision": [{"at": "2025-02-05T09:00:00+08:00", "by": "专班"}],
        },
    ),
    (
        "deadline",
        {"level": "whistle", "submitted_at": "2026-11-16 09:00+08:00"},
        {
            "due_at": "2026-11-23T17:30:00+08:00",
            "supervision": [
                {"at": "2026-11-23T12:00:00+08:00", "by": "专班"},
                {"at": "2026-11-24T09:00:00+08:00", "by": "专班督查考评组"},
            ],
        },
    ),
    (
        "deadline",
        {"level": "simple", "submitted_at": "2026-11-19T09:00:00+08:00", "direct": True},
        {
            "supervisor": "两办督查室",
            "supervision": [
                {"at": "2026-11-19T09:00:00+08:00", "by": "两办督查室"},
                {"at": "2026-11-23T09:00:00+08:00", "by": "专班"},
            ],
        },
    ),
    (
        "deadline",
        {"level": "single", "submitted_at": "2027-02-08T09:00:00+08:00"},
        {"due_at": "2027-02-11T17:30:00+08:00", "provisional": True},
    ),
    (
        "deadline",
        {"level": "simple", "submitted_at": "2026-12-30T09:00:00+08:00"},
        {"due_at": "2026-12-31T17:30:00+08:00", "provisional": True},  # its supervision lies in 2027
    ),
    (
        "deadline",
        {"level": "whistle", "submitted_at": "2026-11-16T09:00:00+08:00", "upgraded_from": "single"},
        {"due_at": "2026-11-23T17:30:00+08:00"},
    ),
    (
        "routing",
        {"initial_level": "single", "departments": ["区住建局"]},
        {"level": "single", "lead": "区住建局"},
    ),
    (
        "routing",
        {"initial_level": "single", "departments": ["区住建局", "区综合行政执法局"]},
        {**WHISTLED, "co_departments": ["区住建局", "区综合行政执法局"], "first_department": "区住建局"},
    ),
    (
        "routing",
        {"initial_level": "single", "departments": ["区经信科技局", "区经信科技局"]},
        {"level": "single", "lead": "区经信科技局", "co_departments": []},
    ),
    (
        "routing",
        {"initial_level": "single", "departments": ["区经信科技局产业科", "区经信科技局亲清助企科"]},
        {"level": "single", "lead": "区经信科技局"},
    ),
    (
        "routing",
        {"initial_level": "single", "departments": ["甲局", "乙局", "甲局"]},
        {**WHISTLED, "co_departments": ["甲局", "乙局"]},
    ),
    (
        "routing",
        {"initial_level": "simple", "departments": ["甲局", "乙局", "丙局"]},
        {**WHISTLED, "co_departments": ["甲局", "乙局", "丙局"]},
    ),
    ("routing", {"initial_level": "simple", "departments": ["甲局"]}, {"level": "simple", "lead": "甲局"}),
    ("routing", {"initial_level": "whistle", "departments": []}, {**WHISTLED, "co_departments": []}),
    (
        "routing",
        {"initial_level": "whistle", "departments": ["甲局"]},
        {**WHISTLED, "co_departments": ["甲局"]},
    ),
    ("routing", {"initial_level": "single", "departments": []}, {**WHISTLED, "first_department": None}),
    (
        "routing",
        {"initial_level": "single", "departments": ["甲局"], "direct": True},
        {"level": "single", "supervisor": "两办督查室"},
    ),
    ("catch-all", {"situation": "窗口受理的简单问题"}, {"level": "现场办", "working_days": 1}),
    ("catch-all", {"situation": "窗口不能解决，需要领导领衔"}, {"level": "局长办", "working_days": 3}),
    ("catch-all", {"situation": "窗口解决不了的问题"}, {"level": "局长办", "working_days": 3}),
    ("catch-all", {"situation": "需多部门协商研究的特殊事项"}, {"level": "研讨办", "working_days": 5}),
    ("catch-all", {"situation": "窗口受理，涉及两个部门，一事一议"}, {"level": "研讨办", "working_days": 5}),
    (
        "catch-all",
        {"situation": "当场能办", "submitted_at": "2026-11-20T09:00:00+08:00"},
        {"due_at": "2026-11-23T17:30:00+08:00"},
    ),
    (
        "policy-return",
        {"kind": "single_department", "handed_at": "2026-03-03T10:00:00+08:00"},
        {"due_at": "2026-03-04T10:00:00+08:00"},
    ),
    (
        "policy-return",
        {"kind": "joint", "handed_at": "2026-03-06T16:20:30+08:00"},
        {"due_at": "2026-03-08T16:20:30+08:00", "hours": 48},
    ),
]


@pytest.mark.parametrize(("name", "given", "expected"), CASES)
def test_results(name: str, given: dict[str, Any], expected: dict[str, Any]) -> None:
    computation = CALCULATORS.run(name, given)
    assert included(expected, computation.result), computation.result
    assert all(computation.trace)


def test_the_trace_counts_day_by_day() -> None:
    trace = CALCULATORS.run(
        "deadline", {"level": "single", "submitted_at": "2025-01-26T09:10:00+08:00"}
    ).trace
    assert trace[:7] == (
        "单一部门问题：3 个工作日",
        "提交当日 2025年1月26日（周日） 不计",
        "第 1 个工作日：1月27日（周一）",
        "1月28日（周二）至2月4日（周二）是休息日，不计",
        "第 2 个工作日：2月5日（周三）",
        "第 3 个工作日：2月6日（周四）",
        "到期时间为当日下班时间：2025年2月6日（周四）17:30",
    )
    adjusted = CALCULATORS.run("deadline", {"level": "simple", "submitted_at": "2026-10-09T09:00:00+08:00"})
    assert "第 1 个工作日：10月10日（周六），调休上班" in adjusted.trace


def test_a_provisional_year_is_said_in_the_trace() -> None:
    trace = CALCULATORS.run(
        "deadline", {"level": "single", "submitted_at": "2027-02-08T09:00:00+08:00"}
    ).trace
    assert any("尚未公布放假安排" in sentence for sentence in trace)


def test_overrides_count_at_once_where_the_calendar_is_a_function() -> None:
    overrides: dict[date, bool] = {}
    calculators = Calculators(lambda: WorkCalendar(overrides))
    given = {"level": "simple", "submitted_at": "2026-11-19T09:00:00+08:00"}
    assert calculators.run("deadline", given).result["due_at"].startswith("2026-11-20")
    overrides[date(2026, 11, 20)] = False
    assert calculators.run("deadline", given).result["due_at"].startswith("2026-11-23")


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("deadline", {}, "缺少 level"),
    ("deadline", {"level": "single"}, "缺少 submitted_at"),
    ("deadline", {"level": "huge", "submitted_at": "2026-11-19T09:00:00+08:00"}, "level 只能是"),
    ("deadline", {"level": "single", "submitted_at": "2026-11-19T09:00:00"}, "缺少时区"),
    ("deadline", {"level": "single", "submitted_at": "2026-11-19"}, "缺少时区"),
    ("deadline", {"level": "single", "submitted_at": "昨天"}, "应写成带时区的时间"),
    ("deadline", {"level": "single", "submitted_at": 1700000000}, "应写成带时区的时间"),
    ("deadline", {"level": "single", "submitted_at": None}, "应写成带时区的时间"),
    ("deadline", {"level": "single", "submitted_at": "0001-01-01T00:00:00+14:00"}, "1990 年到 2100 年"),
    ("deadline", {"level": "single", "submitted_at": "9999-12-31T23:59:59-12:00"}, "1990 年到 2100 年"),
    ("deadline", {"level": "single", "submitted_at": "2026-11-19T09:00:00Z", "levle": 1}, "不认识 levle"),
    (
        "deadline",
        {"level": "single", "submitted_at": "2026-11-19T09:00:00Z", "direct": "很直接"},
        "direct 应为 true 或 false",
    ),
    ("routing", {"initial_level": "single", "departments": "区住建局"}, "departments 应为一个列表"),
    ("routing", {"initial_level": "single", "departments": [""]}, "departments.0 不能为空"),
    ("routing", {"initial_level": "single", "departments": ["局"] * 101}, "departments 太多，最多 100 项"),
    ("routing", {"initial_level": "single", "departments": [None]}, "departments.0 应为文字"),
    ("catch-all", {"situation": "今天天气不错"}, "请说明"),
    ("catch-all", {"situation": ""}, "situation 不能为空"),
    ("catch-all", {"situation": "窗口" * 1500}, "situation 太长，最多 2000 个字"),
    ("department-bonus", {"units": "3"}, "units 应为整数"),
    ("department-bonus", {"units": 0}, "units 不能小于 1"),
    ("chief-officer-bonus", {"grades": []}, "grades 不能为空"),
    ("chief-officer-score", {"five_powers": 100.5}, "five_powers 不能大于 100"),
    ("chief-officer-score", {"five_powers": "９０"}, "five_powers 应为数字"),
    *(
        ("liaison-score", {**FULL, field: value}, sentence)
        for field, value, sentence in (
            ("stars", 0, "stars 不能小于 1"),
            ("stars", 6, "stars 不能大于 5"),
            ("uploads", -1, "uploads 不能小于 0"),
            ("uploads", "-1", "uploads 不能小于 0"),
            ("uploads", 10**9, "uploads 不能大于 100000"),
            ("uploads", 1.5, "uploads 应为整数"),
            ("uploads", None, "uploads 应为整数"),
            ("posts", "abc", "posts 应为整数"),
            ("posts", "1_000", "posts 应为整数"),
            ("posts", "+1", "posts 应为整数"),
            ("posts", "٣", "posts 应为整数"),
            ("posts", "３", "posts 应为整数"),
            ("posts", " ", "posts 应为整数"),
            ("solved_pct", 101, "solved_pct 不能大于 100"),
            ("solved_pct", "1_0", "solved_pct 应为数字"),
            ("solved_pct", "+99", "solved_pct 应为数字"),
            ("solved_pct", "٩٩", "solved_pct 应为数字"),
            ("solved_pct", "1e1", "solved_pct 应为数字"),
            ("solved_pct", float("inf"), "solved_pct 应为数字"),
            ("solved_pct", "99." + "9" * 25, "solved_pct 位数太多，最多 20 位"),
            ("visit", "yes", "visit 应为 true 或 false"),
            ("media", 4, "media 应为一项或一个列表"),
            ("media", ["city"] * 1001, "media 太多，最多 1000 项"),
        )
    ),
    *(
        ("policy-return", {"kind": "joint", "handed_at": written}, "handed_at 应写成带时区的时间")
        for written in (
            "2026-11-19T09:00:00+08:00:00.5",
            "2026-11-19T09:00:00+08:00:30",
            "2026-11-19T09:00:00+08:00:00.000001",
            "٢٠٢٦-11-19T09:00:00+08:00",
        )
    ),
    ("policy-return", {"kind": "nobody", "handed_at": "2026-03-03T10:00:00+08:00"}, "kind 只能是"),
    ("policy-return", {"kind": 5, "handed_at": "2026-03-03T10:00:00+08:00"}, "kind 只能是"),
]


@pytest.mark.parametrize(("name", "given", "sentence"), BAD)
def test_a_wrong_input_is_explained(name: str, given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence) as refused:
        CALCULATORS.run(name, given)
    assert refused.value.details["field"]
    assert refused.value.message.endswith("。")


@given(st.decimals(0, 100, places=11))
def test_a_whole_figure_is_a_whole_number(share: Decimal) -> None:
    result = CALCULATORS.run("liaison-score", {**FULL, "solved_pct": f"{share:f}"}).result
    figures = [result["total"], *result["parts"].values()]
    assert [figure for figure in figures if isinstance(figure, float) and figure.is_integer()] == []


def test_a_share_just_below_all_is_shown_as_all() -> None:
    computed = CALCULATORS.run("liaison-score", {**FULL, "solved_pct": 99.99999999999})
    assert json.dumps(computed.result["parts"]["解决率"]) == "10"
    assert "解决率：100%，比 100% 低 0 个百分点，每个百分点扣 1 分，得 10 分" in computed.trace


@pytest.mark.parametrize("written", ["3", " 3 ", 3, 3.0])
def test_a_count_may_be_written_in_digits(written: Any) -> None:
    assert CALCULATORS.run("liaison-score", {**FULL, "posts": written}).result["parts"]["信息报送"] == 5


def test_an_unknown_calculator() -> None:
    with pytest.raises(NotFound, match="deadline、routing"):
        CALCULATORS.run("horoscope", {})


def test_each_has_a_title_and_a_schema() -> None:
    for calculator in CALCULATORS.list():
        assert calculator.title
        assert calculator.schema["additionalProperties"] is False
        assert calculator.schema["required"]


def test_the_citations_are_entries_of_the_knowledge_base() -> None:
    entries = load(KNOWLEDGE).entries
    cited = {entry for name, given, _ in CASES for entry in CALCULATORS.run(name, given).citations}
    assert cited
    assert cited <= set(entries)
