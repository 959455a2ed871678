"""Which enterprises a liaison (助企员) looks after.

The task force pairs them, or an admin. A territory does not: the documents do not say which enterprises are a
territory's, so it could not be told whether it pairs its own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from backend.errors import InvalidInput, NotAllowed, NotFound
from backend.people.accounts import Account, LiaisonPage, Pairing, PairingPage
from backend.people.actors import COMMAND_LINE, Actor, Party
from backend.people.audit import AuditEntry
from backend.people.checks import normal_username
from backend.people.ports import PeopleUnitOfWork, PeopleUnitOfWorkFactory
from backend.people.roles import Role
from backend.permissions import Action, require
from backend.text import clean

MAX_ENTERPRISE: Final = 100

EnterpriseKey = Callable[[str], str]
"""Answers the form in which an enterprise's name is compared; empty if nothing is left of it."""


class LiaisonService:
    """Pairs liaisons with enterprises.

    Args:
        unit_of_work: Opens a transaction.
        clock: The present moment, aware.
        enterprise_key: Makes names comparable, as the appeals do.
    """

    def __init__(
        self,
        unit_of_work: PeopleUnitOfWorkFactory,
        clock: Callable[[], datetime],
        enterprise_key: EnterpriseKey,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._key = enterprise_key

    async def pair(self, username: str, enterprise: str, *, by: Actor = COMMAND_LINE) -> Pairing:
        """Pair a liaison with an enterprise; twice counts once.

        Raises:
            NotAllowed: The role does not pair.
            InvalidInput: The enterprise's name cannot be used.
            NotFound: There is no such liaison, or the account is shut.
        """
        _require(by, Action.LIAISONS_PAIR)
        name, key = self._enterprise(enterprise)
        async with self._unit_of_work() as work:
            liaison = await _liaison(work, username, lock=True)
            if liaison.disabled_at is not None:
                raise _no_liaison()
            pairing = Pairing(liaison.username, key, name, self._clock())
            existing = await work.people.add_pairing(pairing)
            if existing is None:
                after = {"enterprise": name}
                await work.audit.add(
                    AuditEntry(pairing.since, by, "liaison.pair", liaison.username, {}, after)
                )
                await work.commit()
        return existing or pairing

    async def unpair(self, username: str, enterprise: str, *, by: Actor = COMMAND_LINE) -> None:
        """Part a liaison from an enterprise.

        Raises:
            NotAllowed: The role does not pair.
            InvalidInput: The enterprise's name cannot be used.
            NotFound: There is no such liaison, or they are not paired.
        """
        _require(by, Action.LIAISONS_PAIR)
        _, key = self._enterprise(enterprise)
        async with self._unit_of_work() as work:
            liaison = await _liaison(work, username, lock=True)
            parted = await work.people.remove_pairing(liaison.username, key)
            if parted is None:
                raise NotFound("这位助企员没有结对这家企业。")
            before = {"enterprise": parted.enterprise}
            entry = AuditEntry(self._clock(), by, "liaison.unpair", liaison.username, before, {})
            await work.audit.add(entry)
            await work.commit()

    async def pairings(
        self, username: str, page: int = 1, page_size: int = 100, *, by: Actor = COMMAND_LINE
    ) -> PairingPage:
        """One page of a liaison's enterprises, by name; a liaison sees their own.

        Raises:
            NotAllowed: The role sees no pairings.
            NotFound: There is no such liaison, or it is another than the one who asks.
        """
        _require(by, Action.LIAISONS_VIEW)
        async with self._unit_of_work(read_only=True) as work:
            liaison = await _liaison(work, username)
            if by.role is Role.LIAISON and by.name != liaison.username:
                raise _no_liaison()
            return await work.people.pairings(liaison.username, page, page_size)

    async def looks_after(self, username: str, enterprise: str) -> bool:
        """Whether a liaison is paired with an enterprise of this name, however it is written."""
        async with self._unit_of_work(read_only=True) as work:
            return await work.people.is_paired(normal_username(username) or "", self._key(enterprise))

    async def liaisons(self, page: int = 1, page_size: int = 20, *, by: Actor = COMMAND_LINE) -> LiaisonPage:
        """One page of the liaisons that work, with how many enterprises each has.

        Raises:
            NotAllowed: The role does not pair.
        """
        _require(by, Action.LIAISONS_PAIR)
        async with self._unit_of_work(read_only=True) as work:
            return await work.people.liaisons(page, page_size)

    def _enterprise(self, enterprise: str) -> tuple[str, str]:
        name = clean(enterprise[: 4 * MAX_ENTERPRISE])
        key = self._key(name) if len(name) <= MAX_ENTERPRISE else ""
        if not 1 <= len(key) <= MAX_ENTERPRISE:
            raise InvalidInput(f"企业名称应为 1 到 {MAX_ENTERPRISE} 个字。", field="enterprise")
        return name, key


async def _liaison(work: PeopleUnitOfWork, username: str, *, lock: bool = False) -> Account:
    account = await work.people.account(normal_username(username) or "", lock=lock)
    if account is None or account.role is not Role.LIAISON:
        raise _no_liaison()
    return account


def _require(by: Actor, action: Action) -> None:
    if isinstance(by.role, Role):
        require(by.role, action)
    elif by.role is not Party.SYSTEM:
        raise NotAllowed("请用工作人员账号登录。")


def _no_liaison() -> NotFound:
    return NotFound("没有找到这位助企员，或者账号已停用。")
