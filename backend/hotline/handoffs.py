"""Calls for a person: kept for the hotline's operators, who take them up at their desk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from backend import errors
from backend.hotline.memory import Recent
from backend.people.actors import Actor
from backend.people.roles import Role
from backend.permissions import Action, require
from backend.storage.database import Database
from backend.storage.handoffs import Handoff

_SAME_CALL = 600
"""Seconds in which a sender's second call is the same call."""


class HandoffService:
    """Records calls for a person and lets operators take them up.

    Args:
        database: Where they are kept.
        clock: The present moment, aware.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._calls: Recent[str, asyncio.Task[datetime]] = Recent(10_000, _SAME_CALL)

    async def record(self, sender: str, reason: str, channel: str) -> datetime:
        """Keeps a call; pressed again within ten minutes, it is the same call.

        Args:
            sender: The conversation's stable id.
            reason: Why, in own words; may be empty.
            channel: Through which door.

        Returns:
            When it was kept.

        Raises:
            Unavailable: The database does not answer.
        """
        call = self._calls.get(sender)
        if call is None or (call.done() and (call.cancelled() or call.exception() is not None)):
            call = asyncio.create_task(self._keep(sender, reason))
            self._calls.set(sender, call)
        return await asyncio.shield(call)

    async def waiting(self, actor: Actor, page: int = 1, page_size: int = 100) -> tuple[Handoff, ...]:
        """One page of the calls that nobody has taken up, longest waiting first.

        Raises:
            NotAllowed: The role does not answer calls.
        """
        self._require(actor, Action.HANDOFFS_VIEW)
        async with self._database.unit_of_work(read_only=True) as work:
            return await work.handoffs.waiting(page_size, (page - 1) * page_size)

    async def count_waiting(self, actor: Actor) -> int:
        """How many calls nobody has taken up.

        Raises:
            NotAllowed: The role does not answer calls.
        """
        self._require(actor, Action.HANDOFFS_VIEW)
        async with self._database.unit_of_work(read_only=True) as work:
            return await work.handoffs.count_waiting()

    async def take_up(self, actor: Actor, handoff_id: int) -> None:
        """Marks a call as taken up by the actor.

        Raises:
            NotAllowed: The role does not answer calls.
            NotFound: There is no such call, or it was taken up already.
        """
        self._require(actor, Action.HANDOFFS_ANSWER)
        async with self._database.unit_of_work() as work:
            if not await work.handoffs.answer(handoff_id, actor.name, self._clock()):
                raise errors.NotFound("没有找到这个人工服务请求，或者已经有人处理。")
            await work.commit()

    async def _keep(self, sender: str, reason: str) -> datetime:
        now = self._clock()
        async with self._database.unit_of_work() as work:
            await work.handoffs.add(Handoff(sender=sender, reason=reason, created_at=now))
            await work.commit()
        return now

    def _require(self, actor: Actor, action: Action) -> None:
        if not isinstance(actor.role, Role):
            raise errors.NotAllowed("您的账号没有这项权限。")
        require(actor.role, action)
