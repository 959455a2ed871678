from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import ContentError, InvalidInput, NotFound
from backend.knowledge.answering import AnswerService
from backend.knowledge.loading import KnowledgeBase
from backend.knowledge.search import Model, shipped_model
from backend.replies import Reply


def with_bands(answer: float, likely: float, confirm: float) -> Model:
    model = shipped_model()
    return replace(model, lexical=replace(model.lexical, answer=answer, likely=likely, confirm=confirm))


SURE = with_bands(0.0, 0.0, 0.0)
LIKELY = with_bands(1.1, 0.0, 0.0)
UNSURE = with_bands(1.1, 1.1, 0.0)
LOST = with_bands(1.1, 1.1, 1.1)
REFUSALS = ("没有查到", "暂无", "未载明")


@pytest.fixture(scope="module")
def sure(small_base: KnowledgeBase) -> AnswerService:
    """Always answers, so that a test sees the words and not the band."""
    return AnswerService(small_base, "钱塘区", SURE)


def said(reply: Reply) -> str:
    return "\n".join(message.text for message in reply.messages)


def payloads(reply: Reply) -> list[str]:
    return [button.payload for message in reply.messages for button in message.buttons]


def refused(reply: Reply) -> bool:
    words = said(reply)
    return reply.outcome == "unanswered" and any(word in words for word in REFUSALS) and "人工" in words


def test_leads_with_what_was_asked_and_ends_with_the_source(sure: AnswerService) -> None:
    reply = sure.answer("滨江暖企小站建好验收给多少钱")
    assert reply.outcome == "answered"
    assert reply.entry == "bj.award"
    lines = said(reply).splitlines()
    assert "5万元" in lines[0]
    assert lines[-1] == "来源：《暖企小站激励方案》一、建设奖励"
    assert reply.messages[0].citations[0].entry == "bj.award"


def test_picks_one_of_several_amounts_by_its_label(sure: AnswerService) -> None:
    words = said(sure.answer("首批的暖企小站建设奖励多给多少钱"))
    assert "再增加1万元" in words
    assert "5万元" not in words


def test_picks_one_of_several_time_limits(sure: AnswerService) -> None:
    words = said(sure.answer("135里单一部门的诉求几天能办好"))
    assert "3个工作日" in words
    assert "5个工作日" not in words
    assert "以上是2023年的规定。" in words


def test_picks_the_place_by_a_part_of_its_name(sure: AnswerService) -> None:
    reply = sure.answer("大江东的办税大厅在哪")
    assert said(reply).startswith("地址：大江东办税服务厅：江东大道3899号")
    assert "金沙大道600号" not in said(reply)


def test_lists_are_numbered_and_complete(sure: AnswerService) -> None:
    words = said(sure.answer("申请人才公寓要带什么材料"))
    assert words.startswith("材料：\n1. 身份证\n2. 学历证书\n3. 劳动合同")


def test_the_card_carries_the_facts_and_the_source(sure: AnswerService) -> None:
    card = sure.answer("申请人才公寓要带什么材料").messages[0].card
    assert card is not None
    assert card["type"] == "entry"
    assert card["fields"][0]["label"] == "材料"
    assert card["source"] == {"document": "关于《企业服务》的通知", "section": "四、人才"}


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("滨江暖企小站建设奖励找哪个电话咨询", "联系电话"),
        ("人才公寓租金多少钱", "具体金额"),
        ("钱塘营商热线几点下班", "办公或服务时间"),
        ("办税大厅周六上班吗", "办公或服务时间"),
    ],
)
def test_what_is_not_stated_is_said_so(sure: AnswerService, question: str, word: str) -> None:
    reply = sure.answer(question)
    assert refused(reply)
    assert "未载明" in said(reply)
    assert word in said(reply)
    assert "/ask_human" in payloads(reply)


def test_a_refusal_names_the_right_hotline_or_none(sure: AnswerService) -> None:
    at_home = said(sure.answer("人才公寓租金多少钱"))
    assert "85901890" in at_home
    elsewhere = said(sure.answer("滨江暖企小站建设奖励找哪个电话咨询"))
    assert "8590" not in elsewhere
    assert "区商务局" in elsewhere


