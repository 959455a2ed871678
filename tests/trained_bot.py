"""The trained model and an engine on it, once for all tests that need them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.settings import BotSettings

ROOT = Path(__file__).parents[1]


def settings(tracker: Path, **changes: str) -> BotSettings:
    """Settings with a store of their own; the fake backend's address is set by its fixture."""
    return BotSettings.from_environment(
        {"QIFU_TRACKER_URL": f"sqlite:///{tracker}", "QIFU_LOG_LEVEL": "WARNING", **changes}
    )


@pytest.fixture(scope="session")
def model() -> Path:
    """The project's model, trained now unless the same one is there."""
    from backend.knowledge.lexicon import export
    from backend.knowledge.loading import load
    from bot.train import train

    export(load(ROOT / "knowledge_base"), ROOT / "data" / "generated")
    return train(ROOT, ROOT / "models")


@pytest.fixture(scope="session")
def tracker_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the session's engine keeps its conversations."""
    return tmp_path_factory.mktemp("conversations") / "tracker.db"


@pytest.fixture(scope="session")
def engine(model: Path, tracker_file: Path) -> Iterator[object]:
    """An engine that all tests share; each uses its own senders."""
    from bot.engine import Engine

    opened = asyncio.run(Engine.open(model, settings(tracker_file)))
    yield opened
    asyncio.run(opened.close())
