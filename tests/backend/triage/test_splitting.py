from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.triage.splitting import Subject, split

_SUBJECTS = {
    "路灯": Subject("t.lamp", "d.city"),
    "路面": Subject("t.road", "d.city"),
    "社保": Subject("t.insurance", "d.labour"),
    "贷款": Subject("t.loan", "d.finance"),
    "含糊": Subject("t.vague", "d.other", clear=False),
}


def _subject(part: str) -> Subject | None:
    found = [(part.index(word), subject) for word, subject in _SUBJECTS.items() if word in part]
    return min(found, key=lambda item: item[0])[1] if found else None


def _without_blanks(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("我有两个问题：1、路灯不亮；2、社保补缴不了", 2),
        ("1. 路灯不亮 2. 社保补缴不了 3. 贷款批不下来", 3),
        ("一是路灯不亮，二是社保补缴不了", 2),
        ("（1）路灯不亮（2）路面坑洼", 1),
        ("（1）路灯不亮；（2）路面坑洼", 2),
        ("①路灯不亮；②社保补缴不了", 2),
        ("第一个问题，路灯不亮。第二个问题，社保补缴不了。", 2),
        ("路灯不亮\n1、夜里员工怕\n2、要求尽快修路灯", 1),
        ("路灯不亮，另外社保补缴不了", 2),
        ("贷款批不下来，急用。还有一件事，社保断了", 2),
        ("路灯不亮，另外路面也坏了", 1),
        ("路灯不亮，还有社保断了，还有贷款批不下来", 3),
        ("路灯不亮，还有路面坑洼，还有没人管", 1),
        ("路灯不亮，另外有点含糊的事", 1),
        ("路灯不亮，路面坑洼，社保也断了", 1),
        ("我们2023年8月1日搬来，1.5万平厂房，3个车间路灯不亮", 1),
        ("首先感谢修好路灯，其次社保也办好了", 1),
    ],
)
def test_cuts_only_where_the_writer_does(text: str, count: int) -> None:
    parts = split(text, _subject)

    assert len(parts) == count
    assert _without_blanks("".join(parts)) == _without_blanks(text)


def test_grounds_of_a_long_story_stay_with_it() -> None:
    story = "门口的路灯从去年春节前就不亮了，下夜班的女工都要打着手机电筒走两公里才到公交站，反映过很多次。"

    assert len(split(f"{story}一是路灯该谁修，二是社保局的人也从这里走", _subject)) == 1


def test_without_subjects_only_counts_are_cut() -> None:
    assert split("1、路灯不亮了；2、社保补缴不了") == ["1、路灯不亮了；", "2、社保补缴不了"]
    assert split("路灯不亮，另外社保补缴不了") == ["路灯不亮，另外社保补缴不了"]


def test_many_items_are_not_torn_to_shreds() -> None:
    text = "；".join(f"（{number}）路灯" for number in range(1, 60))

    assert split(text) == [text]


@given(
    st.text(alphabet="路灯社保贷款含糊面一二三123、.（）()是第个问题另外还有一件事，。；\n ①②", max_size=120)
)
def test_no_character_is_lost(text: str) -> None:
    for subject_of in (None, _subject):
        parts = split(text, subject_of)
        assert parts
        assert _without_blanks("".join(parts)) == _without_blanks(text)


@given(st.text(max_size=200))
def test_any_text_can_be_split(text: str) -> None:
    assert _without_blanks("".join(split(text, _subject))) == _without_blanks(text)
