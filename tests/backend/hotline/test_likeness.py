"""Like questions come together: the same way every time, and no question is lost."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.hotline.likeness import ALIKE, core, features, group, likeness

WORDS = [
    "高企",
    "补贴",
    "怎么",
    "申请",
    "多少",
    "人才",
    "公寓",
    "的",
    "了吗",
    "2026年",
    "杭州",
    "[手机号]",
    " ",
]
QUESTIONS = st.lists(st.lists(st.sampled_from(WORDS), max_size=6).map("".join), max_size=40)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("高企补贴怎么申请", "请问高企的补贴怎么申请呀"),
        ("人才公寓在哪里申请", "人才公寓怎么申请"),
        ("厂房屋顶可以装光伏吗", "厂房屋顶能不能装光伏"),
        ("外卖柜能放在园区门口吗", "我叫[姓名],电话[手机号],外卖柜能放在园区门口吗"),
        ("12月社保断缴怎么补", "社保12月断缴了怎么补"),
    ],
)
def test_the_same_in_other_words_is_alike(one: str, other: str) -> None:
    assert likeness(features(one), features(other)) >= ALIKE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("高企补贴怎么申请", "红烧肉怎么做"),
        ("人才公寓在哪里申请", "食品经营许可证在哪里申请"),
        ("我们公司想招人去哪里发布", "我们公司想开食堂去哪里办"),
        ("尘肺病政策的咨询", "购房政策的咨询"),
        ("怎么办", "怎么了"),
    ],
)
def test_what_shares_only_the_words_around_it_is_not_alike(one: str, other: str) -> None:
    assert likeness(features(one), features(other)) < ALIKE


def test_the_first_leads_and_each_joins_the_nearest() -> None:
    questions = ["高企补贴怎么申请", "人才公寓怎么申请", "红烧肉怎么做", "高企的补贴怎么申请", "申请人才公寓"]
    assert group(questions) == [[0, 3], [1, 4], [2]]


def test_what_is_masked_says_nothing() -> None:
    assert core("[手机号]") == core("？[姓名] ") == ""
    assert core("电话[手机号]") == core("电话")


@pytest.mark.parametrize("question", ["", "？", "的", "怎么了", "😀", "[手机号]", "a" * 600])
def test_anything_can_be_compared(question: str) -> None:
    assert likeness(features(question), features(question)) == 1
    assert group([question, question]) == [[0, 1]]


def by_hand(questions: list[str]) -> list[list[int]]:
    """The same without any short cut."""
    parts = [features(question) for question in questions]
    groups: dict[int, list[int]] = {}
    for position, found in enumerate(parts):
        nearest = max(groups, key=lambda leader: (likeness(parts[leader], found), -leader), default=None)
        if nearest is not None and likeness(parts[nearest], found) >= ALIKE:
            groups[nearest].append(position)
        else:
            groups[position] = [position]
    return list(groups.values())


@given(QUESTIONS)
def test_short_cuts_change_nothing(questions: list[str]) -> None:
    assert group(questions) == by_hand(questions)


@given(QUESTIONS)
def test_every_question_is_in_one_group(questions: list[str]) -> None:
    found = group(questions)
    assert sorted(position for positions in found for position in positions) == list(range(len(questions)))
    assert all(positions == sorted(positions) for positions in found)


@given(st.text(max_size=80), st.text(max_size=80))
def test_likeness_is_a_share_and_goes_both_ways(one: str, other: str) -> None:
    share = likeness(features(one), features(other))
    assert 0 <= share <= 1
    assert share == likeness(features(other), features(one))


def test_many_questions_are_grouped_without_comparing_all() -> None:
    signs = random.Random(1)
    pool = [chr(sign) for sign in range(0x4E00, 0x4E00 + 2000)]
    questions = ["".join(signs.choices(pool, k=12)) for _ in range(3_000)]
    changed = [question[:-1] for question in questions]
    assert group(questions + changed) == [[position, position + 3_000] for position in range(3_000)]
