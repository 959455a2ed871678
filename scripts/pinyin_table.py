"""Write backend/knowledge/data/pinyin.txt from `pypinyin` (MIT): `.venv/bin/python scripts/pinyin_table.py`.

The running service needs how a character sounds, without tone, and which words of two characters sound unlike
their characters alone. A table of these is read in a few milliseconds; the library holds ten times as much.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PHRASES_DICT

TARGET = Path(__file__).resolve().parent.parent / "backend" / "knowledge" / "data" / "pinyin.txt"

HEAD = """# How characters sound, without tone: written by scripts/pinyin_table.py from pypinyin (MIT).
# A line is a sound and the characters that have it; after the blank line, two sounds and the words of two
# characters that have them, where the characters alone would be read otherwise.
"""


def characters() -> list[str]:
    """Returns the simplified characters of GB 2312."""
    found = []
    for high in range(0xB0, 0xF8):
        for low in range(0xA1, 0xFF):
            try:
                found.append(bytes([high, low]).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    return found


def table() -> str:
    """Returns the whole file."""
    known = characters()
    sounds = {char: lazy_pinyin(char, style=Style.NORMAL, v_to_u=False)[0] for char in known}
    sounds = {char: sound for char, sound in sounds.items() if sound.isascii() and sound.isalpha()}
    by_sound: dict[str, list[str]] = {}
    for char, sound in sounds.items():
        by_sound.setdefault(sound, []).append(char)
    read: dict[str, Counter[tuple[str, str]]] = {}
    for phrase in PHRASES_DICT:
        if len(phrase) > 6 or not all(char in sounds for char in phrase):
            continue
        said = lazy_pinyin(phrase, style=Style.NORMAL)
        if len(said) != len(phrase):
            continue
        for at in range(len(phrase) - 1):
            # A word of its own says how it is read; as part of a longer one it counts less.
            weight = 10 if len(phrase) == 2 else 1
            read.setdefault(phrase[at : at + 2], Counter())[(said[at], said[at + 1])] += weight
    by_pair: dict[tuple[str, str], list[str]] = {}
    for word, counts in read.items():
        said_so, times = counts.most_common(1)[0]
        if said_so != (sounds[word[0]], sounds[word[1]]) and times > 0.7 * sum(counts.values()):
            by_pair.setdefault(said_so, []).append(word)
    lines = [f"{sound} {''.join(chars)}" for sound, chars in sorted(by_sound.items())]
    lines.append("")
    lines += [f"{' '.join(said)} {' '.join(sorted(words))}" for said, words in sorted(by_pair.items())]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(table(), encoding="utf-8")
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")
