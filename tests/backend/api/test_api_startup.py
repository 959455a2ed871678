"""The backend starts light: what it does not need to serve is not loaded."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

from api_helpers import FILING, PHONE, ROOT, Backend

from backend.appeals.model import Event, Filing, HistoryEvent
from backend.people.actors import SYSTEM

HEAVY = ("alembic", "jieba", "matplotlib", "pandas", "rasa", "rasa_sdk", "sklearn", "spacy", "tensorflow")


def test_nothing_heavy_is_loaded() -> None:
    code = f"import sys, backend.api.app; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_due_times_follow_the_calendar_from_the_start_on(backend: Backend) -> None:
    appeals = backend.container.appeals
    filed = (await appeals.file(Filing(**FILING))).appeals[0]
    async with backend.container.database.unit_of_work() as work:
        stored = await work.appeals.get(filed.number, lock=True)
        assert stored is not None
        line = HistoryEvent(stored.submitted_at, SYSTEM, Event.RECOMPUTE, "测试")
        await work.appeals.save(replace(stored, due_at=stored.due_at + timedelta(days=3)), line)
        await work.commit()

    await backend.container.open()

    assert (await appeals.lookup(filed.number, PHONE)).appeal.due_at == filed.due_at
