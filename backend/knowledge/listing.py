"""Answers which and how many services there are: the rows of printed catalogues, complete, counted and paged.

“六大平台有哪些金融服务” names a catalogue (here all platforms'), a heading and nothing else: then the
rows are the answer, not one entry. Whatever a question says beyond that sends it back to the search.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from backend.knowledge import facets, text
from backend.knowledge.entries import Catalogue, Entry, Listing, ProviderName
from backend.knowledge.loading import KnowledgeBase, prefix_of

PAGE = 20
_KEY = re.compile(r"^rows:(?P<scope>[a-z.-]+):(?P<heading>[^:]*):(?P<provider>[a-z]*):(?P<page>\d{1,3})$")
_PLATFORMS = "platforms"
_LONGEST = 40  # characters of a question that asks for nothing but a list
_SIDES: dict[ProviderName, str] = {"government": "政府侧", "enterprise": "企业侧", "society": "社会侧"}
_PROVIDERS: dict[ProviderName, re.Pattern[str]] = {
    "government": re.compile(
        r"政府(?:侧|端|方(?!面)|类|这边|自己|(?:部门)?(?:来)?(?:提供|做)的)|由政府(?:部门)?提供|官方|★"
    ),
    "enterprise": re.compile(r"(?:企业|市场)(?:侧|端|方(?!面)|类|化的?|提供的)|由(?:企业|市场)提供|▲"),
    "society": re.compile(r"社会(?:侧|端|方(?!面)|类|机构|组织|力量|化的?)(?:提供的?)?|由?社会提供的?|●"),
}
# Words that speak of a list as such; what else a question says is its topic.
_LISTED = re.compile(
    r"服务事项|服务项目|服务内容|服务清单|服务|事项|项目|内容|清单|名单|列表|目录|附件[一二三四五六七八九\d]?|一览|板块|类别|类型|类|方面|领域|那套|那份|分成|分为|分|列了|列|下面"
    r"|这块|那块|这一块|上面|已经|能用|能办|可用|的话|上线|上了|线上|网上|提供|包含|包括|涵盖|收录|分别|合计|总共|总计|一共|加起来|总数|数量|全部|全区|全都"
    r"|完整|所有|总的|列一下|列出来|列出|列个|说一下|都有|给出|里面|里头|里|上|中|下|能|可以|享受|办理|办|做|到|得到|用|给|企业|公司|咱|区里|区"
    r"|产业|平台|供|的|有|是|和|还|多"
)
_COUNTED = re.compile(r"(?:多少|几)(?:个|项|种|类|条|款)?|总数|数量")
_NAMED = re.compile(r"哪些|哪几|那些|清单|列|什么|啥|名单|目录|分别")
_SERVICES = re.compile(r"服务|事项|清单")
_DEFINED = re.compile(r"是(?:什么|啥)|什么意思")
_WHAT_SERVICE = re.compile(r"(?:什么|啥)(?:样的?)?(?:服务|事项)")
_NEXT = re.compile(
    r"下一?页|继续|往下|后面|更多|还有(?:吗|呢|没|哪些|什么|别的|其他)|接着|剩下|其余|其他的?|别的"
)
_ORDINAL = re.compile(r"第?([一二两三四五六七八九十\d]{1,3})(?:个|项|条|号|款)")
_DIGITS = {char: number for number, char in enumerate("零一二三四五六七八九")} | {"两": 2}


@dataclass(frozen=True)
class ListQuery:
    """Which rows are wanted.

    Attributes:
        scope: Id of a catalogue, or a folder's prefix and ``.platforms`` for all of its platforms.
        heading: A row's category, group or board; empty for all.
        provider: Whose services; None for all.
        page: Counted from 1; 0 where only the number of rows was asked for.
    """

    scope: str
    heading: str = ""
    provider: ProviderName | None = None
    page: int = 1

    @property
    def key(self) -> str:
        """The list's name in a conversation, to come back to it."""
        return f"rows:{self.scope}:{self.heading}:{self.provider or ''}:{self.page}"


