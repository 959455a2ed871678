"""What the three forms share: hear first, then validate each slot with a sentence for what is wrong."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from rasa_sdk import FormValidationAction, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import listening, recognition
from actions.conversation import Turn, last_turn, say, slot
from actions.listening import Heard

_PRESSED = ("territory", "result", "stars", "comment")
"""The slots that our own buttons fill."""

FIELD_TITLES = {
    "description": "诉求内容",
    "enterprise": "企业名称",
    "contact": "联系人",
    "phone": "联系电话",
    "territory": "平台或街道",
    "appeal_number": "诉求编号",
    "lookup_phone": "手机号",
    "result": "办理结果",
    "stars": "星级",
    "comment": "评价内容",
}


class ListeningForm(FormValidationAction, ABC):  # type: ignore[misc]
    """A form validation that reads the whole message once, instead of slot by slot."""

    fields: tuple[str, ...]

    def domain_slots(self, domain: Any) -> list[str]:
        """Returns the form's slots in the order in which they are asked; needs no domain."""
        return list(self.fields)

    @abstractmethod
    def hear(self, turn: Turn, asked: str, tracker: Tracker) -> Heard:
        """Reads an answer that is neither a command, nor an aside, nor a correction."""

    async def get_extraction_events(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> list[EventType]:
        """Fills slots from the last message; nothing filled means that the message is not for the form."""
        asked = slot(tracker, "requested_slot")
        if asked is None or asked not in self.fields:
            return []
        heard = self._hear(last_turn(tracker), asked, tracker, dispatcher)
        tracker.slots.update(heard)
        return [SlotSet(name, value) for name, value in heard.items()]

    def _hear(self, turn: Turn, asked: str, tracker: Tracker, dispatcher: CollectingDispatcher) -> Heard:
        if listening.is_command(turn) or self.steps_back(turn, asked):
            return {}
        changed = listening.correction(turn, self.fields, asked) if self.may_correct(turn, asked) else None
        if changed is not None:
            done = [
                name for name, value in changed.items() if value and name in FIELD_TITLES and name != asked
            ]
            if done:
                say(dispatcher, f"好的，已更正{'、'.join(FIELD_TITLES[name] for name in done)}。")
            return changed
        if turn.pressed and turn.intent == "inform":
            return {name: value for name, value in turn.values.items() if name in _PRESSED} or {asked: None}
        if turn.pressed and turn.intent == "file_appeal":
            return {asked: None}
        return self.hear(turn, asked, tracker)

    def steps_back(self, turn: Turn, asked: str) -> bool:
        """Whether the message is to be answered by the rules before the form goes on."""
        return listening.is_aside(turn)

    def may_correct(self, turn: Turn, asked: str) -> bool:
        """Whether words of change mean a correction here."""
        return True

    def refused(self, dispatcher: CollectingDispatcher, name: str, sentence: str) -> dict[str, None]:
        """Says what is wrong and empties the slot, so that the form asks again."""
        say(dispatcher, sentence)
        return {name: None}


def phone_or_none(dispatcher: CollectingDispatcher, name: str, value: Any) -> dict[str, str | None]:
    """Validates a phone slot."""
    found = recognition.phones(str(value)) if value else []
    if found:
        return {name: found[0].value}
    if value:
        say(dispatcher, recognition.phone_problem(str(value)))
    return {name: None}
