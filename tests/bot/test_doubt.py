"""What is not certain is a question, or is not understood."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.rasa


def judged(text: str, intent: str, confidence: float, *entities: str, **config: Any) -> str:
    # importing Rasa changes the process's event loops, so it must not happen while tests are collected
    from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
    from rasa.shared.nlu.training_data.message import Message

    from bot.nlu.doubt import Doubt

    message = Message({TEXT: text, INTENT: {"name": intent, "confidence": confidence}})
    message.set(ENTITIES, [{"entity": entity} for entity in entities])
    doubt = Doubt({**Doubt.get_default_config(), **config})
    doubt.process([message])
    return str(message.get(INTENT)["name"])


def test_a_question_that_names_something_known_asks_for_no_plainer_words() -> None:
    config = {"topicless": ["rephrase"]}
    assert judged("闭环讲的是什么意思", "rephrase", 0.97, "service", **config) == "ask"
    assert judged("讲的是什么意思", "rephrase", 0.97, **config) == "rephrase"
    assert judged("闭环讲的是什么意思", "rephrase", 0.97, "service") == "rephrase"


@pytest.mark.parametrize(("confidence", "name"), [(0.69, "ask"), (0.71, "ask_status")])
def test_an_uncertain_question_is_a_question(confidence: float, name: str) -> None:
    assert judged("没办完的由谁来催呢", "ask_status", confidence, question={"ask_status": 0.7}) == name
