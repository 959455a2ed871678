"""Nothing that an answer does not say may come out of a model; what it says may be said otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.knowledge.fidelity import fault

TOLD = (
    "技术合同登记由区经信科技局办理，不收费。合同金额500万元以内的可以线上登记，超过的到企业综合服务中心窗口办理，"
    "3个工作日内办结。咨询电话：0571-89535421。网址：https://www.example.com/a。"
)


@pytest.mark.parametrize(
    "said",
    [
        "您好，合同金额500万元以内可以线上登记，3个工作日内办结，不收费。",
        "技术合同登记由区经信科技局办理，3个工作日内办结，咨询电话0571-89535421。",
        "超过500万元的，请到企业综合服务中心窗口办理。",
    ],
)
def test_other_words_for_the_same_are_faithful(said: str) -> None:
    assert fault(said, TOLD) is None


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("合同金额600万元以内的可以线上登记。", "figure"),
        ("合同金额500元以内的可以线上登记。", "figure"),
        ("五个工作日内办结，不收费。", "figure"),
        ("技术合同登记3天内办结。", "figure"),
        ("咨询电话：0571-89535422。", "figure"),
        ("2024年起，合同可以线上登记。", "figure"),
        ("技术合同登记由区市场监管局办理，不收费。", "unit"),
        ("请到杭州银行办理技术合同登记。", "unit"),
        ("请登录https://www.evil.com办理线上登记。", "latin"),
        ("技术合同登记要收费，由区经信科技局办理。", "denial"),
        ("技术合同登记不办理。", "denial"),
        ("今晚天气晴朗适合散步郊游拍照，祝您生活愉快阖家幸福。", "invented"),
        ("**技术合同登记**不收费", "markup"),
        ("", "length"),
        (TOLD * 3, "length"),
    ],
)
def test_whatever_is_not_told_is_a_fault(said: str, kind: str) -> None:
    assert fault(said, TOLD) == kind


def test_what_was_asked_must_still_be_there() -> None:
    assert fault("技术合同登记由区经信科技局办理。", TOLD, must_keep=["3个工作日"]) == "lost"
    assert fault("技术合同登记3个工作日内办结。", TOLD, must_keep=["3个工作日"]) is None


def test_a_known_name_is_found_without_a_usual_ending() -> None:
    assert fault("技术合同登记请找大创小镇办理。", TOLD, names=["大创小镇"]) == "unit"


@given(st.integers(0, 10**11), st.sampled_from(["元", "万元", "个工作日", "天", "%", "号", ""]))
def test_no_figure_comes_in(number: int, unit: str) -> None:
    said = f"技术合同登记不收费，{number}{unit}。"
    if fault(said, TOLD) is None:
        assert f"{number}{unit}" in TOLD


@given(st.text(max_size=80))
def test_any_text_is_judged(said: str) -> None:
    fault(said, TOLD, must_keep=["500万元"], names=["区经信科技局"])


def test_the_answer_itself_is_faithful() -> None:
    assert fault(TOLD, TOLD, must_keep=["500万元"], names=["区经信科技局"]) is None
