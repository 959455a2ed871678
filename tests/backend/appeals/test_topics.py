"""Hot topics: many enterprises weigh more than many letters, and what is fresh more than what is old."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_letters import ALONE, BUSES, DRAINS, POWER_CUTS

from backend.appeals.likeness import pairs
from backend.appeals.topics import Letter, Trend, content, heat, topics, trend

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
DAYS = 14


def letters(
    *texts: str, first: int = 1, enterprises: int = 0, territory: str | None = "下沙街道"
) -> list[Letter]:
    """One letter a text, each a day older and of its own enterprise, unless there are fewer enterprises."""
    return [
        Letter(
            number=f"QT20261120-{first + place:04}",
            enterprise=f"杭州某{place % enterprises if enterprises else first + place}有限公司",
            enterprise_key=f"杭州某{place % enterprises if enterprises else first + place}",
            text=text,
            submitted_at=NOW - timedelta(days=place),
            territory=territory,
        )
        for place, text in enumerate(texts)
    ]


def test_a_topic_tells_what_it_is_about() -> None:
    found = topics([*letters(*POWER_CUTS), *letters(*ALONE, first=101)], NOW, DAYS)
    assert len(found) == 1
    topic = found[0]
    assert "停电" in topic.keywords
    assert any(word in topic.title for word in topic.keywords)
    assert (topic.appeals, topic.enterprises) == (6, 6)
    assert (topic.first_at, topic.last_at) == (NOW - timedelta(days=5), NOW)
    assert topic.territories == (("下沙街道", 6),)
    assert topic.numbers == tuple(f"QT20261120-{number:04}" for number in range(1, 6))
    assert (topic.earlier, topic.later, topic.trend) == (0, 6, Trend.RISING)


def test_the_hottest_comes_first() -> None:
    found = topics(
        [*letters(*BUSES), *letters(*POWER_CUTS, first=11), *letters(*DRAINS, first=21)], NOW, DAYS
    )
    assert [topic.appeals for topic in found] == [6, 5, 4]
    assert [topic.heat for topic in found] == sorted((topic.heat for topic in found), reverse=True)


@pytest.mark.parametrize(("enterprises", "count"), [(1, 0), (2, 0), (3, 1)])
def test_fewer_than_three_enterprises_make_no_topic(enterprises: int, count: int) -> None:
    assert len(topics(letters(*POWER_CUTS, enterprises=enterprises), NOW, DAYS)) == count


def test_the_least_number_of_enterprises_can_be_given() -> None:
    assert len(topics(letters(*POWER_CUTS, enterprises=2), NOW, DAYS, least_enterprises=2)) == 1


def test_one_enterprise_that_writes_again_and_again_does_not_hide_the_others() -> None:
    flood = [
        Letter(
            f"QT20261119-{place:04}",
            "浙江某某有限公司",
            "浙江某某",
            BUSES[0] + "请回复。" * (place % 3),
            NOW,
            None,
        )
        for place in range(200)
    ]
    found = topics([*flood, *letters(*POWER_CUTS)], NOW, DAYS)
    assert [(topic.appeals, topic.enterprises) for topic in found] == [(6, 6)]


def test_territories_are_counted_and_the_unconfirmed_left_out() -> None:
    told = [*letters(*POWER_CUTS[:3]), *letters(*POWER_CUTS[3:5], first=11, territory="白杨街道")]
    told += letters(POWER_CUTS[5], first=21, territory=None)
    [topic] = topics(told, NOW, DAYS)
    assert topic.territories == (("下沙街道", 3), ("白杨街道", 2))


def test_neither_name_nor_number_gets_into_title_or_keywords() -> None:
    texts = [
        f"我是杭州某{place + 1}有限公司，电话13800000012，{text}" for place, text in enumerate(POWER_CUTS)
    ]
    [topic] = topics(letters(*texts), NOW, DAYS)
    words = topic.title + "".join(topic.keywords)
    assert "杭州某" not in words
    assert "138" not in words


def test_the_name_of_the_enterprise_tells_nothing_of_its_problem() -> None:
    [letter] = letters("杭州某1有限公司反映：停电了。")
    assert "杭州某" not in content(letter)
    assert "停电" in content(letter)


def test_pairs_counted_before_change_nothing() -> None:
    told = [*letters(*POWER_CUTS), *letters(*ALONE, first=101)]
    known = {letter.number: pairs(content(letter)) for letter in told[::2]}
    assert topics(told, NOW, DAYS, known=known) == topics(told, NOW, DAYS)


@given(st.randoms(use_true_random=False))
@settings(max_examples=20)
def test_the_order_changes_nothing(dice: random.Random) -> None:
    told = [*letters(*POWER_CUTS), *letters(*BUSES, first=11), *letters(*ALONE, first=21)]
    expected = topics(told, NOW, DAYS)
    dice.shuffle(told)
    assert topics(told, NOW, DAYS) == expected


@pytest.mark.parametrize("told", [[], letters(*ALONE), letters("", "？", "。")])
def test_without_like_problems_there_is_no_topic(told: list[Letter]) -> None:
    assert topics(told, NOW, DAYS) == []


def test_what_an_enterprise_adds_halves_in_a_week() -> None:
    assert heat({"a": [NOW]}, NOW) == 1
    assert heat({"a": [NOW - timedelta(days=7)]}, NOW) == 0.5
    assert heat({"a": [NOW - timedelta(days=14)], "b": [NOW]}, NOW) == 1.25


def test_further_appeals_of_one_enterprise_add_little() -> None:
    assert heat({"a": [NOW, NOW]}, NOW) == 1.2
    assert heat({"a": [NOW - timedelta(days=7), NOW]}, NOW) == 1.2
    assert heat({"a": [NOW] * 100}, NOW) == 2 == heat({"a": [NOW], "b": [NOW]}, NOW)


def test_a_clock_that_was_set_back_makes_nothing_hotter() -> None:
    assert heat({"a": [NOW + timedelta(hours=1)]}, NOW) == 1


MOMENTS = st.integers(0, 60).map(lambda days: NOW - timedelta(days=days))


@given(st.dictionaries(st.text(max_size=3), st.lists(MOMENTS, min_size=1, max_size=8), max_size=8), MOMENTS)
def test_another_enterprise_never_cools_a_topic(
    enterprises: dict[str, list[datetime]], moment: datetime
) -> None:
    before = heat(enterprises, NOW)
    assert heat({**enterprises, "another": [moment]}, NOW) >= before
    assert before <= 2 * len(enterprises)
    assert heat(enterprises, NOW + timedelta(days=1)) <= before


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        (0, 0, Trend.STEADY),
        (0, 1, Trend.STEADY),
        (0, 2, Trend.RISING),
        (4, 6, Trend.RISING),
        (5, 6, Trend.STEADY),
        (6, 4, Trend.FALLING),
        (2, 0, Trend.FALLING),
    ],
)
def test_a_trend_is_more_than_chance(earlier: int, later: int, expected: Trend) -> None:
    assert trend(earlier, later) is expected
    assert expected.text in {"上升", "平稳", "回落"}
