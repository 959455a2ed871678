"""The desk list on both databases, compared with the plainest reading of its filters."""

from __future__ import annotations

import random
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from backend_vault import VAULT
from sqlalchemy import event, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appeals.likeness import enterprise_key
from backend.appeals.model import SETTLED, Level, State
from backend.appeals.ports import AppealPage, AppealQuery, Scope
from backend.storage import fulltext, listing
from backend.storage.database import Database
from backend.storage.tables import (
    OPEN_ONLY,
    AccountRow,
    AppealRow,
    CoDepartmentRow,
    FilingRow,
    LiaisonEnterpriseRow,
)

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
DEPARTMENTS = ("区商务局", "区财政局", "区税务局", "区住建局")
TERRITORIES = ("下沙街道", "白杨街道", "医药港")
BOARDS = ("诉求", "人才", "政策")
ENTERPRISES = ("杭州甲有限公司", "杭州乙科技有限公司", "Ａｂ贸易（浙江）", "乙'\"\\%_*")
PHONES = ("13800000001", "13800000002", "0571-88880000")
SIGNS = "停电路灯补贴 ab1-%_*\"'\\\n\t（）：Ａ㎡𠮷🙂é"
COUNT = 300

Made = dict[str, Any]


def make(pick: random.Random) -> list[Made]:
    """Appeals that meet every filter now and then."""
    made = []
    for number in range(1, COUNT + 1):
        state = pick.choice([*State, State.CLOSED, State.CLOSED, State.IN_WORK])
        lead = pick.choice((None, *DEPARTMENTS))
        others = [name for name in DEPARTMENTS if name != lead]
        made.append(
            {
                "id": number * 3,
                "number": f"QT20261{pick.randrange(10)}0{pick.randrange(10)}-{number:04d}",
                "enterprise": pick.choice(ENTERPRISES),
                "text": "".join(pick.choices(SIGNS, k=pick.choice((1, 3, 8, 30)))),
                "phone": pick.choice(PHONES),
                "category": pick.choice(BOARDS),
                "level": pick.choice(list(Level)).value,
                "state": state,
                "direct_line": pick.random() < 0.2,
                "territory": pick.choice((None, *TERRITORIES)),
                "lead": lead,
                "co": pick.sample(others, pick.choice((0, 0, 1, 2))),
                "due_at": NOW + timedelta(hours=pick.randint(-48, 48)),
                "assigned": state is not State.FILED and pick.random() < 0.9,
            }
        )
    return made


def fits(one: Made, query: AppealQuery, scope: Scope, paired: set[str]) -> bool:
    """Whether an appeal belongs on the list, filter by filter."""
    is_open = one["state"] not in SETTLED
    overdue = is_open and one["due_at"] < NOW
    involved = {one["lead"], *one["co"]}
    words = _fold(query.text or "").split()
    fields = [_fold(one[name]) for name in ("number", "enterprise", "text")]
    return all(
        (
            query.state is None or one["state"] is query.state,
            query.level is None or one["level"] == query.level.value,
            query.category is None or one["category"] == query.category,
            query.department is None or query.department in involved,
            query.territory is None or one["territory"] == query.territory,
            query.open is None or is_open is query.open,
            query.overdue is None or overdue is query.overdue,
            query.direct_line is None or one["direct_line"] is query.direct_line,
            query.phone is None or one["phone"] == query.phone,
            not query.text or (words and all(any(word in kept for kept in fields) for word in words)),
            scope.department is None or (one["assigned"] and scope.department in involved),
            scope.territory is None or one["territory"] in (None, scope.territory),
            scope.liaison is None or one["enterprise"] in paired,
        )
    )


def _fold(words: str) -> str:
    return unicodedata.normalize("NFKC", words).lower()


def draw(pick: random.Random, made: list[Made]) -> tuple[AppealQuery, Scope]:
    """A query with any filters, and a scope."""

    def maybe(values: Any, chance: float = 0.25) -> Any:
        return pick.choice(list(values)) if pick.random() < chance else None

    words = None
    if pick.random() < 0.5:
        kept = pick.choice(made)[pick.choice(("number", "enterprise", "text"))]
        start = pick.randrange(len(kept))
        words = kept[start : start + pick.choice((1, 1, 2, 2, 3, 4, 9))]
        if pick.random() < 0.2:
            words += pick.choice(SIGNS)
        words = words if words.strip() else None
    query = AppealQuery(
        state=maybe(State),
        level=maybe(Level),
        category=maybe(BOARDS),
        department=maybe(DEPARTMENTS),
        territory=maybe(TERRITORIES),
        open=maybe((True, False)),
        overdue=maybe((True, False)),
        direct_line=maybe((True, False)),
        phone=maybe(PHONES, 0.15),
        text=words,
        page=pick.choice((1, 1, 1, 2, 3, 9)),
        page_size=pick.choice((1, 3, 10, 100)),
    )
    scope = Scope(
        department=maybe(DEPARTMENTS, 0.3), territory=maybe(TERRITORIES, 0.2), liaison=maybe(("li",), 0.15)
    )
    return query, scope


