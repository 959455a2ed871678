"""The whole life cycle against a small model that knows only docs/135.md: what may happen, what is true then.

The machine files, routes, resolves, sends back and merges in any order, by anybody, over any version, with a
clock that also goes back. The model predicts each deed's outcome; after each deed what is stored is compared
with it, and the record has to prove what is stored.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import hypothesis.strategies as st
import pytest
from appeal_district import PHONE, District, StillClock, StubDirectory, StubProblem, StubTriage
from backend_vault import VAULT
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import create_engine, event, text

from backend.appeals import chain
from backend.appeals.calendar import SHANGHAI, WorkCalendar
from backend.appeals.engine import RECORDED, plain
from backend.appeals.model import Event, Level, State
from backend.appeals.service import AppealRecord, AppealService
from backend.errors import Conflict, InvalidInput, NotAllowed, NotFound, QifuError
from backend.people.actors import ENTERPRISE, Actor, Party
from backend.people.roles import Role
from backend.storage.database import Database, sync_url
from backend.storage.records import line_of
from backend.storage.tables import Base
from backend.supervision.clock import SupervisionClock

T = TypeVar("T")
LAST_DAY = date(2026, 12, 9)
"""The clock goes no further, so that no year without a notice is touched."""

PHONES = ("13800000001", "13800000002")
ENTERPRISES = ("杭州甲测试有限公司", "杭州乙测试有限公司")
DEPARTMENTS = StubDirectory.departments
TERRITORIES = StubDirectory.territories
DAYS = {"simple": 1, "single": 3, "whistle": 5}
MOMENTS = {
    "simple": ((2, 9, "专班"),),
    "single": ((3, 12, "专班"), (4, 9, "专班督查考评组")),
    "whistle": ((5, 12, "专班"), (6, 9, "专班督查考评组")),
}
PAPERS = {
    2: {"approval_form", "situation_report", "meeting_record", "sign_in_record"},
    3: {"taskforce_report"},
}

ACTORS = (
    *(Actor(f"d{place}", Role.DEPARTMENT, name) for place, name in enumerate(DEPARTMENTS)),
    *(Actor(f"t{place}", Role.TERRITORY, name) for place, name in enumerate(TERRITORIES)),
    *(Actor(role.value, role) for role in Role if role not in (Role.DEPARTMENT, Role.TERRITORY)),
)

ENDED = {"closed", "withdrawn", "merged"}
WAITS = {"resolved", "not_accepted"}
WORKED_ON = {"assigned", "transferred", "in_work", "replied", "reopened", "escalated", "returned"}
UNDONE = WORKED_ON | {"filed"}
DISPATCH = {"territory", "operator", "taskforce", "admin"}
HANDLE = {"department", "territory"}

# deed: who may ever do it, in which states, and the state after it (None: the same)
DEEDS: dict[str, tuple[set[str], set[str], str | None]] = {
    "assign": (DISPATCH, {"filed"}, "assigned"),
    "transfer": (DISPATCH | {"department"}, WORKED_ON, "transferred"),
    "reassign": ({"taskforce", "admin"}, WORKED_ON, "assigned"),
    "start": (HANDLE, WORKED_ON - {"in_work", "replied"}, "in_work"),
    "reply": (HANDLE, WORKED_ON, "replied"),
    "resolve": (HANDLE, WORKED_ON, "resolved"),
    "decline": ({"territory", "taskforce"}, {"filed", "assigned", "transferred", "returned"}, "not_accepted"),
    "escalate": ({"territory", "taskforce"}, WORKED_ON, "escalated"),
    "return": ({"taskforce"}, WORKED_ON, "returned"),
    "merge": (DISPATCH, UNDONE, "merged"),
    "unmerge": (DISPATCH, {"merged"}, "filed"),
    "supervise": ({"taskforce", "inspection"}, UNDONE, None),
    "note": (DISPATCH | {"department", "inspection", "leader", "liaison"}, UNDONE | WAITS | ENDED, None),
}


@dataclass
class Calendar:
    """Working days, worked out anew: weekdays, but for the days that were changed."""

    changed: dict[date, bool] = field(default_factory=dict)

    def works(self, day: date) -> bool:
        return self.changed.get(day, day.weekday() < 5)

    def nth(self, moment: datetime, count: int) -> date:
        day = moment.date()
        while count:
            day += timedelta(days=1)
            count -= self.works(day)
        return day

    def due(self, level: str, moment: datetime) -> datetime:
        return datetime.combine(self.nth(moment, DAYS[level]), time(17, 30), SHANGHAI)

    def moments(self, twin: Twin) -> set[tuple[datetime, str]]:
        found = {
            (datetime.combine(self.nth(twin.submitted, count), time(hour), SHANGHAI), by)
            for count, hour, by in MOMENTS[twin.level]
        }
        return found | ({(twin.submitted, "两办督查室")} if twin.direct else set())

    def questions(self, moment: datetime) -> list[tuple[datetime, str]]:
        mornings = [
            datetime.combine(moment.date() + timedelta(days=days), time(9), SHANGHAI) for days in (1, 3, 7)
        ]
        call = datetime.combine(self.nth(mornings[-1], 1), time(9), SHANGHAI)
        return [*((at, "ask") for at in mornings), (call, "call")]


@dataclass
class Twin:
    """What the model knows of an appeal."""

    number: str
    owner: int
    level: str
    lead: str | None
    helpers: tuple[str, ...]
    territory: str | None
    direct: bool
    submitted: datetime
    due: datetime
    state: str = "filed"
    version: int = 1
    lines: int = 1
    led_by: tuple[str, ...] = ()
    times: dict[str, datetime] = field(default_factory=dict)
    step: int = 1
    came_from: tuple[int, bool] | None = None
    major: bool = False
    last: datetime | None = None
    answered: bool = False
    dissatisfied: int = 0
    word: tuple[str, int | None, str] | None = None
    merged_into: str | None = None
    was_assigned: bool = False
    supervision: Counter[tuple[datetime, str, str, str]] = field(default_factory=Counter)

    @property
    def open(self) -> bool:
        return self.state in UNDONE

    def now(self, clock: datetime) -> datetime:
        return max(
            clock.astimezone(SHANGHAI), self.submitted, self.last or self.submitted, *self.times.values()
        )

    def sees(self, actor: Actor) -> bool:
        if actor.role is Role.DEPARTMENT:
            return "assigned" in self.times and actor.unit in (self.lead, *self.helpers)
        if actor.role is Role.TERRITORY:
            return self.territory in (None, actor.unit)
        return actor.role is not Role.LIAISON

    def leads(self, actor: Actor) -> bool:
        if actor.role is Role.DEPARTMENT:
            return actor.unit == self.lead
        return actor.role is Role.TERRITORY and self.lead is None and self.territory == actor.unit


def union(*names: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


class Refused(Exception):
    """The model says that a deed must be refused in this way."""

    def __init__(self, kind: type[QifuError], code: str | None = None) -> None:
        super().__init__(kind, code)
        self.kind, self.code = kind, code or kind.code


def among(states: set[str]) -> Callable[[Any], Any]:
    """A rule that is tried only while some appeal is in one of these states."""
    return precondition(lambda self: any(twin.state in states for twin in self.twins.values()))


def possible(deed: str) -> Callable[[Any], Any]:
    """A rule for a deed that some appeal is in the state for; who does it may still be wrong."""
    return among(DEEDS[deed][1])


class Life(RuleBasedStateMachine):
    """What can happen, in any order."""

    open_database: ClassVar[Callable[[], Database]]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.database = self.run(self.opened())
        self.clock = StillClock(datetime(2026, 11, 19, 10, 0, tzinfo=SHANGHAI))
        self.calendar = Calendar()
        self.triage = StubTriage()
        self.service = AppealService(
            self.database.unit_of_work,
            self.triage,
            lambda: WorkCalendar(self.calendar.changed),
            self.clock,
            StubDirectory(),
        )
        self.twins: dict[str, Twin] = {}
        self.filed: Counter[date] = Counter()
        self.keys: dict[str, tuple[Any, tuple[str, ...]]] = {}
        self.touched: set[str] = set()
        self.notes = 0

    async def opened(self) -> Database:
        return type(self).open_database()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        try:
            self.touched = set(self.twins)
            self.what_is_stored_is_what_the_model_says()
        finally:
            self.run(self.database.close())
            self.runner.close()

    def seldom(self, state: str) -> bool:
        """Whether few enough appeals have come to an early end to let another one."""
        return 4 * sum(twin.state == state for twin in self.twins.values()) < len(self.twins)

    # -- the enterprise ------------------------------------------------------

    @initialize(proposed=st.sampled_from(["single", "single", "simple", "two"]))
    def some_are_in_work(self, proposed: str) -> None:
        for department in DEPARTMENTS[:3]:
            self.file(proposed, 1, 0, TERRITORIES[0], direct=False, key=None, department=department)
        for twin in list(self.twins.values())[:2]:
            self.run(self.service.assign(District.xiasha, twin.number))
            before = self.timing(twin)
            twin.state, twin.was_assigned = "assigned", True
            twin.times["assigned"] = twin.now(self.clock.now)
            twin.led_by = union(twin.lead)
            self.changed(twin, before, self.clock.now)

    @precondition(lambda self: len(self.twins) < 8)
    @rule(
        proposed=st.sampled_from(["simple", "single", "single", "single", "two", "unclear"]),
        parts=st.sampled_from([1, 1, 2]),
        owner=st.sampled_from([0, 0, 1]),
        territory=st.sampled_from([*TERRITORIES, TERRITORIES[0], None]),
        direct=st.sampled_from([False, False, True]),
        key=st.sampled_from([None, "k1", "k2"]),
        department=st.sampled_from(DEPARTMENTS),
    )
    def file(
        self,
        proposed: str,
        parts: int,
        owner: int,
        territory: str | None,
        direct: bool,
        key: str | None,
        department: str,
    ) -> None:
        lead = None if proposed in ("two", "unclear") else department
        helpers = DEPARTMENTS[:2] if proposed == "two" else ()
        level = proposed if lead else "whistle"
        self.triage.problems = [
            StubProblem(f"厂区门口道路积水，第{part}处", "项目", level, lead, helpers)
            for part in range(parts)
        ]
        sent = District(self.service, self.triage, self.clock, self.database).filing(
            enterprise=ENTERPRISES[owner],
            phone=PHONES[owner],
            territory=territory,
            channel="direct" if direct else "portal",
            idempotency_key=key,
        )
        known = self.keys.get(key) if key else None
        if known and known[0] != sent:
            self.refused(self.service.file(sent), Refused(Conflict, "idempotency_conflict"))
            return
        group = self.run(self.service.file(sent, District.operator if direct else ENTERPRISE))
        numbers = tuple(appeal.number for appeal in group.appeals)
        if known:
            assert (group.created, numbers) == (False, known[1])
            return
        assert group.created
        assert len(numbers) == parts
        if key:
            self.keys[key] = sent, numbers
        for appeal in group.appeals:
            day = self.clock.now.astimezone(SHANGHAI).date()
            self.filed[day] += 1
            assert appeal.number == f"QT{day:%Y%m%d}-{self.filed[day]:04d}"
            submitted = self.clock.now.astimezone(SHANGHAI)
            twin = Twin(
                appeal.number,
                owner,
                level,
                lead,
                tuple(helpers),
                territory,
                direct,
                submitted,
                self.calendar.due(level, submitted),
            )
            twin.supervision = Counter(
                (at, by, "moment", "pending") for at, by in self.calendar.moments(twin)
            )
            self.twins[appeal.number] = twin
            self.touched.add(appeal.number)

    @among(WAITS)
    @rule(
        data=st.data(),
        solved=st.sampled_from([False, False, True]),
        stars=st.sampled_from([1, 5, None]),
        comment=st.sampled_from(["", "还在积水"]),
        stranger=st.sampled_from([*[False] * 5, True]),
    )
    def feedback(
        self, data: st.DataObject, solved: bool, stars: int | None, comment: str, stranger: bool
    ) -> None:
        twin = self.pick(data, WAITS)
        word = ("resolved" if solved else "unresolved", stars, comment)
        work = self.service.give_feedback(twin.number, self.phone(twin, stranger), *word)
        if solved and stars is None:
            return self.refused(work, Refused(InvalidInput))
        if stranger:
            return self.refused(work, Refused(NotFound))
        if twin.state not in WAITS:
            if twin.word == word:
                self.run(work)
                return None
            return self.refused(work, Refused(Conflict, "wrong_state"))
        self.run(work)
        now = twin.now(self.clock.now)
        before = self.timing(twin)
        twin.word = word
        twin.times["feedback"] = now
        if solved:
            twin.state = "closed"
            twin.times["closed"] = now
        else:
            if twin.state == "not_accepted":
                twin.times.pop("assigned", None)
            twin.state = "filed" if twin.state == "not_accepted" else "reopened"
            twin.times.pop("resolved", None)
            twin.dissatisfied += 1
            twin.answered = False
        return self.changed(twin, before, now)

    @precondition(lambda self: self.seldom("withdrawn"))
    @rule(data=st.data(), stranger=st.sampled_from([True, True, False]))
    def withdraw(self, data: st.DataObject, stranger: bool) -> None:
        twin = self.pick(data, UNDONE)
        work = self.service.withdraw(twin.number, self.phone(twin, stranger), "已经解决")
        if stranger:
            return self.refused(work, Refused(NotFound))
        if twin.state not in UNDONE | {"not_accepted"}:
            return self.refused(work, Refused(Conflict, "wrong_state"))
        self.run(work)
        before = self.timing(twin)
        twin.state = "withdrawn"
        self.changed(twin, before, twin.now(self.clock.now))
        for other in self.twins.values():
            if other.merged_into == twin.number:
                self.taken_out(other)
        return None

    @among({"merged"})
    @rule(data=st.data(), stranger=st.sampled_from([False, False, True]))
    def separate(self, data: st.DataObject, stranger: bool) -> None:
        twin = self.pick(data, {"merged"})
        work = self.service.separate(twin.number, self.phone(twin, stranger), "不是同一件事")
        if stranger:
            return self.refused(work, Refused(NotFound))
        if twin.state != "merged":
            return self.refused(work, Refused(Conflict, "wrong_state"))
        self.run(work)
        return self.taken_out(twin)

    # -- the desks -----------------------------------------------------------

    @possible("assign")
    @rule(
        data=st.data(),
        lead=st.sampled_from([None, None, *DEPARTMENTS]),
        helpers=st.lists(st.sampled_from(DEPARTMENTS), max_size=2, unique=True),
        level=st.sampled_from([None, None, *DAYS]),
        territory=st.sampled_from([None, None, *TERRITORIES]),
        few=st.sampled_from([True, True, False]),
    )
    def assign(
        self,
        data: st.DataObject,
        lead: str | None,
        helpers: list[str],
        level: str | None,
        territory: str | None,
        few: bool,
    ) -> None:
        twin, actor, version = self.scene(data, "assign")
        if few:
            helpers, level = [], None

        def judge() -> None:
            place = territory or twin.territory or (actor.unit if actor.role is Role.TERRITORY else None)
            first = lead or (None if helpers else twin.lead)
            others = tuple(helpers) or (() if lead else twin.helpers)
            involved = union(*twin.led_by, first, *others)
            wanted = level or (None if lead or helpers else twin.level)
            base = wanted or ("single" if twin.level == "whistle" and first and not others else twin.level)
            if twin.was_assigned and twin.level == "whistle":
                base = "whistle"
            now_level = base if base != "whistle" and first and len(involved) == 1 else "whistle"
            if level and now_level != level:
                raise Refused(InvalidInput)
            if now_level == "whistle" and place is None:
                raise Refused(InvalidInput)
            self.route(twin, now_level, first if now_level != "whistle" else None, involved)
            twin.led_by = union(*twin.led_by, first)
            twin.territory = place
            twin.times["assigned"] = twin.now(self.clock.now)
            twin.was_assigned = True

        work = self.service.assign(
            actor,
            twin.number,
            lead_department=lead,
            co_departments=helpers,
            level=Level(level) if level else None,
            territory=territory,
            version=version,
        )
        self.deed("assign", twin, actor, version, work, judge)

    @possible("transfer")
    @rule(
        data=st.data(),
        department=st.sampled_from(DEPARTMENTS),
        territory=st.sampled_from([None, None, *TERRITORIES]),
    )
    def transfer(self, data: st.DataObject, department: str, territory: str | None) -> None:
        twin, actor, version = self.scene(data, "transfer")

        def judge() -> None:
            if actor.role is Role.DEPARTMENT and not twin.leads(actor):
                raise Refused(NotAllowed)
            self.handed_on(twin, actor, department, territory)

        work = self.service.transfer(
            actor,
            twin.number,
            department=department,
            reason="不属于本部门职责",
            territory=territory,
            version=version,
        )
        self.deed("transfer", twin, actor, version, work, judge)

    @possible("reassign")
    @rule(
        data=st.data(),
        department=st.sampled_from(DEPARTMENTS),
        helpers=st.lists(st.sampled_from(DEPARTMENTS), max_size=2, unique=True),
        territory=st.sampled_from([None, None, *TERRITORIES]),
    )
    def reassign(
        self, data: st.DataObject, department: str, helpers: list[str], territory: str | None
    ) -> None:
        twin, actor, version = self.scene(data, "reassign")
        work = self.service.reassign(
            actor,
            twin.number,
            lead_department=department,
            co_departments=helpers,
            reason="职责需要重新明确",
            territory=territory,
            version=version,
        )
        self.deed(
            "reassign",
            twin,
            actor,
            version,
            work,
            lambda: self.named_anew(twin, actor, department, helpers, territory),
        )

    @possible("start")
    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        twin, actor, version = self.scene(data, "start")
        work = self.service.start(actor, twin.number, version=version)
        self.deed("start", twin, actor, version, work, lambda: self.must_handle(twin, actor))

    @possible("reply")
    @rule(data=st.data())
    def reply(self, data: st.DataObject) -> None:
        twin, actor, version = self.scene(data, "reply")

        def judge() -> None:
            self.must_handle(twin, actor)
            twin.times.setdefault("first_reply", twin.now(self.clock.now))
            twin.answered = True

        work = self.service.reply(actor, twin.number, "已经安排人员到现场", version=version)
        self.deed("reply", twin, actor, version, work, judge)

    @possible("resolve")
    @rule(data=st.data(), words=st.sampled_from(["", "已经疏通", "已经疏通"]))
    def resolve(self, data: st.DataObject, words: str) -> None:
        twin, actor, version = self.scene(data, "resolve")

        def judge() -> None:
            if not twin.leads(actor):
                raise Refused(NotAllowed)
            if not words and not twin.answered:
                raise Refused(InvalidInput)
            self.settled(twin)

        work = self.service.resolve(actor, twin.number, words, version=version)
        self.deed("resolve", twin, actor, version, work, judge)

    @possible("decline")
    @precondition(lambda self: self.seldom("not_accepted"))
    @rule(data=st.data())
    def decline(self, data: st.DataObject) -> None:
        twin, actor, version = self.scene(data, "decline")
        work = self.service.decline(actor, twin.number, "属于司法程序，不能受理", version=version)
        self.deed("decline", twin, actor, version, work, lambda: self.settled(twin))

    @possible("escalate")
    @rule(
        data=st.data(),
        to_level=st.sampled_from([2, 2, 3, 4, 5]),
        papers=st.sampled_from([[], sorted(PAPERS[2]), sorted(PAPERS[2] | PAPERS[3])]),
        major=st.sampled_from([False, False, True]),
        leaders=st.sampled_from([1, 1, 2]),
    )
    def escalate(
        self, data: st.DataObject, to_level: int, papers: list[str], major: bool, leaders: int
    ) -> None:
        twin, actor, version = self.scene(data, "escalate")

        def judge() -> None:
            if to_level == 5:
                raise Refused(InvalidInput)
            straight = to_level == 4 and (major or leaders > 1)
            if to_level <= twin.step or (to_level != twin.step + 1 and not straight):
                raise Refused(Conflict, "escalation_order")
            if not straight and PAPERS.get(to_level, set()) - set(papers):
                raise Refused(Conflict, "documents_missing")
            twin.came_from, twin.step = (twin.step, twin.major), to_level
            twin.major = twin.major or major

        work = self.service.escalate(
            actor,
            twin.number,
            to_level=to_level,
            documents=papers,
            reason="部门之间意见不一致",
            major=major,
            leaders_needed=leaders,
            version=version,
        )
        self.deed("escalate", twin, actor, version, work, judge)

    @possible("return")
    @rule(
        data=st.data(),
        department=st.sampled_from([None, *DEPARTMENTS]),
        helpers=st.lists(st.sampled_from(DEPARTMENTS), max_size=1),
        territory=st.sampled_from([None, None, *TERRITORIES]),
    )
    def give_back(
        self, data: st.DataObject, department: str | None, helpers: list[str], territory: str | None
    ) -> None:
        twin, actor, version = self.scene(data, "return")

        def judge() -> None:
            if twin.came_from is None:
                raise Refused(Conflict, "wrong_state")
            twin.step, twin.major = twin.came_from
            twin.came_from = None
            if department or helpers:
                self.named_anew(twin, actor, department, helpers, territory)
            self.ordered(twin, "专班")

        work = self.service.return_escalated(
            actor,
            twin.number,
            reason="不符合提级条件",
            lead_department=department,
            co_departments=helpers,
            territory=territory,
            version=version,
        )
        self.deed("return", twin, actor, version, work, judge)

    @possible("merge")
    @rule(data=st.data(), into=st.integers(0, 7))
    def merge(self, data: st.DataObject, into: int) -> None:
        twin, actor, version = self.scene(data, "merge")
        stays = list(self.twins.values())[into % len(self.twins)]
        work = self.service.merge(
            actor, twin.number, into=stays.number, reason="同一件事重复提交", version=version
        )
        if stays is twin:
            return self.refused(work, Refused(InvalidInput))

        def judge() -> None:
            if twin.owner != stays.owner:
                raise Refused(Conflict, "other_enterprise")
            if stays.state in ENDED:
                raise Refused(Conflict, "wrong_state")
            twin.merged_into = stays.number
            stays.version += 1
            stays.lines += 1
            stays.last = stays.now(self.clock.now)
            self.touched.add(stays.number)

        hidden = not stays.sees(actor)
        return self.deed("merge", twin, actor, version, work, judge, hidden=hidden)

    @possible("unmerge")
    @rule(data=st.data())
    def unmerge(self, data: st.DataObject) -> None:
        twin, actor, version = self.scene(data, "unmerge")

        def judge() -> None:
            twin.merged_into = None
            twin.times.pop("assigned", None)

        work = self.service.unmerge(actor, twin.number, reason="经核实不是同一件事", version=version)
        self.deed("unmerge", twin, actor, version, work, judge)

    @possible("supervise")
    @rule(data=st.data())
    def supervise(self, data: st.DataObject) -> None:
        twin, actor, _ = self.scene(data, "supervise")
        by = "两办督查室" if actor.role is Role.INSPECTION else "专班"
        work = self.service.supervise(actor, twin.number, "请尽快办理")
        self.deed("supervise", twin, actor, None, work, lambda: self.ordered(twin, by), quiet=True)

    @precondition(lambda self: self.twins and self.notes < 3)
    @rule(data=st.data())
    def note(self, data: st.DataObject) -> None:
        self.notes += 1
        twin, actor, _ = self.scene(data, "note")
        work = self.service.note(actor, twin.number, "已电话联系")
        self.deed("note", twin, actor, None, work, lambda: None, quiet=True)

    @precondition(lambda self: self.twins)
    @rule(data=st.data(), name=st.sampled_from(sorted(DEEDS)), actor=st.sampled_from(ACTORS))
    def anybody_tries_anything(self, data: st.DataObject, name: str, actor: Actor) -> None:
        twin = data.draw(st.sampled_from(list(self.twins.values())))
        roles, states, _ = DEEDS[name]
        if actor.role.value in roles and twin.sees(actor) and twin.state in states:
            return  # this is what the other rules are for
        number, words, department = twin.number, "这样做有理由", DEPARTMENTS[0]
        work: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
            "assign": lambda: self.service.assign(actor, number),
            "transfer": lambda: self.service.transfer(actor, number, department=department, reason=words),
            "reassign": lambda: self.service.reassign(
                actor, number, lead_department=department, reason=words
            ),
            "start": lambda: self.service.start(actor, number),
            "reply": lambda: self.service.reply(actor, number, words),
            "resolve": lambda: self.service.resolve(actor, number, words),
            "decline": lambda: self.service.decline(actor, number, words),
            "escalate": lambda: self.service.escalate(actor, number, to_level=4, major=True, reason=words),
            "return": lambda: self.service.return_escalated(actor, number, reason=words),
            "merge": lambda: self.service.merge(actor, number, into=f"{number[:-4]}9999", reason=words),
            "unmerge": lambda: self.service.unmerge(actor, number, reason=words),
            "supervise": lambda: self.service.supervise(actor, number, words),
            "note": lambda: self.service.note(actor, number, words),
        }
        expected = Refused(Conflict, "wrong_state")
        if actor.role.value not in roles:
            expected = Refused(NotAllowed)
        elif name == "merge" or not twin.sees(actor):
            expected = Refused(NotFound)
        self.refused(work[name](), expected)

    # -- time ----------------------------------------------------------------

    @rule(minutes=st.sampled_from([1, 30, 240, 1440, 4320, -1, -60, -1500]))
    def time_passes_or_the_clock_is_set_back(self, minutes: int) -> None:
        later = self.clock.now + timedelta(minutes=minutes)
        if later.date() <= LAST_DAY:
            self.clock.now = later

    @precondition(lambda self: any(self.due(twin) for twin in self.twins.values()))
    @rule()
    def the_supervision_clock_passes(self) -> None:
        clock = SupervisionClock(self.database.unit_of_work, self.clock, lambda name: None)
        acted = self.run(clock.run_once()).acted
        expected = 0
        for twin in self.twins.values():
            for row in self.due(twin):
                count = twin.supervision.pop(row)
                twin.supervision[(*row[:3], "done")] += count
                twin.lines += count
                expected += count
                known = (twin.times.get(name) for name in ("assigned", "first_reply", "resolved", "feedback"))
                there = [at for at in known if at]
                twin.last = max(self.clock.now.astimezone(SHANGHAI), twin.submitted, *there)
                self.touched.add(twin.number)
        assert acted == expected
        assert self.run(clock.run_once()).acted == 0

    def due(self, twin: Twin) -> list[tuple[datetime, str, str, str]]:
        return [
            row
            for row in twin.supervision
            if row[0] <= self.clock.now and row[2] in ("moment", "ask") and row[3] == "pending"
        ]

    @precondition(lambda self: len(self.calendar.changed) < 4)
    @rule(days=st.integers(0, 8))
    def the_calendar_changes(self, days: int) -> None:
        day = self.clock.now.date() + timedelta(days=days)
        self.calendar.changed[day] = not self.calendar.works(day)
        told = self.run(self.service.recompute())
        changed = 0
        now = self.clock.now.astimezone(SHANGHAI)
        for twin in self.twins.values():
            if not twin.open or twin.due <= now:
                continue
            due = self.calendar.due(twin.level, twin.submitted)
            wanted = self.calendar.moments(twin)
            mine = {
                (at, by)
                for at, by, kind, state in twin.supervision
                if kind == "moment" and state == "pending"
            }
            stopped = {(at, by) for at, by, kind, _ in twin.supervision if kind == "moment"} - mine
            if due == twin.due and wanted <= mine | stopped and mine <= wanted:
                continue
            before = self.timing(twin)
            twin.due = due
            changed += 1
            self.changed(twin, before, twin.now(self.clock.now), always=True)
        assert told == changed

    # -- the model's own rules -----------------------------------------------

    def route(self, twin: Twin, level: str, lead: str | None, involved: tuple[str, ...]) -> None:
        if level != twin.level:
            due = self.calendar.due(level, twin.submitted)
            twin.due = max(twin.due, due) if level == "whistle" else due
        twin.level, twin.lead = level, lead
        twin.helpers = () if level != "whistle" else tuple(name for name in involved if name != lead)

    def handed_on(
        self, twin: Twin, actor: Actor, target: str, territory: str | None, named: tuple[str, ...] = ()
    ) -> None:
        place = territory or twin.territory or (actor.unit if actor.role is Role.TERRITORY else None)
        involved = union(*twin.led_by, target, *twin.helpers, *named)
        level = "whistle" if len(involved) > 1 else twin.level
        if level == "whistle" and place is None:
            raise Refused(InvalidInput)
        self.route(twin, level, None if level == "whistle" else target, involved)
        twin.led_by = union(*twin.led_by, target)
        twin.territory = place

    def named_anew(
        self, twin: Twin, actor: Actor, target: str | None, helpers: list[str], territory: str | None
    ) -> None:
        lead = target or twin.lead
        if twin.level != "whistle" and lead:
            self.handed_on(twin, actor, lead, territory, tuple(helpers))
            return
        twin.lead = lead
        twin.helpers = tuple(name for name in union(*twin.helpers, *helpers) if name != lead)
        twin.led_by = union(*twin.led_by, lead)
        twin.territory = territory or twin.territory

    def must_handle(self, twin: Twin, actor: Actor) -> None:
        if not twin.leads(actor) and actor.unit not in twin.helpers:
            raise Refused(NotAllowed)

    def settled(self, twin: Twin) -> None:
        now = twin.now(self.clock.now)
        twin.times["resolved"] = now
        twin.times.setdefault("first_resolved", now)
        twin.times.setdefault("first_reply", now)

    def ordered(self, twin: Twin, by: str) -> None:
        twin.supervision[(twin.now(self.clock.now), by, "order", "done")] += 1

    def taken_out(self, twin: Twin) -> None:
        before = self.timing(twin)
        twin.state, twin.merged_into = "filed", None
        twin.times.pop("assigned", None)
        self.changed(twin, before, twin.now(self.clock.now))

    # -- acting --------------------------------------------------------------

    def pick(self, data: st.DataObject, states: set[str]) -> Twin:
        """An appeal, most often one in a state where the deed makes sense."""
        fit = [twin for twin in self.twins.values() if twin.state in states]
        sensible = fit and data.draw(st.sampled_from([*[True] * 9, False]))
        return data.draw(st.sampled_from(fit if sensible else list(self.twins.values())))

    def scene(self, data: st.DataObject, deed: str) -> tuple[Twin, Actor, int | None]:
        """An appeal, somebody who most often may do it, and the version that they have seen."""
        roles, states, _ = DEEDS[deed]
        twin = self.pick(data, states)
        fit = [one for one in ACTORS if one.role.value in roles and twin.sees(one)]
        if deed in ("start", "reply", "resolve"):
            fit = [one for one in fit if twin.leads(one)] or fit
        sensible = fit and data.draw(st.sampled_from([*[True] * 7, False]))
        actor = data.draw(st.sampled_from(fit if sensible else ACTORS))
        seen = data.draw(st.sampled_from([0, 0, 0, 0, 0, 0, None, None, -1, -5]))
        return twin, actor, None if seen is None else max(twin.version + seen, 1)

    def deed(
        self,
        name: str,
        twin: Twin,
        actor: Actor,
        version: int | None,
        work: Coroutine[Any, Any, AppealRecord],
        judge: Callable[[], None],
        *,
        quiet: bool = False,
        hidden: bool = False,
    ) -> None:
        roles, states, target = DEEDS[name]
        kept = (dict(vars(twin)), dict(twin.times), Counter(twin.supervision))
        before, now = self.timing(twin), twin.now(self.clock.now)
        try:
            if actor.role.value not in roles:
                raise Refused(NotAllowed)
            if hidden or not twin.sees(actor):
                raise Refused(NotFound)
            if version is not None and version != twin.version:
                raise Refused(Conflict, "version_conflict")
            if twin.state not in states:
                raise Refused(Conflict, "wrong_state")
            judge()
        except Refused as expected:
            vars(twin).update(kept[0])
            twin.times, twin.supervision = kept[1], kept[2]
            error = self.refusal(work, expected)
            if expected.code == "version_conflict":
                assert error.details["version"] == twin.version
                assert len(error.details["changes"]) in range(1, 6)
            return
        record = self.run(work)
        twin.state = target or twin.state
        assert record.appeal.version == twin.version + (not quiet)
        self.changed(twin, before, now, quiet=quiet)

    def refused(self, work: Awaitable[Any], expected: Refused) -> None:
        self.refusal(work, expected)

    def refusal(self, work: Awaitable[Any], expected: Refused) -> QifuError:
        with pytest.raises(QifuError) as caught:
            self.run(_awaited(work))
        assert (type(caught.value), caught.value.code) == (expected.kind, expected.code), caught.value.message
        return caught.value

    def phone(self, twin: Twin, stranger: bool) -> str:
        return PHONES[twin.owner] if not stranger else "13800000099"

    def timing(self, twin: Twin) -> tuple[Any, ...]:
        return twin.level, twin.state, twin.due

    def changed(
        self, twin: Twin, before: tuple[Any, ...], now: datetime, *, quiet: bool = False, always: bool = False
    ) -> None:
        """What a change brings with it: a line, a version, and the supervision that holds from now on."""
        twin.version += not quiet
        twin.lines += 1
        twin.last = now
        self.touched.add(twin.number)
        if self.timing(twin) == before and not always:
            return
        wanted = self.calendar.moments(twin)
        rows: Counter[tuple[datetime, str, str, str]] = Counter()
        for (at, by, kind, state), count in twin.supervision.items():
            if kind == "order" or state == "done":
                rows[(at, by, kind, state)] += count
            elif kind == "moment":
                if (at, by) not in wanted:
                    rows[(at, by, kind, "stopped")] += count
            else:
                stays = twin.state in WAITS and before[1] == twin.state
                rows[(at, by, kind, state if stays else "stopped")] += count
        done = {(at, by) for at, by, kind, state in rows if (kind, state) == ("moment", "done")}
        for at, by in wanted - done:
            rows[(at, by, "moment", "pending" if twin.open else "stopped")] += 1
        if twin.state in WAITS and before[1] != twin.state:
            rows.update((at, "企业服务热线", kind, "pending") for at, kind in self.calendar.questions(now))
        twin.supervision = rows

    # -- what must be true after each step --------------------------------------

    @invariant()
    def what_is_stored_is_what_the_model_says(self) -> None:
        for number in sorted(self.touched):
            self.compare(self.twins[number], self.run(self.service.get(District.taskforce, number)))
        self.touched.clear()

    def compare(self, twin: Twin, record: AppealRecord) -> None:
        appeal = record.appeal
        times = {
            "assigned": appeal.assigned_at,
            "first_reply": appeal.first_reply_at,
            "first_resolved": appeal.first_resolved_at,
            "resolved": appeal.resolved_at,
            "closed": appeal.closed_at,
            "feedback": appeal.feedback.at if appeal.feedback else None,
        }
        assert {name: at for name, at in times.items() if at} == twin.times
        assert (appeal.state.value, appeal.level.value, appeal.due_at) == (twin.state, twin.level, twin.due)
        assert (appeal.lead_department, set(appeal.co_departments)) == (twin.lead, set(twin.helpers))
        assert (appeal.territory, appeal.led_by, appeal.merged_into) == (
            twin.territory,
            twin.led_by,
            twin.merged_into,
        )
        assert (appeal.escalation_level, appeal.major) == (twin.step, twin.major)
        assert (appeal.version, len(record.history), appeal.dissatisfied) == (
            twin.version,
            twin.lines,
            twin.dissatisfied,
        )
        assert not appeal.due_provisional
        rows = Counter((row.at, row.by, row.kind.value, row.state.value) for row in record.supervision)
        assert rows == twin.supervision
        _check_life(record)
        self.run(self.check_chain(record))

    async def check_chain(self, record: AppealRecord) -> None:
        appeal = record.appeal
        async with self.database.engine.connect() as connection:
            found = await connection.execute(
                text(
                    "SELECT appeals.id, record_length, record_head FROM appeals WHERE number = :number"
                ).bindparams(number=appeal.number)
            )
            appeal_id, length, head = found.one()
            history = Base.metadata.tables["appeal_history"]
            rows = (
                await connection.execute(
                    history.select().where(history.c.appeal_id == appeal_id).order_by(history.c.position)
                )
            ).all()
        previous = chain.START
        for position, row in enumerate(rows, 1):
            line = line_of(row)
            assert row.position == position
            assert chain.text_signature(VAULT.sign, appeal.number, position, row.text) == row.text_signature
            signature = chain.link(VAULT.sign, previous, appeal.number, position, line, row.text_signature)
            assert signature == row.signature
            previous = chain.head(VAULT.sign, appeal.number, position, signature)
        assert (length, head) == (len(rows), previous)


async def _awaited(work: Awaitable[T]) -> T:
    return await work


def _check_life(record: AppealRecord) -> None:
    """What the record alone must prove."""
    appeal, told = record.appeal, {}
    unit_said, was_whistle, first = False, False, None
    for line in record.history:
        for name, value in line.before.items():
            assert told[name] == value
        told |= {name: value for name, value in line.after.items() if name in RECORDED}
        state = State(told["state"])
        if line.event in (Event.RESOLVE, Event.DECLINE):
            assert isinstance(line.actor.role, Role)
            unit_said = True
        elif state not in (State.RESOLVED, State.NOT_ACCEPTED, State.CLOSED):
            unit_said = False
        if state is State.CLOSED and "state" in line.after:
            assert unit_said
            assert line.actor.role is Party.ENTERPRISE
            assert line.event is Event.CONFIRM
        assert not (was_whistle and told["level"] != "whistle")
        was_whistle |= (
            told["level"] == "whistle"
            and line.event not in (Event.FILE, Event.NOTE, Event.MERGE)
            and (told["assigned_at"] is not None)
        )
        first = first or next(iter(told["led_by"]), None)
        assert next(iter(told["led_by"]), None) == first
    assert {name: plain(getattr(appeal, name)) for name in RECORDED} == told
    assert appeal.first_department == first
    assert appeal.dissatisfied == sum(line.event is Event.REJECT for line in record.history)


def _live(machine: type[Life], open_database: Callable[[], Database], examples: int, steps: int) -> None:
    named = type(machine.__name__, (machine,), {"open_database": staticmethod(open_database)})
    run_state_machine_as_test(
        named,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.database
def test_any_life_is_as_the_rules_say(sqlite_template: Path, tmp_path: Path) -> None:
    def copied() -> Database:
        path = tmp_path / "life.db"
        for old in tmp_path.glob("life.db*"):
            old.unlink()
        shutil.copy(sqlite_template, path)
        database = Database(f"sqlite:///{path}", VAULT)
        event.listen(database.engine.sync_engine, "connect", _fast)
        return database

    _live(Life, copied, examples=20, steps=40)


@pytest.mark.database
def test_any_life_is_the_same_on_postgresql(postgresql_url: str) -> None:
    tables = ", ".join(Base.metadata.tables)
    emptied = create_engine(sync_url(postgresql_url))

    def empty() -> Database:
        with emptied.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        return Database(postgresql_url, VAULT)

    try:
        _live(Life, empty, examples=4, steps=25)
    finally:
        emptied.dispose()


def _fast(connection: Any, _record: object) -> None:
    # nothing is killed here: waiting for the disk would only make the test slow
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = OFF")
    cursor.close()


async def test_a_second_lead_after_a_new_review_makes_a_whistle_that_stays_one(district: District) -> None:
    number = await district.assigned()
    for _ in range(2):
        await district.service.decline(district.xiasha, number, "属于司法程序，不能受理")
        await district.service.give_feedback(number, PHONE, "unresolved")
        with pytest.raises(InvalidInput, match="吹哨"):
            await district.service.assign(
                district.xiasha, number, lead_department="区人社局", level=Level.SINGLE
            )
        found = (await district.service.assign(district.xiasha, number, lead_department="区人社局")).appeal
        assert (found.level, found.lead_department) == (Level.WHISTLE, None)
        assert found.co_departments == ("区住建局", "区人社局")
        assert found.first_department == "区住建局"


async def test_a_moment_moves_with_the_calendar_where_the_due_time_stays(database: Database) -> None:
    calendar = Calendar()
    service = AppealService(
        database.unit_of_work,
        StubTriage(),
        lambda: WorkCalendar(calendar.changed),
        StillClock(),
        StubDirectory(),
    )
    district = District(service, StubTriage(), StillClock(), database)
    before = await district.filed()
    calendar.changed[date(2026, 11, 25)] = False  # the working day after the due day
    assert await service.recompute() == 1
    record = await service.get(District.taskforce, before.number)
    assert record.appeal.due_at == before.due_at
    moments = {(f"{row.at.astimezone(SHANGHAI):%m-%d %H}", row.state.value) for row in record.supervision}
    assert moments == {("11-24 12", "pending"), ("11-26 09", "pending"), ("11-25 09", "stopped")}
    assert not record.history[-1].public
    assert await service.recompute() == 0
