"""A small district: two territories, four departments, a clock that stands still, a triage that is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from backend.appeals.model import Appeal, Filing
from backend.appeals.service import AppealService
from backend.people.actors import Actor
from backend.people.roles import Role
from backend.storage.database import Database

PHONE = "13812345678"
START = datetime.fromisoformat("2026-11-19T10:00:00+08:00")


@dataclass(frozen=True)
class StubProblem:
    text: str
    category: str = "项目"
    level: str = "single"
    lead_department: str | None = "区住建局"
    co_departments: Sequence[str] = ()
    reasons: Sequence[str] = ("点名了区住建局",)


@dataclass
class StubTriage:
    """Proposes the same for every text, unless told otherwise."""

    problems: list[StubProblem] | None = None
    template: StubProblem = field(default_factory=lambda: StubProblem(""))

    def propose(self, text: str, territory: str | None = None) -> list[StubProblem]:
        return [replace(self.template, text=text)] if self.problems is None else self.problems


class StubDirectory:
    departments = ("区住建局", "区经信科技局", "区市场监管局", "区人社局")
    territories = ("下沙街道", "医药港")
    aliases: ClassVar[dict[str, str]] = {"住建局": "区住建局", "下沙": "下沙街道"}

    def department(self, text: str) -> str | None:
        name = self.aliases.get(text, text)
        return name if name in self.departments else None

    def territory(self, text: str) -> str | None:
        name = self.aliases.get(text, text)
        return name if name in self.territories else None


@dataclass
class StillClock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class District:
    """What the tests act with."""

    service: AppealService
    triage: StubTriage
    clock: StillClock
    database: Database
    housing: ClassVar[Actor] = Actor("zj", Role.DEPARTMENT, "区住建局")
    economy: ClassVar[Actor] = Actor("jx", Role.DEPARTMENT, "区经信科技局")
    market: ClassVar[Actor] = Actor("sc", Role.DEPARTMENT, "区市场监管局")
    xiasha: ClassVar[Actor] = Actor("xs", Role.TERRITORY, "下沙街道")
    port: ClassVar[Actor] = Actor("yyg", Role.TERRITORY, "医药港")
    taskforce: ClassVar[Actor] = Actor("zb", Role.TASKFORCE)
    operator: ClassVar[Actor] = Actor("op", Role.OPERATOR)
    inspection: ClassVar[Actor] = Actor("dc", Role.INSPECTION)

    def filing(self, **changes: Any) -> Filing:
        sent = Filing("杭州测试科技有限公司", "王芳", PHONE, "厂区门口道路积水一直没人处理", "下沙街道")
        return replace(sent, **changes)

    async def filed(self, **changes: Any) -> Appeal:
        return (await self.service.file(self.filing(**changes))).appeals[0]

    async def assigned(self, **changes: Any) -> str:
        appeal = await self.filed(**changes)
        await self.service.assign(self.xiasha, appeal.number)
        return appeal.number

    async def resolved(self, **changes: Any) -> str:
        number = await self.assigned(**changes)
        await self.service.resolve(self.housing, number, "已经安排疏通")
        return number
