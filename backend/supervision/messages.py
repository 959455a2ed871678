"""Messages as people see them: those of one's own desk, and all that are on their way."""

from __future__ import annotations

from backend.appeals.notices import Desk
from backend.appeals.ports import Clock
from backend.errors import Conflict, NotFound
from backend.people.actors import Actor
from backend.permissions import Action
from backend.supervision.model import MessageQuery, OutboxQuery, Outgoing, Page
from backend.supervision.ports import SupervisionUnitOfWorkFactory
from backend.supervision.staff import role_for


def desk_of(actor: Actor) -> Desk:
    """The desk of a member of staff; units stand only where a role has one."""
    role = role_for(actor)
    return Desk(role, (actor.unit or "") if role.needs_unit else None)


class MessageService:
    """Reads and repeats messages.

    Args:
        unit_of_work: Opens a transaction.
        clock: The present moment.
    """

    def __init__(self, unit_of_work: SupervisionUnitOfWorkFactory, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def of_desk(
        self, actor: Actor, *, unread: bool = False, page: int = 1, page_size: int = 20
    ) -> tuple[Page[Outgoing], int]:
        """One page of the messages of the actor's desk, and how many nobody there has read.

        A message is the desk's, not the person's: read by one, it is read for all of the unit.

        Raises:
            NotAllowed: The role has no messages.
        """
        role_for(actor, Action.MESSAGES_VIEW)
        desk = desk_of(actor)
        async with self._unit_of_work(read_only=True) as work:
            found = await work.outbox.of_desk(MessageQuery(desk, unread, page, page_size))
            return found, await work.outbox.unread(desk)

    async def read(self, actor: Actor, message_id: int) -> None:
        """Mark a message of the actor's desk as read; again, it stays with who read it first.

        Raises:
            NotAllowed: The role has no messages.
            NotFound: No such message, or another desk's.
        """
        role_for(actor, Action.MESSAGES_VIEW)
        async with self._unit_of_work() as work:
            if not await work.outbox.read(message_id, desk_of(actor), actor.name, self._clock()):
                raise NotFound("没有找到这条消息。")
            await work.commit()

    async def outbox(self, actor: Actor, query: OutboxQuery) -> Page[Outgoing]:
        """One page of all messages, newest first.

        Raises:
            NotAllowed: The role does not look after the outbox.
        """
        role_for(actor, Action.OUTBOX_VIEW)
        async with self._unit_of_work(read_only=True) as work:
            return await work.outbox.find(query)

    async def again(self, actor: Actor, message_id: int) -> None:
        """Put a message that could not be delivered on its way again.

        Raises:
            NotAllowed: The role does not look after the outbox.
            NotFound: No such message.
            Conflict: It is on its way, delivered, or read at a desk.
        """
        role_for(actor, Action.OUTBOX_RETRY)
        async with self._unit_of_work() as work:
            repeated = await work.outbox.again(message_id, self._clock())
            if repeated is None:
                raise NotFound("没有找到这条消息。")
            if not repeated:
                raise Conflict("这条消息不需要重新发送。", code="wrong_state")
            await work.commit()