def test_a_missing_facet_beside_a_stated_one_is_said_with_the_answer(sure: AnswerService) -> None:
    reply = sure.answer("办税大厅的地址和电话是多少")
    assert reply.outcome == "answered"
    assert "金沙大道600号东楼2楼" in said(reply)
    assert "资料中未载明联系电话" in said(reply)


def test_a_named_district_is_answered_from_its_folder_only(sure: AnswerService) -> None:
    assert sure.answer("上城企业有困难打哪个电话").entry == "sc.hotline"
    assert "85901890" not in said(sure.answer("上城企业有困难打哪个电话"))
    assert sure.answer("钱塘企业有困难打哪个电话").entry == "qt.hotline"


def test_without_a_district_home_comes_first(sure: AnswerService) -> None:
    assert sure.answer("营商热线怎么打").entry == "qt.hotline"


def test_what_only_another_district_has_is_answered_with_its_name(sure: AnswerService) -> None:
    reply = sure.answer("什么是暖企小站")
    assert reply.entry == "bj.station"
    assert said(reply).startswith("钱塘区的资料中没有查到对应的内容。以下是滨江区的规定")
    assert reply.outcome == "clarifying"
    assert sure.answer("什么是暖企小站", district="滨江区").outcome == "answered"


def test_an_unclear_hotline_is_asked_about(sure: AnswerService) -> None:
    reply = sure.answer("你们这边的热线是多少")
    assert reply.outcome == "clarifying"
    assert [button.title for button in reply.messages[0].buttons] == ["钱塘区", "上城区"]
    assert "85901890" in said(reply), "the home district's, by its name"
    assert "85908590" not in said(reply), "never another district's beside it"
    pressed = reply.messages[0].buttons[1].payload
    assert sure.answer(pressed).entry == "sc.hotline"


def test_the_chosen_district_holds_unless_the_question_names_another(sure: AnswerService) -> None:
    assert sure.answer("你们的热线是多少", district="上城区").entry == "sc.hotline"
    assert sure.answer("钱塘营商热线是多少", district="上城区").entry == "qt.hotline"
    with pytest.raises(InvalidInput):
        sure.answer("热线", district="西湖区")


@pytest.mark.parametrize(
    "question", ["西湖区的企业热线是多少", "北京企业有困难打哪个电话", "余杭区有没有暖企小站"]
)
def test_places_without_a_folder_are_refused(small_base: KnowledgeBase, question: str) -> None:
    reply = AnswerService(small_base, "钱塘区").answer(question)
    assert refused(reply)
    assert "滨江区、钱塘区、上城区" in said(reply) or "钱塘区" in said(reply)


def test_a_place_one_only_goes_to_is_no_district(sure: AnswerService) -> None:
    assert sure.answer("去北京的员工怎么申请人才公寓").entry == "qt.materials"


def test_likely_answers_are_shown_with_reserve(small_base: KnowledgeBase) -> None:
    reply = AnswerService(small_base, "钱塘区", LIKELY).answer("人才公寓怎么申请好")
    assert reply.outcome == "clarifying"
    assert said(reply).startswith("不能确定您问的是不是“人才公寓申请”")
    assert "在线提交申请" in said(reply)
    assert reply.entry == "qt.materials"
    assert payloads(reply)[-1] == "/ask_human"


def test_unsure_offers_three_to_choose_from(small_base: KnowledgeBase) -> None:
    service = AnswerService(small_base, "钱塘区", UNSURE)
    reply = service.answer("人才公寓怎么申请好")
    assert reply.outcome == "clarifying"
    assert payloads(reply)[0] == '/choose_entry{"entry_id": "qt.materials"}'
    assert [button.title for button in reply.messages[0].buttons][-1] == "都不是"
    assert len(payloads(reply)) == 4
    assert "1. 人才公寓申请" in said(reply)
    assert reply.entry is None


