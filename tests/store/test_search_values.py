"""Numbers and quantities in SQL, which no indexed parameter uses yet."""

import sqlite3
from decimal import Decimal

import pytest
from sqlalchemy import ColumnElement, bindparam, create_engine, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler

from passerelle.fhir.search.number_interval import exactly
from passerelle.fhir.search.query_values import number_value, quantity_value
from passerelle.store import schema
from passerelle.store.search_sql.search_faces import FACES
from passerelle.store.search_sql.search_values import after_prefix

KEPT = ("1.5", "100", "101", "100.4")


def found(kind: str, text: str) -> list[str]:
    """Give which of the kept values a value of a search finds."""
    read = {"number": number_value, "quantity": quantity_value}[kind]
    value = read(text)
    face, table = FACES[kind], schema.metadata.tables[kind]
    binds: list[str] = []

    def bind(type: object) -> ColumnElement[object]:
        binds.append(f"a{len(binds)}")
        return bindparam(binds[-1])

    assert face.condition is not None
    condition = face.condition(table, face.shape(value, ""), "", bind, "sqlite")
    compiled = select(table.c.pid).where(condition).order_by(table.c.pid).compile(
        dialect=sqlite.dialect()
    )  # fmt: skip
    assert isinstance(compiled, SQLCompiler)
    args = dict(zip(binds, face.arguments(value, ""), strict=True))
    engine = create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            schema.metadata.create_all(connection)
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            for pid, kept in enumerate(KEPT):
                low, high = exactly(Decimal(kept))
                unit = {"system": "urn:u", "code": "kg"} if kind == "quantity" else {}
                row = {"param": 1, "low": float(low), "high": float(high), "pid": pid, **unit}
                connection.execute(table.insert().values(row))
            names = [args[name] for name in compiled.positiontup or ()]
            return [KEPT[row[0]] for row in raw.execute(str(compiled), names)]
    finally:
        engine.dispose()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("100", ["100", "100.4"]),
        ("ne100", ["1.5", "101"]),
        ("100.00", ["100"]),
        ("1e2", ["100", "101", "100.4"]),
        ("ne100.4", ["1.5", "100", "101"]),
        ("gt100", ["101", "100.4"]),
        ("ge101", ["101"]),
        ("lt100", ["1.5"]),
        ("le100", ["1.5", "100"]),
        ("sa100.2", ["101", "100.4"]),
        ("sa100", ["101", "100.4"]),
        ("eb100", ["1.5"]),
        ("ap92", ["100", "101", "100.4"]),
        ("ap90", []),
        ("ap100", ["100", "101", "100.4"]),
    ],
)
def test_a_number_is_compared_by_the_precision_that_is_asked(text: str, wanted: list[str]) -> None:
    assert found("number", text) == wanted
    assert found("quantity", text + "|urn:u|kg") == wanted
    assert found("quantity", text + "||kg") == wanted
    assert found("quantity", text + "|urn:u|g") == []


def test_the_end_of_a_prefix_is_greater_than_all_that_begin_so() -> None:
    for prefix in ("dup", "a\U0010ffff", "\U0010ffff", "z\ud7ff"):
        end = after_prefix(prefix)
        assert prefix.encode() < end.encode()
        assert (prefix + "\U0010fffe").encode() < end.encode()
    assert after_prefix("dup") == "duq"
