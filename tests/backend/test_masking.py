"""Personal data must not survive, and what is not personal must."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.masking import mask, mask_sender


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("我的电话是13812345678，办高企", "我的电话是[手机号]，办高企"),
        ("138 1234 5678 回我", "[手机号] 回我"),
        ("１３８１２３４５６７８", "[手机号]"),
        ("+86 138-1234-5678", "[手机号]"),
        ("座机0571-12345678", "座机0571-12345678"),
        ("座机0571-22345678转3", "座机[电话]转3"),
        ("身份证330102199001011234查一下", "身份证[证件号]查一下"),
        ("身份证33010219900101123X", "身份证[证件号]"),
        ("信用代码91330100MA2ABCDE3X的公司", "信用代码[信用代码]的公司"),
        ("发到a.b@example.com", "发到[邮箱]"),
        ("车牌浙A12345的货车", "车牌[车牌]的货车"),
        ("我叫王小明，想问高企", "我叫[姓名],想问高企"),
        ("联系人：李雷 电话13900001111", "联系人:[姓名] 电话[手机号]"),
        ("微信号：qifu_helper01", "微信号:[账号]"),
        ("卡号6222021234567890123", "卡号[卡号]"),
    ],
)
def test_masks(said: str, left: str) -> None:
    assert mask(said).replace("，", ",") == left.replace("，", ",")


@pytest.mark.parametrize(
    "said",
    [
        "2024年高企奖励20万元有吗",
        "三星园要多少亩",
        "厂房面积30000平米",
        "QT20261121-0042到哪了",
        "注册资本5000000元",
        "我是做外贸的,没有订单",
    ],
)
def test_leaves_alone(said: str) -> None:
    assert mask(said) == said


@given(
    st.text(max_size=60), st.from_regex(r"1[3-9]\d{9}", fullmatch=True), st.text("的是,打吧。 ", max_size=5)
)
def test_no_mobile_survives(before: str, number: str, after: str) -> None:
    kept = "".join(char for char in before if not char.isdigit() and char.isprintable())
    assert number not in mask(f"{kept} {number}{after}")


@given(st.text(max_size=120))
def test_masking_twice_changes_nothing(said: str) -> None:
    once = mask(said)
    assert mask(once) == once


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("王芳的电话13812345678", "[姓名]的电话[手机号]"),
        ("王女士来电，王 芳本人说", "[姓名]来电,[姓名]本人说"),
        ("打0571-8888 0001转3", "打[电话]转3"),
        ("杭州测试科技有限公司门口", "[企业]门口"),
        ("测试科技 有限公司门口", "[企业]门口"),
        ("路面积水没人管", "路面积水没人管"),
        ("王道公园旁边积水", "王道公园旁边积水"),
        ("王/芳说积水", ""),  # where it cannot be taken out, nothing is left
    ],
)
def test_the_sender_is_taken_out(said: str, left: str) -> None:
    found = mask_sender(said, contact="王芳", phone="0571-88880001", enterprise="杭州测试科技有限公司")
    assert found.replace("，", ",") == left


@given(st.text(max_size=60), st.text(max_size=5), st.text(max_size=12), st.text(max_size=20))
def test_any_sender_can_be_taken_out(text: str, contact: str, phone: str, enterprise: str) -> None:
    mask_sender(text, contact=contact, phone=phone, enterprise=enterprise)
