"""Whose appeal is it? What is not an account's to see is answered like what is not there."""

from __future__ import annotations

from backend.appeals.model import Appeal
from backend.appeals.ports import Scope
from backend.people.actors import Actor
from backend.people.roles import Role

NOTHING = ""
"""A unit that no department or territory has: an account without its unit sees nothing."""


def scope_of(actor: Actor) -> Scope:
    """What an actor's desk may see."""
    if actor.role is Role.DEPARTMENT:
        return Scope(department=actor.unit or NOTHING)
    if actor.role is Role.TERRITORY:
        return Scope(territory=actor.unit or NOTHING)
    return Scope()


def can_see(actor: Actor, appeal: Appeal) -> bool:
    """Whether the appeal is in the actor's scope.

    A department sees what it leads or co-handles once it is assigned, not what is only proposed for it.
    """
    scope = scope_of(actor)
    if scope.department is not None:
        return appeal.assigned_at is not None and scope.department in (
            appeal.lead_department,
            *appeal.co_departments,
        )
    if scope.territory is not None:
        return appeal.territory is None or appeal.territory == scope.territory
    return True


def leads(actor: Actor, appeal: Appeal) -> bool:
    """Whether the actor acts for who leads the appeal, and so may resolve it."""
    if actor.role is Role.DEPARTMENT:
        return appeal.lead_department is not None and actor.unit == appeal.lead_department
    if actor.role is Role.TERRITORY:
        return (
            appeal.lead_department is None and appeal.territory is not None and actor.unit == appeal.territory
        )
    return False
