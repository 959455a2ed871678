"""The schema of `knowledge_base/`: what an official may write in a YAML file, and nothing else.

One folder is one jurisdiction. A file holds a list under one key that names its kind::

    documents.yaml      documents:    [Document]
    jurisdiction.yaml   jurisdiction: Jurisdiction
    departments.yaml    departments:  [Department]
    territories.yaml    territories:  [Territory]
    boards.yaml         boards:       [Board]
    topics*.yaml        topics:       [Topic]          what appeals are about, for triage
    signals.yaml        signals:      [Signal]         words that decide an appeal's level
    catalogues.yaml     catalogues:   [Catalogue]      printed lists of services
    any other *.yaml    entries:      [Entry]          what questions are answered from

Ids are unique in the whole knowledge base and start with the folder's short prefix (`qt.`, `bj.`, `sc.`,
`nb.`, `zj.`). Whatever refers to another object does so by id, and `qifu check` follows every reference.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

BoardName = Literal["人才", "科创", "政策", "金融", "开放", "法治", "诉求", "兜底", "项目", "审批"]
EntryKind = Literal[
    "faq",  # a question with its answer
    "service",  # a service that an enterprise can use
    "policy",  # a support, award or subsidy
    "rule",  # how something is decided, scored, counted or timed
    "contact",  # a hotline or an office with its number or address
    "channel",  # a way in: a site, an app, a window, a meeting
    "organisation",  # who does what
    "definition",  # what a word means
    "notice",  # what the documents do not hold, said plainly
]
Facet = Literal[
    "phone",
    "address",
    "hours",
    "link",
    "materials",
    "conditions",
    "steps",
    "time_limit",
    "amount",
    "unit",
    "audience",
    "dates",
    "items",
    "score",
    "share",
    "definition",
]
LevelName = Literal["simple", "single", "whistle"]
ProviderName = Literal["government", "enterprise", "society"]

_ID = re.compile(r"^[a-z]{2}(\.[a-z0-9][a-z0-9-]*)+$")
_MOBILE = re.compile(r"^1[3-9]\d{9}$")
_LANDLINE = re.compile(r"^(?:0\d{2,3}-)?[2-9]\d{6,7}(?:-\d{1,6})?$")
_SERVICE = re.compile(r"^(?:(?:400|800)-?\d{3}-?\d{4}|1\d{4}|1[12]\d)$")


def _check_id(value: str) -> str:
    if not _ID.match(value):
        raise ValueError(f"“{value}” 不是合法的编号：以两个字母的前缀开头，用点和小写字母、数字、连字符组成")
    return value


def _check_phone(value: str) -> str:
    if not (_MOBILE.match(value) or _LANDLINE.match(value) or _SERVICE.match(value)):
        raise ValueError(f"“{value}” 不可能是一个电话号码")
    return value


def _check_url(value: str) -> str:
    if not re.match(r"^https?://[^\s]+$", value):
        raise ValueError(f"“{value}” 不是以 http:// 或 https:// 开头的网址")
    return value


Id = Annotated[str, AfterValidator(_check_id)]
PhoneNumber = Annotated[str, AfterValidator(_check_phone)]
Url = Annotated[str, AfterValidator(_check_url)]
Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Source(_Strict):
    """Where the facts of an object stand in a source document.

    Attributes:
        document: Id of a `Document`.
        section: The section's heading as printed.
    """

    document: Id
    section: Text


class Document(_Strict):
    """A source document.

    Attributes:
        title: As its issuer prints it.
        issued: The day it is dated; answers about dated facts carry it.
        effective: First day in force, where the document says so.
        note: What a reader must know, for example that pages are missing.
    """

    id: Id
    title: Text
    issuer: Text
    number: str | None = None
    issued: date | None = None
    effective: date | None = None
    note: str | None = None


class Phone(_Strict):
    """A number that may be served, as the document prints it, without the scan's stray spaces."""

    number: PhoneNumber
    name: str | None = None
    note: str | None = None


class Address(_Strict):
    """A place; ``name`` tells several places of one entry apart."""

    text: Text
    name: str | None = None


class Link(_Strict):
    """A site, an app or an account; at least one of ``url`` and ``name`` says how to get there."""

    name: Text
    url: Url | None = None


class Amount(_Strict):
    """Money, always with what it is paid for.

    Attributes:
        text: The amount with unit and condition, ready to be said.
        label: What it is paid for, to pick one of several.
    """

    text: Text
    label: str | None = None


class LabelledText(_Strict):
    """A sentence with the word that picks it among several (`label` may hold synonyms split by |)."""

    text: Text
    label: str | None = None


class Item(_Strict):
    """One member of a list that is served complete."""

    title: Text
    text: str | None = None


class Facts(_Strict):
    """What can be asked of an entry, by facet; an answer leads with exactly the facet that was asked."""

    phone: list[Phone] = Field(default_factory=list)
    address: list[Address] = Field(default_factory=list)
    hours: list[LabelledText] = Field(default_factory=list)
    link: list[Link] = Field(default_factory=list)
    materials: list[Text] = Field(default_factory=list)
    conditions: list[Text] = Field(default_factory=list)
    steps: list[Text] = Field(default_factory=list)
    time_limit: list[LabelledText] = Field(default_factory=list)
    amount: list[Amount] = Field(default_factory=list)
    unit: list[Text] = Field(default_factory=list)
    audience: list[Text] = Field(default_factory=list)
    dates: list[LabelledText] = Field(default_factory=list)
    score: list[LabelledText] = Field(default_factory=list)
    share: list[LabelledText] = Field(default_factory=list)
    items: list[Item] = Field(default_factory=list)


