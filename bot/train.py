"""`python -m bot.train`: trains the project's model once for each state of its files.

Writes ``models/<hash>.tar.gz``, where the hash is that of everything the model is made from, and the pointer
``models/latest`` that holds the file's name. A model that is there already is not trained again.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bot.settings import BotSettings

POINTER = "latest"
_SOURCES = ("config.yml", "domain", "data", "bot/nlu", "actions/recognition.py")
_KEPT = 3
_SUFFIXES = (".yml", ".yaml", ".txt", ".jsonl", ".py")


class NoModel(Exception):
    """There is no trained model where one is expected."""


def fingerprint(root: Path) -> str:
    """The hash of everything that the model is made from, installed engine included.

    Args:
        root: The project's folder.
    """
    from importlib.metadata import version

    digest = hashlib.sha256()
    for package in ("rasa", "scikit-learn", "jieba", "spacy"):
        digest.update(f"{package} {version(package)}\n".encode())
    for path in _files(root):
        digest.update(f"{path.relative_to(root)}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _files(root: Path) -> Iterator[Path]:
    for name in _SOURCES:
        source = root / name
        found = [source] if source.is_file() else source.rglob("*")
        yield from sorted(path for path in found if path.is_file() and path.suffix in _SUFFIXES)


def latest(model_dir: Path) -> Path:
    """The model that the pointer names.

    Raises:
        NoModel: There is no pointer, or no such model.
    """
    pointer = model_dir / POINTER
    if pointer.is_file():
        model = model_dir / pointer.read_text(encoding="utf-8").strip()
        if model.is_file():
            return model
    raise NoModel(f"no trained model in {model_dir}: run `qifu train` first")


def train(root: Path, model_dir: Path, *, force: bool = False) -> Path:
    """Trains the model unless it is there, and points to it.

    Args:
        root: The project's folder.
        model_dir: Where models are kept.
        force: Train even if the same model is there.

    Returns:
        The model's file.

    Raises:
        RuntimeError: Training gave no model.
    """
    name = fingerprint(root)
    target = model_dir / f"{name}.tar.gz"
    if force or not target.is_file():
        _train(root, model_dir, name)
        if not target.is_file():
            raise RuntimeError("training gave no model; the messages above say why")
    _point(model_dir, target.name)
    _prune(model_dir, target)
    return target


def _train(root: Path, model_dir: Path, name: str) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    from rasa.model_training import train as rasa_train

    from bot.engine import quiet

    quiet("INFO")

    model_dir.mkdir(parents=True, exist_ok=True)
    # always from the start: Rasa's cache would not notice a changed user dictionary
    rasa_train(
        domain=str(root / "domain"),
        config=str(root / "config.yml"),
        training_files=[str(root / "data")],
        output=str(model_dir),
        fixed_model_name=name,
        force_training=True,
    )


def _point(model_dir: Path, name: str) -> None:
    draft = model_dir / f"{POINTER}.{os.getpid()}"
    draft.write_text(f"{name}\n", encoding="utf-8")
    draft.replace(model_dir / POINTER)


def _prune(model_dir: Path, current: Path) -> None:
    """Keeps the model in use and the newest few of those that were trained here before."""
    ours = [path for path in model_dir.glob("*.tar.gz") if re.fullmatch(r"[0-9a-f]{16}\.tar\.gz", path.name)]
    old = sorted(
        (path for path in ours if path != current), key=lambda path: path.stat().st_mtime, reverse=True
    )
    for path in old[_KEPT - 1 :]:
        path.unlink(missing_ok=True)


def main() -> int:
    """Trains, says what it does, and returns the exit code."""
    model_dir = BotSettings.from_environment().model_dir
    root = Path.cwd()
    if not (root / "config.yml").is_file():
        print("config.yml is not here: run this in the project's folder", file=sys.stderr)
        return 2
    target = model_dir / f"{fingerprint(root)}.tar.gz"
    force = "--force" in sys.argv[1:]
    if target.is_file() and not force:
        print(f"model {target} is up to date", flush=True)
    else:
        print(f"training model {target} (about a minute) …", flush=True)
    started, cpu = time.monotonic(), time.process_time()
    try:
        train(root, model_dir, force=force)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"model ready in {time.monotonic() - started:.0f} s, {time.process_time() - cpu:.0f} s of CPU time",
        flush=True,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
