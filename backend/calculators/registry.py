"""The calculators by name, and how they are run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from backend.appeals.calendar import WorkCalendar
from backend.appeals.deadlines import CLOSE_OF_BUSINESS
from backend.calculators.inputs import Input, sentence
from backend.errors import InvalidInput, NotFound

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
    """

    calendar: WorkCalendar
    close: time


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


class Calculators:
    """All calculators.

    Args:
        calendar: The working days; a function, where overrides may change while the service runs.
        close: Close of business.
    """

    def __init__(
        self, calendar: WorkCalendar | Callable[[], WorkCalendar], close: time = CLOSE_OF_BUSINESS
    ) -> None:
        from backend.calculators import catch_all, deadline, policy_return, routing

        self._calendar = calendar
        self._close = close
        known: tuple[Calculator[Any], ...] = (
            deadline.CALCULATOR,
            routing.CALCULATOR,
            catch_all.CALCULATOR,
            policy_return.CALCULATOR,
        )
        self._by_name = {calculator.name: calculator for calculator in known}

    def list(self) -> list[Calculator[Any]]:
        """All calculators in the order in which they are shown."""
        return list(self._by_name.values())

    def run(self, name: str, data: Mapping[str, Any]) -> Computation:
        """Run a calculator.

        Args:
            name: Its name.
            data: Its input as JSON holds it.

        Raises:
            NotFound: There is no such calculator.
            InvalidInput: The input cannot be used; the sentence names the field.
        """
        calculator = self._by_name.get(name)
        if calculator is None:
            raise NotFound(f"没有这个计算器，目前有：{'、'.join(self._by_name)}。")
        calendar = self._calendar if isinstance(self._calendar, WorkCalendar) else self._calendar()
        return calculator.run(data, Surroundings(calendar, self._close))
