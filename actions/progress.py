"""How an appeal is getting on, and what the enterprise says of the outcome."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import listening, recognition
from actions.client import Appeal, BackendError, backend
from actions.conversation import (
    CANCEL,
    FEEDBACK,
    FILE,
    HUMAN,
    STATUS,
    UNAVAILABLE,
    Turn,
    active_form,
    last_turn,
    moment,
    said_before,
    say,
    slot,
)
from actions.forms import ListeningForm, times_asked
from actions.listening import EDIT, Heard
from actions.people import cleared, resumed

_NOT_FOUND = 404
_TRIES = 2
_OPEN_STATES = (
    "filed",
    "assigned",
    "transferred",
    "in_work",
    "replied",
    "reopened",
    "escalated",
    "returned",
)
_AWAITING_STATES = ("resolved", "not_accepted")
_DONE_STATES = ("closed", "withdrawn", "merged")
_SHORT = 14
_JUDGING = (
    "不对|不是|应该是|应该|其实|是|改成|改为|改|换成|给|打|我要|我|已经|已|还|并|没有|没|未|"
    "解决|办好|处理好|问题|了|吧|的|好评|评价"
)
NO_COMMENT = {"title": "没有", "payload": '/inform{"comment": "没有"}'}
_NOTHING_TO_SAY = (
    "没有",
    "没",
    "无",
    "没了",
    "没有了",
    "不用",
    "不用了",
    "没什么",
    "没啥",
    "暂无",
    "跳过",
    "不说了",
)


class _PrepareLookup(Action, ABC):  # type: ignore[misc]
    """What the two forms about a filed appeal start with."""

    @abstractmethod
    def name(self) -> str:
        """Returns the name in the domain."""

    def known(self, turn: Turn, tracker: Tracker) -> dict[str, str]:
        """Number and phone, from the message or from what this conversation filed."""
        last_number, last_phone = slot(tracker, "last_number"), slot(tracker, "last_phone")
        # a button below “收到编号” is about what was written just before
        told = next((t.text for t in said_before(tracker)), "") if turn.pressed else turn.text
        number = listening.any_number(told) or last_number
        phone = listening.any_phone(told)
        if phone is None and number is not None and number == last_number:
            phone = last_phone
        found = {"appeal_number": number, "lookup_phone": phone}
        return {name: value for name, value in found.items() if value}

    def put_aside(self, tracker: Tracker) -> list[EventType]:
        """Remembers an appeal that is being written down, to go on with it afterwards."""
        return [SlotSet("paused_form", "appeal_form")] if active_form(tracker) == "appeal_form" else []


class ActionPrepareStatus(_PrepareLookup):
    """Opens the status form with what is known."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_prepare_status"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Fills in number and phone where this conversation holds them."""
        known = self.known(last_turn(tracker), tracker)
        if "appeal_number" not in known or "lookup_phone" not in known:
            say(dispatcher, "好的，我来帮您查询诉求的办理进度。")
        return [
            *self.put_aside(tracker),
            SlotSet("requested_slot", None),
            *cleared("status_form"),
            *(SlotSet(name, value) for name, value in known.items()),
        ]


class ActionPrepareFeedback(_PrepareLookup):
    """Opens the feedback form with what is known."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_prepare_feedback"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Fills in number and phone where this conversation holds them, and what was said of the outcome."""
        turn = last_turn(tracker)
        known = self.known(turn, tracker)
        if not turn.pressed:
            outcome, star = recognition.result(turn.text), recognition.stars(turn.text)
            if outcome:
                known["result"] = outcome
            if star:
                known["stars"] = star.value
        say(dispatcher, "好的，请您评价办理结果。")
        return [
            *self.put_aside(tracker),
            SlotSet("requested_slot", None),
            *cleared("feedback_form"),
            *(SlotSet(name, value) for name, value in known.items()),
        ]


class _LookupForm(ListeningForm, ABC):
    """Hears number and phone."""

    @abstractmethod
    def name(self) -> str:
        """Returns the name in the domain."""

    def steps_back(self, turn: Turn, asked: str) -> bool:
        """A question about the same matter (“到哪了”) is no interruption of the form that answers it."""
        if listening.any_number(turn.text) or listening.any_phone(turn.text):
            return False
        return super().steps_back(turn, asked)

    async def hear(self, turn: Turn, asked: str, tracker: Tracker) -> Heard:
        """Reads number and phone, in whatever order they come."""
        if turn.pressed:
            return {asked: None}
        readers = {"appeal_number": listening.any_number, "lookup_phone": listening.any_phone}
        told: Heard = {**listening.details(turn, readers)}
        if told:
            return told
        if listening.is_question(turn):
            return {}
        if turn.means("file_appeal", least=0.7, longest=200):
            return {}
        return {asked: turn.text}

    def validate_appeal_number(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Any:
        """Two letters, eight digits, four digits."""
        if not value or value == EDIT:
            return {"appeal_number": None}
        found = listening.any_number(str(value))
        if found is None:
            sentence = "没有看到诉求编号。编号形如 QT20260101-0001；找不到可以转人工核实。"
            return self.refused(dispatcher, tracker, "appeal_number", sentence)
        return {"appeal_number": found}

    def validate_lookup_phone(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Any:
        """A number that can be rung."""
        return self.phone_or_none(dispatcher, tracker, "lookup_phone", None if value == EDIT else value)


class ValidateStatusForm(_LookupForm):
    """Hears and checks the answers of the status form."""

    fields: tuple[str, ...] = ("appeal_number", "lookup_phone")

    def name(self) -> str:
        """Returns the name in the domain."""
        return "validate_status_form"


class ValidateFeedbackForm(_LookupForm):
    """Hears and checks the answers of the feedback form."""

    fields = ("appeal_number", "lookup_phone", "result", "stars", "comment")

    def name(self) -> str:
        """Returns the name in the domain."""
        return "validate_feedback_form"

    def steps_back(self, turn: Turn, asked: str) -> bool:
        """Words of judgement are answers here."""
        if asked == "comment" and not turn.pressed:
            # a comment may hold any words, but a plain question is no comment
            return recognition.looks_like_question(turn.text) and turn.intent in (
                "ask",
                "help",
                "out_of_scope",
            )
        if not turn.pressed and turn.intent == "give_feedback":
            return False
        return super().steps_back(turn, asked)

    def may_correct(self, turn: Turn, asked: str) -> bool:
        """A comment may hold any words."""
        return asked != "comment" or turn.known or turn.pressed

    async def hear(self, turn: Turn, asked: str, tracker: Tracker) -> Heard:
        """Reads result, stars and comment; number and phone as in the status form."""
        if asked == "comment":
            if turn.pressed or listening.says_yes(turn.text):
                return {"comment": "没有"}
            return self._judged_again(turn) or {"comment": turn.text}
        judged = self._judged(turn, asked)
        if asked in ("result", "stars"):
            if judged:
                return judged
            if listening.is_question(turn):
                return {}
            return {asked: turn.text}
        return {**await super().hear(turn, asked, tracker), **judged}

    def _judged_again(self, turn: Turn) -> Heard:
        """A short word on result or stars at the last step changes those; it is no comment."""
        if len(turn.text) > _SHORT:
            return {}
        if recognition.impossible_stars(turn.text):
            return {"stars": turn.text}
        judged = self._judged(turn, "comment")
        bare = re.sub(rf"{_JUDGING}|[\d一二两三四五满]+颗?[星分]", "", recognition.squeeze(turn.text))
        return judged if judged and not bare else {}

    def _judged(self, turn: Turn, asked: str) -> Heard:
        if turn.pressed:
            return {}
        judged: Heard = {}
        outcome = recognition.result(turn.text)
        if asked == "result" and outcome is None and turn.means("affirm", "deny", least=0.7, longest=12):
            outcome = "resolved" if turn.intent == "affirm" else "unresolved"
        if outcome:
            judged["result"] = outcome
        star = recognition.stars(turn.text)
        if star:
            judged["stars"] = star.value
        elif asked in ("result", "stars") and recognition.impossible_stars(turn.text):
            judged["stars"] = turn.text
        elif asked == "stars":
            count = recognition.stars_answer(turn.text)
            if count:
                judged["stars"] = str(count)
        return judged

    def validate_result(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Any:
        """Resolved or not."""
        if value in ("resolved", "unresolved"):
            return {"result": value}
        found = recognition.result(str(value)) if value else None
        if value and found is None:
            return self.refused(dispatcher, tracker, "result", "没有听明白，请回复“已解决”或“未解决”。")
        return {"result": found}

    def validate_stars(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Any:
        """One to five."""
        count = recognition.stars_answer(str(value)) if value else None
        if value and count is None:
            return self.refused(dispatcher, tracker, "stars", "星级是 1 到 5 的整数，不能打半星，例如“5星”。")
        return {"stars": str(count) if count else None}

    def validate_comment(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Any:
        """Anything up to two thousand characters; 没有 is no comment."""
        if value is None or value == EDIT:
            return {"comment": None}
        text = str(value).strip()
        if recognition.squeeze(text) in _NOTHING_TO_SAY:
            return {"comment": "没有"}
        if len(text) > recognition.MAX_DESCRIPTION:
            sentence = f"您写了 {len(text)} 个字，最多 {recognition.MAX_DESCRIPTION} 个字，请精简后再发。"
            return self.refused(dispatcher, tracker, "comment", sentence)
        return {"comment": text or None}


class _AskJudgement(Action, ABC):  # type: ignore[misc]
    """Asks for a part of the judgement, unless the appeal is not there to be judged yet."""

    @abstractmethod
    def name(self) -> str:
        """Returns the name in the domain."""

    @abstractmethod
    def ask(self, dispatcher: CollectingDispatcher) -> None:
        """Says the question."""

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Looks first whether the department has resolved the appeal; if not, the form ends here."""
        number, phone = slot(tracker, "appeal_number"), slot(tracker, "lookup_phone")
        try:
            appeal = await backend().lookup(number or "", phone or "")
        except BackendError as error:
            if error.status == _NOT_FOUND:
                _say_not_found(dispatcher, error)
                return [SlotSet("requested_slot", None)]
            self.ask(dispatcher)
            return []
        if appeal.state in _DONE_STATES:
            standing = f"诉求 {appeal.number} {appeal.state_text or '已闭环'}，不用再评价了。"
            if appeal.merged_into:
                standing += f"它与 {appeal.merged_into} 一并办理，请对那一件评价。"
            text = f"{standing}问题又出现可以重新提交诉求，也可以转人工。"
            say(dispatcher, text, buttons=[FILE, HUMAN], outcome="clarifying", card=appeal.card())
            return [SlotSet("requested_slot", None)]
        if appeal.state in _OPEN_STATES:
            standing = _status_text(appeal, overdue=_is_overdue(appeal))
            text = f"{standing}\n部门办结之后，再请您确认是否解决并评价。"
            say(dispatcher, text, buttons=[HUMAN], outcome="clarifying", card=appeal.card())
            return [SlotSet("requested_slot", None)]
        self.ask(dispatcher)
        return []


