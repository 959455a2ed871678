"""What a problem is and whose it is, before it is filed."""

from __future__ import annotations

import asyncio
from typing import Annotated

from pydantic import Field

from backend.api.endpoints import Call, Table
from backend.api.fields import Request, Response, Text, Word
from backend.appeals.model import Level
from backend.knowledge.entries import BoardName

TABLE = Table("triage")


class TriageRequest(Request):
    """A problem in a person's own words."""

    text: Annotated[Text, Field(title="诉求内容", description="One problem or several, in own words.")]
    territory: Annotated[
        Word | None, Field(title="平台或街道", description="Platform or street, if known.")
    ] = None


class CandidateDepartment(Response):
    """A department that may lead."""

    department: str
    probability: float


class ProposedProblem(Response):
    """One separate problem with what is proposed for it."""

    text: str
    category: BoardName
    level: Level
    lead_department: str | None
    co_departments: list[str]
    candidates: list[CandidateDepartment]
    reasons: list[str]


class TriageAnswer(Response):
    """One element for each separate problem."""

    problems: list[ProposedProblem]


@TABLE.post(
    "/api/v1/triage",
    "Splits a text into problems and proposes category, level and departments.",
)
async def post_triage(call: Call, data: TriageRequest) -> TriageAnswer:
    """Proposes, and keeps nothing."""
    problems = await asyncio.to_thread(call.container.triage.propose, data.text, data.territory)
    return TriageAnswer(problems=[ProposedProblem.model_validate(problem) for problem in problems])
