"""An encoder elsewhere: any server that speaks OpenAI's ``POST /embeddings``.

Telephone and identity numbers are masked before a text leaves the house. What the server answers is checked
before it is used: the right number of vectors, of one width, finite and of some length.
"""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Coroutine, Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import numpy as np

from backend.knowledge.encoding import EncoderUnavailable, Meanings
from backend.masking import mask

_LARGEST_REPLY = 64 * 1024 * 1024


class Endpoint:
    """A server that speaks OpenAI's embeddings API.

    Args:
        url: Its base, as ``https://host/v1``, or the whole address that ends in ``/embeddings``.
        model: Name of the model, sent with every request.
        key: Sent as bearer token, if given.
        timeout: Seconds a request for one vector may take from beginning to end.
    """

    at_once = 32

    def __init__(self, url: str, model: str, key: str | None = None, timeout: float = 3.0) -> None:
        self._url = url.rstrip("/")
        if not self._url.endswith("/embeddings"):
            self._url += "/embeddings"
        self.identity = f"endpoint/{urlsplit(self._url).netloc}{urlsplit(self._url).path}/{model}"
        self._model = model
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout = timeout
        self._width: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> Meanings:
        """See `Encoder`."""
        try:
            return self._run(self._ask([mask(text) or " " for text in texts]))
        except (
            aiohttp.ClientError, TimeoutError, OSError, ValueError, RecursionError, OverflowError
        ) as error:  # fmt: skip
            # What a server says may quote what it was sent: only the kind of the error goes on.
            raise EncoderUnavailable(type(error).__name__) from None

    def close(self) -> None:
        """See `Encoder`."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)

    def _run(self, work: Coroutine[Any, Any, Meanings]) -> Meanings:
        # A loop of its own in a thread: only so does one limit hold for a whole request, drop by drop or not.
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_serve, args=(self._loop,), name="encoder", daemon=True).start()
            loop = self._loop
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    async def _ask(self, texts: list[str]) -> Meanings:
        # Many phrasings at once may take longer than the one question that somebody waits for.
        limit = aiohttp.ClientTimeout(total=self._timeout * (1 + len(texts) // 4))
        async with (
            aiohttp.ClientSession(timeout=limit, headers=self._headers) as session,
            session.post(
                self._url,
                json={"model": self._model, "input": texts, "encoding_format": "float"},
                allow_redirects=False,  # the key is for this server only
            ) as response,
        ):
            if response.status != 200:
                raise ValueError("status")
            said = b""
            async for part in response.content.iter_chunked(65536):
                said += part
                if len(said) > _LARGEST_REPLY:
                    raise ValueError("size")
        found = _vectors_in(json.loads(said), len(texts))
        if self._width is None:
            self._width = found.shape[1]
        if found.shape[1] != self._width:
            raise ValueError("width")
        return found


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()


def _vectors_in(said: Any, count: int) -> Meanings:
    """Returns the vectors of a reply in the order that was asked for.

    Raises:
        ValueError: The reply is not what the API promises.
    """
    rows: dict[int, list[float] | Meanings] = {}
    data = said.get("data") if isinstance(said, dict) else None
    if not isinstance(data, list) or len(data) != count:
        raise ValueError("count")
    for place, item in enumerate(data):
        if not isinstance(item, dict) or not isinstance(number := item.get("index", place), int):
            raise ValueError("item")
        vector = item.get("embedding")
        if isinstance(vector, str):
            rows[number] = np.frombuffer(base64.b64decode(vector, validate=True), dtype="<f4")
        elif isinstance(vector, list) and all(type(value) in {int, float} for value in vector):
            rows[number] = vector
        else:
            raise ValueError("embedding")
    if set(rows) != set(range(count)) or len({len(row) for row in rows.values()}) != 1 or not len(rows[0]):
        raise ValueError("shape")
    found = np.array([rows[number] for number in range(count)], dtype=np.float32)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths < 1e-6).any():
        raise ValueError("length")
    return np.asarray(found / lengths, dtype=np.float32)
