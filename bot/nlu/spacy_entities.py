"""Departments, platforms, streets and services by spaCy's EntityRuler on a blank Chinese pipeline.

The patterns come from the knowledge base (`qifu train` writes them). They are stored in the trained model, so
that a running bot reads no generated file.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import spacy
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from actions.recognition import normalise

log = logging.getLogger(__name__)

_FILE = "patterns.jsonl"
_MAX_CHARS = 2000


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class SpacyEntities(GraphComponent):  # type: ignore[misc]
    """Finds names that the knowledge base knows; the entity is the pattern's label in lower case."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Returns the settings: ``patterns``, the JSON Lines file that training reads."""
        return {"patterns": "data/generated/patterns.jsonl"}

    @staticmethod
    def required_packages() -> list[str]:
        """Returns what must be installed."""
        return ["spacy"]

    def __init__(self, patterns: list[dict[str, Any]], storage: ModelStorage, resource: Resource) -> None:
        self._patterns = patterns
        self._storage = storage
        self._resource = resource
        self._nlp = spacy.blank("zh")
        self._nlp.add_pipe("entity_ruler").add_patterns(patterns)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SpacyEntities:
        """Builds the component for training, from the generated file if there is one."""
        return cls(_read(Path(config["patterns"])), model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SpacyEntities:
        """Builds the component from what the model holds."""
        with model_storage.read_from(resource) as folder:
            return cls(_read(Path(folder) / _FILE), model_storage, resource)

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Makes Rasa train again when the patterns have changed, not only when their path has."""
        path = Path(config["patterns"])
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None

    def train(self, training_data: TrainingData) -> Resource:
        """Stores the patterns in the model."""
        with self._storage.write_to(self._resource) as folder:
            lines = "".join(json.dumps(pattern, ensure_ascii=False) + "\n" for pattern in self._patterns)
            (Path(folder) / _FILE).write_text(lines, encoding="utf-8")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds the entities to each message."""
        for message in messages:
            text = message.get(TEXT)
            if not text or text.startswith("/"):
                continue
            written = text[:_MAX_CHARS]
            found = [
                {
                    "entity": entity.label_.lower(),
                    "start": entity.start_char,
                    "end": entity.end_char,
                    "value": written[entity.start_char : entity.end_char],
                    "id": entity.ent_id_,
                    "extractor": type(self).__name__,
                }
                for entity in self._nlp(normalise(written)).ents
            ]
            message.set(ENTITIES, [*message.get(ENTITIES, []), *found], add_to_output=True)
        return messages


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        log.warning("no entity patterns at %s: names of the knowledge base will not be recognised", path)
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
