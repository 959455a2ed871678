"""Of the libraries' log lines the place only, of our own what they say, of structured events the name."""

from __future__ import annotations

import logging
import sys

import pytest

from bot.logs import Reserved, reserved_event

SECRET = "amqp://guest:guest@host 王芳 13800001111"


def line(name: str, error: Exception | None = None) -> str:
    info = (type(error), error, None) if error else None
    return Reserved().format(
        logging.LogRecord(name, logging.ERROR, "/x/pika.py", 7, "said %s", (SECRET,), info, "_connect")
    )


@pytest.mark.parametrize(
    "name", ["rasa.core.brokers.pika", "aiormq.connection", "sqlalchemy.pool", "botany", "root"]
)
def test_others_lines_say_where_and_not_what(name: str) -> None:
    written = line(name, ValueError(SECRET))
    assert written.endswith(f"ERROR {name} at pika._connect:7 (ValueError)")
    assert "guest" not in written


def test_our_lines_are_whole_without_what_an_exception_says() -> None:
    assert line("bot.server").endswith(f"ERROR bot.server said {SECRET}")
    try:
        raise ValueError("13900000000")
    except ValueError:
        record = logging.LogRecord("bot", logging.ERROR, "/x", 1, "failed", (), sys.exc_info())
    written = Reserved().format(record)
    assert written.endswith("failed (ValueError)")
    assert "13900000000" not in written


def test_of_an_event_the_name_is_kept() -> None:
    event = {"event": "pika.events.publish.failed", "host": SECRET, "rasa_event": {"text": SECRET}}
    assert reserved_event(None, "error", event) == {"event": "pika.events.publish.failed", "level": "error"}
    assert SECRET not in str(reserved_event(None, "error", {"event": f"could not connect to {SECRET}"}))