class ActionAskResult(_AskJudgement):
    """Asks whether the appeal is solved."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_ask_result"

    def ask(self, dispatcher: CollectingDispatcher) -> None:
        """Offers the two answers."""
        buttons = [
            {"title": "已解决", "payload": '/inform{"result": "resolved"}'},
            {"title": "未解决", "payload": '/inform{"result": "unresolved"}'},
            CANCEL,
        ]
        say(dispatcher, "请问这件诉求解决了吗？", buttons=buttons)


class ActionAskStars(_AskJudgement):
    """Asks for the stars."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_ask_stars"

    def ask(self, dispatcher: CollectingDispatcher) -> None:
        """Offers one to five."""
        payload = '/inform{{"stars": "{}"}}'
        buttons = [{"title": f"{count}星", "payload": payload.format(count)} for count in (5, 4, 3, 2, 1)]
        say(dispatcher, "请给这次办理打分，1 到 5 星，5 星为非常满意。", buttons=buttons)


class ActionAskComment(Action):  # type: ignore[misc]
    """Asks for a comment that may be left out."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_ask_comment"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Asks differently after a bad outcome."""
        solved = slot(tracker, "result") == "resolved"
        text = (
            "还有什么想说的吗？没有可以点“没有”。"
            if solved
            else "请说说哪里还没有解决，方便部门继续办理；没有可以点“没有”。"
        )
        stars = slot(tracker, "stars")
        judged = f"您的评价是：{'已解决' if solved else '未解决'}，{stars} 星。"
        text = f"{text}{judged}回复后评价即提交、不能再改；要改请先说，例如“改成3星”。"
        say(dispatcher, text, buttons=[NO_COMMENT, CANCEL])
        return []


