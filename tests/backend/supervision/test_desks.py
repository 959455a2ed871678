"""What staff do with supervision: messages, the phone list, penalties, time limits beside 135."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from appeal_district import PHONE
from supervision_helpers import Watched, rows

from backend.appeals.calendar import SHANGHAI
from backend.appeals.model import Event
from backend.appeals.penalties import PenaltyKind
from backend.appeals.service_times import ServiceKind
from backend.errors import Conflict, InvalidInput, NotAllowed, NotFound
from backend.people.actors import ENTERPRISE, Actor
from backend.people.roles import Role
from backend.storage.tables import AuditRow, OutboxRow, ServiceClockRow
from backend.supervision.model import ClockQuery, ClockState, Delivery, OutboxQuery, PenaltyQuery

pytestmark = pytest.mark.database

LEADER = Actor("ld", Role.LEADER)


# -- messages ----------------------------------------------------------------------------------------------


async def test_each_desk_reads_its_own(watched: Watched) -> None:
    district = watched.district
    await district.assigned()
    messages = watched.supervision.messages
    mine, unread = await messages.of_desk(district.housing)
    assert (mine.total, unread) == (1, 1)
    message = mine.items[0]
    assert message.message.subject == "交办：诉求 QT20261119-0001"
    for other in (district.economy, district.port, district.xiasha, district.taskforce, LEADER):
        assert (await messages.of_desk(other))[0].total == 0
        with pytest.raises(NotFound):
            await messages.read(other, message.id)
    await messages.read(district.housing, message.id)
    watched.clock.pass_by(hours=1)
    await messages.read(Actor("colleague", Role.DEPARTMENT, "区住建局"), message.id)
    found, unread = await messages.of_desk(district.housing)
    assert unread == 0
    assert found.items[0].read_by == "zj", "the first reader stays"
    assert (await messages.of_desk(district.housing, unread=True))[0].total == 0


async def test_unread_messages_come_first(watched: Watched) -> None:
    for _ in range(3):
        await watched.district.assigned()
    messages, housing = watched.supervision.messages, watched.district.housing
    newest = (await messages.of_desk(housing))[0].items[0]
    await messages.read(housing, newest.id)
    ids = [one.id for one in (await messages.of_desk(housing))[0].items]
    assert ids[-1] == newest.id
    second = (await messages.of_desk(housing, page=2, page_size=2))[0]
    assert ([one.id for one in second.items], second.total) == ([newest.id], 3)


@pytest.mark.parametrize("actor", [ENTERPRISE, Actor("ed", Role.EDITOR), Actor("li", Role.LIAISON)])
async def test_others_have_no_messages(watched: Watched, actor: Actor) -> None:
    with pytest.raises(NotAllowed):
        await watched.supervision.messages.of_desk(actor)


async def test_every_deed_tells_the_unit_concerned(watched: Watched) -> None:
    district, service = watched.district, watched.district.service
    number = await district.assigned()
    await service.supervise(district.taskforce, number, "请尽快办理")
    await service.transfer(district.housing, number, department="区人社局", reason="职责在该局")
    await service.resolve(district.xiasha, number, "已经协调解决")
    await service.give_feedback(number, PHONE, "unresolved", None, "没有修好")
    await service.withdraw(number, PHONE)
    told = [(row.kind, row.role, row.unit) for row in await watched.outbox()]
    assert told == [
        ("assignment", "department", "区住建局"),
        ("order", "department", "区住建局"),
        ("order", "territory", "下沙街道"),
        ("assignment", "territory", "下沙街道"),
        ("assignment", "department", "区人社局"),
        ("first_asked", "taskforce", None),
        ("outcome", None, None),
        ("reopened", "territory", "下沙街道"),
        ("reopened", "department", "区住建局"),
        ("reopened", "department", "区人社局"),
        ("ended", "territory", "下沙街道"),
        ("ended", "department", "区住建局"),
        ("ended", "department", "区人社局"),
    ]


async def test_a_merge_and_its_taking_back_are_told(watched: Watched) -> None:
    district, service = watched.district, watched.district.service
    number, goes_on = await district.assigned(), await district.assigned()
    await service.merge(district.operator, number, into=goes_on, reason="同一件事")
    await service.separate(number, PHONE, "不是同一件事")
    told = [(row.kind, row.role, row.unit) for row in (await watched.outbox())[2:]]
    assert told == [
        ("ended", None, None),
        ("ended", "department", "区住建局"),
        ("ended", "territory", "下沙街道"),
        ("reopened", "territory", "下沙街道"),
    ]


async def test_only_what_stays_undelivered_is_tried_again(watched: Watched) -> None:
    await watched.district.resolved()
    messages, taskforce = watched.supervision.messages, watched.district.taskforce
    await watched.supervision.dispatcher.run_once()
    stuck = await messages.outbox(taskforce, OutboxQuery(Delivery.NO_WAY))
    assert [one.message.to for one in stuck.items] == [None]
    await messages.again(taskforce, stuck.items[0].id)
    assert (await messages.outbox(taskforce, OutboxQuery(Delivery.WAITING))).total == 1
    at_desk = (await messages.outbox(taskforce, OutboxQuery(Delivery.AT_DESK))).items[0]
    with pytest.raises(Conflict):
        await messages.again(taskforce, at_desk.id)
    with pytest.raises(NotFound):
        await messages.again(taskforce, 999_999)
    with pytest.raises(NotAllowed):
        await messages.outbox(watched.district.operator, OutboxQuery())


# -- the phone list ----------------------------------------------------------------------------------------


async def test_the_phone_list_closes_nothing(watched: Watched) -> None:
    district, calls = watched.district, watched.supervision.calls
    number = await district.resolved()
    assert (await calls.list(district.operator)).total == 0
    with pytest.raises(Conflict):
        await calls.called(district.operator, number, "还没有到时间")
    watched.at("2026-11-27T09:00:00")  # Friday; asked on the 20th, 22nd and 26th
    await watched.tick()
    found = await calls.list(district.operator)
    assert [one.appeal.number for one in found.items] == [number]
    assert found.items[0].appeal.phone == PHONE
    await calls.called(district.operator, number, "没有人接听", again=True)
    assert (await calls.list(district.operator)).total == 0
    watched.at("2026-11-30T09:00:00")
    again = (await calls.list(district.operator)).items[0]
    assert [one.text for one in again.tried] == ["没有人接听"]
    appeal = await calls.called(district.operator, number, "企业说已经解决，会自己确认")
    assert appeal.state.value == "resolved", "only the enterprise's own word closes"
    with pytest.raises(Conflict):
        await calls.called(district.operator, number, "再打一次")
    record = await district.service.get(district.taskforce, number)
    notes = [line for line in record.history if line.event is Event.NOTE]
    assert [line.text for line in notes] == ["没有人接听", "企业说已经解决，会自己确认"]
    assert not any(line.public for line in notes)
    await district.service.give_feedback(number, PHONE, "resolved", 5)
    with pytest.raises(Conflict):
        await calls.called(district.operator, number, "已经闭环")


async def test_who_has_spoken_is_not_called(watched: Watched) -> None:
    district = watched.district
    number = await district.resolved()
    await district.service.give_feedback(number, PHONE, "resolved", 5)
    watched.at("2026-12-30T09:00:00")
    assert (await watched.tick()).acted == 0
    assert (await watched.supervision.calls.list(district.operator)).total == 0


@pytest.mark.parametrize("actor", [Actor("zj", Role.DEPARTMENT, "区住建局"), LEADER, ENTERPRISE])
async def test_others_call_nobody(watched: Watched, actor: Actor) -> None:
    with pytest.raises(NotAllowed):
        await watched.supervision.calls.list(actor)
    with pytest.raises(NotAllowed):
        await watched.supervision.calls.called(actor, "QT20261119-0001", "打过电话了")


async def test_a_liaison_calls_their_own_enterprises_only(watched: Watched) -> None:
    number = await watched.district.resolved()
    watched.at("2026-11-30T09:00:00")
    stranger = Actor("li", Role.LIAISON)
    assert (await watched.supervision.calls.list(stranger)).total == 0
    with pytest.raises(NotFound):
        await watched.supervision.calls.called(stranger, number, "打过电话了")


# -- penalties ---------------------------------------------------------------------------------------------


async def test_people_record_what_only_they_can_judge(watched: Watched) -> None:
    district, penalties = watched.district, watched.supervision.penalties
    number = await district.assigned()
    kept = await penalties.record(
        district.taskforce, number, PenaltyKind.FIRST_ASKED, "推给其他部门，没有牵头协调"
    )
    assert kept.penalty.unit == "区住建局", "the first department, unless another is named"
    await penalties.record(district.inspection, number, PenaltyKind.CRITICISM, "被通报", "下沙")
    found = await penalties.list(district.taskforce, PenaltyQuery())
    assert [(one.penalty.kind.value, one.penalty.unit, one.penalty.by) for one in found.items] == [
        ("criticism", "下沙街道", "dc"),
        ("first_asked", "区住建局", "zb"),
    ]
    record = await district.service.get(district.taskforce, number)
    assert [line.summary for line in record.history[-2:]] == [
        "登记考评事项：未履行首问责任（区住建局）",
        "登记考评事项：处理不力被通报（下沙街道）",
    ]
    assert not any(line.public for line in record.history[-2:])


async def test_units_see_their_own_penalties(watched: Watched) -> None:
    district, penalties = watched.district, watched.supervision.penalties
    await district.assigned()
    watched.at("2026-11-25T09:00:00")
    await watched.tick()
    for actor, total in ((district.housing, 1), (district.xiasha, 1), (district.economy, 0), (LEADER, 2)):
        assert (await penalties.list(actor, PenaltyQuery())).total == total
    assert (await penalties.list(district.housing, PenaltyQuery(unit="下沙街道"))).total == 0
    due = datetime(2026, 11, 24, 17, 30, tzinfo=SHANGHAI)
    for since, before, total in ((due, None, 2), (due + timedelta(seconds=1), None, 0), (None, due, 0)):
        assert (await penalties.list(LEADER, PenaltyQuery(since=since, before=before))).total == total
    assert (await penalties.list(LEADER, PenaltyQuery(kind=PenaltyKind.DISSATISFIED))).total == 0


async def test_nobody_adds_to_what_follows_from_rules(watched: Watched) -> None:
    number = await watched.district.assigned()
    penalties, taskforce = watched.supervision.penalties, watched.district.taskforce
    for kind in (PenaltyKind.LATE_DISPATCH, PenaltyKind.LATE_HANDLING, PenaltyKind.DISSATISFIED):
        with pytest.raises(InvalidInput):
            await penalties.record(taskforce, number, kind, "因为如此", "区住建局")
    for reason, unit in (("", "区住建局"), ("因为如此", "没有的单位"), ("因为如此", None)):
        with pytest.raises(InvalidInput):
            await penalties.record(taskforce, number, PenaltyKind.CRITICISM, reason, unit)
    with pytest.raises(NotFound):
        await penalties.record(taskforce, "QT20261119-0999", PenaltyKind.CRITICISM, "因为如此", "区住建局")
    with pytest.raises(NotAllowed):
        await penalties.record(
            watched.district.operator, number, PenaltyKind.CRITICISM, "因为如此", "区住建局"
        )


# -- time limits beside 135 --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "units", "due"),
    [
        (ServiceKind.ON_SITE, ["区住建局"], "2026-11-20T17:30:00+08:00"),
        (ServiceKind.DIRECTOR, ["区住建局"], "2026-11-24T17:30:00+08:00"),
        (ServiceKind.DISCUSSION, ["区住建局", "下沙"], "2026-11-26T17:30:00+08:00"),
        (ServiceKind.OPEN_SERVICE, ["区住建局"], "2026-11-23T17:30:00+08:00"),
        (ServiceKind.POLICY_SINGLE, ["区住建局"], "2026-11-20T10:00:00+08:00"),
        (ServiceKind.POLICY_JOINT, ["区住建局", "区人社局"], "2026-11-21T10:00:00+08:00"),
    ],
)
async def test_each_kind_has_its_limit_and_reminds_once(
    watched: Watched, kind: ServiceKind, units: list[str], due: str
) -> None:
    limits, district = watched.supervision.limits, watched.district
    clock = await limits.start(district.operator, kind, "无先例的事项", units)
    assert clock.due_at == datetime.fromisoformat(due)
    watched.clock.now = clock.due_at - timedelta(seconds=1)
    assert (await watched.tick()).acted == 0
    watched.clock.now = clock.due_at
    assert (await watched.tick()).acted == 1
    assert (await watched.tick()).acted == 0
    told = {row.unit for row in await watched.outbox(OutboxRow.kind == "clock")}
    assert told == {None, *clock.units}
    stored = (await rows(watched.database, ServiceClockRow))[0]
    assert stored.reminded_at is not None


async def test_an_outcome_ends_a_limit_and_its_reminder(watched: Watched) -> None:
    limits, district = watched.supervision.limits, watched.district
    clock = await limits.start(district.xiasha, ServiceKind.DIRECTOR, "窗口不能解决的事项", ["住建局"])
    with pytest.raises(NotFound):
        await limits.end(district.economy, clock.id, "与我无关")
    with pytest.raises(NotFound):
        await limits.end(district.housing, 999_999, "没有这个")
    with pytest.raises(NotAllowed):
        await limits.end(district.inspection, clock.id, "不是直通车")
    ended = await limits.end(district.housing, clock.id, "已经答复企业")
    assert (ended.state, ended.ended_by, ended.outcome) == (ClockState.ENDED, "zj", "已经答复企业")
    with pytest.raises(Conflict):
        await limits.end(district.taskforce, clock.id, "再来一次")
    watched.at("2027-01-30T09:00:00")
    assert (await watched.tick()).acted == 0
    actions = [row.action for row in await rows(watched.database, AuditRow)]
    assert actions == ["clock.start", "clock.end"]


async def test_lists_show_what_concerns_a_unit(watched: Watched) -> None:
    limits, district = watched.supervision.limits, watched.district
    number = await district.assigned()
    one = await limits.start(
        district.xiasha, ServiceKind.DIRECTOR, "窗口不能解决的事项", ["区住建局"], number=number
    )
    two = await limits.start(district.operator, ServiceKind.POLICY_SINGLE, "政策咨询", ["区人社局"])
    everything = {one.id, two.id}
    for actor, expected in (
        (district.operator, everything),
        (district.housing, {one.id}),
        (district.xiasha, {one.id}),
        (district.port, set()),
        (district.market, set()),
    ):
        assert {found.id for found in (await limits.list(actor, ClockQuery())).items} == expected
    watched.at("2026-11-22T09:00:00")
    for query, expected in (
        (ClockQuery(overdue=True), {two.id}),
        (ClockQuery(overdue=False), {one.id}),
        (ClockQuery(unit="区人社局"), {two.id}),
        (ClockQuery(number=number), {one.id}),
        (ClockQuery(kind=ServiceKind.DIRECTOR), {one.id}),
        (ClockQuery(state=ClockState.ENDED), set()),
    ):
        assert {found.id for found in (await limits.list(district.taskforce, query)).items} == expected


async def test_the_direct_line_is_the_inspection_offices(watched: Watched) -> None:
    limits, district = watched.supervision.limits, watched.district
    due = datetime(2026, 12, 1, 12, 0, tzinfo=SHANGHAI)
    clock = await limits.start(
        district.inspection, ServiceKind.DIRECT_LINE, "座谈会上提出的问题", ["区住建局"], due_at=due
    )
    watched.clock.now = due
    await watched.tick()
    told = {(row.role, row.unit) for row in await watched.outbox(OutboxRow.kind == "clock")}
    assert told == {("department", "区住建局"), ("inspection", None)}
    assert (await limits.end(district.inspection, clock.id, "已经解决")).is_overdue(due) is False
    filed = await district.filed(channel="直通车")
    with_appeal = await limits.start(
        district.inspection, ServiceKind.DIRECT_LINE, "同一件事", ["区住建局"], number=filed.number
    )
    assert with_appeal.due_at == filed.due_at


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"actor": Actor("dc", Role.INSPECTION)}, NotAllowed),
        ({"actor": Actor("zj", Role.DEPARTMENT, "区住建局")}, NotAllowed),
        ({"kind": ServiceKind.DIRECT_LINE, "actor": Actor("xs", Role.TERRITORY, "下沙街道")}, NotAllowed),
        ({"kind": ServiceKind.DIRECT_LINE, "actor": Actor("zb", Role.TASKFORCE)}, InvalidInput),
        ({"subject": " "}, InvalidInput),
        ({"subject": "长" * 201}, InvalidInput),
        ({"units": []}, InvalidInput),
        ({"units": ["没有的单位"]}, InvalidInput),
        ({"kind": ServiceKind.POLICY_SINGLE, "units": ["区住建局", "区人社局"]}, InvalidInput),
        ({"kind": ServiceKind.POLICY_JOINT, "units": ["区住建局", "住建局"]}, InvalidInput),
        ({"number": "QT20261119-0999"}, NotFound),
        ({"started_at": datetime(2026, 11, 20, tzinfo=SHANGHAI)}, InvalidInput),
        ({"started_at": datetime(2020, 1, 1, tzinfo=SHANGHAI)}, InvalidInput),
        ({"due_at": datetime(2026, 12, 1, tzinfo=SHANGHAI)}, InvalidInput),
    ],
)
async def test_what_cannot_be_started(
    watched: Watched, changes: dict[str, object], error: type[Exception]
) -> None:
    given: dict[str, object] = {
        "actor": watched.district.operator,
        "kind": ServiceKind.ON_SITE,
        "subject": "无处受理的事项",
        "units": ["区住建局"],
        **changes,
    }
    with pytest.raises(error):
        await watched.supervision.limits.start(**given)  # type: ignore[arg-type]
    assert await rows(watched.database, ServiceClockRow) == []


async def test_a_subject_is_masked(watched: Watched) -> None:
    clock = await watched.supervision.limits.start(
        watched.district.operator, ServiceKind.ON_SITE, "联系电话 13800000002 的企业来访", ["区住建局"]
    )
    assert "13800000002" not in clock.subject
