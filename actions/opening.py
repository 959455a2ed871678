"""Opens a filing for a message that was not understood as one, and picks from what was offered."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import recognition
from actions.answering import answer_entry, answer_text
from actions.appeals import ActionPrepareAppeal
from actions.conversation import MENU, active_form, last_offered, last_turn, say
from actions.people import ActionAskHuman
from actions.progress import ActionPrepareFeedback, ActionPrepareStatus

_ENTRY = re.compile(r'"entry_id":\s*"([^"]+)"')
_ORDINALS = {word: place for place, word in enumerate("一二三四五六七八九", 1)} | {"两": 2, "前": 1}
_PLACE = re.compile(r"[1-9一二两三四五六七八九前](?=[个条项号种]|$)|[1-9]")
_LAST = re.compile(r"最后|后一")


class ActionOpenAppeal(ActionPrepareAppeal):
    """Opens the appeal form, whatever the message was taken for."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_open_appeal"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """The decision to file has been taken by the action before."""
        events = await self.opened(last_turn(tracker), dispatcher, tracker)
        return [*events, FollowupAction("appeal_form")]


class ActionOpenStatus(ActionPrepareStatus):
    """Opens the status form, whatever the message was taken for."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_open_status"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """The decision to look up has been taken by the action before."""
        return [*super().run(dispatcher, tracker, domain), FollowupAction("status_form")]


class ActionPick(Action):  # type: ignore[misc]
    """Takes “第二个” or “2” for the button at that place."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_pick"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Does what the button would do."""
        if active_form(tracker):
            return []
        offered = last_offered(tracker)
        place = chosen_place(last_turn(tracker).text, len(offered))
        if place is None:
            text = "没有看清您选的是哪一项。请点上面的选项，或者直接说您的问题。"
            say(dispatcher, text, buttons=offered or MENU, outcome="clarifying")
            return []
        payload = offered[place - 1]["payload"]
        if entry := _ENTRY.search(payload):
            return await answer_entry(entry[1], dispatcher)
        if payload == "/ask_human":
            return await ActionAskHuman().run(dispatcher, tracker, domain)
        if payload == "/file_appeal":
            return [FollowupAction("action_open_appeal")]
        if payload == "/ask_status":
            return [FollowupAction("action_open_status")]
        if payload == "/give_feedback":
            events = ActionPrepareFeedback().run(dispatcher, tracker, domain)
            return [*events, FollowupAction("feedback_form")]
        if payload.startswith("/"):
            say(dispatcher, f"请点下面的“{offered[place - 1]['title']}”。", buttons=[offered[place - 1]])
            return []
        return [*await answer_text(payload, dispatcher), SlotSet("last_question", None)]


def chosen_place(text: str, count: int) -> int | None:
    """The place, from 1, that a message names among so many; None where there is no such place."""
    plain = recognition.squeeze(text)
    if _LAST.search(plain):
        return count or None
    named = _PLACE.search(plain)
    if named is None:
        return None
    place = int(named[0]) if named[0].isdigit() else _ORDINALS[named[0]]
    return place if place <= count else None
