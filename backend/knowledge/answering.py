"""Answers questions from the knowledge base: right, to the point, with its source, or an honest “未载明”.

Three bands by the search's confidence: answer; offer the nearest three to choose from; say that the documents
do not hold it. What was asked (a phone, an amount …) and is not stated in the entry that matches is never
filled from another one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from backend.errors import InvalidInput, NotFound
from backend.knowledge import composing, facets, text
from backend.knowledge.entries import Catalogue, Entry, Facet, Jurisdiction
from backend.knowledge.facets import Ask
from backend.knowledge.listing import Listed, ListQuery, Lists
from backend.knowledge.loading import KnowledgeBase, prefix_of
from backend.knowledge.phones import PhoneBook, written_in
from backend.knowledge.search import SURE, Finding, Hit, KnowledgeIndex, Model, body_of
from backend.replies import Button, Citation, Message, Reply

Decision = Literal["answer", "confirm", "refuse"]

ASK_HUMAN = Button(title="转人工", payload="/ask_human")
FILE_APPEAL = Button(title="提交诉求", payload="/file_appeal")
NONE_OF_THEM = Button(title="都不是", payload="/ask_human")
_OFFERED = 3
_NEAR = 0.75  # share of the first hit's score from which another may stand in for a facet the first lacks
_ALIKE = 2.0  # log odds within which the hotlines of two districts fit a question alike
_ABOUT_A_NUMBER = 4  # characters of matter beside a number up to which the number itself is asked about
_WHOSE: frozenset[Facet] = frozenset({"phone", "unit", "address", "definition"})
_PLAIN = 12  # characters of matter from which a question tells a case rather than names a matter
_FEW = 2  # characters of matter up to which a question may be too vague to pick an entry
_SHORT_MATTER = 5  # characters of matter up to which all of it should stand in the entry
_SAME = 1.0  # log odds within which three entries fit a vague question alike
_UNHEARD = 3  # characters in a row that an entry knows nothing of, from which it is not the answer
_SOURCE = re.compile(r"来源|出处|依据|哪个文件|哪份文件|什么文件")
_EVERY_DISTRICT = re.compile(r"(?:两|几|各|每|所有)个?(?:城|地)?区|分别|各自|都是多少")
_SHOWABLE: frozenset[Facet] = frozenset(
    {
        "phone",
        "address",
        "hours",
        "link",
        "materials",
        "amount",
        "time_limit",
        "dates",
        "score",
        "share",
        "unit",
    }
)


class SearchHit(BaseModel):
    """One found entry as programs read it."""

    model_config = ConfigDict(extra="forbid")

    entry: str
    kind: str
    title: str
    answer: str
    score: float
    citation: Citation


class SearchResult(BaseModel):
    """What `/api/v1/knowledge/search` answers."""

    model_config = ConfigDict(extra="forbid")

    decision: Decision
    hits: list[SearchHit]


class AnswerService:
    """Answers from one knowledge base for one home district. Holds no state between questions.

    Args:
        base: What can be answered.
        home_district: Name or alias of the district that is meant when none is named.
        model: Coefficients of the search; the shipped ones by default.

    Raises:
        ContentError: No folder is about the home district.
    """

    def __init__(self, base: KnowledgeBase, home_district: str, model: Model | None = None) -> None:
        self.base = base
        self.home: Jurisdiction = base.home(home_district)
        self.index = KnowledgeIndex(base, home=home_district, model=model)
        self._phones = PhoneBook(base)
        self._lists = Lists(base, prefix_of(self.home.id))
        self._nicknames = self._read_nicknames()

    def _read_nicknames(self) -> dict[str, Jurisdiction]:
        """Returns the names of hotlines that share no word with another jurisdiction's."""
        names: dict[str, list[str]] = {}
        for about in self.base.jurisdictions.values():
            hotline = self.base.entries.get(about.hotline or "")
            if hotline is None:
                continue
            numbers = {phone.number for phone in hotline.facts.phone}
            for entry in self.base.entries.values():
                named = entry.id == hotline.id or entry.kind == "definition"
                if named and numbers & {phone.number for phone in entry.facts.phone}:
                    names.setdefault(about.id, []).extend(map(text.squeeze, (entry.title, *entry.aliases)))
        words = {
            key: {token for name in said for token in text.tokens(name) if len(token) > 1}
            for key, said in names.items()
        }
        nicknames: dict[str, Jurisdiction] = {}
        for key, said in names.items():
            others = set[str]().union(*(words[other] for other in words if other != key))
            for name in said:
                if not others & set(text.tokens(name)):
                    nicknames[name] = self.base.jurisdictions[key]
        return nicknames

    # For programs

    def search(self, question: str, *, k: int = 5, district: str | None = None) -> SearchResult:
        """Returns the nearest entries and which of the three bands the question falls in.

        Raises:
            InvalidInput: ``k`` is not between 1 and 50, or no folder is about ``district``.
        """
        if not 1 <= k <= 50:
            raise InvalidInput("k 应在 1 到 50 之间。", field="k")
        self._check_district(district)
        question, district = self._by_nickname(question, district)
        finding = self.index.look_up(question, k=k, district=district)
        hits = [
            SearchHit(
                entry=hit.entry.id,
                kind=hit.entry.kind,
                title=hit.entry.title,
                answer=hit.entry.answer,
                score=round(hit.score, 4),
                citation=self.base.citation(hit.entry),
            )
            for hit in finding.hits
        ]
        decision = self._decide(finding)
        if decision == "answer" and (
            self._elsewhere(finding, question, district) or not self._covers(finding)
        ):
            decision = "confirm"
        return SearchResult(decision=decision, hits=hits)

    # For people

    def answer(self, question: str, *, district: str | None = None, last_entry: str | None = None) -> Reply:
        """Answers one question.

        Args:
            question: As typed; any text.
            district: Answer for this district unless the question names another.
            last_entry: Id of the entry that the last answer came from; “那电话呢” refers to it.

        Raises:
            InvalidInput: No folder is about ``district``.
        """
        self._check_district(district)
        told = self._whose_number(question) or self._every_hotline(question)
        if told is not None:
            return told
        listed = self._list(question, district, last_entry)
        if listed is not None:
            return listed
        meant, district = self._by_nickname(question, district)
        if meant != question or (self._nickname_in(question) and last_entry):
            last_entry = None
        question = meant
        finding = self.index.look_up(question, k=6, district=district)
        query = finding.query
        last = self.base.entries.get(last_entry or "")
        if last is not None:
            followed = self._follow_up(finding, question, last)
            if followed is not None:
                return followed
        if (query.bare or (_says_little(query.topic) and query.asks)) and not finding.outside:
            bare = self._bare(finding, district)
            if bare is not None:
                return bare
        decision = self._decide(finding)
        led = self._who_leads(finding, district)
        if led is not None:
            return led
        if finding.outside and decision == "refuse":
            return self._refuse_outside(finding.outside)
        if decision == "refuse":
            return self._refuse(self._spoken_of(finding, district))
        if self._hotline_unclear(finding, district):
            return self._ask_district(question)
        alike = self._on_several_platforms(finding)
        strict = [ask for ask in query.asks if ask.strict]
        if (alike and not strict) or any(facets.answers(hit.entry, ask) for hit in alike for ask in strict):
            return self._every_platform(alike, finding)
        vague = self._vague(finding)
        likely = finding.hits[0].score >= self.index.model.likely
        likely = likely and not self._only_sounds(finding)
        if likely and not vague and self._elsewhere(finding, question, district):
            return self._from_elsewhere(finding, question)
        if decision == "confirm" or vague:
            return self._confirm(finding, question, district)
        if not self._covers(finding):
            return self._nearest(finding, question, district)
        return self._answer_from(finding, question, district)

    def answer_entry(self, entry_id: str, *, question: str = "") -> Reply:
        """Answers from one entry, as when its button is pressed.

        Args:
            entry_id: The entry.
            question: What had been asked, if known; the answer leads with it.

        Raises:
            NotFound: There is no such entry.
        """
        entry = self.base.entries.get(entry_id)
        rows = self._lists.from_key(entry_id)
        if entry is None and rows is not None:
            listed = self._lists.answer(rows)
            if listed is not None:
                return self._listed(listed)
        if entry is None:
            raise NotFound("没有查到这一条内容，它可能已经更新，请重新提问。", entry=entry_id)
        asks = self.index.read(text.shorten(question)).asks if question else ()
        return self._reply(entry, asks, question, named=())

    # Deciding

    def _decide(self, finding: Finding) -> Decision:
        if not finding.hits:
            return "refuse"
        if finding.outside and finding.outside not in text.squeeze(body_of(finding.hits[0].entry)):
            return "refuse"
        score = finding.hits[0].score
        if score >= self.index.model.answer or (score >= self.index.model.likely and _is_named(finding)):
            return "answer"
        return "confirm" if score >= self.index.model.confirm else "refuse"

    def _elsewhere(self, finding: Finding, question: str, district: str | None) -> bool:
        """Tells whether the answer is another district's though none was named, by itself or by its theme."""
        entry = finding.hits[0].entry
        if finding.named or district or not self.index.is_elsewhere(entry):
            return False
        return not self.index.names_theme(question, prefix_of(entry.id))

    def _covers(self, finding: Finding) -> bool:
        """Tells whether the entry that is about to be answered from speaks of what exactly was asked."""
        if finding.hits[0].score >= SURE:
            return True
        entry, query = self._best_for(finding), finding.query
        if query.asks and not any(facets.covers(entry, ask) for ask in query.asks):
            return False
        counted = facets.counted(query.text)
        if counted and text.canonical(counted) not in text.canonical(text.squeeze(body_of(entry))):
            return False
        return self.index.unheard(entry, query) < _UNHEARD

    def _only_sounds(self, finding: Finding) -> bool:
        """Tells whether a short question's matter is not in the entry, as 马斯克 in one about 上马石."""
        query = finding.query
        if query.size > _SHORT_MATTER or finding.hits[0].score >= SURE:
            return False
        return self.index.unheard(finding.hits[0].entry, query) >= _UNHEARD

    def _vague(self, finding: Finding) -> bool:
        """Tells whether a word or two fit many entries alike, as “补贴” does: then offer, never pick one."""
        hits = finding.hits
        if finding.query.size > _FEW or len(hits) < _OFFERED or hits[0].score >= SURE:
            return False
        spoken = finding.query.text.replace(" ", "")
        if len(spoken) > _FEW and spoken in self.index.names_in(spoken):
            return False
        return hits[0].odds - hits[_OFFERED - 1].odds < _SAME

    def _who_leads(self, finding: Finding, district: str | None) -> Reply | None:
        """Tells for “停电找谁” who leads such appeals, where no entry is about it."""
        query = finding.query
        if not any(ask.facet == "unit" for ask in query.asks) or finding.outside or query.size > _PLAIN:
            return None
        if finding.hits and finding.hits[0].score >= self.index.model.likely:
            return None
        about = self._spoken_of(finding, district)
        spoken = query.topic.replace(" ", "")
        found: dict[str, int] = {}
        for topic in self.base.topics.values():
            if self.base.jurisdiction_of(topic.id).id == about.id:
                said = [len(word) for word in topic.words if " " not in word and text.squeeze(word) in spoken]
                found[topic.id] = max(said, default=0)
        longest = max(found.values(), default=0)
        likely = [self.base.topics[key] for key, length in found.items() if length == longest]
        titled = [
            topic for topic in likely if any(word in spoken for word in topic.words if word in topic.title)
        ]
        likely = titled or likely
        if longest < 2 or len({topic.lead for topic in likely}) > 1:
            return None
        topic = likely[0]
        document = self.base.documents[topic.source.document]
        citation = Citation(document=document.title, section=topic.source.section, entry=topic.id)
        lead = self.base.departments[topic.lead]
        phone = f"（电话 {lead.phone}）" if lead.phone else ""
        said_so = (
            f"资料中没有查到对这个问题的直接说明。企业提出的{_quoted(topic.title)}类诉求，由{lead.name}{phone}主办。"
            f"{self._contact(about)}\n"
            f"{composing.source_line(citation)}"
        )
        message = Message(text=said_so, citations=[citation], buttons=self._ways_on(about))
        return Reply(messages=[message], outcome="clarifying")

    def _check_district(self, district: str | None) -> None:
        if district and self.base.jurisdiction_named(district) is None:
            known = "、".join(item.name for item in self.base.jurisdictions.values())
            raise InvalidInput(f"资料里没有“{district}”，可选：{known}。", field="district")

    def _spoken_of(self, finding: Finding, district: str | None = None) -> Jurisdiction:
        """Returns the jurisdiction whose hotline a refusal names."""
        if finding.named:
            return finding.named[0]
        return (self.base.jurisdiction_named(district) if district else None) or self.home

    def _hotline_unclear(self, finding: Finding, district: str | None) -> bool:
        """Tells whether a hotline is asked for and two districts' hotlines fit alike: then ask, never mix."""
        if finding.named or district or finding.hits[0].score < self.index.model.likely:
            return False
        hotlines = {item.hotline for item in self.base.jurisdictions.values() if item.hotline}
        hits = [hit for hit in finding.hits[:_OFFERED] if hit.entry.id in hotlines]
        if not hits or hits[0].entry.id != finding.hits[0].entry.id:
            return False
        if prefix_of(hits[0].entry.id) != prefix_of(self.home.id):
            return True
        return len(hits) > 1 and hits[0].odds - hits[1].odds < _ALIKE

    # Platforms

    def _platform_of(self, entry: Entry) -> Catalogue | None:
        catalogues = (self.base.catalogues[listing.catalogue] for listing in entry.listings)
        return next((item for item in catalogues if item.kind == "platform"), None)

    def _on_several_platforms(self, finding: Finding) -> list[Hit]:
        """Returns the like services of several platforms where the question names none of them."""
        first = finding.hits[0]
        if self._platform_of(first.entry) is None or not self.index.model.likely <= first.score < SURE:
            return []
        spoken = finding.query.text.replace(" ", "")
        found: dict[str, Hit] = {}
        for hit in finding.hits:
            platform = self._platform_of(hit.entry)
            if platform is None or first.odds - hit.odds > _ALIKE:
                continue
            territory = self.base.territories.get(platform.territory or "")
            names = (*platform.aliases, *((territory.name, *territory.aliases) if territory else ()))
            if any(text.squeeze(name) in spoken for name in names):
                return []
            found.setdefault(platform.id, hit)
        return list(found.values()) if len(found) > 1 else []

    def _every_platform(self, hits: Sequence[Hit], finding: Finding) -> Reply:
        """Answers for each platform that has the service, and asks which one is meant."""
        asks = [ask.facet for ask in finding.query.asks if ask.facet in _SHOWABLE] or ["phone"]
        lines = ["几个产业平台都有这类服务："]
        citations = []
        for hit in hits:
            platform = self._platform_of(hit.entry)
            assert platform is not None  # noqa: S101 - only such hits come here
            said = "；".join(value for facet in asks for value in composing.values(hit.entry, facet)[0])
            name = self.base.territories[platform.territory].name if platform.territory else platform.name
            lines.append(f"- {name}：{_shown_title(hit.entry)}" + (f"，{said}" if said else ""))
            citations.append(self.base.citation(hit.entry))
        lines.append("请问您问的是哪个平台？")
        lines += dict.fromkeys(map(composing.source_line, citations))
        buttons = [*(self._button(hit.entry) for hit in hits), ASK_HUMAN]
        message = Message(text="\n".join(lines), citations=citations, buttons=buttons)
        return Reply(messages=[message], outcome="clarifying", entry=hits[0].entry.id)

    # Numbers and hotlines

    def _whose_number(self, question: str) -> Reply | None:
        """Answers a question about a number that it contains, from the numbers that the documents print."""
        written = written_in(text.shorten(question))
        if written is None or self.index.read(written.rest).size > _ABOUT_A_NUMBER:
            return None
        owners = self._phones.owners(written)
        named = self.index.named(written.rest)[0]
        if not owners:
            about = named[0] if named else self.home
            said = f"资料中没有查到这个号码，不能确定是谁的。{self._contact(about)}"
            return Reply(messages=[Message(text=said, buttons=self._ways_on(about))], outcome="unanswered")
        owner = next(
            (item for item in owners if self.base.jurisdiction_of(item.entry.id) in named), owners[0]
        )
        about = self.base.jurisdiction_of(owner.entry.id)
        not_theirs = "、".join(item.name for item in named if item.id != about.id)
        lead = f"这是{about.name}{_quoted(owner.name)}的号码" + (
            f"，不是{not_theirs}的。" if not_theirs else "。"
        )
        asks = [ask for ask in self.index.read(written.rest).asks if ask.facet not in _WHOSE]
        reply = self._reply(owner.entry, asks, written.rest if asks else "", named=(about,))
        message = reply.messages[0]
        said = f"{lead}\n{message.text}"
        return reply.model_copy(update={"messages": [message.model_copy(update={"text": said})]})

    def _every_hotline(self, question: str) -> Reply | None:
        """Answers “两个区的热线分别是多少”: every hotline with its district, so that none is mixed up."""
        named, _, rest = self.index.named(text.shorten(question))
        if "热线" not in rest or not (len(named) > 1 or (not named and _EVERY_DISTRICT.search(rest))):
            return None
        if self.index.read(_EVERY_DISTRICT.sub(" ", rest)).size > _ABOUT_A_NUMBER:
            return None
        asked = named or tuple(item for item in self.base.jurisdictions.values() if item.hotline)
        lines = [f"{item.name}：{self.hotline(item) or '资料中未载明热线'}" for item in asked]
        entries = [self.base.entries[item.hotline] for item in asked if item.hotline]
        citations = [self.base.citation(entry) for entry in entries]
        lines += [composing.source_line(citation) for citation in citations]
        message = Message(text="\n".join(lines), citations=citations, buttons=[ASK_HUMAN])
        return Reply(messages=[message], outcome="answered", entry=entries[0].id if entries else None)

    # Lists

    def _list(self, question: str, district: str | None, last_entry: str | None) -> Reply | None:
        """Answers with the rows of a catalogue where they are what is asked for, and nothing more."""
        if last_entry:
            followed = self._lists.follow(last_entry, question)
            if isinstance(followed, Entry):
                return self._reply(followed, self.index.read(question).asks, question, named=(self.home,))
            if followed is not None:
                listed = self._lists.answer(followed)
                return None if listed is None else self._listed(listed)
            if self._lists.is_at_its_end(last_entry, question):
                said = "以上就是全部，后面没有了。您可以直接问其中某一项，例如“第1项怎么办”。"
                return Reply(messages=[Message(text=said)], outcome="answered", entry=last_entry)
        named, outside, rest = self.index.named(text.shorten(question))
        about = named[0] if named else self.base.jurisdiction_named(district) if district else self.home
        if outside or about is None or about.id != self.home.id or len(named) > 1:
            return None
        query = self._lists.read(rest)
        listed = self._lists.answer(query) if query is not None else None
        if listed is None:
            return None
        hits = self.index.look_up(question, k=1).hits
        if hits and hits[0].score >= SURE:
            return None
        return self._listed(listed)

    def _listed(self, listed: Listed) -> Reply:
        citations = []
        for catalogue in listed.catalogues[:_OFFERED]:
            document = self.base.documents[catalogue.source.document]
            citations.append(
                Citation(document=document.title, section=catalogue.source.section, entry=catalogue.id)
            )
        said = "\n".join([listed.text, *dict.fromkeys(map(composing.source_line, citations))])
        buttons = [_page_button(listed.following)] if listed.following else []
        buttons += (
            [self._button(row.entry) for row in listed.rows[:_OFFERED]] if len(listed.rows) <= 6 else []
        )
        message = Message(text=said, citations=citations, buttons=[*buttons, ASK_HUMAN])
        return Reply(messages=[message], outcome="answered", entry=listed.query.key)

    def _by_nickname(self, question: str, district: str | None) -> tuple[str, str | None]:
        """Lets the nickname of a hotline say which district is meant, whatever was talked about before."""
        name = self._nickname_in(question)
        if name is None:
            return question, district
        about = self._nicknames[name]
        named, _, rest = self.index.named(text.shorten(question))
        if not named:
            return question, about.name
        if about not in named and not name.isascii():
            return rest, about.name
        return question, district

    def _nickname_in(self, question: str) -> str | None:
        spoken = text.squeeze(text.shorten(question))
        return next(
            (name for name in self._nicknames if re.search(rf"(?<!\d){re.escape(name)}(?!\d)", spoken)), None
        )

    # Follow-ups

    def _follow_up(self, finding: Finding, question: str, last: Entry) -> Reply | None:
        query = finding.query
        sure = bool(finding.hits) and finding.hits[0].score >= self.index.model.answer
        if _SOURCE.search(query.text) and query.size <= _FEW:
            return self._reply(last, (), question, named=(self.base.jurisdiction_of(last.id),))
        about_last = (
            query.bare or _says_little(query.topic) or (bool(query.asks) and query.size <= 2 and not sure)
        )
        if not about_last:
            return None
        if finding.named and prefix_of(finding.named[0].id) != prefix_of(last.id):
            topic = self.index.named(last.title)[2]
            return self.answer(f"{finding.named[0].name} {topic} {question}")
        if not query.asks and not finding.named:
            return None
        if re.search(r"还有(?:别的|其他|什么|哪些|吗)|别的|其他", query.text):
            return self._more(last)
        if query.asks and not any(facets.covers(last, ask) for ask in query.asks):
            wanted = [ask.facet for ask in query.asks]
            return self._not_stated(last, wanted, self.base.jurisdiction_of(last.id))
        return self._reply(last, query.asks, question, named=finding.named)

    def _more(self, last: Entry) -> Reply:
        """Answers “还有别的吗”: all that the entry states, and what stands near it."""
        buttons = [self._button(self.base.entries[target]) for target in last.related[:_OFFERED]]
        citation = self.base.citation(last)
        facts = composing.card(last, citation, (), "")
        lines = [f"关于{_quoted(last.title)}，资料里还有这些："] if facts["fields"] else []
        lines += [f"{shown['label']}：{shown['value']}" for shown in facts["fields"]]
        if buttons:
            lines.append("相关的内容：" + "、".join(f"{_quoted(button.title)}" for button in buttons))
        else:
            lines.append("更多的内容资料中暂无，您可以转人工了解。")
            buttons = [ASK_HUMAN]
        lines.append(composing.source_line(citation))
        message = Message(text="\n".join(lines), citations=[citation], buttons=buttons, card=facts)
        return Reply(messages=[message], outcome="answered", entry=last.id)

    def _bare(self, finding: Finding, district: str | None) -> Reply | None:
        """Answers a message without a topic, such as “电话多少” or a row of emoji, if nothing fits it."""
        if finding.hits and finding.hits[0].score >= self.index.model.confirm:
            known = finding.hits[0].score >= SURE or self.index.names_in(finding.query.text)
            if known or not finding.query.asks:
                return None
        about = self._spoken_of(finding, district)
        if finding.query.asks:
            word = composing.MISSING_WORDS[finding.query.asks[0].facet]
            said = (
                f"没有查到您问的是哪个事项，请问您想了解什么的{word}？请把事项名称一起告诉我。"
                f"暂时说不清的，{self._contact(about)}"
            )
        else:
            said = f"抱歉，没有查到您要问的内容。请写明想了解哪项服务或奖励；{self._contact(about)}"
        message = Message(text=said, buttons=self._ways_on(about))
        return Reply(messages=[message], outcome="clarifying" if finding.query.asks else "unanswered")

    # Answering

    def _answer_from(self, finding: Finding, question: str, district: str | None) -> Reply:
        entry = self._best_for(finding)
        named = finding.named
        if not named and district:
            chosen = self.base.jurisdiction_named(district)
            named = (chosen,) if chosen else ()
        reply = self._reply(entry, finding.query.asks, question, named=named)
        other = None if named else self._also_in(finding, entry)
        return reply if other is None else self._or_elsewhere(reply, other)

    def _also_in(self, finding: Finding, entry: Entry) -> Entry | None:
        """Returns the like entry of another district, where none was named."""
        first = finding.hits[0]
        if self.index.is_elsewhere(entry) or first.score >= SURE:
            return None
        for hit in finding.hits[1:_OFFERED]:
            near = hit.odds >= first.odds - _SAME and hit.score >= self.index.model.likely
            about = self.base.jurisdiction_of(hit.entry.id)
            if near and about.level == "district" and self.index.is_elsewhere(hit.entry):
                return hit.entry
        return None

    def _or_elsewhere(self, reply: Reply, other: Entry) -> Reply:
        """Adds which other district has something alike, and how to get to it."""
        name = self.base.jurisdiction_of(other.id).name
        message = reply.messages[-1]
        hint = f"以上是{self.home.name}的内容；如果您问的是{name}，请看{_quoted(_shown_title(other))}。"
        said = f"{message.text}\n{hint}"
        shown = message.model_copy(update={"text": said, "buttons": [*message.buttons, self._button(other)]})
        return reply.model_copy(update={"messages": [*reply.messages[:-1], shown]})

    def _best_for(self, finding: Finding) -> Entry:
        """Returns the first hit, or a near one if it alone states what was asked."""
        first, asks = finding.hits[0], finding.query.asks
        strict = [ask for ask in asks if ask.strict]
        wanted = strict or [ask for ask in asks if ask.facet in _SHOWABLE]
        if not wanted or any(facets.answers(first.entry, ask) for ask in wanted):
            return first.entry
        for hit in finding.hits[1:4]:
            near = hit.score >= _NEAR * first.score if strict else hit.odds >= first.odds - _SAME
            stated = all(facets.answers(hit.entry, ask) for ask in wanted)
            if near and stated and _stands_in(first.entry, hit.entry):
                return hit.entry
        return first.entry

    def _reply(
        self, entry: Entry, asks: Sequence[Ask], question: str, *, named: Sequence[Jurisdiction]
    ) -> Reply:
        stated = [ask for ask in asks if facets.answers(entry, ask)]
        missing = [
            ask.facet
            for ask in asks
            if not facets.answers(entry, ask) and (ask.strict or ask.facet in entry.not_stated)
        ]
        about = self.base.jurisdiction_of(entry.id)
        shown = [ask for ask in stated if ask.facet in _SHOWABLE]
        if missing and not shown and any(ask.strict for ask in asks if ask.facet in missing):
            return self._not_stated(entry, missing, about)
        citation = self.base.citation(entry)
        said = composing.answer_text(
            entry,
            citation,
            stated,
            question,
            district=about.name if self._should_say(about, named, entry) else None,
            missing=missing,
            contact=self._contact(about) if missing else "",
        )
        buttons = [self._button(self.base.entries[target]) for target in entry.related[:2]]
        if missing:
            buttons = [*buttons, ASK_HUMAN]
        message = Message(
            text=said,
            citations=[citation],
            buttons=buttons,
            card=composing.card(entry, citation, stated, question),
        )
        return Reply(messages=[message], outcome="answered", entry=entry.id)

    def _should_say(self, about: Jurisdiction, named: Sequence[Jurisdiction], entry: Entry) -> bool:
        if about.id == self.home.id or any(item.id == about.id for item in named):
            return False
        return not any(name in entry.answer for name in (about.name, *about.aliases))

    def _not_stated(self, entry: Entry, missing: Sequence[Facet], about: Jurisdiction) -> Reply:
        words = "、".join(composing.MISSING_WORDS[facet] for facet in missing)
        lines = [f"资料中未载明{_quoted(_shown_title(entry))}的{words}。"]
        units = entry.facts.unit
        if units and "unit" not in missing:
            lines.append(f"这件事的负责单位：{'；'.join(units)}。")
        lines.append(self._contact(about))
        message = Message(
            text="".join(lines),
            citations=[self.base.citation(entry)],
            buttons=[self._button(entry), *self._ways_on(about)],
        )
        return Reply(messages=[message], outcome="unanswered", entry=entry.id)

    def _confirm(self, finding: Finding, question: str, district: str | None) -> Reply:
        hits: list[Hit] = []
        for hit in finding.hits:
            if all(_shown_title(hit.entry) != _shown_title(other.entry) for other in hits):
                hits.append(hit)
        hits = hits[:_OFFERED]
        contact = self._contact(self._spoken_of(finding, district))
        buttons = [*(self._button(hit.entry) for hit in hits), NONE_OF_THEM]
        likely_one = self._mass(hits) >= self.index.model.likely and not self._only_sounds(finding)
        if likely_one and not self._vague(finding):
            likely = self._answer_from(finding, question, district)
            if likely.outcome == "unanswered":
                return likely
            listed = self._listed_hits(
                [hit for hit in hits if hit.entry.id != likely.entry], finding.query.asks, question
            )
            return self._with_reserve(likely, listed, buttons, contact)
        return self._choice(hits, buttons, contact, finding.query.asks, question)

    def _choice(
        self, hits: Sequence[Hit], buttons: list[Button], contact: str, asks: Sequence[Ask], question: str
    ) -> Reply:
        listed = self._listed_hits(hits, asks, question)
        said = f"没有查到与您的问题完全对应的内容，您想问的是不是下面这些？\n{listed}\n如果都不是，{contact}"
        return Reply(messages=[Message(text=said, buttons=buttons)], outcome="clarifying")

    def _listed_hits(self, hits: Sequence[Hit], asks: Sequence[Ask], question: str) -> str:
        """Returns entries to choose from, numbered, each with what it says in one line."""
        lines = []
        for number, hit in enumerate(hits, 1):
            said = composing.glimpse(hit.entry, asks, question)
            title = self._titled(hit.entry)
            lines.append(f"{number}. {title}：{said}" if said else f"{number}. {title}")
        return "\n".join(lines)

    @staticmethod
    def _mass(hits: Sequence[Hit]) -> float:
        """Adds up the scores of the first hit and of those related to it: likely one of them is right."""
        first = hits[0].entry
        kin = [hit for hit in hits[1:] if hit.entry.id in first.related or first.id in hit.entry.related]
        return hits[0].score + sum(hit.score for hit in kin)

    def _with_reserve(self, likely: Reply, others: str, buttons: list[Button], contact: str) -> Reply:
        """Shows the likeliest answer, says that it may not be the one meant, and what else could be."""
        shown = likely.messages[0]
        entry = self.base.entries[likely.entry or ""]
        lines = [f"不能确定您问的是不是{_quoted(self._titled(entry))}，先供您参考：", shown.text]
        contact = "请转人工。" if contact in shown.text else contact
        lines.append(
            f"如果不是，您想问的也可能是：\n{others}\n都不是的话，{contact}"
            if others
            else f"如果不是，{contact}"
        )
        message = shown.model_copy(update={"text": "\n".join(lines), "buttons": buttons})
        return Reply(messages=[message], outcome="clarifying", entry=entry.id)

    def _from_elsewhere(self, finding: Finding, question: str) -> Reply:
        """Shows what another district says, with whose it is and that the home district's documents lack it.

        The project's reading of the home district: docs/135.md, last part.
        """
        about = self.base.jurisdiction_of(self._best_for(finding).id)
        reply = self._reply(self._best_for(finding), finding.query.asks, question, named=(about,))
        if reply.outcome == "unanswered":
            return reply
        entry = self.base.entries[reply.entry or ""]
        message = reply.messages[0]
        said = (
            f"{self.home.name}的资料中没有查到对应的内容。以下是{about.name}的规定，供您参考：\n{message.text}\n"
            f"{self.home.name}的情况请转人工咨询，或提交诉求由工作人员答复。"
        )
        buttons = [
            Button(title=self._titled(entry), payload=self._button(entry).payload),
            *self._ways_on(self.home),
        ]
        shown = message.model_copy(update={"text": said, "buttons": buttons})
        return Reply(messages=[shown], outcome="clarifying", entry=entry.id)

    def _nearest(self, finding: Finding, question: str, district: str | None) -> Reply:
        """Says that what was asked is not in the documents, and shows what stands nearest to it."""
        reply = self._answer_from(finding, question, district)
        if reply.outcome == "unanswered":
            return reply
        entry = self.base.entries[reply.entry or ""]
        about = self.base.jurisdiction_of(entry.id)
        message = reply.messages[0]
        said = (
            f"资料中没有查到与您的问题完全对应的规定，最接近的是{_quoted(self._titled(entry))}，供您参考：\n"
            f"{message.text}\n需要进一步了解的，{self._contact(about)}"
        )
        buttons = [*message.buttons, *(way for way in self._ways_on(about) if way not in message.buttons)]
        shown = message.model_copy(update={"text": said, "buttons": buttons})
        return Reply(messages=[shown], outcome="clarifying", entry=entry.id)

    def _ask_district(self, question: str) -> Reply:
        with_hotline = [item for item in self.base.jurisdictions.values() if item.hotline]
        names = "、".join(item.name for item in with_hotline)
        asked = text.shorten(question).strip()
        buttons = [Button(title=item.name, payload=f"{item.name} {asked}") for item in with_hotline]
        said = f"不同的区热线不一样，请问您要问的是哪个区（{names}）？"
        entry = self.base.entries.get(self.home.hotline or "")
        hotline = self.hotline(self.home)
        if entry is None or hotline is None:
            return Reply(messages=[Message(text=said, buttons=buttons)], outcome="clarifying")
        message = Message(
            text=f"{self.home.name}的是{hotline}。{said}",
            buttons=buttons,
            citations=[self.base.citation(entry)],
        )
        return Reply(messages=[message], outcome="clarifying", entry=entry.id)

    # Refusing

    def _refuse(self, about: Jurisdiction) -> Reply:
        said = f"抱歉，资料中没有查到您问的内容。您可以换个说法再问；{self._contact(about)}"
        return Reply(messages=[Message(text=said, buttons=self._ways_on(about))], outcome="unanswered")

    def _refuse_outside(self, place: str) -> Reply:
        known = "、".join(item.name for item in self.base.jurisdictions.values())
        said = f"抱歉，没有查到{place}的资料：目前收录的是{known}的文件。{self._contact(self.home)}"
        return Reply(messages=[Message(text=said, buttons=self._ways_on(self.home))], outcome="unanswered")

    def hotline(self, about: Jurisdiction) -> str | None:
        """Returns the hotline of a jurisdiction with its name, ready to be said; None where there is none."""
        entry = self.base.entries.get(about.hotline or "")
        if entry is None or not entry.facts.phone:
            return None
        return f"{entry.title} {entry.facts.phone[0].number}"

    def _contact(self, about: Jurisdiction) -> str:
        if about.level == "province":
            about = self.home
        hotline = self.hotline(about)
        ways = ["可以转人工咨询"]
        if hotline:
            ways.append(f"拨打{hotline}")
        if about.appeals or about.id == self.home.id:
            ways.append("提交诉求由工作人员跟进")
        return "您" + "，或".join(ways) + "。"

    def _ways_on(self, about: Jurisdiction) -> list[Button]:
        taken_here = about.appeals or about.id == self.home.id or about.level == "province"
        return [ASK_HUMAN, FILE_APPEAL] if taken_here else [ASK_HUMAN]

    def _titled(self, entry: Entry) -> str:
        about = self.base.jurisdiction_of(entry.id)
        short = about.name.removesuffix("区").removesuffix("市").removesuffix("省")
        title = _shown_title(entry)
        return title if about.id == self.home.id or short in title else f"{title}（{about.name}）"

    def _button(self, entry: Entry) -> Button:
        return Button(title=_shown_title(entry), payload=f'/choose_entry{{"entry_id": "{entry.id}"}}')


