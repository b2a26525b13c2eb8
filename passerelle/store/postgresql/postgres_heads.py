"""What a commit on PostgreSQL reads before it decides: holders of claims, new numbers."""

from functools import cache

from sqlalchemy import ARRAY, Text, bindparam, func, select

from passerelle.store.caller import SYSTEM
from passerelle.store.parameter_rows import text
from passerelle.store.postgresql.postgres_horizon import FLOOR, register_at
from passerelle.store.postgresql.postgres_writes import TX
from passerelle.store.rows import Rows
from passerelle.store.sql.compiling import ordered

STAMP = text("stamp", "postgresql").sql
NUMBERS = f"""
WITH registered AS MATERIALIZED (
    SELECT count({register_at("$3", "$4")}) AS n FROM (VALUES (1)) AS one
)
SELECT {TX}, {FLOOR}, array(SELECT nextval('version_seq_seq') FROM generate_series(1, $1)),
    array(SELECT nextval('resource_pid_seq') FROM generate_series(1, $2)), ({STAMP})
FROM registered WHERE n > 0
"""
"""The instant is registered before the floor of the feeds is read."""


@cache
def holders_text() -> str:
    """Compose the reading of the holders of claims: types, systems, values."""
    rows = Rows(SYSTEM)
    claim = rows.claim.c
    order = ("types", "systems", "values")
    each = func.unnest(*(bindparam(name, type_=ARRAY(Text)) for name in order))
    wanted = each.table_valued("type", "system", "value").render_derived(name="wanted")
    same = (
        (claim.type == wanted.c.type)
        & (claim.system == wanted.c.system)
        & (claim.value == wanted.c.value)
    )
    statement = (
        select(claim.type, claim.system, claim.value, claim.pid)
        .select_from(wanted)
        .join(rows.claim, same)
    )
    return ordered(statement, "postgresql", order)
