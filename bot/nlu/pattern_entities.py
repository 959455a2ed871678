"""Companies, people, phones, appeal numbers and stars by the rules of `actions.recognition`."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from actions.recognition import spans

_MAX_CHARS = 2000


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class PatternEntities(GraphComponent):  # type: ignore[misc]
    """Adds what the rules recognise; ``role: self`` marks what belongs to the writer."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> PatternEntities:
        """Builds the component; it has no settings and learns nothing."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds the entities to each message."""
        for message in messages:
            text = message.get(TEXT)
            if not text or text.startswith("/"):
                continue
            found = []
            for span in spans(text[:_MAX_CHARS]):
                entity = {
                    "entity": span.kind,
                    "start": span.start,
                    "end": span.end,
                    "value": span.value,
                    "extractor": type(self).__name__,
                }
                found.append({**entity, "role": span.role} if span.role else entity)
            message.set(ENTITIES, [*message.get(ENTITIES, []), *found], add_to_output=True)
        return messages
