from __future__ import annotations

import pytest
from appeal_district import District, StillClock, StubDirectory, StubTriage
from supervision_helpers import Watched

from backend.appeals.calendar import WorkCalendar
from backend.appeals.service import AppealService
from backend.storage.database import Database
from backend.supervision.service import Supervision


@pytest.fixture
def watched(database: Database) -> Watched:
    """A district with its supervision; the loops are not started."""
    triage, clock, directory, calendar = StubTriage(), StillClock(), StubDirectory(), WorkCalendar()
    service = AppealService(database.unit_of_work, triage, calendar, clock, directory)
    district = District(service, triage, clock, database)
    return Watched(district, Supervision(database.unit_of_work, clock, directory, calendar, seconds=0))
