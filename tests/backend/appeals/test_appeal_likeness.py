"""One enterprise has one key however it is written, and like problems are found for the words they share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_letters import ALONE, BUSES, DRAINS, POWER_CUTS

from backend.appeals.likeness import (
    ALIKE,
    LONGEST_KEY,
    Rarity,
    enterprise_key,
    like,
    likeness,
    matter,
    pairs,
    shared_words,
)

PARTS = (
    "杭州",
    "浙江",
    "钱塘",
    "某某",
    "新材料",
    "科技",
    "集团",
    "ＡＢ",
    "廠",
    "（",
    "）",
    "(",
    " ",
    "\u3000",
    "·",
)
FORMS = ("公司", "有限公司", "有限责任公司", "股份有限公司", "分公司", "有限合伙")
NAMES = st.lists(st.sampled_from([*PARTS, *FORMS]), max_size=12).map("".join)
TEXTS = st.one_of(st.text(max_size=60), st.sampled_from([*POWER_CUTS, *BUSES, *DRAINS, *ALONE]))


@pytest.mark.parametrize(
    "name",
    [
        "杭州某某新材料股份有限公司",
        "杭州某某新材料有限责任公司",
        " 杭州某某新材料　有限公司 ",
        "杭州某某新材料公司",
        "杭州某某新材料（有限合伙）",
        "杭州某某·新材料",
        "杭州（某某）新材料有限公司",
        "杭州(某某)新材料有限公司",
    ],
)
def test_spelling_and_legal_form_do_not_count(name: str) -> None:
    assert enterprise_key(name) == enterprise_key("杭州某某新材料有限公司") == "杭州某某新材料"


def test_width_case_and_traditional_characters_do_not_count() -> None:
    assert enterprise_key("ＡＢＣ电子有限公司") == enterprise_key("abc電子有限公司")


@pytest.mark.parametrize(
    "other",
    [
        "浙江某某科技有限公司",
        "钱塘某某科技有限公司",
        "某某科技有限公司",
        "杭州某某科技集团有限公司",
        "杭州某某科技有限公司宁波分公司",
        "杭州某某商贸有限公司",
    ],
)
def test_places_groups_and_branches_are_other_enterprises(other: str) -> None:
    assert enterprise_key(other) != enterprise_key("杭州某某科技有限公司")


@pytest.mark.parametrize("name", ["公司", "有限公司", "A公司", "股份有限公司"])
def test_a_name_of_nothing_but_its_form_stays(name: str) -> None:
    assert enterprise_key(name) == name.lower()


@given(NAMES | st.text(max_size=150))
def test_a_key_is_its_own_key_and_fits(name: str) -> None:
    key = enterprise_key(name)
    assert enterprise_key(key) == key
    assert len(key) <= LONGEST_KEY
    assert bool(key) or not any(sign.isalnum() for sign in name)


@given(TEXTS, TEXTS)
def test_likeness_is_a_share_and_goes_both_ways(one: str, other: str) -> None:
    first, second = pairs(matter(one)), pairs(matter(other))
    share = likeness(first, second)
    assert 0 <= share <= 1
    assert share == pytest.approx(likeness(second, first))
    assert likeness(first, first) == (pytest.approx(1) if len(first.codes) else 0)


@pytest.mark.parametrize("letters", [POWER_CUTS, BUSES, DRAINS])
def test_each_letter_has_a_like_one_among_those_of_its_problem(letters: tuple[str, ...]) -> None:
    for position, letter in enumerate(letters):
        others = [*letters[:position], *letters[position + 1 :]]
        assert like(letter, others), letter


def test_letters_about_different_things_are_not_alike() -> None:
    problems = (POWER_CUTS, BUSES, DRAINS, *((letter,) for letter in ALONE))
    for position, letters in enumerate(problems):
        others = [other for group in problems[position + 1 :] for other in group]
        for letter in letters:
            assert [others[found.position] for found in like(letter, others)] == [], letter


def test_the_frame_of_a_letter_makes_nothing_alike() -> None:
    one = "尊敬的领导您好，我公司反映一个问题：{}，严重影响生产经营，希望有关部门尽快解决，谢谢！"
    assert like(one.format("宿舍热水供应不上"), [one.format("商标被人抢注")]) == []


def test_the_most_alike_comes_first_and_says_why() -> None:
    text = "园区变压器老是跳闸停电，希望供电公司增容。"
    others = ["想问高企认定的材料。", "变压器跳闸，停电半天。", text, "停电了，供电公司一直不来。"]
    found = like(text, others)
    assert [one.position for one in found] == [2, 1, 3]
    assert found[0].score == pytest.approx(1)
    assert [one.shared for one in found[1:]] == [("变压器", "停电", "跳闸"), ("供电", "停电")]


@given(TEXTS, TEXTS)
def test_shared_words_stand_in_both(one: str, other: str) -> None:
    here, there = matter(one), matter(other)
    words = shared_words(here, there)
    assert len(words) <= 5
    assert all(len(word) > 1 and word in here and word in there for word in words)


@given(st.lists(TEXTS, max_size=6), TEXTS)
def test_like_keeps_to_what_it_is_given(others: list[str], text: str) -> None:
    found = like(text, others)
    assert all(one.score >= ALIKE for one in found)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert len({one.position for one in found}) == len(found) <= len(others)


def test_rare_words_tell_more_than_common_ones() -> None:
    letters = [
        f"{word}到货验收，包装破损，{word}已经拍照。" for word in ("轴承", "滤芯", "阀门", "电缆", "标签")
    ] * 50
    rarity = Rarity.of([pairs(matter(letter)) for letter in letters])
    one, common, rare = (
        rarity.weigh(pairs(matter(text)))
        for text in ("轴承到货验收，冷却塔漏水", "标签到货验收，发票开错", "冷却塔漏水半天")
    )
    assert likeness(one, rare) > likeness(one, common)


def test_rarity_never_makes_a_pair_weigh_nothing() -> None:
    texts = [pairs(matter("冷却塔漏水"))] * 7
    rarity = Rarity.of(texts)
    assert likeness(rarity.weigh(texts[0]), rarity.weigh(texts[0])) == pytest.approx(1)
    assert (rarity.weights(texts[0].codes) > 0).all()
