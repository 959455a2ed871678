"""Forgets old conversations of the bot, whose tracker store is a table that others define."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import column, delete, func, inspect, select, table
from sqlalchemy.exc import DBAPIError

from backend.storage.database import raise_sentence

_EVENTS = table("events", column("sender_id"), column("timestamp"))


def forget_dialogues(url: str, before: datetime) -> int:
    """Delete conversations in which nothing was said since a moment.

    Args:
        url: Of the tracker store.
        before: An aware moment.

    Returns:
        How many rows are gone; 0 where there is no store yet.

    Raises:
        Unavailable: The database does not answer.
    """
    from backend.storage.schema import open_engine  # Alembic comes with it, which a serving process spares

    engine = open_engine(url)
    try:
        with engine.begin() as connection:
            if not inspect(connection).has_table("events"):
                return 0
            sender, spoken = _EVENTS.c.sender_id, _EVENTS.c.timestamp
            silent = select(sender).group_by(sender).having(func.max(spoken) < before.timestamp())
            return connection.execute(delete(_EVENTS).where(sender.in_(silent))).rowcount
    except DBAPIError as error:
        raise_sentence(error)
        raise
    finally:
        engine.dispose()
