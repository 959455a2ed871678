"""Questions: the backend's knowledge search alone decides whether to answer, to ask back or to refuse."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import recognition, routing
from actions.client import BackendError, Reply, backend
from actions.conversation import (
    FILE,
    HUMAN,
    MENU,
    UNAVAILABLE,
    Turn,
    active_form,
    just_handed_over,
    last_turn,
    moment,
    say,
    say_reply,
    slot,
)

_SURE_OUT_OF_SCOPE = 0.7
_SURE_QUESTION = 0.8
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
        if active_form(tracker) is not None:
            if active_form(tracker) == "appeal_form" and await _say_of_this_appeal(turn, tracker, dispatcher):
                return []
            reply = await _ask(turn, tracker, dispatcher)
            if reply is None:
                return []
            say_reply(dispatcher, reply)
            return _remember(reply, None)
        if _ABOUT_THE_APPEAL.fullmatch(recognition.squeeze(turn.text)) and _shows_an_appeal(tracker):
            return [FollowupAction("action_open_status")]
        if slot(tracker, "last_entry") is None and _BARE_FOLLOW_UP.fullmatch(recognition.squeeze(turn.text)):
            text = "请问您想了解的是哪一件事？请把事情和问题一起说，例如“食品经营许可证在哪里办”。"
            say(dispatcher, text, buttons=MENU, outcome="clarifying")
            return []
        if await opens_a_filing(turn):
            return [FollowupAction("action_open_appeal")]
        return await self._answered(turn, tracker, dispatcher)

    async def _answered(
        self, turn: Turn, tracker: Tracker, dispatcher: CollectingDispatcher
    ) -> list[EventType]:
        reply = await _ask(turn, tracker, dispatcher)
        if reply is None:
            return [SlotSet("last_question", turn.text)]
        told = recognition.described_problem(turn.text) is not None
        trouble = told and routing.tells_trouble(turn.text)
        if reply.outcome == "unanswered" and turn.intent == "file_appeal" and trouble:
            # a problem in the shape of a question, to which there is no answer
            return [FollowupAction("action_open_appeal")]
        wanted = turn.intent == "file_appeal" or trouble
        extra = [{"title": "仍要提交诉求", "payload": FILE["payload"]}] if wanted else []
        say_reply(dispatcher, reply, extra=extra)
        if reply.outcome != "answered" and told and (trouble or await _may_be_a_problem(turn)):
            text = "如果您是在反映问题，我可以直接帮您登记成诉求，您刚才说的内容会保留。"
            say(dispatcher, text, buttons=[FILE])
        events = _remember(reply, turn.text if wanted or reply.outcome != "answered" else None)
        # what is asked next is not about the entry before the question that had no answer
        nothing_found = reply.outcome == "unanswered" and reply.entry is None
        return [*events, SlotSet("last_entry", None)] if nothing_found else events


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
        if active_form(tracker) is None and await opens_a_filing(turn):
            return [FollowupAction("action_open_appeal")]
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
        return await answer_entry(entry, dispatcher)


async def answer_entry(entry: str, dispatcher: CollectingDispatcher) -> list[EventType]:
    """Answers from one entry, and remembers it for follow-up questions."""
    return await _say_found(backend().answer_entry(entry), dispatcher)


async def answer_text(question: str, dispatcher: CollectingDispatcher) -> list[EventType]:
    """Answers the question that a button holds as text."""
    return await _say_found(backend().answer(question), dispatcher)


async def _say_found(asked: Awaitable[Reply], dispatcher: CollectingDispatcher) -> list[EventType]:
    try:
        reply = await asked
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
        if recognition.described_problem(turn.text) and (
            routing.tells_trouble(turn.text) or recognition.asks_for_a_deed(turn.text)
        ):
            return [FollowupAction("action_open_appeal")]
        if {"phone", "person"} & details and just_handed_over(tracker):
            text = (
                "好的，收到您的联系方式。着急的话请直接拨打上面的热线；需要登记成诉求时，会带上您的联系方式。"
            )
            say(dispatcher, text, buttons=[FILE], outcome="handoff")
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


_FOLLOWED = (
    "在哪里?|去哪里?|到哪里?|哪里|哪儿|在哪儿|地址|地点|窗口|材料|资料|东西|条件|要求|门槛|费用|收费|免费|钱|多少钱|时间|期限|多久|多长时间|几天|"
    "什么时候|流程|怎么办理?|怎么申请|网上|线上|网址|出处|来源|依据"
)
_BARE_FOLLOW_UP = re.compile(
    rf"(?:那么?|这个|那个|它|要|需要|得|准备|提交|带|有|请问|大概|具体|能|可以|是)*(?:什么|哪些|啥|多少|几|哪个)?(?:{_FOLLOWED})"
    r"(?:办理?|申请|交|领)?(?:能?好|完|下来)?(?:吗|呢|呀|啊|的|不|是什么|是多少|有哪些)*"
)
"""A question that names no matter: only what is wanted of one that was spoken of before."""


_ABOUT_THE_APPEAL = re.compile(
    r"(?:那|请问|大概|这个|这件事?|我们?的?|一般|现在|到底|能|可以|会)*"
    r"(?:(?:要|需要|还要|得)?(?:多久|几天|多长时间|什么时候|何时)(?:才|内|之内)?(?:能|可以|会|有)?(?:办好|办完|办结|解决|处理好?|答复|回复|结果|修好|弄好)?|"
    r"(?:归|是|由|转给)?(?:哪个部门|谁|哪个单位)(?:来|在)?(?:管|办|负责|处理|牵头)?的?|加急|快点|尽快办)(?:吗|呢|呀|啊|的)*"
)
"""A question about the appeal that is being written down or was just shown, rather than about a matter."""


async def _say_of_this_appeal(turn: Turn, tracker: Tracker, dispatcher: CollectingDispatcher) -> bool:
    """Says who would handle the appeal that is being written down, and by when; False where nobody asked."""
    description = slot(tracker, "description")
    if description is None or not _ABOUT_THE_APPEAL.fullmatch(recognition.squeeze(turn.text)):
        return False
    try:
        problem = (await backend().triage(description, None))[0]
        due = await backend().due_at(problem.level, datetime.now(UTC).isoformat(timespec="seconds"))
    except (BackendError, IndexError):
        return False
    led = "由平台、街道牵头办理" if problem.level == "whistle" else f"初步判断由{problem.lead_department}办理"
    by = f"，现在提交的话，{moment(due)}前答复您" if due else ""
    say(dispatcher, f"您这件诉求{led}{by}。着急的话，可以在诉求内容里写明情况，或者转人工说明。")
    return True


def _shows_an_appeal(tracker: Tracker) -> bool:
    """Whether the last thing that was shown is a filed appeal."""
    for event in reversed(tracker.events):
        if event.get("event") == "bot":
            card = ((event.get("data") or {}).get("custom") or {}).get("card") or {}
            return card.get("type") == "appeal"
    return False


async def opens_a_filing(turn: Turn) -> bool:
    """Whether a message that is not known to file an appeal tells of a trouble that triage can place."""
    if turn.pressed or turn.known or recognition.looks_like_question(turn.text):
        return False
    if turn.intent == "ask" and turn.confidence >= _SURE_QUESTION:
        return False
    if not routing.tells_trouble(turn.text) or recognition.described_problem(turn.text) is None:
        return False
    return await routing.is_placed(turn.text)


async def _may_be_a_problem(turn: Turn) -> bool:
    if recognition.looks_like_question(turn.text):
        return recognition.asks_for_a_deed(turn.text)
    return len(recognition.squeeze(turn.text)) >= _LONG_ENOUGH or await routing.is_placed(turn.text)


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
