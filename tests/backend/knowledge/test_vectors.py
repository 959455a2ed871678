from __future__ import annotations

import threading
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from backend.knowledge import vectors
from backend.knowledge.encoding import EncoderUnavailable, Meanings, Patient
from backend.knowledge.loading import KnowledgeBase
from backend.knowledge.search import KnowledgeIndex
from backend.knowledge.vectors import VectorFile, Vectors, Warming, encoded, quantised

WIDTH = 64


class Fixed:
    """Gives every text a vector of its own; those that are told to mean the same, the same."""

    identity = "fixed"
    at_once = 7

    def __init__(self, same: dict[str, str] | None = None) -> None:
        self.same = same or {}
        self.asked: list[str] = []
        self.away = 0

    def encode(self, texts: Sequence[str]) -> Meanings:
        if self.away:
            self.away -= 1
            raise EncoderUnavailable("away")
        self.asked += texts
        return np.array([self._vector(self.same.get(text, text)) for text in texts], dtype=np.float32)

    def _vector(self, text: str) -> Meanings:
        seed = int.from_bytes(sha256(text.encode()).digest()[:4], "little")
        vector = np.random.default_rng(seed).standard_normal(WIDTH) + 2.0  # in a narrow cone, like real ones
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    def close(self) -> None:
        pass


@given(st_numpy.arrays(np.float32, (5, 8), elements=st.floats(-1, 1, width=32)))
def test_bytes_keep_the_direction(some: Meanings) -> None:
    small, scales = quantised(some)
    assert np.abs(small * scales[:, None] - some).max() <= scales.max() * 0.51


def test_vectors_are_kept_by_text_and_encoder(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "vectors.db"
    file = VectorFile(path, "one")
    texts = [f"问题{number}" for number in range(1200)]
    some = Fixed().encode(texts)
    file.write(texts, some)
    found = VectorFile(path, "one").read([*texts, "没有", texts[0]])
    assert set(found) == set(texts)
    small, scale = found["问题7"]
    assert np.allclose(small * scale, some[7], atol=0.01)
    assert VectorFile(path, "another").read(texts) == {}


def test_an_unreadable_file_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "vectors.db"
    path.write_bytes(b"not a database" * 100)
    file = VectorFile(path, "one")
    file.write(["a"], Fixed().encode(["a"]))
    assert set(file.read(["a", "b"])) == {"a"}


@pytest.mark.parametrize("direct", [10, 10_000])
def test_the_nearest_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, direct: int) -> None:
    monkeypatch.setattr(vectors, "DIRECT", direct)
    monkeypatch.setattr(vectors, "_BLOCK", 100)
    texts = [f"问题{number}" for number in range(500)]
    encoder = Fixed({"换个说法": "问题42"})
    found = encoded(texts, Patient(encoder), VectorFile(tmp_path / "v.db", "fixed"))
    assert found is not None
    assert len(found) == 500
    meaning = found.meaning("换个说法")
    assert meaning is not None
    rows, likeness = found.nearest(meaning, 5)
    assert rows[0] == 42
    assert likeness[0] == pytest.approx(1, abs=0.02)
    assert (np.diff(likeness) <= 0).all()
    assert np.allclose(found.likeness(meaning, rows), likeness, atol=1e-6)
    allowed = np.ones(500, dtype=np.bool_)
    allowed[42] = False
    assert 42 not in found.nearest(meaning, 5, allowed)[0]
    assert len(found.nearest(meaning, 5, np.zeros(500, dtype=np.bool_))[0]) == 0


def test_a_question_is_encoded_once(tmp_path: Path) -> None:
    encoder = Fixed()
    found = encoded(["a", "b"], Patient(encoder), VectorFile(tmp_path / "v.db", "fixed"))
    assert found is not None
    before = len(encoder.asked)
    for _ in range(3):
        assert found.meaning("同一个问题") is not None
    assert len(encoder.asked) == before + 1
    for number in range(600):
        found.meaning(f"别的{number}")
    found.meaning("同一个问题")
    assert encoder.asked.count("同一个问题") == 2
    encoder.away = 1
    assert found.meaning("不在的时候") is None


def test_only_what_is_new_is_encoded(tmp_path: Path) -> None:
    encoder = Fixed()
    file = VectorFile(tmp_path / "v.db", "fixed")
    first = encoded(["a", "b", "a"], Patient(encoder), file)
    assert first is not None
    assert len(first) == 3
    assert encoder.asked == ["a", "b"]
    encoded(["a", "c"], Patient(encoder), file)
    assert encoder.asked == ["a", "b", "c"]
    assert encoded([], Patient(encoder), file) is None


def test_a_stop_ends_the_encoding(tmp_path: Path) -> None:
    stopped = threading.Event()
    stopped.set()
    assert encoded(["a"], Patient(Fixed()), VectorFile(tmp_path / "v.db", "fixed"), stopped) is None


def test_an_encoder_that_is_away_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.knowledge.encoding._REST_SECONDS", (0.01, 0.02))
    encoder = Fixed()
    encoder.away = 2
    assert encoded(["a"], Patient(encoder), VectorFile(tmp_path / "v.db", "fixed")) is not None


def test_meaning_finds_what_words_do_not(small_base: KnowledgeBase, tmp_path: Path) -> None:
    index = KnowledgeIndex(small_base, home="钱塘区")
    asked = "娃娃要念书找谁好"
    right = index.entries[-1]
    phrase = index.phrasings()[-1]
    same = {index.spelt(index.read(asked).text): phrase}
    encoder = Fixed(same)
    warming = Warming(index, encoder, tmp_path / "v.db")
    assert index.search(asked, k=3) == index.search(asked, k=3)
    warming.start()
    warming.join(30)
    assert index.vectors is not None
    assert right.id in [hit.entry.id for hit in index.search(asked, k=3)]
    before = len(encoder.asked)
    for entry in index.entries:
        index.search(entry.questions[0])
    assert len(encoder.asked) == before, "what words are certain of is not encoded"
    index.pressed = lambda: True
    assert index.search("人很多的时候问的问题")
    assert len(encoder.asked) == before, "a crowd is answered by words"
    index.pressed = lambda: False
    encoder.away = 1
    assert all(0 <= hit.score <= 1 for hit in index.search("一个从来没有问过的问题"))
    warming.close()


def test_a_folder_that_cannot_be_written_leaves_words(small_base: KnowledgeBase, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    index = KnowledgeIndex(small_base, home="钱塘区")
    warming = Warming(index, Fixed(), blocked / "v.db")
    warming.start()
    warming.join(30)
    assert index.vectors is None
    warming.close()


def test_threads_do_not_disturb_each_other(small_base: KnowledgeBase, tmp_path: Path) -> None:
    index = KnowledgeIndex(small_base, home="钱塘区")
    index.vectors = encoded(index.phrasings(), Patient(Fixed()), VectorFile(tmp_path / "v.db", "fixed"))
    questions = ["热线电话多少", "暖企小站的奖励", "大厅报税", "孩子上学", "公寓"] * 6
    expected = [index.search(question) for question in questions]
    wrong: list[str] = []

    def ask() -> None:
        wrong.extend(
            question
            for question, hits in zip(questions, expected, strict=True)
            if index.search(question) != hits
        )

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_type_of_vectors(tmp_path: Path) -> None:
    small, scales = quantised(np.zeros((3, 4), dtype=np.float32))
    empty = Vectors(small, scales, Fixed())
    assert np.isfinite(empty.likeness(np.zeros(4, dtype=np.float32), np.arange(3))).all()
