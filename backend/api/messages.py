"""Messages of one's desk, messages on their way, and the phone list."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool

from backend import errors
from backend.api import shapes
from backend.api.endpoints import Call, Table
from backend.api.fields import Moment, Number, Page, PageSize, Request, Response
from backend.appeals.notices import Audience, MessageKind
from backend.people.roles import Role
from backend.permissions import Action
from backend.supervision.model import Delivery, OutboxQuery, Outgoing

TABLE = Table("messages")

_Id = Annotated[int, Field(title="编号", ge=1, le=2**31 - 1, description="The message's id.")]


class MessagesQuery(Request):
    """Which page of the desk's messages."""

    unread: Annotated[bool, Field(title="只看未读", description="Only what nobody at the desk has read.")] = (
        False
    )
    page: Page = 1
    page_size: PageSize = 20


class DeskMessage(Response):
    """A message to a desk.

    Attributes:
        number: The appeal that it is about, if any.
        read_by: Who read it first; it is read for the whole desk then.
    """

    id: int
    kind: MessageKind
    number: str | None
    subject: str
    body: str
    created_at: Moment
    read_at: Moment | None
    read_by: str | None


class MessageList(Response):
    """One page: unread first, then newest first."""

    messages: list[DeskMessage]
    unread: int
    total: int
    page: int
    page_size: int


class MessageRequest(Request):
    """Which message."""

    id: _Id


class MessageDone(Response):
    """That it is done."""

    id: int


class OutboxRequest(Request):
    """Which messages; everything left out means any."""

    state: Annotated[Delivery | None, Field(title="状态")] = None
    audience: Annotated[Audience | None, Field(title="对象")] = None
    kind: Annotated[MessageKind | None, Field(title="类型")] = None
    page: Page = 1
    page_size: PageSize = 20


class OutboxMessage(DeskMessage):
    """A message on its way.

    Attributes:
        role: Of the desk; null for an enterprise.
        unit: Of the desk, where its role has units.
        channel: The way that the appeal came in, or ``desk``.
        state_text: The state in words; what cannot be delivered is reached by the phone list.
        next_try_at: While it waits.
        last_error: Why the last try failed.
    """

    audience: Audience
    role: Role | None
    unit: str | None
    channel: str
    state: Delivery
    state_text: str
    attempts: int
    next_try_at: Moment | None
    delivered_at: Moment | None
    last_error: str | None


class OutboxList(Response):
    """One page, newest first."""

    messages: list[OutboxMessage]
    total: int
    page: int
    page_size: int


class PhoneListQuery(Request):
    """Which page of the phone list."""

    page: Page = 1
    page_size: PageSize = 20


class CallMade(Response):
    """A call that was made before."""

    at: Moment | None
    outcome: str


class PhoneEntry(Response):
    """An enterprise to be called.

    Attributes:
        since: When the call fell due.
        resolved_at: When the lead resolved, or when it was not accepted.
        tried: Calls so far, oldest first.
        unreached: Messages that nothing could take to the enterprise.
    """

    appeal: shapes.DeskRow
    since: Moment
    resolved_at: Moment | None
    tried: list[CallMade]
    unreached: int


class PhoneList(Response):
    """One page, those due longest first."""

    calls: list[PhoneEntry]
    total: int
    page: int
    page_size: int


class CalledRequest(Request):
    """What came of a call. It closes nothing: only the enterprise's own word does."""

    number: Annotated[Number, Field(title="诉求编号")]
    outcome: Annotated[str, Field(title="回访结果", description="In own words.")]
    again: Annotated[
        StrictBool,
        Field(title="再次回访", description="Nobody was reached: on the list again next working day."),
    ] = False


class CalledAnswer(Response):
    """The appeal, which is as it was."""

    appeal: shapes.DeskRow


@TABLE.get(
    "/api/v1/desk/messages",
    "Lists the messages of the desk.",
    access="staff",
    action=Action.MESSAGES_VIEW,
)
async def get_messages(call: Call, data: MessagesQuery) -> MessageList:
    """Lists what the account's own unit or role is told."""
    found, unread = await call.container.supervision.messages.of_desk(
        call.staff.actor, unread=data.unread, page=data.page, page_size=data.page_size
    )
    return MessageList(
        messages=[DeskMessage.model_validate(_message(one)) for one in found.items],
        unread=unread,
        total=found.total,
        page=found.page,
        page_size=found.page_size,
    )


