"""A backend on either database with some staff, to be acted on over HTTP, several at once."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import event

from backend.api.app import create_app
from backend.composition import Container, Knowledge, build
from backend.people.roles import Role
from backend.settings import Settings

ROOT = Path(__file__).parents[3]
KEY = base64.b64encode(bytes(range(32))).decode()
PHONE = "13800000001"
START = datetime(2026, 11, 19, 2, 0, tzinfo=UTC)
FILING = {
    "enterprise": "杭州断电测试有限公司",
    "contact": "王测试",
    "phone": PHONE,
    "text": "厂区门口的道路积水很久了，一直没有人处理。",
}


@dataclass
class Answer:
    """What came back."""

    status: int
    body: dict[str, Any]

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])

    @property
    def details(self) -> dict[str, Any]:
        return dict(self.body["error"]["details"])


class Hands:
    """A clock that a test moves."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Office:
    """The running application."""

    container: Container
    client: TestClient[Any, Any]
    clock: Hands
    departments: list[str]
    territory: str
    tokens: dict[tuple[Role, str | None], str] = field(default_factory=dict)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def token(self, role: Role, unit: str | None = None) -> str:
        async with self._one:
            if (role, unit) not in self.tokens:
                name = f"{role.value}-{len(self.tokens)}"
                await self.container.people.create_account(name, role, unit)
                self.tokens[role, unit] = (await self.container.people.issue_token(name)).token
            return self.tokens[role, unit]

    async def post(self, path: str, body: Any, role: Role | None = None, unit: str | None = None) -> Answer:
        headers = {"Authorization": f"Bearer {await self.token(role, unit)}"} if role else {}
        async with self.client.post(path, json=body, headers=headers) as answer:
            return Answer(answer.status, await answer.json())

    async def get(self, path: str, role: Role | None = None, unit: str | None = None) -> Answer:
        headers = {"Authorization": f"Bearer {await self.token(role, unit)}"} if role else {}
        async with self.client.get(path, headers=headers) as answer:
            return Answer(answer.status, await answer.json())

    async def try_to_file(self, **changes: Any) -> Answer:
        return await self.post("/api/v1/appeals", {**FILING, "territory": self.territory, **changes})

    async def filed(self) -> str:
        answer = await self.try_to_file()
        assert answer.status == 201, answer.body
        return str(answer.body["appeals"][0]["number"])

    async def office(self, number: str, deed: str, **body: Any) -> Answer:
        return await self.post(f"/api/v1/desk/appeals/{number}/{deed}", body, Role.TASKFORCE)

    async def lead(self, number: str, deed: str, **body: Any) -> Answer:
        return await self.post(
            f"/api/v1/desk/appeals/{number}/{deed}", body, Role.DEPARTMENT, self.departments[0]
        )

    async def of_enterprise(self, number: str, deed: str, **body: Any) -> Answer:
        return await self.post(f"/api/v1/appeals/{number}/{deed}", {"phone": PHONE, **body})

    async def assigned(self) -> str:
        number = await self.filed()
        answer = await self.office(number, "assign", lead_department=self.departments[0])
        assert answer.status == 200, answer.body
        return number

    async def resolved(self) -> str:
        number = await self.assigned()
        assert (await self.lead(number, "resolve", text="已经疏通")).status == 200
        return number

    async def opened(self, number: str) -> dict[str, Any]:
        answer = await self.get(f"/api/v1/desk/appeals/{number}", Role.TASKFORCE)
        assert answer.status == 200, answer.body
        return dict(answer.body["appeal"])

    async def numbers(self) -> list[str]:
        found: list[str] = []
        page = 1
        while True:
            answer = await self.get(f"/api/v1/desk/appeals?page={page}&page_size=100", Role.TASKFORCE)
            assert answer.status == 200, answer.body
            found += [row["number"] for row in answer.body["appeals"]]
            if len(answer.body["appeals"]) < 100:
                return found
            page += 1

    async def at_once(self, *deeds: Any) -> list[Answer]:
        return list(await asyncio.gather(*deeds))


async def open_office(
    folder: Path,
    url: str,
    knowledge: Knowledge,
    clock: Hands | None = None,
    begin: Callable[[Any], None] | None = None,
) -> tuple[Office, TestClient[Any, Any]]:
    """Builds and starts it; the client has to be closed by the caller.

    ``begin`` is called with the connection before each transaction.
    """
    settings = Settings(
        data_dir=folder,
        database_url=url,
        data_key=KEY,
        knowledge_dir=ROOT / "knowledge_base",
        web_dir=folder / "web",
        clock_seconds=0,
    )
    hands = clock or Hands()
    container = build(settings, clock=hands, knowledge=knowledge)
    if begin is not None:
        event.listen(container.database.engine.sync_engine, "begin", begin, insert=True)
    client: TestClient[Any, Any] = TestClient(TestServer(create_app(container)))
    await client.start_server()
    directory = container.directory
    departments = [found.name for found in directory.departments(None)][:3]
    return Office(container, client, hands, departments, directory.territories(None)[0].name), client
