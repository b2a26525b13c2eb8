"""The table of R4 4.0.1 types: what each may hold, in the words of FHIR's own tables.

https://hl7.org/fhir/R4/resourcelist.html , https://hl7.org/fhir/R4/formats.html#table . The table
is ``definitions/structures.json``: per type its base and one line an element, for example
``"gender": "0..1 code =administrative-gender Σ"`` (cardinality, types, required value set, flags:
``Σ`` in summaries, ``?!`` modifier), ``Reference(Patient|Group)`` for the targets of a reference,
``@id`` for what is an attribute in XML and so has no ``_`` sibling. Types inside a type have the
path as their name (``Patient.contact``).
"""

from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import msgspec

CODED = frozenset({"Coding", "CodeableConcept"})
"""Data types whose codes may be bound to a value set, beside the primitive ``code``."""


class Kind(NamedTuple):
    """One type that an element may be of.

    ``name`` is a primitive, a data type, a path (``Patient.contact``) or ``Resource``; ``targets``
    are the types that a reference may point to (empty: any); ``attribute``: no ``_`` sibling.
    """

    name: str
    targets: tuple[str, ...] = ()
    attribute: bool = False

    @property
    def suffix(self) -> str:
        """Give what a choice's JSON name ends with, ``Quantity`` for ``valueQuantity``."""
        name = "Quantity" if self.name == "SimpleQuantity" else self.name
        return name[0].upper() + name[1:]


class Element(NamedTuple):
    """One element of a type; ``name`` is without ``[x]``."""

    name: str
    required: bool
    many: bool
    kinds: tuple[Kind, ...]
    choice: bool = False
    value_set: str | None = None
    modifier: bool = False
    summary: bool = False

    def json_names(self) -> tuple[str, ...]:
        """Give the JSON names of its values, one per type of a choice."""
        if not self.choice:
            return (self.name,)
        return tuple(self.name + kind.suffix for kind in self.kinds)


class Member(NamedTuple):
    """What a JSON name stands for: an element as one of its types, or its ``_`` sibling."""

    element: Element
    kind: Kind
    sibling: bool = False


@cache
def _table() -> dict[str, Any]:
    """Read the whole table, once."""
    file = resources.files("passerelle.fhir.definitions") / "structures.json"
    table: dict[str, Any] = msgspec.json.decode(file.read_bytes())
    return table


@cache
def resource_types() -> frozenset[str]:
    """Give the names of the resource types that exist on their own."""
    return frozenset(_table()["resources"])


@cache
def type_names() -> frozenset[str]:
    """Give the names of all types with elements: resources, data types, paths, abstract ones."""
    return frozenset(_table()["types"])


@cache
def codes(value_set: str) -> frozenset[str]:
    """Give the codes of a required value set."""
    return frozenset(_table()["codes"][value_set])


@cache
def systems(value_set: str) -> frozenset[str]:
    """Give the code systems of a required value set of Codings or CodeableConcepts."""
    return frozenset(_table()["systems"][value_set])


@cache
def invariants() -> dict[str, dict[str, str]]:
    """Give the expressions of R4's invariants that are errors, by path and key."""
    return dict(_table()["invariants"])


@cache
def patterns() -> dict[str, str]:
    """Give the regular expression of each primitive type as R4 has it."""
    return dict(_table()["primitives"])


@cache
def lineage(type_name: str) -> tuple[str, ...]:
    """Give a type and what it is based on, nearest first."""
    base = _table()["types"][type_name][0]
    return (type_name, *lineage(base)) if base else (type_name,)


@cache
def elements(type_name: str) -> tuple[Element, ...]:
    """Give the elements of a type in the order of the definition, those of its base first.

    Raises KeyError when R4 has no such type.
    """
    found: dict[str, Element] = {}
    for name in reversed(lineage(type_name)):
        for spelled, line in _table()["types"][name][1].items():
            found[spelled] = _element(spelled, line)
    return tuple(element for element in found.values() if element.kinds)


@cache
def members(type_name: str) -> dict[str, Member]:
    """Give what each JSON name of a type stands for, the ``_`` siblings included."""
    found: dict[str, Member] = {}
    for element in elements(type_name):
        for name, kind in zip(element.json_names(), element.kinds, strict=True):
            found[name] = Member(element, kind)
            if kind.name in patterns() and not kind.attribute and kind.name != "xhtml":
                found["_" + name] = Member(element, kind, sibling=True)
    return found


def _element(spelled: str, line: str) -> Element:
    """Read one line of the table; an element that may not be there has no kinds."""
    cardinality, kinds, *rest = line.split(" ")
    least, most = cardinality.split("..")
    return Element(
        name=spelled.removesuffix("[x]"),
        required=least != "0",
        many=most == "*",
        kinds=() if most == "0" else tuple(map(_kind, _types(kinds))),
        choice=spelled.endswith("[x]"),
        value_set=next((word[1:] for word in rest if word.startswith("=")), None),
        modifier="?!" in rest,
        summary="Σ" in rest,
    )


def _types(kinds: str) -> list[str]:
    """Part the types of an element; the bars between brackets belong to a reference."""
    parts: list[str] = []
    for word in kinds.split("|"):
        if parts and "(" in parts[-1] and not parts[-1].endswith(")"):
            parts[-1] += "|" + word
        else:
            parts.append(word)
    return parts


def _kind(word: str) -> Kind:
    """Read one type."""
    if word.startswith("@"):
        return Kind(word[1:], attribute=True)
    name, _, targets = word.removesuffix(")").partition("(")
    return Kind(name, tuple(targets.split("|")) if targets else ())
