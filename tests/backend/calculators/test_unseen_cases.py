"""The five calculators of 135 on cases worked out by hand, and what must hold for every input."""

from __future__ import annotations

from typing import Any

import pytest
from calculator_cases import BAD, CASES, FULL, Case
from hypothesis import given
from hypothesis import strategies as st

from backend.appeals.calendar import WorkCalendar
from backend.calculators import Calculators
from backend.errors import InvalidInput

CALCULATORS = Calculators(WorkCalendar())

CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "visit": st.booleans(),
    "uploads": st.integers(0, 5),
    "overdue": st.integers(0, 3),
    "solved_pct": st.none() | st.decimals(0, 100, places=2).map(float),
    "hidden": st.integers(0, 4),
    "stars": st.none() | st.decimals(1, 5, places=2).map(float),
    "tracked": st.booleans(),
    "inspect_faults": st.integers(0, 4),
    "lead": st.sampled_from([None, "solved", "unsolved"]),
    "leader_visit": st.booleans(),
    "posts": st.integers(0, 6),
    "media": st.lists(st.sampled_from(["national", "province", "city", "district"]), max_size=6),
    "adopted": st.integers(0, 7),
}
FULL_MARKS = {"走访": 5, "问题上传": 10, "办结率": 5, "解决率": 10, "瞒报": 10, "企业评价": 10, "部门评价": 5}
FULL_MARKS |= {"月度督查": 10, "主动担当": 10, "区领导走访": 5, "信息报送": 5, "争先创优": 15}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}:{next(iter(case[1].values()))}")
def test_a_case_worked_out_by_hand(case: Case) -> None:
    name, sent, expected = case
    computed = CALCULATORS.run(name, sent)
    assert {key: computed.result.get(key) for key in expected} == expected
    assert all(computed.trace)


@pytest.mark.parametrize(("name", "sent", "field"), BAD)
def test_what_cannot_be_computed_names_its_field(name: str, sent: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        CALCULATORS.run(name, sent)
    assert str(refused.value.details["field"]).split(".")[0] == field
    assert refused.value.message.endswith("。")


@given(st.fixed_dictionaries(CHANGES))
def test_no_part_leaves_its_bounds_and_the_total_is_their_sum(sent: dict[str, Any]) -> None:
    result = CALCULATORS.run("liaison-score", sent).result
    assert set(result["parts"]) == set(FULL_MARKS)
    assert all(0 <= points <= FULL_MARKS[part] for part, points in result["parts"].items())
    assert result["total"] == pytest.approx(sum(result["parts"].values()), abs=1e-3)


WORSE = {"overdue": 1, "hidden": 1, "inspect_faults": 1}
BETTER = {"uploads": 1, "posts": 1, "adopted": 1}


@given(st.fixed_dictionaries(CHANGES), st.sampled_from(sorted({**WORSE, **BETTER})))
def test_a_fault_never_helps_and_a_merit_never_harms(sent: dict[str, Any], field: str) -> None:
    before = CALCULATORS.run("liaison-score", sent).result["total"]
    after = CALCULATORS.run("liaison-score", {**sent, field: sent[field] + 1}).result["total"]
    assert after <= before if field in WORSE else after >= before


def test_the_steps_say_what_was_counted() -> None:
    trace = CALCULATORS.run("liaison-score", {**FULL, "solved_pct": 98.5, "media": "省级"}).trace
    assert "解决率：98.5%，比 100% 低 1.5 个百分点，每个百分点扣 1 分，得 8.5 分" in trace
    assert any("媒体刊登（省级） 3 分" in step for step in trace)
    assert trace[-1] == "总分 98.5 分（满分 100 分）"
    quiet = CALCULATORS.run("liaison-score", {**FULL, "solved_pct": None, "stars": None}).trace
    assert sum("不扣分" in step for step in quiet) == 2
