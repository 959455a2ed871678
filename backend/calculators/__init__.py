"""Rules that can be computed by themselves: each with its inputs, its steps in words and its sources."""

from backend.calculators.registry import Calculator, Calculators, Computation

__all__ = ["Calculator", "Calculators", "Computation"]
