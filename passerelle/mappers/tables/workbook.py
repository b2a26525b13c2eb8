"""Rows as an XLSX workbook of one sheet, written row by row (Office Open XML, ECMA-376).

https://xlsxwriter.readthedocs.io/working_with_memory.html . Every cell is a text: nothing in it is
computed, no address becomes a link, and a number keeps its zeros.
"""

from collections.abc import Sequence
from typing import BinaryIO

import xlsxwriter

CELL_MAX = 32_767
"""Characters of a cell (Excel's own limit)."""

ROWS_MAX = 1_048_575
"""Rows of a sheet, its headings not counted."""

WIDTH = 22


class Workbook:
    """A workbook that is being written; :meth:`close` writes it to the file that was handed in."""

    def __init__(self, file: BinaryIO, title: str, headings: Sequence[str]) -> None:
        self._book = xlsxwriter.Workbook(file, {"constant_memory": True})
        bold = self._book.add_format({"bold": True})
        self._sheet = self._book.add_worksheet(title)
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, max(0, len(headings) - 1), WIDTH)
        for column, heading in enumerate(headings):
            self._sheet.write_string(0, column, heading, bold)
        self._row = 0

    def add(self, row: Sequence[str]) -> bool:
        """Write a row; False when the sheet is full."""
        if self._row >= ROWS_MAX:
            return False
        self._row += 1
        for column, cell in enumerate(row):
            if cell:
                self._sheet.write_string(self._row, column, cell[:CELL_MAX])
        return True

    def close(self) -> None:
        """Write the workbook."""
        self._book.close()
