"""Takes a question for a question where another intent is not certain enough.

The knowledge search can still say that it has no answer; a form that opens, a greeting or a call for a person
where somebody asked something is harder to get out of.
"""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from actions.recognition import looks_like_question


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class Doubt(GraphComponent):  # type: ignore[misc]
    """Replaces an uncertain intent by ``ask`` where the wording asks for information."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Returns the settings.

        ``least``: by intent, the confidence that it needs where the wording is a question; by default none.
        """
        return {"least": {}}

    def __init__(self, config: dict[str, Any]) -> None:
        self._least: dict[str, float] = config["least"]

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Doubt:
        """Builds the component; it learns nothing."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Doubts each message's intent."""
        for message in messages:
            text, intent = message.get(TEXT), message.get(INTENT)
            if not text or text.startswith("/") or not isinstance(intent, dict):
                continue
            least = self._least.get(str(intent.get("name")), 0.0)
            if intent.get("confidence", 0.0) < least and looks_like_question(text):
                message.set(INTENT, {**intent, "name": "ask"}, add_to_output=True)
        return messages
