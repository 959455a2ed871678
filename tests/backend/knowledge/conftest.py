from __future__ import annotations

from pathlib import Path

import pytest
from knowledge_samples import FOLDERS, ROOT, write

from backend.knowledge import loading
from backend.knowledge.answering import AnswerService
from backend.knowledge.loading import KnowledgeBase


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small knowledge folder of three districts."""
    return write(tmp_path_factory.mktemp("knowledge"), FOLDERS)


@pytest.fixture(scope="session")
def small_base(small_folder: Path) -> KnowledgeBase:
    """The small knowledge base."""
    return loading.load(small_folder)


@pytest.fixture(scope="session")
def small_service(small_base: KnowledgeBase) -> AnswerService:
    """Answers from the small knowledge base at home in 钱塘区."""
    return AnswerService(small_base, "钱塘区")


@pytest.fixture(scope="session")
def real_base() -> KnowledgeBase:
    """The knowledge base of the project."""
    return loading.load(ROOT / "knowledge_base")


@pytest.fixture(scope="session")
def real_service(real_base: KnowledgeBase) -> AnswerService:
    """Answers from the project's knowledge base."""
    return AnswerService(real_base, "钱塘区")
