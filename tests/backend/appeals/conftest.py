from __future__ import annotations

import pytest
from appeal_district import District, StillClock, StubDirectory, StubTriage

from backend.appeals.calendar import WorkCalendar
from backend.appeals.service import AppealService
from backend.storage.database import Database


@pytest.fixture
def district(database: Database) -> District:
    triage, clock = StubTriage(), StillClock()
    service = AppealService(database.unit_of_work, triage, WorkCalendar(), clock, StubDirectory())
    return District(service, triage, clock, database)
