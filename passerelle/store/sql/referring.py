"""Who refers to a resource, and which resources are there: what the integrity of references asks.

https://hl7.org/fhir/R4/http.html#delete . Every literal reference has an index row under the
parameter ``ANY_REFERENCE``, whatever element it stands in (``dossiers/keeping.py``).
"""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Literal, TypeAlias

from sqlalchemy import BigInteger, and_, bindparam, literal_column, select

from passerelle.fhir.resource import Key
from passerelle.fhir.search.any_reference import ANY_REFERENCE
from passerelle.store.caller import Caller
from passerelle.store.referring import Referred
from passerelle.store.rows import Rows
from passerelle.store.sql.compiling import DialectName, ordered
from passerelle.store.sql.statements import key_pairs

CallerKind: TypeAlias = Literal["system", "nobody"]
"""What the statements depend on of a caller."""


def pairs_args(pairs: Iterable[tuple[str, str]], dialect: DialectName) -> tuple[Any, ...]:
    """Give (type, id) pairs as the arguments of a statement on that database."""
    wanted = list(pairs)
    if dialect == "sqlite":
        return (json.dumps(wanted),)
    return [type_ for type_, _ in wanted], [id_ for _, id_ in wanted]


def living_of(keys: Sequence[Key], caller: Caller, dialect: DialectName) -> tuple[str, Any]:
    """Give the statement, and its arguments, that tells which of some keys are there."""
    return _living(caller.kind, dialect), pairs_args(keys, dialect)


def referrers_of(
    referred: Sequence[Referred], caller: Caller, dialect: DialectName, *, limit: int
) -> tuple[str, Any]:
    """Give the statement, and its arguments, that tells (type, id) of those that refer."""
    pairs: list[tuple[str, str]] = []
    for one in referred:
        pairs += [(one.key.type, one.key.id), ("", one.address)]
    return _referrers(caller.kind, dialect), (*pairs_args(pairs, dialect), limit)


@cache
def _living(kind: CallerKind, dialect: DialectName) -> str:
    rows = Rows(Caller("", kind))
    resource = rows.resource.c
    wanted, type_, id_, order = key_pairs(dialect)
    there = and_(resource.type == type_, resource.id == id_, resource.deleted.is_(False))
    statement = select(resource.type, resource.id).select_from(wanted).join(rows.resource, there)
    return ordered(statement, dialect, order)


@cache
def _referrers(kind: CallerKind, dialect: DialectName) -> str:
    rows = Rows(Caller("", kind))
    resource, reference = rows.resource.c, rows.reference.c
    wanted, type_, id_, order = key_pairs(dialect)
    leads = and_(
        reference.param == literal_column(str(ANY_REFERENCE)),
        reference.type == type_,
        reference.id == id_,
    )
    statement = (
        select(resource.type, resource.id)
        .select_from(wanted)
        .join(rows.reference, leads)
        .join(rows.resource, resource.pid == reference.pid)
        .distinct()
        .limit(bindparam("limit", type_=BigInteger))
        .offset(literal_column("0"))
    )
    return ordered(statement, dialect, (*order, "limit"))
