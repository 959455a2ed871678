"""Traditional characters are read, and places in the text stay where they were."""

from __future__ import annotations

import opencc
from hypothesis import given
from hypothesis import strategies as st

from actions import recognition
from actions.chinese import simplified


def test_reads_traditional_characters() -> None:
    assert simplified("我想問下高企認定找邊個") == "我想问下高企认定找边个"
    assert recognition.looks_like_question("請問這個怎麼辦")
    assert recognition.described_problem("我們廠門口的路壞了，貨車進不來，請幫忙反映")


@given(st.text(max_size=80))
def test_keeps_the_length(text: str) -> None:
    assert len(simplified(text)) == len(text)
    assert simplified(simplified(text)) == simplified(text)
    assert len(recognition.normalise(text)) == len(text)


def test_the_table_agrees_with_the_library() -> None:
    library = opencc.OpenCC("t2s")
    for written in "請問廠門號碼電話貨車環評補貼證書紙張餐廳灣區麵店":
        assert simplified(written) == library.convert(written)
