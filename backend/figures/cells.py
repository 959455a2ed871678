"""What stands in the cells of an export, and how text is kept from being read as a formula.

Spreadsheets compute what begins with ``=``, ``+``, ``-`` or ``@``, some of them also behind blanks, and some
turn full-width signs into half-width ones. A csv cell that begins so gets an apostrophe in front. In xlsx
each text is written as a string, which no program computes.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from backend.appeals.calendar import local
from backend.appeals.model import SETTLED, TERRITORY_UNKNOWN, TERRITORY_WORDING, FeedbackResult, Level, State
from backend.appeals.penalties import PenaltyKind
from backend.appeals.views import masked_contact, masked_phone
from backend.figures.definitions import Rate
from backend.figures.model import Grouping, Row
from backend.masking import mask

Cell = str | int | float | None

LONGEST: Final = 32_000
"""Characters of a cell; spreadsheets take 32,767."""

BOM: Final = "\ufeff"
"""Tells spreadsheets that a csv file is UTF-8."""

_STARTERS = frozenset("=+-@＝＋－＠﹦﹢﹣﹫−﹘|%")


_LINE_ENDS = re.compile("[\t-\r\x85\u2028\u2029]")
_NOT_IN_XML = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def plain(text: str) -> str:
    """A text that fits into one cell: no line ends, no control signs, not too long."""
    if text.isprintable():
        return text[:LONGEST]
    return _NOT_IN_XML.sub("", _LINE_ENDS.sub(" ", text))[:LONGEST]


def starts_formula(text: str) -> bool:
    """Whether a spreadsheet might compute a text, once blanks and invisible signs are taken away."""
    for sign in text:
        if sign.isspace() or unicodedata.category(sign) in ("Cf", "Cc", "Zs", "Mn"):
            continue
        return sign in _STARTERS or unicodedata.normalize("NFKC", sign)[:1] in _STARTERS
    return False


def csv_cell(cell: Cell) -> str:
    """A cell of a csv file."""
    if cell is None:
        return ""
    if not isinstance(cell, str):
        return str(cell)
    text = plain(cell)
    return f"'{text}" if starts_formula(text) else text


def csv_lines(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Rows as lines of a csv file, every cell in quotes."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([csv_cell(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8")


def when(moment: datetime | None) -> str | None:
    """A moment in the office's time, to the minute."""
    return f"{local(moment):%Y-%m-%d %H:%M}" if moment else None


APPEAL_HEADS: Final = (
    "编号",
    "提交时间",
    "企业名称",
    "联系人（已遮盖）",
    "联系电话（已遮盖）",
    "属地",
    "板块",
    "级别",
    "状态",
    "主办单位",
    "协办单位",
    "来源渠道",
    "书记区长直通车",
    "办理期限",
    "交办时间",
    "首次答复时间",
    "首次办结时间",
    "闭环时间",
    "是否超期未办结",
    "协调层级",
    "企业反馈",
    "星级",
    "反馈未解决次数",
    "问题（已遮盖号码）",
    "企业评价（已遮盖号码）",
)


def appeal_cells(values: Mapping[str, Any], now: datetime) -> list[Cell]:
    """One appeal; contact and telephone number are always masked, in the texts too."""
    state, result = State(values["state"]), values["feedback_result"]
    is_open = state not in SETTLED
    return [
        values["number"],
        when(values["submitted_at"]),
        values["enterprise"],
        masked_contact(values["contact"]),
        masked_phone(values["phone"]) if values["phone"] else "",
        values["territory"] or TERRITORY_UNKNOWN,
        values["category"],
        Level(values["level"]).text,
        state.text,
        values["lead_department"] or values["territory"] or TERRITORY_WORDING,
        "、".join(values["co_departments"]),
        values["channel"],
        "是" if values["direct_line"] else "否",
        when(values["due_at"]),
        when(values["assigned_at"]),
        when(values["first_reply_at"]),
        when(values["first_resolved_at"]),
        when(values["closed_at"]),
        "是" if is_open and now > values["due_at"] else "否",
        values["escalation_level"],
        FeedbackResult(result).text if result else None,
        values["feedback_stars"],
        values["dissatisfied"],
        mask(values["text"]),
        mask(values["feedback_comment"] or ""),
    ]


def figure_heads(by: Grouping) -> list[str]:
    """The heads of a figures export."""
    return [
        by.text,
        "提交数",
        "未了结",
        "超期未办结",
        "待企业确认",
        "已闭环",
        "已撤回",
        "已并案",
        "不予受理待确认",
        "按时办结",
        "逾期",
        "按时办结率（%）",
        "按时答复率（%）",
        "首次答复中位用时（小时，不含休息日）",
        "企业已反馈",
        "已解决",
        "解决率（%）",
        "闭环率（%）",
        "平均星级",
        "满意率（%）",
        "退回重办率（%）",
        "提级数",
        "吹哨占比（%）",
        "协办数",
        *(kind.text for kind in PenaltyKind),
    ]


def figure_cells(row: Row, name: str | None = None) -> list[Cell]:
    """The figures of one group; an empty cell where a rate has nothing to be a share of."""
    counts = row.counts
    return [
        name or row.key.text,
        counts.filed,
        counts.open,
        counts.overdue,
        counts.silent,
        counts.closed,
        counts.withdrawn,
        counts.merged,
        counts.not_accepted,
        counts.on_time,
        counts.late,
        percent(counts.on_time_rate),
        percent(counts.first_reply_rate),
        hours(row.reply_seconds),
        counts.answered,
        counts.solved,
        percent(counts.solve_rate),
        percent(counts.closed_rate),
        None if counts.mean_stars is None else round(counts.mean_stars, 2),
        percent(counts.satisfied_rate),
        percent(counts.reopening_rate),
        counts.escalated,
        percent(counts.whistle_rate),
        row.co_handled,
        *(row.penalties.get(kind, 0) for kind in PenaltyKind),
    ]


def percent(rate: Rate) -> float | None:
    """A rate in percent with two decimals."""
    return None if rate.value is None else round(100 * rate.value, 2)


def hours(seconds: float | None) -> float | None:
    """Seconds as hours with two decimals."""
    return None if seconds is None else round(seconds / 3600, 2)
