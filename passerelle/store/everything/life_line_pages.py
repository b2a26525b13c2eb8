"""A page of a life line: the cursor carries the moment and the pid of the last row.

https://hl7.org/fhir/R4/http.html#paging
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from passerelle.store.caller import Caller
from passerelle.store.contract import Page
from passerelle.store.everything.life_line_statement import MOMENT, Shape, statement
from passerelle.store.gathering import LifeLine
from passerelle.store.search_sql.cursor import scope_of, seal, unseal
from passerelle.store.sql.compiling import DialectName
from passerelle.store.sql.statements import to_version

_FIRST, _LAST = -(1 << 62), 1 << 62

Run = Callable[[str, tuple[Any, ...]], Awaitable[Sequence[Sequence[Any]]]]


async def page(
    run: Run, asked: LifeLine, caller: Caller, dialect: DialectName, *, secret: bytes
) -> Page:
    """Give one page. Raises Invalid for a cursor that is not one of this request and caller."""
    bounds = (asked.start, asked.end)
    scope = scope_of(
        "life line",
        (asked.patients, asked.kinds, bounds, asked.latest_first),
        (caller.kind, caller.subject),
    )
    place = None if asked.cursor is None else unseal(secret, scope, asked.cursor, 2)
    shape = Shape(
        narrowed=bool(asked.kinds),
        dated=bounds != (None, None),
        latest_first=asked.latest_first,
        onward=place is not None,
    )
    text = statement(shape, caller.kind, dialect)
    moment, after = place or (0, 0)
    rows = await run(
        text.sql,
        text.args(
            patients=_listed(asked.patients, dialect),
            kinds=_listed(asked.kinds, dialect),
            start=_FIRST if asked.start is None else asked.start,
            end=_LAST if asked.end is None else asked.end,
            moment=moment,
            after=after,
            limit=asked.count + 1,
        ),
    )
    found = tuple([to_version(row) for row in rows[: asked.count]])
    following = None
    if len(rows) > asked.count:
        following = seal(secret, scope, (rows[asked.count - 1][MOMENT], found[-1].pid))
    return Page(found, next=following)


def _listed(texts: tuple[str, ...], dialect: DialectName) -> Any:
    return json.dumps(texts) if dialect == "sqlite" else list(texts)
