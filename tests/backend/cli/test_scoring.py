"""Is an answer right: all expected, none forbidden, whitespace ignored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.cli import scoring
from backend.errors import InvalidInput


def reply(*texts: str, outcome: str = "answered", **more: Any) -> dict[str, Any]:
    return {"messages": [{"text": text, **more} for text in texts], "outcome": outcome}


def item(**more: Any) -> dict[str, Any]:
    return {"id": "q1", "kind": "faq", "question": "几天？", "expect": [], "forbid": []} | more


def test_every_element_and_any_of_a_list() -> None:
    wanted = item(expect=["东楼", ["5个工作日", "五个工作日"]], forbid=["3个工作日"])
    assert scoring.judge_reply(wanted, reply("东楼", "五个 工作\n日")).right
    lacking = scoring.judge_reply(wanted, reply("五个工作日"))
    assert (lacking.right, lacking.missing) == (False, ("东楼",))
    neither = scoring.judge_reply(wanted, reply("东楼"))
    assert neither.missing == ("5个工作日|五个工作日",)
    held = scoring.judge_reply(wanted, reply("东楼，5个工作日，不是 3 个工作日"))
    assert (held.right, held.forbidden) == (False, ("3个工作日",))


def test_citations_buttons_and_cards_are_not_the_answer() -> None:
    more = {"citations": [{"document": "东楼"}], "buttons": [{"title": "东楼"}], "card": {"type": "东楼"}}
    assert not scoring.judge_reply(item(expect=["东楼"]), reply("在哪？", **more)).right


@given(st.lists(st.text(min_size=1, max_size=5), max_size=4), st.sampled_from(" \u3000\n\t\xa0"))
def test_whitespace_never_matters(words: list[str], space: str) -> None:
    spread = space.join(character for word in words for character in word)
    assert scoring.lacking(spread, words) == ()
    assert scoring.lacking("".join(words), [space.join(word) for word in words]) == ()


def problem(
    category: str = "金融", level: str = "single", lead: str | None = "区财政局", *others: str
) -> dict[str, Any]:
    return {"category": category, "level": level, "lead_department": lead, "co_departments": list(others)}


APPEAL = item(
    kind="appeal", expect_category="金融", accept_categories=["金融", "兜底"], expect_level="single",
    expect_departments=["区财政局", "区金融办"],
)  # fmt: skip


@pytest.mark.parametrize(
    ("problems", "missing"),
    [
        ([problem()], []),
        ([problem("兜底")], []),
        ([problem(lead="区住建局"), problem("人才", "whistle")], []),
        ([problem("金融", "single", "区住建局", "区金融办")], []),
        ([problem("人才")], ["类别"]),
        ([problem(level="whistle")], ["级别"]),
        ([problem(lead="区住建局")], ["部门"]),
        ([problem(lead=None)], ["部门"]),
        ([], ["类别", "级别", "部门"]),
    ],
)
def test_a_triage_needs_category_level_and_a_department(problems: list[Any], missing: list[str]) -> None:
    verdict = scoring.judge_triage(APPEAL, problems)
    assert [text.split("：")[0] for text in verdict.missing] == missing
    assert verdict.right == (not missing)


def test_the_only_category_stands_in_for_the_accepted_ones() -> None:
    wanted = {key: value for key, value in APPEAL.items() if key != "accept_categories"}
    assert scoring.judge_triage(wanted, [problem()]).right
    assert not scoring.judge_triage(wanted, [problem("兜底")]).right


def test_refusals_and_false_refusals_are_told_apart() -> None:
    summary = scoring.Summary()
    for kind, right, refused in [
        ("out_of_scope", True, True),
        ("out_of_scope", False, False),
        ("faq", False, True),
        ("faq", True, False),
        ("faq", True, True),
    ]:
        summary.add(scoring.Verdict("x", kind, "?", right, refused))
    assert summary.as_json() == {
        "asked": 5,
        "right": 3,
        "by_kind": {"faq": {"asked": 3, "right": 2}, "out_of_scope": {"asked": 2, "right": 1}},
        "refusals": {"asked": 2, "refused": 1},
        "false_refusals": 1,
    }


def test_an_unanswered_outcome_is_a_refusal() -> None:
    assert scoring.judge_reply(item(), reply("不清楚", outcome="unanswered")).refused
    assert not scoring.judge_reply(item(), reply("在东楼")).refused


def test_a_file_is_read_line_by_line_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(f"{json.dumps(item())}\n\n{json.dumps(item(id='q2'))}\n", encoding="utf-8")
    assert [found["id"] for found in scoring.read_items(file)] == ["q1", "q2"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "不是一行 JSON"),
        ("[]", "缺少"),
        ('{"id": "q", "kind": "faq"}', "缺少 question"),
        ('{"id": "q", "kind": "appeal", "question": "?"}', "缺少 expect_category、expect_level"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(f"{json.dumps(item())}\n{line}\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match=says) as caught:
        scoring.read_items(file)
    assert f"{file}:2" in caught.value.message


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_bytes("问题".encode("gbk"))
    with pytest.raises(InvalidInput, match="UTF-8"):
        scoring.read_items(file)
