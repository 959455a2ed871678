"""The one way from the actions to the backend: its public HTTP API, typed."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any, Literal, TypeVar

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Model = TypeVar("Model", bound=BaseModel)

DEFAULT_URL = "http://127.0.0.1:8080"
_TIMEOUT = aiohttp.ClientTimeout(total=5.0, connect=1.0)
_TERRITORY_SECONDS = 600.0


class BackendError(Exception):
    """The backend refused or did not answer.

    Attributes:
        status: HTTP status, or None where there was no answer at all.
        code: The API's machine-readable code, or ``unavailable``.
        sentence: What may be shown to the person; empty where the backend gave none.
    """

    def __init__(
        self, status: int | None, code: str, sentence: str = "", details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.sentence = sentence
        self.details = details or {}

    @property
    def is_refusal(self) -> bool:
        """Whether the request itself was refused, so that sending it again is of no use."""
        return self.status is not None and 400 <= self.status < 500 and self.status not in (408, 425, 429)


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Citation(_Lenient):
    """Where a fact stands."""

    document: str
    section: str
    entry: str


class Button(_Lenient):
    """A quick reply."""

    title: str
    payload: str


class Message(_Lenient):
    """One bubble as the backend sends it."""

    text: str
    citations: list[Citation] = Field(default_factory=list)
    buttons: list[Button] = Field(default_factory=list)
    card: dict[str, Any] | None = None


class Reply(_Lenient):
    """The answer to a question."""

    messages: list[Message]
    outcome: str
    entry: str | None = None


class Candidate(_Lenient):
    """A department that may lead."""

    department: str
    probability: float


class Problem(_Lenient):
    """One separate problem in a text, as triage sees it."""

    text: str
    category: str
    level: str
    lead_department: str | None = None
    co_departments: list[str] = Field(default_factory=list)
    candidates: list[Candidate] = Field(default_factory=list)
    reasons: list[str] = Field(default_factory=list)


class _Triage(_Lenient):
    problems: list[Problem]


class Appeal(_Lenient):
    """An appeal as the enterprise may see it."""

    number: str
    level: str
    level_text: str = ""
    category: str = ""
    text: str = ""
    lead_department: str | None = None
    co_departments: list[str] = Field(default_factory=list)
    territory: str | None = None
    state: str = ""
    state_text: str = ""
    submitted_at: str = ""
    due_at: str = ""
    merged_into: str | None = None
    replies: list[dict[str, Any]] = Field(default_factory=list)
    history: list[dict[str, Any]] = Field(default_factory=list)
    feedback: dict[str, Any] | None = None

    def card(self) -> dict[str, Any]:
        """The structured view that the doors draw."""
        names = (
            "number", "level", "level_text", "category", "lead_department", "co_departments", "territory",
            "state", "state_text", "submitted_at", "due_at",
        )  # fmt: skip
        return {"type": "appeal", **{name: getattr(self, name) for name in names}}


class Filed(_Lenient):
    """What filing gave: one appeal for each separate problem."""

    group: str = ""
    appeals: list[Appeal]


class _Found(_Lenient):
    appeal: Appeal


class _Recorded(_Lenient):
    hotline: Message | None = None


class _Computed(_Lenient):
    result: dict[str, Any]


class Territory(_Lenient):
    """A platform or street."""

    name: str
    kind: str = ""
    aliases: list[str] = Field(default_factory=list)


class _Territories(_Lenient):
    territories: list[Territory]


class Backend:
    """A client with its own connection pool; one for each event loop.

    Every call raises `BackendError` where the backend refuses, fails or keeps silent for five seconds.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._territories: tuple[float, list[Territory]] | None = None

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None and not self._session.closed:
            await self._session.close()
        self._session = None

    async def answer(self, question: str, *, last_entry: str | None = None) -> Reply:
        """Lets the knowledge base answer a question, ask back or refuse."""
        body: dict[str, Any] = {"question": question}
        if last_entry:
            body["last_entry"] = last_entry
        return await self._post("/knowledge/answer", body, Reply)

    async def answer_entry(self, entry: str) -> Reply:
        """Answers from one entry that was chosen."""
        return await self._post("/knowledge/answer", {"entry": entry}, Reply)

    async def triage(self, text: str, territory: str | None) -> list[Problem]:
        """Proposes level and departments for each separate problem of a text."""
        body: dict[str, Any] = {"text": text}
        if territory:
            body["territory"] = territory
        return (await self._post("/triage", body, _Triage)).problems

    async def due_at(self, level: str, submitted_at: str) -> str | None:
        """When an appeal of a level would be due, if it were filed at a moment (both ISO 8601)."""
        body = {"level": level, "submitted_at": submitted_at}
        result = (await self._post("/calculators/deadline", body, _Computed)).result
        due = result.get("due_at")
        return due if isinstance(due, str) else None

    async def file(
        self,
        *,
        enterprise: str,
        contact: str,
        phone: str,
        text: str,
        territory: str | None,
        channel: str,
        idempotency_key: str,
    ) -> Filed:
        """Files an appeal; the same key with the same content gives the same appeal again."""
        body: dict[str, Any] = {
            "enterprise": enterprise,
            "contact": contact,
            "phone": phone,
            "text": text,
            "channel": channel,
            "idempotency_key": idempotency_key,
        }
        if territory:
            body["territory"] = territory
        return await self._post("/appeals", body, Filed)

    async def filed(self, idempotency_key: str) -> list[Appeal]:
        """What was filed under a key, whether or not its answer arrived; empty where nothing was."""
        try:
            return (await self._post("/appeals/filed", {"idempotency_key": idempotency_key}, Filed)).appeals
        except BackendError as error:
            if error.status == 404:
                return []
            raise

    async def lookup(self, number: str, phone: str) -> Appeal:
        """Shows an appeal to the enterprise that filed it."""
        return (await self._post("/appeals/lookup", {"number": number, "phone": phone}, _Found)).appeal

    async def feedback(
        self, number: str, *, phone: str, result: Literal["resolved", "unresolved"], stars: int, comment: str
    ) -> Appeal:
        """Hands in what the enterprise says of the outcome; answers with the appeal as it then stands."""
        body = {"phone": phone, "result": result, "stars": stars, "comment": comment}
        return (await self._post(f"/appeals/{number}/feedback", body, _Found)).appeal

    async def withdraw(self, number: str, *, phone: str, reason: str) -> Appeal:
        """Takes an appeal back; answers with the appeal as it then stands."""
        body = {"phone": phone, "reason": reason}
        return (await self._post(f"/appeals/{number}/withdraw", body, _Found)).appeal

    async def handoff(self, sender: str, reason: str, channel: str) -> Message | None:
        """Records that a person is wanted; answers with the hotline to call meanwhile, if there is one."""
        body = {"sender": sender, "reason": reason, "channel": channel}
        return (await self._post("/handoffs", body, _Recorded)).hotline

    async def territories(self) -> list[Territory]:
        """All platforms and streets that triage appeals; remembered for ten minutes."""
        now = time.monotonic()
        if self._territories and now - self._territories[0] < _TERRITORY_SECONDS:
            return self._territories[1]
        found = _read(_Territories, await self._request("GET", "/territories", None)).territories
        self._territories = (now, found)
        return found

    async def _post(self, path: str, body: dict[str, Any], model: type[Model]) -> Model:
        return _read(model, await self._request("POST", path, body))

    async def _request(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        session = self._connected()
        try:
            async with session.request(method, f"{self._url}/api/v1{path}", json=body) as response:
                data = await response.json(content_type=None)
                status = response.status
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise BackendError(None, "unavailable") from error
        if status < 400:
            return data
        error_body = data.get("error", {}) if isinstance(data, dict) else {}
        code, sentence = error_body.get("code", "error"), error_body.get("message", "")
        raise BackendError(status, code, sentence if status < 500 else "", error_body.get("details"))

    def _connected(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._session is None or self._session.closed or self._loop is not loop:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=False)
            self._loop = loop
        return self._session


def _read(model: type[Model], data: Any) -> Model:
    try:
        return model.model_validate(data)
    except ValidationError:
        # from None: what pydantic prints holds the personal data that it could not read
        raise BackendError(502, "unreadable") from None


_clients: dict[str, Backend] = {}
_chosen: list[str] = []


def use(url: str) -> None:
    """Sets the backend that the actions of this process talk to, instead of ``QIFU_BACKEND_URL``."""
    _chosen[:] = [url]


def backend() -> Backend:
    """The process's client for the backend."""
    url = _chosen[0] if _chosen else os.environ.get("QIFU_BACKEND_URL", DEFAULT_URL)
    if url not in _clients:
        _clients[url] = Backend(url)
    return _clients[url]


async def close_all() -> None:
    """Closes every client of the process."""
    for client in _clients.values():
        await client.close()
    _clients.clear()
