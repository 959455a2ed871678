"""What the actions read from a tracker and how they speak: one shape for both."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import client, recognition

KNOWN = 0.999
"""A confidence at or above it means that the message is one of the training examples, or a pressed button."""

LEVELS = {"simple": "简单问题", "single": "单一部门问题", "whistle": "吹哨问题"}

CANCEL = {"title": "取消", "payload": "/cancel"}
HUMAN = {"title": "转人工", "payload": "/ask_human"}
FILE = {"title": "提交诉求", "payload": "/file_appeal"}
STATUS = {"title": "查询进度", "payload": "/ask_status"}
WITHDRAW = {"title": "撤回诉求", "payload": "/withdraw"}
FEEDBACK = {"title": "评价办理结果", "payload": "/give_feedback"}
MENU = [FILE, STATUS, HUMAN]

UNAVAILABLE = "抱歉，系统暂时没有响应，请稍后再试，也可以直接转人工。"


@dataclass(frozen=True, slots=True)
class Turn:
    """The last message of a person, as far as actions need it.

    Attributes:
        text: As written, without control characters.
        intent: The intent's name; ``nlu_fallback`` where nothing was understood.
        confidence: Of the intent; see `KNOWN`.
        values: Entities of a pressed button, by name.
        pressed: Whether a button was pressed, or its payload typed.
    """

    text: str
    intent: str
    confidence: float
    values: dict[str, str]
    pressed: bool

    @property
    def known(self) -> bool:
        """Whether the message is a training example or a button."""
        return self.confidence >= KNOWN

    def means(self, *intents: str, least: float = 0.6, longest: int = 20) -> bool:
        """Whether one of the intents is certain enough: a known phrase, or a short and clear message."""
        if self.intent not in intents:
            return False
        return self.known or (self.confidence >= least and len(self.text) <= longest)


def last_turn(tracker: Tracker) -> Turn:
    """Reads the last message of a tracker."""
    return _turn(tracker.latest_message)


def _turn(message: dict[str, Any]) -> Turn:
    text = str(message.get("text") or "")
    intent = message.get("intent") or {}
    pressed = text.startswith("/")
    values = {}
    if pressed:
        values = {str(e["entity"]): str(e.get("value", "")) for e in message.get("entities") or []}
    return Turn(
        text=recognition.clean(text),
        intent=str(intent.get("name") or "nlu_fallback"),
        confidence=float(intent.get("confidence") or 0.0),
        values=values,
        pressed=pressed,
    )


def said_before(tracker: Tracker) -> list[Turn]:
    """The person's messages of this session before the last one, newest first."""
    turns: list[Turn] = []
    last_seen = False
    for event in reversed(tracker.events):
        if event.get("event") == "session_started":
            break
        if event.get("event") != "user":
            continue
        if not last_seen:
            last_seen = True
            continue
        turns.append(_turn({"text": event.get("text"), **(event.get("parse_data") or {})}))
    return turns


def last_offered(tracker: Tracker) -> list[dict[str, str]]:
    """The buttons below the last bubble that had any, in their order; none once something was chosen."""
    for event in reversed(tracker.events):
        if event.get("event") == "session_started":
            break
        if event.get("event") == "bot" and (buttons := (event.get("data") or {}).get("buttons")):
            return list(buttons)
    return []


def just_handed_over(tracker: Tracker) -> bool:
    """Whether the last thing that was said was that a person takes over."""
    for event in reversed(tracker.events):
        if event.get("event") == "bot":
            custom = (event.get("data") or {}).get("custom") or {}
            return bool(custom.get("outcome") == "handoff")
    return False


def active_form(tracker: Tracker) -> str | None:
    """The form that is being filled, if any."""
    name = (tracker.active_loop or {}).get("name")
    return str(name) if name else None


def slot(tracker: Tracker, name: str) -> str | None:
    """A text slot; blank counts as unset."""
    value = tracker.get_slot(name)
    return str(value) if value not in (None, "") else None


def say(
    dispatcher: CollectingDispatcher,
    text: str,
    *,
    buttons: Iterable[dict[str, str]] = (),
    outcome: str | None = None,
    citations: Iterable[client.Citation] = (),
    card: dict[str, Any] | None = None,
    entry: str | None = None,
) -> None:
    """Utters one bubble.

    Text and buttons go where every Rasa channel looks for them, the rest into ``custom``, from which
    `bot.engine` builds the reply. An outcome of None leaves the turn's outcome to what else was said.
    """
    custom: dict[str, Any] = {}
    if outcome:
        custom["outcome"] = outcome
    cited = [citation.model_dump() for citation in citations]
    if cited:
        custom["citations"] = cited
    if card:
        custom["card"] = card
    if entry:
        custom["entry"] = entry
    dispatcher.utter_message(text=text, buttons=list(buttons) or None, json_message=custom or None)


def say_reply(
    dispatcher: CollectingDispatcher, reply: client.Reply, *, extra: Iterable[dict[str, str]] = ()
) -> None:
    """Utters what the backend answered, as it is; extra buttons go below the last bubble."""
    for position, message in enumerate(reply.messages):
        last = position == len(reply.messages) - 1
        buttons = [button.model_dump() for button in message.buttons]
        present = {button["payload"] for button in buttons}
        if last:
            buttons += [button for button in extra if button["payload"] not in present]
        say(
            dispatcher,
            message.text,
            buttons=buttons,
            outcome=reply.outcome,
            citations=message.citations,
            card=message.card,
            entry=reply.entry if last else None,
        )


def channel_of(tracker: Tracker) -> str:
    """The door through which the last message came."""
    found = tracker.get_latest_input_channel()
    return found if found and re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", found) else "web"


def moment(text: str) -> str:
    """A moment in ISO 8601 the way people say it: 11月24日（周二）17:30."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    day = "一二三四五六日"[at.weekday()]
    return f"{at.month}月{at.day}日（周{day}）{at:%H:%M}"
