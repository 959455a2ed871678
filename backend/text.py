"""What people write, made fit to be read and kept: cleaned when it comes in, everywhere the same way."""

from __future__ import annotations

import re
import unicodedata

# C0 and C1 controls except tab and newline, bidirectional overrides, invisible marks, lone surrogates. The
# zero-width joiner stays: it holds emoji together.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\uffff\ud800-\udfff]"
)
_LINE_ENDS = re.compile("\r\n?|\u2028|\u2029|\x85|\x0b|\x0c")
_BREAKS = str.maketrans("\n\t", "  ")


def clean(text: str, *, lines: bool = False) -> str:
    r"""Makes a text fit to keep: one form for one character, nothing invisible, no blank ends.

    Args:
        text: Anything that JSON can hold, lone surrogates included.
        lines: Keep line breaks and tabs; otherwise they become blanks.

    Returns:
        The text in NFC, with ``\\n`` as the only line end.
    """
    text = _UNWANTED.sub("", _LINE_ENDS.sub("\n", text))
    if not lines:
        text = text.translate(_BREAKS)
    return unicodedata.normalize("NFC", text).strip()
