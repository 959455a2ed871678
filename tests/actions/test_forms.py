"""The form validations on hand-made trackers."""

from __future__ import annotations

from typing import Any

import pytest
from fake_backend import FakeBackend
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.appeals import ActionFileAppeal, ActionPrepareAppeal, ValidateAppealForm
from actions.people import ActionCancel
from actions.progress import ActionGiveFeedback, ActionPrepareStatus, ActionShowStatus, ValidateFeedbackForm

CONTACT = {"enterprise": "杭州示例有限公司", "contact": "王芳", "phone": "13800001111", "territory": "不清楚"}


def tracker(
    text: str = "",
    intent: str = "inform",
    confidence: float = 0.9,
    *,
    slots: dict[str, Any] | None = None,
    form: str | None = None,
    asked: str | None = None,
    earlier: list[dict[str, Any]] | None = None,
) -> Tracker:
    message = {"text": text, "intent": {"name": intent, "confidence": confidence}, "entities": []}
    event = {"event": "user", "text": text, "parse_data": message, "input_channel": "web"}
    return Tracker(
        sender_id="s1",
        slots={**(slots or {}), "requested_slot": asked},
        latest_message=message,
        events=[*(earlier or []), event],
        paused=False,
        followup_action=None,
        active_loop={"name": form} if form else {},
        latest_action_name="action_listen",
    )


def filled(events: list[dict[str, Any]]) -> dict[str, Any]:
    return {event["name"]: event["value"] for event in events if event["event"] == "slot"}


async def validated(form: Any, state: Tracker) -> tuple[dict[str, Any], list[str]]:
    dispatcher = CollectingDispatcher()
    events = await form.run(dispatcher, state, {})
    return filled(events), [message["text"] for message in dispatcher.messages]


async def test_nothing_is_heard_before_something_is_asked(fake_backend: FakeBackend) -> None:
    slots, said = await validated(ValidateAppealForm(), tracker("杭州示例有限公司", form="appeal_form"))
    assert (slots, said) == ({}, [])


async def test_one_message_fills_several_slots(fake_backend: FakeBackend) -> None:
    state = tracker("我们是杭州示例有限公司，联系人王芳，13800001111", form="appeal_form", asked="enterprise")
    slots, said = await validated(ValidateAppealForm(), state)
    assert slots == {"enterprise": "杭州示例有限公司", "contact": "王芳", "phone": "13800001111"}
    assert said == []


@pytest.mark.parametrize(
    "text",
    ["王芳，13800001111，东湖街道", "王芳 13800001111，东湖街道", "联系人王芳，电话13800001111，在东湖街道"],
)
async def test_a_list_of_details_answers_what_is_asked_too(text: str, fake_backend: FakeBackend) -> None:
    state = tracker(text, form="appeal_form", asked="contact")
    slots, _ = await validated(ValidateAppealForm(), state)
    assert slots == {"contact": "王芳", "phone": "13800001111", "territory": "东湖街道"}


async def test_a_question_leaves_the_form_untouched(fake_backend: FakeBackend) -> None:
    state = tracker("热线电话多少", "ask", form="appeal_form", asked="contact")
    assert await validated(ValidateAppealForm(), state) == ({}, [])


@pytest.mark.parametrize(
    "text",
    ["什么是高新企业", "请问你们周六上班吗", "谢谢你们上次的帮忙，但是路又坏了", "我要人工审核的流程快一点"],
)
async def test_a_description_may_look_like_anything(text: str, fake_backend: FakeBackend) -> None:
    state = tracker(text, "ask", 0.99, form="appeal_form", asked="description")
    slots, _ = await validated(ValidateAppealForm(), state)
    assert slots["description"] == text


async def test_a_forged_button_fills_no_foreign_slot(fake_backend: FakeBackend) -> None:
    state = tracker("/inform", "inform", 1.0, form="appeal_form", asked="contact")
    state.latest_message["entities"] = [
        {"entity": "filing_key", "value": "x"},
        {"entity": "territory", "value": "东湖街道"},
    ]
    slots, _ = await validated(ValidateAppealForm(), state)
    assert slots == {"territory": "东湖街道"}


