"""How a route is declared: once, with everything that its description and its checks need.

An `Endpoint` names method, path, who may call, one request model and one response model. From the same
declaration come the route (`backend.api.app`), the checks of what was sent (`backend.api.reading`) and the
public description (`backend.api.openapi`).

A request model holds everything that can be sent: fields that the path names are taken from the path, all
others from the JSON body, or from the query where the method is GET.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar, get_type_hints

from aiohttp import web
from pydantic import BaseModel

from backend import errors
from backend.api.authentication import SignedIn
from backend.api.limits import Limits
from backend.api.metrics import Metrics
from backend.composition import Container
from backend.permissions import Action

In = TypeVar("In", bound=BaseModel | None)
Access = Literal["public", "staff"]
Method = Literal["GET", "POST"]
_PATH_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Call:
    """What a handler may know about one request besides its data.

    Attributes:
        container: The capabilities.
        limits: How often something may be tried.
        metrics: What is counted.
        caller: Network address of the caller, for limits only; never logged or kept.
        signed_in: Who signed in; None on a public endpoint.
        request: The HTTP request itself, for the few handlers that answer with more than JSON.
    """

    container: Container
    limits: Limits
    metrics: Metrics
    caller: str
    signed_in: SignedIn | None
    request: web.Request

    @property
    def staff(self) -> SignedIn:
        """The member of staff that calls.

        Raises:
            NotAuthenticated: On a public endpoint.
        """
        if self.signed_in is None:
            raise errors.NotAuthenticated("请先登录。")
        return self.signed_in


Answer = BaseModel | web.StreamResponse
Handler = Callable[[Call, In], Awaitable[Answer]]


@dataclass(frozen=True)
class Endpoint(Generic[In]):
    """One declared route.

    Attributes:
        method: GET or POST.
        path: With path fields in braces, as in ``/api/v1/departments/{id}``.
        summary: One line for the API's description.
        tag: The capability it belongs to.
        handler: Answers with a response model, or with a whole HTTP response where JSON is not enough.
        takes: Request model, from the handler's annotation; None where nothing can be sent.
        gives: Response model, from the handler's annotation unless it answers with a whole HTTP response;
            None where the answer is not JSON.
        status: Of a successful answer.
        access: ``staff`` needs a bearer token or a session cookie.
        action: What a role must be allowed to do; None where every member of staff may, or everybody.
        errors: Errors of its own; those that follow from the declaration are added by the description.
        whole_body: Name of the one field that takes the whole JSON body.
        omit_none: Leaves optional parts out of the answer where they are not there.
        media_type: Of an answer that is not JSON.
        also: Further statuses with the same body.
    """

    method: Method
    path: str
    summary: str
    tag: str
    handler: Handler[In]
    takes: type[BaseModel] | None = None
    gives: type[BaseModel] | None = None
    status: int = 200
    access: Access = "public"
    action: Action | None = None
    errors: tuple[type[errors.QifuError], ...] = ()
    whole_body: str | None = None
    omit_none: bool = False
    media_type: str = "application/json"
    also: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The handler's name, which is also the operation's id."""
        return str(getattr(self.handler, "__name__", "handler"))

    @property
    def path_fields(self) -> tuple[str, ...]:
        """Names of the fields that stand in the path, in order."""
        return tuple(_PATH_FIELD.findall(self.path))

    @property
    def other_fields(self) -> tuple[str, ...]:
        """Names, as they are sent, of the fields that come from the query or the body."""
        if self.takes is None:
            return ()
        fields = self.takes.model_fields.items()
        return tuple(known.alias or name for name, known in fields if name not in self.path_fields)

    @property
    def reads_body(self) -> bool:
        """Whether a JSON body is read."""
        return self.method == "POST" and bool(self.other_fields)


@dataclass
class Table:
    """The endpoints of one capability, filled by the decorators `get` and `post`."""

    tag: str
    endpoints: list[Endpoint[Any]] = field(default_factory=list)

    def get(self, path: str, summary: str, **more: Any) -> Callable[[Handler[In]], Handler[In]]:
        """Declares a GET endpoint; ``more`` are attributes of `Endpoint`."""
        return self._declare("GET", path, summary, more)

    def post(self, path: str, summary: str, **more: Any) -> Callable[[Handler[In]], Handler[In]]:
        """Declares a POST endpoint; ``more`` are attributes of `Endpoint`."""
        return self._declare("POST", path, summary, more)

    def _declare(
        self, method: Method, path: str, summary: str, more: dict[str, Any]
    ) -> Callable[[Handler[In]], Handler[In]]:
        def remember(handler: Handler[In]) -> Handler[In]:
            hints = get_type_hints(handler)
            known = {"takes": _model(hints["data"]), "gives": _model(hints["return"]), **more}
            self.endpoints.append(Endpoint(method, path, summary, self.tag, handler, **known))
            return handler

        return remember

    def __iter__(self) -> Iterator[Endpoint[Any]]:
        return iter(self.endpoints)


def _model(hint: Any) -> type[BaseModel] | None:
    return hint if isinstance(hint, type) and issubclass(hint, BaseModel) else None
