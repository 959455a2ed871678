"""Answers of the real knowledge base to the question sets, with margins below what was measured.

By words alone, as the service answers until the encoder is warm; `benchmarks/answering_quality.py` measures
with the encoder too. The sets' writers knew the entries, so these are watch posts against regressions, not
forecasts.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from knowledge_samples import ROOT

from backend.cli.scoring import holding, lacking
from backend.knowledge.answering import AnswerService
from backend.replies import Reply

SETS = ROOT / "tests" / "data" / "questions"
REFUSALS = ("没有查到", "暂无", "未载明", "不能确定")


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def said(reply: Reply) -> str:
    return "\n".join(message.text for message in reply.messages)


def verdict(reply: Reply, item: dict[str, Any]) -> str:
    words = said(reply)
    fits = not lacking(words, item.get("expect", [])) and not holding(words, item.get("forbid", []))
    if item["entry"] is None or item.get("refuse"):
        return "right" if fits and any(word in words for word in REFUSALS) else "wrong"
    if fits:
        return "right"
    return "confidently wrong" if reply.outcome == "answered" else "missed"


@pytest.mark.parametrize(
    ("name", "right", "confidently_wrong"),
    [
        ("binjiang", 0.85, 0.06),
        ("shangcheng", 0.90, 0.05),
        ("qiantang-appeals", 0.85, 0.06),
        ("zhejiang", 0.84, 0.08),
        ("ningbo", 0.84, 0.08),
        ("out_of_scope", 0.95, 0.05),
    ],
)
def test_question_sets(
    real_service: AnswerService, name: str, right: float, confidently_wrong: float
) -> None:
    items = read(name)
    verdicts = Counter(verdict(real_service.answer(item["question"]), item) for item in items)
    assert verdicts["right"] / len(items) >= right, verdicts
    assert verdicts["confidently wrong"] / len(items) <= confidently_wrong, verdicts


@pytest.mark.parametrize(
    ("name", "first", "among_three"),
    [("handbook", 0.92, 0.98), ("handbook-services", 0.73, 0.86), ("handbook-systems", 0.50, 0.72)],
)
def test_the_right_entry_is_found(
    real_service: AnswerService, name: str, first: float, among_three: float
) -> None:
    found = []
    for item in read(name):
        right = {item["entry"]} if isinstance(item["entry"], str) else set(item["entry"])
        hits = [hit.entry.id for hit in real_service.index.look_up(item["question"], k=3).hits]
        found.append((hits[:1] != [] and hits[0] in right, bool(right & set(hits))))
    assert sum(top for top, _ in found) / len(found) >= first
    assert sum(three for _, three in found) / len(found) >= among_three


@pytest.mark.parametrize(
    ("name", "answered", "unanswered"),
    [("out_of_scope", 0.03, 0.54), ("missing", 0.02, 0.58), ("complaints", 0.02, 0.56)],
)
def test_what_is_not_ours_is_refused(
    real_service: AnswerService, name: str, answered: float, unanswered: float
) -> None:
    """By words alone; what is not refused is near something that the handbook holds, and offered as such."""
    replies = [real_service.answer(item["question"]) for item in read(name)]
    outcomes = Counter(reply.outcome for reply in replies)
    assert outcomes["answered"] / len(replies) <= answered, outcomes
    assert outcomes["unanswered"] / len(replies) >= unanswered, outcomes


@pytest.mark.parametrize(
    "question",
    [
        "今天下沙会下雨吗",
        "帮我写一份辞职信",
        "高新企业所得税按百分之几交",
        "钱塘企业综合服务中心周六上班吗几点关门",
        "滨江暖企小站找哪个电话咨询",
        "三星小微园评上了奖多少钱",
        "西湖区的企业服务热线是多少",
        "上城二十条第三条写了什么",
    ],
)
def test_what_the_documents_do_not_hold(real_service: AnswerService, question: str) -> None:
    words = said(real_service.answer(question))
    assert any(word in words for word in REFUSALS)
    assert "人工" in words or "热线" in words


def test_answers_cite_the_entry_they_come_from(real_service: AnswerService) -> None:
    for item in read("shangcheng"):
        reply = real_service.answer(item["question"])
        if reply.outcome == "answered":
            assert [citation.entry for citation in reply.messages[0].citations] == [reply.entry]
            assert "来源：《" in said(reply)


def test_hotlines_are_never_mixed(real_service: AnswerService) -> None:
    assert "85908590" not in said(real_service.answer("钱塘营商热线号码多少"))
    assert "85901890" not in said(real_service.answer("上城区的企业热线是多少"))


def test_a_clause_does_not_forget_what_the_message_names(real_service: AnswerService) -> None:
    reply = real_service.answer("我们园区想建个暖企小站，从头到尾要走什么流程呢，第一步干嘛")
    assert reply.entry is None or reply.entry.startswith("bj.") or reply.outcome != "answered"


def test_a_conversation(real_service: AnswerService) -> None:
    first = real_service.answer("上城新认定的省级科技型中小企业奖多少")
    assert "2万元" in said(first)
    second = real_service.answer("那电话呢", last_entry=first.entry)
    assert second.entry == first.entry
    assert "89500603" in said(second) or second.outcome == "unanswered"


@pytest.mark.parametrize(
    "question", ["生育津贴怎么算", "食品经营许可证要多少平米", "食品经营许可证怎么办", "出口退税率多少"]
)
def test_a_topic_without_the_asked_aspect_is_said_with_reserve(
    real_service: AnswerService, question: str
) -> None:
    reply = real_service.answer(question)
    assert reply.outcome != "answered"
    assert any(word in said(reply) for word in REFUSALS)


@pytest.mark.parametrize("question", ["商圈的商务驿站在哪", "商场高端会员卡怎么领", "房租减免最多几个月"])
def test_another_district_is_never_answered_plainly_unless_named(
    real_service: AnswerService, question: str
) -> None:
    reply = real_service.answer(question)
    assert reply.outcome != "answered"
    if reply.entry is not None:
        assert "上城区" in said(reply)
        assert "钱塘区的资料中没有查到" in said(reply)
    assert "钱塘区的资料中没有查到" not in said(real_service.answer(f"上城区{question}"))


@pytest.mark.parametrize(
    "question", ["什么是暖企小站", "小站建好一次性给多少钱", "上城人才码是什么", "窗口平台是什么"]
)
def test_a_theme_of_one_district_names_it_by_itself(real_service: AnswerService, question: str) -> None:
    assert real_service.answer(question).outcome == "answered"


@pytest.mark.parametrize("question", ["补贴", "奖励", "需要什么材料", "谁在办", "什么时候能办好", "电话"])
def test_a_question_without_a_topic_picks_no_entry(real_service: AnswerService, question: str) -> None:
    reply = real_service.answer(question)
    assert reply.outcome == "clarifying"
    assert reply.entry is None
    assert "没有查到" in said(reply)


def test_who_leads_is_told_from_what_appeals_are_about(real_service: AnswerService) -> None:
    reply = real_service.answer("停电找谁")
    assert "钱塘供电公司" in said(reply)
    assert reply.outcome == "clarifying"
    assert reply.messages[0].citations
    assert real_service.answer("杭州地铁停运找谁").outcome != "answered"


def test_a_nickname_after_another_districts_hotline_is_no_follow_up(real_service: AnswerService) -> None:
    for question in ("拨我就灵是哪个号", "8590怎么打"):
        words = said(real_service.answer(question, last_entry="sc.contact.hotline"))
        assert "85901890" in words
        assert "85908590" not in words


@pytest.mark.parametrize(
    ("question", "words"),
    [("要钱吗", "未载明"), ("需要什么材料", "未载明"), ("在哪办", "金沙大道600号"), ("来源呢", "来源：《")],
)
def test_a_follow_up_stays_with_the_last_entry(
    real_service: AnswerService, question: str, words: str
) -> None:
    reply = real_service.answer(question, last_entry="qt.guide.tax-hall")
    assert reply.entry == "qt.guide.tax-hall"
    assert words in said(reply)
    assert real_service.answer("在哪办").entry is None
