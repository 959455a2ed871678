"""Tables to take along: as csv, or as xlsx; in pieces, of bounded size, and each with a line in the log."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from backend.appeals.access import scope_of
from backend.appeals.calendar import local
from backend.appeals.ports import Clock, Scope
from backend.errors import InvalidInput
from backend.figures.cells import (
    APPEAL_HEADS,
    BOM,
    Cell,
    appeal_cells,
    csv_lines,
    figure_cells,
    figure_heads,
)
from backend.figures.model import Grouping, Selection
from backend.figures.ports import Exported, FigureUnitOfWorkFactory
from backend.figures.service import FigureService, require_staff
from backend.people.actors import Actor
from backend.people.audit import AuditEntry
from backend.permissions import Action

_BATCH: Final = 1_000
_PIECE: Final = 256 * 1024
_AT_ONCE: Final = 2
"""Workbooks that are put together at the same time; others wait their turn."""

Rows = AsyncGenerator[Sequence[Sequence[Cell]], None]
Pieces = AsyncGenerator[bytes, None]


class Form(StrEnum):
    """The form of an export."""

    CSV = "csv"
    XLSX = "xlsx"

    @property
    def media_type(self) -> str:
        """As HTTP names it."""
        if self is Form.CSV:
            return "text/csv"
        return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Export:
    """A file on its way.

    Attributes:
        name: Of the file, in Chinese, without its ending.
        form: Csv or xlsx.
        rows: How many rows it has besides the head.
        pieces: Its content; read to the end or closed, so that what it keeps meanwhile is cleared away.
    """

    name: str
    form: Form
    rows: int
    pieces: Pieces


class ExportService:
    """Makes the exports.

    Args:
        unit_of_work: Opens a transaction.
        figures: Answers the figures that are exported.
        clock: The present moment.
        limit: Most rows of one export.
    """

    def __init__(
        self, unit_of_work: FigureUnitOfWorkFactory, figures: FigureService, clock: Clock, limit: int
    ) -> None:
        self._unit_of_work = unit_of_work
        self._figures = figures
        self._clock = clock
        self._limit = limit
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def appeals(self, actor: Actor, selection: Selection, form: Form) -> Export:
        """The appeals that the account may see, oldest first, contacts masked for everybody.

        Raises:
            NotAllowed: The role exports nothing.
            InvalidInput: More rows than one export may have (``export_too_large``).
        """
        require_staff(actor, Action.FIGURES_EXPORT)
        scope, now = scope_of(actor), self._clock()
        async with self._unit_of_work(read_only=True) as work:
            count, last = await work.figures.export_size(selection, scope)
        if count > self._limit:
            raise InvalidInput(
                f"符合条件的诉求有 {count} 件，一次最多导出 {self._limit} 件，"
                "请缩小时间范围或增加条件后再导出。",
                code="export_too_large",
                field="from",
                rows=count,
                limit=self._limit,
            )
        await self._log(actor, f"appeals.{form}", selection, count)
        rows = self._appeal_rows(selection, scope, last, now)
        name = f"诉求明细-{local(now):%Y%m%d%H%M}"
        return Export(name, form, count, self._pieces(form, "诉求明细", APPEAL_HEADS, rows))

    async def figures(self, actor: Actor, by: Grouping, selection: Selection, form: Form) -> Export:
        """The figures by group, with all together in the last row.

        Raises:
            NotAllowed: The role exports nothing.
        """
        require_staff(actor, Action.FIGURES_EXPORT)
        found = await self._figures.figures(actor, by, selection)
        cells = [*(figure_cells(row) for row in found.rows), figure_cells(found.whole, "合计")]
        await self._log(actor, f"figures.{form}", selection, len(cells), by=by.value)

        async def rows() -> Rows:
            yield cells

        name = f"诉求指标-按{by.text}-{local(found.as_of):%Y%m%d%H%M}"
        return Export(name, form, len(cells), self._pieces(form, "诉求指标", figure_heads(by), rows()))

    async def _log(self, actor: Actor, subject: str, selection: Selection, rows: int, **more: str) -> None:
        asked = {
            one.name: _plain(value)
            for one in fields(selection)
            if (value := getattr(selection, one.name)) is not None
        }
        async with self._unit_of_work() as work:
            after: Mapping[str, Any] = {**asked, **more, "rows": rows}
            await work.audit.add(AuditEntry(self._clock(), actor, "export", subject, {}, after))
            await work.commit()

    async def _appeal_rows(self, selection: Selection, scope: Scope, last: int, now: datetime) -> Rows:
        """Batches by id, each in a transaction of its own, so that a slow reader holds nothing open."""
        after = 0
        while after < last:
            async with self._unit_of_work(read_only=True) as work:
                batch = await work.figures.export_batch(selection, scope, after, last, _BATCH)
            if not batch:
                return
            after = batch[-1].id
            yield await asyncio.to_thread(_cells, batch, now)

    def _pieces(self, form: Form, title: str, heads: Sequence[str], rows: Rows) -> Pieces:
        return _csv(heads, rows) if form is Form.CSV else self._xlsx(title, heads, rows)

    async def _xlsx(self, title: str, heads: Sequence[str], rows: Rows) -> Pieces:
        from backend.figures.sheets import Sheet

        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="qifu-export-"))
        try:
            path = folder / "export.xlsx"
            async with self._turns:
                sheet = await asyncio.to_thread(Sheet, path, title, heads)
                async for batch in rows:
                    await asyncio.to_thread(sheet.write, batch)
                await asyncio.to_thread(sheet.close)
            with path.open("rb") as file:
                while piece := await asyncio.to_thread(file.read, _PIECE):
                    yield piece
        finally:
            shutil.rmtree(folder, ignore_errors=True)


async def _csv(heads: Sequence[str], rows: Rows) -> Pieces:
    yield BOM.encode() + csv_lines([heads])
    async for batch in rows:
        yield await asyncio.to_thread(csv_lines, batch)


def _cells(batch: Sequence[Exported], now: datetime) -> list[list[Cell]]:
    return [appeal_cells(one.values, now) for one in batch]


def _plain(value: Any) -> Any:
    return local(value).isoformat(timespec="seconds") if isinstance(value, datetime) else value
