"""One message in, one reply out, whatever runs at the moment.

With the bot there, it answers. Without it, questions are answered from the knowledge base, everything that
needs a dialogue is offered as a form, and the reply says so.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from backend import errors
from backend.hotline import wording
from backend.hotline.aside import Aside
from backend.hotline.bot_client import BotPort, BotUnavailable
from backend.hotline.memory import Recent
from backend.replies import Button, Message, Outcome, Reply

log = logging.getLogger(__name__)


class AnswerPort(Protocol):
    """What conversations need of the knowledge base."""

    def answer(self, question: str, *, district: str | None = None, last_entry: str | None = None) -> Reply:
        """Answers a question, asks back, or refuses."""

    def answer_entry(self, entry_id: str, *, question: str = "") -> Reply:
        """Answers from one entry that was chosen.

        Raises:
            NotFound: There is no such entry.
        """


class HandoffPort(Protocol):
    """Where it is kept that a person is wanted."""

    async def record(self, sender: str, reason: str, channel: str) -> datetime:
        """Keeps one call for a person, and returns when it was kept."""


class UnansweredPort(Protocol):
    """Where it is kept which questions had no answer."""

    def record(self, question: str) -> None:
        """Takes a question to be kept; returns at once and raises nothing."""


class HotlinePort(Protocol):
    """Which hotline to name."""

    def hotline(self) -> Message | None:
        """The home district's hotline as the knowledge base has it, with its source."""


@dataclass(frozen=True)
class _Talk:
    """What is remembered of one conversation between two messages.

    Attributes:
        entry: What was answered last, for follow-up questions.
        in_form: Whether the bot was asking for a form's fields when it was last heard; an outage does not end
            that.
        filling: Whether a form may still be open; unlike ``in_form``, a question in between does not end it.
        told: Whether the person has been told that the bot is away.
    """

    entry: str | None = None
    in_form: bool = False
    filling: bool = False
    told: bool = False


@dataclass(frozen=True)
class _Turn:
    message: str
    reply: asyncio.Task[Reply]


