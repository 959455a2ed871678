"""One line an event, and nothing in it that a person wrote."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import logs
from backend.errors import Conflict


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    out = io.StringIO()
    # basicConfig closes the handlers that it replaces; pytest's own have to live on.
    root.handlers.clear()
    logs.configure("INFO", out)
    yield out
    root.handlers[:], root.level = before


def line(**extra: object) -> str:
    record = logging.makeLogRecord({"name": "backend.x", "levelname": "INFO", "msg": "filed", **extra})
    return logs.LineFormatter().format(record)


def test_an_event_is_one_line_of_keys_and_values(stream: io.StringIO) -> None:
    logging.getLogger("backend.x").info("appeal filed", extra={"number": "QT20261121-0001", "ms": 3})
    (written,) = stream.getvalue().splitlines()
    assert written.startswith("time=20")
    assert written.endswith('level=info logger=backend.x event="appeal filed" number=QT20261121-0001 ms=3')


@given(st.text(max_size=60))
def test_no_value_can_begin_a_line_or_pass_for_another_key(text: str) -> None:
    written = line(word=text)
    assert len(written.splitlines()) == 1
    value = written.partition(" word=")[2]
    assert value.startswith('"') or not set(' "=').intersection(value)


def test_the_text_of_an_exception_is_not_written(stream: io.StringIO) -> None:
    try:
        try:
            raise ValueError("phone 13800000000")
        except ValueError as error:
            raise Conflict("李先生的诉求") from error
    except Conflict:
        logging.getLogger("x").exception("failed")
    (written,) = stream.getvalue().splitlines()
    assert "backend.errors.Conflict[conflict] at" in written
    assert "<- ValueError at" in written
    assert "test_logs.py:" in written
    assert "13800000000" not in written
    assert "李先生" not in written


@pytest.mark.parametrize("name", ["aiosqlite", "sqlalchemy", "sqlalchemy.engine.Engine", "psycopg"])
def test_statements_with_their_parameters_are_never_logged(stream: io.StringIO, name: str) -> None:
    logging.getLogger().handlers.clear()
    logs.configure("DEBUG", stream)
    logging.getLogger(name).debug("INSERT INTO appeals VALUES ('13800000000')")
    logging.getLogger(name).info("INSERT INTO appeals VALUES ('13800000000')")
    logging.getLogger("backend.x").debug("detail")
    assert "event=detail" in stream.getvalue()
    assert "13800000000" not in stream.getvalue()


def test_what_is_less_severe_is_left_out_and_so_are_request_lines(stream: io.StringIO) -> None:
    logging.getLogger("backend").debug("detail")
    logging.getLogger("aiohttp.access").info("GET /?q=secret")
    assert stream.getvalue() == ""