async def test_a_button_s_value_is_checked_too(fake_backend: FakeBackend) -> None:
    state = tracker("/inform", "inform", 1.0, form="appeal_form", asked="territory")
    state.latest_message["entities"] = [{"entity": "territory", "value": "火星街道"}]
    slots, said = await validated(ValidateAppealForm(), state)
    assert slots == {"territory": None}
    assert "没有找到" in said[0]


async def test_only_a_plain_yes_confirms(fake_backend: FakeBackend) -> None:
    for text, intent, confidence in (
        ("嗯嗯路灯也坏了", "affirm", 0.5),
        ("yes please wait", "ask", 0.9),
        ("unclear", "inform", 0.9),
    ):
        state = tracker(text, intent, confidence, form="appeal_form", asked="appeal_confirm", slots=CONTACT)
        slots, _ = await validated(ValidateAppealForm(), state)
        assert slots.get("appeal_confirm") is None, text


async def test_every_start_makes_its_own_key(fake_backend: FakeBackend) -> None:
    keys = set()
    for _ in range(3):
        events = await ActionPrepareAppeal().run(
            CollectingDispatcher(), tracker("我要提诉求", "file_appeal", 1.0), {}
        )
        keys.add(filled(events)["filing_key"])
    assert len(keys) == 3


async def test_details_of_earlier_messages_are_taken_but_not_those_of_questions(
    fake_backend: FakeBackend,
) -> None:
    def said(text: str, intent: str) -> dict[str, Any]:
        return {"event": "user", "text": text, "parse_data": {"intent": {"name": intent, "confidence": 0.9}}}

    earlier = [
        said("我是杭州旧会话有限公司", "inform"),
        {"event": "session_started"},
        said("隔壁杭州邻居化工有限公司归谁管", "ask"),
        said("我叫王芳，13800001111", "inform"),
    ]
    events = await ActionPrepareAppeal().run(
        CollectingDispatcher(), tracker("我要提诉求", "file_appeal", 1.0, earlier=earlier), {}
    )
    slots = filled(events)
    assert (slots.get("contact"), slots.get("phone"), slots.get("enterprise")) == (
        "王芳",
        "13800001111",
        None,
    )


async def test_filing_without_a_yes_does_nothing(fake_backend: FakeBackend) -> None:
    state = tracker(slots={**CONTACT, "description": "路灯坏了", "filing_key": "k"})
    assert await ActionFileAppeal().run(CollectingDispatcher(), state, {}) == []
    assert fake_backend.filings == []


async def test_a_lost_answer_is_repeated_with_the_same_key(fake_backend: FakeBackend) -> None:
    slots = {**CONTACT, "description": "路灯坏了", "filing_key": "k", "appeal_confirm": "yes"}
    first = filled(await ActionFileAppeal().run(CollectingDispatcher(), tracker(slots=slots), {}))
    second = filled(await ActionFileAppeal().run(CollectingDispatcher(), tracker(slots=slots), {}))
    assert first == second
    assert len(fake_backend.appeals) == 1


async def test_a_changed_repetition_is_not_filed_again(fake_backend: FakeBackend) -> None:
    slots = {**CONTACT, "description": "路灯坏了", "filing_key": "k", "appeal_confirm": "yes"}
    await ActionFileAppeal().run(CollectingDispatcher(), tracker(slots=slots), {})
    dispatcher = CollectingDispatcher()
    await ActionFileAppeal().run(dispatcher, tracker(slots={**slots, "description": "路面坏了"}), {})
    assert "已经提交过" in dispatcher.messages[0]["text"]
    assert "QT20261121-0001" in dispatcher.messages[0]["text"]
    assert len(fake_backend.appeals) == 1


async def test_a_phone_changed_after_a_lost_answer_learns_the_number(fake_backend: FakeBackend) -> None:
    slots = {**CONTACT, "description": "路灯坏了", "filing_key": "k", "appeal_confirm": "yes"}
    await ActionFileAppeal().run(CollectingDispatcher(), tracker(slots=slots), {})
    dispatcher = CollectingDispatcher()
    changed = tracker(slots={**slots, "phone": "13899998888"})
    kept = filled(await ActionFileAppeal().run(dispatcher, changed, {}))
    assert "QT20261121-0001" in dispatcher.messages[0]["text"]
    assert (kept["last_number"], kept["last_phone"]) == ("QT20261121-0001", None)


