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
_FIGURES: Final = re.compile(r"(\d{12})\d+")
_CLAUSES: Final = re.compile("[。！!；;，,?？]")
_TAIL: Final = "。！!；;，,. "


def normal(text: str) -> str:
    """Returns the text as it is compared: folded width and case, no blanks, no endless repetition.

    Args:
        text: As it was written.

    Returns:
        At most `READ` characters; of a character repeated endlessly three stay, of a figure twelve digits.
    """
    # characters that unfold into many ("﷽") must not make a short text long
    folded = unicodedata.normalize("NFKC", text[:_RAW])[:_RAW].lower()
    return _FIGURES.sub(r"\1", _REPEATED.sub(r"\1\1\1", _BLANKS.sub("", folded)))[:READ]


def last_clause(text: str) -> str:
    """Returns what a normal text says last, where the point of it often stands."""
    return _CLAUSES.split(text.rstrip(_TAIL))[-1]
