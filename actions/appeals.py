"""Writing an appeal down, confirming it and filing it."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import listening, recognition
from actions.client import Appeal, BackendError, Problem, backend
from actions.conversation import (
    CANCEL,
    HUMAN,
    LEVELS,
    STATUS,
    Turn,
    active_form,
    channel_of,
    last_turn,
    moment,
    said_before,
    say,
    slot,
)
from actions.forms import FIELD_TITLES, ListeningForm, last_value
from actions.listening import EDIT, UNKNOWN_TERRITORY, Heard
from actions.people import cleared

_MORE_THAN_ABUSE = 12
MIN_PLACE = 2
_OTHER_DISTRICT = re.compile(
    r"(?:[\u4e00-\u9fff]{2}(?=[区县市])[区县市])|上城|拱墅|西湖|滨江|萧山|余杭|临平|富阳|临安|桐庐|淳安|建德|宁波|绍兴|海宁"
)
"""Neighbours by name: words to recognise, not facts about them."""
_ABOUT_THE_WRITER = ("inform", "greet", "file_appeal", "correct")
_SAID_YES = "yes"
_SAID_NO = "no"
_CALLED_OFF = "called off"
_UNCLEAR = "unclear"
"""What the confirmation gets instead of free text, so that nobody confirms by typing one of these words."""


class ActionPrepareAppeal(Action):  # type: ignore[misc]
    """Opens an appeal: a fresh filing key, and everything that the person has said already."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_prepare_appeal"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Decides whether to file or to answer first, and fills in what is known."""
        turn = last_turn(tracker)
        if active_form(tracker) == "appeal_form":
            return [SlotSet("appeal_wanted", turn.pressed or not recognition.looks_like_question(turn.text))]
        if await _is_answered_instead(turn):
            return [SlotSet("appeal_wanted", False)]
        return await self.opened(turn, dispatcher, tracker)

    async def opened(self, turn: Turn, dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
        """Says that the filing begins, and fills in what is known."""
        described = _description(turn, tracker)
        problem = recognition.description_problem(described) if described else None
        say(dispatcher, f"好的，我来帮您登记这件诉求，随时可以说“取消”。{_reused(turn, tracker)}")
        if described and problem:
            say(dispatcher, problem)
            described = None
        elif described:
            say(dispatcher, f"已记下您反映的内容：“{_shortened(described)}”")
        return [
            SlotSet("appeal_wanted", True),
            # the question of another form must not be taken for one of this form
            SlotSet("requested_slot", None),
            *cleared("appeal_form"),
            SlotSet("filing_key", uuid.uuid4().hex),
            SlotSet("description", described),
            SlotSet("last_question", None),
            *await _prefilled(turn, tracker),
        ]


class ValidateAppealForm(ListeningForm):
    """Hears and checks the answers of the appeal form."""

    fields = ("description", "enterprise", "contact", "phone", "territory", "appeal_confirm")

    def name(self) -> str:
        """Returns the name in the domain."""
        return "validate_appeal_form"

    def steps_back(self, turn: Turn, asked: str) -> bool:
        """A description may look like anything: only courtesy or an announced question interrupts it."""
        if asked != "description" or turn.pressed:
            return super().steps_back(turn, asked)
        if turn.known and turn.intent not in (
            "file_appeal",
            "ask",
            "out_of_scope",
            "inform",
            "correct",
            "affirm",
            "deny",
        ):
            return True
        return recognition.opens_digression(turn.text) and listening.is_question(turn)

    def may_correct(self, turn: Turn, asked: str) -> bool:
        """While the problem is being described, only a known phrase, or a new name or number, corrects."""
        if asked != "description" or turn.known or turn.pressed:
            return True
        return listening.gives_new_value(turn.text)

    def settled(self, turn: Turn, asked: str) -> Heard | None:
        """A plain yes and a plain withdrawal of the whole at the confirmation; who has no company."""
        if asked == "enterprise" and (substitute := recognition.stand_in(turn.text)):
            return {asked: substitute}
        if asked != "appeal_confirm":
            return None
        if listening.says_yes(turn.text):
            return {asked: _SAID_YES}
        return {asked: _CALLED_OFF} if listening.calls_off(turn.text) else None

    async def hear(self, turn: Turn, asked: str, tracker: Tracker) -> Heard:
        """Reads the answer to the slot that is asked, and what else the message tells."""
        if asked == "description":
            return await self._hear_description(turn, tracker)
        if turn.pressed or turn.means("affirm", least=0.8, longest=10):
            return {asked: _SAID_YES if asked == "appeal_confirm" and turn.intent == "affirm" else None}
        if asked == "appeal_confirm" and turn.means("deny", least=0.8, longest=10):
            return {asked: _SAID_NO}
        if recognition.says_same_as_before(turn.text) and (before := last_value(tracker, asked)):
            return {asked: before}
        if listening.is_question(turn) and not (asked == "enterprise" and recognition.companies(turn.text)):
            return {}
        extra = self._others(turn, asked, tracker)
        if asked == "appeal_confirm":
            field = listening.named_field(turn.text, self.fields)
            if field:
                return {field: None}
            told = await self._elsewhere(turn, asked, tracker)
            return told or self._more(turn, tracker) or {asked: _UNCLEAR}
        if asked == "territory":
            return await self._hear_territory(turn, tracker)
        readers = {
            "enterprise": recognition.company_answer,
            "contact": recognition.person_answer,
            "phone": listening.any_phone,
        }
        value = readers[asked](turn.text) if asked in readers else None
        if value is not None:
            place = await _place_alone(turn.text) if asked == "contact" else None
            company = recognition.companies(turn.text) if asked == "contact" and value in turn.text else []
            if place:
                return {"territory": place}
            if company and recognition.squeeze(company[0].value) == recognition.squeeze(turn.text):
                return {"enterprise": company[0].value}
            return {asked: value, **extra, **await _place_told(turn, tracker)}
        listed = _told(turn)
        if asked in listed and len(listed) > 1:
            # "王芳，13800000000，白杨街道": several details at once, the one that is asked among them
            return {**extra, **listed, **await _place_told(turn, tracker)}
        several = asked == "phone" and recognition.phones(turn.text)
        if not several:
            other = self._more(turn, tracker) or await self._elsewhere(turn, asked, tracker)
            if other:
                return other
            if field := listening.named_field(turn.text, self.fields):
                return {field: None}
        return {asked: turn.text}

    async def _hear_territory(self, turn: Turn, tracker: Tracker) -> Heard:
        try:
            known = await _territory_in(turn.text)
        except BackendError:
            known = turn.text
        if known is None:
            if field := listening.named_field(turn.text, self.fields):
                return {field: None}
            if other := self._more(turn, tracker) or await self._elsewhere(turn, "territory", tracker):
                return other
        return {"territory": turn.text, **self._others(turn, "territory", tracker)}

    async def _elsewhere(self, turn: Turn, asked: str, tracker: Tracker) -> Heard:
        """Values for other fields than the one that is asked: the newer word wins."""
        writer = {name: value for name, value in _told(turn).items() if name != asked}
        told: Heard = {**self._others(turn, asked, tracker, again=True), **writer}
        named = recognition.companies(turn.text)
        alone = recognition.squeeze(turn.text)
        if asked != "enterprise" and named and recognition.squeeze(named[0].value) == alone:
            told["enterprise"] = named[0].value
        if asked != "territory" and (place := await _place_alone(turn.text)):
            told["territory"] = place
        return told

    async def _hear_description(self, turn: Turn, tracker: Tracker) -> Heard:
        if turn.pressed or turn.means("affirm", "deny", least=1.0):
            return {"description": None}
        described = recognition.described_problem(turn.text)
        if described is None and turn.intent == "file_appeal" and turn.known:
            return {"description": None}
        if described and await _has_an_answer(turn):
            return {}
        told = await self._elsewhere(turn, "description", tracker)
        if described is None and told:
            return told
        if recognition.swears(turn.text) and len(described or "") < _MORE_THAN_ABUSE:
            return {"description": None}
        return {"description": described or turn.text, **told}

    def _others(self, turn: Turn, asked: str, tracker: Tracker, *, again: bool = False) -> dict[str, str]:
        if recognition.appeal_numbers(turn.text):
            # whoever names a filed appeal gives the phone of that one
            return {}
        readers = {
            "enterprise": listening.own_company,
            "contact": listening.own_name,
            "phone": listening.any_phone,
        }
        wanted = {
            name: read
            for name, read in readers.items()
            if name != asked and (again or slot(tracker, name) is None)
        }
        return listening.details(turn, wanted)

    def _more(self, turn: Turn, tracker: Tracker) -> Heard:
        """A further problem, told while something else was asked, is added to the description."""
        before = slot(tracker, "description")
        added = re.sub(
            r"^(?:(?:诉求)?(?:内容|描述)?(?:再|还要?)?(?:加上?|补充)(?:一句|一下|一点|一条)?)[,，:：\s]*",
            "",
            turn.text,
        )
        told = recognition.described_problem(added)
        if before is None or told is None or turn.intent != "file_appeal" or len(told) < 8 or told in before:
            return {}
        return {"description": f"{before}\n{told}"}

    def validate_description(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Any:
        """A description has a few words and at most two thousand characters."""
        if not value:
            return {"description": None}
        problem = recognition.description_problem(str(value))
        return (
            self.refused(dispatcher, tracker, "description", problem)
            if problem
            else {"description": str(value).strip()}
        )

    def validate_enterprise(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Any:
        """A name of an enterprise, not a sentence, a number or a sign."""
        if not value:
            return {"enterprise": None}
        company = recognition.company_answer(str(value))
        if company is None:
            return self.refused(dispatcher, tracker, "enterprise", recognition.company_problem(str(value)))
        return {"enterprise": company}

    def validate_contact(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Any:
        """A name or a form of address."""
        if not value:
            return {"contact": None}
        person = recognition.person_answer(str(value))
        if person is None:
            return self.refused(dispatcher, tracker, "contact", recognition.person_problem(str(value)))
        return {"contact": person}

    def validate_phone(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Any:
        """A number that can be rung."""
        return self.phone_or_none(dispatcher, tracker, "phone", value)

    async def validate_territory(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Any:
        """One of the backend's platforms and streets, or 不清楚."""
        if not value:
            return {"territory": None}
        try:
            found = await _territory_in(str(value))
        except BackendError:
            # asked again for nothing would be worse: the desk can still choose
            return {"territory": UNKNOWN_TERRITORY}
        if found is None:
            near = await _territories_like(str(value))
            if len(near) > 1:
                buttons = [{"title": name, "payload": f'/inform{{"territory": "{name}"}}'} for name in near]
                say(dispatcher, f"您说的是{'，还是'.join(near)}？", buttons=buttons)
                return {"territory": None}
            sentence = "没有找到这个平台或街道，请从下面选一个；不确定就选“不清楚”。"
            if abroad := _OTHER_DISTRICT.search(str(value)):
                sentence = (
                    f"{abroad[0]}不在本区的平台和街道里。企业在本区的请从下面选一个；"
                    "在别的区的请向当地反映，或者选“不清楚”由专人核实。"
                )
            return self.refused(dispatcher, tracker, "territory", sentence)
        return {"territory": found}

    def validate_appeal_confirm(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any
    ) -> Any:
        """Only a plain yes files; anything else asks what is to be changed."""
        if value in (_SAID_YES, _CALLED_OFF):
            return {"appeal_confirm": value}
        if value in (_SAID_NO, EDIT):
            buttons = [
                {"title": FIELD_TITLES[name], "payload": f'/correct{{"field": "{name}"}}'}
                for name in self.fields
                if name in FIELD_TITLES
            ]
            say(dispatcher, "请问要修改哪一项？也可以直接说，例如“电话改成……”。", buttons=[*buttons, CANCEL])
            return {"appeal_confirm": None}
        if value:
            say(dispatcher, "没有听明白。内容无误请回复“确认提交”，要改哪一项请直接说，不提交请回复“取消”。")
        return {"appeal_confirm": None}


