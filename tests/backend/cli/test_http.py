"""Errors of the service reach the terminal as its own sentences."""

from __future__ import annotations

import pytest

from backend.cli.http import call, service_url
from backend.errors import InvalidInput, QifuError, Unavailable


def test_an_error_keeps_code_and_sentence(service) -> None:
    service.answer = lambda path, body: (409, {"error": {"code": "wrong_state", "message": "已闭环"}})
    with pytest.raises(QifuError, match="已闭环") as caught:
        call(service.url)
    assert caught.value.code == "wrong_state"


@pytest.mark.parametrize("answered", [b"<html>", b"[]", b"{}", b'{"error": 3}'])
def test_an_error_in_another_shape_is_still_an_error(service, answered: bytes) -> None:
    service.answer = lambda path, body: (502, answered)
    with pytest.raises(QifuError, match="502") as caught:
        call(service.url)
    assert caught.value.code == "bad_answer"


def test_an_answer_that_is_not_json_means_that_the_service_is_not_there(service) -> None:
    service.answer = lambda path, body: (200, b"<html>")
    with pytest.raises(Unavailable):
        call(service.url)


def test_a_proxy_of_the_environment_is_not_asked(service, monkeypatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    service.answer = lambda path, body: (200, {"status": "ok"})
    assert call(f"{service.url}/healthz") == {"status": "ok"}


def test_addresses() -> None:
    assert service_url(None, "http://127.0.0.1:8080") == "http://127.0.0.1:8080"
    assert service_url("http://host/", "") == "http://host"
    with pytest.raises(InvalidInput):
        service_url("host:8080", "")
