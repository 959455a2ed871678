from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.appeals.model import Level
from backend.appeals.routing import route

A, B, C = "区住建局", "区综合行政执法局", "区经信科技局"

# (initial level, leads in order, level, lead, co-departments)
CASES = [
    ("single", [A], "single", A, []),
    ("single", [A, B], "whistle", "平台、街道", [A, B]),
    ("single", [C, C], "single", C, []),
    ("single", [A, B, A], "whistle", "平台、街道", [A, B]),
    ("single", [A, A, B], "whistle", "平台、街道", [A, B]),
    ("single", [A, B, C], "whistle", "平台、街道", [A, B, C]),
    ("single", [], "whistle", "平台、街道", []),
    ("simple", [A], "simple", A, []),
    ("simple", [A, B], "whistle", "平台、街道", [A, B]),
    ("whistle", [], "whistle", "平台、街道", []),
    ("whistle", [A], "whistle", "平台、街道", [A]),
    ("whistle", [B, A], "whistle", "平台、街道", [B, A]),
]


@pytest.mark.parametrize(("initial", "leads", "level", "lead", "co"), CASES)
def test_routes(initial: str, leads: list[str], level: str, lead: str, co: list[str]) -> None:
    found = route(Level(initial), leads)
    assert (found.level, found.lead, list(found.co_departments)) == (level, lead, co)


def test_a_co_department_makes_it_a_whistle_matter() -> None:
    found = route(Level.SINGLE, [A], [B])
    assert (found.level, found.lead_department, found.co_departments) == (Level.WHISTLE, None, (A, B))


@given(st.sampled_from(Level), st.lists(st.sampled_from([A, B, C]), max_size=6), st.sampled_from([A, B, C]))
def test_one_more_department_never_lowers_the_level_nor_drops_anyone(
    level: Level, leads: list[str], more: str
) -> None:
    before, after = route(level, leads), route(level, [*leads, more])
    order = list(Level)
    if leads:
        assert order.index(after.level) >= order.index(before.level)
    if after.level is Level.WHISTLE:
        assert set(after.co_departments) == {*leads, more}
