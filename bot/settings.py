"""The bot process's settings, read once from the environment that `qifu serve` gives it."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_KEY = re.compile(r"[0-9a-f]{64}")
_MAX_SOCKET_PATH = 100
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class BadSetting(ValueError):
    """A setting cannot be used; the message names it and says what is expected."""


@dataclass(frozen=True, slots=True)
class BotSettings:
    """What the bot needs to know.

    Attributes:
        address: Where it listens: ``unix:PATH`` or ``http://127.0.0.1:PORT``; never anything but loopback.
        backend_url: Where the actions find the backend's API.
        tracker_url: SQLAlchemy URL of the store of conversations.
        tracker_key: Seals what is stored there, 64 hexadecimal digits; None stores plain text.
        model_dir: Folder of trained models with its ``latest`` pointer.
        redis_url: Where several bot processes lock conversations; in this process only if None.
        amqp_url: Where the events of conversations are published; nowhere if None.
        log_level: Name of a logging level.
    """

    address: str
    backend_url: str
    tracker_url: str
    tracker_key: str | None
    model_dir: Path
    redis_url: str | None
    amqp_url: str | None
    log_level: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> BotSettings:
        """Reads the ``QIFU_*`` variables; relative paths are relative to the current folder.

        Raises:
            BadSetting: The address is not on loopback, a level is unknown, or the key is none.
        """
        env = os.environ if environment is None else environment
        data_dir = Path(env.get("QIFU_DATA_DIR") or "./var")
        address = env.get("QIFU_BOT_ADDRESS") or f"unix:{_socket_path(data_dir)}"
        check_address(address)
        level = (env.get("QIFU_LOG_LEVEL") or "INFO").upper()
        if level not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
            raise BadSetting("QIFU_LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL")
        return cls(
            address=address,
            backend_url=env.get("QIFU_BACKEND_URL") or "http://127.0.0.1:8080",
            tracker_url=env.get("QIFU_TRACKER_URL") or f"sqlite:///{data_dir / 'tracker.db'}",
            tracker_key=_key(env.get("QIFU_TRACKER_KEY")),
            model_dir=Path(env.get("QIFU_MODEL_DIR") or "./models"),
            redis_url=env.get("QIFU_REDIS_URL") or None,
            amqp_url=env.get("QIFU_AMQP_URL") or None,
            log_level=level,
        )


def check_address(address: str) -> None:
    """Refuses an address that others than this machine could reach.

    Raises:
        BadSetting: It is neither a unix socket nor a port on loopback.
    """
    if address.startswith("unix:") and len(address) > len("unix:"):
        return
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK or port is None:
        raise BadSetting(
            "QIFU_BOT_ADDRESS must be unix:PATH or http://127.0.0.1:PORT: the bot has no access control, "
            "so it listens on loopback only"
        )


def _key(given: str | None) -> str | None:
    if given and not _KEY.fullmatch(given):
        raise BadSetting("QIFU_TRACKER_KEY must be 64 hexadecimal digits")
    return given or None


def _socket_path(data_dir: Path) -> Path:
    path = (data_dir / "bot.sock").absolute()
    if len(str(path).encode()) <= _MAX_SOCKET_PATH:
        return path
    return Path(tempfile.gettempdir()) / f"qifu-bot-{os.getuid()}.sock"