class ActionAskTerritory(Action):  # type: ignore[misc]
    """Asks for the platform or street, with those that the backend knows."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_ask_territory"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Offers the list; not knowing is an answer."""
        try:
            names = [territory.name for territory in await backend().territories()]
        except BackendError:
            names = []
        buttons = [{"title": name, "payload": f'/inform{{"territory": "{name}"}}'} for name in names]
        unknown = {"title": UNKNOWN_TERRITORY, "payload": f'/inform{{"territory": "{UNKNOWN_TERRITORY}"}}'}
        say(dispatcher, "企业在哪个平台或街道？不确定可以选“不清楚”。", buttons=[*buttons, unknown, CANCEL])
        return []


class ActionAskAppealConfirm(Action):  # type: ignore[misc]
    """Shows what will be filed, with the level, department and due time that are proposed."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_ask_appeal_confirm"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Asks for the confirmation, unless the person has just been asked what to change."""
        turn = last_turn(tracker)
        if slot(tracker, "requested_slot") == "appeal_confirm" and _wants_to_edit(turn):
            return []
        description, territory = slot(tracker, "description") or "", _territory(tracker)
        lines = [
            "请核对一下：",
            f"企业名称：{slot(tracker, 'enterprise')}",
            f"联系人：{slot(tracker, 'contact')}",
            f"联系电话：{slot(tracker, 'phone')}",
            f"平台或街道：{territory or '不清楚'}",
            f"诉求内容：{_shortened(description, 300)}",
        ]
        try:
            problems = await backend().triage(description, territory)
            lines += [await _proposal(problem, len(problems), n) for n, problem in enumerate(problems, 1)]
        except BackendError:
            lines.append("级别、主办部门和办理期限在提交后告知您。")
        lines.append("以上内容无误，请点“确认提交”。")
        buttons = [
            {"title": "确认提交", "payload": "/affirm"},
            {"title": "修改", "payload": "/correct"},
            CANCEL,
        ]
        say(dispatcher, "\n".join(lines), buttons=buttons)
        return []


