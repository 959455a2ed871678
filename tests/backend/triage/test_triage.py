from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.knowledge.entries import Board, Department, Signal, Topic
from backend.triage.proposing import Problem, Triage

_SOURCE = {"document": "qt.doc.x", "section": "一"}


@dataclass
class Base:
    """A knowledge base small enough to see every rule by itself."""

    topics: Mapping[str, Topic] = field(default_factory=dict)
    signals: Mapping[str, Signal] = field(default_factory=dict)
    departments: Mapping[str, Department] = field(default_factory=dict)
    boards: Mapping[str, Board] = field(default_factory=dict)


def _small() -> Base:
    departments = [
        Department.model_validate({"id": f"qt.{key}", "name": name, "aliases": aliases, "source": _SOURCE})
        for key, name, aliases in [
            ("city", "区综合行政执法局", ["城管局", "城管"]),
            ("labour", "区人社局", ["社保局"]),
            ("power", "钱塘供电公司", ["供电公司"]),
            ("lead", "区经信科技局", ["经信局"]),
            ("plan", "规划资源局", ["规划局"]),
            ("green", "生态环境局", ["环保局"]),
        ]
    ]
    elsewhere = Department.model_validate(
        {"id": "sc.other", "name": "别区路灯局", "aliases": ["路灯"], "source": _SOURCE}
    )
    topics = [
        Topic.model_validate({"id": f"qt.topic.{key}", "source": _SOURCE, **fields})
        for key, fields in {
            "lamp": {"title": "路灯不亮", "category": "诉求", "lead": "qt.city", "words": ["路灯", "灯 坏"]},
            "insurance": {"title": "社保补缴", "category": "诉求", "lead": "qt.labour", "words": ["社保"]},
            "power": {"title": "停电", "category": "诉求", "lead": "qt.power", "words": ["停电"]},
            "licence": {"title": "执照", "category": "审批", "lead": "qt.lead", "words": ["营业执照"]},
            "legacy": {
                "title": "历史遗留",
                "category": "兜底",
                "lead": "qt.lead",
                "co": ["qt.plan"],
                "words": ["历史遗留"],
            },
        }.items()
    ]
    boards = [
        Board.model_validate({"id": f"qt.board.b{n}", "name": name, "lead": "qt.lead", "source": _SOURCE})
        for n, name in enumerate(["诉求", "审批", "兜底"])
    ]
    signals = [
        Signal.model_validate({"id": f"qt.signal.{means}", "means": means, "patterns": [p], "reason": reason})
        for means, p, reason in [
            ("unclear", "没人管", "没有部门牵头"),
            ("several", "几个部门", "要几个部门一起办"),
            ("question", "请问|怎么", "问的是办法"),
            ("suggestion", "建议", "提的是建议"),
            ("praise", "感谢", "表示感谢"),
            ("action", "坏了|一直", "要求解决"),
            ("major", "破产", "可能是重大问题"),
        ]
    ]
    everything = [*departments, elsewhere]
    return Base(
        topics={item.id: item for item in topics},
        signals={item.id: item for item in signals},
        departments={item.id: item for item in everything},
        boards={item.id: item for item in boards},
    )


@pytest.fixture(scope="module")
def small() -> Triage:
    return Triage(_small())


def _one(triage: Triage, text: str) -> Problem:
    problems = triage.propose(text)
    assert len(problems) == 1
    return problems[0]


def test_one_department_and_a_deed_wanted_is_single(small: Triage) -> None:
    problem = _one(small, "门口路灯坏了三个月")

    assert (problem.level, problem.category, problem.lead_department) == (
        "single",
        "诉求",
        "区综合行政执法局",
    )
    assert problem.co_departments == ()
    assert any("路灯不亮" in reason for reason in problem.reasons)


@pytest.mark.parametrize("text", ["请问路灯怎么报修", "建议多装些路灯", "感谢你们修好路灯"])
def test_questions_suggestions_and_thanks_are_simple(small: Triage, text: str) -> None:
    assert _one(small, text).level == "simple"


def test_a_complaint_that_only_looks_like_a_question_is_single() -> None:
    two_deeds = Signal.model_validate(
        {"id": "qt.signal.more", "means": "action", "patterns": ["没修", "投诉"], "reason": "要求解决"}
    )
    base = _small()
    triage = Triage(Base(base.topics, {**base.signals, "more": two_deeds}, base.departments, base.boards))

    assert _one(triage, "路灯怎么一直没修，我要投诉").level == "single"
    assert _one(triage, "路灯坏了，请问怎么报修").level == "simple"


def test_nobody_in_charge_makes_a_whistle_matter_before_anything_else(small: Triage) -> None:
    problem = _one(small, "请问路灯没人管怎么办")

    assert problem.level == "whistle"
    assert any("没有部门牵头" in reason for reason in problem.reasons)


