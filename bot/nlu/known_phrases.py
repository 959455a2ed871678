"""What was given as a training example is understood exactly so, whatever the classifier would say."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from actions.recognition import squeeze

_FILE = "phrases.json"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class KnownPhrases(GraphComponent):  # type: ignore[misc]
    """Remembers every training example without its signs, spaces and case; the last word of the pipeline."""

    def __init__(self, phrases: dict[str, str], storage: ModelStorage, resource: Resource) -> None:
        self._phrases = phrases
        self._storage = storage
        self._resource = resource

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> KnownPhrases:
        """Builds an empty memory for training."""
        return cls({}, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> KnownPhrases:
        """Builds the memory from what the model holds."""
        with model_storage.read_from(resource) as folder:
            return cls(
                json.loads((Path(folder) / _FILE).read_text(encoding="utf-8")), model_storage, resource
            )

    def train(self, training_data: TrainingData) -> Resource:
        """Remembers the examples that stand for one intent only."""
        intents: dict[str, set[str]] = defaultdict(set)
        for example in training_data.intent_examples:
            key = squeeze(example.get(TEXT) or "")
            if key:
                intents[key].add(example.get(INTENT))
        self._phrases = {key: next(iter(names)) for key, names in sorted(intents.items()) if len(names) == 1}
        with self._storage.write_to(self._resource) as folder:
            (Path(folder) / _FILE).write_text(json.dumps(self._phrases, ensure_ascii=False), encoding="utf-8")
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leaves the training data as it is."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets the remembered intent with full confidence."""
        for message in messages:
            text = message.get(TEXT)
            if not text or text.startswith("/"):
                continue
            known = self._phrases.get(squeeze(text))
            if known is not None:
                message.set(INTENT, {"name": known, "confidence": 1.0}, add_to_output=True)
        return messages
