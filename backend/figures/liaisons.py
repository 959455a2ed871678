"""A liaison's month: what the appeals tell, what the task force enters, and the score of both.

The score is the calculator ``liaison-score``; nothing is computed twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from backend.appeals.calendar import local
from backend.appeals.ports import Clock
from backend.calculators import Calculators, Computation
from backend.errors import InvalidInput, NotFound
from backend.figures.model import month_bounds
from backend.figures.ports import Entered, FigureRepository, FigureUnitOfWorkFactory, LiaisonFacts
from backend.figures.service import require_staff
from backend.people.actors import Actor
from backend.people.audit import AuditEntry
from backend.people.checks import normal_username
from backend.people.roles import Role
from backend.permissions import Action

CALCULATOR: Final = "liaison-score"

ENTERED: Final = (
    "visit",
    "hidden",
    "tracked",
    "inspect_faults",
    "lead",
    "leader_visit",
    "posts",
    "media",
    "adopted",
    "stars",
)
"""What the task force enters; ``stars`` only where the enterprises rated the liaison apart from appeals."""

_CENT = Decimal("0.01")


@dataclass(frozen=True)
class LiaisonMonth:
    """A liaison's month.

    Attributes:
        username: Whose.
        month: As ``2026-11``.
        facts: What the appeals tell, as of now.
        entered: What the task force entered; None until it has.
        score: Computed from both; None until something was entered.
    """

    username: str
    month: str
    facts: LiaisonFacts
    entered: Entered | None
    score: Computation | None


def solved_pct(facts: LiaisonFacts) -> Decimal | None:
    """Share of the answered problems that the enterprise calls solved, in percent with two decimals."""
    return (Decimal(100 * facts.solved) / facts.answered).quantize(_CENT) if facts.answered else None


def mean_stars(facts: LiaisonFacts) -> Decimal | None:
    """Mean of the stars, with two decimals."""
    return (Decimal(facts.stars) / facts.rated).quantize(_CENT) if facts.rated else None


def score_input(facts: LiaisonFacts, entries: Mapping[str, Any]) -> dict[str, Any]:
    """The calculator's input for a month."""
    stars = entries.get("stars")
    return {
        **{name: value for name, value in entries.items() if name != "stars"},
        "uploads": facts.uploads,
        "overdue": facts.overdue,
        "solved_pct": solved_pct(facts),
        "stars": stars if stars is not None else mean_stars(facts),
    }


class LiaisonMonths:
    """Enters and shows the months.

    Args:
        unit_of_work: Opens a transaction.
        calculators: Compute the score.
        clock: The present moment.
    """

    def __init__(self, unit_of_work: FigureUnitOfWorkFactory, calculators: Calculators, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._calculators = calculators
        self._clock = clock

    async def get(self, actor: Actor, username: str, month: str) -> LiaisonMonth:
        """A liaison's month; a liaison sees their own.

        Raises:
            NotAllowed: The role sees no liaison's months.
            InvalidInput: Not a month.
            NotFound: There is no such liaison, or it is another than the one who asks.
        """
        role = require_staff(actor, Action.LIAISON_MONTHS_VIEW)
        month_bounds(month)
        name = normal_username(username) or ""
        if role is Role.LIAISON and actor.name != name:
            raise _nobody()
        async with self._unit_of_work(read_only=True) as work:
            facts = await self._facts(work.figures, name, month)
            entered = await work.figures.liaison_month(name, month)
        return self._month(name, month, facts, entered)

    async def enter(
        self, actor: Actor, username: str, month: str, entries: Mapping[str, Any]
    ) -> LiaisonMonth:
        """Enter a month anew, in place of what was entered before; the log keeps both.

        Args:
            actor: The task force.
            username: Whose month.
            month: As ``2026-11``; not a future one.
            entries: By the names of `ENTERED`; each is checked by the calculator.

        Raises:
            NotAllowed: The role enters nothing.
            InvalidInput: Not a month that has begun, or an entry that cannot be scored.
            NotFound: There is no such liaison.
        """
        require_staff(actor, Action.LIAISON_MONTHS_ENTER)
        since, _ = month_bounds(month)
        now = self._clock()
        if since > now:
            raise InvalidInput("这个月还没有开始，不能录入。", field="month")
        name = normal_username(username) or ""
        kept = {field: entries[field] for field in ENTERED if field in entries}
        async with self._unit_of_work() as work:
            facts = await self._facts(work.figures, name, month)
            before = await work.figures.liaison_month(name, month)
            entered = Entered(kept, now, actor.name)
            answer = self._month(name, month, facts, entered)
            await work.figures.save_liaison_month(name, month, kept, now, actor.name)
            old = before.entries if before else {}
            await work.audit.add(
                AuditEntry(now, actor, "liaison.month", f"{name} {month}", dict(old), dict(kept))
            )
            await work.commit()
        return answer

    async def _facts(self, figures: FigureRepository, username: str, month: str) -> LiaisonFacts:
        since, before = month_bounds(month)
        facts = await figures.liaison_facts(username, since, before, local(self._clock()))
        if facts is None:
            raise _nobody()
        return facts

    def _month(self, username: str, month: str, facts: LiaisonFacts, entered: Entered | None) -> LiaisonMonth:
        score = self._calculators.run(CALCULATOR, score_input(facts, entered.entries)) if entered else None
        return LiaisonMonth(username, month, facts, entered, score)


def _nobody() -> NotFound:
    return NotFound("没有找到这位助企员。")
