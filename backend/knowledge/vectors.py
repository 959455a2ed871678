"""The vectors of all phrasings: kept in one file by what they are the vectors of, compared in memory.

A vector is bytes with one scale; their common mean is taken out first, because this kind of encoder puts all
texts into a narrow cone. Very many are first compared by their main directions only.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from backend.knowledge.encoding import Encoder, EncoderUnavailable, Meanings, Patient

log = logging.getLogger(__name__)

_LONGEST = 24  # characters of a question that are encoded: the time grows with them, the meaning hardly
_SOUNDS = re.compile(r"[ 的了呢吗嘛啊呀吧哦哈么]")
_REMEMBERED = 512  # questions whose vectors are kept
_BLOCK = 8192  # vectors that are widened to floats at a time
DIRECT = 30_000  # vectors up to which all are compared in full
_MAIN = 64  # directions by which more are compared first
_LOOKED_AT = 2000  # of these, vectors that are then compared in full
_POLITE = 15  # niceness of the thread that encodes beside the answering
_KEYS = 500  # keys in one statement

Bytes = NDArray[np.int8]


def quantised(vectors: Meanings) -> tuple[Bytes, Meanings]:
    """Returns vectors as bytes, and the scale of each."""
    scales = np.abs(vectors).max(axis=1, initial=0.0) / 127
    scales = np.where(scales > 0, scales, 1.0).astype(np.float32)
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales


def clipped(text: str) -> str:
    """Returns what of a text is encoded: of a long one its end, where the question is, without particles."""
    return text if len(text) <= _LONGEST else _SOUNDS.sub("", text)[-_LONGEST:]


class VectorFile:
    """Vectors on disk, by encoder and text. A file that cannot be read is begun anew.

    Args:
        path: An SQLite file, made if it is not there; several processes may use it.
        identity: Of the encoder.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self._path = path
        self._identity = identity
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._prepare()
        except sqlite3.DatabaseError:
            log.warning("vector file unreadable, begun anew", extra={"file": path.name})
            path.unlink(missing_ok=True)
            self._prepare()

    def _prepare(self) -> None:
        with closing(self._open()) as file, file:
            file.execute(
                "CREATE TABLE IF NOT EXISTS vectors"
                " (key BLOB PRIMARY KEY, scale REAL NOT NULL, vector BLOB NOT NULL) WITHOUT ROWID"
            )

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=30)

    def _key(self, text: str) -> bytes:
        return blake2b(f"{self._identity}\0{text}".encode("utf-8", "replace"), digest_size=16).digest()

    def read(self, texts: Sequence[str]) -> dict[str, tuple[Bytes, float]]:
        """Returns what is there for some texts."""
        keys = {self._key(text): text for text in texts}
        wanted = list(keys)
        found: dict[str, tuple[Bytes, float]] = {}
        with closing(self._open()) as file:
            for first in range(0, len(wanted), _KEYS):
                part = wanted[first : first + _KEYS]
                marks = ",".join("?" * len(part))
                rows = file.execute(f"SELECT key, scale, vector FROM vectors WHERE key IN ({marks})", part)  # noqa: S608 - only marks
                for key, scale, vector in rows:
                    found[keys[key]] = np.frombuffer(vector, dtype=np.int8), float(scale)
        return found

    def write(self, texts: Sequence[str], vectors: Meanings) -> None:
        """Keeps the vectors of some texts."""
        small, scales = quantised(vectors)
        rows = [
            (self._key(text), float(scale), vector.tobytes())
            for text, scale, vector in zip(texts, scales, small, strict=True)
        ]
        with closing(self._open()) as file, file:
            file.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)


