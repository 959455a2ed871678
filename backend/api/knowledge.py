"""Asking the knowledge base, without the dialogue engine."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from backend import errors
from backend.api.endpoints import Call, Table
from backend.api.fields import Line, Request, Text, Word
from backend.knowledge.answering import SearchResult
from backend.replies import Reply

TABLE = Table("knowledge")


class SearchRequest(Request):
    """What is looked for."""

    q: Annotated[Line, Field(title="关键词", description="A question or keywords, at most 200 characters.")]
    k: Annotated[int, Field(title="条数", ge=1, le=20, description="How many hits at most.")] = 5
    district: Annotated[
        Word | None,
        Field(title="城区", description="Search this district's folder; the home district if left out."),
    ] = None


class AnswerRequest(Request):
    """A question, or an entry that was chosen."""

    question: Annotated[Text | None, Field(title="问题", description="The question in own words.")] = None
    entry: Annotated[Word | None, Field(title="条目", description="Answer from this entry instead.")] = None
    district: Annotated[Word | None, Field(title="城区", description="Answer for this district.")] = None
    last_entry: Annotated[
        Word | None, Field(title="上一条目", description="Entry of the last answer, for follow-up questions.")
    ] = None


@TABLE.get("/api/v1/knowledge/search", "Searches the knowledge base.")
async def get_search(call: Call, data: SearchRequest) -> SearchResult:
    """Searches, with a decision whether the best hit may be said, must be confirmed, or is no answer."""
    container = call.container
    return await container.aside.run(container.answers.search, data.q, k=data.k, district=data.district)


@TABLE.post(
    "/api/v1/knowledge/answer",
    "Answers a question, or from a chosen entry.",
    omit_none=True,
    errors=(errors.NotFound,),
)
async def post_answer(call: Call, data: AnswerRequest) -> Reply:
    """Answers in the shape of a chat reply."""
    if data.entry is not None:
        return call.container.answers.answer_entry(data.entry, question=data.question or "")
    if data.question is None:
        raise errors.InvalidInput("请填写问题（question）或条目（entry）。", field="question")
    container = call.container
    reply = await container.aside.run(
        container.answers.answer, data.question, district=data.district, last_entry=data.last_entry
    )
    return await call.container.phrasing.retell(reply, data.question)
