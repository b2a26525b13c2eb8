"""Rows as the CSV that a French Excel opens: UTF-8 with its mark, semicolons, CRLF.

https://www.rfc-editor.org/rfc/rfc4180 . A cell that a spreadsheet would take for a formula is given
as a text (https://owasp.org/www-community/attacks/CSV_Injection).
"""

import csv
import io
from collections.abc import Iterable, Sequence

MARK = b"\xef\xbb\xbf"
BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_lines(rows: Iterable[Sequence[str]]) -> bytes:
    """Write some rows."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=";", lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerows([[safe(cell) for cell in row] for row in rows])
    return written.getvalue().encode("utf-8", "replace")


def safe(cell: str) -> str:
    """Give a cell that no spreadsheet computes: an apostrophe stands before what begins like one.

    Blanks before it do not help: a spreadsheet may take them off.
    """
    begins = cell.lstrip(" \u00a0\u200b\ufeff")
    return f"'{cell}" if begins.startswith(BEGINS_A_FORMULA) or cell[:1] in "\t\r\n" else cell