async def fill(database: Database, made: list[Made], paired: set[str]) -> None:
    """Puts the appeals and a liaison into the database."""
    async with database.engine.begin() as connection:
        await connection.execute(
            insert(FilingRow), [{"group_id": "g", "content_hash": "", "created_at": NOW}]
        )
        await connection.execute(insert(AppealRow), [_columns(one) for one in made])
        helpers = [
            {"appeal_id": one["id"], "position": position, "department": name}
            for one in made
            for position, name in enumerate(one["co"])
        ]
        await connection.execute(insert(CoDepartmentRow), helpers)
        account = {"id": 7, "username": "li", "role": "liaison", "created_at": NOW}
        await connection.execute(insert(AccountRow), [account])
        pairs = [
            {"account_id": 7, "enterprise_key": enterprise_key(name), "enterprise": name, "since": NOW}
            for name in sorted(paired)
        ]
        await connection.execute(insert(LiaisonEnterpriseRow), pairs)


def _columns(one: Made) -> dict[str, Any]:
    return {
        "id": one["id"],
        "number": one["number"],
        "group_id": "g",
        "enterprise": one["enterprise"],
        "enterprise_key": enterprise_key(one["enterprise"]),
        "phone_hash": VAULT.fingerprint(one["phone"]),
        "text": one["text"],
        "channel": "portal",
        "category": one["category"],
        "level": one["level"],
        "initial_level": one["level"],
        "state": one["state"].value,
        "direct_line": one["direct_line"],
        "territory": one["territory"],
        "lead_department": one["lead"],
        "led_by": [],
        "reasons": [],
        "submitted_at": NOW,
        "due_at": one["due_at"],
        "due_provisional": False,
        "assigned_at": NOW if one["assigned"] else None,
        "escalation_level": 1,
        "dissatisfied": 0,
        "version": 1,
    }


async def ask(database: Database, query: AppealQuery, scope: Scope = Scope()) -> AppealPage:  # noqa: B008
    """The list as the repository gives it."""
    async with database.unit_of_work(read_only=True) as work:
        return await work.appeals.find(query, scope, NOW)


@pytest.mark.parametrize("seed", range(3))
async def test_every_filter_and_scope_gives_what_it_says(
    database: Database, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pick = random.Random(seed)
    made, paired = make(pick), set(ENTERPRISES[:2])
    await fill(database, made, paired)
    if seed == 2:
        # as if three hundred appeals were very many
        monkeypatch.setattr(listing, "_MANY", 40)
        monkeypatch.setattr(listing, "_ENOUGH", 15)
    newest = sorted(made, key=lambda one: -int(one["id"]))
    bounded = filled = 0
    for _ in range(120):
        query, scope = draw(pick, made)
        if seed == 2 and pick.random() < 0.3:
            query, scope = AppealQuery(text=query.text, page=query.page, page_size=query.page_size), Scope()
        wanted = [one["number"] for one in newest if fits(one, query, scope, paired)]
        page = await ask(database, query, scope)
        start = (query.page - 1) * query.page_size
        assert [one.number for one in page.appeals] == wanted[start : start + query.page_size], (query, scope)
        if page.total_is_least:
            bounded += 1
            assert 15 <= page.total < len(wanted), (query, scope)
        else:
            assert page.total == len(wanted), (query, scope)
        filled += bool(wanted)
    assert filled > 20
    postgresql = database.engine.dialect.name == "postgresql"
    assert bool(bounded) == (postgresql and seed == 2)


async def test_an_erased_text_is_no_longer_found(database: Database) -> None:
    made = make(random.Random(9))
    made[0] |= {"text": "食堂旁边的垃圾房没有人清运", "enterprise": "杭州丙有限公司"}
    await fill(database, made, set(ENTERPRISES[:1]))
    assert (await ask(database, AppealQuery(text="垃圾房"))).total == 1
    async with database.engine.begin() as connection:
        gone = update(AppealRow).where(AppealRow.id == made[0]["id"])
        await connection.execute(gone.values(text="已清除"))
    for word in ("垃圾房", "垃圾", "圾"):
        assert (await ask(database, AppealQuery(text=word))).total == 0
    assert (await ask(database, AppealQuery(text="已清除"))).total == 1
    assert (await ask(database, AppealQuery(text="丙"))).total == 1
    async with database.engine.begin() as connection:
        await connection.execute(text("DELETE FROM appeal_co_departments"))
        await connection.execute(text("DELETE FROM appeals"))
    for word in ("丙", "已清除", "QT"):
        assert (await ask(database, AppealQuery(text=word))).total == 0
    if database.engine.dialect.name == "postgresql":
        async with database.engine.begin() as connection:
            assert await connection.scalar(select(fulltext.WORDS.c.appeal_id)) is None


async def test_what_was_erased_is_gone_from_the_file_too(sqlite_template: Any, tmp_path: Any) -> None:
    path = tmp_path / "qifu.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}", VAULT)
    made = make(random.Random(4))
    made[5]["text"] = "龘龘小区的化粪池"
    await fill(database, made, set(ENTERPRISES[:1]))

    async def kept() -> bool:
        async with database.engine.connect() as connection:
            blocks = await connection.scalars(text("SELECT block FROM appeal_words_data"))
            return any("龘".encode() in block for block in blocks)

    async with database.engine.begin() as connection:
        gone = update(AppealRow).where(AppealRow.id == made[5]["id"])
        await connection.execute(gone.values(text="已清除"))
    assert await kept()
    async with AsyncSession(database.engine) as session:
        await fulltext.forget(session)
        await session.commit()
    assert not await kept()
    assert (await ask(database, AppealQuery(text="已清除"))).total == 1
    await database.close()


