"""Writes docs/lifecycle.md, the diagram and the table of an appeal's life cycle, from the table in code."""

from __future__ import annotations

from pathlib import Path

from backend.appeals.lifecycle import TABLE, Transition
from backend.appeals.model import SETTLED, Event, State
from backend.people.actors import Party
from backend.people.roles import Role

PAGE = Path(__file__).resolve().parent.parent / "docs" / "lifecycle.md"

_HEAD = """\
# The life of an appeal

Generated from `backend/appeals/lifecycle.py` by `scripts/lifecycle_diagram.py`; a test keeps it current.
Who may do an event at all stands here; whether the appeal is theirs is a second question
(`backend/appeals/access.py`).

No path ends in `closed` but through the enterprise's own word.
"""


WORKING = frozenset(State) - SETTLED - {State.FILED}
"""Drawn as one box: what may happen in all of them is one arrow."""


def _diagram() -> list[str]:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {State.FILED.value}: {Event.FILE.value}"]
    lines += [f'    state "{state.value} {state.text}" as {state.value}' for state in State]
    lines += [
        "    state working {",
        *(f"        {state.value}" for state in State if state in WORKING),
        "    }",
    ]
    for row in TABLE:
        if row.target is None:
            continue
        from_all = row.sources >= WORKING
        names = ["working"] if from_all else []
        names += [s.value for s in State if s in row.sources and not (from_all and s in WORKING)]
        lines += [f"    {name} --> {row.target.value}: {row.event.value}" for name in names]
    finals = [state for state in State if not any(state in row.sources and row.target for row in TABLE)]
    lines += [f"    {state.value} --> [*]" for state in finals]
    return [*lines, "```"]


def _who(row: Transition) -> str:
    order: list[Role | Party] = [*Role, *Party]
    return ", ".join(one.value for one in order if one in row.roles)


def _table() -> list[str]:
    lines = ["| event | meaning | from | to | who |", "|---|---|---|---|---|"]
    for row in TABLE:
        sources = (
            "any" if row.sources == frozenset(State) else ", ".join(s for s in State if s in row.sources)
        )
        target = row.target.value if row.target else "the same"
        lines.append(f"| `{row.event.value}` | {row.name} | {sources} | {target} | {_who(row)} |")
    return lines


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_diagram(), "", *_table(), ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
