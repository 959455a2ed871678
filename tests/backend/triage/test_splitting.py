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
        ("（1）路灯不亮（2）路面坑洼", 2),
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


_FIRST, _SECOND, _THIRD = "路灯不亮了", "社保补缴不了", "贷款批不下来"


@pytest.mark.parametrize(
    "told",
    [
        "①{}②{}③{}",
        "（1）{}（2）{}（3）{}",
        "(1){}(2){}(3){}",
        "1、{}2、{}3、{}",
        "1.{}2.{}3.{}",
        "1{}2{}3{}",
        "一是{}二是{}三是{}",
        "一、{}二、{}三、{}",
        "问题1：{}问题2：{}问题3：{}",
        "我司反映以下问题：1、{}2、{}3、{}谢谢",
    ],
)
def test_marks_count_without_a_stop_before_them(told: str) -> None:
    text = told.format(_FIRST, _SECOND, _THIRD)
    parts = split(text, _subject)
    assert [
        part for part, word in zip(parts, (_FIRST, _SECOND, _THIRD), strict=True) if word in part
    ] == parts
    assert _without_blanks("".join(parts)) == _without_blanks(text)


@pytest.mark.parametrize(
    "text",
    [
        "依据条例第1、2条，路灯该修，社保也该补",
        "1、2号楼的路灯不亮，3、4号楼的社保断了",
        "2021.1.5签的合同2.5万，路灯不亮，社保也断了",
        "3号门的路灯不亮，4号门的社保断了",
        "周一、周二、周三社保都断，路灯不亮",
        "路灯坏了1个月，社保断了2个月，贷款拖了3个月",
        "2、路灯不亮3、社保断了",
    ],
)
def test_amounts_dates_and_articles_count_nothing(text: str) -> None:
    assert split(text, _subject) == [text]


def test_a_long_introduction_does_not_stop_the_count() -> None:
    story = "尊敬的领导：您好！我们是一家做食品的企业，成立于2015年，一直依法经营，近年来得到大力支持。"
    for said in ("现有以下问题请协调解决：", "目前有两个困难：", "现反映如下诉求，恳请研究："):
        parts = split(f"{story}{said}1.{_FIRST}；2.{_SECOND}。此致敬礼", _subject)
        assert [word in part for word, part in zip((_FIRST, _SECOND), parts, strict=True)] == [True, True]


def test_a_counted_item_of_unknown_subject_stands_by_itself() -> None:
    for second in ("河里臭得要命谁来管管", "班车末班太早", "有点含糊的事"):
        parts = split(f"老板们好！两件事麻烦下：一是{_SECOND}，二是{second}", _subject)
        assert [_SECOND in parts[0], second in parts[1], len(parts)] == [True, True, 2]
    assert len(split("路灯不亮，理由如下：1、夜里员工怕；2、车撞过人", _subject)) == 1
    assert len(split("1、路灯不亮；2、希望尽快来人", _subject)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "合同里写明①路灯不亮归甲方修②社保欠了归乙方补，甲方不认账",
        "打了三个电话：一是打给社保，二是打给贷款的银行，三是打给路灯所，都说不归他们管",
        "路灯不亮。要求如下：1、把灯修好；2、赔偿损失",
        "1、请问路灯不亮怎么报修？2、需要哪些材料？3、多久能办？",
    ],
)
def test_counted_grounds_and_questions_of_one_matter_stay_together(text: str) -> None:
    assert len(split(text, lambda part: _SUBJECTS["路灯"] if "路灯" in part else None)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "尊敬的局长：您好！\n路灯不亮，社保断了",
        "路灯不亮，社保断了。谢谢！\n2019-11-11刘春华",
        "路灯不亮，社保断了。网址：https://example.com/a",
        "胡书记：你好！路灯不亮。此致敬礼",
    ],
)
def test_greetings_links_and_signatures_are_no_part(text: str) -> None:
    cuts = [match.end() for match in re.finditer(r"[！\n。]", text)]
    assert [_without_blanks(part) for part in split(text, _subject, lambda _, __: cuts)] == [
        _without_blanks(text)
    ]


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
