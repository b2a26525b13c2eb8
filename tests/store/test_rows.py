"""The guard: nothing reads a protected table but through Rows."""

import pytest
from sqlalchemy import (
    bindparam,
    column,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects import sqlite

from passerelle.store import schema
from passerelle.store.caller import NOBODY, SYSTEM
from passerelle.store.rows import ReadAroundRows, Rows, guard

RAW = {
    "a select": select(schema.resource.c.pid),
    "a whole table": select(schema.version),
    "an alias of the table": select(schema.token.alias("t").c.pid),
    "a subquery": select(select(schema.claim).subquery().c.pid),
    "an exists": select(schema.job.c.id).where(exists().where(schema.uri.c.pid == 1)),
    "a scalar in a column": select(select(func.max(schema.version.c.seq)).scalar_subquery()),
    "a cte": select(select(schema.string.c.pid).cte("c").c.pid),
    "a join": select(schema.job.c.id).join(schema.date, schema.date.c.pid == schema.job.c.id),
    "a union": select(schema.job.c.id).union(select(schema.number.c.pid)),
    "a lateral": select(select(schema.quantity.c.pid).lateral().c.pid),
    "an insert from select": insert(schema.job).from_select(["id"], select(schema.version.c.seq)),
    "an update from another": update(schema.resource).values(
        seq=select(func.max(schema.version.c.seq)).scalar_subquery()
    ),
    "a delete by another": delete(schema.job).where(
        schema.job.c.id.in_(select(schema.resource.c.pid))
    ),
    "a table by name": select(table("resource", column("pid")).c.pid),
    "a text": text("SELECT body FROM version"),
    "a text inside": select(schema.job.c.id).where(text("id IN (SELECT pid FROM resource)")),
    "a literal column": select(literal_column("(SELECT max(seq) FROM version)")),
    "a column beside an admitted table": select(Rows(SYSTEM).resource.c.pid).where(
        schema.version.c.seq == 1
    ),
}


@pytest.mark.parametrize("name", RAW)
def test_a_raw_read_of_a_protected_table_is_refused(name: str) -> None:
    with pytest.raises(ReadAroundRows):
        guard(RAW[name])


@pytest.mark.parametrize("caller", [SYSTEM, NOBODY])
def test_a_read_through_rows_passes(caller: object) -> None:
    rows = Rows(caller)  # type: ignore[arg-type]
    second = rows.token.alias("second")
    guard(
        select(rows.version.c.body)
        .join(rows.resource, rows.resource.c.seq == rows.version.c.seq)
        .where(
            rows.resource.c.type == bindparam("type"),
            rows.resource.c.pid.in_(select(rows.token.c.pid).where(rows.token.c.param == 1)),
            exists().where(second.c.pid == rows.resource.c.pid),
        )
    )


def test_writing_to_a_protected_table_passes() -> None:
    guard(insert(schema.token).values(param=1))
    guard(update(schema.resource).where(schema.resource.c.pid == 1).values(deleted=True))
    guard(delete(schema.token).where(schema.token.c.pid.in_([1, 2])))


def test_an_unprotected_table_is_free() -> None:
    guard(select(schema.job).where(schema.job.c.id == 1))


def test_the_system_reads_the_bare_table() -> None:
    rows = Rows(SYSTEM)
    sql = str(select(rows.token.c.pid).compile(dialect=sqlite.dialect()))
    assert sql.split() == ["SELECT", "token.pid", "FROM", "token", "AS", "token"]


@pytest.mark.parametrize("name", [table.name for table in schema.PROTECTED])
def test_every_protected_table_stands_in_rows_with_its_columns(name: str) -> None:
    for caller in (SYSTEM, NOBODY):
        selectable = getattr(Rows(caller), name)
        assert [column.name for column in selectable.c] == [
            column.name for column in schema.metadata.tables[name].c
        ]
