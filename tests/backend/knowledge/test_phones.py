from __future__ import annotations

import pytest

from backend.knowledge.answering import AnswerService
from backend.knowledge.phones import written_in
from backend.replies import Reply

HOME, OTHER = "85901890", "85908590"


def said(reply: Reply) -> str:
    return "\n".join(message.text for message in reply.messages)


@pytest.mark.parametrize(
    ("text", "digits", "area"),
    [
        ("0571-85901890是谁的", "85901890", "0571"),
        ("８５９０８５９０是哪里的", "85908590", None),
        ("057185901890", "85901890", "0571"),
        ("+86 138 1234 5678", "13812345678", None),
        ("400-820-8820", "4008208820", None),
    ],
)
def test_reads_numbers_as_people_write_them(text: str, digits: str, area: str | None) -> None:
    written = written_in(text)
    assert written is not None
    assert (written.digits, written.area) == (digits, area)


@pytest.mark.parametrize(
    "text", ["", "20240115", "QT20261121-0042", "2024年3月3日", "1381234", "138123456789012"]
)
def test_dates_and_other_figures_are_no_numbers(text: str) -> None:
    assert written_in(text) is None


def test_says_whose_a_number_is(real_service: AnswerService) -> None:
    reply = real_service.answer("85908590是哪里的")
    assert reply.outcome == "answered"
    assert "上城区" in said(reply)
    assert HOME not in said(reply)
    assert "不是钱塘区的" in said(real_service.answer("钱塘区85908590对不对"))
    assert "不是上城区的" in said(real_service.answer("上城的0571-85901890打不通"))


def test_what_else_is_asked_of_a_number_is_not_lost(real_service: AnswerService) -> None:
    assert "未载明" in said(real_service.answer("85901890晚上十点有人接吗"))


@pytest.mark.parametrize("district", [None, "上城区"])
def test_an_unknown_number_is_not_given_to_anybody(real_service: AnswerService, district: str | None) -> None:
    reply = real_service.answer("0574-88212221是什么电话", district=district)
    assert reply.outcome == "unanswered"
    assert "没有查到这个号码" in said(reply)
    assert "88212221" not in said(reply)


def test_every_hotline_is_named_with_its_district(real_service: AnswerService) -> None:
    for question in ("两个区的热线分别是多少", "上城和钱塘的热线电话"):
        lines = said(real_service.answer(question)).splitlines()
        assert any("钱塘区" in line and HOME in line for line in lines)
        assert any("上城区" in line and OTHER in line for line in lines)


@pytest.mark.parametrize("question", ["拨我就灵是哪个号", "8590怎么打", "上城区的拨我就灵是多少"])
def test_a_nickname_says_which_district_is_meant(real_service: AnswerService, question: str) -> None:
    words = said(real_service.answer(question, district="上城区"))
    assert HOME in words
    assert OTHER not in words


def test_a_common_word_for_hotlines_is_no_nickname(real_service: AnswerService) -> None:
    words = said(real_service.answer("上城营商热线电话打几号"))
    assert OTHER in words
    assert HOME not in words
