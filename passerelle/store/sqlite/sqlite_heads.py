"""What a group commit on SQLite reads before it decides: heads, holders of claims, last numbers."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from functools import cache

from sqlalchemy import Text, bindparam, func, literal_column, select

from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM
from passerelle.store.rows import Rows
from passerelle.store.sql.compiling import ordered
from passerelle.store.sql.planning import ClaimKey, Head
from passerelle.store.sql.statements import heads_text


def heads_of(connection: sqlite3.Connection, keys: Iterable[Key]) -> Mapping[Key, Head]:
    """Give the heads of those keys that exist, deleted ones included."""
    pairs = list(keys)
    if not pairs:
        return {}
    found = connection.execute(heads_text("sqlite"), (json.dumps(pairs),)).fetchall()
    return {Key(type_, id_): Head(*cells) for type_, id_, *cells, _ in found}


def holders_of(
    connection: sqlite3.Connection, claims: Iterable[ClaimKey]
) -> Mapping[ClaimKey, int]:
    """Give the resource (pid) that holds each of those claims that are held."""
    wanted = list(claims)
    if not wanted:
        return {}
    found = connection.execute(_holders(), (json.dumps(wanted),)).fetchall()
    return {(type_, system, value): pid for type_, system, value, pid in found}


def last_numbers(connection: sqlite3.Connection) -> tuple[int, int, int, int]:
    """Give the highest pid, seq, transaction number and instant so far; 0 in an empty record."""
    pid, seq, tx, at = connection.execute(_last_numbers()).fetchone()
    return pid or 0, seq or 0, tx or 0, at or 0


@cache
def _holders() -> str:
    rows = Rows(SYSTEM)
    claim = rows.claim.c
    each = func.json_each(bindparam("claims", type_=Text)).table_valued("value", name="wanted")
    cell = [each.c.value.op("->>")(literal_column(str(index))) for index in range(3)]
    statement = (
        select(claim.type, claim.system, claim.value, claim.pid)
        .select_from(each)
        .join(
            rows.claim,
            (claim.type == cell[0]) & (claim.system == cell[1]) & (claim.value == cell[2]),
        )
    )
    return ordered(statement, "sqlite", ("claims",))


@cache
def _last_numbers() -> str:
    """Transaction and instant of the last version are the highest: one writer at a time."""
    rows = Rows(SYSTEM)
    last = select(func.max(rows.version.c.seq)).scalar_subquery()
    tx = rows.version.alias("last")
    statement = select(
        select(func.max(rows.resource.c.pid)).scalar_subquery(),
        last,
        select(tx.c.tx).where(tx.c.seq == last).scalar_subquery(),
        select(tx.c.at).where(tx.c.seq == last).scalar_subquery(),
    )
    return ordered(statement, "sqlite", ())
