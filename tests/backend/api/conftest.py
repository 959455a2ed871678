"""A backend on a real database file and the real knowledge base, with a bot that a test can take away."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from api_helpers import ROOT, Backend, Clock, StubBot
from backend_vault import VAULT

from backend.api.app import create_app
from backend.api.limits import Limits
from backend.composition import Knowledge, build, know
from backend.hotline.conversations import ConversationService
from backend.settings import Settings
from backend.storage.schema import migrate


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return know(Settings(knowledge_dir=ROOT / "knowledge_base"))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("database") / "qifu.db"
    migrate(f"sqlite:///{path}", VAULT)
    return path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def backend(
    tmp_path: Path, knowledge: Knowledge, empty_database: Path, clock: Clock
) -> AsyncIterator[Backend]:
    shutil.copy(empty_database, tmp_path / "qifu.db")
    settings = Settings(
        data_dir=tmp_path, knowledge_dir=ROOT / "knowledge_base", web_dir=tmp_path / "web", clock_seconds=0
    )
    container = build(settings, clock=clock, knowledge=knowledge)
    bot = StubBot()
    conversations = ConversationService(
        bot, container.answers, container.handoffs, container.directory, container.unanswered
    )
    container = replace(container, conversations=conversations)
    async with TestClient(TestServer(create_app(container, Limits(turn_seconds=0.01)))) as client:
        yield Backend(container, client, bot, clock)
