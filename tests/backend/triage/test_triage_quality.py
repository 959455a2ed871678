"""Floors under what is proposed for appeals that triage has not been trained on."""

from __future__ import annotations

import json
import re
from itertools import permutations
from pathlib import Path
from time import thread_time
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
    assert category >= 0.85
    assert level >= 0.92
    assert department >= 0.80


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


_MATTERS = {
    "去年的技改补贴没到账": "区发展改革局",
    "员工子女没有学位": "区教育局",
    "银行不给续贷": "区财政局",
    "招不到普工": "区人社局",
    "消防验收卡住了": "区住建局",
    "门口违停严重": "区公安分局",
    "食品经营许可证延续办不下来": "区市场监管局",
}


@pytest.mark.parametrize(
    ("told", "least"),
    [
        ("①{}②{}", 1.0),
        ("1、{}2、{}", 1.0),
        ("{}，另外{}", 0.95),
        ("{}，还有{}", 0.95),
        ("{}，还有就是{}", 0.95),
        ("{}。此外，{}。", 0.95),
        ("{}，顺便反映一下{}", 0.95),
        ("{}，同时{}", 0.75),
        ("{} 然后{}", 0.75),
        ("{}；{}", 0.75),
        ("{}。{}。", 0.75),
        ("老板们好！两件事麻烦下：一是{}，二是{}", 1.0),
    ],
)
def test_two_short_matters_of_different_departments_are_two(triage: Triage, told: str, least: float) -> None:
    pairs = list(permutations(_MATTERS, 2))
    right = 0
    for first, second in pairs:
        parts = [problem.text for problem in triage.propose(told.format(first, second))]
        right += len(parts) == 2 and first in parts[0] and second in parts[1]
    assert right >= least * len(pairs)


@pytest.mark.parametrize(
    "text",
    [
        "路灯坏了没人修，还有路面也坏了",
        "厂房停电了，另外导致设备损坏要求赔偿",
        "尊敬的局长：您好！我公司去年十月申请了二期厂房的施工许可，材料补正过三次。窗口说还差一份图审合格证，"
        "图审公司又说要等规划条件。现在施工队进场等了两个月，每天损失两万多。恳请领导协调尽快发证。",
        "领导好。厂门口的路从去年开始就坏了。下雨天积水很深，货车过的时候溅得到处都是。员工骑电瓶车摔过两次。"
        "上个月还有一个客户的车陷在坑里。希望尽快修一修。感谢！",
        "银行突然通知我们提前还贷。理由是行业风险上调。我们从来没有逾期过，订单也满的。如果月底前还不上，"
        "原料款就付不出去，三十多个工人的工资也有问题。希望政府能出面跟银行沟通一下。",
        "园区变压器容量不够。夏天一开空调就跳闸。生产线一停就是半天，废品一大堆。申请增容，说要业主同意，"
        "业主又让我们自己出钱。请帮忙协调。2026年11月3日 李国强",
    ],
)
def test_a_story_is_one_problem(triage: Triage, text: str) -> None:
    assert len(triage.propose(text)) == 1


_NEEDS = (
    "我们厂的招工补贴一直没到账",
    "厂门口路灯不亮",
    "食堂的油烟检查过不了",
    "员工子女没有学位",
    "银行突然抽贷",
    "消防验收卡了两个月",
)


@pytest.mark.parametrize(
    "said",
    [
        "不晓得归哪个管",
        "到底归谁管",
        "搞不清楚是哪个局的事",
        "弄不明白应该找哪个部门",
        "不懂这算哪个口子管",
        "说不清属于哪个科室",
        "问来问去也不知道该找谁",
        "分不清是哪家单位负责",
    ],
)
def test_whoever_does_not_know_whose_it_is_has_a_whistle_matter(triage: Triage, said: str) -> None:
    for need in _NEEDS:
        for text in (f"{said}，{need}", f"{need}，{said}"):
            assert [problem.level for problem in triage.propose(text)] == ["whistle"], text