def test_departments_that_pass_it_on_make_a_whistle_matter(small: Triage) -> None:
    problem = _one(small, "路灯坏了，城管局说找供电公司，供电公司说不管路灯")

    assert problem.level == "whistle"
    assert problem.lead_department == "区综合行政执法局"
    assert problem.co_departments == ("钱塘供电公司",)


def test_departments_may_speak_by_their_short_names(small: Triage) -> None:
    problem = _one(small, "厂房的事规划说要先环评，环保说要先规划")

    assert problem.level == "whistle"
    assert {problem.lead_department, *problem.co_departments} == {"规划资源局", "生态环境局"}


def test_asking_which_of_two_departments_is_not_yet_a_whistle_matter(small: Triage) -> None:
    assert _one(small, "请问社保是找社保局还是经信局").level == "simple"


def test_several_departments_and_topics_that_need_them_are_whistle_matters(small: Triage) -> None:
    assert _one(small, "路灯的事要几个部门来看").level == "whistle"
    assert _one(small, "历史遗留的手续").level == "whistle"
    assert "规划资源局" in _one(small, "历史遗留的手续").co_departments


def test_demands_on_two_departments_in_one_matter_make_a_whistle_matter(small: Triage) -> None:
    problem = _one(small, "停电让产线报废，还想缓缴社保")

    assert problem.level == "whistle"
    assert {problem.lead_department, *problem.co_departments} == {"钱塘供电公司", "区人社局"}


def test_two_counted_problems_are_two(small: Triage) -> None:
    first, second = small.propose("1、路灯坏了；2、社保一直补不了")

    assert (first.lead_department, second.lead_department) == ("区综合行政执法局", "区人社局")
    assert (first.level, second.level) == ("single", "single")


def test_a_named_department_comes_before_the_topic(small: Triage) -> None:
    assert _one(small, "请供电公司把路灯修一下").lead_department == "钱塘供电公司"


def test_unknown_matter_is_whistle_and_unknown_question_simple(small: Triage) -> None:
    problem = _one(small, "鲸鱼一直在唱歌")

    assert (problem.category, problem.level, problem.lead_department) == ("诉求", "whistle", "区经信科技局")
    assert any("办理部门不明确" in reason for reason in problem.reasons)
    assert _one(small, "请问鲸鱼唱什么").level == "simple"


def test_refused_everywhere_turns_a_permit_into_a_catch_all_matter(small: Triage) -> None:
    assert _one(small, "营业执照没人管").category == "兜底"


def test_a_major_matter_is_said_but_sets_no_level(small: Triage) -> None:
    problem = _one(small, "停电一直不来，要破产了")

    assert problem.level == "single"
    assert "可能是重大问题" in problem.reasons


def test_departments_of_other_folders_take_no_part(small: Triage) -> None:
    problem = _one(small, "别区路灯局说路灯坏了")

    assert "别区路灯局" not in {problem.lead_department, *(item.department for item in problem.candidates)}


def test_the_territory_is_named_in_a_whistle_matter(small: Triage) -> None:
    assert "由医药港牵头，相关部门协办" in small.propose("路灯没人管", "医药港")[0].reasons


@given(st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_text_gets_a_proposal_with_reasons_and_honest_probabilities(text: str) -> None:
    for problem in Triage(_small()).propose(text):
        assert problem.reasons
        assert sum(item.probability for item in problem.candidates) <= 1.0
        assert problem.lead_department not in problem.co_departments


def test_a_proposal_is_always_the_same() -> None:
    text = "食堂后面的路灯坏了，社保也一直补缴不了，请问怎么办"

    assert len({repr(Triage(_small()).propose(text)) for _ in range(3)}) == 1


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("车间停电两天了没人管", "single"),
        ("下水道堵了没人管", "single"),
        ("跑了几所学校都说没有学位", "single"),
        ("厂门口积水，几家推来推去没人管", "whistle"),
        ("停电了，都说不归他们管，不知道找谁", "whistle"),
        ("老是停电，机器都坏了，你们管不管啊", "single"),
        ("你们能不能管管夜间施工噪音？", "single"),
        ("请问电费怎么算", "simple"),
    ],
)
def test_neglect_is_not_an_unclear_department_and_a_reproach_no_question(
    triage: Triage, text: str, level: str
) -> None:
    assert triage.propose(text)[0].level == level


@pytest.mark.parametrize("text", ["杭州明月贸易有限公司", "杭州小小工作室"])
def test_a_company_name_alone_has_no_topic(triage: Triage, text: str) -> None:
    problem = triage.propose(text)[0]
    assert problem.candidates == ()
    assert problem.level == "whistle"


def test_three_things_joined_are_three_problems(triage: Triage) -> None:
    parts = triage.propose("厂房漏水，还有门口路灯坏了，还有电子税务局报错申报不了")
    assert len({part.lead_department for part in parts}) == 3
