"""Every endpoint, asked by everybody, for what is theirs and what is not: as `permissions.txt` says.

What is not yours answers with the same bytes as what is not there, after the same statements to the database:
neither the answer nor its work tells the two apart.
"""

from __future__ import annotations

import base64
import importlib
import io
import shutil
import sqlite3
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from api_helpers import FILING, ROOT, Backend, Clock, StubBot
from permission_cases import ACCOUNTS, CASES, MISSING, Asked, Cell, Stage, people
from sqlalchemy import event

from backend.api.app import ENDPOINTS, create_app
from backend.api.limits import Limits
from backend.composition import Knowledge, build
from backend.people.roles import Role
from backend.permissions import PERMISSIONS, Action
from backend.settings import Settings

COLUMNS = [
    "--",
    "ex",
    "rv",
    "sh",
    "opr",
    "tsk",
    "ins",
    "lea",
    "edi",
    "adm",
    "T+",
    "T=",
    "T?",
    "T-",
    "D+",
    "D=",
    "D-",
    "L+",
    "L-",
]
ROLES = {
    **{column: Role(name) for column, name in ACCOUNTS.items() if name in list(Role)},
    **dict.fromkeys(("T+", "T=", "T?", "T-"), Role.TERRITORY),
    **dict.fromkeys(("D+", "D=", "D-"), Role.DEPARTMENT),
    **dict.fromkeys(("L+", "L-"), Role.LIAISON),
}
WORDS = {"yes", "barred", "hidden", "never", "401"}
ENDPOINT = {f"{endpoint.method} {endpoint.path}": endpoint for endpoint in ENDPOINTS}


@dataclass(frozen=True)
class Answer:
    """What can be seen of an answer, and what was asked of the database for it."""

    status: int
    headers: dict[str, str]
    body: bytes
    statements: tuple[str, ...]


def _table() -> tuple[dict[str, dict[str, str]], list[str]]:
    rows: dict[str, dict[str, str]] = {}
    public: list[str] = []
    for line in Path(__file__).with_name("permissions.txt").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        *cells, path = line.split("|")
        name = " ".join(path.split())
        words = " ".join(cells).split()
        assert name not in rows, f"{name} stands there twice"
        assert name not in public, f"{name} stands there twice"
        if words == ["open"]:
            public.append(name)
        else:
            assert len(words) == len(COLUMNS), line
            assert set(words) <= WORDS, line
            rows[name] = dict(zip(COLUMNS, words, strict=True))
    return rows, public


STAFF, PUBLIC = _table()


# -- the table itself --------------------------------------------------------------------------------------


def test_every_endpoint_stands_in_the_table_and_nothing_else() -> None:
    assert set(STAFF) == {name for name, endpoint in ENDPOINT.items() if endpoint.access == "staff"}
    assert set(PUBLIC) == {name for name, endpoint in ENDPOINT.items() if endpoint.access == "public"}
    assert set(CASES) <= set(STAFF)


@pytest.mark.parametrize("name", STAFF)
def test_the_declared_action_refuses_whom_the_table_refuses(name: str) -> None:
    action = ENDPOINT[name].action
    allowed = frozenset(Role) if action is None else PERMISSIONS[action]
    refused = {column for column, role in ROLES.items() if role not in allowed}
    assert {column for column, word in STAFF[name].items() if word == "never"} == refused
    assert all(STAFF[name][column] == "401" for column in ("--", "ex", "rv", "sh"))


def test_every_action_is_somebodys_and_some_endpoints() -> None:
    assert set(PERMISSIONS) == set(Action)
    used = {endpoint.action for endpoint in ENDPOINTS if endpoint.action is not None}
    # entries are edited in files until the console can do it
    assert set(Action) - used == {Action.CONTENT_EDIT}


