"""Password hashing with Argon2id, off the event loop and few at a time, because each needs memory."""

from __future__ import annotations

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from backend.errors import Unavailable

# OWASP's smaller profile: 19 MiB, two passes. Several logins at once must fit the backend's memory budget.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_LONGEST_LINE: Final = 100
"""Logins that may wait for their turn: some three seconds. More are a flood, and are sent away."""


class Passwords:
    """Hashes and verifies.

    Args:
        hasher: Parameters of the hash.
        at_once: How many hashes are computed at the same time.
    """

    def __init__(self, hasher: PasswordHasher = _HASHER, at_once: int = 2) -> None:
        self._hasher = hasher
        self._turns = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """The hash to store."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether a password fits; takes as long for an account that does not exist.

        Raises:
            Unavailable: Too many wait for the same.
        """
        if self._waiting >= _LONGEST_LINE:
            raise Unavailable("现在登录的人太多，请稍后再试。", retry_after=5)
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(self._verify, stored, password)
        finally:
            self._waiting -= 1

    def _verify(self, stored: str | None, password: str) -> bool:
        if self._nobody is None:
            self._nobody = self._hasher.hash("nobody")
        fits = self._matches(stored or self._nobody, password)
        return fits and stored is not None

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