class Vectors:
    """What phrasings mean, and what questions mean beside them. Safe to be used by several threads.

    Args:
        small: The phrasings' vectors as bytes, shape (n, width); taken over and changed.
        scales: What each is to be multiplied by.
        encoder: Encodes questions.
    """

    def __init__(self, small: Bytes, scales: Meanings, encoder: Encoder) -> None:
        self._encoder = encoder
        total = np.zeros(small.shape[1])
        for part in _blocks(len(small)):
            total += scales[part] @ small[part].astype(np.float32)
        self._mean: Meanings = (total / max(len(small), 1)).astype(np.float32)
        self._rows = small
        self._scales = np.empty(len(small), dtype=np.float32)
        for part in _blocks(len(small)):
            widened = small[part].astype(np.float32) * scales[part, None]
            self._rows[part], self._scales[part] = quantised(self._centred(widened))
        self._main: tuple[Meanings, Bytes, Meanings] | None = None
        if len(small) > DIRECT:
            self._main = self._by_main_directions()
        self._remembered: OrderedDict[str, Meanings] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._rows)

    def _centred(self, vectors: Meanings) -> Meanings:
        centred = vectors - self._mean
        lengths = np.linalg.norm(centred, axis=-1, keepdims=True)
        return np.asarray(centred / np.maximum(lengths, 1e-6), dtype=np.float32)

    def _by_main_directions(self) -> tuple[Meanings, Bytes, Meanings]:
        sample = self._widened(np.arange(0, len(self._rows), max(len(self._rows) // 10_000, 1)))
        _, directions = np.linalg.eigh(sample.T @ sample)
        main = np.ascontiguousarray(directions[:, -_MAIN:], dtype=np.float32)
        rows = np.empty((len(self._rows), main.shape[1]), dtype=np.int8)
        scales = np.empty(len(self._rows), dtype=np.float32)
        for part in _blocks(len(rows)):
            rows[part], scales[part] = quantised(self._widened(part) @ main)
        return main, rows, scales

    def _widened(self, rows: slice | NDArray[np.int64]) -> Meanings:
        widened: Meanings = self._rows[rows].astype(np.float32)
        widened *= self._scales[rows, None]
        return widened

    def meaning(self, text: str, *, ask: bool = True) -> Meanings | None:
        """Returns the vector of a question; None while the encoder is away.

        Args:
            text: Normalised; of a long one only the end counts.
            ask: Whether the encoder may be asked if the question is not remembered.
        """
        text = clipped(text)
        with self._lock:
            known = self._remembered.get(text)
            if known is not None:
                self._remembered.move_to_end(text)
                return known
        if not ask:
            return None
        try:
            found = self._encoder.encode([text])
        except EncoderUnavailable:
            return None
        if found.shape != (1, self._rows.shape[1]):
            return None
        return self.remember(text, found[0])

    def remember(self, text: str, vector: Meanings) -> Meanings:
        """Keeps the encoder's vector of a question, and returns it as it is compared."""
        centred = self._centred(vector)
        with self._lock:
            self._remembered[clipped(text)] = centred
            while len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        return centred

    def nearest(
        self, meaning: Meanings, count: int, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], Meanings]:
        """Returns the phrasings that mean most nearly the same, nearest first, and how nearly, -1 to 1.

        Args:
            meaning: A question's vector.
            count: How many at most.
            allowed: Which phrasings count; all unless given.
        """
        if self._main is None:
            likeness = _compared(self._rows, self._scales, meaning)
            if allowed is not None:
                likeness[~allowed] = -2.0
            rows = _top(likeness, count)
            kept = rows[likeness[rows] > -2.0]
            return kept, likeness[kept]
        main, small, scales = self._main
        rough = _compared(small, scales, meaning @ main)
        if allowed is not None:
            rough[~allowed] = -2.0
        rows = _top(rough, max(_LOOKED_AT, count))
        rows = rows[rough[rows] > -2.0]
        likeness = self.likeness(meaning, rows)
        best = np.lexsort((rows, -likeness))[:count]
        return rows[best], likeness[best]

    def likeness(self, meaning: Meanings, rows: NDArray[np.int64]) -> Meanings:
        """Returns how nearly some phrasings mean the same as a question."""
        return np.asarray(self._widened(rows) @ meaning, dtype=np.float32)


def _blocks(count: int) -> Iterator[slice]:
    for first in range(0, count, _BLOCK):
        yield slice(first, min(first + _BLOCK, count))


def _compared(rows: Bytes, scales: Meanings, meaning: Meanings) -> Meanings:
    likeness = np.empty(len(rows), dtype=np.float32)
    for part in _blocks(len(rows)):
        likeness[part] = rows[part].astype(np.float32) @ meaning
    likeness *= scales
    return likeness


def _top(values: Meanings, count: int) -> NDArray[np.int64]:
    """Returns where the highest values stand, highest first."""
    rows = np.argpartition(-values, count)[:count] if count < len(values) else np.arange(len(values))
    order: NDArray[np.int64] = rows[np.lexsort((rows, -values[rows]))].astype(np.int64)
    return order


class Searched(Protocol):
    """A search that can use vectors.

    Attributes:
        vectors: None while words alone serve.
    """

    vectors: Vectors | None

    def phrasings(self) -> list[str]:
        """Returns what is to be encoded."""
        ...


class Warming:
    """Encodes the phrasings of an index beside the answering, then hands the vectors to it.

    Args:
        index: What is encoded.
        encoder: Encodes phrasings and, later, questions.
        path: File in which vectors are kept from one start to the next.
    """

    def __init__(self, index: Searched, encoder: Encoder, path: Path) -> None:
        self._index = index
        self._encoder = Patient(encoder)
        self._path = path
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins in a thread of low priority."""
        self._thread = threading.Thread(target=self._run, name="vectors", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops; what is encoded so far is kept in the file."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self._encoder.close()

    def join(self, timeout: float | None = None) -> None:
        """Waits until it is done."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            # On Linux this is the niceness of the thread alone.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _POLITE)
        try:
            file = VectorFile(self._path, self._encoder.identity)
            vectors = encoded(self._index.phrasings(), self._encoder, file, self._stopped)
        except (OSError, sqlite3.Error):
            log.exception("vectors cannot be kept, searching by words alone")
            return
        if vectors is not None:
            self._index.vectors = vectors
            log.info("vectors ready", extra={"phrasings": len(vectors), "encoder": self._encoder.identity})


def encoded(
    texts: Sequence[str], encoder: Patient, file: VectorFile, stopped: threading.Event | None = None
) -> Vectors | None:
    """Returns the vectors of texts, from the file as far as it has them; waits for an encoder that is away.

    Returns:
        None if stopped before all are there.
    """
    stopped = stopped or threading.Event()
    texts = [clipped(text) for text in texts]
    known = file.read(texts)
    missing = [text for text in dict.fromkeys(texts) if text not in known]
    if missing:
        log.info("encoding phrasings", extra={"missing": len(missing), "known": len(known)})
    at = 0
    while at < len(missing):
        if stopped.is_set():
            return None
        part = missing[at : at + encoder.at_once]
        try:
            found = encoder.encode(part)
        except EncoderUnavailable:
            stopped.wait(max(encoder.rest, 0.05))
            continue
        file.write(part, found)
        at += len(part)
    if missing:
        known |= file.read(missing)
    if not texts or any(text not in known for text in texts):
        return None
    width = len(known[texts[0]][0])
    small = np.empty((len(texts), width), dtype=np.int8)
    scales = np.empty(len(texts), dtype=np.float32)
    for row, text in enumerate(texts):
        small[row], scales[row] = known[text]
    return Vectors(small, scales, encoder)
