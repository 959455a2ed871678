from __future__ import annotations

from dataclasses import replace

import pytest
from appeal_district import PHONE, StubDirectory
from hypothesis import given
from hypothesis import strategies as st

from backend.appeals.filing import check_filing, clean, fingerprint, normal_phone, same_phone
from backend.appeals.model import Filing
from backend.errors import InvalidInput

GOOD = Filing("杭州测试科技有限公司", "王芳", PHONE, "厂区门口道路积水", "下沙街道", "portal", "key-1")
DIRECTORY = StubDirectory()

PHONES = [
    ("13812345678", "13812345678"),
    (" 138 1234 5678 ", "13812345678"),
    ("138-1234-5678", "13812345678"),
    ("+8613812345678", "13812345678"),
    ("+86 138 1234 5678", "13812345678"),
    ("１３８１２３４５６７８", "13812345678"),
    ("19912345678", "19912345678"),
    ("0571-85901890", "0571-85901890"),
    ("057185901890", "0571-85901890"),
    ("(0571)85901890", "0571-85901890"),
    ("（0571）8590 1890", "0571-85901890"),
    ("0571—85901890", "0571-85901890"),
    ("0571-85901890-801", "0571-85901890-801"),
    ("0571-85901890转801", "0571-85901890-801"),
    ("010-65901890", "010-65901890"),
    ("0574-8822122", "0574-8822122"),
    ("85901890", "85901890"),
    ("8822122", "8822122"),
]
NO_PHONES = [
    "",
    " ",
    "abc",
    "1381234567",
    "138123456789",
    "12812345678",
    "10012345678",
    "20260101",
    "2026-01-01",
    "20261231",
    "2026年1月1日",
    "2026/01/01",
    "19991231",
    "00000000",
    "11111111111",
    "0571",
    "0571-20",
    "95588",
    "4001234567",
    "1380000\n000",
    "１３８",
    "١٣٨١٢٣٤٥٦٧٨",
    "010-6590189",
    "<script>",
    "13812345678 13812345679",
    "'; DROP TABLE appeals; --",
    "138123456７8x",
]


@pytest.mark.parametrize(("written", "stored"), PHONES)
def test_phones_have_one_form(written: str, stored: str) -> None:
    assert normal_phone(written) == stored
    assert normal_phone(stored) == stored


@pytest.mark.parametrize("written", NO_PHONES)
def test_what_is_no_phone_is_refused_without_repeating_it(written: str) -> None:
    assert normal_phone(written) is None
    with pytest.raises(InvalidInput, match="联系电话不正确") as refused:
        check_filing(replace(GOOD, phone=written), DIRECTORY)
    assert refused.value.details["field"] == "phone"
    assert len(written) < 4 or written not in refused.value.message


def test_a_date_of_eight_digits_is_a_date_but_not_every_eight_digits() -> None:
    assert normal_phone("20261301") == "20261301"  # there is no thirteenth month
    assert normal_phone("0571-20260101") == "0571-20260101"  # with an area code it is said to be a phone


@pytest.mark.parametrize(
    ("stored", "given_phone", "same"),
    [
        (PHONE, "138 1234 5678", True),
        (PHONE, "13812345679", False),
        (PHONE, "", False),
        ("0571-85901890", "85901890", True),
        ("85901890", "0571-85901890", True),
        ("0571-85901890", "010-85901890", False),
        ("0571-85901890", "0571-85901891", False),
    ],
)
def test_the_same_phone_written_differently(stored: str, given_phone: str, same: bool) -> None:
    assert same_phone(stored, given_phone) is same


BAD = [
    ({"enterprise": ""}, "enterprise"),
    ({"enterprise": "  \t\n"}, "enterprise"),
    ({"enterprise": "杭"}, "enterprise"),
    ({"enterprise": "杭" * 101}, "enterprise"),
    ({"enterprise": "😀😀😀"}, "enterprise"),
    ({"contact": ""}, "contact"),
    ({"contact": "123"}, "contact"),
    ({"contact": "王" * 41}, "contact"),
    ({"text": ""}, "text"),
    ({"text": "　 \r\n"}, "text"),
    ({"text": "积水！"}, "text"),
    ({"text": "😀" * 50}, "text"),
    ({"text": "……！！？？，，。。"}, "text"),
    ({"text": "水" * 5001}, "text"),
    ({"text": "水" * 10000}, "text"),
    ({"territory": "火星街道"}, "territory"),
    ({"channel": ""}, "channel"),
    ({"channel": "a b"}, "channel"),
    ({"channel": "x" * 41}, "channel"),
    ({"idempotency_key": "k" * 201}, "idempotency_key"),
    ({"idempotency_key": "a\x00b"}, "idempotency_key"),
]


@pytest.mark.parametrize(("changes", "field"), BAD)
def test_bad_fields_are_named(changes: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_filing(replace(GOOD, **changes), DIRECTORY)
    assert refused.value.details["field"] == field
    assert refused.value.message.endswith("。") or field == "idempotency_key"


def test_a_good_filing_is_tidied() -> None:
    sent = Filing(
        " 杭州\x00测试\u202e科技有限公司 ",
        "王\t芳",
        "138 1234 5678",
        "第一行\r\n第二行\x07\ud800",
        " 下沙 ",
        "qr",
        "",
    )
    checked = check_filing(sent, DIRECTORY)
    assert checked.enterprise == "杭州测试科技有限公司"
    assert checked.contact == "王 芳"
    assert checked.phone == PHONE
    assert checked.text == "第一行\n第二行"
    assert checked.territory == "下沙街道"
    assert checked.idempotency_key is None


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>积水严重",
        "Robert'); DROP TABLE appeals;--",
        "积水严重😀👨‍👩‍👧",
        "100%_积水\\",
    ],
)
def test_markup_and_emoji_are_kept_as_plain_text(text: str) -> None:
    assert check_filing(replace(GOOD, text=text), DIRECTORY).text == text


def test_no_territory_stays_none() -> None:
    assert check_filing(replace(GOOD, territory=None), DIRECTORY).territory is None
    assert check_filing(replace(GOOD, territory="  "), DIRECTORY).territory is None


def test_the_fingerprint_is_of_the_content_only() -> None:
    checked = check_filing(GOOD, DIRECTORY)
    assert fingerprint(replace(checked, idempotency_key="other")) == fingerprint(checked)
    for changes in (
        {"text": "另一个问题"},
        {"phone": "13912345678"},
        {"territory": None},
        {"contact": "李四"},
    ):
        assert fingerprint(replace(checked, **changes)) != fingerprint(checked)


@given(st.text(max_size=60))
def test_cleaning_is_done_after_once_and_can_always_be_stored(text: str) -> None:
    once = clean(text, lines=True)
    assert clean(once, lines=True) == once
    once.encode("utf-8")
    assert "\x00" not in once


@given(st.text(alphabet="0123456789-+() 转年", max_size=24))
def test_a_normal_phone_is_stable(text: str) -> None:
    normal = normal_phone(text)
    if normal is not None:
        assert normal_phone(normal) == normal
        assert same_phone(normal, text)
