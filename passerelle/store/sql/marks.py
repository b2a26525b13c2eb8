"""The readings of `$meta`: which profiles, tags and security labels are in use.

https://hl7.org/fhir/R4/resource-operation-meta.html
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import Any, Literal

from sqlalchemy import Text, bindparam, false, literal_column, select

from passerelle.fhir.search.search_parameters import parameters
from passerelle.store.caller import Caller
from passerelle.store.gathering import Marks
from passerelle.store.rows import Rows
from passerelle.store.sql.compiling import DialectName, ordered

MARKS_MAX = 1000
"""Of each kind, in the order of their codes."""

_CODES: dict[str, Literal["uri", "token"]] = {
    "_profile": "uri",
    "_tag": "token",
    "_security": "token",
}

Run = Callable[[str, tuple[Any, ...]], Awaitable[Sequence[Sequence[Any]]]]


async def marks(run: Run, type: str | None, caller: Caller, dialect: DialectName) -> Marks:
    """Give the marks that resources of a type, or of any, bear."""
    args = () if type is None else (type,)
    found = [
        await run(_statement(code, type is not None, caller.kind, dialect), args) for code in _CODES
    ]
    profiles, tags, security = found
    return Marks(
        tuple([row[0] for row in profiles]),
        tuple([(row[1], row[0]) for row in tags]),
        tuple([(row[1], row[0]) for row in security]),
    )


@cache
def _statement(
    code: str, of_type: bool, policy: Literal["system", "nobody"], dialect: DialectName
) -> str:
    """Compose the values of one parameter, without repeats."""
    rows = Rows(Caller(policy, policy))
    table = getattr(rows, _CODES[code])
    values = [table.c.value] + ([table.c.system] if _CODES[code] == "token" else [])
    statement = (
        select(*values)
        .distinct()
        .where(table.c.param == literal_column(str(parameters("Basic")[code].id)))
        .order_by(*values)
        .limit(literal_column(str(MARKS_MAX)))
        .offset(literal_column("0"))
    )
    if of_type:
        resource = rows.resource
        statement = statement.join(resource, resource.c.pid == table.c.pid).where(
            resource.c.type == bindparam("type", type_=Text), resource.c.deleted.is_(false())
        )
    return ordered(statement, dialect, ("type",) if of_type else ())
