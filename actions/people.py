"""Calling for a person, cancelling, and the small courtesies that need to know where the talk stands."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import recognition
from actions.answering import ActionAnswer
from actions.client import Appeal, BackendError, backend
from actions.conversation import (
    HUMAN,
    MENU,
    STATUS,
    WITHDRAW,
    active_form,
    channel_of,
    just_handed_over,
    last_turn,
    say,
    slot,
)

_A_FEW_WORDS = 6
_WORK_SLOTS = {
    "appeal_form": ("description", "appeal_confirm", "filing_key"),
    "status_form": ("appeal_number", "lookup_phone"),
    "feedback_form": ("appeal_number", "lookup_phone", "result", "stars", "comment"),
    "withdraw_form": ("appeal_number", "lookup_phone", "withdraw_confirm"),
}
_CANCELLED = {
    "appeal_form": "好的，已取消，这件诉求没有提交。",
    "status_form": "好的，已取消查询。",
    "feedback_form": "好的，已取消评价，没有提交任何内容。",
    "withdraw_form": "好的，不撤回，诉求照常办理。",
}
_CANCELLED_UNSEEN = "好的，已取消填写。如果您刚才已经确认过提交，请稍后查询进度核实一下。"


def cleared(form: str) -> list[EventType]:
    """The events that empty a form's working slots; contact details are kept."""
    return [SlotSet(name, None) for name in _WORK_SLOTS.get(form, ())]


def resumed(tracker: Tracker) -> list[EventType]:
    """The events that go back to a form that was put aside, if there is one."""
    paused = slot(tracker, "paused_form")
    return [SlotSet("paused_form", None), FollowupAction(paused)] if paused else []


class ActionAskHuman(Action):  # type: ignore[misc]
    """Records that a person is wanted and names the hotline."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_ask_human"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Hands over; the number to call comes from the backend."""
        turn = last_turn(tracker)
        about = slot(tracker, "description") or slot(tracker, "last_question")
        who = [value for name in ("enterprise", "contact", "phone") if (value := slot(tracker, name))]
        told = about is None or any(recognition.spans(turn.text))
        said = "" if turn.pressed or not told else turn.text
        reason = "；".join(part for part in (about, said, "，".join(who)) if part)
        try:
            hotline = await backend().handoff(tracker.sender_id, reason[:2000], channel_of(tracker))
        except BackendError:
            say(
                dispatcher,
                "抱歉，暂时没能接通人工服务，请稍后再说一次“转人工”。",
                buttons=[HUMAN],
                outcome="handoff",
            )
            return []
        again = just_handed_over(tracker)
        text = (
            "您的转人工请求已经登记，还在等待工作人员接手。"
            if again
            else "好的，已为您转人工，工作人员会尽快与您联系。"
        )
        say(dispatcher, f"{text}您也可以直接拨打热线：" if hotline else text, outcome="handoff")
        if hotline:
            say(dispatcher, hotline.text, citations=hotline.citations, outcome="handoff")
        return []


class ActionComfort(Action):  # type: ignore[misc]
    """Answers words of despair with care, and calls for a person."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_comfort"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Nothing is asked back: a person is what is needed."""
        say(
            dispatcher,
            "听到您这样说，我很担心您。眼下的难处再大，也请先照顾好自己，跟身边信得过的人说一说；"
            "如果有危险，请马上求助家人或紧急救援。企业的困难，我们请工作人员和您一起想办法。",
            buttons=[HUMAN],
            outcome="handoff",
        )
        return await ActionAskHuman().run(dispatcher, tracker, domain)


