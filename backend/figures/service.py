"""The figures for who may see them: all for those who lead and supervise, the own ones for units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from backend.appeals.access import NOTHING
from backend.appeals.calendar import WorkCalendar, local
from backend.appeals.ports import Clock
from backend.errors import NotAllowed
from backend.figures.model import Figures, Grouping, Row, Selection, month_bounds
from backend.figures.ports import FigureUnitOfWorkFactory
from backend.figures.ranking import LEAST, Order, Place, ranked
from backend.people.actors import Actor
from backend.people.roles import Role
from backend.permissions import Action, require


@dataclass(frozen=True)
class Table:
    """The ranking of a month (月度晾晒).

    Attributes:
        month: As ``2026-11``.
        order: The rate that decides.
        least: Fewest cases with which a unit is placed.
        departments: By the appeals that they lead.
        territories: By all appeals of their enterprises.
        placed_departments: How many departments have a place, also where only one is shown.
        placed_territories: How many territories have one.
        as_of: The moment at which late and open were judged.
    """

    month: str
    order: Order
    least: int
    departments: tuple[Place, ...]
    territories: tuple[Place, ...]
    placed_departments: int
    placed_territories: int
    as_of: datetime


class FigureService:
    """Answers what the appeals add up to.

    Args:
        unit_of_work: Opens a transaction.
        calendar: The working days; a function, where overrides may change while the service runs.
        clock: The present moment.
    """

    def __init__(
        self,
        unit_of_work: FigureUnitOfWorkFactory,
        calendar: WorkCalendar | Callable[[], WorkCalendar],
        clock: Clock,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._calendar = calendar
        self._clock = clock

    async def figures(self, actor: Actor, by: Grouping, selection: Selection) -> Figures:
        """The figures by group, and of all together.

        Raises:
            NotAllowed: The role sees no figures.
        """
        role = require_staff(actor, Action.FIGURES_VIEW)
        mine = _own(role, actor, selection)
        now = self._clock()
        async with self._unit_of_work(read_only=True) as work:
            rows, whole = await work.figures.rows(by, mine, now, self._days)
        return Figures(_in_order(by, rows), whole, now)

    async def table(
        self, actor: Actor, month: str | None = None, order: Order = Order.SOLVED, least: int = LEAST
    ) -> Table:
        """The ranking of a month; a unit sees its own place, counted among all.

        Args:
            actor: Who asks.
            month: As ``2026-11``; the present one unless given.
            order: The rate that decides.
            least: Fewest cases with which a unit is placed.

        Raises:
            NotAllowed: The role sees no figures.
            InvalidInput: Not a month.
        """
        role = require_staff(actor, Action.FIGURES_VIEW)
        now = self._clock()
        month = month or f"{local(now):%Y-%m}"
        selection = Selection(*month_bounds(month))
        async with self._unit_of_work(read_only=True) as work:
            leads, _ = await work.figures.rows(Grouping.DEPARTMENT, selection, now, self._days)
            places, _ = await work.figures.rows(Grouping.TERRITORY, selection, now, self._days)
        departments = ranked([row for row in leads if row.key.is_department], order, least)
        territories = ranked([row for row in places if row.key.value is not None], order, least)
        return Table(
            month,
            order,
            least,
            _shown(departments, role, actor, Role.DEPARTMENT),
            _shown(territories, role, actor, Role.TERRITORY),
            sum(place.rank is not None for place in departments),
            sum(place.rank is not None for place in territories),
            now,
        )

    @property
    def _days(self) -> WorkCalendar:
        source = self._calendar
        return source if isinstance(source, WorkCalendar) else source()


def require_staff(actor: Actor, action: Action) -> Role:
    """The role of a member of staff who may do something.

    Raises:
        NotAllowed: Not staff, or the role may never do it.
    """
    if not isinstance(actor.role, Role):
        raise NotAllowed("请用工作人员账号登录。")
    require(actor.role, action)
    return actor.role


def _own(role: Role, actor: Actor, selection: Selection) -> Selection:
    if role is Role.DEPARTMENT:
        return replace(selection, own_department=actor.unit or NOTHING)
    if role is Role.TERRITORY:
        return replace(selection, own_territory=actor.unit or NOTHING)
    return selection


def _shown(places: tuple[Place, ...], role: Role, actor: Actor, own: Role) -> tuple[Place, ...]:
    if role not in (Role.DEPARTMENT, Role.TERRITORY):
        return places
    return tuple(place for place in places if role is own and place.row.key.value == actor.unit)


def _in_order(by: Grouping, rows: tuple[Row, ...]) -> tuple[Row, ...]:
    if by is Grouping.MONTH:
        return tuple(sorted(rows, key=lambda row: row.key.value or ""))
    return tuple(sorted(rows, key=lambda row: (-row.counts.filed, row.key.value is None, row.key.text)))
