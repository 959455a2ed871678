"""Little is understood without the dialogue engine, and questions are never mistaken for wishes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.hotline import wording


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("我要提交诉求", "file"),
        ("我想反映问题", "file"),
        ("你好，我想提一个诉求。", "file"),
        ("帮我登记一下诉求", "file"),
        ("麻烦帮我们上报一个问题，谢谢", "file"),
        ("/file_appeal", "file"),
        ("/open_appeal_form", "file"),
        ("查询诉求进度", "status"),
        ("帮我查一下诉求办理进度", "status"),
        ("我们的诉求怎么样了？", "status"),
        ("QT20261121-0042 办得怎么样了", "status"),
        ("/ask_status", "status"),
        ("/open_lookup_form", "status"),
        ("转人工", "human"),
        ("我要找人工客服", "human"),
        ("/ask_human", "human"),
        ("你好", "greeting"),
        ("您好！", "greeting"),
        ("谢谢你", "thanks"),
        ('/choose_entry{"entry_id": "qt.hotline"}', "entry"),
        ("诉求提交后几天回复", "other"),
        ("怎么提交诉求", "other"),
        ("诉求办理的流程是什么", "other"),
        ("人工智能企业有什么补贴", "other"),
        ("热线电话是多少", "other"),
        ("/unknown", "other"),
        ("/choose_entry{broken", "other"),
        ("", "other"),
        ("/", "other"),
    ],
)
def test_wishes(message: str, expected: str) -> None:
    assert wording.wish(message) == expected


def test_payload_with_entities() -> None:
    assert wording.payload('/choose_entry{"entry_id": "qt.a"}') == ("choose_entry", {"entry_id": "qt.a"})
    assert wording.payload("/ask_human") == ("ask_human", {})


@pytest.mark.parametrize(
    "message", ["/x{", "/x{]}", "/x[1]", "text", "/x{1: 2}", "/x" + "{" * 3000 + "}" * 3000]
)
def test_what_is_no_payload(message: str) -> None:
    assert wording.payload(message) is None


@pytest.mark.parametrize(
    "message", ["热线电话是多少", "几天能答复", "要带什么材料", "能在线办吗", "在哪？", "怎么走"]
)
def test_questions(message: str) -> None:
    assert wording.asks(message)


@pytest.mark.parametrize(
    "message", ["确认", "取消", "杭州某某科技有限公司", "13800000000", "王小明", "白杨街道", "不清楚"]
)
def test_answers_to_a_form(message: str) -> None:
    assert not wording.asks(message)


@given(st.text(max_size=300))
def test_any_text_has_one_wish(message: str) -> None:
    assert wording.wish(message) in {"file", "status", "human", "entry", "greeting", "thanks", "other"}
