"""A reply for every message, with the bot and without it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from backend import errors
from backend.hotline import wording
from backend.hotline.bot_client import BotUnavailable
from backend.hotline.conversations import ConversationService
from backend.replies import Button, Citation, Message, Outcome, Reply

HOTLINE = Message(text="热线", citations=[Citation(document="d", section="s", entry="qt.hotline")])
NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


class Bot:
    def __init__(self) -> None:
        self.ready = True
        self.heard: list[tuple[str, str, str]] = []
        self.away: BotUnavailable | None = None
        self.outcome: Outcome = "chitchat"
        self.card: dict[str, str] | None = None
        self.hold: asyncio.Event | None = None
        self.finished = 0

    async def turn(self, sender: str, message: str, channel: str) -> Reply:
        self.heard.append((sender, message, channel))
        if self.hold is not None:
            await self.hold.wait()
        if self.away is not None:
            raise self.away
        self.finished += 1
        return Reply(messages=[Message(text=f"机器人：{message}", card=self.card)], outcome=self.outcome)


class Answers:
    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.outcome: Outcome = "answered"

    def answer(self, question: str, *, district: str | None = None, last_entry: str | None = None) -> Reply:
        self.asked.append((question, last_entry))
        buttons = [
            Button(title="提交诉求", payload="/file_appeal"),
            Button(title="转人工", payload="/ask_human"),
        ]
        return Reply(
            messages=[Message(text=f"知识：{question}", buttons=buttons)],
            outcome=self.outcome,
            entry="qt.first",
        )

    def answer_entry(self, entry_id: str, *, question: str = "") -> Reply:
        if entry_id != "qt.there":
            raise errors.NotFound("没有。")
        return Reply(messages=[Message(text="条目")], outcome="answered", entry=entry_id)


class Handoffs:
    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str]] = []
        self.broken = False

    async def record(self, sender: str, reason: str, channel: str) -> datetime:
        if self.broken:
            raise errors.Unavailable("忙。")
        self.calls.append((sender, reason, channel))
        return NOW


class UnansweredQuestions:
    def __init__(self) -> None:
        self.recorded: list[str] = []

    def record(self, question: str) -> None:
        self.recorded.append(question)


class Hotline:
    def hotline(self) -> Message | None:
        return HOTLINE


class Room:
    def __init__(self) -> None:
        self.bot = Bot()
        self.answers = Answers()
        self.handoffs = Handoffs()
        self.unanswered = UnansweredQuestions()
        self.service = ConversationService(self.bot, self.answers, self.handoffs, Hotline(), self.unanswered)

    async def say(self, message: str, sender: str = "s", key: str | None = None) -> Reply:
        return await self.service.talk(sender, message, "web", key)

    def bot_away(self, *, uncertain: bool = False) -> None:
        self.bot.away = BotUnavailable("away", uncertain=uncertain)


@pytest.fixture
def room() -> Room:
    return Room()


def texts(reply: Reply) -> str:
    return "\n".join(message.text for message in reply.messages)


def payloads(reply: Reply) -> list[str]:
    return [button.payload for message in reply.messages for button in message.buttons]


async def test_the_bot_answers_when_it_is_there(room: Room) -> None:
    reply = await room.say("你好")
    assert texts(reply) == "机器人：你好"
    assert room.bot.heard == [("s", "你好", "web")]
    assert room.answers.asked == []


async def test_a_form_button_pressed_in_a_chat_starts_the_dialogue(room: Room) -> None:
    await room.say("/open_appeal_form")
    await room.say("/open_lookup_form")
    assert [heard[1] for heard in room.bot.heard] == ["/file_appeal", "/ask_status"]


async def test_without_the_bot_a_question_is_answered_and_the_outage_told_once(room: Room) -> None:
    room.bot_away()
    first = await room.say("热线电话是多少")
    assert first.outcome == "answered"
    assert "知识：热线电话是多少" in texts(first)
    assert wording.AWAY in texts(first)
    second = await room.say("地址呢")
    assert wording.AWAY not in texts(second)
    assert room.answers.asked == [("热线电话是多少", None), ("地址呢", "qt.first")]


async def test_what_was_uncertain_or_courteous_has_not_told_of_the_outage(room: Room) -> None:
    room.bot_away(uncertain=True)
    await room.say("确认提交")
    room.bot_away()
    await room.say("谢谢")
    assert wording.AWAY in texts(await room.say("热线电话是多少"))
    await room.say("谢谢")
    assert wording.AWAY not in texts(await room.say("地址呢"))


async def test_what_offers_the_forms_has_told_of_the_outage(room: Room) -> None:
    room.bot_away()
    await room.say("我要提交诉求")
    assert wording.AWAY not in texts(await room.say("热线电话是多少"))


async def test_the_outage_is_told_again_after_the_bot_was_back(room: Room) -> None:
    room.bot_away()
    await room.say("问题一")
    room.bot.away = None
    await room.say("问题二")
    room.bot_away()
    assert wording.AWAY in texts(await room.say("问题三"))


async def test_buttons_that_begin_a_dialogue_become_forms(room: Room) -> None:
    room.bot_away()
    reply = await room.say("某个问题")
    assert "/file_appeal" not in payloads(reply)
    assert wording.OPEN_APPEAL_FORM in payloads(reply)


async def test_a_question_back_keeps_its_buttons_last(room: Room) -> None:
    room.bot_away()
    room.answers.outcome = "clarifying"
    reply = await room.say("某个问题")
    assert reply.messages[0].text == wording.AWAY
    assert [button.title for button in reply.messages[-1].buttons] == ["提交诉求", "转人工"]


@pytest.mark.parametrize(
    "message", ["/file_appeal", "我要提交诉求", "/open_appeal_form", "/ask_status", "查询诉求进度"]
)
async def test_what_needs_a_dialogue_is_offered_as_a_form(room: Room, message: str) -> None:
    room.bot_away()
    reply = await room.say(message)
    assert reply.outcome == "form"
    assert payloads(reply) == [wording.OPEN_APPEAL_FORM, wording.OPEN_LOOKUP_FORM]
    assert room.answers.asked == []


async def test_a_pressed_candidate_is_answered(room: Room) -> None:
    room.bot_away()
    reply = await room.say('/choose_entry{"entry_id": "qt.there"}')
    assert reply.outcome == "answered"
    assert reply.entry == "qt.there"


@pytest.mark.parametrize(
    "message", ['/choose_entry{"entry_id": "qt.gone"}', '/choose_entry{"entry_id": 5}', "/choose_entry"]
)
async def test_a_candidate_that_is_not_there_is_no_error(room: Room, message: str) -> None:
    room.bot_away()
    assert (await room.say(message)).messages


async def test_a_person_is_called_and_the_hotline_named(room: Room) -> None:
    room.bot_away()
    reply = await room.say("转人工")
    assert reply.outcome == "handoff"
    assert room.handoffs.calls == [("s", "", "web")]
    assert reply.messages[-1] == HOTLINE


async def test_a_call_that_cannot_be_kept_still_names_the_hotline(room: Room) -> None:
    room.bot_away()
    room.handoffs.broken = True
    reply = await room.say("转人工")
    assert wording.HUMAN_NOT_RECORDED in texts(reply)
    assert reply.messages[-1] == HOTLINE


async def test_in_the_middle_of_a_form_nothing_is_answered_wrongly(room: Room) -> None:
    room.bot.outcome = "form"
    await room.say("我要提交诉求")
    room.bot_away()
    for answer in ("杭州某某科技有限公司", "13800000000", "确认", "取消", "/affirm", "白杨街道"):
        reply = await room.say(answer)
        assert texts(reply) == wording.FORM
        assert reply.outcome == "form"


async def test_a_question_in_the_middle_of_a_form_is_answered(room: Room) -> None:
    room.bot.outcome = "form"
    await room.say("我要提交诉求")
    room.bot_away()
    assert "知识：热线电话是多少" in texts(await room.say("热线电话是多少"))
    assert texts(await room.say("13800000000")) == wording.FORM


async def test_a_form_that_was_only_offered_is_not_spoken_of_as_begun(room: Room) -> None:
    room.bot_away()
    await room.say("我要提交诉求")
    assert texts(await room.say("厂房漏水")) != wording.FORM


async def test_a_turn_that_may_have_been_taken_is_not_answered_as_if_it_had_not(room: Room) -> None:
    room.bot_away(uncertain=True)
    reply = await room.say("确认提交")
    assert texts(reply) == wording.UNCERTAIN
    assert room.answers.asked == []


async def test_the_same_key_is_taken_once(room: Room) -> None:
    first = await room.say("你好", key="k")
    second = await room.say("你好", key="k")
    assert first == second
    assert len(room.bot.heard) == 1


async def test_the_same_key_at_the_same_time_is_taken_once(room: Room) -> None:
    room.bot.hold = asyncio.Event()
    both = asyncio.gather(room.say("你好", key="k"), room.say("你好", key="k"))
    await asyncio.sleep(0)
    room.bot.hold.set()
    first, second = await both
    assert first == second
    assert len(room.bot.heard) == 1


async def test_a_key_belongs_to_one_message_of_one_sender(room: Room) -> None:
    await room.say("你好", key="k")
    with pytest.raises(errors.Conflict):
        await room.say("再见", key="k")
    assert texts(await room.say("再见", sender="other", key="k")) == "机器人：再见"


async def test_a_key_answered_without_the_bot_can_be_sent_again(room: Room) -> None:
    room.bot_away()
    await room.say("我要提交诉求", key="k")
    room.bot.away = None
    assert texts(await room.say("我要提交诉求", key="k")) == "机器人：我要提交诉求"


async def test_a_key_of_an_uncertain_turn_is_not_taken_again(room: Room) -> None:
    room.bot_away(uncertain=True)
    await room.say("确认", key="k")
    room.bot.away = None
    assert texts(await room.say("确认", key="k")) == wording.UNCERTAIN
    assert len(room.bot.heard) == 1


async def test_a_turn_is_finished_when_nobody_waits(room: Room) -> None:
    room.bot.hold = asyncio.Event()
    waiting = asyncio.create_task(room.say("确认提交"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    room.bot.hold.set()
    await room.service.finish()
    assert room.bot.finished == 1


@pytest.mark.parametrize("bot_is_there", [True, False])
async def test_a_question_without_an_answer_is_recorded(room: Room, bot_is_there: bool) -> None:
    room.bot.outcome = room.answers.outcome = "unanswered"
    if not bot_is_there:
        room.bot_away()
    await room.say("红烧肉怎么做", key="k")
    await room.say("红烧肉怎么做", key="k" if bot_is_there else None)
    assert room.unanswered.recorded == ["红烧肉怎么做"] * (1 if bot_is_there else 2)


@pytest.mark.parametrize("outcome", ["answered", "clarifying", "form", "filed", "handoff", "chitchat"])
@pytest.mark.parametrize("bot_is_there", [True, False])
async def test_what_was_answered_otherwise_is_not_recorded(
    room: Room, outcome: Outcome, bot_is_there: bool
) -> None:
    room.bot.outcome = room.answers.outcome = outcome
    if not bot_is_there:
        room.bot_away()
    await room.say("红烧肉怎么做")
    assert room.unanswered.recorded == []


@pytest.mark.parametrize(
    "message", ["/choose_entry", '/choose_entry{"entry_id": "qt.gone"}', '/x{"half', "QT20261121-0042 到哪了"]
)
async def test_buttons_and_look_ups_are_not_recorded(room: Room, message: str) -> None:
    room.bot.outcome = "unanswered"
    await room.say(message)
    assert room.unanswered.recorded == []


async def test_what_stands_in_a_form_is_not_recorded(room: Room) -> None:
    room.bot.outcome = "form"
    await room.say("我要提交诉求")
    room.bot.outcome = "unanswered"
    await room.say("红烧肉怎么做")
    room.bot.outcome = "answered"
    await room.say("热线电话是多少")
    room.bot.outcome = "unanswered"
    await room.say("杭州某某科技有限公司")
    room.answers.outcome = "unanswered"
    room.bot_away()
    await room.say("王小明")
    room.bot.away = None
    await room.say("13800000001")
    assert room.unanswered.recorded == []


@pytest.mark.parametrize(
    ("outcome", "card"), [("filed", None), ("chitchat", None), ("answered", {"type": "appeal"})]
)
async def test_questions_after_a_form_are_recorded(
    room: Room, outcome: Outcome, card: dict[str, str] | None
) -> None:
    room.bot.outcome = "form"
    await room.say("我要提交诉求")
    room.bot.outcome, room.bot.card = outcome, card
    await room.say("确认")
    room.bot.outcome, room.bot.card = "unanswered", None
    await room.say("红烧肉怎么做")
    assert room.unanswered.recorded == ["红烧肉怎么做"]


async def test_another_persons_form_does_not_matter(room: Room) -> None:
    room.bot.outcome = "form"
    await room.say("我要提交诉求", sender="other")
    room.bot.outcome = "unanswered"
    await room.say("红烧肉怎么做")
    assert room.unanswered.recorded == ["红烧肉怎么做"]
