"""Who leads an appeal when it goes from department to department.

The project's reading (docs/135.md, 5): the second *distinct* lead department turns the appeal into a whistle
appeal, which the territory leads and all departments so far co-handle. Another section of the same department
is the same department; a whistle appeal never turns back. An appeal for which nobody knows the department is
a whistle appeal too (docs/135.md, 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend.appeals.model import TERRITORY_WORDING, Level


@dataclass(frozen=True)
class Route:
    """The outcome of routing.

    Attributes:
        level: Level after it.
        lead_department: None where the territory leads.
        co_departments: Distinct, in the order in which they came.
    """

    level: Level
    lead_department: str | None
    co_departments: tuple[str, ...]

    @property
    def lead(self) -> str:
        """The lead as the rules word it."""
        return self.lead_department or TERRITORY_WORDING


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """The names without repeats, in the order of their first occurrence."""
    return tuple(dict.fromkeys(names))


def route(initial_level: Level, leads: Sequence[str], co_departments: Sequence[str] = ()) -> Route:
    """Work out level and lead from the lead departments so far.

    Args:
        initial_level: Level before any re-routing.
        leads: Lead departments in the order in which the appeal was given to them, repeats included.
        co_departments: Departments already named as co-handling.

    Returns:
        The route; for a whistle appeal all departments are co-departments.
    """
    departments = distinct(leads)
    others = distinct(co_departments)
    involved = distinct((*departments, *others))
    if initial_level is Level.WHISTLE or len(involved) != 1 or not departments:
        return Route(Level.WHISTLE, None, involved)
    return Route(initial_level, departments[0], ())
