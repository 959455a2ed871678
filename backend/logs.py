"""Logging for every process: one line an event, ``key=value``, and nothing that a person wrote.

What may be logged is what happened, to which appeal number or request, and how long it took. Messages, names,
phones and tokens may not, so a traceback is written as exception types and places only: the text of an
exception can quote what was sent (a database error prints its parameters).
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import datetime
from typing import Any, TextIO

from backend.errors import QifuError

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_QUOTED = frozenset(' "=\\')


def _value(value: Any) -> str:
    text = str(value)
    if text and text.isprintable() and not _QUOTED.intersection(text):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    # JSON leaves some characters as they are that end a line elsewhere, such as U+0085.
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in quoted)


def _where(error: BaseException | None) -> str:
    """Describe an exception and its causes by types and places, newest first, without their texts."""
    parts: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
        if isinstance(error, QifuError):
            name += f"[{error.code}]"
        frames = traceback.extract_tb(error.__traceback__)[-8:]
        places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
        parts.append(f"{name} at {places}" if places else name)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return " <- ".join(parts)


class LineFormatter(logging.Formatter):
    """Render a record as ``time=… level=… logger=… event=… key=value …`` on one line.

    Every attribute given as ``extra`` becomes a key of its own.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without a newline at its end."""
        at = datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
        fields: dict[str, Any] = {
            "time": at,
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        fields.update({key: value for key, value in vars(record).items() if key not in _STANDARD})
        if record.exc_info:
            fields["error"] = _where(record.exc_info[1])
        return " ".join(f"{key}={_value(value)}" for key, value in fields.items())


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all logging of this process to one stream, one line an event.

    Args:
        level: Least severe level that is written.
        stream: Where to; standard error unless given.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(LineFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # These write request lines with their query strings, one line for each statement, or what they are about.
    for name in (
        "aiohttp.access", "aiosqlite", "alembic", "asyncio", "jieba", "psycopg", "psycopg.pool", "sqlalchemy",
        "sqlalchemy.engine",
    ):  # fmt: skip
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
