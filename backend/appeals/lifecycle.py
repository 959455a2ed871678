"""The life cycle of an appeal: one table of events × states × roles, and nothing decided elsewhere.

Closing needs two words (docs/135.md): the lead's `resolve` brings an appeal to `resolved`, and only the
enterprise's `confirm` brings it from there to `closed`. No other row of the table ends in `closed`, and
silence is no event.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.appeals.model import Event, State
from backend.errors import Conflict, NotAllowed
from backend.people.actors import Party
from backend.people.roles import Role

_S = State
_WORKING = frozenset({_S.ASSIGNED, _S.IN_WORK, _S.REPLIED, _S.REOPENED})
_UNRESOLVED = _WORKING | {_S.FILED}
_ALL = frozenset(State)


@dataclass(frozen=True)
class Transition:
    """One row of the table.

    Attributes:
        event: What happens.
        sources: States in which it may happen.
        target: State after it; None leaves the state as it is.
        roles: Who may do it at all; ownership is checked apart (`backend.appeals.access`).
        name: The deed in words, for sentences.
    """

    event: Event
    sources: frozenset[State]
    target: State | None
    roles: frozenset[Role | Party]
    name: str


def _row(
    event: Event, sources: frozenset[State], target: State | None, name: str, *roles: Role | Party
) -> Transition:
    return Transition(event, sources, target, frozenset(roles), name)


_DISPATCHERS = (Role.TERRITORY, Role.OPERATOR, Role.TASKFORCE, Role.ADMIN)
_HANDLERS = (Role.DEPARTMENT, Role.TERRITORY)

TABLE: tuple[Transition, ...] = (
    _row(Event.ASSIGN, frozenset({_S.FILED}), _S.ASSIGNED, "交办", *_DISPATCHERS),
    _row(Event.TRANSFER, _WORKING, _S.ASSIGNED, "转办", *_DISPATCHERS, Role.DEPARTMENT),
    _row(Event.REASSIGN, _WORKING, _S.ASSIGNED, "重新交办", Role.TASKFORCE, Role.ADMIN),
    _row(Event.START, frozenset({_S.ASSIGNED, _S.REOPENED}), _S.IN_WORK, "开始办理", *_HANDLERS),
    _row(Event.REPLY, _WORKING, _S.REPLIED, "答复", *_HANDLERS),
    _row(Event.RESOLVE, _WORKING, _S.RESOLVED, "办结", *_HANDLERS),
    _row(Event.CONFIRM, frozenset({_S.RESOLVED}), _S.CLOSED, "确认已解决", Party.ENTERPRISE),
    _row(Event.REJECT, frozenset({_S.RESOLVED}), _S.REOPENED, "反馈未解决", Party.ENTERPRISE),
    _row(Event.WITHDRAW, _UNRESOLVED, _S.WITHDRAWN, "撤回", Party.ENTERPRISE),
    _row(Event.ESCALATE, _WORKING, None, "提级", Role.TERRITORY, Role.TASKFORCE),
    _row(Event.SUPERVISE, _UNRESOLVED, None, "督办", Role.TASKFORCE, Role.INSPECTION),
    _row(Event.RECOMPUTE, _UNRESOLVED, None, "重算时限", Party.SYSTEM),
    _row(Event.NOTE, _ALL, None, "备注", *_DISPATCHERS, Role.DEPARTMENT, Role.INSPECTION, Role.LEADER),
)

BY_EVENT: dict[Event, Transition] = {row.event: row for row in TABLE}
"""The same table, by event; each event has one row."""


def next_state(state: State, event: Event, role: Role | Party) -> State:
    """The state after an event.

    Raises:
        NotAllowed: The role never does this.
        Conflict: Not in this state; ``details`` carry the state and what may follow it.
    """
    row = BY_EVENT.get(event)
    if row is None or role not in row.roles:
        raise NotAllowed(f"您的账号不能{row.name if row else '这样做'}。", event=event.value)
    if state not in row.sources:
        raise Conflict(
            f"诉求目前“{state.text}”，不能{row.name}。",
            code="wrong_state",
            state=state.value,
            event=event.value,
            possible=[other.event.value for other in TABLE if state in other.sources],
        )
    return row.target or state