class ActionShowStatus(Action):  # type: ignore[misc]
    """Looks the appeal up and says where it stands."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_show_status"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """A wrong phone and an unknown number are told apart by nothing."""
        number, phone = slot(tracker, "appeal_number"), slot(tracker, "lookup_phone")
        if not number or not phone:
            return []
        done = [*cleared("status_form"), *resumed(tracker)]
        try:
            appeal = await backend().lookup(number, phone)
        except BackendError as error:
            _say_not_found(dispatcher, error)
            waiting = slot(tracker, "paused_form") is not None
            if error.status == _NOT_FOUND and not waiting and times_asked(tracker, "lookup_phone") < _TRIES:
                # the number is kept, so that only the phone has to be said again
                return [SlotSet("lookup_phone", None), FollowupAction("status_form")]
            return done
        overdue = _is_overdue(appeal)
        buttons = [FEEDBACK] if appeal.state in _AWAITING_STATES else []
        say(
            dispatcher,
            _status_text(appeal, overdue=overdue),
            buttons=[*buttons, HUMAN] if overdue or buttons else [],
            outcome="answered",
            card=appeal.card(),
        )
        return [*done, SlotSet("last_number", number), SlotSet("last_phone", phone)]


class ActionGiveFeedback(Action):  # type: ignore[misc]
    """Hands the enterprise's word in."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_give_feedback"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Says what follows from it."""
        number, phone = slot(tracker, "appeal_number"), slot(tracker, "lookup_phone")
        result, stars = slot(tracker, "result"), slot(tracker, "stars")
        done = [*cleared("feedback_form"), *resumed(tracker)]
        if not number or not phone or result not in ("resolved", "unresolved") or not stars:
            # the form ended because there is nothing to be judged yet
            return done
        comment = slot(tracker, "comment") or ""
        try:
            appeal = await backend().feedback(
                number,
                phone=phone,
                result="resolved" if result == "resolved" else "unresolved",
                stars=int(stars),
                comment="" if comment == "没有" else comment,
            )
        except BackendError as error:
            _say_not_found(dispatcher, error)
            return done
        if result == "resolved":
            text = f"感谢您的评价，诉求 {number} 已闭环。您打了 {stars} 星。"
        else:
            text = f"已收到，很抱歉问题还没有解决。诉求 {number} 将退回重新办理，办理期限不变。"
        say(dispatcher, text, buttons=[STATUS], outcome="answered", card=appeal.card())
        return [*done, SlotSet("last_number", number), SlotSet("last_phone", phone)]


