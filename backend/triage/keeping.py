"""Keeps the triage model that is in use, takes a new one when it is written, and says how it stands."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from backend.triage.classifier import MODEL, BrokenModel, Classifier
from backend.triage.labelled import load_labelled
from backend.triage.rules import Knowledge

log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 5.0


class Kept:
    """Gives the classifier of a model file, which may appear or be replaced while the backend runs.

    Args:
        path: The model's file.
        clock: Seconds that only go forward; tests give their own.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._looked: float | None = None
        self._mark: tuple[int, int] | None = (0, 0)
        self._classifier: Classifier | None = None

    def __call__(self) -> Classifier | None:
        """Returns the classifier; None while there is no model that can be read."""
        now = self._clock()
        if self._looked is None or now - self._looked >= _LOOK_SECONDS:
            with self._lock:
                self._looked = now
                self._look()
        return self._classifier

    def _look(self) -> None:
        mark = self._marked()
        if mark == self._mark:
            return
        self._mark = mark
        if mark is None and self._classifier is not None:
            log.warning("triage model is gone from its folder; the one read before stays in use")
            return
        try:
            found = Classifier.load(self._path)
        except BrokenModel as error:
            log.error("triage model cannot be read", extra={"code": error.code, "file": self._path.name})
            return
        self._classifier = found
        if found is None:
            log.warning("no triage model: proposals by the rules alone until `qifu train` has made one")
        else:
            log.info("triage model in use", extra={"appeals": found.about.get("appeals")})

    def _marked(self) -> tuple[int, int] | None:
        try:
            state = self._path.stat()
        except OSError:
            return None
        return state.st_mtime_ns, state.st_size


def standing(base: Knowledge, folder: Path, model_dir: Path) -> str:
    """Returns in words what triage has to learn from and whether it has learnt.

    Args:
        base: The knowledge base.
        folder: Where it stands.
        model_dir: Where trained models are kept.

    Raises:
        ContentError: A labelled appeal breaks the rules.
    """
    known = f"标注诉求 {len(load_labelled(folder, base.departments))} 条。"
    try:
        model = Classifier.load(model_dir / MODEL)
    except BrokenModel as error:
        return f"{known}{error}"
    if model is None:
        return f"{known}还没有分诊模型，只按规则分诊；请运行 qifu train。"
    appeals, corrections = model.about.get("appeals"), model.about.get("corrections")
    return f"{known}分诊模型已就绪，学过标注诉求 {appeals} 条、更正 {corrections} 条。"
