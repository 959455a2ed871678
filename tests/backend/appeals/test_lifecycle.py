from __future__ import annotations

import importlib
from itertools import combinations, product
from pathlib import Path

import pytest

from backend.appeals.lifecycle import TABLE, next_state, roles_of
from backend.appeals.model import Event, State
from backend.errors import Conflict, NotAllowed
from backend.people.actors import Party
from backend.people.roles import Role

ROOT = Path(__file__).parents[3]
EVERYBODY: list[Role | Party] = [*Role, *Party]


def test_every_event_but_filing_has_a_row() -> None:
    assert {row.event for row in TABLE} == set(Event) - {Event.FILE}


def test_no_state_has_two_rows_for_one_event() -> None:
    for event in Event:
        rows = [row for row in TABLE if row.event is event]
        for first, second in combinations(rows, 2):
            assert not first.sources & second.sources


@pytest.mark.parametrize("event", sorted({row.event for row in TABLE}))
def test_every_cell_of_the_table(event: Event) -> None:
    rows = [row for row in TABLE if row.event is event]
    for state, role in product(State, EVERYBODY):
        fitting = [row for row in rows if role in row.roles and state in row.sources]
        if role not in roles_of(event):
            with pytest.raises(NotAllowed):
                next_state(state, event, role)
        elif not fitting:
            with pytest.raises(Conflict) as refused:
                next_state(state, event, role)
            assert refused.value.details["state"] == state
        else:
            assert next_state(state, event, role) == (fitting[0].target or state)


def test_nothing_closes_but_the_enterprise_s_word() -> None:
    closing = [row for row in TABLE if row.target is State.CLOSED]
    assert [row.event for row in closing] == [Event.CONFIRM]
    assert closing[0].sources == {State.RESOLVED, State.NOT_ACCEPTED}
    assert closing[0].roles == {Party.ENTERPRISE}
    resolving = [row for row in TABLE if row.target is State.RESOLVED]
    assert [row.event for row in resolving] == [Event.RESOLVE]
    assert not resolving[0].roles & {*Party, Role.ADMIN, Role.TASKFORCE, Role.OPERATOR}


def test_every_path_to_closed_passes_a_unit_s_word_and_then_the_enterprise_s() -> None:
    """Walks all paths from filed: none reaches closed without both words, one right after the other."""
    seen: set[tuple[State, bool]] = set()
    todo = [(State.FILED, False)]
    while todo:
        state, said = todo.pop()
        if (state, said) in seen:
            continue
        seen.add((state, said))
        for row in TABLE:
            if state not in row.sources or row.target is None:
                continue
            if row.target is State.CLOSED:
                assert said
                assert row.event is Event.CONFIRM
            todo.append((row.target, row.event in (Event.RESOLVE, Event.DECLINE)))
    assert {state for state, _ in seen} == set(State)


@pytest.mark.parametrize("final", [State.CLOSED, State.WITHDRAWN])
def test_a_final_state_only_takes_notes_and_loses_personal_data(final: State) -> None:
    assert {row.event for row in TABLE if final in row.sources} == {Event.NOTE, Event.ERASE}


def test_an_editor_never_acts_on_appeals() -> None:
    assert not [row.event for row in TABLE if Role.EDITOR in row.roles]


def test_a_liaison_only_notes() -> None:
    assert [row.event for row in TABLE if Role.LIAISON in row.roles] == [Event.NOTE]


def test_the_page_about_the_life_cycle_is_drawn_from_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    drawn = importlib.import_module("lifecycle_diagram").page()
    assert (ROOT / "docs/lifecycle.md").read_text(encoding="utf-8") == drawn