class ActionFileAppeal(Action):  # type: ignore[misc]
    """Files the confirmed appeal; the same key never files twice."""

    def name(self) -> str:
        """Returns the name in the domain."""
        return "action_file_appeal"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Files, and keeps everything where the backend does not take it."""
        if slot(tracker, "appeal_confirm") == _CALLED_OFF:
            say(dispatcher, "好的，已取消，这件诉求没有提交。需要时随时再告诉我。", outcome="chitchat")
            return [*cleared("appeal_form"), SlotSet("paused_form", None)]
        if slot(tracker, "appeal_confirm") != _SAID_YES:
            return []
        try:
            filed = await backend().file(
                enterprise=slot(tracker, "enterprise") or "",
                contact=slot(tracker, "contact") or "",
                phone=slot(tracker, "phone") or "",
                text=slot(tracker, "description") or "",
                territory=_territory(tracker),
                channel=channel_of(tracker),
                idempotency_key=slot(tracker, "filing_key") or uuid.uuid4().hex,
            )
        except BackendError as error:
            return self._not_filed(error, dispatcher)
        for appeal in filed.appeals:
            say(dispatcher, _filed_text(appeal), buttons=[STATUS], outcome="filed", card=appeal.card())
        return [
            *cleared("appeal_form"),
            SlotSet("last_number", filed.appeals[-1].number if filed.appeals else None),
            SlotSet("last_phone", slot(tracker, "phone")),
        ]

    def _not_filed(self, error: BackendError, dispatcher: CollectingDispatcher) -> list[EventType]:
        field = {"text": "description"}.get(error.details.get("field", ""), error.details.get("field"))
        if error.is_refusal and field in ValidateAppealForm.fields:
            say(dispatcher, error.sentence or "有一项内容没有通过核对，请重新填写。")
            return [SlotSet("appeal_confirm", None), SlotSet(field, None), FollowupAction("appeal_form")]
        if error.status == 409:
            numbers = [str(number) for number in error.details.get("numbers") or ()]
            named = f"，诉求编号：{'、'.join(numbers)}" if numbers else ""
            say(
                dispatcher,
                f"这件诉求刚才已经提交过{named}。之后的修改没有生效，请不要重复提交，如需更正请转人工。",
                buttons=[STATUS, HUMAN],
                outcome="clarifying",
            )
            # it was filed with another phone, perhaps: that one is asked for again
            kept = [SlotSet("last_number", numbers[-1]), SlotSet("last_phone", None)] if numbers else []
            return [*cleared("appeal_form"), *kept]
        sentence = (
            error.sentence if error.is_refusal else "抱歉，系统暂时没有收下这件诉求，您填写的内容都还在。"
        )
        say(
            dispatcher,
            f"{sentence}请稍后回复“确认提交”再试一次，不会重复登记；也可以转人工。",
            buttons=[{"title": "确认提交", "payload": "/affirm"}, HUMAN, CANCEL],
            outcome="form",
        )
        # the form stays open at its last question, and waits
        return [
            SlotSet("appeal_confirm", None),
            ActiveLoop("appeal_form"),
            SlotSet("requested_slot", "appeal_confirm"),
            FollowupAction("action_listen"),
        ]


def _wants_to_edit(turn: Turn) -> bool:
    if turn.means("deny", least=0.8, longest=10):
        return True
    changed = listening.correction(turn, ValidateAppealForm.fields, "appeal_confirm")
    return changed == {"appeal_confirm": EDIT}


async def _is_answered_instead(turn: Turn) -> bool:
    """Whether a message that might file an appeal is a question: by its words, or because it has an answer.

    The project's reading: what the knowledge base answers is answered on the spot, and filed only if the
    enterprise still wants it (docs/135.md, 6).
    """
    if turn.pressed or turn.known or not recognition.looks_like_question(turn.text):
        return False
    if not recognition.asks_for_a_deed(turn.text):
        return True
    try:
        return (await backend().answer(turn.text)).outcome == "answered"
    except BackendError:
        return False


async def _has_an_answer(turn: Turn) -> bool:
    """Whether a text that was meant to describe a problem is a question that the knowledge base answers."""
    if (
        turn.pressed
        or not recognition.looks_like_question(turn.text)
        or recognition.asks_for_a_deed(turn.text)
    ):
        return False
    try:
        return (await backend().answer(turn.text)).outcome == "answered"
    except BackendError:
        return False


async def _place_alone(text: str) -> str | None:
    """The territory that a message names and nothing else."""
    plain = re.sub(
        r"^(?:我们?|公司|企业|就|位于|属于|在|是)+|(?:的|这边|这里|那边)+$", "", recognition.squeeze(text)
    )
    try:
        territories = await backend().territories()
    except BackendError:
        return None
    named = {name: t.name for t in territories for name in (t.name, *t.aliases)}
    return next((full for name, full in named.items() if recognition.squeeze(name) == plain), None)


async def _place_told(turn: Turn, tracker: Tracker) -> Heard:
    """The platform or street that stands in a list of details, if none was given before."""
    place = recognition.dissect(turn.text).territory
    if place is None or slot(tracker, "territory") is not None:
        return {}
    try:
        found = await _territory_in(place)
    except BackendError:
        return {}
    return {"territory": found} if found not in (None, UNKNOWN_TERRITORY) else {}


async def _territories_like(text: str) -> list[str]:
    """The platforms and streets that a part of a name may mean."""
    plain = re.sub(
        r"^(?:我们?|公司|企业|应该|就|位于|属于|在|是)+|(?:的|那边|这边|附近)+$",
        "",
        recognition.squeeze(text),
    )
    if len(plain) < MIN_PLACE:
        return []
    try:
        territories = await backend().territories()
    except BackendError:
        return []
    return [
        t.name
        for t in territories
        if any(recognition.squeeze(name).startswith(plain) for name in (t.name, *t.aliases))
    ]


def _description(turn: Turn, tracker: Tracker) -> str | None:
    """The problem that the message tells, else what was left without an answer just before."""
    if not turn.pressed and (described := recognition.described_problem(turn.text)):
        return described
    question = slot(tracker, "last_question")
    if question is None or not (turn.pressed or any(t.text == question for t in said_before(tracker)[:2])):
        return None
    return recognition.described_problem(question)


_WRITER = ("enterprise", "contact", "phone")


def _told(turn: Turn) -> dict[str, str]:
    """Who writes, as far as one message tells."""
    if turn.pressed or recognition.appeal_numbers(turn.text):
        return {}
    told = recognition.dissect(turn.text)
    several = len({span.value for span in recognition.phones(turn.text)}) > 1
    found = {"enterprise": told.company, "contact": told.person, "phone": None if several else told.phone}
    return {name: value for name, value in found.items() if value}


def _of_another(told: dict[str, str], tracker: Tracker) -> bool:
    """Whether a message names another enterprise than the one that is remembered."""
    remembered = slot(tracker, "enterprise")
    return remembered is not None and told.get("enterprise") not in (None, remembered)


def _reused(turn: Turn, tracker: Tracker) -> str:
    """Names the details of an earlier appeal that this one goes on with."""
    told = _told(turn)
    if _of_another(told, tracker):
        return ""
    names = [name for name in (*_WRITER, "territory") if slot(tracker, name) and name not in told]
    if not names:
        return ""
    return f"沿用您之前填的{'、'.join(FIELD_TITLES[name] for name in names)}，要换请直接说。"


async def _prefilled(turn: Turn, tracker: Tracker) -> list[EventType]:
    """Contact details that the person has given of themselves in this conversation."""
    told = _told(turn)
    earlier = [_told(t) for t in said_before(tracker) if t.intent in _ABOUT_THE_WRITER]
    other = _of_another(told, tracker)
    kept = {} if other else {name: value for name in _WRITER if (value := slot(tracker, name))}
    events: list[EventType] = []
    for name in _WRITER:
        said = [] if other else earlier
        value = told.get(name) or kept.get(name) or next((t[name] for t in said if name in t), None)
        if value or other:
            events.append(SlotSet(name, value))
    if other and slot(tracker, "territory"):
        # another enterprise is somewhere else
        events.append(SlotSet("territory", None))
    if (other or slot(tracker, "territory") is None) and not turn.pressed:
        try:
            territory = await _territory_in(turn.text, exact=False)
        except BackendError:
            territory = None
        if territory:
            events.append(SlotSet("territory", territory))
    return events


async def _territory_in(text: str, *, exact: bool = True) -> str | None:
    """The one territory that a text names, by name or alias; 不清楚 where it says so.

    Args:
        text: What was said.
        exact: The text answers the question for the territory, so that a part of a name is enough.
    """
    plain = recognition.squeeze(text)
    if exact:
        plain = re.sub(r"^(?:我们?|我司|公司|企业|厂|应该|就|位于|属于|在|是)+", "", plain) or plain
    if exact and any(
        word in plain
        for word in ("不清楚", "不知道", "不确定", "不晓得", "不了解", "没有", "跳过", "随便", "都不是")
    ):
        return UNKNOWN_TERRITORY
    territories = await backend().territories()
    named = {
        recognition.squeeze(name): territory.name
        for territory in territories
        for name in (territory.name, *(territory.aliases if exact else ()))
    }
    said = [name for name in named if name in plain]
    # “西山产业园” names the park, though a street is called 西山
    found = {named[name] for name in said if not any(name != other and name in other for other in said)}
    if not found and exact and len(plain) >= 2:
        started = {territory.name for territory in territories if territory.name.startswith(plain)}
        found = started or {
            territory.name
            for territory in territories
            if any(plain in recognition.squeeze(name) for name in (territory.name, *territory.aliases))
        }
    return found.pop() if len(found) == 1 else None


async def _proposal(problem: Problem, count: int, position: int) -> str:
    try:
        due = await backend().due_at(problem.level, datetime.now(UTC).isoformat(timespec="seconds"))
    except BackendError:
        due = None
    about = f"（{position}）{_shortened(problem.text, 40)}：" if count > 1 else ""
    parts = [LEVELS.get(problem.level, problem.level)]
    if problem.level == "whistle":
        involved = [name for name in (problem.lead_department, *problem.co_departments) if name]
        parts.append(
            f"由平台、街道牵头，涉及{'、'.join(dict.fromkeys(involved))}" if involved else "由平台、街道牵头"
        )
    elif problem.lead_department:
        parts.append(f"主办部门：{problem.lead_department}")
    if due:
        parts.append(f"现在提交，{moment(due)}前答复")
    return f"初步判断：{about}{'，'.join(parts)}"


def _filed_text(appeal: Appeal) -> str:
    lines = [
        f"已提交，诉求编号：{appeal.number}",
        f"级别：{appeal.level_text or LEVELS.get(appeal.level, appeal.level)}",
        f"主办：{appeal.lead_department}" if appeal.lead_department else "",
        f"协办：{'、'.join(appeal.co_departments)}" if appeal.co_departments else "",
        f"办理期限：{moment(appeal.due_at)}",
        "请记住编号，凭编号和登记的手机号可以随时查询进度。",
    ]
    return "\n".join(line for line in lines if line)


def _territory(tracker: Tracker) -> str | None:
    value = slot(tracker, "territory")
    return None if value == UNKNOWN_TERRITORY else value


def _shortened(text: str, length: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
