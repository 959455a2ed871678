"""Rules that can be computed by themselves: each with its inputs, its steps in words and its sources."""

from backend.calculators.calculator import Calculator, Computation
from backend.calculators.registry import Calculators

__all__ = ["Calculator", "Calculators", "Computation"]
