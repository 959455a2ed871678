"""The backend killed under load: what was confirmed is there, nothing is twice (benchmarks/kills.py)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.kills import own_database, run


@pytest.mark.database
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_nothing_confirmed_is_lost_and_nothing_doubled(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    given = None
    if kind == "postgresql":
        request.getfixturevalue("postgresql_url")  # fails or skips where there is none
        given = os.environ["QIFU_TEST_DATABASE_URL"]
    with own_database(given, tmp_path) as url:
        report = await run(tmp_path, url, 12, clients=4, seed=12)
    assert report.faults == []
    assert report.kills == 12
    assert min(report.filed, report.deeds, report.messages) > 0
