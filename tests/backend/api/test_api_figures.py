"""Figures, ranking, liaisons' months and exports through the API."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp import ClientResponse
from api_helpers import FILING, PHONE, Backend, refused

from backend.appeals.model import Filing
from backend.figures.exports import ExportService
from backend.people.actors import Actor
from backend.people.roles import Role

OPERATOR = Actor("operator", Role.OPERATOR)


class Case:
    """An appeal on its way from filing to feedback."""

    def __init__(self, backend: Backend, department: int = 0, territory: int = 0) -> None:
        self.backend = backend
        self.appeals = backend.container.appeals
        directory = backend.container.directory
        self.department = directory.departments()[department].name
        self.territory = directory.territories()[territory].name
        self.number = ""

    async def filed(self, actor: Actor | None = None, **changes: Any) -> Case:
        sent = Filing(**{**FILING, "territory": self.territory, **changes})
        found = await (self.appeals.file(sent, actor) if actor else self.appeals.file(sent))
        self.number = found.appeals[0].number
        return self

    async def assigned(self, **changes: Any) -> Case:
        await self.filed(**changes)
        await self.appeals.assign(OPERATOR, self.number, lead_department=self.department)
        return self

    async def answered(self, result: str = "resolved", stars: int = 5, **changes: Any) -> Case:
        await self.assigned(**changes)
        lead = Actor("lead", Role.DEPARTMENT, self.department)
        await self.appeals.resolve(lead, self.number, "已经修好。")
        await self.appeals.give_feedback(self.number, PHONE, result, stars, "=1+1")
        return self


async def _json(answer: ClientResponse, status: int = 200) -> dict[str, Any]:
    body = await answer.json()
    assert answer.status == status, body
    assert isinstance(body, dict)
    return body


async def test_the_figures_say_what_they_are_a_share_of(backend: Backend) -> None:
    await Case(backend).answered()
    case = await Case(backend).answered("unresolved", 2)
    await Case(backend).assigned()
    headers = await backend.staff(Role.TASKFORCE)
    body = await _json(await backend.get("/api/v1/desk/figures", headers=headers))
    row, held_against = body["rows"]
    assert (row["key"], row["unit_kind"]) == (case.department, "department")
    # what the enterprise calls unsolved is held against lead and territory alike
    assert (held_against["key"], held_against["unit_kind"]) == (case.territory, "territory")
    assert (held_against["counts"]["filed"], held_against["penalties"]["dissatisfied"]) == (0, 1)
    assert row["counts"]["filed"] == 3
    assert row["solved"] == {"numerator": 1, "denominator": 2, "rate": 0.5}
    assert row["on_time"] == {"numerator": 2, "denominator": 2, "rate": 1.0}
    assert row["stars"] == 3.5
    assert row["first_reply_hours"] == 0.0
    assert row["penalties"]["dissatisfied"] == 1
    assert body["whole"]["counts"]["filed"] == 3
    assert body["whole"]["penalties"]["dissatisfied"] == 2
    assert body["total"] == 2
    by_month = await _json(await backend.get("/api/v1/desk/figures?by=month", headers=headers))
    assert [found["key"] for found in by_month["rows"]] == ["2026-11"]
    none = await _json(await backend.get("/api/v1/desk/figures?to=2026-10-31", headers=headers))
    assert (none["rows"], none["whole"]["solved"]["rate"]) == ([], None)


async def test_units_see_their_own(backend: Backend) -> None:
    own = await Case(backend).answered()
    other = await Case(backend, department=1, territory=1).answered()
    lead = await backend.staff(Role.DEPARTMENT, own.department)
    seen = await _json(await backend.get("/api/v1/desk/figures", headers=lead))
    assert [row["key"] for row in seen["rows"]] == [own.department]
    asked = f"/api/v1/desk/figures?department={other.department}"
    assert (await _json(await backend.get(asked, headers=lead)))["rows"] == []
    place = await backend.staff(Role.TERRITORY, own.territory)
    seen = await _json(await backend.get("/api/v1/desk/figures?by=territory", headers=place))
    assert [row["key"] for row in seen["rows"]] == [own.territory]
    table = await _json(await backend.get("/api/v1/desk/figures/table?least=1", headers=lead))
    assert [row["key"] for row in table["departments"]] == [own.department]
    assert (table["placed_departments"], table["territories"]) == (2, [])


async def test_the_table_ranks_with_shared_places(backend: Backend) -> None:
    first = await Case(backend).answered()
    second = await Case(backend, department=1).answered()
    third = await Case(backend, department=2).answered("unresolved")
    headers = await backend.staff(Role.LEADER)
    table = await _json(await backend.get("/api/v1/desk/figures/table?least=1", headers=headers))
    found = {row["key"]: (row["rank"], row["tied"]) for row in table["departments"]}
    assert found == {first.department: (1, True), second.department: (1, True), third.department: (3, False)}
    assert (table["month"], table["order_text"]) == ("2026-11", "解决率")
    few = await _json(await backend.get("/api/v1/desk/figures/table", headers=headers))
    assert all(row["few"] and row["rank"] is None for row in few["departments"])
    empty = await _json(await backend.get("/api/v1/desk/figures/table?month=2026-10", headers=headers))
    assert empty["departments"] == []


@pytest.mark.parametrize(
    "path",
    [
        "figures?by=colour",
        "figures?from=2026-11-02&to=2026-11-01",
        "figures?from=yesterday",
        "figures/table?month=2026-13",
        "figures/table?order=luck",
        "figures/table?least=0",
        "exports/appeals.csv?state=lost",
        "exports/figures.xlsx?by=",
    ],
)
async def test_what_cannot_be_asked_is_refused(backend: Backend, path: str) -> None:
    headers = await backend.staff(Role.TASKFORCE)
    await refused(await backend.get(f"/api/v1/desk/{path}", headers=headers), 422, "invalid_input")


# -- exports -----------------------------------------------------------------------------------------------


def _lines(content: bytes) -> list[list[str]]:
    assert content.startswith("\ufeff".encode())
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


async def test_appeals_are_taken_along_as_csv(backend: Backend) -> None:
    case = await Case(backend).answered(enterprise="=cmd|'/C calc'!A0 有限公司")
    headers = await backend.staff(Role.TASKFORCE)
    answer = await backend.get("/api/v1/desk/exports/appeals.csv", headers=headers)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "诉求明细-20261116" in unquote(answer.headers["Content-Disposition"])
    head, row = _lines(await answer.read())
    told = dict(zip(head, row, strict=True))
    assert told["编号"] == case.number
    assert told["企业名称"].startswith("'=cmd")
    assert told["企业评价（已遮盖号码）"] == "'=1+1"
    assert told["联系电话（已遮盖）"] == "138****01"
    assert PHONE not in str(row)
    assert FILING["contact"] not in str(row)


async def test_appeals_are_taken_along_as_xlsx(backend: Backend) -> None:
    case = await Case(backend).answered()
    headers = await backend.staff(Role.TASKFORCE)
    answer = await backend.get("/api/v1/desk/exports/appeals.xlsx", headers=headers)
    assert answer.status == 200
    with zipfile.ZipFile(io.BytesIO(await answer.read())) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert case.number in sheet
    assert "=1+1" in sheet
    assert "<f>" not in sheet
    assert PHONE not in sheet


async def test_an_export_of_many_comes_in_batches(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.figures.exports._BATCH", 2)
    numbers = [(await Case(backend).filed()).number for _ in range(5)]
    headers = await backend.staff(Role.TASKFORCE)
    for form in ("csv", "xlsx"):
        answer = await backend.get(f"/api/v1/desk/exports/appeals.{form}", headers=headers)
        content = await answer.read()
        if form == "csv":
            assert [row[0] for row in _lines(content)[1:]] == numbers


async def test_a_unit_takes_only_its_own_along(backend: Backend) -> None:
    own = await Case(backend).assigned()
    await Case(backend, department=1, territory=1).assigned()
    for role, unit in ((Role.DEPARTMENT, own.department), (Role.TERRITORY, own.territory)):
        headers = await backend.staff(role, unit)
        answer = await backend.get("/api/v1/desk/exports/appeals.csv", headers=headers)
        assert [row[0] for row in _lines(await answer.read())[1:]] == [own.number]


async def test_filters_and_figures_of_an_export(backend: Backend) -> None:
    case = await Case(backend).answered()
    await Case(backend, department=1).assigned()
    headers = await backend.staff(Role.TASKFORCE)
    path = "/api/v1/desk/exports/appeals.csv?state=closed&from=2026-11-16&to=2026-11-16"
    assert [row[0] for row in _lines(await (await backend.get(path, headers=headers)).read())[1:]] == [
        case.number
    ]
    path = f"/api/v1/desk/exports/appeals.csv?department={case.department}"
    assert len(_lines(await (await backend.get(path, headers=headers)).read())) == 2
    figures = await backend.get("/api/v1/desk/exports/figures.csv?by=department", headers=headers)
    rows = _lines(await figures.read())
    assert rows[0][0] == "牵头单位"
    assert rows[-1][:2] == ["合计", "2"]
    book = await backend.get("/api/v1/desk/exports/figures.xlsx", headers=headers)
    assert zipfile.is_zipfile(io.BytesIO(await book.read()))


async def test_too_many_rows_are_refused_before_anything_is_sent(backend: Backend) -> None:
    for _ in range(2):
        await Case(backend).filed()
    container = backend.container
    service = ExportService(container.database.unit_of_work, container.figures, container.clock, 1)
    object.__setattr__(container, "exports", service)
    headers = await backend.staff(Role.TASKFORCE)
    answer = await backend.get("/api/v1/desk/exports/appeals.csv", headers=headers)
    assert "一次最多导出 1 件" in await refused(answer, 422, "export_too_large")
    assert (await answer.json())["error"]["details"]["rows"] == 2


async def test_every_export_is_logged_and_a_look_at_its_head_is_none(backend: Backend) -> None:
    await Case(backend).filed()
    headers = await backend.staff(Role.LEADER)
    path = "/api/v1/desk/exports/appeals.csv?category=诉求"
    assert (await backend.client.head(path, headers=headers)).status == 200
    await (await backend.get(path, headers=headers)).read()
    await (await backend.get("/api/v1/desk/exports/figures.xlsx?by=level", headers=headers)).read()
    async with backend.container.database.unit_of_work(read_only=True) as work:
        entries, _ = await work.audit.page(1, 10)
    found = [(entry.subject, dict(entry.after)) for entry in entries if entry.action == "export"]
    assert [subject for subject, _ in found] == ["figures.xlsx", "appeals.csv"]
    assert found[1][1]["category"] == "诉求"
    assert found[0][1]["by"] == "level"
    assert PHONE not in str(found)


async def test_an_export_that_breaks_does_not_look_whole(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.figures.exports._BATCH", 1)
    for _ in range(3):
        await Case(backend).filed()
    seen: list[int] = []

    def broken(batch: Any, now: Any) -> list[list[str]]:
        seen.append(len(batch))
        if len(seen) == 2:
            raise RuntimeError("boom")
        return [["行"]]

    monkeypatch.setattr("backend.figures.exports._cells", broken)
    headers = await backend.staff(Role.TASKFORCE)
    answer = await backend.get("/api/v1/desk/exports/appeals.csv", headers=headers)
    with pytest.raises(Exception, match=r"(?i)payload|connection|disconnected"):
        await answer.read()


# -- liaisons' months --------------------------------------------------------------------------------------

ENTRIES = {
    "visit": True,
    "tracked": True,
    "lead": "solved",
    "leader_visit": True,
    "posts": 2,
    "media": ["district"],
    "adopted": 1,
}


async def _liaison(backend: Backend, name: str = "zhuqi") -> tuple[Actor, dict[str, str]]:
    people = backend.container.people
    await people.create_account(name, Role.LIAISON)
    await backend.container.liaisons.pair(name, FILING["enterprise"])
    issued = await people.issue_token(name)
    return Actor(name, Role.LIAISON), {"Authorization": f"Bearer {issued.token}"}


async def test_a_month_is_scored_from_what_is_known_and_what_is_entered(backend: Backend) -> None:
    liaison, own = await _liaison(backend)
    await Case(backend).answered(actor=liaison, channel="assistant_visit")
    await Case(backend).answered("unresolved", 4)
    path = "/api/v1/desk/liaisons/zhuqi/months/2026-11"
    taskforce = await backend.staff(Role.TASKFORCE)
    before = await _json(await backend.get(path, headers=taskforce))
    assert before["score"] is None
    assert before["known"] == {
        "uploads": 1,
        "appeals": 2,
        "overdue": 0,
        "answered": 2,
        "solved_pct": 50.0,
        "stars": 4.5,
    }
    entered = await _json(await backend.post(path, ENTRIES, headers=taskforce))
    computed = await backend.post(
        "/api/v1/calculators/liaison-score",
        {**ENTRIES, "uploads": 1, "overdue": 0, "solved_pct": 50, "stars": 4.5},
    )
    result = (await computed.json())["result"]
    assert entered["score"]["total"] == result["total"]
    assert entered["score"]["parts"] == result["parts"]
    assert entered["score"]["trace"]
    assert await _json(await backend.get(path, headers=own)) == entered
    other = await _json(await backend.get(path.replace("2026-11", "2026-10"), headers=own))
    assert (other["known"]["appeals"], other["entered"]) == (0, None)


async def test_an_upload_counts_for_who_filed_it_and_only_if_it_is_valid(backend: Backend) -> None:
    liaison, own = await _liaison(backend)
    await _liaison(backend, "bieren")
    await Case(backend).filed(actor=liaison, channel="assistant_visit")
    withdrawn = await Case(backend).filed(actor=liaison, channel="assistant_visit")
    await backend.container.appeals.withdraw(withdrawn.number, PHONE)
    await Case(backend).filed(actor=OPERATOR, channel="assistant_visit")
    await Case(backend).filed(actor=liaison, channel="hotline")
    path = "/api/v1/desk/liaisons/{}/months/2026-11"
    mine = await _json(await backend.get(path.format("zhuqi"), headers=own))
    assert mine["known"]["uploads"] == 1
    taskforce = await backend.staff(Role.TASKFORCE)
    theirs = await _json(await backend.get(path.format("bieren"), headers=taskforce))
    assert theirs["known"]["uploads"] == 0
    assert theirs["known"]["appeals"] == mine["known"]["appeals"] == 4


async def test_what_was_entered_is_replaced_and_both_are_logged(backend: Backend) -> None:
    await _liaison(backend)
    path = "/api/v1/desk/liaisons/zhuqi/months/2026-11"
    taskforce = await backend.staff(Role.TASKFORCE)
    first = await _json(await backend.post(path, ENTRIES, headers=taskforce))
    second = await _json(await backend.post(path, {"visit": False, "tracked": False}, headers=taskforce))
    assert second["score"]["total"] < first["score"]["total"]
    assert second["score"]["parts"]["走访"] == 0
    async with backend.container.database.unit_of_work(read_only=True) as work:
        entries, _ = await work.audit.page(1, 1)
    assert (entries[0].action, entries[0].subject) == ("liaison.month", "zhuqi 2026-11")
    assert (entries[0].before["visit"], entries[0].after["visit"]) == (True, False)


@pytest.mark.parametrize(
    ("month", "changes"),
    [
        ("2026-12", {}),
        ("2026-11", {"posts": -1}),
        ("2026-11", {"visit": "yes"}),
        ("2026-11", {"lead": "maybe"}),
        ("2026-11", {"stars": 6}),
        ("2026-11", {"media": ["moon"]}),
        ("2026-11", {"uploads": 9}),
    ],
)
async def test_what_cannot_be_entered_is_refused(
    backend: Backend, month: str, changes: dict[str, Any]
) -> None:
    await _liaison(backend)
    taskforce = await backend.staff(Role.TASKFORCE)
    path = f"/api/v1/desk/liaisons/zhuqi/months/{month}"
    answer = await backend.post(path, {**ENTRIES, **changes}, headers=taskforce)
    await refused(answer, 422, "invalid_input")
    kept = await _json(await backend.get("/api/v1/desk/liaisons/zhuqi/months/2026-11", headers=taskforce))
    assert kept["entered"] is None


async def test_nobodys_month_and_no_month_are_not_there(backend: Backend) -> None:
    _, own = await _liaison(backend)
    await _liaison(backend, "bieren")
    taskforce = await backend.staff(Role.TASKFORCE)
    for path, headers in (
        ("nobody/months/2026-11", taskforce),
        ("zhuqi/months/2026-13", taskforce),
        ("zhuqi/months/november", taskforce),
        ("bieren/months/2026-11", own),
    ):
        answer = await backend.get(f"/api/v1/desk/liaisons/{path}", headers=headers)
        await refused(answer, 404, "not_found")
