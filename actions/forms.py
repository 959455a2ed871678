"""What the three forms share: hear first, then validate each slot with a sentence for what is wrong."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from rasa_sdk import FormValidationAction, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import listening, recognition
from actions.conversation import HUMAN, Turn, last_turn, say, slot
from actions.listening import Heard

_PRESSED = ("territory", "result", "stars", "comment")
"""The slots that our own buttons fill."""

_SAID_SO = ("enterprise", "contact", "phone", "territory", "lookup_phone", "appeal_number", "stars")
"""The slots of which is said what was taken, where another one was asked."""

_ENOUGH_REFUSALS = 3

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

    def settled(self, turn: Turn, asked: str) -> Heard | None:
        """What the message says beyond doubt to this question, before it is read as anything else."""
        return None

    @abstractmethod
    async def hear(self, turn: Turn, asked: str, tracker: Tracker) -> Heard:
        """Reads an answer that is neither a command, nor an aside, nor a correction."""

    async def get_extraction_events(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> list[EventType]:
        """Fills slots from the last message; nothing filled means that the message is not for the form."""
        asked = slot(tracker, "requested_slot")
        if asked is None or asked not in self.fields:
            return []
        heard = await self._hear(last_turn(tracker), asked, tracker, dispatcher)
        tracker.slots.update(heard)
        return [SlotSet(name, value) for name, value in heard.items()]

    async def _hear(
        self, turn: Turn, asked: str, tracker: Tracker, dispatcher: CollectingDispatcher
    ) -> Heard:
        settled = None if turn.pressed else self.settled(turn, asked)
        if settled is not None:
            return settled
        if listening.is_command(turn) or self.steps_back(turn, asked):
            return {}
        filled = {name: value for name in self.fields if (value := slot(tracker, name))}
        corrects = self.may_correct(turn, asked)
        changed = listening.correction(turn, self.fields, asked, filled) if corrects else None
        if changed is not None:
            done = [
                name
                for name, value in changed.items()
                if value and name != asked and name in FIELD_TITLES and listening.is_sound(name, value)
            ]
            if done:
                say(dispatcher, f"好的，已更正{'、'.join(FIELD_TITLES[name] for name in done)}。")
            return changed
        if turn.pressed and turn.intent == "inform":
            return {name: value for name, value in turn.values.items() if name in _PRESSED} or {asked: None}
        if turn.pressed and turn.intent == "file_appeal":
            return {asked: None}
        heard = await self.hear(turn, asked, tracker)
        moved = [
            name for name, value in heard.items() if value and name != asked and filled.get(name) != value
        ]
        told = [f"{FIELD_TITLES[name]}：{heard[name]}" for name in moved if name in _SAID_SO]
        if told and (asked not in heard or any(name in filled for name in moved)):
            say(dispatcher, f"已记下{'，'.join(told)}。")
        return heard

    def steps_back(self, turn: Turn, asked: str) -> bool:
        """Whether the message is to be answered by the rules before the form goes on."""
        return listening.is_aside(turn)

    def may_correct(self, turn: Turn, asked: str) -> bool:
        """Whether words of change mean a correction here."""
        return True

    def refused(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, name: str, sentence: str
    ) -> dict[str, None]:
        """Says what is wrong and empties the slot, so that the form asks again; offers a person in time."""
        if times_asked(tracker, name) >= _ENOUGH_REFUSALS:
            sentence = f"{sentence}如果不方便填写，可以转人工，由工作人员帮您登记。"
            say(dispatcher, sentence, buttons=[HUMAN])
        else:
            say(dispatcher, sentence)
        return {name: None}

    def phone_or_none(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, name: str, value: Any
    ) -> dict[str, Any]:
        """Validates a phone slot; of several numbers the person says which."""
        found = list(dict.fromkeys(span.value for span in recognition.phones(str(value)))) if value else []
        if len(found) == 1:
            return {name: found[0]}
        if found:
            buttons = [{"title": number, "payload": number} for number in found[:4]]
            say(dispatcher, f"您写了 {len(found)} 个号码，请问以哪一个为准？", buttons=buttons)
            return {name: None}
        return (
            self.refused(dispatcher, tracker, name, recognition.phone_problem(str(value)))
            if value
            else {name: None}
        )


def times_asked(tracker: Tracker, name: str) -> int:
    """How often in a row the form has asked for a slot."""
    count = 0
    for event in reversed(tracker.events):
        if event.get("event") == "slot" and event.get("name") == "requested_slot":
            if event.get("value") != name:
                break
            count += 1
    return count


def last_value(tracker: Tracker, name: str) -> str | None:
    """The value that a slot had the last time, though it may have been emptied since."""
    values = (
        event.get("value")
        for event in reversed(tracker.events)
        if event.get("event") == "slot" and event.get("name") == name
    )
    return next((str(value) for value in values if value), None)
