"""The errors a caller can act on.

Every message is a plain sentence in Chinese that may be shown to the person who asked; the API maps each
class to one HTTP status and its ``code`` (`backend.api.errors`). Never put a phone, a name or a secret in a
message: messages reach logs.
"""

from __future__ import annotations

from typing import Any


class QifuError(Exception):
    """Base of all errors that are answered with a sentence.

    Attributes:
        code: Machine-readable name in snake_case, fixed for each class unless given.
        details: Small JSON-ready facts for programs, such as the field at fault.
    """

    code = "internal_error"

    def __init__(self, message: str, *, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details = details


class InvalidInput(QifuError):
    """What was sent cannot be used; the sentence names the field and what is wrong with it."""

    code = "invalid_input"


class NotFound(QifuError):
    """There is no such thing, or it is not the caller's to see: both answer alike."""

    code = "not_found"


class NotAuthenticated(QifuError):
    """Nobody is signed in, or the token is unknown, expired or revoked."""

    code = "not_authenticated"


class NotAllowed(QifuError):
    """The signed-in role may never do this, whoever owns the object."""

    code = "not_allowed"


class Conflict(QifuError):
    """The request is well formed but does not fit the present state (for example: already closed)."""

    code = "conflict"


class TooMany(QifuError):
    """Too many tries in a short time; the sentence says when to try again."""

    code = "too_many"


class Unavailable(QifuError):
    """A part that this needs does not answer at the moment; nothing was changed."""

    code = "unavailable"


class ContentError(QifuError):
    """The knowledge base breaks its rules; ``details`` carries ``file`` and ``line``."""

    code = "content_error"
