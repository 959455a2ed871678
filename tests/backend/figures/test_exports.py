"""What stands in exported cells: nothing that a spreadsheet computes, and nobody's telephone number."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.appeals.calendar import SHANGHAI
from backend.figures.cells import (
    APPEAL_HEADS,
    LONGEST,
    appeal_cells,
    csv_cell,
    csv_lines,
    figure_cells,
    figure_heads,
    plain,
    starts_formula,
)
from backend.figures.definitions import Counts
from backend.figures.model import Grouping, Key, Row
from backend.figures.sheets import Sheet

NOW = datetime(2026, 11, 19, 10, 0, tzinfo=SHANGHAI)
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"

FORMULAS = [
    "=1+1",
    "+1",
    "-1+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\u3000=1",
    "\u200b=1",
    "\ufeff=1",
    "\x00=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "﹦1",
    "﹢1",
    "﹣1",
    "﹫SUM(A1)",
    '=HYPERLINK("http://x","y")',
    "=cmd|'/C calc'!A0",
]


def values(**changes: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "number": "QT20261116-0001",
        "enterprise": "杭州测试有限公司",
        "text": "请回电 13800000001，门口道路破损",
        "channel": "portal",
        "category": "项目",
        "level": "single",
        "state": "assigned",
        "direct_line": False,
        "territory": "下沙街道",
        "lead_department": "甲局",
        "submitted_at": NOW,
        "due_at": NOW,
        "assigned_at": None,
        "first_reply_at": None,
        "first_resolved_at": None,
        "closed_at": None,
        "escalation_level": 1,
        "feedback_result": None,
        "feedback_stars": None,
        "feedback_comment": None,
        "dissatisfied": 0,
        "co_departments": ["乙局", "丙局"],
        "contact": "王小明",
        "phone": "13800000001",
    }
    return {**known, **changes}


def sheet_cells(path: Path) -> list[list[tuple[str, str]]]:
    """Rows of (type, content), read without any spreadsheet program."""
    with zipfile.ZipFile(path) as archive:
        root = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    assert root.findall(f".//{MAIN}f") == []

    def content(cell: ElementTree.Element) -> str:
        return "".join(part.text or "" for part in cell.iter() if part.tag in (f"{MAIN}t", f"{MAIN}v"))

    return [[(cell.get("t", "n"), content(cell)) for cell in found] for found in root.iter(f"{MAIN}row")]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_might_compute_gets_an_apostrophe(text: str) -> None:
    assert starts_formula(text)
    assert csv_cell(text).startswith("'")


@pytest.mark.parametrize(
    "text", ["道路破损", "3=2 吗", "区住建局", "a@b.cn", "（=1）", "", "'=1", "10-20 人"]
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert csv_cell(text) == text


@given(st.text(max_size=60))
def test_no_csv_cell_begins_like_a_formula(text: str) -> None:
    cell = csv_cell(text)
    assert cell[:1] not in tuple("=+-@\t\r\n＝＋－＠")
    assert not starts_formula(cell)


@given(
    st.lists(st.lists(st.text(max_size=30) | st.integers() | st.none(), min_size=2, max_size=2), max_size=5)
)
def test_a_csv_file_reads_back_row_by_row(rows: list[list[str | int | None]]) -> None:
    read = list(csv.reader(io.StringIO(csv_lines(rows).decode(), newline="")))
    assert read == [[csv_cell(cell) for cell in row] for row in rows]


@given(st.text())
def test_a_cell_is_one_line_without_control_signs(text: str) -> None:
    assert not any(sign in plain(text) for sign in "\r\n\t\x00\x0b\u2028")
    assert plain(plain(text)) == plain(text)


def test_a_very_long_text_is_cut() -> None:
    assert len(plain("长" * 40_000)) == LONGEST


def test_an_xlsx_file_holds_every_text_as_a_string(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    sheet = Sheet(path, "诉求明细", ["题目", "数"])
    sheet.write([[text, 7] for text in FORMULAS])
    sheet.write([["http://example.org", 1.5], ["00123", None], [None, -3]])
    sheet.close()
    rows = sheet_cells(path)
    assert rows[0] == [("inlineStr", "题目"), ("inlineStr", "数")]
    for text, cells in zip(FORMULAS, rows[1:], strict=False):
        assert cells[0][0] == "inlineStr"
        assert cells[0][1].strip() == plain(text).strip()
        assert cells[1] == ("n", "7")
    assert rows[-3][0] == ("inlineStr", "http://example.org")
    assert rows[-2] == [("inlineStr", "00123")]
    assert rows[-1] == [("n", "-3")]


def test_contacts_are_masked_in_their_columns_and_in_the_texts() -> None:
    cells = appeal_cells(
        values(feedback_comment="打 0571-88880001 没人接", feedback_result="unresolved"), NOW
    )
    assert len(cells) == len(APPEAL_HEADS)
    told = dict(zip(APPEAL_HEADS, cells, strict=True))
    assert told["联系人（已遮盖）"] == "王**"
    assert told["联系电话（已遮盖）"] == "138****01"
    assert told["企业反馈"] == "未解决"
    assert "13800000001" not in str(cells)
    assert "88880001" not in str(cells)
    assert "王小明" not in str(cells)


@pytest.mark.parametrize(
    ("state", "due", "late"),
    [
        ("assigned", datetime(2026, 11, 18, tzinfo=SHANGHAI), "是"),
        ("assigned", datetime(2026, 11, 20, tzinfo=SHANGHAI), "否"),
        ("closed", datetime(2026, 11, 18, tzinfo=SHANGHAI), "否"),
    ],
)
def test_whether_it_is_overdue_is_said(state: str, due: datetime, late: str) -> None:
    cells = appeal_cells(values(state=state, due_at=due), NOW)
    assert cells[APPEAL_HEADS.index("是否超期未办结")] == late


def test_an_erased_contact_leaves_nothing_to_mask() -> None:
    told = dict(zip(APPEAL_HEADS, appeal_cells(values(contact="", phone=""), NOW), strict=True))
    assert (told["联系人（已遮盖）"], told["联系电话（已遮盖）"]) == ("", "")


def test_a_rate_of_nothing_is_an_empty_cell() -> None:
    heads, cells = figure_heads(Grouping.TERRITORY), figure_cells(Row(Key(None, False), Counts(filed=1)))
    assert len(heads) == len(cells)
    told = dict(zip(heads, cells, strict=True))
    assert told["属地"] == "待属地确认"
    assert told["解决率（%）"] is None
    assert told["闭环率（%）"] == 0