class ActionCancel(Action):  # type: ignore[misc]
    """Stops the form that is being filled; asks nothing twice."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_cancel"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Cancels and says so; a form that was put aside for this one goes on."""
        form = active_form(tracker)
        if form is None:
            number = slot(tracker, "last_number")
            if number:
                text = f"现在没有正在填写的内容。诉求 {number} 已经提交，如需撤回请说“撤回诉求”。"
                say(dispatcher, text, buttons=[STATUS, WITHDRAW, HUMAN], outcome="chitchat")
            else:
                say(
                    dispatcher,
                    "好的。现在没有正在填写的内容，需要时随时告诉我。",
                    buttons=MENU,
                    outcome="chitchat",
                )
            return []
        paused = slot(tracker, "paused_form")
        goes_on = paused is not None and paused != form
        known = await _filed_before(form, tracker)
        if known:
            say(
                dispatcher,
                f"这件诉求刚才已经提交成功，编号：{'、'.join(appeal.number for appeal in known)}。"
                "凭编号和登记的电话可以查询进度，如需撤回请说“撤回诉求”。",
                buttons=[STATUS, WITHDRAW, HUMAN],
                outcome="filed",
                card=known[0].card(),
            )
            kept = [SlotSet("last_number", known[-1].number), SlotSet("last_phone", slot(tracker, "phone"))]
            events = [ActiveLoop(None), SlotSet("requested_slot", None), *cleared(form), *kept]
            return events + (resumed(tracker) if goes_on else [SlotSet("paused_form", None)])
        said = _CANCELLED.get(form, "好的，已取消。") if known is not None else _CANCELLED_UNSEEN
        say(
            dispatcher,
            said + ("我们继续刚才的登记。" if goes_on else "需要时随时再告诉我。"),
            outcome=None if goes_on else "chitchat",
        )
        events = [ActiveLoop(None), SlotSet("requested_slot", None), *cleared(form)]
        return events + (resumed(tracker) if goes_on else [SlotSet("paused_form", None)])


async def _filed_before(form: str, tracker: Tracker) -> list[Appeal] | None:
    """What a form has filed in a turn that was lost before it was kept; None where nobody can tell now."""
    key = slot(tracker, "filing_key")
    if form != "appeal_form" or not key:
        return []
    try:
        return await backend().filed(key)
    except BackendError:
        return None


class ActionNoForm(Action):  # type: ignore[misc]
    """Answers a yes, a no or a correction when nothing was asked."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_no_form"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Says what can be done from here; more than a few words may be a question after all."""
        if active_form(tracker):
            return []
        turn, number = last_turn(tracker), slot(tracker, "last_number")
        about_the_filed = turn.intent == "correct" and number is not None
        if not turn.known and not about_the_filed and len(turn.text) > _A_FEW_WORDS:
            return await ActionAnswer().run(dispatcher, tracker, domain)
        if number and turn.intent == "affirm":
            text, buttons = f"诉求 {number} 已经提交成功，不用再次确认。可以随时来查询进度。", [STATUS]
        elif number and turn.intent == "correct":
            text = f"诉求 {number} 已经提交，这里不能再修改；如需更正，请转人工处理。"
            buttons = [HUMAN, STATUS]
        elif turn.intent == "deny":
            text, buttons = "好的。如果刚才的回答不合适，您可以换个说法再问一次，或者转人工。", MENU
        elif turn.intent == "correct":
            text, buttons = (
                "现在没有正在填写的内容可以修改。需要登记诉求的话，直接告诉我遇到了什么问题。",
                MENU,
            )
        else:
            text, buttons = "好的。请直接告诉我您想了解什么，或者遇到了什么困难。", MENU
        say(dispatcher, text, buttons=buttons, outcome="chitchat")
        return []


class ActionRepeat(Action):  # type: ignore[misc]
    """Says the last bubbles again; inside a form its question comes again by itself."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_repeat"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Repeats what was said to the message before."""
        if active_form(tracker):
            return []
        said: list[dict[str, Any]] = []
        for event in reversed(tracker.events[: _last_user_position(tracker)]):
            if event.get("event") == "user":
                break
            if event.get("event") == "bot" and event.get("text"):
                said.insert(0, event)
        if not said:
            say(
                dispatcher,
                "我们刚开始聊。请告诉我您想了解什么，或者遇到了什么困难。",
                buttons=MENU,
                outcome="chitchat",
            )
            return []
        for event in said:
            data = event.get("data") or {}
            custom = {
                **(data.get("custom") or {}),
                "outcome": (data.get("custom") or {}).get("outcome", "chitchat"),
            }
            dispatcher.utter_message(text=event["text"], buttons=data.get("buttons"), json_message=custom)
        return []


def _last_user_position(tracker: Tracker) -> int:
    for position in range(len(tracker.events) - 1, -1, -1):
        if tracker.events[position].get("event") == "user":
            return position
    return 0
