"""Questions: the backend's knowledge search alone decides whether to answer, to ask back or to refuse."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import recognition
from actions.client import BackendError, Reply, backend
from actions.conversation import (
    FILE,
    HUMAN,
    MENU,
    UNAVAILABLE,
    Turn,
    active_form,
    last_turn,
    say,
    say_reply,
    slot,
)

_SURE_OUT_OF_SCOPE = 0.7
_LONG_ENOUGH = 12
_OURS = "我是企业服务助手，只能回答企业服务方面的问题。"


class ActionAnswer(Action):  # type: ignore[misc]
    """Answers the last message from the knowledge base."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_answer"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Asks the backend, says its reply, and remembers the entry for follow-up questions."""
        turn = last_turn(tracker)
        if turn.pressed or not recognition.squeeze(turn.text):
            say(
                dispatcher,
                "请直接用一句话告诉我您想了解什么，或者遇到了什么困难。",
                buttons=MENU,
                outcome="clarifying",
            )
            return []
        reply = await _ask(turn, tracker, dispatcher)
        if reply is None:
            return [SlotSet("last_question", turn.text)]
        instead_of_filing = turn.intent == "file_appeal" and active_form(tracker) is None
        extra = [{"title": "仍要提交诉求", "payload": FILE["payload"]}] if instead_of_filing else []
        say_reply(dispatcher, reply, extra=extra)
        if reply.outcome != "answered" and active_form(tracker) is None and _reads_like_a_problem(turn.text):
            say(dispatcher, "如果您是在反映问题，我可以直接帮您登记成诉求。", buttons=[FILE])
        return _remember(reply, turn.text if instead_of_filing or reply.outcome != "answered" else None)


class ActionOutOfScope(Action):  # type: ignore[misc]
    """Says honestly that a request is not our work, unless the knowledge base knows better."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_out_of_scope"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Lets the knowledge base answer; anything but an answer is a refusal that names our work."""
        turn = last_turn(tracker)
        reply = await _ask(turn, tracker, dispatcher)
        if reply is None:
            return []
        if reply.outcome == "answered" or (
            reply.outcome == "clarifying" and turn.confidence < _SURE_OUT_OF_SCOPE
        ):
            say_reply(dispatcher, reply)
            return _remember(reply, turn.text if reply.outcome != "answered" else None)
        if reply.outcome == "unanswered":
            first, *others = reply.messages
            told = first.model_copy(update={"text": f"{_OURS}{first.text}"})
            say_reply(dispatcher, reply.model_copy(update={"messages": [told, *others]}))
        else:
            say(
                dispatcher,
                f"抱歉，{_OURS}这个问题在已收录的资料里没有查到，需要的话可以转人工。",
                buttons=[HUMAN],
                outcome="unanswered",
            )
        return [SlotSet("last_question", None)]


class ActionChooseEntry(Action):  # type: ignore[misc]
    """Answers from the candidate that was pressed."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_choose_entry"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Answers from the entry that the button names."""
        entry = last_turn(tracker).values.get("entry_id")
        if not entry:
            say(dispatcher, "没有看清您选的是哪一条，请再说一次您的问题。", outcome="clarifying")
            return []
        try:
            reply = await backend().answer_entry(entry)
        except BackendError as error:
            text = error.sentence if error.is_refusal else ""
            say(dispatcher, text or UNAVAILABLE, buttons=[HUMAN], outcome="unanswered")
            return []
        say_reply(dispatcher, reply)
        return _remember(reply, None)


class ActionAcknowledge(Action):  # type: ignore[misc]
    """Takes note of a piece of information that nobody asked for."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_acknowledge"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Asks what is wanted; what reads like a question, or holds no known detail, is answered instead."""
        turn = last_turn(tracker)
        details = {span.kind for span in recognition.spans(turn.text)}
        if not turn.pressed and (recognition.looks_like_question(turn.text) or not (details or turn.known)):
            return await ActionAnswer().run(dispatcher, tracker, domain)
        if active_form(tracker):
            return []
        if "appeal_number" in details:
            text, buttons = "收到编号。请问是要查询办理进度，还是评价办理结果？", _ABOUT_NUMBER
        else:
            text, buttons = "好的，记下了。请问您是要咨询问题，还是有困难需要登记成诉求？", MENU
        say(dispatcher, text, buttons=buttons, outcome="clarifying")
        return []


_ABOUT_NUMBER = [
    {"title": "查询进度", "payload": "/ask_status"},
    {"title": "评价办理结果", "payload": "/give_feedback"},
]


def _reads_like_a_problem(text: str) -> bool:
    return len(recognition.squeeze(text)) >= _LONG_ENOUGH and not recognition.looks_like_question(text)


async def _ask(turn: Turn, tracker: Tracker, dispatcher: CollectingDispatcher) -> Reply | None:
    try:
        return await backend().answer(turn.text, last_entry=slot(tracker, "last_entry"))
    except BackendError as error:
        text = error.sentence if error.is_refusal else ""
        say(dispatcher, text or UNAVAILABLE, buttons=[HUMAN, FILE], outcome="unanswered")
        return None


def _remember(reply: Reply, question: str | None) -> list[EventType]:
    events: list[EventType] = [SlotSet("last_question", question)]
    if reply.entry:
        events.append(SlotSet("last_entry", reply.entry))
    return events
