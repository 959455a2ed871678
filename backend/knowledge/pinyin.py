"""How words sound, so that a word that was misheard or mistyped still finds its entry: 形政 for 行政.

Sounds are toneless, and folded where speakers of the region do not tell them apart (zh and z, ing and in).
Only pairs of characters are compared by sound: a single syllable is shared by too many characters.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

_TABLE = Path(__file__).parent / "data" / "pinyin.txt"
_FOLDED = re.compile(r"^([zcs])h|(?<=[ie]n)g$")


@dataclass(frozen=True)
class Sounds:
    """The table.

    Attributes:
        chars: Character to its toneless sound.
        words: Words of two characters that sound unlike their characters alone, to their two sounds.
        alike: Sound to the characters that have it.
    """

    chars: dict[str, str]
    words: dict[str, tuple[str, str]]
    alike: dict[str, str]


@functools.cache
def sounds() -> Sounds:
    """Returns the table, read once."""
    chars: dict[str, str] = {}
    words: dict[str, tuple[str, str]] = {}
    alike: dict[str, str] = {}
    single, _, double = _TABLE.read_text(encoding="utf-8").partition("\n\n")
    for line in single.splitlines():
        if not line.startswith("#"):
            sound, same = line.split(" ")
            alike[sound] = same
            chars.update(dict.fromkeys(same, sound))
    for line in double.splitlines():
        first, second, *said_so = line.split(" ")
        words.update(dict.fromkeys(said_so, (first, second)))
    return Sounds(chars, words, alike)


@functools.lru_cache(maxsize=1024)
def _fold(sound: str) -> str:
    return _FOLDED.sub(lambda match: match.group(1) or "", sound)


def sound(pair: str) -> str | None:
    """Returns how a word of two Chinese characters sounds; None for anything else.

    Args:
        pair: A token; a word of several readings is read as in common use, 银行 as yin hang.
    """
    if len(pair) != 2:
        return None
    table = sounds()
    said = table.words.get(pair)
    if said is None:
        first, second = table.chars.get(pair[0]), table.chars.get(pair[1])
        if first is None or second is None:
            return None
        said = (first, second)
    return f"{_fold(said[0])} {_fold(said[1])}"
