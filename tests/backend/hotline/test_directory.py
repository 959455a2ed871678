from __future__ import annotations

from pathlib import Path

import pytest

from backend.errors import InvalidInput
from backend.hotline.directory import HomeDirectory
from backend.knowledge.answering import AnswerService
from backend.knowledge.loading import load

_ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def directory() -> HomeDirectory:
    base = load(_ROOT / "knowledge_base")
    return HomeDirectory(base, AnswerService(base, "钱塘区"), "钱塘区")


def test_finds_the_one_territory(directory: HomeDirectory) -> None:
    assert directory.territory("芯谷") == "钱塘芯谷"
    assert directory.territory("不存在的镇") is None


def test_asks_which_of_several_territories_is_meant(directory: HomeDirectory) -> None:
    with pytest.raises(InvalidInput, match="前进街道") as error:
        directory.territory("前进")
    assert "前进智造园" in str(error.value)


def test_says_that_another_district_is_another(directory: HomeDirectory) -> None:
    with pytest.raises(InvalidInput, match="上城区不属于钱塘区"):
        directory.territory("上城区")
