"""The stream of the conversations' events to RabbitMQ, which never holds up or stops the dialogue.

What is published is what the store keeps: the messages of people, their names and phones among them. The
exchange, the durable queue and the form of the messages are those of Rasa's own broker, so that its consumers
work with ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import deque
from typing import Any

import aio_pika

log = logging.getLogger(__name__)

QUEUE = "qifu_events"
EXCHANGE = "rasa-exchange"
KEPT = 10_000
"""So many events wait for a server that is away; then the oldest go."""

_ANSWER_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_LAST_SECONDS = 5.0


class EventStream:
    """Publishes events in their order, each at least once while it is kept here."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._waiting: deque[dict[str, Any]] = deque()
        self._something = asyncio.Event()
        self._all_gone = asyncio.Event()
        self._all_gone.set()
        self._away = False
        self._lost = 0
        self._pause = _FIRST_PAUSE_SECONDS
        self._task = asyncio.create_task(self._run(), name="event-stream")

    def publish(self, event: dict[str, Any]) -> None:
        """Takes an event, to be published as soon as the server is there."""
        if len(self._waiting) >= KEPT:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append(event)
        self._all_gone.clear()
        self._something.set()

    async def close(self) -> None:
        """Publishes what waits, for a few seconds at most, and ends."""
        if not self._away:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_SECONDS):
                    await self._all_gone.wait()
        if self._waiting:
            log.warning("the event stream ends with %d events unpublished", len(self._waiting))
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        while True:
            try:
                await self._publish_all()
            except Exception as error:
                if not self._away:
                    log.warning(
                        "QIFU_AMQP_URL does not answer (%s): the dialogue goes on, its events wait",
                        type(error).__name__,
                    )
                self._away = True
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _publish_all(self) -> None:
        connection = await aio_pika.connect(self._url, timeout=_ANSWER_SECONDS)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                channel = await connection.channel()
                exchange = await channel.declare_exchange(EXCHANGE, aio_pika.ExchangeType.FANOUT)
                queue = await channel.declare_queue(QUEUE, durable=True)
                await queue.bind(exchange, "")
            if self._away:
                log.warning("QIFU_AMQP_URL answers again; %d events were lost meanwhile", self._lost)
            self._away, self._lost, self._pause = False, 0, _FIRST_PAUSE_SECONDS
            while True:
                while self._waiting:
                    await self._publish_first(exchange)
                self._all_gone.set()
                self._something.clear()
                await self._something.wait()
        finally:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await connection.close()

    async def _publish_first(self, exchange: aio_pika.abc.AbstractExchange) -> None:
        event = self._waiting[0]
        message = aio_pika.Message(json.dumps(event).encode(), delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await exchange.publish(message, "", timeout=_ANSWER_SECONDS)
        if self._waiting and self._waiting[0] is event:
            self._waiting.popleft()
