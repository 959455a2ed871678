"""Traditional characters read as simplified ones, so that everything behind reads one script.

Character by character, so that places in the text stay where they are; what a person wrote is kept as it is.
"""

from __future__ import annotations

import functools
from pathlib import Path

_TABLE = Path(__file__).with_name("traditional.txt")


@functools.cache
def _table() -> dict[int, int]:
    written, meant = _TABLE.read_text(encoding="utf-8").splitlines()
    return str.maketrans(written, meant)


def simplified(text: str) -> str:
    """Returns the text in simplified characters, of the same length."""
    return text if text.isascii() else text.translate(_table())
