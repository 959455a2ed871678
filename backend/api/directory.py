"""Departments, and the platforms and streets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from backend import errors
from backend.api.endpoints import Call, Table
from backend.api.fields import Request, Response, Word
from backend.knowledge import entries
from backend.replies import Citation

TABLE = Table("directory")


class DistrictRequest(Request):
    """Which district."""

    district: Annotated[
        Word | None, Field(title="城区", description="Only this district's; the home district if left out.")
    ] = None


class DepartmentRequest(Request):
    """Which department."""

    id: Annotated[Word, Field(title="编号", description="The department's id.")]


class Department(Response):
    """A department that can lead or co-handle an appeal."""

    id: str
    name: str
    district: str
    aliases: list[str]
    duties: list[str]
    phone: str | None
    citation: Citation


class Departments(Response):
    """In the order of the knowledge base."""

    departments: list[Department]


class Territory(Response):
    """A platform or street."""

    id: str
    name: str
    kind: Literal["platform", "street"]
    district: str
    aliases: list[str]


class Territories(Response):
    """In the order of the knowledge base."""

    territories: list[Territory]


@TABLE.get("/api/v1/departments", "Lists the departments of a district.")
async def get_departments(call: Call, data: DistrictRequest) -> Departments:
    """Lists departments."""
    directory = call.container.directory
    return Departments(
        departments=[_department(call, found) for found in directory.departments(data.district)]
    )


@TABLE.get("/api/v1/departments/{id}", "Shows one department.")
async def get_department(call: Call, data: DepartmentRequest) -> Department:
    """Shows one department by its id."""
    found = call.container.base.departments.get(data.id)
    if found is None:
        raise errors.NotFound("没有找到这个部门。")
    return _department(call, found)


@TABLE.get(
    "/api/v1/territories",
    "Lists the platforms and streets of a district.",
)
async def get_territories(call: Call, data: DistrictRequest) -> Territories:
    """Lists territories, for example for a form to choose from."""
    directory = call.container.directory
    return Territories(
        territories=[
            Territory(
                id=found.id,
                name=found.name,
                kind=found.kind,
                district=directory.district_of(found.id),
                aliases=list(found.aliases),
            )
            for found in directory.territories(data.district)
        ]
    )


def _department(call: Call, found: entries.Department) -> Department:
    directory = call.container.directory
    return Department(
        id=found.id,
        name=found.name,
        district=directory.district_of(found.id),
        aliases=list(found.aliases),
        duties=list(found.duties),
        phone=found.phone,
        citation=directory.citation(found.id, found.source),
    )