async def test_cancelling_after_a_lost_answer_tells_the_number(fake_backend: FakeBackend) -> None:
    slots = {**CONTACT, "description": "路灯坏了", "filing_key": "k", "appeal_confirm": "yes"}
    await ActionFileAppeal().run(CollectingDispatcher(), tracker(slots=slots), {})
    dispatcher = CollectingDispatcher()
    state = tracker("取消", "cancel", 1.0, form="appeal_form", slots={**slots, "appeal_confirm": None})
    events = await ActionCancel().run(dispatcher, state, {})
    text = dispatcher.messages[0]["text"]
    assert "QT20261121-0001" in text
    assert "没有提交" not in text
    assert filled(events)["last_number"] == "QT20261121-0001"
    assert {"event": "active_loop", "name": None, "timestamp": None} in events


async def test_cancelling_promises_nothing_while_nobody_can_tell(fake_backend: FakeBackend) -> None:
    fake_backend.down = True
    dispatcher = CollectingDispatcher()
    slots = {**CONTACT, "description": "路灯坏了", "filing_key": "k"}
    state = tracker("取消", "cancel", 1.0, form="appeal_form", slots=slots)
    assert filled(await ActionCancel().run(dispatcher, state, {}))["filing_key"] is None
    assert "没有提交" not in dispatcher.messages[0]["text"]
    assert "查询进度" in dispatcher.messages[0]["text"]


async def test_cancelling_keeps_who_files(fake_backend: FakeBackend) -> None:
    state = tracker(
        "取消", "cancel", 1.0, form="appeal_form", slots={**CONTACT, "description": "x", "filing_key": "k"}
    )
    events = await ActionCancel().run(CollectingDispatcher(), state, {})
    slots = filled(events)
    assert {name for name, value in slots.items() if value is None} == set(slots)
    assert not set(slots) & set(CONTACT)
    assert {"event": "active_loop", "name": None, "timestamp": None} in events


async def test_a_phone_of_this_conversation_is_used_for_its_own_appeal_only(
    fake_backend: FakeBackend,
) -> None:
    slots = {"last_number": "QT20261121-0001", "last_phone": "13800001111"}
    own = filled(
        ActionPrepareStatus().run(
            CollectingDispatcher(), tracker("我的诉求办到哪了", "ask_status", slots=slots), {}
        )
    )
    assert (own["appeal_number"], own["lookup_phone"]) == ("QT20261121-0001", "13800001111")
    other = tracker("QT20261121-0002办到哪了", "ask_status", slots=slots)
    found = filled(ActionPrepareStatus().run(CollectingDispatcher(), other, {}))
    assert (found["appeal_number"], found["lookup_phone"]) == ("QT20261121-0002", None)


async def test_a_status_without_both_details_asks_nothing_of_the_backend(fake_backend: FakeBackend) -> None:
    state = tracker(slots={"appeal_number": "QT20261121-0001"})
    assert await ActionShowStatus().run(CollectingDispatcher(), state, {}) == []


@pytest.mark.parametrize(
    ("text", "asked", "slots"),
    [
        ("没解决", "result", {"result": "unresolved"}),
        ("解决了，给4星", "result", {"result": "resolved", "stars": "4"}),
        ("3", "stars", {"stars": "3"}),
        ("没有", "comment", {"comment": "没有"}),
        ("取消了两次上门，电话写错了", "comment", {"comment": "取消了两次上门，电话写错了"}),
    ],
)
async def test_judgements(text: str, asked: str, slots: dict[str, str], fake_backend: FakeBackend) -> None:
    state = tracker(text, "inform", 0.5, form="feedback_form", asked=asked)
    assert (await validated(ValidateFeedbackForm(), state))[0] == slots


async def test_feedback_is_handed_in_once_complete(fake_backend: FakeBackend) -> None:
    incomplete = {"appeal_number": "QT20261121-0001", "lookup_phone": "13800001111", "result": "resolved"}
    events = await ActionGiveFeedback().run(CollectingDispatcher(), tracker(slots=incomplete), {})
    assert set(filled(events).values()) == {None}
    assert fake_backend.feedbacks == []
