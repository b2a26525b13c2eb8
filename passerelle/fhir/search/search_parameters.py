"""The search parameters that are indexed: a table, compiled from the R4 and French definitions.

https://hl7.org/fhir/R4/searchparameter-registry.html . The table is
``definitions/search_parameters.json``, written by ``tools/compile_search_parameters.py``; the
integer ids in it are stable for ever, since the index rows carry them. It is read once, and its
lines become parameters when their type is first asked for.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

Kind: TypeAlias = Literal[
    "token", "string", "reference", "date", "number", "quantity", "uri", "composite", "special"
]
"""https://hl7.org/fhir/R4/search.html#ptypes"""

ANY = "Resource"
"""The type of the parameters that every resource type has."""

CORE_URL = "http://hl7.org/fhir/SearchParameter/"
"""What the address of a definition of R4 begins with; the table leaves it out."""

KINDS: tuple[Kind, ...] = (
    *("token", "string", "reference", "date", "number", "quantity", "uri", "composite", "special"),
)
"""Their places are parts of ids, for ever."""

ADDED_FROM = 1_000_000
"""The ids of parameters that are added to a record begin here."""

INDEX_FORM = 6
"""Raised when the same table makes other index rows than before, so that they are made again."""

PHONETIC = "phonetic"
"""The code of the parameters by which names are found as they sound."""


class Component(NamedTuple):
    """One part of a composite; ``param`` is the id of the parameter that defines it.

    ``expression`` starts from the element that the composite's own expression leads to.
    """

    kind: Kind
    expression: str
    param: int


class Parameter(NamedTuple):
    """One search parameter of one resource type.

    ``id`` is the one that index rows carry; ``type`` the resource type it indexes, or
    ``Resource``; ``targets`` the types that a reference may lead to; ``url`` its definition.
    ``system`` is the one that plain codes (``code``, ``boolean``) are implied to have, empty for
    none; None when the values carry their own. ``components`` are those of a composite.
    """

    id: int
    type: str
    code: str
    kind: Kind
    expression: str
    targets: tuple[str, ...]
    url: str
    system: str | None = None
    components: tuple[Component, ...] = ()

    @property
    def is_added(self) -> bool:
        """Tell whether it was added to one record; the table does not have it."""
        return self.id >= ADDED_FROM and self.code not in FULL_TEXT


@cache
def _bytes() -> bytes:
    """Read the packaged table once."""
    folder = resources.files("passerelle.fhir.definitions")
    return (folder / "search_parameters.json").read_bytes()


@cache
def _lines() -> Mapping[str, list[dict[str, Any]]]:
    """Give the lines of the table by resource type."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in msgspec.json.decode(_bytes()):
        found.setdefault(line["type"], []).append(line)
    return found


def _parameter(line: Mapping[str, Any]) -> Parameter:
    """Make a parameter of its line."""
    url: str = line["url"]
    return Parameter(
        line["id"],
        line["type"],
        line["code"],
        line["kind"],
        line["expression"],
        tuple(line.get("targets", ())),
        url if ":" in url else CORE_URL + url,
        line.get("system"),
        tuple(Component(*part) for part in line.get("components", ())),
    )


@cache
def _of_type(type: str) -> tuple[Parameter, ...]:
    return tuple(_parameter(line) for line in _lines().get(type, ()))


def all_parameters() -> Iterator[Parameter]:
    """Give every parameter of the table, in the order of the table."""
    for type_ in _lines():
        yield from _of_type(type_)


@cache
def indexed(type: str) -> Mapping[str, Parameter]:
    """Give all parameters of a resource type that have index rows, those of every type included."""
    found = (*_of_type(ANY), *_of_type(type)) if type != ANY else _of_type(ANY)
    return MappingProxyType({entry.code: entry for entry in found})


FULL_TEXT: Mapping[str, Parameter] = MappingProxyType(
    {
        code: Parameter(id, ANY, code, "special", "", (), CORE_URL + name)
        for id, code, name in (
            (2_147_483_646, "_text", "DomainResource-text"),
            (2_147_483_647, "_content", "Resource-content"),
        )
    }
)
"""The parameters of every type that no index rows answer but the full text."""


@cache
def parameters(type: str) -> Mapping[str, Parameter]:
    """Give the parameters of a resource type that may be asked for, by code.

    A type without parameters of its own has the common ones only (``_id``, ``_lastUpdated``,
    ``_tag``, ``_profile``, ``_security``, ``_source``, ``_text``, ``_content``).
    """
    return MappingProxyType({**indexed(type), **FULL_TEXT})


@cache
def _types_by_id() -> Mapping[int, tuple[str, str]]:
    return {line["id"]: (type, line["code"]) for type, lines in _lines().items() for line in lines}


def added_id(number: int, kind: Kind) -> int:
    """Give the id of the parameter that was added under a number, from 1 on.

    The id says the kind, so that what a statement needs to know follows from the id alone.
    """
    return ADDED_FROM + number * 16 + KINDS.index(kind)


@cache
def by_id(id: int) -> Parameter:
    """Give a parameter by the id that index rows carry; raises KeyError for an unknown one.

    Of one that was added only the kind is told, which all statements are composed of.
    """
    for entry in FULL_TEXT.values():  # their ids are the highest of all
        if entry.id == id:
            return entry
    if id >= ADDED_FROM:
        return Parameter(id, "", "", KINDS[id % 16], "", (ANY,), "")
    type, code = _types_by_id()[id]
    return indexed(type)[code]


@cache
def digest() -> bytes:
    """Give the digest of the table: index rows made with another one are to be made again."""
    return sha256(b"%d\n" % INDEX_FORM + _bytes()).digest()


TYPES_WITH_PARAMETERS: frozenset[str] = frozenset(_lines()) - {ANY}
"""The resource types that have parameters of their own."""
