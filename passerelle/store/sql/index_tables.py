"""Which rows of ``IndexRows`` go to which table, cell by cell."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Table

from passerelle.fhir.search.index_rows import IndexRows
from passerelle.store import schema


class IndexTable(NamedTuple):
    """One index table: the field of IndexRows it keeps, and its columns in that field's order."""

    table: Table
    field: str
    columns: tuple[str, ...]
    decimals: bool = False

    def cells(self, pid: int, rows: IndexRows) -> Iterator[tuple[Any, ...]]:
        """Give the rows to write for a resource, ``columns`` then pid."""
        found: Sequence[tuple[Any, ...]] = getattr(rows, self.field)
        if not self.decimals:
            return ((*row, pid) for row in found)
        return ((*(_plain(value) for value in row), pid) for row in found)


def _plain(value: object) -> object:
    """Give a decimal as the 64 bits that both databases compare."""
    return float(value) if isinstance(value, Decimal) else value


INDEX_TABLES = (
    IndexTable(schema.token, "tokens", ("param", "system", "value")),
    IndexTable(schema.string, "texts", ("param", "norm", "exact")),
    IndexTable(schema.reference, "links", ("param", "type", "id")),
    IndexTable(schema.date, "spans", ("param", "low", "high")),
    IndexTable(schema.number, "numbers", ("param", "low", "high"), True),
    IndexTable(schema.quantity, "quantities", ("param", "system", "code", "low", "high"), True),
    IndexTable(schema.uri, "uris", ("param", "value")),
    IndexTable(
        schema.composite,
        "composites",
        (
            *("param", "head", "head_system", "tail", "tail_system"),
            *("low", "high", "low2", "high2"),
        ),
    ),
    IndexTable(schema.position, "positions", ("param", "latitude", "longitude")),
)


def cells_by_table(rows_by_pid: Mapping[int, IndexRows]) -> Iterator[tuple[IndexTable, list[Any]]]:
    """Give, table by table, the rows to write for several resources; tables without any left out.

    Repeats of a row are written once.
    """
    for index_table in INDEX_TABLES:
        cells: list[tuple[Any, ...]] = []
        for pid, rows in rows_by_pid.items():
            if getattr(rows, index_table.field):
                cells.extend(index_table.cells(pid, rows))
        if cells:
            yield index_table, list(dict.fromkeys(cells))