class Listing(_Strict):
    """One row of a printed catalogue of services.

    Attributes:
        catalogue: Id of a `Catalogue`.
        number: As printed.
        category: The row's first heading, as 人才服务.
        group: The row's second heading, where the catalogue has one.
        title: The row's name in this catalogue, where it differs from the entry's.
        provider: Who provides it; None where the row carries no mark.
        frequency: How often it is used, as printed.
        region: Where it is to be had, as printed.
        period: How long it is offered, as printed.
    """

    catalogue: Id
    number: Annotated[int, Field(ge=1)]
    category: Text
    group: Text | None = None
    title: Text | None = None
    provider: ProviderName | None = None
    frequency: Text | None = None
    region: Text | None = None
    period: Text | None = None


class Catalogue(_Strict):
    """A printed list of services; its rows are the entries whose `listings` name it.

    Attributes:
        name: As people say it.
        kind: ``common`` for the whole district, ``platform`` of one industry platform, ``online`` what a site
            already offers.
        territory: Id of the platform, for a platform's catalogue.
        stated: How many rows the document says there are, or that are numbered; `qifu check` counts.
    """

    id: Id
    name: Text
    kind: Literal["common", "platform", "online"]
    aliases: list[Text] = Field(default_factory=list)
    territory: Id | None = None
    stated: Annotated[int, Field(ge=1)]
    source: Source


class Entry(_Strict):
    """One thing the assistant can be asked about.

    Attributes:
        title: What it is called, as a person would look it up.
        questions: How people ask for it, in their own words, differently from one another.
        aliases: Other names of the same thing; they also go to the tokenizer's dictionary.
        answer: The whole answer in our own plain words, complete in itself, at most a few sentences.
        facts: The same facts by facet.
        not_stated: Facets that people ask for and the documents do not give: answered with 未载明.
        date_note: Said with the answer where the fact belongs to a date (decision 18).
        source: Where it stands.
        related: Entries to offer next.
        listings: The rows of printed catalogues that this entry is.
    """

    id: Id
    kind: EntryKind
    title: Text
    board: BoardName | None = None
    questions: list[Text] = Field(min_length=1)
    aliases: list[Text] = Field(default_factory=list)
    answer: Text
    facts: Facts = Facts()
    not_stated: list[Facet] = Field(default_factory=list)
    date_note: str | None = None
    source: Source
    related: list[Id] = Field(default_factory=list)
    listings: list[Listing] = Field(default_factory=list)

    @model_validator(mode="after")
    def _facets_are_stated_or_not(self) -> Entry:
        both = [facet for facet in self.not_stated if getattr(self.facts, facet, None)]
        if both:
            raise ValueError(f"facts 里有 {both[0]}，not_stated 又说没有，只能选一个")
        return self


class Jurisdiction(_Strict):
    """A district, city or province whose documents one folder holds.

    Attributes:
        hotline: Entry id of the hotline that refusals name; None where the documents give none.
        appeals: Whether appeals are taken for it here, under 135.
        appeal_prefix: Letters before an appeal number's date.
        taskforce: Full name of the task force, as the heads of its forms print it.
    """

    id: Id
    name: Text
    aliases: list[Text] = Field(default_factory=list)
    level: Literal["district", "city", "province"]
    hotline: Id | None = None
    appeals: bool = False
    appeal_prefix: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    taskforce: Text | None = None


class Department(_Strict):
    """A department that can lead or co-handle an appeal.

    Attributes:
        duties: What it answers for, in words that people use; triage matches against them.
    """

    id: Id
    name: Text
    aliases: list[Text] = Field(default_factory=list)
    duties: list[Text] = Field(default_factory=list)
    phone: PhoneNumber | None = None
    source: Source


class Territory(_Strict):
    """A platform or street, which triages the appeals of its enterprises."""

    id: Id
    name: Text
    kind: Literal["platform", "street"]
    aliases: list[Text] = Field(default_factory=list)
    source: Source


class Board(_Strict):
    """One of the ten boards with its lead department."""

    id: Id
    name: BoardName
    lead: Id
    words: list[Text] = Field(default_factory=list)
    source: Source


class Topic(_Strict):
    """What an appeal can be about, and who leads it.

    Attributes:
        category: Board the appeal is counted under.
        lead: Department id.
        co: Departments that must help; any makes the topic a whistle matter.
        words: Words that point here; a phrase of several words split by spaces needs them all.
        examples: How enterprises put it.
    """

    id: Id
    title: Text
    category: BoardName
    lead: Id
    co: list[Id] = Field(default_factory=list)
    words: list[Text] = Field(min_length=1)
    examples: list[Text] = Field(default_factory=list)
    source: Source


class Signal(_Strict):
    """Words that decide a level, whatever the topic (decision 6).

    Attributes:
        means: ``unclear`` nobody knows whose it is; ``several`` departments pass it on or must act together;
            ``question`` of fact or procedure; ``suggestion``, ``praise``; ``action`` a decision or deed is
            wanted; ``major`` a matter for the district's leaders; ``neglect`` nobody sees to it, which is
            unclear only where no one department is known; ``rhetorical`` put as a question, but a reproach.
        patterns: Regular expressions.
    """

    id: Id
    means: Literal[
        "unclear", "several", "question", "suggestion", "praise", "action", "major", "neglect", "rhetorical"
    ]
    patterns: list[Text] = Field(min_length=1)
    reason: Text
