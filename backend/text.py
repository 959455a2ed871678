"""What people write, made fit to be read and kept."""

from __future__ import annotations

import unicodedata

_INVISIBLE = frozenset("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def clean(text: str, *, lines: bool = False) -> str:
    """Take out what cannot be read or stored: control and direction marks, lone surrogates, outer blanks.

    Args:
        text: Anything.
        lines: Keep line breaks and tabs; otherwise they become blanks.
    """
    kept = []
    for sign in text.replace("\r\n", "\n").replace("\r", "\n"):
        if sign in "\n\t":
            kept.append(sign if lines else " ")
        elif unicodedata.category(sign) in ("Cc", "Cs") or sign in _INVISIBLE:
            continue
        else:
            kept.append(sign)
    return "".join(kept).strip()
