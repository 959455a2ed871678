"""The backend starts light: what it does not need to serve is not loaded."""

from __future__ import annotations

import subprocess
import sys

from api_helpers import ROOT

HEAVY = ("alembic", "jieba", "matplotlib", "pandas", "rasa", "rasa_sdk", "sklearn", "spacy", "tensorflow")


def test_nothing_heavy_is_loaded() -> None:
    code = f"import sys, backend.api.app; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
