from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.knowledge import facets, text
from backend.knowledge.entries import Entry


def asked(question: str) -> list[str]:
    return [ask.facet for ask in facets.asked(text.normalise(question))]


@pytest.mark.parametrize(
    ("question", "facet"),
    [
        ("营商热线号码多少", "phone"),
        ("暖企小站找哪个电话咨询", "phone"),
        ("有事打哪个号", "phone"),
        ("出海基金的事打上城哪个电话", "phone"),
        ("科技局座机多少", "phone"),
        ("这个服务联系谁", "phone"),
        ("上城财政局咨询热线是几号", "phone"),
        ("下沙报税的大厅在哪儿啊", "address"),
        ("大创小镇服务地址在哪里", "address"),
        ("政务中心在几楼", "address"),
        ("中心周六上班吗", "hours"),
        ("几点关门", "hours"),
        ("热线夜里有人接吗", "hours"),
        ("24小时都有人接吗", "hours"),
        ("企服新干线从哪里登录", "link"),
        ("网址给我一个", "link"),
        ("申报去哪个网站", "link"),
        ("申请要带什么材料", "materials"),
        ("报省科小得交啥", "materials"),
        ("需要提交哪些附件", "materials"),
        ("怎么才能算会员企业", "conditions"),
        ("认定有什么门槛", "conditions"),
        ("够不够格", "conditions"),
        ("暖企小站验收给多少钱", "amount"),
        ("年度优秀奖多少", "amount"),
        ("新认定的补几万", "amount"),
        ("参展机票有补贴吗", "amount"),
        ("出海基金总盘子多大", "amount"),
        ("几天给答复", "time_limit"),
        ("多久有说法", "time_limit"),
        ("认定了管几年", "time_limit"),
        ("最晚到哪天", "dates"),
        ("申报几号截止", "dates"),
        ("方案什么时候开始施行", "dates"),
        ("没走访扣多少分", "score"),
        ("能加几分", "score"),
        ("优秀比例多少", "share"),
        ("所得税按百分之几交", "share"),
        ("归哪个部门管", "unit"),
        ("由谁验收", "unit"),
        ("哪类人能领", "audience"),
        ("哪些企业可以申请", "audience"),
        ("人才码怎么激活", "steps"),
        ("申报的流程", "steps"),
        ("有哪些综合受理窗口", "items"),
        ("一共几项服务", "items"),
        ("啥叫3135", "definition"),
        ("什么是暖企小站", "definition"),
    ],
)
def test_what_is_asked(question: str, facet: str) -> None:
    assert facet in asked(question)


@pytest.mark.parametrize(
    ("question", "facet"),
    [
        ("除了打电话，还能怎么把问题报上来", "phone"),
        ("打热线要留联系方式吗", "phone"),
        ("“勇夺开门红”是哪个政策", "hours"),
        ("周末和企业家开的会叫什么", "hours"),
        ("年度评价的内容有哪几块", "amount"),
        ("在几号楼", "dates"),
        ("热线是几号", "dates"),
        ("给企业提供哪些服务", "materials"),
        ("几分钟能办好", "score"),
        ("多少天答复", "items"),
    ],
)
def test_what_is_not_asked(question: str, facet: str) -> None:
    assert facet not in asked(question)


def test_several_at_once_in_the_order_of_the_words() -> None:
    assert asked("地址在哪里，电话多少，几点下班") == ["address", "phone", "hours"]


def test_stripping_leaves_the_topic() -> None:
    assert facets.strip(text.normalise("请问暖企小站的地址在哪里")) == "暖企小站的"


@given(st.text(max_size=300))
def test_any_text_can_be_read(typed: str) -> None:
    found = facets.asked(text.normalise(typed))
    assert len({ask.facet for ask in found}) == len(found)


def entry(**more: object) -> Entry:
    return Entry.model_validate(
        {
            "id": "qt.x",
            "kind": "faq",
            "title": "题",
            "questions": ["问"],
            "answer": "答。",
            "source": {"document": "qt.doc", "section": "一"},
            **more,
        }
    )


@pytest.mark.parametrize(
    ("question", "more", "answers"),
    [
        ("电话多少", {"facts": {"phone": [{"number": "85901890"}]}}, True),
        ("电话多少", {"answer": "请打85901890。"}, True),
        ("电话多少", {}, False),
        ("电话多少", {"answer": "另有热线85901890。", "not_stated": ["phone"]}, False),
        ("奖多少钱", {"answer": "奖5万元。"}, True),
        ("奖多少钱", {"answer": "给予奖励。"}, False),
        ("几点开门", {"answer": "工作日9:00开门。"}, True),
        ("几点开门", {"answer": "工作日开放。"}, False),
        ("占比多少", {"answer": "不低于15%。"}, True),
        ("网址是什么", {"facts": {"steps": ["打开浙里办"]}}, True),
    ],
)
def test_whether_an_entry_answers(question: str, more: dict[str, object], answers: bool) -> None:
    asks = facets.asked(text.normalise(question))
    assert [facets.answers(entry(**more), ask) for ask in asks] == [answers]
