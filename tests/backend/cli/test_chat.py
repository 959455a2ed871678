"""`qifu chat`: what is typed is sent, what is answered is printed, a number presses a button."""

from __future__ import annotations

import io

import pytest

from backend.cli import chat, main

MESSAGES = [
    {
        "text": "您要问哪个区？",
        "citations": [{"document": "手册", "section": "热线", "entry": "qt.x"}],
        "buttons": [
            {"title": "钱塘区", "payload": "钱塘区 热线"},
            {"title": "上城区", "payload": "上城区 热线"},
        ],
    }
]


def test_buttons_are_numbered_over_all_messages() -> None:
    other = {"text": "或者", "buttons": [{"title": "人工", "payload": "/ask_human"}]}
    text, payloads = chat.render([*MESSAGES, other])
    assert text == "您要问哪个区？\n  〔手册 · 热线〕\n  1. 钱塘区\n  2. 上城区\n或者\n  3. 人工"
    assert payloads == ["钱塘区 热线", "上城区 热线", "/ask_human"]


@pytest.mark.parametrize(("typed", "sent"), [("2", "上城区 热线"), ("3", "3"), ("0", "0"), ("再问", "再问")])
def test_a_number_presses_the_button_of_the_last_answer(service, monkeypatch, capsys, typed, sent) -> None:
    service.answer = lambda path, body: (200, {"status": "ok", "messages": MESSAGES, "outcome": "clarifying"})
    monkeypatch.setattr("sys.stdin", io.StringIO(f"热线\n{typed}\n\n热线\n"))
    assert main(["chat", "--url", service.url, "--sender", "me"]) == 0
    assert [body for _, body in service.asked] == [
        None,
        {"sender": "me", "message": "热线"},
        {"sender": "me", "message": sent},
    ]
    assert "1. 钱塘区" in capsys.readouterr().out


def test_an_error_of_one_message_does_not_end_the_conversation(service, monkeypatch, capsys) -> None:
    def answer(path, body):
        if body is None:
            return 200, {"status": "ok"}
        if body["message"] == "坏":
            return 422, {"error": {"code": "invalid_input", "message": "太长了"}}
        return 200, {"messages": [{"text": "好的"}], "outcome": "chitchat"}

    service.answer = answer
    monkeypatch.setattr("sys.stdin", io.StringIO("坏\n好\n"))
    assert main(["chat", "--url", service.url]) == 0
    assert capsys.readouterr().out.splitlines() == ["太长了", "好的"]