def _say_not_found(dispatcher: CollectingDispatcher, error: BackendError) -> None:
    if error.is_refusal:
        text = error.sentence or "没有查到这件诉求，请核对编号和登记时留的手机号。"
        say(dispatcher, text, buttons=[STATUS, HUMAN], outcome="clarifying")
    else:
        say(dispatcher, UNAVAILABLE, buttons=[STATUS, HUMAN], outcome="unanswered")


def _is_overdue(appeal: Appeal) -> bool:
    try:
        due = datetime.fromisoformat(appeal.due_at)
    except ValueError:
        return False
    return appeal.state in _OPEN_STATES and due.tzinfo is not None and datetime.now(UTC) > due


def _status_text(appeal: Appeal, *, overdue: bool) -> str:
    lines = [
        f"诉求 {appeal.number}：{appeal.state_text or appeal.state}",
        f"主办：{appeal.lead_department}" if appeal.lead_department else "",
        f"办理期限：{moment(appeal.due_at)}",
    ]
    if overdue:
        lines.append("已超过办理期限，很抱歉让您久等，可以转人工为您催办。")
    if appeal.replies:
        last = appeal.replies[-1]
        lines.append(f"{last.get('department') or '部门'}答复：{last.get('text', '')}")
    if appeal.state == "resolved":
        lines.append("部门已办结，请您确认是否解决并评价。")
    if appeal.state == "not_accepted":
        lines.append("请您确认是否认可这个说明；不认可会退回重新审核。")
    if appeal.merged_into:
        lines.append(f"这件诉求与 {appeal.merged_into} 一并办理。")
    return "\n".join(line for line in lines if line)