def _page_button(query: ListQuery) -> Button:
    title = "下一页" if query.page > 1 else "看清单"
    return Button(title=title, payload=f'/choose_entry{{"entry_id": "{query.key}"}}')


def _is_named(finding: Finding) -> bool:
    """Tells whether a question asks what something is, by the very name of the first entry."""
    query, entry = finding.query, finding.hits[0].entry
    if [ask.facet for ask in query.asks] != ["definition"]:
        return False
    return query.topic.replace(" ", "") in {text.squeeze(name) for name in (entry.title, *entry.aliases)}


def _stands_in(entry: Entry, other: Entry) -> bool:
    """Tells whether another entry may state what an entry lacks; a service has contacts of its own."""
    if prefix_of(entry.id) != prefix_of(other.id):
        return False
    kin = other.id in entry.related or entry.id in other.related
    return kin or not (entry.listings and other.listings)


def _says_little(topic: str) -> bool:
    """Tells whether a topic is only a word that says how, as “办” in “在哪办”, not what about."""
    return not text.words().generic.sub("", text.canonical(topic)).strip()


def _quoted(title: str) -> str:
    """Returns a title in quotes; quotes within it become single ones."""
    return f"“{title.replace('“', '‘').replace('”', '’')}”"


def _shown_title(entry: Entry) -> str:
    """Returns the title as it is shown; a note that something is not stated is for editors."""
    return re.sub(r"（(?:文件)?未载明）$", "", entry.title)