def test_the_page_for_people_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    page = (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")
    assert page == importlib.import_module("permissions_table").page(), "run scripts/permissions_table.py"


# -- the stage ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def cast(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Where the database with somebody in every role is kept, once it is made, and their bad tokens."""
    return {"folder": tmp_path_factory.mktemp("cast")}


@pytest.fixture
async def stage(
    tmp_path: Path, knowledge: Knowledge, empty_database: Path, clock: Clock, cast: dict[str, Any]
) -> AsyncIterator[Stage]:
    kept: Path = cast["folder"] / "qifu.db"
    shutil.copy(kept if kept.exists() else empty_database, tmp_path / "qifu.db")
    settings = Settings(
        data_dir=tmp_path,
        data_key=base64.b64encode(bytes(range(32))).decode(),
        knowledge_dir=ROOT / "knowledge_base",
        web_dir=tmp_path / "web",
        clock_seconds=0,
    )
    # without what runs beside the requests: its statements would be heard among those of the answers
    container = replace(build(settings, clock=clock, knowledge=knowledge), upkeep=())
    async with TestClient(TestServer(create_app(container, Limits(turn_seconds=0.01)))) as client:
        await container.supervision.stop()
        backend = Backend(container, client, StubBot(), clock)
        if not kept.exists():
            cast["tokens"] = await people(backend)
            with (
                closing(sqlite3.connect(tmp_path / "qifu.db")) as made,
                closing(sqlite3.connect(kept)) as copy,
            ):
                made.backup(copy)
        else:
            clock.forward(hours=1)
        yield Stage(backend)


@contextmanager
def _listening(stage: Stage) -> Iterator[list[str]]:
    heard: list[str] = []

    def hear(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        heard.append(statement)

    engine = stage.container.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(engine, "before_cursor_execute", hear)


async def _ask(stage: Stage, name: str, asked: Asked, headers: dict[str, str]) -> Answer:
    endpoint = ENDPOINT[name]
    path = endpoint.path.format_map({**MISSING, **asked.path})
    with _listening(stage) as statements:
        response = await stage.backend.client.request(endpoint.method, path, json=asked.body, headers=headers)
        content = await response.read()
    seen = {key: value for key, value in response.headers.items() if key != "Date"}
    return Answer(response.status, seen, content, tuple(statements))


async def _headers(stage: Stage, cast: dict[str, Any], cell: Cell) -> dict[str, str]:
    if cell.account is None:
        token = cast["tokens"].get(cell.column)
        return {"Authorization": f"Bearer {token}"} if token else {}
    headers = await stage.token(cell.account)
    # a token's first use is noted; that is not what is looked at here
    assert (await stage.backend.get("/api/v1/staff/me", headers=headers)).status == 200
    return headers


async def _nothing(stage: Stage, cell: Cell) -> Asked:
    return Asked()


# -- every cell --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STAFF)
async def test_every_cell_of_the_table(stage: Stage, cast: dict[str, Any], name: str) -> None:
    wrong = []
    case = CASES.get(name, _nothing)
    # what is refused before it is looked at uses nothing up
    refused = await case(stage, Cell("opr", "operator"))
    for column, word in STAFF[name].items():
        cell = Cell(column, ACCOUNTS.get(column))
        asked = refused if word in ("401", "never") else await case(stage, cell)
        headers = await _headers(stage, cast, cell)
        missing = await _ask(stage, name, Asked({}, asked.body), headers) if asked.path else None
        answer = await _ask(stage, name, asked, headers)
        if not _is_as(word, answer, missing):
            wrong.append(f"{column} should be {word}: {answer.status} {answer.body[:200].decode()}")
    assert wrong == []


def _is_as(word: str, answer: Answer, missing: Answer | None) -> bool:
    if word == "yes":
        return answer.status in (200, 201)
    if word == "barred":
        return answer.status == 403
    expected = {"hidden": 404, "never": 403, "401": 401}[word]
    if word == "hidden" and missing is None:
        return False
    return answer.status == expected and (missing is None or answer == missing)


@pytest.mark.parametrize("name", PUBLIC)
async def test_what_is_open_asks_nobody_who_they_are(stage: Stage, cast: dict[str, Any], name: str) -> None:
    cells = [Cell(column, ACCOUNTS.get(column)) for column in ("--", "ex", "rv", "sh", "adm", "D+")]
    statuses = {
        (await _ask(stage, name, Asked({"name": "deadline"}, {}), await _headers(stage, cast, cell))).status
        for cell in cells
    }
    assert len(statuses) == 1
    assert not statuses & {403, 500}
    # a login without a name is refused for what it lacks, before anybody is looked up
    assert 401 not in statuses


# -- what the table cannot say -----------------------------------------------------------------------------


async def test_a_second_appeal_that_is_not_yours_is_not_there_either(
    stage: Stage, cast: dict[str, Any]
) -> None:
    own = await stage.appeal("T=")
    theirs = await stage.appeal("T=")
    await stage.container.appeals.assign(
        stage.operator,
        filed := await stage.appeal("T=", "filed"),
        lead_department=stage.names["lead"],
        level=None,
        territory=stage.names["elsewhere"],
    )
    headers = await _headers(stage, cast, Cell("T=", "territory"))
    name = "POST /api/v1/desk/appeals/{number}/merge"
    answers = [
        await _ask(stage, name, Asked({"number": own}, {"into": into, "reason": "同一件事"}), headers)
        for into in (filed, MISSING["number"])
    ]
    assert answers[0].status == 404
    assert (answers[0].status, answers[0].headers, answers[0].body) == (
        answers[1].status,
        answers[1].headers,
        answers[1].body,
    )
    found = await _ask(stage, name, Asked({"number": own}, {"into": theirs, "reason": "同一件事"}), headers)
    assert found.status == 200


async def test_a_list_shows_only_ones_own(stage: Stage, cast: dict[str, Any]) -> None:
    handled = await stage.appeal("D+")
    unassigned = await stage.appeal("D+", "filed")
    unconfirmed = await stage.appeal("T?", "filed")
    everything = {handled, unassigned, unconfirmed}
    expected = {
        "operator": everything,
        "taskforce": everything,
        "inspection": everything,
        "leader": everything,
        "admin": everything,
        "territory": everything,
        "elsewhere": {unconfirmed},
        "lead": {handled},
        "co": {handled},
        "stranger": set(),
        "paired": everything,
        "unpaired": set(),
    }
    for username, numbers in expected.items():
        headers = await _headers(stage, cast, Cell("", username))
        found = await (await stage.backend.get("/api/v1/desk/appeals", headers=headers)).json()
        assert {appeal["number"] for appeal in found["appeals"]} == numbers, username
        assert found["total"] == len(numbers), username


_LISTS = [name for name in STAFF if name.startswith("GET") and "{" not in name]


@pytest.mark.parametrize("name", _LISTS)
async def test_nothing_that_lists_or_exports_tells_of_anothers_appeals(
    stage: Stage, cast: dict[str, Any], name: str
) -> None:
    numbers = [await stage.appeal("D+", kind) for kind in ("handled", "supervised", "escalated", "merged")]
    stage.backend.clock.forward(days=30)
    for _ in range(3):
        await stage.container.supervision.clock.run_once()
    for column in ("T-", "D-", "L-"):
        if STAFF[name][column] != "yes":
            continue
        headers = await _headers(stage, cast, Cell(column, ACCOUNTS[column]))
        answer = await _ask(stage, name, Asked(), headers)
        assert answer.status == 200, answer.body
        told = _unpacked(answer.body)
        for secret in (*numbers, "测试科技", FILING["phone"], FILING["contact"], FILING["text"][:8]):
            assert secret not in told, (column, secret)
    if "appeals" in name:
        headers = await _headers(stage, cast, Cell("D+", ACCOUNTS["D+"]))
        assert numbers[0] in _unpacked((await _ask(stage, name, Asked(), headers)).body)


def _unpacked(body: bytes) -> str:
    if not body.startswith(b"PK"):
        return body.decode("utf-8-sig")
    with zipfile.ZipFile(io.BytesIO(body)) as sheet:
        return "".join(sheet.read(part).decode("utf-8", "ignore") for part in sheet.namelist())


async def test_a_liaison_sees_no_more_once_parted(stage: Stage, cast: dict[str, Any]) -> None:
    number = await stage.appeal("L+")
    headers = await _headers(stage, cast, Cell("L+", "paired"))
    name = "GET /api/v1/desk/appeals/{number}"
    assert (await _ask(stage, name, Asked({"number": number}), headers)).status == 200
    await stage.container.liaisons.unpair("paired", "杭州测试科技有限公司")
    answer = await _ask(stage, name, Asked({"number": number}), headers)
    assert answer == await _ask(stage, name, Asked({}), headers)
    assert answer.status == 404


async def test_what_staff_file_says_who_filed_it(stage: Stage, cast: dict[str, Any]) -> None:
    name = "POST /api/v1/desk/appeals"
    for column, channel in [
        ("L+", "assistant_visit"),
        ("opr", "hotline"),
        ("T=", "platform"),
        ("tsk", "other"),
    ]:
        cell = Cell(column, ACCOUNTS[column])
        headers = await _headers(stage, cast, cell)
        asked = await CASES[name](stage, cell)
        response = await stage.backend.post("/api/v1/desk/appeals", asked.body, headers=headers)
        number = (await response.json())["appeals"][0]["number"]
        record = await stage.container.appeals.get(stage.operator, number)
        assert record.appeal.channel == channel
        assert record.history[0].actor.name == cell.account
        assert record.appeal.territory == (stage.names["territory"] if column == "T=" else None)
