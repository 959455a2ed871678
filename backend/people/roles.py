"""The roles of staff, as the command line and the API name them."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """A member of staff has exactly one role; territory and department roles also have a unit.

    Attributes:
        OPERATOR: Takes calls at the hotline.
        TERRITORY: A platform or street, which reviews and assigns the appeals of its enterprises.
        DEPARTMENT: A department, which handles appeals.
        TASKFORCE: 专班, which supervises and coordinates.
        INSPECTION: 两办督查室, which supervises direct-line appeals.
        LEADER: A district leader, who reads.
        LIAISON: 助企员, paired with enterprises.
        EDITOR: Keeps the knowledge base.
        ADMIN: Keeps the accounts.
    """

    OPERATOR = "operator"
    TERRITORY = "territory"
    DEPARTMENT = "department"
    TASKFORCE = "taskforce"
    INSPECTION = "inspection"
    LEADER = "leader"
    LIAISON = "liaison"
    EDITOR = "editor"
    ADMIN = "admin"

    @property
    def needs_unit(self) -> bool:
        """Whether an account of this role acts for one named department, platform or street."""
        return self in (Role.TERRITORY, Role.DEPARTMENT)
