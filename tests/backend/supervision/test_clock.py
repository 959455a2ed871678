"""The clock on real databases: each moment once, whoever else acts, whatever is killed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from appeal_district import StubDirectory
from sqlalchemy import text
from supervision_helpers import Watched, rows

from backend.appeals import chain
from backend.appeals.calendar import WorkCalendar
from backend.errors import Unavailable
from backend.storage.tables import AppealRow, HistoryRow, OutboxRow, SupervisionRow
from backend.supervision.clock import Loop
from backend.supervision.service import Supervision

pytestmark = pytest.mark.database


async def test_nothing_is_done_before_its_time(watched: Watched) -> None:
    number = await watched.district.assigned()
    watched.at("2026-11-24T11:59:59")
    assert (await watched.tick()).acted == 0
    assert await watched.reminders(number) == []


async def test_a_moment_is_acted_on_once(watched: Watched) -> None:
    number = await watched.district.assigned()  # filed on Thursday 19 November, single
    before = (await watched.district.service.get(watched.district.taskforce, number)).appeal
    watched.at("2026-11-24T12:00:05")
    done = await watched.tick()
    assert (done.acted, done.penalties, done.failed) == (1, 0, 0)
    assert (await watched.tick()).acted == 0
    lines = await watched.reminders(number)
    assert [line.summary for line in lines] == ["专班提醒：单一部门问题临近办理时限，尚未办结"]
    assert not lines[0].public
    after = (await watched.district.service.get(watched.district.taskforce, number)).appeal
    assert after == before, "a reminder changes nothing but the record"
    assert after.record_length == before.record_length + 1
    told = [(row.role, row.unit) for row in await watched.outbox(OutboxRow.kind == "reminder")]
    assert told == [("taskforce", None), ("department", "区住建局"), ("territory", "下沙街道")]


async def test_reminders_name_no_person_and_no_number(watched: Watched) -> None:
    await watched.district.assigned()
    watched.at("2026-11-25T09:00:00")
    await watched.tick()
    for row in await watched.outbox():
        assert not any(secret in row.subject + row.body for secret in ("王芳", "13812345678", "积水"))


async def test_after_a_pause_everything_is_caught_up_in_order(watched: Watched) -> None:
    number = await watched.district.assigned()
    watched.at("2026-12-02T16:00:00")
    assert (await watched.tick()).acted == 2
    assert [line.summary for line in await watched.reminders(number)] == [
        "专班提醒：单一部门问题临近办理时限，尚未办结（应于 2026-11-24 12:00 进行，因系统中断补办）",
        "专班督查考评组提醒：单一部门问题已超过办理时限，尚未办结"
        "（应于 2026-11-25 09:00 进行，因系统中断补办）",
    ]
    assert await watched.penalties() == [("late_handling", "下沙街道"), ("late_handling", "区住建局")]
    assert (await watched.tick()).acted == 0


async def test_lateness_counts_once_for_lead_and_territory(watched: Watched) -> None:
    number = await watched.district.assigned()
    watched.at("2026-11-25T09:00:00")
    await watched.tick()
    late = [("late_handling", "下沙街道"), ("late_handling", "区住建局")]
    assert await watched.penalties() == late
    await watched.district.service.transfer(
        watched.district.housing, number, department="区人社局", reason="职责在该局"
    )
    watched.at("2026-12-01T09:00:00")
    await watched.tick()
    await watched.district.service.resolve(watched.district.xiasha, number, "已经协调解决")
    assert await watched.penalties() == late


async def test_lateness_counts_where_it_is_resolved_before_the_next_moment(watched: Watched) -> None:
    number = await watched.district.assigned()
    watched.at("2026-11-24T20:00:00")
    await watched.district.service.resolve(watched.district.housing, number, "已经安排疏通")
    assert [kind for kind, _ in await watched.penalties()] == ["late_handling", "late_handling"]


async def test_what_nobody_assigned_costs_the_territory(watched: Watched) -> None:
    filed = await watched.district.filed()
    watched.at("2026-11-25T09:00:00")
    await watched.tick()
    assert await watched.penalties() == [("late_dispatch", "下沙街道")]
    await watched.district.service.assign(watched.district.xiasha, filed.number)
    await watched.district.service.resolve(watched.district.housing, filed.number, "已经安排疏通")
    assert await watched.penalties() == [("late_dispatch", "下沙街道")]
    units = {row.unit for row in await watched.outbox(OutboxRow.kind == "reminder")}
    assert units == {None, "下沙街道"}, "a department that has only been proposed is not told"


async def test_a_rejection_costs_territory_and_lead_alike_and_no_lateness(watched: Watched) -> None:
    number = await watched.district.resolved()
    watched.at("2026-12-07T10:00:00")
    phone = watched.district.filing().phone
    await watched.district.service.give_feedback(number, phone, "unresolved", None, "没有修好")
    assert await watched.penalties() == [("dissatisfied", "下沙街道"), ("dissatisfied", "区住建局")]
    await watched.district.service.resolve(watched.district.housing, number, "重新疏通完毕")
    assert await watched.penalties() == [("dissatisfied", "下沙街道"), ("dissatisfied", "区住建局")]


async def test_a_resolve_stops_the_reminders_and_begins_the_questions(watched: Watched) -> None:
    await watched.district.resolved()
    watched.at("2026-11-20T09:00:00")
    done = await watched.tick()
    assert (done.acted, done.penalties) == (1, 0)
    messages = await watched.outbox(OutboxRow.audience == "enterprise")
    assert [row.kind for row in messages] == ["outcome", "question"]
    assert "未经您确认不会闭环" in messages[1].body


async def test_questions_that_are_due_together_are_one_message(watched: Watched) -> None:
    number = await watched.district.resolved()
    watched.at("2026-12-20T10:00:00")
    assert (await watched.tick()).acted == 3
    assert len(await watched.reminders(number)) == 3
    assert len(await watched.outbox(OutboxRow.kind == "question")) == 1
    state = (await watched.district.service.get(watched.district.taskforce, number)).appeal.state
    assert state.value == "resolved", "silence changes nothing"
    assert [state for kind, _, state in await watched.supervised(number) if kind == "call"] == ["pending"]


async def test_the_direct_line_is_supervised_from_its_submission(watched: Watched) -> None:
    sent = watched.district.filing(channel="书记区长直通车")
    [filed] = (await watched.district.service.file(sent, watched.district.operator)).appeals
    await watched.tick()
    roles = {row.role for row in await watched.outbox()}
    assert roles == {"taskforce", "inspection"}
    assert [line.summary for line in await watched.reminders(filed.number)] == [
        "两办督查室提醒：书记区长直通车诉求，自提交起督查"
    ]


async def test_what_does_not_fit_any_more_is_stopped(watched: Watched) -> None:
    number = await watched.district.assigned()
    async with watched.database.unit_of_work() as work:  # as nothing in the service leaves it
        assert work._session is not None
        await work._session.execute(text("UPDATE appeals SET state = 'withdrawn'"))
        await work.commit()
    watched.at("2026-12-02T16:00:00")
    assert (await watched.tick()).acted == 0
    assert {state for _, _, state in await watched.supervised(number)} == {"stopped"}


async def test_the_record_stays_whole(watched: Watched) -> None:
    number = await watched.district.assigned()
    watched.at("2026-12-02T16:00:00")
    await watched.tick()
    await watched.district.service.note(watched.district.taskforce, number, "已经电话督促")
    appeal = (await rows(watched.database, AppealRow))[0]
    head, vault = chain.START, watched.database.vault
    async with watched.database.unit_of_work(read_only=True) as work:
        history = await work.appeals.history(number)
    stored = await rows(watched.database, HistoryRow)
    for line, row in zip(history, stored, strict=True):
        assert line.position == row.position
        signed = chain.text_signature(vault.sign, number, row.position, line.text)
        signature = chain.link(vault.sign, head, number, row.position, line, signed)
        assert signature == row.signature
        head = chain.head(vault.sign, number, row.position, signature)
    assert (appeal.record_length, appeal.record_head) == (len(stored), head)


async def test_an_appeal_that_somebody_works_on_comes_with_a_later_pass(watched: Watched) -> None:
    if watched.database.writers is not None:
        pytest.skip("SQLite has one writer at a time")
    first, second = await watched.district.assigned(), await watched.district.assigned()
    watched.at("2026-11-24T12:00:00")
    async with watched.database.unit_of_work() as desk:
        await desk.appeals.get(first, lock=True)
        assert (await watched.tick()).acted == 1
        assert len(await watched.reminders(second)) == 1
        assert await watched.reminders(first) == []
    assert (await watched.tick()).acted == 1
    assert len(await watched.reminders(first)) == 1


async def test_several_workers_at_once_act_once(watched: Watched) -> None:
    numbers = [await watched.district.assigned() for _ in range(12)]
    watched.at("2026-12-02T16:00:00")
    clock = watched.supervision.clock
    clock._batch = 3
    passes = await asyncio.gather(*(clock.run_once() for _ in range(4)))
    assert sum(done.acted for done in passes) + (await watched.tick()).acted == 24
    for number in numbers:
        assert len(await watched.reminders(number)) == 2
    assert len(await watched.outbox(OutboxRow.kind == "reminder")) == 24 * 3
    assert len(await watched.penalties()) == 24


async def test_a_desk_and_the_clock_at_once(watched: Watched) -> None:
    numbers = [await watched.district.assigned() for _ in range(6)]
    watched.at("2026-11-24T12:00:00")
    desk = (
        watched.district.service.resolve(watched.district.housing, number, "已经安排疏通")
        for number in numbers
    )
    await asyncio.gather(watched.tick(), *desk)
    await watched.tick()
    for number in numbers:
        record = await watched.district.service.get(watched.district.taskforce, number)
        assert record.appeal.state.value == "resolved"
        reminded = len(await watched.reminders(number))
        moments = [state for kind, _, state in await watched.supervised(number) if kind == "moment"]
        assert sorted(moments) == sorted(["done"] * reminded + ["stopped"] * (2 - reminded))


async def test_one_appeal_that_makes_no_sense_does_not_stop_the_others(watched: Watched) -> None:
    broken, sound = await watched.district.assigned(), await watched.district.assigned()
    async with watched.database.unit_of_work() as work:
        assert work._session is not None
        await work._session.execute(
            text("UPDATE appeals SET level = 'odd' WHERE number = :number"), {"number": broken}
        )
        await work.commit()
    watched.at("2026-12-02T16:00:00")
    assert (await watched.tick()).acted == 2
    assert len(await watched.reminders(sound)) == 2
    assert watched.supervision.gauges.backlog.pending == 2


async def test_the_gauges_tell_what_is_left(watched: Watched) -> None:
    await watched.district.assigned()
    watched.at("2026-11-24T12:00:30")
    async with watched.database.unit_of_work(read_only=True) as work:
        count, oldest = await work.supervision.backlog(watched.clock())
    assert count == 1
    assert oldest is not None
    assert watched.clock() - oldest == timedelta(seconds=30)
    await watched.tick()
    gauges = watched.supervision.gauges
    assert (gauges.passes, gauges.acted, gauges.backlog.pending, gauges.lag_seconds) == (1, 1, 0, 0)
    assert gauges.last_pass_at > 0


async def test_a_dead_database_does_not_end_the_loop() -> None:
    calls = failures = 0
    done = asyncio.Event()

    async def work() -> bool:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise Unavailable("数据库暂时不可用")
        if calls == 2:
            raise ZeroDivisionError
        done.set()
        return False

    def failed() -> None:
        nonlocal failures
        failures += 1

    loop = Loop("test", work, 0.001, failed)
    loop.start()
    loop.start()
    await asyncio.wait_for(done.wait(), 10)
    await loop.stop()
    await loop.stop()
    assert failures == 2


async def test_a_loop_lets_its_call_end() -> None:
    begun, ended = asyncio.Event(), False

    async def work() -> bool:
        nonlocal ended
        begun.set()
        await asyncio.sleep(0.05)
        ended = True
        return True

    loop = Loop("test", work, 60)
    loop.start()
    await begun.wait()
    await loop.stop()
    assert ended


async def test_the_loops_run_by_themselves_until_they_are_stopped(watched: Watched) -> None:
    number = await watched.district.assigned()
    watched.at("2026-12-02T16:00:00")
    district = watched.district
    running = Supervision(
        watched.database.unit_of_work, watched.clock, StubDirectory(), WorkCalendar(), seconds=0.01
    )
    running.start()
    try:
        async with asyncio.timeout(60):
            while running.gauges.acted < 2 or any(row.state == "waiting" for row in await watched.outbox()):
                await asyncio.sleep(0.01)
    finally:
        await running.stop()
    passes = running.gauges.passes
    assert len(await watched.reminders(number)) == 2
    assert (await running.messages.of_desk(district.taskforce))[1] == 2
    assert running.gauges.passes == passes
    switched_off = Supervision(
        watched.database.unit_of_work, watched.clock, StubDirectory(), WorkCalendar(), seconds=0
    )
    switched_off.start()
    await switched_off.stop()
    assert switched_off.gauges.passes == 0


async def test_rows_keep_when_they_were_acted_on(watched: Watched) -> None:
    await watched.district.assigned()
    watched.at("2026-11-24T12:00:07")
    await watched.tick()
    done = [row for row in await rows(watched.database, SupervisionRow) if row.state == "done"]
    assert [row.acted_at for row in done] == [watched.clock().astimezone(done[0].acted_at.tzinfo)]
