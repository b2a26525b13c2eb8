"""The list of dossiers taken out as a table: the columns that are chosen, page by page.

Why it was taken out is written down, with how much of it, and never of whom.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from typing import BinaryIO, Literal, NamedTuple, TypeAlias, cast

import structlog

from passerelle.dossiers.exchange import dossier_list
from passerelle.dossiers.exchange.dossier_search import LIMIT_MAX, DossierQuery
from passerelle.dossiers.gateway import Gateway
from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.mappers.native.dossier_columns import COLUMNS, USUAL, cells
from passerelle.mappers.tables.csv_table import MARK, csv_lines
from passerelle.mappers.tables.workbook import Workbook
from passerelle.store.caller import Caller

Format: TypeAlias = Literal["csv", "xlsx"]
Purpose: TypeAlias = Literal["TREAT", "COC", "HOPERAT", "HQUALIMP", "PUBHLTH", "PATRQT"]
"""Why: codes of http://terminology.hl7.org/CodeSystem/v3-ActReason (PurposeOfUse)."""

MEDIA: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
PAGE = LIMIT_MAX
CHUNK_BYTES = 65_536
MEMORY_BYTES = 1 << 20
TITLE = "Dossiers"

log = structlog.get_logger("passerelle.export")


class Wanted(NamedTuple):
    """What is taken out, how, and what for."""

    query: DossierQuery
    columns: tuple[str, ...]
    format: Format
    purpose: Purpose


def demand_columns(text: str | None) -> tuple[str, ...]:
    """Read the columns that are chosen. Raises Invalid for one that there is not."""
    if text is None:
        return USUAL
    wanted = tuple(dict.fromkeys(filter(None, (name.strip() for name in text.split(",")))))
    if not wanted or not COLUMNS.keys() >= set(wanted):
        raise Invalid(issue("dossier.column-unknown", "columns", known=", ".join(COLUMNS)))
    return wanted


async def exported(gateway: Gateway, caller: Caller, wanted: Wanted) -> AsyncIterator[bytes]:
    """Give the table as it is written. Raises Invalid, before anything is given."""
    pages = _pages(gateway, caller, wanted)
    number, done = 0, False
    try:
        if wanted.format == "csv":
            head = MARK + csv_lines([_headings(wanted)])
            async for page in pages:
                number += len(page)
                yield head + csv_lines(page)
                head = b""
        else:
            written = _Xlsx(wanted)
            async for taken in written.filled(pages):
                number += taken
            async for part in written.parts():
                yield part
        done = True
    finally:
        log.info(
            "dossiers.exported",
            purpose=wanted.purpose,
            format=wanted.format,
            columns=list(wanted.columns),
            filters=sorted(wanted.query.filters),
            rows=number,
            whole=done,
        )


async def _pages(
    gateway: Gateway, caller: Caller, wanted: Wanted
) -> AsyncIterator[list[list[str]]]:
    async for page in dossier_list.all_of(gateway, caller, wanted.query):
        rows = await dossier_list.rows(gateway, caller, page.found)
        yield [cells(row, wanted.columns) for row in rows]


def _headings(wanted: Wanted) -> list[str]:
    return [COLUMNS[name].heading for name in wanted.columns]


def _add(book: Workbook, page: list[list[str]]) -> int:
    """Write rows; give how many found room."""
    return sum(map(book.add, page))


class _Xlsx:
    """A workbook in a file without a name: its parts are known when the last row is written."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._file = tempfile.SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115

    async def filled(self, pages: AsyncIterator[list[list[str]]]) -> AsyncIterator[int]:
        """Write the pages; give how many rows each had."""
        book = Workbook(cast(BinaryIO, self._file), TITLE, _headings(self._wanted))
        async for page in pages:
            taken = await asyncio.to_thread(_add, book, page)
            yield taken
            if taken < len(page):
                break
        await asyncio.to_thread(book.close)

    async def parts(self) -> AsyncIterator[bytes]:
        """Give the bytes of the workbook."""
        self._file.seek(0)
        try:
            while part := await asyncio.to_thread(self._file.read, CHUNK_BYTES):
                yield part
        finally:
            self._file.close()
