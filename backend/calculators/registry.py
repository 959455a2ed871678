"""The calculators by name, and how they are run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import time
from typing import Any

from backend.appeals.calendar import WorkCalendar
from backend.appeals.deadlines import CLOSE_OF_BUSINESS
from backend.calculators import assessments, catch_all, deadline, liaison_score, policy_return, routing
from backend.calculators.calculator import Calculator, Computation, Surroundings
from backend.calculators.units import Units
from backend.errors import NotFound
from backend.knowledge.entries import Department


class Calculators:
    """All calculators.

    Args:
        calendar: The working days; a function, where overrides may change while the service runs.
        close: Close of business.
        departments: Those whose other names are known.
        district: The district whose departments they are.
    """

    def __init__(
        self,
        calendar: WorkCalendar | Callable[[], WorkCalendar],
        close: time = CLOSE_OF_BUSINESS,
        departments: Iterable[Department] = (),
        district: str = "",
    ) -> None:
        self._calendar = calendar
        self._close = close
        self._units = Units(departments, district)
        known: tuple[Calculator[Any], ...] = (
            deadline.CALCULATOR,
            routing.CALCULATOR,
            catch_all.CALCULATOR,
            policy_return.CALCULATOR,
            liaison_score.CALCULATOR,
            assessments.SCORE,
            assessments.BONUS,
            assessments.BANDS,
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
        return calculator.run(data, Surroundings(calendar, self._close, self._units))
