"""Taking a filed appeal back."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.client import BackendError, backend
from actions.conversation import HUMAN, STATUS, UNAVAILABLE, Turn, last_turn, say, slot
from actions.listening import Heard, is_question
from actions.people import cleared, resumed
from actions.progress import ActionPrepareStatus, ValidateStatusForm

_SAID_YES = "yes"
_SAID_NO = "no"


class ActionPrepareWithdrawal(ActionPrepareStatus):
    """Opens the withdrawal with what is known."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_prepare_withdrawal"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Fills in number and phone where this conversation holds them."""
        known = self.known(last_turn(tracker), tracker)
        if "appeal_number" not in known or "lookup_phone" not in known:
            say(dispatcher, "好的，我来帮您撤回诉求。")
        return [
            *self.put_aside(tracker),
            SlotSet("requested_slot", None),
            *cleared("withdraw_form"),
            *(SlotSet(name, value) for name, value in known.items()),
        ]


class ValidateWithdrawForm(ValidateStatusForm):
    """Hears number, phone, and the yes."""

    fields = ("appeal_number", "lookup_phone", "withdraw_confirm")

    def name(self) -> str:
        """Returns the name in the domain."""
        return "validate_withdraw_form"

    def steps_back(self, turn: Turn, asked: str) -> bool:
        """The same wish once more is no other matter."""
        return turn.intent != "withdraw" and super().steps_back(turn, asked)

    async def hear(self, turn: Turn, asked: str, tracker: Tracker) -> Heard:
        """Reads the yes or no; number and phone as in the status form."""
        if asked != "withdraw_confirm":
            return await super().hear(turn, asked, tracker)
        if turn.means("affirm", "withdraw", least=0.7, longest=16):
            return {asked: _SAID_YES}
        if turn.means("deny", least=0.7, longest=16):
            return {asked: _SAID_NO}
        return {} if is_question(turn) else {asked: None}

    def validate_withdraw_confirm(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Any:
        """Yes or no; anything else asks again."""
        return {"withdraw_confirm": value if value in (_SAID_YES, _SAID_NO) else None}


class ActionAskWithdrawConfirm(Action):  # type: ignore[misc]
    """Asks whether the appeal is really to be taken back."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_ask_withdraw_confirm"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Shows what it is about, so that nobody withdraws the wrong one."""
        number, phone = slot(tracker, "appeal_number") or "", slot(tracker, "lookup_phone") or ""
        try:
            appeal = await backend().lookup(number, phone)
        except BackendError as error:
            _say_refused(dispatcher, error)
            return [SlotSet("requested_slot", None)]
        about = f"（{appeal.text[:40]}）" if appeal.text else ""
        text = f"确定要撤回诉求 {appeal.number}{about}吗？撤回后不再办理。"
        buttons = [{"title": "确定撤回", "payload": "/affirm"}, {"title": "不撤回", "payload": "/deny"}]
        say(dispatcher, text, buttons=buttons)
        return []


class ActionWithdraw(Action):  # type: ignore[misc]
    """Takes the appeal back after the yes."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_withdraw"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Says what has become of the appeal."""
        number, phone = slot(tracker, "appeal_number"), slot(tracker, "lookup_phone")
        said = slot(tracker, "withdraw_confirm")
        done = [*cleared("withdraw_form"), *resumed(tracker)]
        if not number or not phone or said is None:
            # the form ended because there is nothing to be withdrawn
            return done
        if said != _SAID_YES:
            say(dispatcher, f"好的，不撤回，诉求 {number} 照常办理。", buttons=[STATUS], outcome="chitchat")
            return done
        try:
            appeal = await backend().withdraw(number, phone=phone, reason="")
        except BackendError as error:
            _say_refused(dispatcher, error)
            return done
        text = f"诉求 {number} 已撤回，不再办理。以后需要，可以重新提交。"
        say(dispatcher, text, outcome="answered", card=appeal.card())
        return [*done, SlotSet("last_number", None)]


def _say_refused(dispatcher: CollectingDispatcher, error: BackendError) -> None:
    if error.is_refusal:
        text = error.sentence or "没有查到这件诉求，请核对编号和登记时留的手机号。"
        say(dispatcher, text, buttons=[STATUS, HUMAN], outcome="clarifying")
    else:
        say(dispatcher, UNAVAILABLE, buttons=[STATUS, HUMAN], outcome="unanswered")
