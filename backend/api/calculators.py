"""The rules that can be computed."""

from __future__ import annotations

from backend.api.endpoints import Table

TABLE = Table("calculators")
