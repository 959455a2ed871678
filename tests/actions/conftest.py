"""Fixtures that these tests share with others: a backend that answers."""

from __future__ import annotations

from fake_backend import fake_backend

__all__ = ["fake_backend"]
