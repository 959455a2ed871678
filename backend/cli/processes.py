"""What the commands give to the Python processes that they start."""

from __future__ import annotations

import os

from backend.settings import Settings

# Of the dialogue engine's libraries: no usage statistics, no progress bars, no notices about old versions.
# They change nothing that is computed, and whoever wants them sets the variable.
_QUIET = {
    "RASA_TELEMETRY_ENABLED": "false",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "TQDM_DISABLE": "1",
    "PYTHONWARNINGS": "ignore",
}


_SMALL = {"MALLOC_ARENA_MAX": "2"}
"""glibc otherwise keeps a heap for each thread: some 15 MB for those that answer beside the event loop."""


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment of the backend, the bot and the trainer."""
    return {**_QUIET, **_SMALL, **os.environ, **settings.bot_environment()}
