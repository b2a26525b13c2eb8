"""A page of `$everything`: members first, then what they refer to, each resource once.

https://hl7.org/fhir/R4/patient-operation-everything.html . Nothing is kept between pages: the
cursor carries phase and pid.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from passerelle.store.caller import Caller
from passerelle.store.contract import Page, Version
from passerelle.store.everything.everything_statement import Phase, Shape, statement
from passerelle.store.gathering import Everything
from passerelle.store.search_sql.cursor import scope_of, seal, unseal
from passerelle.store.sql.compiling import DialectName
from passerelle.store.sql.statements import to_version

PHASES: tuple[Phase, ...] = ("members", "along")

_FIRST, _LAST = -(1 << 62), 1 << 62

Run = Callable[[str, tuple[Any, ...]], Awaitable[Sequence[Sequence[Any]]]]


async def page(
    run: Run, asked: Everything, caller: Caller, dialect: DialectName, *, secret: bytes
) -> Page:
    """Give one page. Raises Invalid for a cursor that is not one of this request and caller."""
    scope = scope_of(
        "everything",
        (asked.focus, asked.id, asked.types, asked.start, asked.end, asked.since),
        (caller.kind, caller.subject),
    )
    phase, after = 0, 0
    if asked.cursor is not None:
        place = unseal(secret, scope, asked.cursor, 2)
        phase, after = int(place[0] or 0), int(place[1] or 0)
    found: list[tuple[int, Version]] = []
    while phase < len(PHASES) and len(found) <= asked.count:
        limit = asked.count + 1 - len(found)
        rows = await run(*_statement(asked, PHASES[phase], after, limit, caller, dialect))
        found += [(phase, to_version(row)) for row in rows]
        phase, after = phase + 1, 0
    following = None
    if len(found) > asked.count:
        last_phase, last = found[asked.count - 1]
        following = seal(secret, scope, (last_phase, last.pid))
    return Page(tuple([version for _, version in found[: asked.count]]), next=following)


def _statement(
    asked: Everything,
    phase: Phase,
    after: int,
    limit: int,
    caller: Caller,
    dialect: DialectName,
) -> tuple[str, tuple[Any, ...]]:
    """Give the text of a phase and its arguments."""
    dated = asked.start is not None or asked.end is not None
    shape = Shape(
        asked.focus,
        asked.id is not None,
        bool(asked.types),
        dated,
        asked.since is not None,
        phase,
    )
    text = statement(shape, caller.kind, dialect)
    types = list(asked.types)
    return text.sql, text.args(
        id=asked.id,
        after=after,
        limit=limit,
        types=json.dumps(types) if dialect == "sqlite" else types,
        start=_FIRST if asked.start is None else asked.start,
        end=_LAST if asked.end is None else asked.end,
        since=asked.since,
    )
