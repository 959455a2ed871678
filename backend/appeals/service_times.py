"""Time limits beside 135: catch-all service, policy service, open service, direct line.

The documents give them in the service boards' own rules: 3135兜底办 in three ways, the policy window's return
in natural hours (docs/135.md), an answer of open service within two working days. For a matter of the direct
line they give none: the inspection office sets it.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum

from backend.appeals.calendar import WorkCalendar, local
from backend.appeals.deadlines import CLOSE_OF_BUSINESS, due_on_working_day


class ServiceKind(StrEnum):
    """What a time limit is for.

    Attributes:
        ON_SITE: 现场办 of 3135兜底办.
        DIRECTOR: 局长办.
        DISCUSSION: 研讨办.
        POLICY_SINGLE: The policy window has handed a matter to one department.
        POLICY_JOINT: The same, to several departments jointly.
        OPEN_SERVICE: An application on a platform of open service.
        DIRECT_LINE: A matter of 书记区长直通车 under the inspection office.
    """

    ON_SITE = "catch_all_on_site"
    DIRECTOR = "catch_all_director"
    DISCUSSION = "catch_all_discussion"
    POLICY_SINGLE = "policy_single"
    POLICY_JOINT = "policy_joint"
    OPEN_SERVICE = "open_service"
    DIRECT_LINE = "direct_line"

    @property
    def text(self) -> str:
        """The kind as the documents call it."""
        return {
            "catch_all_on_site": "兜底办·现场办",
            "catch_all_director": "兜底办·局长办",
            "catch_all_discussion": "兜底办·研讨办",
            "policy_single": "政策服务（单个部门）",
            "policy_joint": "政策服务（部门联合）",
            "open_service": "开放服务线上申请",
            "direct_line": "书记区长直通车事项",
        }[self.value]

    @property
    def working_days(self) -> int | None:
        """Working days after the start; None where hours count, or where none are given."""
        return _WORKING_DAYS.get(self)

    @property
    def hours(self) -> int | None:
        """Natural hours after the start; None where working days count, or where none are given."""
        return _HOURS.get(self)

    @property
    def units(self) -> range:
        """How many units can be concerned."""
        if self is ServiceKind.POLICY_SINGLE:
            return range(1, 2)
        return range(2, 25) if self is ServiceKind.POLICY_JOINT else range(1, 25)


_WORKING_DAYS = {
    ServiceKind.ON_SITE: 1,
    ServiceKind.DIRECTOR: 3,
    ServiceKind.DISCUSSION: 5,
    ServiceKind.OPEN_SERVICE: 2,
}
_HOURS = {ServiceKind.POLICY_SINGLE: 24, ServiceKind.POLICY_JOINT: 48}


def service_due(
    kind: ServiceKind, started_at: datetime, calendar: WorkCalendar, close: time = CLOSE_OF_BUSINESS
) -> datetime | None:
    """When something is due, in the office's local time; None where the documents give no limit.

    Working days are counted as for an appeal: the day of the start does not count. Hours are natural hours.

    Raises:
        InvalidInput: ``started_at`` has no offset.
    """
    if kind.working_days is not None:
        return due_on_working_day(kind.working_days, started_at, calendar, close)
    return local(started_at) + timedelta(hours=kind.hours) if kind.hours is not None else None
