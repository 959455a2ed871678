"""Write docs/permissions.md from the code: `PYTHONPATH=. .venv/bin/python scripts/permissions_table.py`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from backend.api.app import ENDPOINTS
from backend.people.roles import Role
from backend.permissions import PERMISSIONS, Action

TARGET = Path(__file__).resolve().parent.parent / "docs" / "permissions.md"

HEAD = """# Who may do what

Written by `scripts/permissions_table.py` from `backend/permissions.py`, the life cycle's table
(`backend/appeals/lifecycle.py`) and the declared endpoints; a test keeps it current. Another test asks every
endpoint in every role, for what is the role's own and what is not, and compares with
`tests/backend/api/permissions.txt`, which is written by hand.

Three questions are asked, in this order:

1. **May the role ever do this?** The table below. If not: 403, whether or not what was asked for exists.
2. **Is it theirs?** What is not answers 404, with the same bytes and after the same statements to the
   database as what is not there.
3. **Does it fit?** Some deeds are the lead's alone, or of those who handle an appeal (403), and each needs a
   state that it fits (409).

What is whose:

| role | sees |
| --- | --- |
| department | the appeals that it leads or co-handles, once they are assigned |
| territory | its own appeals, and those whose territory nobody has confirmed |
| liaison | the appeals of the enterprises that they are paired with, and those enterprises |
| all others who may see appeals | all |

The task force or an admin pairs liaisons with enterprises. A territory does not: no document says which
enterprises are a territory's, so it could not be told whether it pairs its own.

Everybody sees and ends their own sessions and changes their own password.

## Roles

"""

TAIL = """
## For everybody who is signed in

{anybody}

## Without signing in

{public}
"""


def page() -> str:
    """Return the whole page."""
    roles = list(Role)
    lines = [
        f"| | {' | '.join(role.value for role in roles)} |\n",
        f"| --- |{' :-: |' * len(roles)}\n",
    ]
    for action in sorted(Action, key=lambda action: action.value):
        signs = " | ".join("yes" if role in PERMISSIONS[action] else "" for role in roles)
        lines.append(f"| `{action.value}` | {signs} |\n")
    lines.append("\n## What each is for\n\n| action | endpoints |\n| --- | --- |\n")
    for action in sorted(Action, key=lambda action: action.value):
        uses = [found for found in ENDPOINTS if found.action is action]
        words = "<br>".join(f"`{found.method} {found.path}`: {found.summary}" for found in uses)
        lines.append(f"| `{action.value}` | {words or 'none yet'} |\n")
    staff = [found for found in ENDPOINTS if found.access == "staff" and found.action is None]
    public = [found for found in ENDPOINTS if found.access == "public"]
    tail = TAIL.format(
        anybody=_list(f"`{found.method} {found.path}`: {found.summary}" for found in staff),
        public=_list(f"`{found.method} {found.path}`" for found in public),
    )
    return HEAD + "".join(lines) + tail


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
