"""Phones, numbers, companies, names and stars in what people write."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from actions import recognition
from actions.recognition import Span

DIGITS = st.text(string.digits, min_size=1, max_size=14)
MOBILES = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
CHINESE = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=12)


def values(found: list[Span]) -> list[str]:
    return [span.value for span in found]


@given(MOBILES, st.sampled_from(["{}", "我的电话是{}，谢谢", "+86 {}", "86{}", "电话:{}", "联系人张三{}"]))
def test_a_mobile_is_found_wherever_it_stands(number: str, sentence: str) -> None:
    assert values(recognition.phones(sentence.format(number))) == [number]


@given(MOBILES)
def test_a_mobile_may_be_grouped_or_full_width(number: str) -> None:
    grouped = f"{number[:3]} {number[3:7]} {number[7:]}"
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in number)
    assert values(recognition.phones(grouped)) == [number]
    assert values(recognition.phones(grouped.replace(" ", "-"))) == [number]
    assert values(recognition.phones(wide)) == [number]


@given(st.from_regex(r"1[0-9]{9}", fullmatch=True))
def test_ten_digits_are_no_phone(digits: str) -> None:
    assert recognition.phones(digits) == []
    assert "10 位" in recognition.phone_problem(digits)


@given(
    st.dates(
        min_value=__import__("datetime").date(1900, 1, 1), max_value=__import__("datetime").date(2099, 12, 31)
    )
)
def test_a_date_is_no_phone(day: object) -> None:
    for text in (f"{day:%Y%m%d}", f"{day:%Y-%m-%d}", f"{day:%Y年%m月%d日}", f"{day:%Y/%m/%d}"):
        assert recognition.phones(text) == [], text
        assert "日期" in recognition.phone_problem(text), text


@given(DIGITS)
@example("20261121")
@example("85901890")
def test_what_is_found_in_digits_is_all_of_them(digits: str) -> None:
    for span in recognition.phones(digits):
        assert span.value.replace("-", "") in (digits, digits.removeprefix("86"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0571-81234567", "0571-81234567"),
        ("(0571)81234567", "0571-81234567"),
        ("057181234567", "0571-81234567"),
        ("81234567", "81234567"),
        ("0571-81234567转801", "0571-81234567-801"),
        ("010-62345678", "010-62345678"),
    ],
)
def test_landlines(text: str, value: str) -> None:
    assert values(recognition.phones(text)) == [value]


@pytest.mark.parametrize(
    "text", ["QT20260928-0017", "2026年", "123", "330106199001011234", "", "1.5亿", "10000"]
)
def test_other_digits_are_no_phone(text: str) -> None:
    assert recognition.phones(text) == []


@given(st.text(max_size=60))
def test_reading_never_fails_and_positions_fit(text: str) -> None:
    assert len(recognition.normalise(text)) == len(text)
    for span in recognition.spans(text):
        assert 0 <= span.start < span.end <= len(text)
    recognition.described_problem(text)
    recognition.description_problem(text)
    recognition.result(text)
    assert recognition.phone_problem(text).endswith("。")
    assert recognition.company_problem(text).endswith("。")
    assert recognition.person_problem(text).endswith("。")


@given(st.text(max_size=40))
def test_an_accepted_answer_is_accepted_again_as_it_is(text: str) -> None:
    for read in (recognition.company_answer, recognition.person_answer):
        value = read(text)
        if value is not None:
            assert read(value) == value


@given(CHINESE, st.sampled_from(["有限公司", "股份有限公司", "集团", "研究院", "合作社"]))
def test_a_company_s_full_name_is_an_answer_and_stays_whole(name: str, suffix: str) -> None:
    assume(
        not any(
            word in name
            for word in ("我", "你", "请问", "麻烦", "帮忙", "公司", "企业", "单位", "名", "代表", "这")
        )
    )
    assume(len(name) >= 2)
    full = name + suffix
    assume(recognition.company_answer(full) is not None)
    assert recognition.company_answer(full) == recognition.company_answer(
        recognition.company_answer(full) or ""
    )


@given(st.from_regex(r"[A-Z]{2}20[0-9]{6}", fullmatch=True), st.from_regex(r"[0-9]{4}", fullmatch=True))
def test_appeal_numbers_are_read_tolerantly(head: str, tail: str) -> None:
    number = f"{head}-{tail}"
    wide = "".join(chr(ord(c) + 0xFEE0) for c in number)
    for text in (
        number,
        head + tail,
        number.lower(),
        wide,
        f"帮我看看{number}这个单子",
        f"{head} {tail}",
        f"{head}－{tail}",
    ):
        assert values(recognition.appeal_numbers(text)) == [number], text


def test_a_number_without_its_letters_is_read_where_it_holds_a_date() -> None:
    assert values(recognition.appeal_numbers("20260928-0017")) == ["QT20260928-0017"]
    assert recognition.appeal_numbers("20269928-0017") == []


@pytest.mark.parametrize(
    ("text", "value", "role"),
    [
        ("我们是杭州示例科技有限公司", "杭州示例科技有限公司", "self"),
        ("我是下沙阿明小吃店，门口一直积水", "下沙阿明小吃店", "self"),
        ("公司叫蓝天机械厂", "蓝天机械厂", "self"),
        ("杭州示例科技有限公司，厂门口路坏了", "杭州示例科技有限公司", "self"),
        ("厂门口路坏了，杭州示例科技有限公司", "杭州示例科技有限公司", "self"),
        ("隔壁恒达化工有限公司夜里偷排", "恒达化工有限公司", None),
        ("杭州全给食品有限公司", "杭州全给食品有限公司", "self"),
    ],
)
def test_companies(text: str, value: str, role: str | None) -> None:
    assert [(span.value, span.role) for span in recognition.companies(text)] == [(value, role)]


@pytest.mark.parametrize(
    "text",
    ["我们公司在下沙", "供电公司停电", "贵公司", "找物业公司", "企业服务中心在哪", "两家公司", "我们集团"],
)
def test_mere_words_for_companies_are_no_names(text: str) -> None:
    assert recognition.companies(text) == []
    assert recognition.companies(text + "。") == []


@pytest.mark.parametrize(
    "text", ["我们公司", "不知道", "123456", "😀", "", "怎么收费？", "另外路灯也坏了没人修", "随便"]
)
def test_no_answers_for_a_company(text: str) -> None:
    assert recognition.company_answer(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("王芳", "王芳"),
        ("我叫王芳", "王芳"),
        ("联系人：王芳 13800001111", "王芳"),
        ("王女士", "王女士"),
        ("找李经理就行", "李经理"),
        ("小王", "小王"),
        ("John Smith", "John Smith"),
        ("阿里木江·买买提", "阿里木江·买买提"),
        ("我是欧阳修", "欧阳修"),
        ("陈", "陈"),
    ],
)
def test_names(text: str, value: str) -> None:
    assert recognition.person_answer(text) == value


@pytest.mark.parametrize(
    "text", ["😀", "123", "", "不知道", "热线电话多少", "匿名", "x" * 30, "<b>杨洋</b>", "13800001111"]
)
def test_no_names(text: str) -> None:
    assert recognition.person_answer(text) is None


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("5星", 5),
        ("给五颗星", 5),
        ("满分", 5),
        ("★★★", 3),
        ("⭐⭐⭐⭐", 4),
        ("四星", 4),
        ("2", 2),
        ("两", 2),
        ("不满意", 2),
        ("一般", 3),
    ],
)
def test_stars(text: str, count: int) -> None:
    assert recognition.stars_answer(text) == count


@pytest.mark.parametrize("text", ["6", "0", "10星", "六星", "很多星", "", "星星"])
def test_no_stars(text: str) -> None:
    assert recognition.stars_answer(text) is None


@pytest.mark.parametrize("text", ["已解决", "解决了", "终于修好了", "办好了，谢谢", "问题解决，给5星"])
def test_resolved(text: str) -> None:
    assert recognition.result(text) == "resolved"


@pytest.mark.parametrize(
    "text",
    ["没解决", "还没有得到解决", "未解决", "根本没处理好", "还是老样子", "不同意办结", "没修好", "又坏了"],
)
def test_unresolved(text: str) -> None:
    assert recognition.result(text) == "unresolved"


@pytest.mark.parametrize("text", ["你好", "什么时候能解决", "请尽快处理"])
def test_neither(text: str) -> None:
    assert recognition.result(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "我要提诉求",
        "我想反映一个问题",
        "帮忙反映一下",
        "我要投诉",
        "提交诉求",
        "再提一个诉求",
        "有个问题想反映",
        "怎么提诉求",
        "你好，我要反映问题",
    ],
)
def test_a_mere_wish_to_file_describes_nothing(text: str) -> None:
    assert recognition.described_problem(text) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("我要提诉求，厂门口路坏了半年没人修", "厂门口路坏了半年没人修"),
        ("厂门口路坏了", "厂门口路坏了"),
        ("我们厂门口马路坑坑洼洼，帮忙反映一下", "我们厂门口马路坑坑洼洼，帮忙反映一下"),
    ],
)
def test_a_described_problem_is_kept(text: str, problem: str) -> None:
    assert recognition.described_problem(text) == problem


@given(st.text(max_size=80))
def test_a_described_problem_is_a_part_of_what_was_written(text: str) -> None:
    problem = recognition.described_problem(text)
    if problem is not None:
        assert problem in recognition.clean(text)


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("", "没有看到文字"),
        ("路", "太短"),
        ("1234567", "只有数字"),
        ("路" * 2001, "2001 个字"),
        ("😀😀😀", "没有看到文字"),
    ],
)
def test_descriptions_that_cannot_be_filed(text: str, piece: str) -> None:
    assert piece in (recognition.description_problem(text) or "")


@pytest.mark.parametrize("text", ["路灯坏了", "路" * 2000, "<script>路灯坏了</script>"])
def test_descriptions_that_can(text: str) -> None:
    assert recognition.description_problem(text) is None


@pytest.mark.parametrize(
    "text",
    ["三星半", "-2星", "7星", "12分", "0分", "3.5星", "半颗星", "二十星", "★★★★★★★", "负一星", "3.5", "-3"],
)
def test_stars_that_cannot_be_given_are_not_guessed(text: str) -> None:
    assert recognition.stars_answer(text) is None


@pytest.mark.parametrize("text", ["公交分公司2分钟一班", "解决了", "一家店", "还可以"])
def test_other_numbers_are_no_stars(text: str) -> None:
    assert not recognition.impossible_stars(text)


@pytest.mark.parametrize(
    ("text", "company"),
    [
        ("Blue Lake Trading (Hangzhou) Co., Ltd.", "Blue Lake Trading (Hangzhou) Co., Ltd."),
        ("Nordwind GmbH", "Nordwind GmbH"),
        ("“好滋味”小吃店", "好滋味小吃店"),
        ("位于示例区东湖街道的杭州样例重工有限公司", "杭州样例重工有限公司"),
        ("杭州怎么都行文化有限公司", "杭州怎么都行文化有限公司"),
        ("我以个人名义反映", "个人"),
        ("个体工商户", "个体工商户"),
        ("不方便透露", "不便透露"),
        ("还没成立公司", "个人"),
    ],
)
def test_companies_of_many_shapes(text: str, company: str) -> None:
    assert recognition.company_answer(text) == company


@pytest.mark.parametrize(
    "text", ["查询进度", "我要转人工", "你妈的", "东湖街道", "跟上次一样", "投诉热线", "返回"]
)
def test_commands_and_noise_are_no_companies(text: str) -> None:
    assert recognition.company_answer(text) is None


@pytest.mark.parametrize("text", ["Jürgen Groß", "이영희", "赵一、钱二都可以", "Mary O'Neil", "吐尔逊·艾力"])
def test_names_from_everywhere(text: str) -> None:
    assert recognition.person_answer(text)


@pytest.mark.parametrize(
    "text", ["就不告诉你", "打我就行", "大家", "滚蛋", "如上", "哈哈哈", "客服", "查询进度"]
)
def test_commands_and_noise_are_no_names(text: str) -> None:
    assert recognition.person_answer(text) is None


@pytest.mark.parametrize("text", ["我是温州人，想反映停水", "我是商户，摊位被占", "我是房东，租客跑了"])
def test_what_somebody_is_is_no_name(text: str) -> None:
    assert recognition.people(text) == []


@pytest.mark.parametrize("text", ["同上", "跟之前一样", "和上次填的一样", "老样子"])
def test_the_same_again(text: str) -> None:
    assert recognition.says_same_as_before(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("0574-8822122", "8 位"), ("400-123-4567", "400"), ("800 123 4567", "400")],
)
def test_phones_that_cannot_be_rung_back(text: str, sentence: str) -> None:
    assert recognition.phones(text) == []
    assert sentence in recognition.phone_problem(text)
