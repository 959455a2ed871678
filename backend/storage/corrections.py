"""Corrected proposals, read for training without a running service."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from backend.storage.database import sync_url
from backend.storage.tables import CorrectionRow

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Corrected:
    """A proposal as the territory set it right.

    Attributes:
        text: The problem, masked.
        category: Board.
        level: ``simple``, ``single`` or ``whistle``.
        lead_department: Name of the department that leads; None where nobody is named.
    """

    text: str
    category: str
    level: str
    lead_department: str | None


def read_corrections(url: str, limit: int) -> list[Corrected]:
    """Read the newest corrected proposals.

    Args:
        url: Of the database; it is neither made nor changed.
        limit: How many at most.

    Returns:
        Newest first; none where there is no database yet, or it does not answer: triage then learns without
        them, and with them the next time.
    """
    parsed = make_url(sync_url(url))
    if parsed.get_backend_name() == "sqlite" and not (parsed.database and Path(parsed.database).is_file()):
        return []
    engine = create_engine(parsed, hide_parameters=True)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table(CorrectionRow.__tablename__):
                return []
            query = select(
                CorrectionRow.text, CorrectionRow.category, CorrectionRow.level, CorrectionRow.lead_department
            ).order_by(CorrectionRow.at.desc(), CorrectionRow.id.desc())
            return [Corrected(*row) for row in connection.execute(query.limit(limit))]
    except SQLAlchemyError as error:
        log.warning("corrected proposals not read", extra={"error": type(error).__name__})
        return []
    finally:
        engine.dispose()
