"""The use cases of an appeal, from filing to closing: one method each, one transaction each.

Every change of an appeal and the line of its record that tells of it are stored in the same transaction, and
only over the version that was read: of two people who act at once one wins, and the other is told what
changed.
"""

from __future__ import annotations

from backend.appeals.desks import DeskSide
from backend.appeals.engine import AppealRecord
from backend.appeals.enterprise import EnterpriseSide, FiledGroup
from backend.appeals.upkeep import Upkeep

__all__ = ["AppealRecord", "AppealService", "FiledGroup"]


class AppealService(EnterpriseSide, DeskSide, Upkeep):
    """All that can be done with appeals."""