class ConversationService:
    """Answers messages."""

    def __init__(
        self,
        bot: BotPort,
        answers: AnswerPort,
        handoffs: HandoffPort,
        hotline: HotlinePort,
        unanswered: UnansweredPort,
        aside: Aside | None = None,
    ) -> None:
        self._bot = bot
        self._answers = answers
        self._handoffs = handoffs
        self._hotline = hotline
        self._unanswered = unanswered
        self._aside = aside or Aside()
        self._talks: Recent[str, _Talk] = Recent(10_000, 3600)
        self._turns: Recent[tuple[str, str], _Turn] = Recent(2_000, 600)
        self._running: set[asyncio.Task[Reply]] = set()

    @property
    def running(self) -> int:
        """How many messages are being answered now."""
        return len(self._running)

    @property
    def bot_ready(self) -> bool:
        """Whether the dialogue engine answered when it was last asked."""
        return self._bot.ready

    async def talk(
        self, sender: str, message: str, channel: str, idempotency_key: str | None = None
    ) -> Reply:
        """Answers one message; a turn that has begun is finished even if nobody waits for it any more.

        Args:
            sender: Stable id of who speaks.
            message: Cleaned text, not blank, or a button's payload.
            channel: Through which door.
            idempotency_key: The caller's id of this message: sent again with it, the message is not taken a
                second time, and the same reply is given. Kept for ten minutes, the last 2,000 of them.

        Returns:
            The reply, never without a message.

        Raises:
            Conflict: The key was used for another message.
        """
        if idempotency_key is None:
            return await asyncio.shield(self._start(sender, message, channel, None))
        turn = self._turns.get((sender, idempotency_key))
        if turn is None:
            turn = _Turn(message, self._start(sender, message, channel, idempotency_key))
            self._turns.set((sender, idempotency_key), turn)
        elif turn.message != message:
            raise errors.Conflict("这个请求编号已用于另一条消息，请换一个编号再发。", field="idempotency_key")
        return await asyncio.shield(turn.reply)

    async def finish(self) -> None:
        """Waits until every turn that has begun is finished."""
        if self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    def _start(self, sender: str, message: str, channel: str, key: str | None) -> asyncio.Task[Reply]:
        task = asyncio.create_task(self._answer(sender, message, channel, key))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _answer(self, sender: str, message: str, channel: str, key: str | None) -> Reply:
        talk = self._talks.get(sender) or _Talk()
        try:
            reply = await self._bot.turn(sender, wording.BOT_PAYLOADS.get(message, message), channel)
            in_form, told = reply.outcome == "form", False
            filling = _is_filling(reply, talk)
        except BotUnavailable as away:
            reply = await self._answer_alone(sender, message, channel, talk, uncertain=away.uncertain)
            said = any(wording.tells_of_the_outage(part.text) for part in reply.messages)
            in_form, told = talk.in_form, talk.told or said
            filling = talk.filling
            if key is not None and not away.uncertain:
                # the engine never saw it: sent again, it is to be taken
                self._turns.forget((sender, key))
        self._talks.set(sender, _Talk(reply.entry or _cited(reply) or talk.entry, in_form, filling, told))
        if reply.outcome == "unanswered" and not talk.filling and _is_question(message):
            self._unanswered.record(message)
        return reply

    async def _answer_alone(
        self, sender: str, message: str, channel: str, talk: _Talk, *, uncertain: bool
    ) -> Reply:
        if uncertain:
            return self._say("clarifying", wording.UNCERTAIN, talk, forms=True)
        wish = wording.wish(message)
        if wish == "file":
            return self._say("form", wording.FILE, talk, forms=True)
        if wish == "status":
            return self._say("form", wording.STATUS, talk, forms=True)
        if wish == "human":
            return await self._call_a_person(sender, channel)
        if wish == "greeting":
            return self._say("chitchat", wording.GREETING, talk, forms=True)
        if wish == "thanks":
            return self._say("chitchat", wording.THANKS, talk, forms=False)
        return await self._from_knowledge(message, wish, talk)

    async def _from_knowledge(self, message: str, wish: wording.Wish, talk: _Talk) -> Reply:
        pressed = wording.payload(message)
        if pressed is not None:
            entry = pressed[1].get("entry_id")
            if wish != "entry" or not isinstance(entry, str):
                return self._say("form", wording.FORM, talk, forms=True)
            try:
                reply = self._answers.answer_entry(entry)
            except errors.NotFound:
                return self._say("clarifying", wording.AWAY, talk, forms=True)
        else:
            if talk.in_form and not wording.asks(message):
                return self._say("form", wording.FORM, talk, forms=True)
            reply = await self._aside.run(self._answers.answer, message, last_entry=talk.entry)
            if talk.in_form and reply.outcome != "answered":
                return self._say("form", wording.FORM, talk, forms=True)
        messages = [_with_forms(part) for part in reply.messages]
        if not talk.told:
            # pages offer the buttons of the last message: those of a question back must not be hidden
            if reply.outcome == "answered":
                messages = [*messages, Message(text=wording.AWAY, buttons=_form_buttons())]
            else:
                messages = [Message(text=wording.AWAY), *messages]
        return reply.model_copy(update={"messages": messages})

    async def _call_a_person(self, sender: str, channel: str) -> Reply:
        try:
            await self._handoffs.record(sender, "", channel)
            text = wording.HUMAN
        except Exception:
            log.exception("handoff was not recorded")
            text = wording.HUMAN_NOT_RECORDED
        messages = [Message(text=text)]
        hotline = self._hotline.hotline()
        if hotline is not None:
            messages.append(hotline)
        return Reply(messages=messages, outcome="handoff")

    def _say(self, outcome: Outcome, text: str, talk: _Talk, *, forms: bool) -> Reply:
        buttons = _form_buttons() if forms else []
        return Reply(messages=[Message(text=text, buttons=buttons)], outcome=outcome, entry=talk.entry)


def _is_question(message: str) -> bool:
    """Whether a message was typed, and is no wish to file, to look up or to be called."""
    return not message.startswith("/") and wording.wish(message) == "other"


def _is_filling(reply: Reply, talk: _Talk) -> bool:
    """Whether a form may be open after a reply of the bot; on the safe side, what it asks for is private."""
    if reply.outcome == "form":
        return True
    ended = reply.outcome in ("filed", "chitchat") or any(
        part.card is not None and part.card.get("type") == "appeal" for part in reply.messages
    )
    return talk.filling and not ended


def _form_buttons() -> list[Button]:
    return [
        Button(title=wording.FILE_TITLE, payload=wording.OPEN_APPEAL_FORM),
        Button(title=wording.STATUS_TITLE, payload=wording.OPEN_LOOKUP_FORM),
    ]


def _with_forms(message: Message) -> Message:
    buttons = [
        Button(title=button.title, payload=wording.FORM_PAYLOADS.get(button.payload, button.payload))
        for button in message.buttons
    ]
    return message.model_copy(update={"buttons": buttons})


def _cited(reply: Reply) -> str | None:
    """The entry that an answer rests on, where the reply does not name it."""
    if reply.outcome != "answered":
        return None
    return next((citation.entry for part in reply.messages for citation in part.citations), None)
