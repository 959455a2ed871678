"""The use cases on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from appeal_district import PHONE, District, StubDirectory, StubProblem
from sqlalchemy import text

from backend.appeals.calendar import WorkCalendar
from backend.appeals.model import (
    Appeal,
    Event,
    HistoryEvent,
    Level,
    State,
    Supervision,
    SupervisionKind,
    SupervisionState,
)
from backend.appeals.ports import AppealQuery
from backend.appeals.service import AppealRecord, AppealService
from backend.errors import Conflict, InvalidInput, NotAllowed, NotFound
from backend.people.actors import Actor
from backend.people.roles import Role

OTHER_PHONE = "13987654321"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "+08:00")


def moments(record: AppealRecord) -> list[Supervision]:
    return [row for row in record.supervision if row.kind is SupervisionKind.MOMENT]


# -- filing ------------------------------------------------------------------------------------------------


async def test_a_filing_gets_number_level_lead_and_due_time(district: District) -> None:
    group = await district.service.file(district.filing())
    (appeal,) = group.appeals
    assert group.created
    assert appeal.number == "QT20261119-0001"
    assert (appeal.level, appeal.lead, appeal.state) == (Level.SINGLE, "区住建局", State.FILED)
    assert appeal.due_at == at("2026-11-24T17:30:00")
    assert not appeal.due_provisional
    record = await district.service.get(district.operator, appeal.number)
    assert record.appeal == appeal
    assert [(row.at, row.by) for row in record.supervision] == [
        (at("2026-11-24T12:00:00"), "专班"),
        (at("2026-11-25T09:00:00"), "专班督查考评组"),
    ]
    assert [line.event for line in record.history] == [Event.FILE]
    assert record.history[0].after["due_at"] == "2026-11-24T17:30:00+08:00"


async def test_each_problem_becomes_an_appeal_of_one_group(district: District) -> None:
    district.triage.problems = [
        StubProblem("道路积水"),
        StubProblem("想了解补贴", "政策", "simple", "区经信科技局"),
        StubProblem("不知道找谁", "诉求", "whistle", None),
    ]
    group = await district.service.file(district.filing())
    assert [appeal.number[-4:] for appeal in group.appeals] == ["0001", "0002", "0003"]
    assert [appeal.level for appeal in group.appeals] == [Level.SINGLE, Level.SIMPLE, Level.WHISTLE]
    assert [appeal.lead for appeal in group.appeals] == ["区住建局", "区经信科技局", "下沙街道"]
    assert {appeal.group for appeal in group.appeals} == {group.group}


async def test_a_text_that_triage_makes_nothing_of_is_a_whistle_appeal(district: District) -> None:
    district.triage.problems = []
    appeal = await district.filed(territory=None)
    assert (appeal.level, appeal.lead, appeal.territory_text) == (Level.WHISTLE, "平台、街道", "待属地确认")
    assert appeal.due_at == at("2026-11-26T17:30:00")


async def test_a_whistle_proposal_has_no_lead_department(district: District) -> None:
    district.triage.template = StubProblem("", level="whistle", co_departments=("区人社局",))
    appeal = await district.filed()
    assert appeal.lead_department is None
    assert appeal.co_departments == ("区住建局", "区人社局")


async def test_a_whistle_proposal_with_one_likely_department_stays_one(district: District) -> None:
    district.triage.template = StubProblem("", level="whistle")
    appeal = await district.filed()
    assert (appeal.level, appeal.co_departments) == (Level.WHISTLE, ("区住建局",))


async def test_numbers_start_again_each_local_day(district: District) -> None:
    district.clock.now = at("2026-11-19T23:59:59")
    assert (await district.filed()).number == "QT20261119-0001"
    district.clock.pass_by(seconds=1)
    assert (await district.filed()).number == "QT20261120-0001"
    assert (await district.filed()).number == "QT20261120-0002"


async def test_due_times_of_an_unpublished_year_are_marked(district: District) -> None:
    district.clock.now = at("2026-12-30T10:00:00")
    appeal = await district.filed()
    assert appeal.due_at == at("2027-01-05T17:30:00")
    assert appeal.due_provisional


async def test_the_direct_line_is_under_the_inspection_office_from_the_start(district: District) -> None:
    group = await district.service.file(district.filing(channel="direct"), district.operator)
    appeal = group.appeals[0]
    assert appeal.direct_line
    record = await district.service.get(district.inspection, appeal.number)
    assert (record.supervision[0].at, record.supervision[0].by) == (appeal.submitted_at, "两办督查室")


@pytest.mark.parametrize("channel", ["direct", "DIRECT", "书记区长直通车", "街道直通车"])
async def test_who_is_not_staff_cannot_open_the_direct_line(district: District, channel: str) -> None:
    appeal = await district.filed(channel=channel)
    assert (appeal.direct_line, appeal.channel) == (False, channel)
    record = await district.service.get(district.taskforce, appeal.number)
    assert "两办督查室" not in {row.by for row in record.supervision}


async def test_the_same_key_files_once(district: District) -> None:
    first = await district.service.file(district.filing(idempotency_key="k-1"))
    again = await district.service.file(district.filing(idempotency_key="k-1", phone="138 1234 5678"))
    assert (again.group, again.appeals, again.created) == (first.group, first.appeals, False)
    page = await district.service.list(district.operator, AppealQuery())
    assert page.total == 1


async def test_the_same_key_with_another_content_is_a_conflict(district: District) -> None:
    await district.service.file(district.filing(idempotency_key="k-1"))
    with pytest.raises(Conflict) as refused:
        await district.service.file(district.filing(idempotency_key="k-1", text="完全不同的另一个问题"))
    assert refused.value.code == "idempotency_conflict"


async def test_fifty_at_once_with_one_key_file_once(district: District) -> None:
    sent = district.filing(idempotency_key="k-1")
    groups = await asyncio.gather(*(district.service.file(sent) for _ in range(50)))
    assert len({group.group for group in groups}) == 1
    assert sum(group.created for group in groups) == 1
    assert (await district.filed()).number.endswith("-0002"), "the others used up no numbers"


async def test_fifty_at_once_get_fifty_numbers_in_a_row(district: District) -> None:
    groups = await asyncio.gather(
        *(district.service.file(district.filing(idempotency_key=f"k-{count}")) for count in range(50))
    )
    numbers = sorted(group.appeals[0].number for group in groups)
    assert numbers == [f"QT20261119-{count:04d}" for count in range(1, 51)]


async def test_a_filing_that_breaks_off_leaves_nothing(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district.triage.problems = [StubProblem("道路积水"), StubProblem("路灯不亮")]
    from backend.storage.appeals import SqlAppeals

    whole = SqlAppeals.add
    calls = []

    async def breaks(
        self: SqlAppeals, appeal: Appeal, supervision: Sequence[Supervision], line: HistoryEvent
    ) -> Appeal:
        calls.append(appeal.number)
        if len(calls) == 2:
            raise RuntimeError("killed")
        return await whole(self, appeal, supervision, line)

    monkeypatch.setattr(SqlAppeals, "add", breaks)
    with pytest.raises(RuntimeError, match="killed"):
        await district.service.file(district.filing(idempotency_key="k-1"))
    monkeypatch.setattr(SqlAppeals, "add", whole)
    assert (await district.service.list(district.operator, AppealQuery())).total == 0
    group = await district.service.file(district.filing(idempotency_key="k-1"))
    assert group.created
    assert [appeal.number[-4:] for appeal in group.appeals] == ["0001", "0002"]


# -- the loop ----------------------------------------------------------------------------------------------


async def test_from_filing_to_closing(district: District) -> None:
    service, number = district.service, (await district.filed()).number
    await service.assign(district.xiasha, number)
    await service.start(district.housing, number)
    district.clock.pass_by(hours=1)
    await service.reply(district.housing, number, "明天上午派人疏通")
    await service.resolve(district.housing, number)
    record = await service.give_feedback(number, PHONE, "resolved", 5, "很快")
    assert record.appeal.state is State.CLOSED
    assert record.appeal.closed_at == district.clock.now
    assert record.appeal.first_reply_at == district.clock.now
    assert record.appeal.first_department == "区住建局"
    assert [line.event.value for line in record.history] == [
        "file",
        "assign",
        "start",
        "reply",
        "resolve",
        "confirm",
    ]
    whole = await service.get(district.taskforce, number)
    changes = [(line.before.get("state"), line.after["state"]) for line in whole.history]
    assert changes == [
        (None, "filed"),
        ("filed", "assigned"),
        ("assigned", "in_work"),
        ("in_work", "replied"),
        ("replied", "resolved"),
        ("resolved", "closed"),
    ]
    assert {row.state for row in whole.supervision} == {SupervisionState.STOPPED}


async def test_a_resolve_needs_an_answer_for_the_enterprise(district: District) -> None:
    number = await district.assigned()
    with pytest.raises(InvalidInput, match="先答复企业"):
        await district.service.resolve(district.housing, number)
    await district.service.resolve(district.housing, number, "已经疏通")


async def test_unresolved_returns_to_the_lead_with_the_same_clock(district: District) -> None:
    number = await district.resolved()
    before = (await district.service.lookup(number, PHONE)).appeal
    district.clock.pass_by(days=1)
    record = await district.service.give_feedback(number, PHONE, "unresolved", 1, "还是积水")
    appeal = record.appeal
    assert appeal.state is State.REOPENED
    assert appeal.lead == "区住建局"
    assert (appeal.submitted_at, appeal.due_at) == (before.submitted_at, before.due_at)
    assert (appeal.dissatisfied, appeal.resolved_at) == (1, None)
    supervision = moments(await district.service.get(district.taskforce, number))
    assert [row.state for row in supervision] == [SupervisionState.PENDING, SupervisionState.PENDING]
    with pytest.raises(InvalidInput, match="先答复企业"):
        await district.service.resolve(district.housing, number)
    await district.service.resolve(district.housing, number, "重新疏通，已经恢复")
    closed = await district.service.give_feedback(number, PHONE, "resolved", 4, "")
    assert (closed.appeal.state, closed.appeal.dissatisfied) == (State.CLOSED, 1)


async def test_moments_that_passed_while_it_was_resolved_are_due_at_once(district: District) -> None:
    number = await district.resolved()
    district.clock.now = at("2026-11-24T15:00:00")  # after the noon moment, before the next morning's
    await district.service.give_feedback(number, PHONE, "unresolved")
    rows = moments(await district.service.get(district.taskforce, number))
    assert [row.state for row in rows] == [SupervisionState.PENDING, SupervisionState.PENDING]


async def test_feedback_before_the_resolve_is_a_conflict(district: District) -> None:
    filed = await district.filed()
    for _ in range(2):
        with pytest.raises(Conflict, match="还没有办结"):
            await district.service.give_feedback(filed.number, PHONE, "resolved", 5)
    assert (await district.service.lookup(filed.number, PHONE)).appeal == filed


async def test_the_same_feedback_twice_counts_once(district: District) -> None:
    number = await district.resolved()
    first = await district.service.give_feedback(number, PHONE, "resolved", 5, "好")
    again = await district.service.give_feedback(number, PHONE, "resolved", 5, "好")
    assert again == first
    with pytest.raises(Conflict, match="已经闭环"):
        await district.service.give_feedback(number, PHONE, "unresolved", 1, "反悔")


async def test_the_same_complaint_twice_counts_once_but_again_after_the_next_resolve(
    district: District,
) -> None:
    number = await district.resolved()
    for _ in range(3):
        record = await district.service.give_feedback(number, PHONE, "unresolved", 2, "没解决")
    assert record.appeal.dissatisfied == 1
    await district.service.resolve(district.housing, number, "又处理了一次")
    record = await district.service.give_feedback(number, PHONE, "unresolved", 2, "没解决")
    assert record.appeal.dissatisfied == 2


async def test_twenty_clicks_on_feedback_count_once(district: District) -> None:
    number = await district.resolved()
    answers = await asyncio.gather(
        *(district.service.give_feedback(number, PHONE, "unresolved", 1, "") for _ in range(20))
    )
    assert {answer.appeal.dissatisfied for answer in answers} == {1}
    history = await district.service.history(district.taskforce, number)
    assert [line.event for line in history].count(Event.REJECT) == 1


@pytest.mark.parametrize(
    ("result", "stars", "comment", "field"),
    [
        ("maybe", 5, "", "result"),
        ("resolved", None, "", "stars"),
        ("resolved", 0, "", "stars"),
        ("unresolved", 6, "", "stars"),
        ("resolved", True, "", "stars"),
        ("resolved", 5, "好" * 1001, "comment"),
    ],
)
async def test_feedback_that_cannot_be_used(
    district: District, result: str, stars: int | None, comment: str, field: str
) -> None:
    number = await district.resolved()
    with pytest.raises(InvalidInput) as refused:
        await district.service.give_feedback(number, PHONE, result, stars, comment)
    assert refused.value.details["field"] == field


async def test_a_wrong_phone_and_an_unknown_number_answer_alike(district: District) -> None:
    number = await district.resolved()
    answers = set()
    for asked, phone in [
        (number, OTHER_PHONE),
        ("QT20261119-9999", PHONE),
        ("x", PHONE),
        (number, "rubbish"),
        (number, ""),
    ]:
        for ask in (
            lambda n=asked, p=phone: district.service.lookup(n, p),
            lambda n=asked, p=phone: district.service.give_feedback(n, p, "resolved", 5),
            lambda n=asked, p=phone: district.service.withdraw(n, p),
        ):
            with pytest.raises(NotFound) as refused:
                await ask()
            answers.add((refused.value.message, refused.value.code, str(refused.value.details)))
    assert len(answers) == 1


async def test_numbers_are_read_as_people_write_them(district: District) -> None:
    number = (await district.filed()).number
    for written in (number.lower(), f" {number} ", "ＱＴ２０２６１１１９－０００１", "qt 20261119 - 0001"):
        assert (await district.service.lookup(written, PHONE)).appeal.number == number


async def test_withdrawing(district: District) -> None:
    number = await district.assigned()
    record = await district.service.withdraw(number, PHONE, "已自行解决")
    assert record.appeal.state is State.WITHDRAWN
    rows = (await district.service.get(district.taskforce, number)).supervision
    assert {row.state for row in rows} == {SupervisionState.STOPPED}
    with pytest.raises(Conflict):
        await district.service.reply(district.housing, number, "正在处理")


async def test_the_enterprise_sees_replies_but_no_notes(district: District) -> None:
    number = await district.assigned()
    await district.service.note(district.housing, number, "现场很远")
    await district.service.supervise(district.taskforce, number, "请今天联系企业")
    await district.service.reply(district.housing, number, "明天到现场")
    lines = (await district.service.lookup(number, PHONE)).history
    assert [line.event for line in lines] == [Event.FILE, Event.ASSIGN, Event.REPLY]


# -- assigning and routing ---------------------------------------------------------------------------------


async def test_the_territory_decides_on_lead_and_level(district: District) -> None:
    number = (await district.filed()).number
    record = await district.service.assign(
        district.xiasha, number, lead_department="区市场监管局", level=Level.SIMPLE
    )
    assert (record.appeal.level, record.appeal.lead) == (Level.SIMPLE, "区市场监管局")
    assert record.appeal.due_at == at("2026-11-20T17:30:00")
    assert record.appeal.first_department == "区市场监管局"
    assert [row.state for row in record.supervision].count(SupervisionState.PENDING) == 1


async def test_several_departments_make_a_whistle_appeal_that_the_territory_leads(district: District) -> None:
    number = (await district.filed()).number
    record = await district.service.assign(
        district.xiasha, number, lead_department="住建局", co_departments=["区人社局", "区住建局"]
    )
    appeal = record.appeal
    assert (appeal.level, appeal.lead_department, appeal.lead) == (Level.WHISTLE, None, "下沙街道")
    assert appeal.co_departments == ("区住建局", "区人社局")
    assert appeal.due_at == at("2026-11-26T17:30:00")
    await district.service.reply(district.housing, number, "我局负责路面")
    with pytest.raises(NotAllowed, match="由下沙街道牵头"):
        await district.service.resolve(district.housing, number, "办好了")
    assert (
        await district.service.resolve(district.xiasha, number, "已协调解决")
    ).appeal.state is State.RESOLVED


async def test_a_whistle_proposal_may_be_given_to_one_department(district: District) -> None:
    district.triage.template = StubProblem("", level="whistle", lead_department=None)
    number = (await district.filed()).number
    record = await district.service.assign(district.xiasha, number, lead_department="区住建局")
    assert (record.appeal.level, record.appeal.lead) == (Level.SINGLE, "区住建局")
    assert record.appeal.due_at == at("2026-11-24T17:30:00")


async def test_level_and_departments_must_go_together(district: District) -> None:
    number = (await district.filed()).number
    with pytest.raises(InvalidInput, match="只能有一个主办部门"):
        await district.service.assign(
            district.xiasha,
            number,
            lead_department="区住建局",
            co_departments=["区人社局"],
            level=Level.SINGLE,
        )


async def test_a_whistle_appeal_needs_its_territory(district: District) -> None:
    number = (await district.filed(territory=None)).number
    with pytest.raises(InvalidInput, match="请先填写属地"):
        await district.service.assign(district.operator, number, level=Level.WHISTLE)
    record = await district.service.assign(district.operator, number, level=Level.WHISTLE, territory="下沙")
    assert record.appeal.lead == "下沙街道"


async def test_a_territory_that_assigns_takes_on_an_appeal_without_one(district: District) -> None:
    number = (await district.filed(territory=None)).number
    record = await district.service.assign(district.port, number)
    assert record.appeal.territory == "医药港"


@pytest.mark.parametrize("field", ["lead_department", "co_departments", "territory"])
async def test_unknown_units_are_refused(district: District, field: str) -> None:
    number = (await district.filed()).number
    value: object = ["火星局"] if field == "co_departments" else "火星局"
    with pytest.raises(InvalidInput) as refused:
        await district.service.assign(district.xiasha, number, **{field: value})  # type: ignore[arg-type]
    assert refused.value.details["field"] == field


async def test_the_second_lead_department_turns_single_into_whistle(district: District) -> None:
    number = await district.assigned()
    record = await district.service.transfer(
        district.housing, number, department="区市场监管局", reason="不属于本部门职责"
    )
    appeal = record.appeal
    assert (appeal.level, appeal.lead, appeal.state) == (Level.WHISTLE, "下沙街道", State.TRANSFERRED)
    assert appeal.co_departments == ("区住建局", "区市场监管局")
    assert appeal.first_department == "区住建局"
    assert appeal.due_at == at("2026-11-26T17:30:00")
    pending = [row for row in record.supervision if row.state is SupervisionState.PENDING]
    assert [row.at for row in pending] == [at("2026-11-26T12:00:00"), at("2026-11-27T09:00:00")]
    stopped = [row for row in record.supervision if row.state is SupervisionState.STOPPED]
    assert len(stopped) == 2, "the moments of the old level stay in the record"


async def test_another_section_of_the_same_department_changes_nothing(district: District) -> None:
    number = await district.assigned()
    record = await district.service.transfer(district.xiasha, number, department="住建局", reason="转建管科")
    assert (record.appeal.level, record.appeal.lead) == (Level.SINGLE, "区住建局")
    assert record.appeal.due_at == at("2026-11-24T17:30:00")


async def test_there_and_back_stays_a_whistle_appeal(district: District) -> None:
    number = await district.assigned()
    await district.service.transfer(district.xiasha, number, department="区市场监管局", reason="职责不符")
    record = await district.service.transfer(district.xiasha, number, department="区住建局", reason="退回")
    assert (record.appeal.level, record.appeal.lead_department) == (Level.WHISTLE, None)
    assert record.appeal.co_departments == ("区住建局", "区市场监管局")
    assert record.appeal.led_by == ("区住建局", "区市场监管局")


async def test_only_the_lead_department_hands_on(district: District) -> None:
    number = await district.assigned()
    await district.service.transfer(district.xiasha, number, department="区市场监管局", reason="职责不符")
    with pytest.raises(NotAllowed, match="只有主办部门"):
        await district.service.transfer(district.market, number, department="区人社局", reason="不归我们")


async def test_the_task_force_may_name_a_lead_in_a_whistle_appeal(district: District) -> None:
    number = await district.assigned()
    await district.service.transfer(district.xiasha, number, department="区市场监管局", reason="职责不符")
    record = await district.service.reassign(
        district.taskforce,
        number,
        lead_department="区市场监管局",
        co_departments=["区人社局"],
        reason="会议确定",
    )
    appeal = record.appeal
    assert (appeal.level, appeal.lead) == (Level.WHISTLE, "区市场监管局")
    assert appeal.co_departments == ("区住建局", "区人社局")
    assert (await district.service.resolve(district.market, number, "办好了")).appeal.state is State.RESOLVED


async def test_a_reassigned_single_appeal_follows_the_rule_of_the_second_lead(district: District) -> None:
    number = await district.assigned()
    record = await district.service.reassign(
        district.taskforce, number, lead_department="区市场监管局", reason="会议确定"
    )
    assert (record.appeal.level, record.appeal.lead) == (Level.WHISTLE, "下沙街道")


# -- who sees and does what --------------------------------------------------------------------------------


async def test_departments_see_what_was_given_to_them(district: District) -> None:
    mine, proposed = await district.assigned(), (await district.filed()).number
    listed = await district.service.list(district.housing, AppealQuery())
    assert [appeal.number for appeal in listed.appeals] == [mine]
    assert (await district.service.list(district.market, AppealQuery())).total == 0
    for actor, number in [(district.housing, proposed), (district.market, mine), (district.port, mine)]:
        with pytest.raises(NotFound) as hidden:
            await district.service.get(actor, number)
        with pytest.raises(NotFound) as missing:
            await district.service.get(actor, "QT20261119-9999")
        assert hidden.value.message == missing.value.message


async def test_co_departments_see_too(district: District) -> None:
    number = await district.assigned()
    await district.service.transfer(district.xiasha, number, department="区市场监管局", reason="职责不符")
    assert (await district.service.list(district.market, AppealQuery())).total == 1
    assert (await district.service.list(district.housing, AppealQuery())).total == 1


async def test_territories_see_their_own_and_nobody_s(district: District) -> None:
    await district.filed(territory="下沙街道")
    await district.filed(territory="医药港")
    await district.filed(territory=None)
    assert (await district.service.list(district.xiasha, AppealQuery())).total == 2
    for role in (Role.OPERATOR, Role.TASKFORCE, Role.INSPECTION, Role.LEADER, Role.ADMIN):
        assert (await district.service.list(Actor("a", role), AppealQuery())).total == 3
    assert (await district.service.list(Actor("a", Role.LIAISON), AppealQuery())).total == 0
    with pytest.raises(NotAllowed):
        await district.service.list(Actor("a", Role.EDITOR), AppealQuery())


async def test_an_account_without_its_unit_sees_nothing(district: District) -> None:
    await district.assigned()
    assert (await district.service.list(Actor("a", Role.DEPARTMENT), AppealQuery())).total == 0


async def test_only_the_lead_resolves(district: District) -> None:
    number = await district.assigned()
    with pytest.raises(NotAllowed, match="由区住建局牵头"):
        await district.service.resolve(district.xiasha, number, "替部门办结")
    with pytest.raises(NotAllowed):
        await district.service.resolve(district.taskforce, number, "替部门办结")
    with pytest.raises(NotFound):
        await district.service.resolve(district.market, number, "替部门办结")
    with pytest.raises(NotAllowed, match="不是主办或协办"):
        await district.service.reply(district.xiasha, number, "替部门答复")


async def test_filters_of_the_desk(district: District) -> None:
    late = await district.assigned(text="厂区停电影响生产", enterprise="甲_乙100%公司")
    district.clock.now = at("2026-11-25T10:00:00")
    fresh = await district.assigned(territory=None)
    done = await district.resolved()
    everyone = district.taskforce

    async def numbers(**filters: object) -> list[str]:
        page = await district.service.list(everyone, AppealQuery(**filters))  # type: ignore[arg-type]
        assert page.total == len(page.appeals)
        return [appeal.number for appeal in page.appeals]

    assert await numbers() == [done, fresh, late]
    assert await numbers(overdue=True) == [late]
    assert await numbers(overdue=False) == [done, fresh]
    assert await numbers(state=State.RESOLVED) == [done]
    assert await numbers(level=Level.WHISTLE) == []
    assert await numbers(department="住建局") == [done, fresh, late]
    assert await numbers(territory="医药港") == []
    assert await numbers(text="停电") == [late]
    assert await numbers(text="_乙100%") == [late]
    assert await numbers(text="%") == [late]
    assert await numbers(text=late.lower()) == [late]
    assert await numbers(text="'; DROP TABLE appeals; --") == []


async def test_pages(district: District) -> None:
    for _ in range(5):
        await district.filed()
    first = await district.service.list(district.operator, AppealQuery(page_size=2))
    third = await district.service.list(district.operator, AppealQuery(page=3, page_size=2))
    beyond = await district.service.list(district.operator, AppealQuery(page=4, page_size=2))
    assert (first.total, len(first.appeals), len(third.appeals), len(beyond.appeals)) == (5, 2, 1, 0)
    for page, size in [(0, 2), (1, 0), (1, 101), (10**9, 2)]:
        with pytest.raises(InvalidInput):
            await district.service.list(district.operator, AppealQuery(page=page, page_size=size))


# -- two at once -------------------------------------------------------------------------------------------


async def test_an_old_version_is_refused(district: District) -> None:
    number = await district.assigned()
    seen = (await district.service.get(district.housing, number)).appeal.version
    await district.service.start(district.housing, number, version=seen)
    with pytest.raises(Conflict, match="刚刚被他人修改") as refused:
        await district.service.reply(district.housing, number, "正在处理", version=seen)
    assert refused.value.code == "version_conflict"


async def test_of_two_who_assign_at_once_one_wins(district: District) -> None:
    number = (await district.filed()).number
    outcomes = await asyncio.gather(
        district.service.assign(district.xiasha, number, lead_department="区住建局"),
        district.service.assign(district.operator, number, lead_department="区市场监管局"),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AppealRecord", "Conflict"]
    history = await district.service.history(district.operator, number)
    assert [line.event for line in history] == [Event.FILE, Event.ASSIGN]


# -- supervision and escalation ----------------------------------------------------------------------------


async def test_orders_are_kept_beside_the_moments(district: District) -> None:
    number = await district.assigned()
    record = await district.service.supervise(district.inspection, number, "请加快办理")
    record = await district.service.supervise(district.taskforce, number, "请加快办理")
    orders = [row for row in record.supervision if row.kind is SupervisionKind.ORDER]
    assert {(row.by, row.text) for row in orders} == {("两办督查室", "请加快办理"), ("专班", "请加快办理")}
    await district.service.resolve(district.housing, number, "办好了")
    after = (await district.service.get(district.taskforce, number)).supervision
    assert [row for row in after if row.kind is SupervisionKind.ORDER] == orders
    with pytest.raises(NotAllowed):
        await district.service.supervise(district.housing, number, "自己督办自己")


DOCUMENTS = ("approval_form", "situation_report", "meeting_record", "sign_in_record")


async def test_escalation_goes_step_by_step_with_its_documents(district: District) -> None:
    number = await district.assigned()
    escalate = district.service.escalate
    with pytest.raises(Conflict) as refused:
        await escalate(district.xiasha, number, to_level=2, documents=DOCUMENTS[:2], reason="协调不成")
    assert refused.value.details["missing"] == ["meeting_record", "sign_in_record"]
    record = await escalate(district.xiasha, number, to_level=2, documents=DOCUMENTS, reason="协调不成")
    assert record.appeal.escalation_level == 2
    assert record.history[-1].after["documents"] == sorted(DOCUMENTS)
    with pytest.raises(Conflict, match="逐级"):
        await escalate(district.taskforce, number, to_level=4, reason="直接找领导")
    record = await escalate(
        district.taskforce, number, to_level=3, documents=["taskforce_report"], reason="专班协调不成"
    )
    record = await escalate(district.taskforce, number, to_level=4, reason="分管领导协调不成")
    assert record.appeal.escalation_level == 4
    with pytest.raises(Conflict, match="已是第 4 级"):
        await escalate(district.taskforce, number, to_level=4, reason="再来一次")


@pytest.mark.parametrize("exception", [{"major": True}, {"leaders_needed": 2}])
async def test_major_matters_go_straight_to_level_four(district: District, exception: dict[str, int]) -> None:
    number = await district.assigned()
    record = await district.service.escalate(
        district.xiasha,
        number,
        to_level=4,
        reason="重大问题",
        **exception,  # type: ignore[arg-type]
    )
    assert record.appeal.escalation_level == 4
    other = await district.assigned()
    with pytest.raises(Conflict, match="逐级"):
        await district.service.escalate(
            district.xiasha,
            other,
            to_level=3,
            reason="重大问题",
            **exception,  # type: ignore[arg-type]
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"to_level": 1},
        {"to_level": 5},
        {"to_level": 2, "documents": ["poem"]},
        {"to_level": 2, "leaders_needed": -1},
    ],
)
async def test_impossible_escalations(district: District, wrong: dict[str, object]) -> None:
    number = await district.assigned()
    with pytest.raises(InvalidInput):
        await district.service.escalate(district.xiasha, number, reason="不行", **wrong)  # type: ignore[arg-type]


# -- the clock ---------------------------------------------------------------------------------------------


async def test_a_naive_clock_is_refused(district: District) -> None:
    district.clock.now = datetime(2026, 11, 19, 10, 0)  # noqa: DTZ001
    with pytest.raises(InvalidInput, match="缺少时区"):
        await district.filed()


async def test_due_times_follow_the_notice_when_it_comes(district: District) -> None:
    district.clock.now = at("2026-12-30T10:00:00")
    waiting, done = await district.assigned(), await district.resolved()
    assert await district.service.recompute() == 0
    published = WorkCalendar({date(2027, 1, 4): False}, settled_years=[2027])
    district.service = AppealService(
        district.database.unit_of_work, district.triage, published, district.clock, StubDirectory()
    )
    assert await district.service.recompute() == 1
    assert await district.service.recompute() == 0
    record = await district.service.get(district.taskforce, waiting)
    assert record.appeal.due_at == at("2027-01-06T17:30:00")
    assert not record.appeal.due_provisional
    assert record.history[-1].event is Event.RECOMPUTE
    pending = [row.at for row in record.supervision if row.state is SupervisionState.PENDING]
    assert pending == [at("2027-01-06T12:00:00"), at("2027-01-07T09:00:00")]
    untouched = (await district.service.get(district.taskforce, done)).appeal
    assert untouched.due_at == at("2027-01-05T17:30:00")


async def test_what_is_due_already_is_not_moved(district: District) -> None:
    number = await district.assigned()
    district.clock.now = at("2026-11-25T10:00:00")
    district.service = AppealService(
        district.database.unit_of_work,
        district.triage,
        WorkCalendar({date(2026, 11, 20): False}),
        district.clock,
        StubDirectory(),
    )
    assert await district.service.recompute() == 0
    assert (await district.service.lookup(number, PHONE)).appeal.due_at == at("2026-11-24T17:30:00")


async def test_a_provisional_due_time_is_logged_without_personal_data(
    district: District, caplog: pytest.LogCaptureFixture
) -> None:
    district.clock.now = at("2026-12-30T10:00:00")
    appeal = await district.filed()
    assert appeal.number in caplog.text
    assert PHONE not in caplog.text


async def test_dissatisfaction_counts_for_territory_and_lead_of_that_day(district: District) -> None:
    number = await district.resolved()
    await district.service.give_feedback(number, PHONE, "unresolved", 1, "没解决")
    history = await district.service.history(district.taskforce, number)
    assert history[-1].after["dissatisfied_with"] == ["下沙街道", "区住建局"]


async def test_overdue_stops_with_the_resolve(district: District) -> None:
    number = await district.assigned()
    appeal = (await district.service.lookup(number, PHONE)).appeal
    assert not appeal.is_overdue(appeal.due_at)
    assert appeal.is_overdue(appeal.due_at + timedelta(seconds=1))
    assert not replace(appeal, state=State.RESOLVED).is_overdue(appeal.due_at + timedelta(days=9))


# -- not accepted, merged, given back ----------------------------------------------------------------------


async def test_what_is_not_accepted_owes_an_explanation_and_waits_for_the_enterprise(
    district: District,
) -> None:
    number = (await district.filed()).number
    with pytest.raises(InvalidInput, match="说明"):
        await district.service.decline(district.xiasha, number, "不行")
    record = await district.service.decline(district.xiasha, number, "这件事属于市级事权，请向市里反映")
    assert record.appeal.state is State.NOT_ACCEPTED
    assert not [row for row in moments(record) if row.state is SupervisionState.PENDING]
    seen = await district.service.lookup(number, PHONE)
    assert "市级事权" in seen.history[-1].text
    again = await district.service.give_feedback(number, PHONE, "unresolved", 1, "就是区里管的")
    assert (again.appeal.state, again.appeal.dissatisfied) == (State.FILED, 1)
    assert (await district.service.assign(district.xiasha, number)).appeal.state is State.ASSIGNED


async def test_an_enterprise_that_agrees_closes_what_was_not_accepted(district: District) -> None:
    number = (await district.filed()).number
    await district.service.decline(district.xiasha, number, "这件事属于市级事权，请向市里反映")
    record = await district.service.give_feedback(number, PHONE, "resolved", 3)
    assert record.appeal.state is State.CLOSED


async def test_merging_is_told_to_the_enterprise_and_can_be_taken_back(district: District) -> None:
    first, second = await district.filed(), await district.filed(text="门口的积水还是没人管")
    record = await district.service.merge(
        district.xiasha, second.number, into=first.number, reason="同一处积水"
    )
    assert (record.appeal.state, record.appeal.merged_into) == (State.MERGED, first.number)
    assert second.number in (await district.service.lookup(first.number, PHONE)).history[-1].summary
    with pytest.raises(Conflict, match=first.number):
        await district.service.give_feedback(second.number, PHONE, "resolved", 5)
    taken = await district.service.separate(second.number, PHONE, "不是同一处")
    assert (taken.appeal.state, taken.appeal.merged_into) == (State.FILED, None)
    rows = moments(await district.service.get(district.taskforce, second.number))
    assert {row.state for row in rows} == {SupervisionState.PENDING}


async def test_what_cannot_be_merged(district: District) -> None:
    first, mine = await district.filed(enterprise="甲公司"), await district.filed(enterprise="乙公司")
    other = await district.filed(enterprise="甲公司", territory="医药港")
    with pytest.raises(Conflict, match="同一家企业"):
        await district.service.merge(district.taskforce, mine.number, into=first.number, reason="同一处")
    with pytest.raises(NotFound):
        await district.service.merge(district.xiasha, first.number, into=other.number, reason="同一处")
    with pytest.raises(InvalidInput, match="自己"):
        await district.service.merge(district.xiasha, first.number, into=first.number, reason="同一处")
    await district.service.withdraw(other.number, PHONE)
    with pytest.raises(Conflict, match="已撤回"):
        await district.service.merge(district.taskforce, first.number, into=other.number, reason="同一处")


async def test_two_merges_in_opposite_directions(district: District) -> None:
    first, second = await district.filed(), await district.filed()
    pairs = [(first.number, second.number), (second.number, first.number)]
    results = await asyncio.gather(
        *(district.service.merge(district.xiasha, a, into=b, reason="同一处") for a, b in pairs),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Conflict) for result in results) == 1
    states = {(await district.service.get(district.xiasha, a)).appeal.state for a, _ in pairs}
    assert states == {State.MERGED, State.FILED}


async def test_an_escalation_that_is_given_back_is_supervised_directly(district: District) -> None:
    number = await district.assigned()
    documents = ["approval_form", "situation_report", "meeting_record", "sign_in_record"]
    up = await district.service.escalate(
        district.xiasha, number, to_level=2, documents=documents, reason="协调不成"
    )
    assert (up.appeal.state, up.appeal.escalation_level) == (State.ESCALATED, 2)
    back = await district.service.return_escalated(
        district.taskforce, number, reason="属于部门职责", lead_department="区市场监管局"
    )
    assert (back.appeal.state, back.appeal.escalation_level) == (State.RETURNED, 1)
    assert back.appeal.level is Level.WHISTLE
    assert [row.by for row in back.supervision if row.kind is SupervisionKind.ORDER] == ["专班"]


async def test_an_escalation_is_given_back_although_the_units_went_on(district: District) -> None:
    number = await district.assigned()
    await district.service.escalate(district.xiasha, number, to_level=4, reason="重大事项", major=True)
    await district.service.reply(district.housing, number, "正在组织专家论证")
    back = await district.service.return_escalated(district.taskforce, number, reason="属于部门职责")
    assert (back.appeal.state, back.appeal.escalation_level, back.appeal.major) == (State.RETURNED, 1, False)
    with pytest.raises(Conflict) as refused:
        await district.service.return_escalated(district.taskforce, number, reason="再退一次")
    assert refused.value.code == "wrong_state"


async def test_only_an_escalated_appeal_is_given_back(district: District) -> None:
    number = await district.assigned()
    with pytest.raises(Conflict, match="没有待定的提级"):
        await district.service.return_escalated(district.taskforce, number, reason="属于部门职责")


async def merged_with_another_phone(district: District) -> tuple[str, str]:
    """The number of an appeal, and of one of the same enterprise that went on for it."""
    first = (await district.filed()).number
    stays = await district.assigned(phone=OTHER_PHONE)
    await district.service.merge(district.xiasha, first, into=stays, reason="同一件事")
    return first, stays


async def told(district: District, number: str) -> list[str]:
    """Subjects of the messages to the enterprise about an appeal."""
    async with district.database.engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT subject FROM outbox JOIN appeals ON appeals.id = outbox.appeal_id "
                "WHERE number = :number AND audience = 'enterprise' ORDER BY outbox.id"
            ).bindparams(number=number)
        )
        return [row.subject for row in rows]


async def test_withdrawing_does_not_end_what_another_person_filed(district: District) -> None:
    first, stays = await merged_with_another_phone(district)
    await district.service.withdraw(stays, OTHER_PHONE, "不办了")
    record = await district.service.lookup(first, PHONE)
    assert (record.appeal.state, record.appeal.merged_into) == (State.FILED, None)
    assert record.history[-1].summary == f"所并入的 {stays} 已撤回，取消并案，重新审核"
    assert (await told(district, first))[-1] == f"您的诉求 {first} 重新办理"
    again = await district.service.get(district.taskforce, first)
    assert {row.state for row in moments(again)} == {SupervisionState.PENDING}


async def test_closing_tells_another_person_whose_appeal_was_merged(district: District) -> None:
    first, stays = await merged_with_another_phone(district)
    await district.service.resolve(district.housing, stays, "已经疏通")
    await district.service.give_feedback(stays, OTHER_PHONE, "resolved", 5)
    assert (await told(district, stays))[-1] == f"您的诉求 {stays} 已闭环"
    assert (await told(district, first))[-1] == f"您的诉求 {first} 所并入的诉求已闭环"
    record = await district.service.separate(first, PHONE, "我的问题还在")
    assert record.appeal.state is State.FILED


async def test_handing_on_inside_a_department_is_no_matter_of_first_asked(district: District) -> None:
    number = await district.assigned()
    await district.service.transfer(district.housing, number, department="区住建局", reason="转建管科")
    async with district.database.engine.connect() as connection:
        kinds = set(await connection.scalars(text("SELECT kind FROM outbox")))
    assert "first_asked" not in kinds


async def test_who_comes_second_without_a_version_is_told_what_came_first(district: District) -> None:
    number = (await district.filed()).number
    await district.service.assign(district.xiasha, number)
    with pytest.raises(Conflict) as refused:
        await district.service.assign(district.operator, number)
    assert refused.value.code == "wrong_state"
    assert [change["event"] for change in refused.value.details["changes"]] == ["assign"]


async def test_a_clock_that_was_set_back_makes_no_answer_earlier_than_the_record(district: District) -> None:
    number = await district.assigned()
    district.clock.now = at("2026-11-24T18:00:00")  # half an hour after it was due
    await district.service.note(district.taskforce, number, "已电话提醒")
    district.clock.now = at("2026-11-24T17:00:00")
    record = await district.service.resolve(district.housing, number, "已经疏通")
    assert record.appeal.resolved_at == record.history[-1].at == at("2026-11-24T18:00:00")
    assert record.appeal.first_reply_at == at("2026-11-24T18:00:00")


# -- silence, corrections, clocks --------------------------------------------------------------------------


async def test_a_silent_enterprise_is_asked_three_times_and_then_called(district: District) -> None:
    number = await district.resolved()  # on a Thursday
    rows = (await district.service.get(district.taskforce, number)).supervision
    asked = [(row.kind, row.at) for row in rows if row.state is SupervisionState.PENDING]
    assert asked == [
        (SupervisionKind.ASK, at("2026-11-20T09:00:00")),
        (SupervisionKind.ASK, at("2026-11-22T09:00:00")),
        (SupervisionKind.ASK, at("2026-11-26T09:00:00")),
        (SupervisionKind.CALL, at("2026-11-27T09:00:00")),
    ]
    await district.service.give_feedback(number, PHONE, "resolved", 5)
    rows = (await district.service.get(district.taskforce, number)).supervision
    assert {row.state for row in rows} == {SupervisionState.STOPPED}


async def test_a_decision_other_than_proposed_is_kept_for_training(district: District) -> None:
    kept = await district.filed(text="厂区门口积水，联系电话13812345678")
    await district.service.assign(district.xiasha, kept.number)
    changed = await district.filed(text="厂区门口积水，联系电话13812345678")
    await district.service.assign(
        district.xiasha, changed.number, lead_department="区市场监管局", category="法治"
    )
    async with district.database.unit_of_work(read_only=True) as work:
        (correction,) = await work.appeals.corrections(10)
    assert (correction.number, correction.category) == (changed.number, "法治")
    assert correction.lead_department == "区市场监管局"
    assert "13812345678" not in correction.text


async def test_a_clock_that_is_set_back_does_not_turn_the_record_around(district: District) -> None:
    number = await district.assigned()
    district.clock.pass_by(hours=-1)
    record = await district.service.resolve(district.housing, number, "已经疏通")
    times = [line.at for line in record.history]
    assert times == sorted(times)
    assert record.appeal.resolved_at is not None
    assert record.appeal.assigned_at is not None
    assert record.appeal.resolved_at >= record.appeal.assigned_at


async def test_a_line_is_never_earlier_than_the_one_before_it(district: District) -> None:
    number = await district.assigned()
    district.clock.pass_by(hours=2)
    await district.service.note(district.operator, number, "已电话联系")
    district.clock.pass_by(hours=-1)
    record = await district.service.start(district.housing, number)
    times = [line.at for line in record.history]
    assert times == sorted(times)


async def test_the_second_of_two_officers_is_told_what_changed(district: District) -> None:
    number = (await district.filed()).number
    seen = (await district.service.get(district.xiasha, number)).appeal.version
    await district.service.assign(district.operator, number, version=seen)
    with pytest.raises(Conflict) as refused:
        await district.service.assign(district.xiasha, number, version=seen)
    assert refused.value.code == "version_conflict"
    assert refused.value.details["changes"][0]["event"] == "assign"


async def test_a_note_does_not_disturb_who_is_looking_at_the_appeal(district: District) -> None:
    number = (await district.filed()).number
    seen = (await district.service.get(district.xiasha, number)).appeal.version
    await district.service.note(district.operator, number, "已电话联系")
    await district.service.assign(district.xiasha, number, version=seen)
