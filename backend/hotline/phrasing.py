"""Lets a language model say a found answer more smoothly; off unless an endpoint is set.

The model gets the composed answer and the question without personal data, and may only retell. What it writes
goes out only if `fidelity` finds nothing in it that the answer does not say; in every other case (a lie, a
timeout, a broken endpoint) the composed answer goes out, at the latest after the timeout.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from backend.knowledge import composing, fidelity
from backend.knowledge.answering import AnswerService
from backend.masking import mask
from backend.replies import Message, Reply

log = logging.getLogger(__name__)

_TASK = (
    "你是企业服务热线的文字编辑。请把“答案”改写得通顺、简短、有礼貌，直接回答“问题”。"
    "只能使用答案里已有的内容，数字、电话、日期、金额、网址和单位名称必须原样保留，不得增加、推断或解释，"
    "不要使用任何标记符号，只输出改写后的文字。"
)
_FAILURES = 3  # failures in a row from which the endpoint is left alone for a while
_REST = 60.0  # seconds that it is left alone
_LARGEST = 65_536  # bytes of a response that are read
_CHUNK = 8_192
_PHONE = re.compile(r"(?<![\d.])(?:0\d{2,3}-)?(?:1[3-9]\d{9}|[2-9]\d{6,7})(?!\d)")
_SHORTEST = 20  # characters below which there is nothing to smooth


class PhrasingService:
    """Retells answers through an OpenAI-compatible endpoint.

    Args:
        answers: Where the entries are that an answer came from.
        url: Base of the endpoint, as ``https://host/v1``; None turns it off.
        key: Sent as bearer token, if given.
        model: Name of the model.
        timeout: Seconds for one answer, everything included.
        clock: Monotonic seconds; tests give their own.
    """

    def __init__(
        self,
        answers: AnswerService,
        url: str | None,
        *,
        key: str | None = None,
        model: str = "",
        timeout: float = 3.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._answers = answers
        self._url = f"{url.rstrip('/')}/chat/completions" if url else None
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._model = model
        self._timeout = timeout
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._failures = 0
        self._closed_until = 0.0
        base = answers.base
        self._names = [
            name
            for items in (base.departments.values(), base.territories.values())
            for item in items
            for name in (item.name, *item.aliases)
        ]

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()

    async def retell(self, reply: Reply, question: str) -> Reply:
        """Returns the reply with its text retold, or as it is.

        Args:
            reply: What was composed; only a single message that answers from an entry is retold.
            question: What was asked; personal data are taken out before it is sent.
        """
        entry = self._answers.base.entries.get(reply.entry or "")
        if self._url is None or entry is None or reply.outcome != "answered" or len(reply.messages) != 1:
            return reply
        message = reply.messages[0]
        body, source = _divide(message)
        if len(body) < _SHORTEST or self._clock() < self._closed_until:
            return reply
        try:
            async with asyncio.timeout(self._timeout):
                said = await self._ask(body, mask(question))
        except (TimeoutError, aiohttp.ClientError, ValueError, OSError) as error:
            self._failed(type(error).__name__)
            return reply
        self._failures = 0
        told = f"{body}\n{entry.title}\n{entry.answer}"
        kept = fidelity.figures(body.split("\n", 1)[0])
        found = fidelity.fault(said, told, must_keep=kept, names=self._names)
        if found is not None:
            log.info("retold answer not used", extra={"fault": found, "entry": entry.id})
            return reply
        retold = message.model_copy(
            update={"text": "\n".join(part for part in (said.strip(), source) if part)}
        )
        return reply.model_copy(update={"messages": [retold]})

    def _failed(self, kind: str) -> None:
        self._failures += 1
        if self._failures >= _FAILURES:
            self._closed_until = self._clock() + _REST
            log.warning("phrasing endpoint left alone", extra={"error": kind, "seconds": _REST})

    async def _ask(self, answer: str, question: str) -> str:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self._headers)
        # Numbers of contacts stay here: the model sees places for them.
        phones = list(dict.fromkeys(_PHONE.findall(answer)))
        for number, phone in enumerate(phones):
            answer = answer.replace(phone, _place(number))
        content = json.dumps({"问题": question, "答案": answer}, ensure_ascii=False)
        data = {
            "model": self._model,
            "temperature": 0,
            "stream": False,
            "messages": [{"role": "system", "content": _TASK}, {"role": "user", "content": content}],
        }
        assert self._url is not None  # noqa: S101 - checked by the caller
        async with self._session.post(self._url, json=data, allow_redirects=False) as response:
            if response.status != 200:
                raise ValueError(f"status {response.status}")
            raw = b""
            async for chunk in response.content.iter_chunked(_CHUNK):
                raw += chunk
                if len(raw) > _LARGEST:
                    raise ValueError("response too large")
        said = _text_of(json.loads(raw))
        for number, phone in enumerate(phones):
            said = said.replace(_place(number), phone)
        return said


def _place(number: int) -> str:
    return f"〔电话{chr(ord('A') + number % 26)}{number // 26 or ''}〕"


def _text_of(data: Any) -> str:
    """Returns the text of a completion.

    Raises:
        ValueError: It has none.
    """
    try:
        said = data["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError("no completion") from error
    if not isinstance(said, str):
        raise ValueError("no text")
    return said


def _divide(message: Message) -> tuple[str, str]:
    """Returns the answer and the lines that say where it stands, which are never retold."""
    sources = [composing.source_line(citation) for citation in message.citations]
    lines = message.text.split("\n")
    return (
        "\n".join(line for line in lines if line not in sources),
        "\n".join(line for line in lines if line in sources),
    )
