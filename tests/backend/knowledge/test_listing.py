"""Lists of services: what is counted against the printed numbers, and which questions ask for one."""

from __future__ import annotations

from collections import Counter

import pytest

from backend.knowledge.answering import AnswerService
from backend.knowledge.entries import Entry
from backend.knowledge.listing import PAGE, ListQuery, Lists
from backend.knowledge.loading import KnowledgeBase

# As the documents print or number them: rows, government, enterprise, society.
PRINTED = {
    "qt.catalogue.common": (174, 111, 28, 34),
    "qt.catalogue.bio": (75, 48, 6, 21),
    "qt.catalogue.digital": (24, 13, 8, 3),
    "qt.catalogue.equipment": (21, 15, 4, 2),
    "qt.catalogue.materials": (29, 22, 3, 4),
    "qt.catalogue.bonded": (33, 26, 6, 1),
    "qt.catalogue.ic": (20, 16, 3, 1),
}
BOARDS = {
    "人才服务": (42, 13, 4, 24),
    "科创服务": (15, 9, 5, 1),
    "政策服务": (4, 4, 0, 0),
    "金融服务": (18, 7, 8, 3),
    "开放服务": (28, 24, 3, 1),
    "法治服务": (14, 10, 0, 4),
    "诉求服务": (11, 11, 0, 0),
    "兜底服务": (4, 4, 0, 0),
    "审批服务": (38, 29, 8, 1),
}
GROUPS = {
    "企业开办": 8,
    "项目开工": 9,
    "既有工业厂房装修改造": 10,
    "项目竣工验收": 4,
    "市政公用配套设施施工": 7,
}
ONLINE = {"法治服务": 8, "金融服务": 5, "开放服务": 5, "科创服务": 6, "人才服务": 16}


@pytest.fixture(scope="module")
def lists(real_base: KnowledgeBase) -> Lists:
    return Lists(real_base, "qt")


def rows(base: KnowledgeBase, catalogue: str) -> list[tuple[str, str | None, str | None]]:
    return [
        (listing.category, listing.group, listing.provider)
        for entry in base.entries.values()
        for listing in entry.listings
        if listing.catalogue == catalogue
    ]


def sides(found: list[tuple[str, str | None, str | None]]) -> tuple[int, int, int, int]:
    count = Counter(provider for _, _, provider in found)
    return len(found), count["government"], count["enterprise"], count["society"]


@pytest.mark.parametrize("catalogue", PRINTED)
def test_rows_are_as_many_as_printed(real_base: KnowledgeBase, catalogue: str) -> None:
    assert sides(rows(real_base, catalogue)) == PRINTED[catalogue]


def test_the_platforms_add_up_to_the_stated_total(real_base: KnowledgeBase) -> None:
    platforms = [item.id for item in real_base.catalogues.values() if item.kind == "platform"]
    assert sides([row for key in platforms for row in rows(real_base, key)]) == (202, 140, 30, 32)


@pytest.mark.parametrize("board", BOARDS)
def test_boards_are_as_printed(real_base: KnowledgeBase, board: str) -> None:
    found = [row for row in rows(real_base, "qt.catalogue.common") if row[0] == board]
    assert sides(found) == BOARDS[board]


def test_groups_of_approval_and_online_services_are_as_printed(real_base: KnowledgeBase) -> None:
    groups = Counter(row[1] for row in rows(real_base, "qt.catalogue.common") if row[0] == "审批服务")
    assert groups == GROUPS
    assert Counter(row[0] for row in rows(real_base, "qt.catalogue.online")) == ONLINE


@pytest.mark.parametrize(
    ("question", "query"),
    [
        ("六大平台有哪些金融服务", ListQuery("qt.platforms", "金融服务")),
        ("企服新干线上金融类上线了几个服务", ListQuery("qt.catalogue.online", "金融服务", page=0)),
        ("六个产业平台一共多少项服务，政府侧几项", ListQuery("qt.platforms", provider="government", page=0)),
        ("医药港有哪些人才服务", ListQuery("qt.catalogue.bio", "人才服务")),
        ("芯谷企业侧提供哪些服务", ListQuery("qt.catalogue.ic", provider="enterprise")),
        ("大创小镇都给企业提供什么服务", ListQuery("qt.catalogue.digital")),
        ("审批服务里企业开办有哪些事项", ListQuery("qt.catalogue.common", "企业开办")),
        ("企业能享受哪些法律服务", ListQuery("qt.catalogue.common", "法治服务")),
        ("前进智造园一共有几项服务", ListQuery("qt.catalogue.equipment", page=0)),
        ("网上可以办哪些事项", ListQuery("qt.catalogue.online")),
    ],
)
def test_reads_which_list_is_meant(lists: Lists, question: str, query: ListQuery) -> None:
    assert lists.read(question) == query


