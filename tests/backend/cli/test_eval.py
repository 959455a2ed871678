"""`qifu eval` against a counterpart of the service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.cli import main

ITEMS = [
    {"id": "a", "kind": "faq", "question": "大厅在哪", "expect": [["东楼", "一楼"]], "forbid": ["西楼"]},
    {"id": "b", "kind": "faq", "question": "几天办好", "expect": ["5个工作日"]},
    {"id": "c", "kind": "out_of_scope", "question": "会下雨吗", "expect": ["没有查到"]},
    {
        "id": "d",
        "kind": "appeal",
        "question": "路坏了",
        "text": "厂门口的路坏了",
        "expect_category": "诉求",
        "expect_level": "single",
        "expect_departments": ["区住建局"],
    },
    {"id": "e", "kind": "faq", "question": "出错", "expect": []},
]

REPLIES = {
    "大厅在哪": ("在东 楼", "answered"),
    "几天办好": ("没有查到", "unanswered"),
    "会下雨吗": ("没有查到", "unanswered"),
}


def answer(path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
    assert body is not None
    if path == "/api/v1/triage":
        assert body == {"text": "厂门口的路坏了"}
        found = {"category": "诉求", "level": "single", "lead_department": "区住建局", "co_departments": []}
        return 200, {"problems": [found]}
    assert path == "/api/v1/chat"
    if body["message"] not in REPLIES:
        return 422, {"error": {"code": "invalid_input", "message": "不行"}}
    text, outcome = REPLIES[body["message"]]
    return 200, {"messages": [{"text": text}], "outcome": outcome}


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    file = tmp_path / "questions.jsonl"
    file.write_text("".join(json.dumps(item) + "\n" for item in ITEMS), encoding="utf-8")
    return file


def test_right_answers_are_counted_and_failures_listed(service, questions, capsys) -> None:
    service.answer = answer
    assert main(["eval", str(questions), "--url", service.url]) == 0
    out = capsys.readouterr().out
    assert "✗ b [faq] 几天办好" in out
    assert "缺少：5个工作日" in out
    assert "✗ e [faq] 出错" in out
    assert "✗ a" not in out
    assert "拒答 1 / 1" in out
    assert "误拒：1" in out


def test_the_machine_form_holds_the_same(service, questions, capsys) -> None:
    service.answer = answer
    assert main(["eval", str(questions), "--url", service.url, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["asked"], report["right"]) == (5, 3)
    assert report["by_kind"]["appeal"] == {"asked": 1, "right": 1}
    assert report["refusals"] == {"asked": 1, "refused": 1}
    assert report["false_refusals"] == 1
    assert [failure["id"] for failure in report["failures"]] == ["b", "e"]
    assert report["failures"][1]["outcome"] == "invalid_input"


def test_each_question_comes_from_a_sender_of_its_own(service, questions) -> None:
    service.answer = answer
    main(["eval", str(questions), "--url", service.url])
    senders = [body["sender"] for path, body in service.asked if path == "/api/v1/chat"]
    assert len(senders) == len(set(senders)) == 4


def test_a_service_that_is_not_there_is_said_in_one_sentence(service, questions, capsys) -> None:
    service.server.server_close()
    assert main(["eval", str(questions), "--url", service.url]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert "qifu serve" in error


def test_a_file_that_is_not_there_is_said_in_one_sentence(capsys) -> None:
    assert main(["eval", "/nowhere/questions.jsonl"]) == 2
    assert "/nowhere/questions.jsonl" in capsys.readouterr().err
