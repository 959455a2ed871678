"""The life cycle of an appeal: one table of events × states × roles, and nothing decided elsewhere.

Closing needs two words (docs/135.md): the lead's `resolve` brings an appeal to `resolved`, and only the
enterprise's `confirm` brings it from there to `closed`. An appeal that is not accepted owes an explanation,
and it too is closed by the enterprise alone, or comes back. No other row of the table ends in `closed`, and
silence is no event. The diagram in docs/135.md is drawn from this table by `scripts/lifecycle_diagram.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.appeals.model import AWAITING, SETTLED, Event, State
from backend.errors import Conflict, NotAllowed
from backend.people.actors import Party
from backend.people.roles import Role

_S = State
_UNRESOLVED = frozenset(State) - SETTLED
_WORKING = _UNRESOLVED - {_S.FILED}
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
_BEGUN = frozenset({_S.ASSIGNED, _S.TRANSFERRED, _S.REOPENED, _S.ESCALATED, _S.RETURNED})
_NOT_YET_IN_WORK = frozenset({_S.FILED, _S.ASSIGNED, _S.TRANSFERRED, _S.RETURNED})

TABLE: tuple[Transition, ...] = (
    _row(Event.ASSIGN, frozenset({_S.FILED}), _S.ASSIGNED, "交办", *_DISPATCHERS),
    _row(Event.TRANSFER, _WORKING, _S.TRANSFERRED, "转办", *_DISPATCHERS, Role.DEPARTMENT),
    _row(Event.REASSIGN, _WORKING, _S.ASSIGNED, "重新交办", Role.TASKFORCE, Role.ADMIN),
    _row(Event.START, _BEGUN, _S.IN_WORK, "开始办理", *_HANDLERS),
    _row(Event.REPLY, _WORKING, _S.REPLIED, "答复", *_HANDLERS),
    _row(Event.RESOLVE, _WORKING, _S.RESOLVED, "办结", *_HANDLERS),
    _row(Event.CONFIRM, AWAITING, _S.CLOSED, "确认已解决", Party.ENTERPRISE),
    _row(Event.REJECT, frozenset({_S.RESOLVED}), _S.REOPENED, "反馈未解决", Party.ENTERPRISE),
    _row(Event.REJECT, frozenset({_S.NOT_ACCEPTED}), _S.FILED, "不认可不予受理", Party.ENTERPRISE),
    _row(Event.DECLINE, _NOT_YET_IN_WORK, _S.NOT_ACCEPTED, "不予受理", Role.TERRITORY, Role.TASKFORCE),
    _row(Event.WITHDRAW, _UNRESOLVED | {_S.NOT_ACCEPTED}, _S.WITHDRAWN, "撤回", Party.ENTERPRISE),
    _row(
        Event.MERGE, _UNRESOLVED, _S.MERGED, "并案", Role.TERRITORY, Role.OPERATOR, Role.TASKFORCE, Role.ADMIN
    ),
    _row(
        Event.UNMERGE,
        frozenset({_S.MERGED}),
        _S.FILED,
        "取消并案",
        Role.TERRITORY,
        Role.OPERATOR,
        Role.TASKFORCE,
        Role.ADMIN,
        Party.ENTERPRISE,
        Party.SYSTEM,
    ),
    _row(Event.ESCALATE, _WORKING, _S.ESCALATED, "提级", Role.TERRITORY, Role.TASKFORCE),
    _row(Event.RETURN, _WORKING, _S.RETURNED, "退回提级", Role.TASKFORCE),
    _row(Event.SUPERVISE, _UNRESOLVED, None, "督办", Role.TASKFORCE, Role.INSPECTION),
    _row(Event.REMIND, _UNRESOLVED | AWAITING, None, "提醒", Party.SYSTEM),
    _row(Event.RECOMPUTE, _UNRESOLVED, None, "重算时限", Party.SYSTEM),
    _row(Event.ERASE, frozenset({_S.CLOSED, _S.WITHDRAWN, _S.MERGED}), None, "清除个人信息", Party.SYSTEM),
    _row(
        Event.NOTE,
        _ALL,
        None,
        "备注",
        *_DISPATCHERS,
        Role.DEPARTMENT,
        Role.INSPECTION,
        Role.LEADER,
        Role.LIAISON,
    ),
)


def roles_of(event: Event) -> frozenset[Role | Party]:
    """Who may do an event in some state."""
    return frozenset(role for row in TABLE if row.event is event for role in row.roles)


def next_state(state: State, event: Event, role: Role | Party) -> State:
    """The state after an event.

    Raises:
        NotAllowed: The role never does this.
        Conflict: Not in this state; ``details`` carry the state and what may follow it.
    """
    rows = [row for row in TABLE if row.event is event and role in row.roles]
    if not rows:
        name = next((row.name for row in TABLE if row.event is event), "这样做")
        raise NotAllowed(f"您的账号不能{name}。", event=event.value)
    for row in rows:
        if state in row.sources:
            return row.target or state
    raise Conflict(
        f"诉求目前“{state.text}”，不能{rows[0].name}。",
        code="wrong_state",
        state=state.value,
        event=event.value,
        possible=sorted({other.event.value for other in TABLE if state in other.sources}),
    )
