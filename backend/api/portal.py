"""What the portal page says about itself."""

from __future__ import annotations

from backend.api.endpoints import Call, Table
from backend.api.fields import Response

TABLE = Table("portal")


class PortalAnswer(Response):
    """For the page's head and its empty conversation.

    Attributes:
        hotline: Name and number; None where the home district has none.
        suggestions: Questions that the knowledge base answers.
    """

    district: str
    hotline: str | None
    suggestions: list[str]


@TABLE.get("/api/v1/portal", "Tells the home district, its hotline and what can be asked.")
async def get_portal(call: Call, data: None) -> PortalAnswer:
    """Tells what the page shows before anything is asked."""
    directory = call.container.directory
    return PortalAnswer(
        district=directory.home.name, hotline=directory.hotline_text(), suggestions=directory.suggestions()
    )
