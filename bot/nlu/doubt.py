"""Takes no intent for granted that is not certain enough: it is a question, or it is not understood.

The knowledge search can still say that it has no answer, and triage whether a problem is told; a goodbye or a
cancellation where somebody asked or told something is harder to get out of.
"""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from actions.recognition import asks_for_a_deed, looks_like_question, spans, squeeze
from actions.routing import names_a_matter, tells_trouble

_MAX_CHARS = 2000


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class Doubt(GraphComponent):  # type: ignore[misc]
    """Replaces an uncertain intent by ``ask`` where the wording asks for information, else by no intent."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Returns the settings.

        ``question`` and ``statement``: by intent, the confidence that it needs where the wording is a
        question, and where it is none; by default none. ``sure``: what any of them needs where the wording
        tells of a trouble. ``topicless``: intents that a question never has if it names something of the
        knowledge base, such as asking for plainer words.
        """
        return {"question": {}, "statement": {}, "sure": 0.9, "topicless": []}

    def __init__(self, config: dict[str, Any]) -> None:
        self._question: dict[str, float] = config["question"]
        self._statement: dict[str, float] = config["statement"]
        self._sure: float = config["sure"]
        self._topicless: frozenset[str] = frozenset(config["topicless"])

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
            name, confidence = str(intent.get("name")), intent.get("confidence", 0.0)
            if not squeeze(text):
                message.set(INTENT, {**intent, "name": DEFAULT_NLU_FALLBACK_INTENT_NAME}, add_to_output=True)
            elif looks_like_question(text):
                topic = name in self._topicless and any(
                    entity["entity"] == "service" for entity in message.get(ENTITIES, [])
                )
                if topic or confidence < self._question.get(name, 0.0):
                    message.set(INTENT, {**intent, "name": "ask"}, add_to_output=True)
            elif name == "file_appeal":
                if confidence < self._sure and names_a_matter(text):
                    message.set(INTENT, {**intent, "name": "ask"}, add_to_output=True)
                elif confidence < self._least(name, text) and not (
                    tells_trouble(text) or asks_for_a_deed(text)
                ):
                    message.set(
                        INTENT, {**intent, "name": DEFAULT_NLU_FALLBACK_INTENT_NAME}, add_to_output=True
                    )
            elif confidence < self._least(name, text) and not _tells_details(name, text):
                message.set(INTENT, {**intent, "name": DEFAULT_NLU_FALLBACK_INTENT_NAME}, add_to_output=True)
        return messages

    def _least(self, intent: str, text: str) -> float:
        least = self._statement.get(intent, 0.0)
        # who judges a filed appeal tells of its trouble too
        strict = least and intent != "give_feedback" and tells_trouble(text)
        return self._sure if strict else least


def _tells_details(intent: str, text: str) -> bool:
    """Whether the entities bear out what the words alone leave uncertain."""
    return intent == "inform" and next(spans(text[:_MAX_CHARS]), None) is not None
