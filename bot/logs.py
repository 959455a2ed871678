"""The bot process's log: what happened and where, and nothing that a person wrote or that opens a door.

The libraries put messages, slots and addresses with passwords into their log lines, so of theirs only the
level and the place are written. Our own lines are written whole; of exceptions only the class.
"""

from __future__ import annotations

import logging
import re
from collections.abc import MutableMapping
from typing import Any

_OURS = ("bot", "actions", "__main__")
_EVENT = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")


class Reserved(logging.Formatter):
    """Writes our own lines whole, and of others' lines the place only."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        ours = record.name.partition(".")[0] in _OURS
        said = record.getMessage() if ours else f"at {record.module}.{record.funcName}:{record.lineno}"
        if record.exc_info and record.exc_info[0] is not None:
            said += f" ({record.exc_info[0].__name__})"
        quoted = {"args": None, "exc_info": None, "exc_text": None, "stack_info": None}
        return super().format(logging.makeLogRecord({**vars(record), **quoted, "msg": said}))


def reserved_event(logger: Any, method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """A structlog processor that keeps the event's name, where it is a name, and drops everything else."""
    name = str(event.get("event", ""))
    return {"event": name if _EVENT.fullmatch(name) else "something", "level": method}


def configure(level: str) -> None:
    """Sends all logging of this process to standard error.

    Args:
        level: Least severe level that is written.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(Reserved())
    logging.basicConfig(level=level, handlers=[handler], force=True)
