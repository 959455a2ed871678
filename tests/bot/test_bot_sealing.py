"""What is said in a conversation cannot be read without the key."""

from __future__ import annotations

import binascii
import sqlite3
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from bot.sealing import Sealer

KEY, OTHER = "0a" * 32, "0b" * 32


@given(st.text(max_size=300))
def test_sealed_is_opened_and_never_looks_the_same(text: str) -> None:
    sealer = Sealer(KEY)
    first, second = sealer.seal(text), sealer.seal(text)
    assert first != second
    assert sealer.open(first) == sealer.open(second) == text


def test_another_key_and_a_changed_text_open_nothing() -> None:
    sealed = Sealer(KEY).seal("王芳 13800001111")
    with pytest.raises(InvalidTag):
        Sealer(OTHER).open(sealed)
    swapped = sealed[:-8] + ("AAAAAAA=" if not sealed.endswith("AAAAAAA=") else "BBBBBBA=")
    with pytest.raises((InvalidTag, binascii.Error)):
        Sealer(KEY).open(swapped)
    with pytest.raises(binascii.Error):
        Sealer(KEY).open("s1:AAAA")


@pytest.mark.parametrize("key", ["", "0a", "zz" * 32])
def test_a_key_has_64_digits(key: str) -> None:
    with pytest.raises(ValueError, match="64"):
        Sealer(key)


@pytest.mark.rasa
async def test_the_file_of_conversations_tells_nobody_a_name(tmp_path: Path) -> None:
    from rasa.shared.core.domain import Domain
    from rasa.shared.core.events import SlotSet, UserUttered
    from rasa.shared.core.trackers import DialogueStateTracker

    from bot.engine import ConversationStore

    file = tmp_path / "tracker.db"
    domain = Domain.empty()
    plain = ConversationStore(f"sqlite:///{file}", domain)
    await plain.prepare()
    old = DialogueStateTracker.from_events("old", [UserUttered("以前说过的话")], domain.slots)
    await plain.save(old)
    plain.engine.dispose()
    said = [UserUttered("我叫王芳 13800001111"), SlotSet("contact", "王芳")]
    store = ConversationStore(f"sqlite:///{file}", domain, sealer=Sealer(KEY))
    await store.save(DialogueStateTracker.from_events("one", said, domain.slots))
    store.engine.dispose()
    for name in ("tracker.db", "tracker.db-wal"):
        there = tmp_path / name
        assert not there.exists() or "王芳".encode() not in there.read_bytes()
    with sqlite3.connect(file) as connection:
        rows = connection.execute("SELECT data FROM events WHERE sender_id = 'one'").fetchall()
    assert len(rows) == len(said)
    assert all("13800001111" not in data and "\\u738b" not in data for (data,) in rows)
    again = ConversationStore(f"sqlite:///{file}", domain, sealer=Sealer(KEY))
    found = await again.retrieve("one")
    assert found is not None
    assert [event.type_name for event in found.events] == ["user", "slot"]
    assert found.events[0].text == "我叫王芳 13800001111"
    found.update(UserUttered("还有一句"))
    await again.save(found)
    before = await again.retrieve("old")
    assert before is not None
    assert before.events[0].text == "以前说过的话"
    again.engine.dispose()
    third = ConversationStore(f"sqlite:///{file}", domain, sealer=Sealer(KEY))
    whole = await third.retrieve("one")
    assert whole is not None
    assert [event.type_name for event in whole.events] == ["user", "slot", "user"]
    third.engine.dispose()
