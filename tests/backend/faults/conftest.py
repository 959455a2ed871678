from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fault_office import ROOT, Office, open_office
from sqlalchemy import create_engine, text

from backend.composition import Knowledge, know
from backend.settings import Settings
from backend.storage.database import sync_url
from backend.storage.tables import Base


@pytest.fixture(scope="session")
def read_knowledge() -> Knowledge:
    return know(Settings(knowledge_dir=ROOT / "knowledge_base"))


@pytest.fixture
async def office(database_url: str, read_knowledge: Knowledge, tmp_path: Path) -> AsyncIterator[Office]:
    opened, client = await open_office(tmp_path, database_url, read_knowledge)
    yield opened
    await client.close()


@pytest.fixture
def emptied_postgresql_url(postgresql_url: str) -> str:
    engine = create_engine(sync_url(postgresql_url))
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))
        connection.execute(text(f"TRUNCATE {', '.join(Base.metadata.tables)} RESTART IDENTITY CASCADE"))
    engine.dispose()
    return postgresql_url
