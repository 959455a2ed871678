"""Which role asks, and whether it may."""

from __future__ import annotations

from backend.errors import NotAllowed
from backend.people.actors import Actor
from backend.people.roles import Role
from backend.permissions import Action, require


def role_for(actor: Actor, action: Action | None = None) -> Role:
    """The role of a member of staff, checked against what it wants to do.

    Raises:
        NotAllowed: No staff, or the role may never do this.
    """
    if not isinstance(actor.role, Role):
        raise NotAllowed("请用工作人员账号登录。")
    if action is not None:
        require(actor.role, action)
    return actor.role