@pytest.mark.parametrize(
    "text",
    [
        "请问食堂油烟检查归谁管？",
        "工人的居住证到底归哪个部门办？",
        "请问找哪个部门办理食品经营许可证",
        "哪个部门负责企业消防验收",
    ],
)
def test_a_mere_question_whose_it_is_can_be_answered(triage: Triage, text: str) -> None:
    assert triage.propose(text)[0].level == "simple"


@pytest.mark.parametrize(
    ("text", "departments"),
    [
        ("要求公安和城管联合执法整治门口的大货车违停", {"区公安分局", "区综合行政执法局"}),
        (
            "需要住建、规划、环保三家一起来开个会定一下",
            {"区住建局", "市规划资源局钱塘分局", "市生态环境局钱塘分局"},
        ),
        ("税务和财政各说各的，留抵退税办不了", {"区税务局", "区财政局"}),
        ("园区夜里检修停电报废了一批货，要求供电公司给个说法，还想申请停产补贴", {"钱塘供电公司"}),
    ],
)
def test_several_departments_are_whistle_and_named(triage: Triage, text: str, departments: set[str]) -> None:
    (problem,) = triage.propose(text)
    assert problem.level == "whistle"
    assert departments <= {problem.lead_department, *problem.co_departments}


def test_named_departments_help_and_weak_guesses_do_not(triage: Triage) -> None:
    text = "厂房是租的，房东没做消防验收，现在让我们停产整改，房东不管，消防、住建、街道都说不归他们"
    problem = triage.propose(text)[0]
    assert (problem.level, problem.lead_department) == ("whistle", "区住建局")
    assert not {"区司法局", "区商务局"} & set(problem.co_departments)


@pytest.mark.parametrize("need", _NEEDS)
def test_courtesy_and_numbers_change_nothing(triage: Triage, need: str) -> None:
    def told(text: str) -> tuple[str, str, str]:
        (problem,) = triage.propose(text)
        return problem.category, problem.level, problem.lead_department

    plain = told(need)
    for before in (
        "感谢贵区多年来对企业的支持，",
        "非常感谢区政府一直以来的关心，",
        "感谢领导百忙之中查阅，",
        "你们辛苦了，",
        "尊敬的领导：您好！",
        "各位领导好，",
        "3、",
        "（2）",
        "②",
        "二是",
    ):
        assert told(before + need) == plain
    assert told(f"{need}。谢谢！") == plain


@pytest.mark.parametrize(
    "text",
    [
        "感谢你们修好了厂门口的路灯",
        "谢谢区经信科技局的小王，帮我们把数字化改造的事情跑下来了，点个赞",
        "谢谢你们",
    ],
)
def test_thanks_for_something_done_stay_thanks(triage: Triage, text: str) -> None:
    assert triage.propose(text)[0].level == "simple"


def test_reasons_quote_whole_words(triage: Triage, classifier: Classifier, labelled: list[Labelled]) -> None:
    quoted = [
        word
        for item in labelled[::9]
        for problem in triage.propose(item.text)
        for reason in problem.reasons
        if "以往标注" in reason or "归入" in reason or reason.startswith("带有")
        for word in re.findall("“(.+?)”", reason)
    ]
    assert quoted
    assert all(classifier.lexicon.telling(word) for word in quoted)


@pytest.mark.parametrize(
    "said",
    [
        "住建、",
        "环保、规划和",
        "感谢领导",
        "尊敬的领导",
        "①",
        "1、",
        "一是",
        "，同时",
        "，另外",
        "有两个问题",
        "一下一起",
        "不知道",
    ],
)
def test_what_is_repeated_without_end_takes_no_time(triage: Triage, said: str) -> None:
    text = (said * 5000)[:5000]
    triage.propose(text)
    began = thread_time()
    triage.propose(text)
    assert thread_time() - began < 0.3
