"""What holds for every test: quick ones first, no settings of the developer, no timing limits on examples."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

_SLOWER = ("database", "rasa", "browser")

# A busy machine makes single examples slow; a slow example is not a wrong one.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

for _name in [name for name in os.environ if name.startswith("QIFU_") and not name.startswith("QIFU_TEST_")]:
    del os.environ[_name]
# Encoding all phrasings takes minutes: the tests of the encoder switch it on themselves.
os.environ["QIFU_ENCODER"] = "none"


def _rank(item: pytest.Item) -> int:
    return max((1 + _SLOWER.index(name) for name in _SLOWER if item.get_closest_marker(name)), default=0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what needs nothing first, then databases, then the dialogue engine, then the browser."""
    items.sort(key=_rank)
