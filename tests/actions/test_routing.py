"""What tells of a trouble, and which of several things was meant by its place."""

from __future__ import annotations

import pytest
from fake_backend import FakeBackend

from actions.opening import chosen_place
from actions.routing import is_placed, names_a_matter, tells_trouble


@pytest.mark.parametrize(
    "text",
    ["冷库断电了", "三楼厕所堵住了", "奖补迟迟没到", "货款收不回", "楼道太脏", "专利被人抄了", "老是跳闸"],
)
def test_a_trouble_is_told(text: str) -> None:
    assert tells_trouble(text)


@pytest.mark.parametrize(
    "text",
    [
        "你好",
        "谢谢",
        "好的",
        "停电报修电话",
        "欠薪投诉流程",
        "我们公司有二十个人",
        "再见",
        "人才公寓申请",
        "第二个",
    ],
)
def test_no_trouble_is_told(text: str) -> None:
    assert not tells_trouble(text)


def test_a_few_words_may_only_name_a_matter() -> None:
    assert names_a_matter("人才公寓申请")
    assert not names_a_matter("帮忙协调人才公寓申请")
    assert not names_a_matter("车间停水了")


@pytest.mark.parametrize(
    ("text", "count", "place"),
    [
        ("2", 3, 2),
        ("第二个", 3, 2),
        ("我选第3项", 3, 3),
        ("选一", 2, 1),
        ("最后一个", 4, 4),
        ("第五个", 3, None),
        ("1", 0, None),
        ("最后一个", 0, None),
        ("那个", 3, None),
    ],
)
def test_a_place_is_read(text: str, count: int, place: int | None) -> None:
    assert chosen_place(text, count) == place


async def test_triage_that_keeps_silent_places_nothing(fake_backend: FakeBackend) -> None:
    assert await is_placed("冷库断电了")
    fake_backend.down = True
    assert not await is_placed("冷库断电了")
