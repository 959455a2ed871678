"""Fixtures that these tests share with others: a backend that answers, and the trained bot."""

from __future__ import annotations

from fake_backend import fake_backend
from trained_bot import engine, model, tracker_file

__all__ = ["engine", "fake_backend", "model", "tracker_file"]
