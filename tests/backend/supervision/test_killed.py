"""A worker killed in the middle of its passes, again and again: each moment is acted on exactly once."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
from collections import Counter
from datetime import datetime

import pytest
from backend_vault import VAULT
from clock_worker import work
from supervision_helpers import Watched, rows

from backend.appeals import chain
from backend.storage.tables import AppealRow, HistoryRow, OutboxRow, PenaltyRow, SupervisionRow

pytestmark = pytest.mark.database

APPEALS = 30
KILLS = 5
NOW = datetime.fromisoformat("2026-12-02T16:00:00+08:00")


async def test_killed_in_the_middle_again_and_again(watched: Watched, database_url: str) -> None:
    for _ in range(APPEALS):
        await watched.district.assigned()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["clock_worker"])  # so that not each start imports everything anew
    chance = random.Random(3)
    for _ in range(KILLS):
        ready = context.Event()
        worker = context.Process(target=work, args=(database_url, NOW, ready), daemon=True)
        worker.start()
        try:
            assert await asyncio.to_thread(ready.wait, 60)
            # long enough to do some of it, too short to do all of it at once
            await asyncio.sleep(chance.uniform(0.0, 0.2))
        finally:
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
            worker.join()
    watched.clock.now = NOW
    await watched.tick()
    await _exactly_once(watched)


async def _exactly_once(watched: Watched) -> None:
    moments = await rows(watched.database, SupervisionRow)
    assert [row.state for row in moments] == ["done"] * 2 * APPEALS
    lines = [row for row in await rows(watched.database, HistoryRow) if row.event == "remind"]
    acted = Counter((row.appeal_id, row.after["moment"], row.after["by"]) for row in lines)
    assert len(acted) == 2 * APPEALS
    assert set(acted.values()) == {1}
    sent = [row for row in await rows(watched.database, OutboxRow) if row.kind == "reminder"]
    assert len(sent) == len({row.key for row in sent}) == 2 * APPEALS * 3
    assert Counter(row.kind for row in await rows(watched.database, PenaltyRow)) == {
        "late_handling": 2 * APPEALS
    }
    for appeal in await rows(watched.database, AppealRow):
        record = await rows(watched.database, HistoryRow, HistoryRow.appeal_id == appeal.id)
        assert [row.position for row in record] == list(range(1, appeal.record_length + 1))
        head = chain.head(VAULT.sign, appeal.number, appeal.record_length, record[-1].signature)
        assert appeal.record_head == head
