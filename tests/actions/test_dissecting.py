"""One message that carries everything, in any order and shape."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.recognition import Told, described_problem, dissect

COMPANY, PERSON, PHONE = "杭州样例仪器有限公司", "沈言", "13700002222"
PROBLEM = "仓库后墙渗水半年没有人来看"
ALL = Told(COMPANY, PERSON, PHONE, "东湖街道", PROBLEM)
PIECES = (f"我们是{COMPANY}", f"联系人{PERSON}", f"电话{PHONE}", "在东湖街道", PROBLEM)


@pytest.mark.parametrize("pieces", list(itertools.permutations(PIECES)))
def test_a_sentence_in_any_order(pieces: tuple[str, ...]) -> None:
    assert dissect("，".join(pieces)) == ALL


@pytest.mark.parametrize("mark", ["：", ":", "： "])
@pytest.mark.parametrize("between", ["\n", "；", "，", " "])
def test_a_pasted_form_in_any_order(mark: str, between: str) -> None:
    labels = ("企业名称", "联系人", "联系电话", "所在街道", "反映问题")
    fields = tuple(zip(labels, (COMPANY, PERSON, PHONE, "东湖街道", PROBLEM), strict=True))
    for order in itertools.permutations(fields):
        assert dissect(between.join(f"{label}{mark}{value}" for label, value in order)) == ALL


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{COMPANY} {PERSON} {PHONE} {PROBLEM}", Told(COMPANY, PERSON, PHONE, None, PROBLEM)),
        (f"{PROBLEM}，我叫{PERSON}，{PHONE}", Told(None, PERSON, PHONE, None, PROBLEM)),
        (f"{PROBLEM}，联系人：{PERSON}，电话：{PHONE}", Told(None, PERSON, PHONE, None, PROBLEM)),
        ("我是过路人，你们门口有个深坑", Told(description="我是过路人，你们门口有个深坑")),
        ("我们是规上企业，补助一直没有下来", Told(description="我们是规上企业，补助一直没有下来")),
    ],
)
def test_what_is_told(text: str, told: Told) -> None:
    assert dissect(text) == told


@pytest.mark.parametrize(
    "text", ["路灯坏了", "停水三天", "东湖街道的路灯不亮", "我要举报杭州隔壁化工有限公司半夜排废水"]
)
def test_a_short_problem_and_a_named_place_stay(text: str) -> None:
    assert described_problem(text) == text


@pytest.mark.parametrize(
    "text",
    [PERSON, f"电话{PHONE}", f"我们是{COMPANY}", f"{PIECES[0]}，我要反映问题", "你好，帮我登记一下诉求"],
)
def test_who_writes_is_no_problem(text: str) -> None:
    assert described_problem(text) is None


@given(st.text(max_size=80))
def test_any_text_is_split_without_inventing(text: str) -> None:
    told = dissect(text)
    assert told.description is None or len(told.description) <= len(text) + 4
