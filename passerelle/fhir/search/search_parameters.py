"""The search parameters that are indexed: a table, compiled from the R4 and French definitions.

https://hl7.org/fhir/R4/searchparameter-registry.html . The table is
``definitions/search_parameters.json``, written by ``tools/compile_search_parameters.py``; the
integer ids in it are stable for ever, since the index rows carry them.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["token", "string", "reference", "date", "number", "quantity", "uri"]
"""https://hl7.org/fhir/R4/search.html#ptypes, less ``composite`` and ``special``."""

ANY = "Resource"
"""The type of the parameters that every resource type has."""


class Parameter(NamedTuple):
    """One search parameter of one resource type.

    ``id`` is the one that index rows carry; ``type`` the resource type it indexes, or
    ``Resource``; ``targets`` the types that a reference may lead to; ``url`` its definition.
    ``system`` is the one that plain codes (``code``, ``boolean``) are implied to have, empty for
    none; None when the values carry their own.
    """

    id: int
    type: str
    code: str
    kind: Kind
    expression: str
    targets: tuple[str, ...]
    url: str
    system: str | None = None


@cache
def _table() -> tuple[Parameter, ...]:
    """Read the packaged table once."""
    folder = resources.files("passerelle.fhir.definitions")
    rows = json.loads((folder / "search_parameters.json").read_text(encoding="utf-8"))
    return tuple(
        Parameter(
            row["id"],
            row["type"],
            row["code"],
            row["kind"],
            row["expression"],
            tuple(row.get("targets", ())),
            row["url"],
            row.get("system"),
        )
        for row in rows
    )


@cache
def parameters(type: str) -> Mapping[str, Parameter]:
    """Give the parameters of a resource type by code, those of every type included.

    A type without parameters of its own has the common ones only (``_id``, ``_lastUpdated``,
    ``_tag``, ``_profile``, ``_security``, ``_source``).
    """
    found = [entry for entry in _table() if entry.type in (ANY, type)]
    return MappingProxyType({entry.code: entry for entry in found})


@cache
def _by_id() -> Mapping[int, Parameter]:
    return {entry.id: entry for entry in _table()}


def by_id(id: int) -> Parameter:
    """Give a parameter by the id that index rows carry; raises KeyError for an unknown one."""
    return _by_id()[id]


@cache
def _types() -> frozenset[str]:
    return frozenset(entry.type for entry in _table()) - {ANY}


TYPES_WITH_PARAMETERS: frozenset[str] = _types()
"""The resource types that have parameters of their own."""
