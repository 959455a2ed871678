"""The knowledge base, and triage with and without what labelled appeals have taught it."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.knowledge.loading import KnowledgeBase, load
from backend.triage.classifier import MODEL, Classifier
from backend.triage.keeping import Kept
from backend.triage.labelled import Labelled, load_labelled
from backend.triage.proposing import Triage
from backend.triage.training import train

KNOWLEDGE = Path(__file__).parents[3] / "knowledge_base"


@pytest.fixture(scope="session")
def base() -> KnowledgeBase:
    """The real knowledge base."""
    return load(KNOWLEDGE)


@pytest.fixture(scope="session")
def labelled(base: KnowledgeBase) -> list[Labelled]:
    """What triage learns from."""
    return load_labelled(KNOWLEDGE, base.departments)


@pytest.fixture(scope="session")
def model_dir(
    base: KnowledgeBase, labelled: list[Labelled], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with a model trained from all of it."""
    folder = tmp_path_factory.mktemp("models")
    assert train(base, labelled, [], folder).trained
    return folder


@pytest.fixture(scope="session")
def classifier(model_dir: Path) -> Classifier:
    """The trained classifier."""
    found = Classifier.load(model_dir / MODEL)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def triage(base: KnowledgeBase, model_dir: Path) -> Triage:
    """Triage as it serves."""
    return Triage(base, Kept(model_dir / MODEL))


@pytest.fixture(scope="session")
def untrained(base: KnowledgeBase) -> Triage:
    """Triage by the rules alone."""
    return Triage(base)
