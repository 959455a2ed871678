"""How a message is heard while a form is being filled."""

from __future__ import annotations

import pytest

from actions import listening
from actions.conversation import Turn

APPEAL = ("description", "enterprise", "contact", "phone", "territory", "appeal_confirm")


def turn(text: str, intent: str = "nlu_fallback", confidence: float = 0.4, **values: str) -> Turn:
    return Turn(text, intent, confidence, values, text.startswith("/"))


@pytest.mark.parametrize(
    "text", ["取消", "算了", "不提了", "我不填了", "退出吧", "转人工", "我要人工客服", "找真人"]
)
def test_commands_are_heard_whatever_is_understood(text: str) -> None:
    assert listening.is_command(turn(text))


@pytest.mark.parametrize(
    "text", ["公交站点取消了很不方便", "工作人员态度不好", "停水停电没人管", "退出机制不合理"]
)
def test_words_of_commands_in_a_sentence_are_none(text: str) -> None:
    assert not listening.is_command(turn(text, "file_appeal", 0.9))


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("电话写错了，是13812345678", {"phone": "13812345678"}),
        ("手机号填错了", {"phone": None}),
        ("联系人改成李四", {"contact": "李四"}),
        ("公司名不对", {"enterprise": None}),
        ("公司名应该是杭州示例科技有限公司", {"enterprise": "杭州示例科技有限公司"}),
        ("内容改成厂区路灯不亮", {"description": "厂区路灯不亮"}),
        ("街道选错了", {"territory": None}),
        ("我们公司的电话写错了，换成13812345678", {"phone": "13812345678"}),
        ("电话改成1380000", {"phone": "1380000"}),
        ("电话和联系人都写错了", {"phone": None, "contact": None}),
    ],
)
def test_corrections(text: str, heard: dict[str, str | None]) -> None:
    assert listening.correction(turn(text, "correct", 0.8), APPEAL, "appeal_confirm") == heard


@pytest.mark.parametrize("asked", ["contact", "phone", "territory"])
def test_the_last_answer_is_corrected_by_its_place(asked: str) -> None:
    before = APPEAL[APPEAL.index(asked) - 1]
    assert listening.correction(turn("上一个填错了", "correct", 1.0), APPEAL, asked) == {before: None}


def test_a_correction_of_nothing_named_asks_what() -> None:
    assert listening.correction(turn("修改", "correct", 1.0), APPEAL, "phone") == {
        "appeal_confirm": listening.EDIT
    }
    assert listening.correction(turn("/correct", "correct", 1.0), APPEAL, "phone") == {
        "appeal_confirm": listening.EDIT
    }


@pytest.mark.parametrize(
    "text", ["杭州改天科技有限公司", "王芳", "13800001111", "东湖街道", "好的", "厂门口的路坏了"]
)
def test_plain_answers_are_no_corrections(text: str) -> None:
    assert listening.correction(turn(text, "inform", 0.9), APPEAL, "enterprise") is None


def test_a_button_names_the_field() -> None:
    pressed = turn("/correct", "correct", 1.0, field="phone")
    assert listening.correction(pressed, APPEAL, "appeal_confirm") == {"phone": None}
    forged = turn("/correct", "correct", 1.0, field="filing_key")
    assert listening.correction(forged, APPEAL, "appeal_confirm") == {"appeal_confirm": listening.EDIT}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("电话", "phone"),
        ("公司名称", "enterprise"),
        ("联系人", "contact"),
        ("诉求内容", "description"),
        ("改街道", "territory"),
    ],
)
def test_a_named_field(text: str, field: str) -> None:
    assert listening.named_field(text, APPEAL) == field


@pytest.mark.parametrize("text", ["好的", "确认提交", "电话太旧了", "王芳"])
def test_no_named_field(text: str) -> None:
    assert listening.named_field(text, APPEAL) is None


@pytest.mark.parametrize(
    ("text", "intent", "confidence", "expected"),
    [
        ("热线电话多少", "ask", 0.9, True),
        ("你们几点下班？", "out_of_scope", 0.9, True),
        ("对了，怎么收费", "correct", 0.8, True),
        ("杭州示例科技有限公司", "ask", 0.9, False),
        ("王芳", "nlu_fallback", 0.3, False),
    ],
)
def test_questions(text: str, intent: str, confidence: float, expected: bool) -> None:
    assert listening.is_question(turn(text, intent, confidence)) is expected


def test_asides_need_certainty() -> None:
    assert listening.is_aside(turn("谢谢", "thank", 1.0))
    assert not listening.is_aside(turn("谢芳", "thank", 0.5))
    assert listening.is_aside(turn("/thank", "thank", 1.0))
    assert not listening.is_aside(turn("/affirm", "affirm", 1.0))
