"""`routing`: level and lead of an appeal after it has gone from department to department."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from backend.appeals.deadlines import supervisor
from backend.appeals.model import Level
from backend.appeals.routing import distinct, route
from backend.calculators.calculator import Calculator, Computation, Surroundings
from backend.calculators.inputs import Input


class RoutingInput(Input):
    """What the route depends on.

    Attributes:
        initial_level: Level before any re-routing.
        departments: Lead departments in the order in which the appeal was given to them.
        direct: Whether it came by 书记区长直通车.
    """

    initial_level: Level
    departments: Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=100)]
    direct: bool = False


def compute(given: RoutingInput, around: Surroundings) -> Computation:
    """Work out the route (docs/135.md, 5 and 6); each department keeps the name it was first given."""
    units = [unit for name in given.departments for unit in around.units.named(name)]
    first: dict[str, str] = {}
    leads = [first.setdefault(unit.key, unit.name) for unit in units]
    decided = route(given.initial_level, leads)
    departments = distinct(leads)
    named = "、".join(departments)
    trace = [f"开始时是{given.initial_level.text}"]
    citations = ["qt.promise.rerouting"]
    if len(leads) > len(departments):
        trace.append("同一部门的不同科室、不同叫法，或者再次转回同一部门，只算一个主办部门")
    if not departments:
        trace.append("没有明确的主办部门，按吹哨问题处理")
        citations = ["qt.promise.unclear"]
    elif decided.level is not given.initial_level:
        trace.append(f"先后流转了 {len(departments)} 个主办部门（{named}），调整为吹哨问题")
    if decided.level is Level.WHISTLE:
        trace.append(f"吹哨问题由{decided.lead}牵头" + (f"，{named}协办" if departments else ""))
    else:
        trace.append(f"主办部门是{decided.lead}，级别不变")
    if departments:
        trace.append(f"首问责任在{departments[0]}")
        citations.append("qt.promise.first-asked")
    return Computation(
        result={
            "level": decided.level.value,
            "lead": decided.lead,
            "co_departments": list(decided.co_departments),
            "first_department": departments[0] if departments else None,
            "supervisor": supervisor(direct_line=given.direct),
        },
        trace=tuple(trace),
        citations=tuple(citations),
    )


CALCULATOR = Calculator("routing", "流转后的级别和牵头单位", RoutingInput, compute)
