from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.knowledge import text


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("请问一下，暖企小站怎么申请呀？", "暖企小站怎么申请"),
        ("你好   我想问下：热线  是多少？？？", "热线 是多少"),
        ("ＢＩＮ－ＨＵＢ 是啥", "bin hub 是啥"),
        ("", ""),
        ("！！！😀", ""),
        ("嗯 那个暖企小站", "那个暖企小站"),
        ("0571-85901890", "0571 85901890"),
        ("酒吧能办照吗", "酒吧能办照"),
        ("請問企業服務熱線電話是多少？", "企业服务热线电话是多少"),
        ("乾坤科技的廠房乾燥嗎", "乾坤科技的厂房干燥"),
    ],
)
def test_normalise(typed: str, normal: str) -> None:
    assert text.normalise(typed) == normal


@given(st.text(max_size=200))
def test_normalising_twice_changes_nothing(typed: str) -> None:
    once = text.normalise(typed)
    assert text.normalise(once) == once


@given(st.text("後台乾坤臺灣著了髮發製复覆於面麵里裏鐘锺", max_size=12))
def test_traditional_characters_are_folded_once_and_for_all(typed: str) -> None:
    once = text.normalise(typed)
    assert text.normalise(once) == once


@given(
    st.lists(
        st.sampled_from(["请问", "一下", "你好", "暖企小站", "吗", "呢", "，", " ", "电话", "Ａ", "的"]),
        max_size=12,
    )
)
def test_normalising_phrases_twice_changes_nothing(parts: list[str]) -> None:
    once = text.normalise("".join(parts))
    assert text.normalise(once) == once


def test_tokens_are_characters_pairs_and_words() -> None:
    assert text.tokens("135办结 a档") == ["135", "办", "结", "135办", "办结", "a", "档", "a档"]


def test_synonyms_read_alike() -> None:
    assert text.canonical("咋补助") == text.canonical("怎么奖励")


@given(st.text(max_size=3000))
def test_shortening_keeps_the_limit_and_short_texts(typed: str) -> None:
    short = text.shorten(typed)
    assert len(short) <= text.MAX_CHARS
    if len(typed) <= text.MAX_CHARS:
        assert short == typed
    else:
        assert typed.endswith(short[-100:])
