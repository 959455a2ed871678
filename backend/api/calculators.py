"""The rules that can be computed."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from backend.api.endpoints import Call, Table
from backend.api.fields import Request, Response, Word
from backend.replies import Citation

TABLE = Table("calculators")


class CalculatorShape(Response):
    """One rule with what it needs."""

    name: str
    title: str
    input_schema: Annotated[
        dict[str, Any], Field(serialization_alias="schema", description="JSON schema of its input.")
    ]


class CalculatorList(Response):
    """All rules that can be computed."""

    calculators: list[CalculatorShape]


class RunRequest(Request):
    """Which rule, and its input."""

    name: Annotated[Word, Field(title="计算器", description="As in the list.")]
    input: Annotated[
        dict[str, Any], Field(title="输入", description="As the calculator's schema describes it.")
    ]


class RunAnswer(Response):
    """The outcome, how it came about, and where the rules stand."""

    result: dict[str, Any]
    trace: list[str]
    citations: list[Citation]


@TABLE.get("/api/v1/calculators", "Lists the calculators with their inputs' JSON schemas.")
async def get_calculators(call: Call, data: None) -> CalculatorList:
    """Lists the calculators."""
    return CalculatorList(
        calculators=[
            CalculatorShape(name=found.name, title=found.title, input_schema=found.schema)
            for found in call.container.calculators.list()
        ]
    )


@TABLE.post(
    "/api/v1/calculators/{name}",
    "Computes; the body is the calculator's input.",
    whole_body="input",
)
async def post_calculator(call: Call, data: RunRequest) -> RunAnswer:
    """Computes one rule."""
    computed = call.container.calculators.run(data.name, data.input)
    base = call.container.base
    return RunAnswer(
        result=computed.result,
        trace=list(computed.trace),
        citations=[
            base.citation(base.entries[entry]) for entry in computed.citations if entry in base.entries
        ],
    )