@pytest.mark.parametrize(
    "question",
    [
        "企服新干线有哪些登录方式",
        "企服新干线是什么",
        "医药港有哪些检测服务",
        "线上提交诉求有哪些渠道",
        "六大平台是哪几个",
        "五个综合受理窗口有哪些",
        "有哪些服务",
        "金融服务找谁",
        "医药港的地址",
        "人才服务窗口在哪里",
        "高企认定有哪些条件",
        "",
        "？？？",
    ],
)
def test_leaves_other_questions_to_the_search(lists: Lists, question: str) -> None:
    assert lists.read(question) is None


def test_every_list_is_complete_over_its_pages(lists: Lists, real_base: KnowledgeBase) -> None:
    queries = [ListQuery(key) for key in real_base.catalogues] + [ListQuery("qt.platforms")]
    queries += [ListQuery("qt.platforms", board) for board in ("金融服务", "人才服务")]
    for query in queries:
        shown: list[str] = []
        page: ListQuery | None = query
        while page is not None:
            listed = lists.answer(page)
            assert listed is not None
            assert len(listed.rows) <= PAGE
            shown += [f"{row.catalogue.id}:{row.listing.number}" for row in listed.rows]
            page = listed.following
        assert len(shown) == len(set(shown))
        first = lists.answer(query)
        assert first is not None
        assert f"共{len(shown)}项" in first.text


def test_a_key_leads_back_to_its_list(lists: Lists) -> None:
    query = ListQuery("qt.platforms", "金融服务", "government", 2)
    assert lists.from_key(query.key) == query
    for wrong in (
        "qt.hotline.number",
        "rows:qt.nowhere:::1",
        "rows:qt.platforms:金融服务:nobody:1",
        "rows::::",
    ):
        assert lists.from_key(wrong) is None


def test_goes_on_from_a_list(lists: Lists) -> None:
    key = ListQuery("qt.catalogue.bio").key
    assert lists.follow(key, "下一页") == ListQuery("qt.catalogue.bio", page=2)
    assert lists.follow(ListQuery("qt.catalogue.bio", page=0).key, "下一页") == ListQuery("qt.catalogue.bio")
    assert lists.follow(ListQuery("qt.catalogue.ic").key, "还有吗") is None
    third = lists.follow(key, "第三个怎么联系")
    assert isinstance(third, Entry)
    assert third.id == "qt.bio.03"
    assert lists.follow(key, "第九十九个") is None
    assert lists.follow(key, "高企认定有什么条件") is None


def test_lists_are_answered_with_their_source_and_a_way_on(real_service: AnswerService) -> None:
    reply = real_service.answer("医药港一共有哪些服务")
    message = reply.messages[0]
    assert reply.outcome == "answered"
    assert "共75项" in message.text
    assert "来源：" in message.text
    assert message.citations[0].entry == "qt.catalogue.bio"
    following = real_service.answer("下一页", last_entry=reply.entry)
    assert "21. " in following.messages[0].text
    pressed = real_service.answer_entry(message.buttons[0].payload.split('"')[3])
    assert pressed.messages[0].text == following.messages[0].text


def test_another_district_has_no_list_of_ours(real_service: AnswerService) -> None:
    reply = real_service.answer("上城区有哪些金融服务")
    assert not (reply.entry or "").startswith("rows:")


def test_more_of_a_list_that_was_shown_to_its_end(real_service: AnswerService) -> None:
    shown = real_service.answer("医药港有哪些人才服务")
    more = real_service.answer("还有吗", last_entry=shown.entry)
    assert more.outcome == "answered"
    assert "以上就是全部" in more.messages[0].text
    assert more.entry == shown.entry
