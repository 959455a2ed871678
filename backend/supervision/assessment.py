"""Penalties as people see them: recorded by hand where judgement is needed, and listed."""

from __future__ import annotations

from dataclasses import replace

from backend.appeals import access, filing, lifecycle
from backend.appeals.calendar import local
from backend.appeals.model import Event, HistoryEvent
from backend.appeals.numbers import parse_number
from backend.appeals.penalties import BY_HAND, Penalty, PenaltyKind
from backend.appeals.ports import Clock, Directory
from backend.errors import InvalidInput, NotFound
from backend.people.actors import Actor
from backend.permissions import Action
from backend.supervision.model import KeptPenalty, Page, PenaltyQuery
from backend.supervision.ports import SupervisionUnitOfWorkFactory
from backend.supervision.staff import role_for
from backend.text import clean

_NOBODY = ""


class PenaltyService:
    """Records and lists penalties.

    Args:
        unit_of_work: Opens a transaction.
        clock: The present moment.
        directory: Official names of departments and territories.
    """

    def __init__(
        self, unit_of_work: SupervisionUnitOfWorkFactory, clock: Clock, directory: Directory
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._directory = directory

    async def record(
        self, actor: Actor, number: str, kind: PenaltyKind, reason: str, unit: str | None = None
    ) -> KeptPenalty:
        """Record by hand what only people can judge.

        Args:
            actor: Task force or inspection office.
            number: Appeal number.
            kind: First-asked duty or criticism; the others follow from what happened.
            reason: Why; kept in the record.
            unit: Name or alias; the first department where first-asked duty is meant and none is given.

        Raises:
            InvalidInput: Another kind, no reason, an unknown unit, or none.
            NotAllowed: The role does not judge.
            NotFound: No such appeal.
        """
        role = role_for(actor, Action.PENALTIES_RECORD)
        if kind not in BY_HAND:
            raise InvalidInput(
                "只能登记未履行首问责任（first_asked）或处理不力被通报（criticism），其他考评事项由系统记录。",
                field="kind",
            )
        words = filing.check_text(reason, "reason", "理由", least=2)
        named = self._unit(unit) if unit else None
        plain = parse_number(number[:40])
        async with self._unit_of_work() as work:
            appeal = await work.appeals.get(plain, scope=access.scope_of(actor), lock=True) if plain else None
            if appeal is None:
                raise NotFound("没有找到这件诉求。")
            lifecycle.next_state(appeal.state, Event.NOTE, role)
            whose = named or (appeal.first_department if kind is PenaltyKind.FIRST_ASKED else None)
            if whose is None:
                raise InvalidInput("请填写被考评的单位。", field="unit")
            now = local(self._clock()).replace(microsecond=0)
            penalty = Penalty(kind, whose, now, words, actor.name)
            await work.appeals.follow_up(appeal.number, (), (penalty,))
            summary = f"登记考评事项：{kind.text}（{whose}）"
            # the record proves the event, so that an audit misses one that was taken away
            after = {"penalty": {"kind": kind.value, "unit": whose, "at": now.isoformat(timespec="seconds")}}
            at = max(now, local(appeal.submitted_at))
            line = HistoryEvent(at, actor, Event.NOTE, summary, words, public=False, after=after)
            await work.appeals.save(appeal, line, same_version=True)
            await work.commit()
            return KeptPenalty(appeal.number, penalty)

    async def list(self, actor: Actor, query: PenaltyQuery) -> Page[KeptPenalty]:
        """One page, newest first; departments and territories see their own.

        Raises:
            NotAllowed: The role sees none.
            InvalidInput: Unknown unit.
        """
        role = role_for(actor, Action.PENALTIES_VIEW)
        if query.unit is not None:
            query = replace(query, unit=self._unit(query.unit))
        if role.needs_unit:
            own = actor.unit or _NOBODY
            if query.unit not in (None, own):
                return Page((), 0, query.page, query.page_size)
            query = replace(query, unit=own)
        async with self._unit_of_work(read_only=True) as work:
            return await work.penalties.find(query)

    def _unit(self, name: str) -> str:
        return unit_named(name, self._directory, "unit")


def unit_named(name: str, directory: Directory, field: str) -> str:
    """The official name of a department or a territory.

    Raises:
        InvalidInput: There is no such unit.
    """
    tidy = clean(name)
    official = directory.department(tidy) or directory.territory(tidy)
    if official is None:
        raise InvalidInput("没有找到这个单位，请使用部门、平台或街道的名称。", field=field)
    return official
