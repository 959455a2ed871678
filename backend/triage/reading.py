"""How triage reads a text: one width, one case, no blanks, and its clauses."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

READ: Final = 1200
"""Characters that are looked at; a longer text has said by then what it is about."""

_RAW: Final = 4 * READ
_BLANKS: Final = re.compile(r"\s+")
_REPEATED: Final = re.compile(r"(.)\1{3,}")
_CLAUSES: Final = re.compile("[。！!；;，,?？]")
_TAIL: Final = "。！!；;，,. "


def normal(text: str) -> str:
    """Returns the text as it is compared: folded width and case, no blanks, no endless repetition.

    Args:
        text: As it was written.

    Returns:
        At most `READ` characters; a character repeated more than three times stays three times.
    """
    # characters that unfold into many ("﷽") must not make a short text long
    folded = unicodedata.normalize("NFKC", text[:_RAW])[:_RAW].lower()
    return _REPEATED.sub(r"\1\1\1", _BLANKS.sub("", folded))[:READ]


def last_clause(text: str) -> str:
    """Returns what a normal text says last, where the point of it often stands."""
    return _CLAUSES.split(text.rstrip(_TAIL))[-1]
