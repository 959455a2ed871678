"""Writes xlsx files row by row; XlsxWriter is only imported here, and only when a file is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from backend.figures.cells import Cell, plain

_WIDTH: Final = 18


class Sheet:
    """One sheet with a head; every text is a string, so nothing that looks like a formula is one.

    Rows go to a file at once, so the memory does not grow with them. Not for the event loop: run it in a
    thread.

    Args:
        path: Where the file is written.
        title: Name of the sheet.
        heads: Names of the columns.
    """

    def __init__(self, path: Path, title: str, heads: Sequence[str]) -> None:
        from xlsxwriter import Workbook

        self._book = Workbook(
            str(path),
            {
                "constant_memory": True,
                "tmpdir": str(path.parent),
                "strings_to_formulas": False,
                "strings_to_numbers": False,
                "strings_to_urls": False,
            },
        )
        self._sheet = self._book.add_worksheet(title)
        self._sheet.set_column(0, len(heads) - 1, _WIDTH)
        self._sheet.freeze_panes(1, 0)
        bold = self._book.add_format({"bold": True})
        for column, head in enumerate(heads):
            self._sheet.write_string(0, column, head, bold)
        self._next = 1

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Add rows."""
        for row in rows:
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    if text := plain(cell):
                        self._sheet.write_string(self._next, column, text)
                elif cell is not None:
                    self._sheet.write_number(self._next, column, cell)
            self._next += 1

    def close(self) -> None:
        """Put the file together."""
        self._book.close()
