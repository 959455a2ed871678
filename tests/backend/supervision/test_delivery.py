"""Messages on their way: a gateway that fails, hangs, or takes them; doors; nobody."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from appeal_district import PHONE
from hypothesis import given
from hypothesis import strategies as st
from supervision_helpers import Watched

from backend.storage.tables import OutboxRow
from backend.supervision.delivery import LONGEST_PAUSE, Dispatcher, pause
from backend.supervision.gateway import NoticeGateway, signature
from backend.supervision.model import Claimed
from backend.supervision.ports import NotDelivered

SECRET = "a-shared-secret"


@dataclass
class FakeGateway:
    """Takes messages as a test tells it to."""

    status: int = 200
    hang: bool = False
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        self.seen.append((dict(request.headers), await request.read()))
        self.begun.set()
        if self.hang:
            await asyncio.Event().wait()
        if self.status == 302:
            return web.Response(status=302, headers={"Location": "/elsewhere"})
        return web.Response(status=self.status, text="王芳 13800000001")

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.seen]


@pytest.fixture
async def fake() -> AsyncIterator[tuple[FakeGateway, str]]:
    gateway = FakeGateway()
    app = web.Application()
    app.router.add_post("/notices", gateway.handle)
    async with TestServer(app, shutdown_timeout=0) as server:
        yield gateway, str(server.make_url("/notices"))


def dispatcher(watched: Watched, url: str | None, **more: Any) -> Dispatcher:
    timeout = more.get("timeout", 5.0)
    gateway = NoticeGateway(url, SECRET, watched.clock, timeout) if url else None
    return Dispatcher(watched.database.unit_of_work, watched.clock, gateway, **more)


async def drain(dispatching: Dispatcher) -> int:
    tried = 0
    while some := await dispatching.run_once():
        tried += some
    return tried


@pytest.mark.database
async def test_without_a_gateway_desks_read_and_enterprises_are_phoned(watched: Watched) -> None:
    number = await watched.district.resolved()
    assert await dispatcher(watched, None).run_once() == 0
    states = {(row.audience, row.state) for row in await watched.outbox()}
    assert states == {("desk", "at_desk"), ("enterprise", "no_way")}
    watched.at("2026-11-30T09:00:00")
    await watched.tick()
    await dispatcher(watched, None).run_once()
    called = await watched.supervision.calls.list(watched.district.operator)
    assert [call.appeal.number for call in called.items] == [number]
    assert called.items[0].unreached == 2


@pytest.mark.database
async def test_the_gateway_gets_signed_messages_without_private_data(
    watched: Watched, fake: tuple[FakeGateway, str]
) -> None:
    gateway, url = fake
    await watched.district.resolved()
    dispatching = dispatcher(watched, url)
    assert await drain(dispatching) == 2
    await dispatching.close()
    assert {row.state for row in await watched.outbox()} == {"delivered"}
    for headers, body in gateway.seen:
        stamp = headers["X-Qifu-Timestamp"]
        expected = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        assert headers["X-Qifu-Signature"] == f"sha256={expected}" == signature(SECRET, stamp, body)
        assert headers["Idempotency-Key"] == json.loads(body)["key"]
        assert not any(secret in body.decode() for secret in ("王芳", PHONE, "积水", "杭州测试"))
    assert {body["audience"] for body in gateway.bodies} == {"desk", "enterprise"}


@pytest.mark.database
async def test_the_number_goes_along_only_where_it_is_asked_for(
    watched: Watched, fake: tuple[FakeGateway, str]
) -> None:
    gateway, url = fake
    await watched.district.resolved()
    dispatching = dispatcher(watched, url, phones=True)
    await drain(dispatching)
    await dispatching.close()
    phones = {body["audience"]: body.get("phone") for body in gateway.bodies}
    assert phones == {"enterprise": PHONE, "desk": None}


@pytest.mark.database
@pytest.mark.parametrize("status", [500, 302, 404])
async def test_a_failing_gateway_is_tried_again_with_growing_pauses_and_then_given_up(
    watched: Watched, fake: tuple[FakeGateway, str], status: int
) -> None:
    gateway, url = fake
    gateway.status = status
    await watched.district.assigned()
    dispatching = dispatcher(watched, url, tries=4)
    waits = []
    for tries in range(1, 5):
        assert await drain(dispatching) == 1
        row = (await watched.outbox())[0]
        assert (row.attempts, row.last_error) == (tries, f"通知网关应答 HTTP {status}")
        waits.append(row.next_try_at - watched.clock())
        assert await drain(dispatching) == 0, "not before the pause is over"
        watched.clock.now = row.next_try_at
    await dispatching.close()
    assert waits[:3] == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
    assert (await watched.outbox())[0].state == "dead"
    assert len({headers["Idempotency-Key"] for headers, _ in gateway.seen}) == 1
    await watched.tick()
    assert watched.supervision.gauges.backlog.dead == 1


@pytest.mark.database
async def test_a_hanging_gateway_holds_nobody_up(watched: Watched, fake: tuple[FakeGateway, str]) -> None:
    gateway, url = fake
    gateway.hang = True
    await watched.district.assigned()
    dispatching = dispatcher(watched, url, timeout=0.05)
    assert await drain(dispatching) == 1
    await dispatching.close()
    row = (await watched.outbox())[0]
    assert row.state == "waiting"
    assert row.last_error is not None
    assert "及时应答" in row.last_error


@pytest.mark.database
async def test_a_gateway_that_is_gone(watched: Watched) -> None:
    await watched.district.assigned()
    dispatching = dispatcher(watched, "http://127.0.0.1:1/")
    assert await drain(dispatching) == 1
    await dispatching.close()
    error = (await watched.outbox())[0].last_error
    assert error is not None
    assert error.startswith("通知网关连接失败")
    assert "127.0.0.1" not in error


@pytest.mark.database
async def test_a_worker_that_dies_loses_nothing_but_time(
    watched: Watched, fake: tuple[FakeGateway, str]
) -> None:
    gateway, url = fake
    await watched.district.assigned()
    gateway.hang = True
    first = dispatcher(watched, url)
    dying = asyncio.create_task(first.run_once())
    await asyncio.wait_for(gateway.begun.wait(), 10)
    gateway.hang = False
    second = dispatcher(watched, url)
    assert await drain(second) == 0, "it is another's for a while"
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    watched.clock.pass_by(minutes=2)
    assert await drain(second) == 1
    await asyncio.gather(first.close(), second.close())
    row = (await watched.outbox())[0]
    assert (row.state, row.attempts) == ("delivered", 2)
    keys = [headers["Idempotency-Key"] for headers, _ in gateway.seen]
    assert len(keys) == 2
    assert len(set(keys)) == 1


@pytest.mark.database
async def test_two_dispatchers_share_the_work(watched: Watched, fake: tuple[FakeGateway, str]) -> None:
    gateway, url = fake
    for _ in range(10):
        await watched.district.assigned()
    both = dispatcher(watched, url), dispatcher(watched, url)
    while sum(await asyncio.gather(*(one.run_once() for one in both))):
        pass
    await asyncio.gather(*(one.close() for one in both))
    assert len(gateway.seen) == len({body["key"] for body in gateway.bodies}) == 10


@dataclass
class Door:
    """A channel that takes messages to enterprises."""

    taken: list[str] = field(default_factory=list)
    broken: bool = False

    async def deliver(self, claimed: Claimed) -> None:
        if self.broken:
            raise NotDelivered("对方拒绝接收")
        self.taken.append(claimed.message.channel)

    async def close(self) -> None:
        pass


@pytest.mark.database
async def test_an_enterprise_is_reached_by_the_door_that_it_came_in_by(watched: Watched) -> None:
    await watched.district.resolved(channel="wechat")
    await watched.district.resolved(channel="portal")
    door = Door()
    dispatching = dispatcher(watched, None, doors={"wechat": door})
    await drain(dispatching)
    assert door.taken == ["wechat"]
    found = {row.channel: row.state for row in await watched.outbox(OutboxRow.audience == "enterprise")}
    assert found == {"wechat": "delivered", "portal": "no_way"}


@pytest.mark.database
async def test_what_was_given_up_can_be_tried_again(watched: Watched) -> None:
    await watched.district.resolved(channel="wechat")
    door = Door(broken=True)
    dispatching = dispatcher(watched, None, doors={"wechat": door}, tries=1)
    await drain(dispatching)
    dead = (await watched.outbox(OutboxRow.state == "dead"))[0]
    assert dead.last_error == "对方拒绝接收"
    door.broken = False
    await watched.supervision.messages.again(watched.district.taskforce, dead.id)
    assert await drain(dispatching) == 1
    assert (await watched.outbox(OutboxRow.id == dead.id))[0].state == "delivered"


@given(st.integers(0, 500))
def test_pauses_grow_to_an_hour(attempts: int) -> None:
    assert pause(1) <= pause(attempts) <= pause(attempts + 1) <= LONGEST_PAUSE
