"""The audit knows what the clock has done, and what somebody did to its rows."""

from __future__ import annotations

import pytest
from appeal_district import PHONE
from supervision_helpers import Watched

from backend.storage.auditing import Audit
from backend.storage.schema import open_engine


def found(watched: Watched) -> list[str]:
    url = watched.database.engine.url.render_as_string(hide_password=False)
    return [one.message for one in Audit(url, watched.database.vault).findings()]


async def reminded(watched: Watched) -> None:
    """An appeal that was supervised and reopened, one whose enterprise was asked, one that came directly."""
    district = watched.district
    late = await district.assigned()
    silent = await district.resolved(text="等企业确认的一件事")
    await district.filed(text="直通车来的一件事情", channel="书记区长直通车")
    for moment in (
        "2026-11-20T09:00:00",
        "2026-11-24T12:00:00",
        "2026-11-27T09:00:00",
        "2026-12-02T16:00:00",
    ):
        watched.at(moment)
        await watched.tick()
    await district.service.resolve(district.housing, late, "已经处理完毕")
    await district.service.give_feedback(late, PHONE, "unresolved", 1, "没有解决")
    await watched.supervision.calls.called(district.operator, silent, "企业说过几天看")
    watched.at("2026-12-20T16:00:00")
    await watched.tick()


async def test_nothing_that_the_clock_does_is_found(watched: Watched) -> None:
    await reminded(watched)
    assert found(watched) == []


@pytest.mark.parametrize(
    "done",
    [
        "DELETE FROM appeal_supervision WHERE kind = 'moment' AND state = 'done'",
        "UPDATE appeal_supervision SET state = 'pending' WHERE kind = 'moment' AND state = 'done'",
        "UPDATE appeal_supervision SET \"by\" = 'x' WHERE kind = 'ask' AND state = 'done'",
        "UPDATE appeal_supervision SET at = '2026-11-01 01:00:00.000000' WHERE state = 'done'",
        "UPDATE appeal_supervision SET state = 'done' WHERE kind = 'moment' AND state = 'stopped'",
    ],
)
async def test_what_was_done_to_a_reminder_is_found(watched: Watched, done: str) -> None:
    await reminded(watched)
    await watched.district.resolved(text="办结以后停掉的提醒")
    engine = open_engine(watched.database.engine.url.render_as_string(hide_password=False))
    with engine.begin() as connection:
        assert connection.exec_driver_sql(done).rowcount > 0
    engine.dispose()
    assert any("提醒" in message for message in found(watched))