@dataclass(frozen=True)
class Row:
    """One row of a catalogue with the entry that it is."""

    catalogue: Catalogue
    listing: Listing
    entry: Entry

    @property
    def title(self) -> str:
        """The row's name in its catalogue."""
        if self.listing.title:
            return self.listing.title
        return (
            re.sub(r"（[^（）]*）$", "", self.entry.title)
            if self.catalogue.kind == "platform"
            else self.entry.title
        )


@dataclass(frozen=True)
class Listed:
    """An answered list: what to say, where it stands and how to go on."""

    text: str
    rows: tuple[Row, ...]
    catalogues: tuple[Catalogue, ...]
    query: ListQuery
    following: ListQuery | None


class Lists:
    """All rows of all catalogues. Holds no state between questions.

    Args:
        base: The knowledge base.
        home: Prefix of the home district's folder: its catalogues are meant where none is named.
    """

    def __init__(self, base: KnowledgeBase, home: str) -> None:
        self._home = home
        self._catalogues = dict(base.catalogues)
        rows: dict[str, list[Row]] = {key: [] for key in base.catalogues}
        for entry in base.entries.values():
            for listing in entry.listings:
                rows[listing.catalogue].append(Row(base.catalogues[listing.catalogue], listing, entry))
        self._rows = {
            key: tuple(sorted(found, key=lambda row: row.listing.number)) for key, found in rows.items()
        }
        count = len(self._catalogues_in(f"{home}.{_PLATFORMS}"))
        self._all_platforms = re.compile(
            rf"(?:这|那)?(?:{_chinese(count)}|{count})(?:大|个)?(?:产业)?平台"
            r"|(?:各|每|所有|全部)(?:大|个)?(?:产业)?平台|产业平台"
        )
        self._names: list[tuple[str, str]] = []
        for catalogue in base.catalogues.values():
            territory = base.territories.get(catalogue.territory or "")
            names = {catalogue.name, *catalogue.aliases}
            if territory is not None:
                names |= {territory.name, *territory.aliases}
            self._names += [(text.squeeze(name), catalogue.id) for name in names]
        self._names.sort(key=lambda pair: (-len(pair[0]), pair))
        self._categories = {key: {row.listing.category for row in found} for key, found in self._rows.items()}
        self._groups = {row.listing.group for found in rows.values() for row in found if row.listing.group}
        self._boards = {
            row.listing.category: row.entry.board
            for found in rows.values()
            for row in found
            if row.entry.board
        }
        self._headings = self._read_headings()

    def _read_headings(self) -> list[tuple[str, str]]:
        """Returns what people call a heading, longest first, with the heading."""
        found: dict[str, str] = {}
        for rows in self._rows.values():
            for row in rows:
                printed = [row.listing.category, row.listing.group or "", f"{row.entry.board or ''}服务"]
                for heading in filter(None, printed):
                    bare = heading.removesuffix("服务")
                    for name in (heading, bare):
                        if len(name) >= 2:
                            found.setdefault(text.squeeze(name), heading)
        return sorted(found.items(), key=lambda pair: (-len(pair[0]), pair))

    # Understanding

    def read(self, question: str) -> ListQuery | None:
        """Returns which list a question asks for; None if it asks for anything else or for more.

        Args:
            question: As typed, without the names of districts.
        """
        spoken = text.squeeze(question)
        if not self._names or len(spoken) > _LONGEST:
            return None
        asks_items = any(ask.facet == "items" for ask in facets.asked(text.normalise(question)))
        if _DEFINED.search(spoken) or not (asks_items or _WHAT_SERVICE.search(spoken)):
            return None
        named = bool(_NAMED.search(spoken))
        counted = bool(_COUNTED.search(spoken)) and not named
        for rest, scope in self._scopes_in(spoken):
            query = self._read_within(rest, scope, unsaid=rest == spoken)
            if query is not None and (query.heading or query.provider or _SERVICES.search(spoken)):
                return replace(query, page=0 if counted else 1)
        return None

    def _read_within(self, rest: str, scope: str, *, unsaid: bool) -> ListQuery | None:
        provider: ProviderName | None = None
        for side, pattern in _PROVIDERS.items():
            if pattern.search(rest):
                provider, rest = side, pattern.sub(" ", rest)
                break
        if unsaid and not _SERVICES.search(rest):
            return None
        rest, heading = self._heading_in(rest, scope)
        if (unsaid and not heading) or self._residue(rest):
            return None
        return ListQuery(scope, heading, provider)

    def _scopes_in(self, spoken: str) -> Iterator[tuple[str, str]]:
        """Yields what may be meant: the rest of a question and a scope; a longer name first, none last."""
        for name, key in self._names:
            if name in spoken:
                rest = self._all_platforms.sub(" ", spoken.replace(name, " "))
                for other, same in self._names:
                    if same == key:
                        rest = rest.replace(other, " ")
                yield rest, key
        platforms = f"{self._home}.{_PLATFORMS}"
        if self._all_platforms.search(spoken) and self._catalogues_in(platforms):
            yield self._all_platforms.sub(" ", spoken), platforms
        for catalogue in self._catalogues.values():
            if catalogue.kind == "common" and prefix_of(catalogue.id) == self._home:
                yield spoken, catalogue.id

    def _heading_in(self, rest: str, scope: str) -> tuple[str, str]:
        here = {heading for row in self._in_scope(scope) for heading in self._headings_of(row)}
        found = ""
        for name, heading in self._headings:
            heading = heading if heading in here else f"{self._boards.get(heading, '')}服务"
            if name in rest and heading in here:
                # A group within a category is named after it, as in “审批服务里企业开办”.
                found = heading if not found or heading in self._groups else found
                rest = rest.replace(name, " ", 1)
        return rest, found

    @staticmethod
    def _residue(rest: str) -> str:
        """Returns what a question says besides which list it wants."""
        lists = text.words()
        left = facets.strip(text.normalise(_LISTED.sub(" ", _COUNTED.sub(" ", rest))))
        left = lists.generic.sub(" ", _LISTED.sub(" ", left))
        return "".join(char for char in left if char.isalnum() and char not in lists.grammar)

    def _headings_of(self, row: Row) -> Iterator[str]:
        yield row.listing.category
        if row.listing.group:
            yield row.listing.group
        # A board's rows count under the board only where the catalogue has no heading of that name.
        board = f"{row.entry.board}服务"
        if row.entry.board and board not in self._categories[row.catalogue.id]:
            yield board

    # Answering

    def _catalogues_in(self, scope: str) -> list[str]:
        """Returns the ids of the catalogues that a scope means; none if there is no such scope."""
        if scope in self._catalogues:
            return [scope]
        prefix, _, name = scope.partition(".")
        return [
            key
            for key, item in self._catalogues.items()
            if name == _PLATFORMS and item.kind == "platform" and prefix_of(key) == prefix
        ]

    def _in_scope(self, scope: str) -> list[Row]:
        return [row for key in self._catalogues_in(scope) for row in self._rows[key]]

    def from_key(self, key: str) -> ListQuery | None:
        """Returns the list that a key names, if there is one."""
        match = _KEY.match(key)
        if match is None or not self._in_scope(match["scope"]):
            return None
        provider = match["provider"] or None
        if provider is not None and provider not in _SIDES:
            return None
        return ListQuery(match["scope"], match["heading"], provider, int(match["page"]))

    def follow(self, key: str, question: str) -> ListQuery | Entry | None:
        """Returns what a message after a list asks for: its next page, or one of its rows."""
        query = self.from_key(key)
        if query is None:
            return None
        spoken = text.squeeze(question)
        ordinal = _ORDINAL.search(spoken)
        if ordinal and len(spoken) <= 10:
            rows = self._chosen(query)
            number = _number(ordinal.group(1))
            return rows[number - 1].entry if 0 < number <= len(rows) else None
        if self._asks_on(spoken):
            following = replace(query, page=query.page + 1)
            return following if query.page * PAGE < len(self._chosen(query)) else None
        return None

    @staticmethod
    def _asks_on(spoken: str) -> bool:
        return len(spoken) <= 8 and _NEXT.search(spoken) is not None

    def is_at_its_end(self, key: str, question: str) -> bool:
        """Tells whether a message asks for more of a list that was shown to its end."""
        query = self.from_key(key)
        return (
            query is not None and self._asks_on(text.squeeze(question)) and self.follow(key, question) is None
        )

    def _chosen(self, query: ListQuery) -> list[Row]:
        return [
            row
            for row in self._in_scope(query.scope)
            if (not query.heading or query.heading in self._headings_of(row))
            and (query.provider is None or row.listing.provider == query.provider)
        ]

    def answer(self, query: ListQuery) -> Listed | None:
        """Returns the rows of a list in words; None if it has no rows."""
        chosen = self._chosen(query)
        within = self._chosen(replace(query, provider=None))
        if not within:
            return None
        catalogues = tuple({row.catalogue.id: row.catalogue for row in (chosen or within)}.values())
        lines = [self._head(query, within, chosen)]
        several = len(self._catalogues_in(query.scope)) > 1
        first = max(query.page - 1, 0) * PAGE
        only_counted = query.page == 0 and len(chosen) > PAGE
        shown: Sequence[Row] = () if only_counted else chosen[first : first + PAGE]
        if query.page <= 1:
            lines += self._broken_down(
                chosen, several=several and len(chosen) > PAGE, by_heading=not (query.heading or several)
            )
        before = ""
        for number, row in enumerate(shown, first + 1):
            if several and row.catalogue.name != before:
                before = row.catalogue.name
                lines.append(f"【{before.removesuffix('服务清单')}】")
            lines.append(f"{number}. {row.title}")
        left = len(chosen) - first - len(shown)
        following = None
        if left > 0:
            following = replace(query, page=max(query.page, 1) + 1 if shown else 1)
            lines.append(
                f"后面还有{left}项，回复“下一页”接着看。"
                if shown
                else "需要完整清单的，请回复“下一页”或按下面的按钮。"
            )
        return Listed("\n".join(lines), tuple(shown), catalogues, query, following)

    def _head(self, query: ListQuery, within: Sequence[Row], chosen: Sequence[Row]) -> str:
        name = self._name_of(query.scope)
        what = f"{name}的{query.heading}" if query.heading else name
        sides = _sides(within)
        end = "。" if query.page == 0 and len(chosen) > PAGE else "："
        if query.page > 1:
            return f"{what}（接上页）："
        if query.provider is None:
            detail = f"（{sides}）" if sides else ""
            return f"{what}共{len(within)}项{detail}{end}"
        side = _SIDES[query.provider]
        if not chosen:
            return f"{what}共{len(within)}项（{sides}），没有{side}的服务。"
        return f"{what}共{len(within)}项（{sides}），其中{side}{len(chosen)}项{end}"

    def _name_of(self, scope: str) -> str:
        if scope in self._catalogues:
            return self._catalogues[scope].name
        return f"{_chinese(len(self._catalogues_in(scope)))}大产业平台服务清单"

    def _broken_down(self, rows: Sequence[Row], *, several: bool, by_heading: bool) -> list[str]:
        lines = []
        if several:
            counts = Counter(row.catalogue.name.removesuffix("服务清单") for row in rows)
            lines.append("分平台：" + "、".join(f"{name}{count}项" for name, count in counts.items()) + "。")
        if by_heading:
            counts = Counter(row.listing.category for row in rows)
            if len(counts) > 1:
                lines.append(
                    "分类：" + "、".join(f"{name}{count}项" for name, count in counts.items()) + "。"
                )
        return lines


def _sides(rows: Sequence[Row]) -> str:
    counts = Counter(row.listing.provider for row in rows)
    if set(counts) == {None}:
        return ""
    said = [f"{side}{counts[provider]}项" for provider, side in _SIDES.items() if counts[provider]]
    if counts[None]:
        said.append(f"未标注{counts[None]}项")
    return "、".join(said)


def _number(written: str) -> int:
    if written.isdigit():
        return int(written)
    tens, ten, ones = written.partition("十")
    if ten:
        return (_DIGITS.get(tens, 1) if tens else 1) * 10 + (_DIGITS.get(ones, 0) if ones else 0)
    return _DIGITS.get(written, 0)


def _chinese(number: int) -> str:
    return "零一二三四五六七八九十"[number] if number <= 10 else str(number)
