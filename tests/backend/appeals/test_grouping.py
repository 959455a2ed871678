"""Letters about the same come together whatever their order, and nothing else does."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_letters import ALONE, BUSES, DRAINS, POWER_CUTS

from backend.appeals.grouping import group
from backend.appeals.likeness import Pairs, matter, pair_codes, pairs

LETTERS = (*POWER_CUTS, *BUSES, *DRAINS, *ALONE)
PROBLEMS = [set(POWER_CUTS), set(BUSES), set(DRAINS)]


def counted(letters: list[str]) -> list[Pairs]:
    return [pairs(matter(letter)) for letter in letters]


def grouped(letters: list[str]) -> list[set[str]]:
    return [{letters[place] for place in places} for places in group(counted(letters))]


def test_each_problem_is_one_group_and_the_rest_are_alone() -> None:
    assert grouped(list(LETTERS)) == PROBLEMS


@pytest.mark.parametrize("problems", [PROBLEMS[:1], PROBLEMS[:2], PROBLEMS[1:]])
def test_a_problem_that_most_write_about_is_found_too(problems: list[set[str]]) -> None:
    letters = [letter for letter in LETTERS if any(letter in problem for problem in problems)]
    assert grouped([*letters, *ALONE[:2]]) == problems


@given(st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_the_order_changes_nothing(dice: random.Random) -> None:
    letters = list(LETTERS)
    dice.shuffle(letters)
    found = group(counted(letters))
    assert sorted(map(sorted, ({letters[place] for place in places} for places in found))) == sorted(
        map(sorted, PROBLEMS)
    )
    assert all(list(places) == sorted(places) for places in found)


@given(
    st.lists(
        st.sampled_from([*LETTERS, "", "？！", "😀", "停电", "a1", "1234567"]) | st.text(max_size=30),
        max_size=40,
    )
)
@settings(max_examples=60)
def test_any_letters_can_be_grouped(letters: list[str]) -> None:
    found = group(counted(letters))
    members = [place for places in found for place in places]
    assert len(set(members)) == len(members)
    assert set(members) <= set(range(len(letters)))
    assert all(len(places) > 1 for places in found)
    assert [len(places) for places in found] == sorted(map(len, found), reverse=True)


@pytest.mark.parametrize("copies", [2, 3, 40, 700])
def test_copies_of_a_letter_stay_together(copies: int) -> None:
    letters = [*[POWER_CUTS[0]] * copies, *ALONE]
    assert group(counted(letters)) == [tuple(range(copies))]


def test_nothing_is_in_no_group() -> None:
    assert group([]) == []
    assert group(counted(["", "？"])) == []


def test_what_shares_only_a_place_is_not_put_together() -> None:
    letters = [
        "临江河畔产业园的厕所没人打扫。",
        "临江河畔产业园想装充电桩，物业不同意。",
        "临江河畔产业园招不到焊工，有没有招聘会？",
        "临江河畔产业园的单据怎么一直打印不出来？",
    ]
    assert grouped([*letters, *LETTERS]) == PROBLEMS


def test_names_that_the_caller_knows_weigh_little() -> None:
    letters = [
        "云栖湾那边厕所没人打扫。",
        "云栖湾那边想装充电桩。",
        "云栖湾那边招不到焊工。",
        "云栖湾那边单据打印不出来。",
    ]
    told = counted([*letters, *LETTERS])
    assert (0, 1, 2, 3) in group(told)
    assert [
        {[*letters, *LETTERS][place] for place in found}
        for found in group(told, damped=pair_codes(["云栖湾"]))
    ] == PROBLEMS


def test_a_chain_of_neighbours_is_not_one_group() -> None:
    words = [chr(0x4E00 + 40 * place) + chr(0x4E01 + 40 * place) for place in range(200)]
    letters = ["，".join(words[start : start + 10]) for start in range(0, 190, 5)]
    found = group(counted(letters))
    assert max(map(len, found)) < len(letters) / 3


def test_many_texts_are_grouped_by_parts_of_them() -> None:
    signs = random.Random(5)
    pool = [chr(sign) for sign in range(0x4E00, 0x4E00 + 3000)]
    leaders = ["".join(signs.choices(pool, k=30)) for _ in range(400)]
    letters = [leader[start : start + 24] for start in (0, 3, 6) for leader in leaders]
    found = group(counted(letters))
    whole = sum(places == (places[0], places[0] + 400, places[0] + 800) for places in found)
    assert whole >= 390


def test_weights_of_nothing_are_no_trouble() -> None:
    empty = Pairs(np.zeros(0, np.int64), np.zeros(0))
    assert group([empty, *counted(list(POWER_CUTS)), empty]) == [tuple(range(1, 7))]


def test_one_common_word_makes_no_topic() -> None:
    letters = ["孵化器备案要什么条件", "技改备案填错怎么撤回", "托育机构备案去哪个窗口", "化学品备案多久下来"]
    assert grouped([*letters, *LETTERS]) == PROBLEMS
