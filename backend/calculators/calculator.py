"""What a calculator is: a named rule with a checked input, and a result with its steps and sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from backend.appeals.calendar import WorkCalendar
from backend.calculators.inputs import Input, sentence
from backend.calculators.units import Units
from backend.errors import InvalidInput

AnyInput = TypeVar("AnyInput", bound=Input)


@dataclass(frozen=True)
class Computation:
    """What a calculator answers.

    Attributes:
        result: The outcome, ready for JSON.
        trace: How it came about, step by step, in sentences.
        citations: Ids of the knowledge entries that state the rules used.
    """

    result: dict[str, Any]
    trace: tuple[str, ...]
    citations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Surroundings:
    """What the rules compute with besides their input.

    Attributes:
        calendar: The working days.
        close: Close of business.
        units: Tells departments apart.
    """

    calendar: WorkCalendar
    close: time
    units: Units


@dataclass(frozen=True)
class Calculator(Generic[AnyInput]):
    """One rule.

    Attributes:
        name: As in the API's path.
        title: What it computes, in Chinese.
        inputs: Model of what it needs.
        compute: The rule itself.
    """

    name: str
    title: str
    inputs: type[AnyInput]
    compute: Callable[[AnyInput, Surroundings], Computation] = field(repr=False)

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of the input."""
        return self.inputs.model_json_schema()

    def run(self, data: Mapping[str, Any], surroundings: Surroundings) -> Computation:
        """Check the input and compute.

        Raises:
            InvalidInput: The input cannot be used; the sentence names the field.
        """
        try:
            checked = self.inputs.model_validate(dict(data))
        except ValidationError as error:
            message, at = sentence(error)
            raise InvalidInput(message, field=at) from None
        return self.compute(checked, surroundings)