@TABLE.post(
    "/api/v1/desk/messages/{id}/read",
    "Marks a message of the desk as read.",
    access="staff",
    action=Action.MESSAGES_VIEW,
)
async def post_message_read(call: Call, data: MessageRequest) -> MessageDone:
    """Marks as read."""
    await call.container.supervision.messages.read(call.staff.actor, data.id)
    return MessageDone(id=data.id)


@TABLE.get(
    "/api/v1/desk/outbox",
    "Lists messages on their way, those given up among them.",
    access="staff",
    action=Action.OUTBOX_VIEW,
)
async def get_outbox(call: Call, data: OutboxRequest) -> OutboxList:
    """Lists messages to desks and enterprises."""
    query = OutboxQuery(data.state, data.audience, data.kind, data.page, data.page_size)
    found = await call.container.supervision.messages.outbox(call.staff.actor, query)
    return OutboxList(
        messages=[_outgoing(one) for one in found.items],
        total=found.total,
        page=found.page,
        page_size=found.page_size,
    )


@TABLE.post(
    "/api/v1/desk/outbox/{id}/retry",
    "Puts a message that could not be delivered on its way again.",
    access="staff",
    action=Action.OUTBOX_RETRY,
    errors=(errors.Conflict,),
)
async def post_outbox_retry(call: Call, data: MessageRequest) -> MessageDone:
    """Tries again, from the first try on."""
    await call.container.supervision.messages.again(call.staff.actor, data.id)
    return MessageDone(id=data.id)


@TABLE.get(
    "/api/v1/desk/phone-list",
    "Lists the silent enterprises that are to be called.",
    access="staff",
    action=Action.CALLS_MAKE,
)
async def get_phone_list(call: Call, data: PhoneListQuery) -> PhoneList:
    """Lists whom to call; a liaison sees their enterprises."""
    actor, now = call.staff.actor, call.container.clock()
    found = await call.container.supervision.calls.list(actor, data.page, data.page_size)
    calls = [
        PhoneEntry(
            appeal=shapes.row(one.appeal, now, actor),
            since=one.since,
            resolved_at=one.appeal.resolved_at,
            tried=[CallMade(at=row.acted_at, outcome=row.text) for row in one.tried],
            unreached=one.unreached,
        )
        for one in found.items
    ]
    return PhoneList(calls=calls, total=found.total, page=found.page, page_size=found.page_size)


@TABLE.post(
    "/api/v1/desk/appeals/{number}/called",
    "Keeps what came of a call to a silent enterprise.",
    access="staff",
    action=Action.CALLS_MAKE,
    errors=(errors.Conflict,),
)
async def post_called(call: Call, data: CalledRequest) -> CalledAnswer:
    """Takes the enterprise off the phone list; the appeal stays as it is."""
    actor = call.staff.actor
    appeal = await call.container.supervision.calls.called(actor, data.number, data.outcome, again=data.again)
    return CalledAnswer(appeal=shapes.row(appeal, call.container.clock(), actor))


def _message(one: Outgoing) -> dict[str, object]:
    message = one.message
    return {
        "id": one.id,
        "kind": message.kind,
        "number": message.number,
        "subject": message.subject,
        "body": message.body,
        "created_at": message.at,
        "read_at": one.read_at,
        "read_by": one.read_by,
    }


def _outgoing(one: Outgoing) -> OutboxMessage:
    message, waits = one.message, one.state is Delivery.WAITING
    return OutboxMessage.model_validate(
        {
            **_message(one),
            "audience": message.audience,
            "role": message.to.role if message.to else None,
            "unit": message.to.unit if message.to else None,
            "channel": message.channel,
            "state": one.state,
            "state_text": one.state.text,
            "attempts": one.attempts,
            "next_try_at": one.next_try_at if waits else None,
            "delivered_at": one.delivered_at,
            "last_error": one.last_error,
        }
    )
