"""Floors under what is proposed for appeals that triage has not been trained on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.knowledge.loading import KnowledgeBase
from backend.triage.classifier import Classifier
from backend.triage.labelled import Labelled
from backend.triage.proposing import Triage

_UNSEEN = Path(__file__).parents[2] / "data" / "triage"
_SETS = sorted(path.stem for path in _UNSEEN.glob("*.jsonl"))


def _items(name: str) -> list[dict[str, Any]]:
    lines = (_UNSEEN / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line]


def _right(triage: Triage, items: list[dict[str, Any]]) -> tuple[float, float, float]:
    pairs = [(item, triage.propose(item["text"])[0]) for item in items]
    return (
        sum(problem.category in item["accept_categories"] for item, problem in pairs) / len(pairs),
        sum(problem.level == item["level"] for item, problem in pairs) / len(pairs),
        sum(problem.lead_department in item["departments"] for item, problem in pairs) / len(pairs),
    )


def test_unseen_appeals_are_mostly_proposed_right(triage: Triage) -> None:
    category, level, department = _right(triage, [item for name in _SETS for item in _items(name)])
    assert category >= 0.80
    assert level >= 0.88
    assert department >= 0.74


def test_the_classifier_beats_the_rules_on_strangers(triage: Triage, untrained: Triage) -> None:
    items = [*_items("unseen"), *_items("strangers")]
    assert sum(_right(triage, items)) > sum(_right(untrained, items)) + 0.1


def test_unseen_appeals_are_not_trained_on(labelled: list[Labelled]) -> None:
    known = {item.text for item in labelled}
    assert not [item["text"] for name in _SETS for item in _items(name) if item["text"] in known]


def test_the_departments_of_unseen_appeals_exist(base: KnowledgeBase) -> None:
    names = {item.name for item in base.departments.values()}
    assert {name for part in _SETS for item in _items(part) for name in item["departments"]} <= names


def test_the_probabilities_are_honest(classifier: Classifier) -> None:
    for right, error, _ in classifier.about["quality"].values():
        assert right > 0.78
        assert error < 0.08


def test_a_single_problem_is_rarely_cut(untrained: Triage, labelled: list[Labelled]) -> None:
    cut = [item.text for item in labelled if len(untrained.propose(item.text)) > 1]
    assert len(cut) <= len(labelled) / 100, cut


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("银行突然不续贷了。员工孩子今年上小学没学位。门口那条路全是坑，货车颠得不行。", 3),
        ("我们想申请高企，材料怎么准备？还有就是厂门口路灯坏了好久了没人修", 2),
        ("就是我们厂那个电老是跳闸然后还有就是我们那个博士的安家费也一直没发下来", 2),
        ("我想说两件事一个是路灯不亮一个是社保补缴不了", 2),
        ("第一停电太频繁第二招不到工第三贷款贵", 3),
        ("反映几个事：公交太少员工上下班不便；网络信号差；食堂没有", 3),
        ("厂房消防验收一直没过。再一个，去年的技改补贴也没到账", 2),
        ("工程款被拖欠三百万要不回来，顺带问下上市辅导备案找谁", 2),
        ("路灯坏了，员工摔伤了，工伤也没人认，就是因为路灯没人修", 1),
        ("订单少了，工资发不出，社保也要断了，想贷款救急", 1),
        ("停电导致设备坏了。订单违约，客户要索赔。要求供电公司赔偿。", 1),
        ("规划说先环评。环保说先规划。来回两个月了。", 1),
        ("园区夜里停电检修没提前通知，产线报废，要求供电公司给个说法，还想申请保险理赔和停产补贴", 1),
        ("高管要落户、孩子要上学、还要租人才房，能不能一起办", 1),
    ],
)
def test_messages_are_cut_as_people_talk(triage: Triage, text: str, count: int) -> None:
    problems = triage.propose(text)
    assert len(problems) == count
    assert "".join("".join(problem.text.split()) for problem in problems) == text


@given(st.text(max_size=200))
@settings(max_examples=40, deadline=None)
def test_any_text_gets_an_honest_proposal(triage: Triage, text: str) -> None:
    for problem in triage.propose(text):
        assert problem.reasons
        assert problem.lead_department not in problem.co_departments
        assert sum(item.probability for item in problem.candidates) <= 1.01


def test_a_department_asked_by_name_leads(triage: Triage) -> None:
    problem = triage.propose("窗外的事麻烦请区卫生健康局派人来看看")[0]
    assert problem.lead_department == "区卫生健康局"
    assert any("文中提到区卫生健康局" in reason for reason in problem.reasons)


def test_departments_that_pass_it_on_are_whistle_whatever_is_likely(triage: Triage) -> None:
    problem = triage.propose("路灯坏了，城管局说找供电公司，供电公司说找城管局")[0]
    assert problem.level == "whistle"
    assert problem.co_departments
    assert problem.reasons[-1] == "由平台、街道牵头，相关部门协办"
