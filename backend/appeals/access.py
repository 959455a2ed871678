"""Whose appeal is it? What is not an account's to see is answered like what is not there."""

from __future__ import annotations

from backend.appeals.model import Appeal
from backend.appeals.ports import Scope
from backend.people.actors import Actor
from backend.people.roles import Role

NOTHING = ""
"""A unit that no department or territory has: an account without its unit sees nothing."""


def scope_of(actor: Actor) -> Scope:
    """What an actor's desk may see.

    A department sees what it leads or co-handles once it is assigned, not what is only proposed for it; a
    territory its own and what nobody has confirmed; a liaison their enterprises.
    """
    if actor.role is Role.TERRITORY and actor.unit:
        return Scope(territory=actor.unit)
    if actor.role in (Role.DEPARTMENT, Role.TERRITORY):
        return Scope(department=actor.unit or NOTHING)
    if actor.role is Role.LIAISON:
        return Scope(liaison=actor.name)
    return Scope()


_CALLERS = frozenset({Role.OPERATOR, Role.TASKFORCE, Role.LIAISON})
"""Roles that call enterprises back, whoever leads."""


def handles(actor: Actor, appeal: Appeal) -> bool:
    """Whether an actor who can see the appeal handles it, and so needs contact and telephone number.

    Those who lead, co-handle or dispatch it, those who phone for it, and the inspection office where it
    supervises. All others see the contact masked.
    """
    if actor.role is Role.DEPARTMENT:
        return actor.unit in (appeal.lead_department, *appeal.co_departments)
    if actor.role is Role.TERRITORY:
        return appeal.territory is None or actor.unit == appeal.territory
    if actor.role is Role.INSPECTION:
        return appeal.direct_line
    return actor.role in _CALLERS


def leads(actor: Actor, appeal: Appeal) -> bool:
    """Whether the actor acts for who leads the appeal, and so may resolve it."""
    if actor.role is Role.DEPARTMENT:
        return appeal.lead_department is not None and actor.unit == appeal.lead_department
    if actor.role is Role.TERRITORY:
        return (
            appeal.lead_department is None and appeal.territory is not None and actor.unit == appeal.territory
        )
    return False
