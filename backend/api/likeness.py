"""What one enterprise filed twice, and what many enterprises write about."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from backend import errors
from backend.api.desk import NumberRequest
from backend.api.endpoints import Call, Table
from backend.api.fields import Moment, Page, PageSize, Request, Response
from backend.appeals.duplicates import MOST_DAYS, Similar
from backend.appeals.model import TERRITORY_UNKNOWN, State
from backend.appeals.topics import Topic, Trend
from backend.knowledge.entries import BoardName
from backend.permissions import Action

TABLE = Table("desk")


class SimilarAppeal(Response):
    """An appeal of the same enterprise with a like problem.

    Attributes:
        score: Likeness by words from 0 to 1; 0 where only board or department are the same.
        shared: Words that both hold.
        reason: Why it is shown.
        mergeable: Whether the one asked for may be merged into this one, by who asks.
    """

    number: str
    text: str
    category: BoardName
    state: State
    state_text: str
    territory: str
    lead_department: str | None
    submitted_at: Moment
    score: float
    shared: list[str]
    reason: str
    mergeable: bool


class SimilarAppeals(Response):
    """The most alike first, at most twenty."""

    similar: list[SimilarAppeal]


class TopicsQuery(Request):
    """Which topics."""

    days: Annotated[
        int | None,
        Field(title="天数", ge=1, le=MOST_DAYS, description="Days to look back; left out: the setting."),
    ] = None
    page: Page = 1
    page_size: PageSize = 20


class PlaceCount(Response):
    """A territory and how many of the appeals come from there."""

    territory: str
    appeals: int


class HotTopic(Response):
    """Like problems of several enterprises.

    Attributes:
        title: The words of one of the letters that say best what it is about, without personal data.
        numbers: The newest appeals, at most five.
        earlier: Appeals in the earlier half of the days.
        later: Appeals in the later half.
        heat: Each enterprise counts 1, halved with every week since its last appeal.
    """

    title: str
    keywords: list[str]
    appeals: int
    enterprises: int
    first_at: Moment
    last_at: Moment
    territories: list[PlaceCount]
    numbers: list[str]
    earlier: int
    later: int
    trend: Trend
    trend_text: str
    heat: float


class HotTopics(Response):
    """One page of topics, the hottest first; the list is made anew after some minutes."""

    topics: list[HotTopic]
    total: int
    page: int
    page_size: int
    days: int
    computed_at: Moment


@TABLE.get(
    "/api/v1/desk/appeals/{number}/similar",
    "Lists the appeals of the same enterprise with a like problem; merging them is for people.",
    access="staff",
    action=Action.APPEALS_VIEW,
    errors=(errors.NotFound,),
)
async def get_similar(call: Call, data: NumberRequest) -> SimilarAppeals:
    """Lists what may be the same matter."""
    found = await call.container.likeness.similar(call.staff.actor, data.number)
    return SimilarAppeals(similar=[similar(one) for one in found])


@TABLE.get(
    "/api/v1/desk/hot-topics",
    "Lists the problems that several enterprises have at once, among the appeals that the account may see.",
    access="staff",
    action=Action.HOT_TOPICS_VIEW,
)
async def get_hot_topics(call: Call, data: TopicsQuery) -> HotTopics:
    """Lists hot topics."""
    found = await call.container.likeness.hot_topics(
        call.staff.actor, days=data.days, page=data.page, page_size=data.page_size
    )
    return HotTopics(
        topics=[_topic(topic) for topic in found.topics],
        total=found.total,
        page=found.page,
        page_size=found.page_size,
        days=found.days,
        computed_at=found.computed_at,
    )


def similar(found: Similar) -> SimilarAppeal:
    """Shows a like appeal beside the one that was asked for."""
    matter = found.matter
    return SimilarAppeal.model_validate(
        {
            "number": matter.number,
            "text": matter.text,
            "category": matter.category,
            "state": matter.state,
            "state_text": matter.state.text,
            "territory": matter.territory or TERRITORY_UNKNOWN,
            "lead_department": matter.lead_department,
            "submitted_at": matter.submitted_at,
            "score": found.score,
            "shared": list(found.shared),
            "reason": found.reason,
            "mergeable": found.mergeable,
        }
    )


def _topic(topic: Topic) -> HotTopic:
    return HotTopic(
        title=topic.title,
        keywords=list(topic.keywords),
        appeals=topic.appeals,
        enterprises=topic.enterprises,
        first_at=topic.first_at,
        last_at=topic.last_at,
        territories=[PlaceCount(territory=name, appeals=count) for name, count in topic.territories],
        numbers=list(topic.numbers),
        earlier=topic.earlier,
        later=topic.later,
        trend=topic.trend,
        trend_text=topic.trend.text,
        heat=topic.heat,
    )
