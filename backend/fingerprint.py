"""Content hashes that tell whether something has to be made again.

Only the standard library is used: `scripts/setup.py` needs this before anything is installed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

# Folders that tools write: caches, installed packages, build output.
_LEFT_OUT = frozenset({"__pycache__", "node_modules", "dist", "build", ".vite", "test-results", "generated"})
_LEFT_OUT_ENDINGS = (".egg-info", ".tsbuildinfo", ".pyc")


def _kept(parts: tuple[str, ...]) -> bool:
    return not _LEFT_OUT.intersection(parts) and not any(part.endswith(_LEFT_OUT_ENDINGS) for part in parts)


def digest(root: Path, paths: Iterable[Path], *words: str) -> str:
    """Hash files (folders with everything below them) by path and content, and some words.

    Args:
        root: Folder that the paths are taken relative to, so that a moved project hashes alike.
        paths: Files or folders below ``root``; one that does not exist counts as empty.
        *words: Anything else that the result depends on.
    """
    found = hashlib.sha256("\0".join(words).encode())
    for path in paths:
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        for file in files:
            parts = file.relative_to(root).parts
            if _kept(parts):
                content = hashlib.sha256(file.read_bytes()).digest()
                found.update("/".join(parts).encode() + b"\0" + content)
    return found.hexdigest()
