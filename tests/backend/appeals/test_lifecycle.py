from __future__ import annotations

from itertools import product

import pytest

from backend.appeals.lifecycle import BY_EVENT, TABLE, next_state
from backend.appeals.model import Event, State
from backend.errors import Conflict, NotAllowed
from backend.people.actors import Party
from backend.people.roles import Role

EVERYBODY: list[Role | Party] = [*Role, *Party]


def test_each_event_but_filing_has_one_row() -> None:
    assert sorted(row.event for row in TABLE) == sorted(set(Event) - {Event.FILE})
    assert len(BY_EVENT) == len(TABLE)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.event.value)
def test_every_cell_of_the_table(row: object) -> None:
    assert row in TABLE
    for state, role in product(State, EVERYBODY):
        if role not in row.roles:  # type: ignore[attr-defined]
            with pytest.raises(NotAllowed):
                next_state(state, row.event, role)  # type: ignore[attr-defined]
        elif state not in row.sources:  # type: ignore[attr-defined]
            with pytest.raises(Conflict) as refused:
                next_state(state, row.event, role)  # type: ignore[attr-defined]
            assert refused.value.details["state"] == state
        else:
            assert next_state(state, row.event, role) == (row.target or state)  # type: ignore[attr-defined]


def test_nothing_closes_but_the_enterprise_s_word_after_the_lead_s() -> None:
    closing = [row for row in TABLE if row.target is State.CLOSED]
    assert [row.event for row in closing] == [Event.CONFIRM]
    assert closing[0].sources == {State.RESOLVED}
    assert closing[0].roles == {Party.ENTERPRISE}
    resolving = [row for row in TABLE if row.target is State.RESOLVED]
    assert [row.event for row in resolving] == [Event.RESOLVE]
    assert not resolving[0].roles & {*Party, Role.ADMIN, Role.TASKFORCE, Role.OPERATOR}


def test_every_path_to_closed_passes_resolve_and_then_confirm() -> None:
    """Walks all paths from filed: none reaches closed without both words, one right after the other."""
    seen: set[tuple[State, bool]] = set()
    todo = [(State.FILED, False)]
    while todo:
        state, resolved = todo.pop()
        if (state, resolved) in seen:
            continue
        seen.add((state, resolved))
        for row in TABLE:
            if state not in row.sources or row.target is None:
                continue
            if row.target is State.CLOSED:
                assert resolved
                assert row.event is Event.CONFIRM
            todo.append((row.target, row.event is Event.RESOLVE))
    assert {state for state, _ in seen} == set(State)


@pytest.mark.parametrize("final", [State.CLOSED, State.WITHDRAWN])
def test_a_final_state_only_takes_notes(final: State) -> None:
    assert [row.event for row in TABLE if final in row.sources] == [Event.NOTE]


@pytest.mark.parametrize("role", [Role.LIAISON, Role.EDITOR])
def test_some_never_act_on_appeals(role: Role) -> None:
    assert not [row.event for row in TABLE if role in row.roles]
