"""Exports what the dialogue engine learns from the knowledge base, so that no name is written twice.

Three files, byte for byte the same for the same content: a jieba user dictionary (so that names are not cut
in two), patterns for spaCy's EntityRuler, and examples of the intent ``ask``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from backend.knowledge import text
from backend.knowledge.entries import Department, Entry, Jurisdiction, Territory
from backend.knowledge.loading import KnowledgeBase, prefix_of

USERDICT = Path("jieba") / "userdict.txt"
PATTERNS = Path("patterns.jsonl")
NLU = Path("nlu.yml")
_FREQUENCY = 20000  # high enough that jieba never prefers to cut a name
_LONGEST = 16
_EXAMPLES = 3  # phrasings of an entry that the dialogue engine is trained with
_HAS_HAN = re.compile("[\u4e00-\u9fff]")


def export(base: KnowledgeBase, folder: Path) -> None:
    """Writes the three files under ``folder`` (usually `data/generated`), replacing what is there.

    Args:
        base: The knowledge base.
        folder: Made if it does not exist.
    """
    contents = {
        USERDICT: "".join(f"{word} {_FREQUENCY} {tag}\n" for word, tag in dictionary(base)),
        PATTERNS: "".join(
            json.dumps(pattern, ensure_ascii=False, sort_keys=True) + "\n" for pattern in patterns(base)
        ),
        NLU: nlu(base),
    }
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def _names(item: Department | Territory | Jurisdiction) -> list[str]:
    return [item.name, *item.aliases]


def _usable(names: Iterable[str]) -> list[str]:
    """Returns the names that are single words: no spaces, brackets or quotes, two to sixteen characters."""
    kept = []
    for name in names:
        word = name.strip()
        if 2 <= len(word) <= _LONGEST and re.fullmatch(r"[\w·+-]+", word) and _HAS_HAN.search(word):
            kept.append(word)
    return kept


def dictionary(base: KnowledgeBase) -> list[tuple[str, str]]:
    """Returns (word, part of speech) sorted by word: ``nt`` units, ``ns`` places, ``nz`` services."""
    words: dict[str, str] = {}
    for entry in base.entries.values():
        for word in _usable([*entry.aliases, entry.title]):
            words.setdefault(word, "nz")
    for board in base.boards.values():
        for word in _usable(board.words):
            words.setdefault(word, "nz")
    for territory in base.territories.values():
        words.update(dict.fromkeys(_usable(_names(territory)), "ns"))
    for jurisdiction in base.jurisdictions.values():
        words.update(dict.fromkeys(_usable(_names(jurisdiction)), "ns"))
    for department in base.departments.values():
        words.update(dict.fromkeys(_usable(_names(department)), "nt"))
    return sorted(words.items())


def patterns(base: KnowledgeBase) -> list[dict[str, str]]:
    """Returns EntityRuler phrase patterns, sorted; ``id`` is the object's id.

    A name that several departments or territories of different districts share is given once, without an id.
    """
    found: dict[tuple[str, str], set[str]] = {}
    for label, items in (("DEPARTMENT", base.departments.values()), ("TERRITORY", base.territories.values())):
        for item in items:
            for name in _names(item):
                found.setdefault((label, name), set()).add(item.id)
    for entry in base.entries.values():
        for name in _service_names(entry):
            found.setdefault(("SERVICE", name), set()).add(entry.id)
    result = []
    for (label, name), ids in sorted(found.items()):
        pattern = {"label": label, "pattern": name}
        if len(ids) == 1:
            pattern["id"] = next(iter(ids))
        result.append(pattern)
    return result


def _service_names(entry: Entry) -> list[str]:
    if entry.kind not in {"service", "policy", "channel", "contact"}:
        return _usable(entry.aliases)
    return _usable([entry.title, *entry.aliases])


def _spread(questions: Sequence[str]) -> list[str]:
    """Returns a few phrasings from all over the list: first comes what was thought of first, the plainest."""
    if len(questions) <= _EXAMPLES:
        return list(questions)
    last = len(questions) - 1
    return [questions[round(number * last / (_EXAMPLES - 1))] for number in range(_EXAMPLES)]


def nlu(base: KnowledgeBase) -> str:
    """Returns Rasa 3.1 training data: a few phrasings of every entry, as examples of ``ask``.

    What an entry is about is the search's business; the dialogue engine only has to learn what asking sounds
    like, and its training time grows with every example.
    """
    seen: set[str] = set()
    lines = []
    ordered = sorted(base.entries.values(), key=lambda entry: (prefix_of(entry.id), entry.id))
    for entry in ordered:
        for question in _spread(entry.questions):
            # Square and round brackets would be read as an entity annotation.
            plain = re.sub(r"[\[\]{}()\r\n\t]+", " ", question).strip()
            key = text.squeeze(plain)
            if key and key not in seen:
                seen.add(key)
                lines.append(f"    - {plain}")
    header = 'version: "3.1"\n\nnlu:\n- intent: ask\n  examples: |\n'
    return header + "\n".join(lines) + "\n"
