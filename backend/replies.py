"""What the assistant says, in the one shape that every door renders (`/api/v1/chat`)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Outcome = Literal["answered", "clarifying", "unanswered", "form", "filed", "handoff", "chitchat"]


class Citation(BaseModel):
    """Where a served fact stands.

    Attributes:
        document: Title of the source document, as its issuer prints it.
        section: Section of the document, as printed.
        entry: Id of the knowledge-base entry that carries the fact.
    """

    model_config = ConfigDict(extra="forbid")

    document: str
    section: str
    entry: str


class Button(BaseModel):
    """A quick reply: ``payload`` sent back as a message presses it."""

    model_config = ConfigDict(extra="forbid")

    title: str
    payload: str


class Message(BaseModel):
    """One bubble: text first, for doors that can show nothing else; the rest where it can be shown.

    Attributes:
        text: Plain text, complete in itself.
        citations: Sources of the facts in ``text``.
        buttons: Quick replies.
        card: Structured view; ``card["type"]`` is ``entry``, ``appeal`` or ``form``.
    """

    model_config = ConfigDict(extra="forbid")

    text: str
    citations: list[Citation] = Field(default_factory=list)
    buttons: list[Button] = Field(default_factory=list)
    card: dict[str, Any] | None = None


class Reply(BaseModel):
    """The answer to one message.

    Attributes:
        messages: In the order in which they are to be shown; never empty.
        outcome: What kind of answer this is.
        entry: Id of the entry that was answered from; follow-up questions refer to it.
    """

    model_config = ConfigDict(extra="forbid")

    messages: list[Message]
    outcome: Outcome
    entry: str | None = None