def test_lost_refuses_with_ways_on(small_base: KnowledgeBase) -> None:
    reply = AnswerService(small_base, "钱塘区", LOST).answer("人才公寓怎么申请好")
    assert refused(reply)
    assert payloads(reply) == ["/ask_human", "/file_appeal"]


def test_a_pressed_candidate_is_answered_as_asked(sure: AnswerService) -> None:
    assert "1. 身份证" in said(sure.answer_entry("qt.materials", question="要带什么材料"))
    assert sure.answer_entry("qt.materials").outcome == "answered"
    with pytest.raises(NotFound):
        sure.answer_entry("qt.gone")


@pytest.mark.parametrize("question", ["那要带什么材料", "需要什么材料呢", "材料呢，要带哪些"])
def test_follow_ups_use_the_last_entry(small_service: AnswerService, question: str) -> None:
    reply = small_service.answer(question, last_entry="qt.materials")
    assert reply.entry == "qt.materials"
    assert "1. 身份证" in said(reply)


def test_a_follow_up_about_what_is_missing(small_service: AnswerService) -> None:
    reply = small_service.answer("那电话呢", last_entry="qt.materials")
    assert reply.outcome == "unanswered"
    assert "未载明“人才公寓申请”的联系电话" in said(reply)


def test_anything_else(small_service: AnswerService) -> None:
    reply = small_service.answer("还有别的吗", last_entry="qt.hotline")
    assert reply.outcome == "answered"
    assert '/choose_entry{"entry_id": "qt.promise"}' in payloads(reply)


def test_a_follow_up_for_another_district(small_service: AnswerService) -> None:
    reply = small_service.answer("那上城呢", last_entry="qt.hotline")
    assert "85901890" not in said(reply).split("如果")[0]


def test_an_unknown_last_entry_is_ignored(small_service: AnswerService) -> None:
    assert small_service.answer("那电话呢", last_entry="qt.gone").outcome == "clarifying"


@pytest.mark.parametrize("question", ["", "   ", "😀😀", "\x00\x01", "？？？", "嗯"])
def test_nothing_asked(small_service: AnswerService, question: str) -> None:
    reply = small_service.answer(question)
    assert refused(reply)


def test_a_bare_question_asks_back(small_service: AnswerService) -> None:
    reply = small_service.answer("要带什么材料")
    assert reply.outcome == "clarifying"
    assert "哪个事项" in said(reply)


def test_a_long_ramble_is_answered_by_its_question(sure: AnswerService) -> None:
    ramble = "你好，我们是去年从外地搬过来的一家小公司，老板让我跑一下这些事情，实在搞不明白，" * 8
    assert sure.answer(ramble + "我就想问人才公寓申请要带什么材料").entry == "qt.materials"


@settings(max_examples=60)
@given(st.text(max_size=400))
def test_any_text_gets_a_reply(small_service: AnswerService, typed: str) -> None:
    reply = small_service.answer(typed)
    assert reply.messages[0].text
    assert small_service.answer(typed, last_entry="qt.hotline").messages[0].text


@pytest.mark.parametrize(
    "typed", ["问" * 10000, "<script>alert(1)</script>", "'; DROP TABLE entries; --", "\ud800"]
)
def test_hostile_text(small_service: AnswerService, typed: str) -> None:
    assert small_service.answer(typed).messages[0].text


def test_search_for_programs(small_service: AnswerService) -> None:
    result = small_service.search("营商热线怎么打", k=2)
    assert result.decision == "answer"
    assert result.hits[0].entry == "qt.hotline"
    assert len(result.hits) == 2
    assert result.hits[0].citation.section == "一、问题收集"
    assert all(0 <= hit.score <= 1 for hit in result.hits)
    assert small_service.search("西湖区的热线是多少").decision == "refuse"


@pytest.mark.parametrize("k", [0, 51])
def test_search_limits(small_service: AnswerService, k: int) -> None:
    with pytest.raises(InvalidInput):
        small_service.search("热线", k=k)


def test_home_must_have_a_folder(small_base: KnowledgeBase) -> None:
    with pytest.raises(ContentError):
        AnswerService(small_base, "西湖区")
