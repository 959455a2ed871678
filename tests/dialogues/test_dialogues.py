"""Plays the conversations of `*.yml` against the real engine.

A file holds ``dialogues``; each has a ``name`` and ``steps``. A step that says something::

    - say: what the person writes, or a button's payload; `times` repeats it as text
      outcome: the turn's outcome
      has: [pieces that some bubble contains]      lacks: [pieces that no bubble contains]
      buttons: [payloads that are offered]          card: type of the card
      ask: start of the last bubble                 bubbles: how many

Other steps: ``restart: true`` opens a second engine on the same store and goes on with it; ``backend: down |
up``; ``resolve: true`` lets the department say that all is done; ``refuse: field | null`` makes filings fail.
At the end ``filed``, ``feedbacks``, ``withdrawals``, ``handoffs`` and ``appeals`` are compared with what the
backend received.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from fake_backend import FakeBackend
from trained_bot import settings

pytestmark = pytest.mark.rasa

_KEYS = {"say", "times", "outcome", "has", "lacks", "buttons", "card", "ask", "bubbles"}
_OTHER_STEPS = {"restart", "backend", "resolve", "refuse"}
_ENDS = {"filed", "feedbacks", "handoffs", "appeals", "withdrawals"}
FILES = sorted(Path(__file__).parent.glob("*.yml"))
DIALOGUES = [
    pytest.param(dialogue, id=f"{file.stem}: {dialogue['name']}")
    for file in FILES
    for dialogue in yaml.safe_load(file.read_text(encoding="utf-8"))["dialogues"]
]


@pytest.mark.parametrize("dialogue", DIALOGUES)
async def test_dialogue(
    dialogue: dict[str, Any], engine: Any, fake_backend: FakeBackend, model: Path, tracker_file: Path
) -> None:
    assert set(dialogue) <= {"name", "steps"} | _ENDS
    sender, talking, others = dialogue["name"], engine, []
    try:
        for number, step in enumerate(dialogue["steps"], 1):
            if "say" in step:
                reply = await talking.turn(sender, str(step["say"]) * step.get("times", 1))
                _check(step, reply, f"step {number}, {step['say'][:40]}")
                continue
            assert set(step) <= _OTHER_STEPS
            if step.get("restart"):
                from bot.engine import Engine

                talking = await Engine.open(model, settings(tracker_file, QIFU_BACKEND_URL=fake_backend.url))
                others.append(talking)
            if "backend" in step:
                fake_backend.down = step["backend"] == "down"
            if step.get("resolve"):
                fake_backend.resolve_all()
            if "refuse" in step:
                fake_backend.refuse = step["refuse"]
    finally:
        for other in others:
            await other.close()
    _check_end(dialogue, fake_backend)


def _check(step: dict[str, Any], reply: dict[str, Any], where: str) -> None:
    assert set(step) <= _KEYS, where
    texts = [message["text"] for message in reply["messages"]]
    said = "\n".join(texts)
    assert all(texts), where
    if "outcome" in step:
        assert reply["outcome"] == step["outcome"], f"{where}: {said}"
    for piece in step.get("has", ()):
        assert piece in said, f"{where}: {said}"
    for piece in step.get("lacks", ()):
        assert piece not in said, f"{where}: {said}"
    if "ask" in step:
        assert texts[-1].startswith(step["ask"]), f"{where}: {said}"
    if "bubbles" in step:
        assert len(texts) == step["bubbles"], f"{where}: {said}"
    offered = [button["payload"] for message in reply["messages"] for button in message["buttons"]]
    for payload in step.get("buttons", ()):
        assert payload in offered, f"{where}: {offered}"
    if "card" in step:
        cards = [message["card"]["type"] for message in reply["messages"] if message["card"]]
        assert cards == [step["card"]], where


def _check_end(dialogue: dict[str, Any], backend: FakeBackend) -> None:
    if "filed" in dialogue:
        assert len(backend.filings) == len(dialogue["filed"])
        got = [
            {name: body.get(name) for name in wanted}
            for wanted, body in zip(dialogue["filed"], backend.filings, strict=True)
        ]
        assert got == dialogue["filed"]
    if "appeals" in dialogue:
        assert len(backend.appeals) == dialogue["appeals"]
    if "feedbacks" in dialogue:
        assert len(backend.feedbacks) == len(dialogue["feedbacks"])
        got = [
            {name: body.get(name) for name in wanted}
            for wanted, body in zip(dialogue["feedbacks"], backend.feedbacks, strict=True)
        ]
        assert got == dialogue["feedbacks"]
    if "withdrawals" in dialogue:
        assert len(backend.withdrawals) == dialogue["withdrawals"]
    if "handoffs" in dialogue:
        assert len(backend.handoffs) == dialogue["handoffs"]


def test_every_kind_of_conversation_is_played() -> None:
    kinds = "happy_paths corrections digressions cancellations invalid_input disambiguation chitchat repeat"
    assert {file.stem for file in FILES} >= {*kinds.split(), "knowledge", "outages", "following_up"}
    assert {file.stem for file in FILES} >= {"troubles", "withdrawals", "picks", "feelings"}
