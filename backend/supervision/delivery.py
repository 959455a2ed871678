"""Takes messages from the outbox to a gateway or a door: at least once, with growing pauses, then no more.

A worker claims messages for a while, delivers them outside of any transaction, and writes down what became
of them. One that dies in between loses nothing: when the claim is over, the message is tried again under the
same key, by which the receiver tells a repeat.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from backend.appeals.notices import Audience
from backend.appeals.ports import Clock
from backend.supervision.model import Claimed, Delivery
from backend.supervision.ports import Deliverer, NotDelivered, SupervisionUnitOfWorkFactory

log = logging.getLogger(__name__)

AT_ONCE: Final = 8
"""Deliveries that run side by side."""

FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(hours=1)

_UNREACHABLE: Final = "没有通知网关或对应渠道，请电话回访"


def pause(attempts: int) -> timedelta:
    """The pause after a failed try: it doubles from half a minute to an hour.

    Args:
        attempts: Tries so far, from 1.
    """
    doublings = max(0, min(attempts - 1, 20))
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


class Dispatcher:
    """Delivers what waits in the outbox.

    Args:
        unit_of_work: Opens a transaction.
        clock: The present moment.
        gateway: Takes every message; None where none is set.
        doors: Take messages to enterprises, by the channel that the appeal came in by.
        tries: Tries after which a message is left to people.
        timeout: Seconds that one try may take.
        phones: Whether deliverers are given the enterprise's number.
    """

    def __init__(
        self,
        unit_of_work: SupervisionUnitOfWorkFactory,
        clock: Clock,
        gateway: Deliverer | None,
        doors: Mapping[str, Deliverer] | None = None,
        *,
        tries: int = 12,
        timeout: float = 10.0,
        phones: bool = False,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._gateway = gateway
        self._doors = doors if doors is not None else {}
        self._tries = tries
        self._timeout = timeout
        self._phones = phones

    async def run_once(self) -> int:
        """Deliver one handful of what is due.

        Messages to desks need no delivery where there is no gateway: they are read there. Messages to
        enterprises that nothing reaches are set aside, where people see them; the phone list reaches these.

        Returns:
            How many deliveries were tried.

        Raises:
            Unavailable: The database does not answer.
        """
        now = self._clock()
        async with self._unit_of_work(read_only=True) as work:
            if not await work.outbox.is_due(now):
                return 0
        async with self._unit_of_work() as work:
            settled = 0
            if self._gateway is None:
                settled += await work.outbox.settle(now, (Audience.DESK,), (), Delivery.AT_DESK)
                settled += await work.outbox.settle(
                    now, (Audience.ENTERPRISE,), tuple(self._doors), Delivery.NO_WAY
                )
            claimed: tuple[Claimed, ...] = ()
            if self._gateway is not None or self._doors:
                lease = timedelta(seconds=2 * self._timeout + 30)
                claimed = await work.outbox.claim(now, AT_ONCE, lease, phones=self._phones)
            if settled or claimed:
                await work.commit()
        if claimed:
            outcomes = await asyncio.gather(*map(self._try, claimed))
            await self._write_down(tuple(zip(claimed, outcomes, strict=True)))
        return len(claimed)

    async def close(self) -> None:
        """Give back what the deliverers hold."""
        for deliverer in {*self._doors.values(), *([self._gateway] if self._gateway else [])}:
            await deliverer.close()

    async def _try(self, claimed: Claimed) -> str | None:
        """One try; None where it was delivered, else why not."""
        message = claimed.message
        door = self._doors.get(message.channel) if message.audience is Audience.ENTERPRISE else None
        deliverer = door or self._gateway
        if deliverer is None:
            return _UNREACHABLE
        try:
            async with asyncio.timeout(self._timeout):
                await deliverer.deliver(claimed)
        except NotDelivered as error:
            return str(error)[:300]
        except TimeoutError:
            return "对方没有及时应答"
        except Exception:
            log.exception("delivery failed", extra={"outbox": claimed.id})
            return "发送时出错"
        return None

    async def _write_down(self, outcomes: tuple[tuple[Claimed, str | None], ...]) -> None:
        now = self._clock()
        async with self._unit_of_work() as work:
            for claimed, error in sorted(outcomes, key=lambda one: one[0].id):
                if error is None:
                    await work.outbox.finish(claimed, Delivery.DELIVERED, at=now)
                elif claimed.attempts >= self._tries:
                    await work.outbox.finish(claimed, Delivery.DEAD, at=now, error=error)
                    log.warning("message given up", extra={"outbox": claimed.id, "tries": claimed.attempts})
                else:
                    later = now + pause(claimed.attempts)
                    await work.outbox.finish(
                        claimed, Delivery.WAITING, at=now, next_try_at=later, error=error
                    )
            await work.commit()
