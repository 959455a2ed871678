"""Reading the log of changes that are no appeal's own."""

from __future__ import annotations

from dataclasses import dataclass

from backend.errors import NotAllowed
from backend.people.actors import COMMAND_LINE, Actor, Party
from backend.people.audit import AuditEntry
from backend.people.ports import PeopleUnitOfWorkFactory
from backend.people.roles import Role
from backend.permissions import Action, require


@dataclass(frozen=True)
class LogPage:
    """One page of the log, newest first."""

    entries: tuple[AuditEntry, ...]
    total: int


class Logbook:
    """Shows who changed what; nobody can change it.

    Args:
        unit_of_work: Opens a transaction.
    """

    def __init__(self, unit_of_work: PeopleUnitOfWorkFactory) -> None:
        self._unit_of_work = unit_of_work

    async def page(self, page: int = 1, page_size: int = 20, *, by: Actor = COMMAND_LINE) -> LogPage:
        """One page, newest first.

        Raises:
            NotAllowed: The role does not read the log.
        """
        if isinstance(by.role, Role):
            require(by.role, Action.AUDIT_VIEW)
        elif by.role is not Party.SYSTEM:
            raise NotAllowed("请用工作人员账号登录。")
        async with self._unit_of_work(read_only=True) as work:
            entries, total = await work.audit.page(page, page_size)
        return LogPage(entries, total)
