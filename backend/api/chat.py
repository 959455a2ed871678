"""Talking."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from backend import errors
from backend.api.endpoints import Call, Table
from backend.api.fields import Key, Request, Sender
from backend.replies import Reply
from backend.text import clean

TABLE = Table("chat")


class ChatRequest(Request):
    """One message.

    Attributes:
        sender: Any stable id of who speaks.
        message: Text, or a button's payload.
        channel: The door it came through.
        idempotency_key: Sent again with the same key, a message is not taken a second time.
    """

    sender: Annotated[Sender, Field(title="发送者", description="Any stable id of who speaks.")]
    message: Annotated[str, Field(title="消息", description="Text, or the payload of a button.")]
    channel: Annotated[
        str, Field(title="渠道", pattern="^[a-z][a-z0-9_-]{0,31}$", description="The door.")
    ] = "web"
    idempotency_key: Annotated[
        Key | None,
        Field(
            title="请求编号",
            description="The caller's id of this message: repeated within ten minutes, it is taken once.",
        ),
    ] = None


@TABLE.post(
    "/api/v1/chat",
    "Says something and gets the answer.",
    omit_none=True,
    errors=(errors.Conflict, errors.TooMany),
)
async def post_chat(call: Call, data: ChatRequest) -> Reply:
    """Answers one message, with the dialogue engine or without it."""
    message = clean(data.message, lines=True)
    if not message:
        raise errors.InvalidInput("请输入您的问题。", field="message")
    longest = call.container.settings.max_message_chars
    if len(message) > longest:
        raise errors.InvalidInput(
            f"消息太长了，最多 {longest} 个字，请分几次发送。", field="message", maximum=longest
        )
    limit = call.limits.chat
    limit.check(data.sender)
    limit.take(data.sender)
    reply = await call.container.conversations.talk(data.sender, message, data.channel, data.idempotency_key)
    call.metrics.reply(reply.outcome)
    return reply