async def test_width_and_case_do_not_count_and_all_words_must_be_there(database: Database) -> None:
    made = make(random.Random(3))[:3]
    made[0]["text"] = "在ＡＢＣ大厦三楼，\n电梯坏了"
    made[1]["text"] = "电梯还好"
    made[2]["text"] = "别的"
    await fill(database, made, set(ENTERPRISES[:1]))
    for words, count in {
        "abc": 1,
        "Ａbc大厦": 1,
        "电梯": 2,
        "梯": 2,
        "电梯 大厦": 1,
        "电梯大厦": 0,
        "坏 电 楼": 1,
        "三楼，电": 0,
    }.items():
        assert (await ask(database, AppealQuery(text=words))).total == count, words


def test_the_index_of_open_appeals_holds_the_open_states() -> None:
    states = ", ".join(f"'{state}'" for state in listing.OPEN)
    assert f"state IN ({states})" == OPEN_ONLY


@pytest.mark.parametrize(
    ("query", "scope"),
    [
        (AppealQuery(), Scope()),
        (AppealQuery(level=Level.SINGLE, category="诉求", open=False), Scope()),
        (AppealQuery(overdue=True), Scope(territory="下沙街道")),
        (AppealQuery(state=State.CLOSED), Scope(department="区商务局")),
        (AppealQuery(department="区财政局", open=True), Scope(department="区商务局")),
        (AppealQuery(text="停电", direct_line=False), Scope()),
        (AppealQuery(text="停", overdue=False), Scope(department="区商务局")),
        (AppealQuery(), Scope(liaison="li")),
        (AppealQuery(phone="13800000001", text="停电"), Scope(territory="下沙街道")),
    ],
)
async def test_sqlite_reads_no_appeal_that_is_not_on_the_page(
    sqlite_template: Any, tmp_path: Any, query: AppealQuery, scope: Scope
) -> None:
    path = tmp_path / "qifu.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}", VAULT)
    said: list[tuple[str, Any]] = []

    @event.listens_for(database.engine.sync_engine, "before_cursor_execute")
    def listen(_c: Any, _cursor: Any, statement: str, parameters: Any, _x: Any, _many: bool) -> None:
        if statement.startswith("SELECT"):
            said.append((statement, parameters))

    page = await ask(database, query, scope)
    assert page.total == 0
    async with database.engine.connect() as connection:
        plans = [
            detail
            for statement, parameters in list(said)
            for *_, detail in await connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters)
        ]
    await database.close()
    read = [plan for plan in plans if " appeals " in f"{plan} "]
    assert read
    for plan in read:
        few = "phone_hash=?" in plan or "enterprise_key=?" in plan or "INTEGER PRIMARY KEY" in plan
        assert "COVERING INDEX" in plan or few, plan
