"""What the tests of the API share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from backend.composition import Container
from backend.hotline.bot_client import BotUnavailable
from backend.people.roles import Role
from backend.replies import Message, Reply

ROOT = Path(__file__).parents[3]
MONDAY = datetime(2026, 11, 16, 2, 0, tzinfo=UTC)
PHONE = "13800000001"
FILING = {
    "enterprise": "杭州测试科技有限公司",
    "contact": "王小明",
    "phone": PHONE,
    "text": "我们公司门口的道路破损很久了，希望尽快修复。",
    "channel": "portal",
}


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **step: float) -> None:
        self.now += timedelta(**step)


class StubBot:
    """A dialogue engine that repeats what it hears, or is away."""

    def __init__(self) -> None:
        self.ready = False
        self.heard: list[tuple[str, str, str]] = []
        self.begun = asyncio.Event()
        self.hold: asyncio.Event | None = None

    async def turn(self, sender: str, message: str, channel: str) -> Reply:
        if not self.ready:
            raise BotUnavailable("away")
        self.begun.set()
        if self.hold is not None:
            await self.hold.wait()
        self.heard.append((sender, message, channel))
        return Reply(messages=[Message(text=f"机器人：{message}")], outcome="chitchat")


@dataclass
class Backend:
    """The running application and what a test may touch in it."""

    container: Container
    client: TestClient[Any, Any]
    bot: StubBot
    clock: Clock

    async def get(self, path: str, **more: Any) -> ClientResponse:
        return await self.client.get(path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> ClientResponse:
        return await self.client.post(path, json=body, **more)

    async def file(self, **changes: Any) -> dict[str, Any]:
        """Files and returns the first appeal."""
        answer = await self.post("/api/v1/appeals", {**FILING, **changes})
        assert answer.status == 201, await answer.text()
        found = (await answer.json())["appeals"][0]
        assert isinstance(found, dict)
        return found

    async def staff(self, role: Role, unit: str | None = None) -> dict[str, str]:
        """Makes an account and returns the header with its token."""
        name = f"{role.value}{abs(hash(unit)) % 10**8}"
        names = {account.username for account in await self.container.people.accounts()}
        if name not in names:
            await self.container.people.create_account(name, role, unit)
        issued = await self.container.people.issue_token(name)
        return {"Authorization": f"Bearer {issued.token}"}


async def refused(answer: ClientResponse, status: int, code: str) -> str:
    """Checks a refusal's shape and returns its sentence."""
    body = await answer.json()
    assert answer.status == status, body
    assert answer.content_type == "application/json"
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details"}
    assert body["error"]["code"] == code, body
    message = body["error"]["message"]
    assert isinstance(message, str)
    assert any("\u4e00" <= sign <= "\u9fff" for sign in message), message
    return message
