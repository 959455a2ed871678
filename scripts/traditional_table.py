"""Write actions/traditional.txt from OpenCC: `.venv/bin/python scripts/traditional_table.py`.

Two lines of one length: traditional characters, and below each the simplified one. The dialogue engine reads
the table because the library itself would cost it nine megabytes.
"""

from __future__ import annotations

from pathlib import Path

import opencc

TARGET = Path(__file__).resolve().parent.parent / "actions" / "traditional.txt"
FIRST, LAST = 0x4E00, 0x9FFF


def table() -> str:
    """Returns the two lines."""
    characters = [chr(code) for code in range(FIRST, LAST + 1)]
    found = opencc.OpenCC("t2s").convert("\n".join(characters)).split("\n")
    pairs = [
        (written, meant)
        for written, meant in zip(characters, found, strict=True)
        if written != meant and len(meant) == 1
    ]
    return "".join(f"{''.join(line)}\n" for line in zip(*pairs, strict=True))


if __name__ == "__main__":
    TARGET.write_text(table(), encoding="utf-8")
