"""Locks of conversations in Redis, for several bot processes on one store of conversations."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from bot.errors import NotBegun

log = logging.getLogger(__name__)

LIFETIME_SECONDS = 60
"""A lock whose process died is free after this time; no turn lasts so long."""

_ANSWER_SECONDS = 1.0
_WAIT_SECONDS = 6.0
_LOOK_SECONDS = 0.05
_PREFIX = "qifubot:turn:"
_TAKE = """
local holder = redis.call('get', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end"
_AWAY = (RedisError, OSError, TimeoutError)


class RedisLocks:
    """One turn at a time for each conversation, whichever process takes it.

    In this process turns go in the order of asking; between processes, who looks first goes first. A lock
    belongs to the process, so that one that could not be released, because Redis was away when its turn
    ended, is no hindrance here.
    """

    def __init__(self, url: str) -> None:
        self._redis: Redis = Redis.from_url(
            url,
            socket_timeout=_ANSWER_SECONDS,
            socket_connect_timeout=_ANSWER_SECONDS,
            # a connection that broke while it was idle is made anew once, a server that is away told at once
            retry=Retry(NoBackoff(), 1),
        )
        self._process = secrets.token_hex(16)
        self._here: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def lock(self, conversation_id: str) -> AsyncIterator[None]:
        """Holds a conversation's lock.

        Raises:
            NotBegun: Redis does not answer, or a turn in another process takes too long.
        """
        key = _PREFIX + conversation_id
        here = self._here.setdefault(key, asyncio.Lock())
        async with here:
            try:
                await self._take(key)
            except _AWAY as error:
                raise NotBegun("the locks do not answer") from error
            try:
                yield
            finally:
                await self._release(key)

    async def answers(self) -> bool:
        """Whether Redis answers now."""
        try:
            await self._redis.ping()
        except _AWAY:
            return False
        return True

    async def close(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()

    async def _take(self, key: str) -> None:
        until = asyncio.get_running_loop().time() + _WAIT_SECONDS
        while not await self._redis.eval(_TAKE, 1, key, self._process, str(LIFETIME_SECONDS)):
            if asyncio.get_running_loop().time() > until:
                raise NotBegun("another turn of this conversation is still running")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _release(self, key: str) -> None:
        try:
            await self._redis.eval(_RELEASE, 1, key, self._process)
        except _AWAY as error:
            log.warning("a lock could not be released: %s", type(error).__name__)
