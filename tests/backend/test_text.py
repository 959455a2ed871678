"""Cleaning keeps what can be read, and can be done twice."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.text import clean

ANY_TEXT = st.text(st.characters(), max_size=200)


@given(ANY_TEXT, st.booleans())
def test_cleaning_twice_is_cleaning_once(text: str, lines: bool) -> None:
    cleaned = clean(text, lines=lines)
    assert clean(cleaned, lines=lines) == cleaned


@given(ANY_TEXT, st.booleans())
def test_clean_text_can_be_written_anywhere(text: str, lines: bool) -> None:
    cleaned = clean(text, lines=lines)
    cleaned.encode("utf-8")
    assert all(sign in "\n\t" * lines or unicodedata.category(sign) not in {"Cc", "Cs"} for sign in cleaned)
    assert cleaned == cleaned.strip()
    assert unicodedata.is_normalized("NFC", cleaned)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("你好", "你好"),
        (" a\r\nb\rc\u2028d ", "a\nb\nc\nd"),
        ("cafe\u0301", "café"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("a\u202eb\u200bc\ufeff", "abc"),
        ("\ud83d你\ude00", "你"),
        ("a\x00\x1b[0m\x7f", "a[0m"),
        ("\u3000 \n", ""),
        ("<b>1 & 2</b>", "<b>1 & 2</b>"),
    ],
)
def test_cleaning(text: str, cleaned: str) -> None:
    assert clean(text, lines=True) == cleaned
    assert clean(text) == cleaned.replace("\n", " ")
