"""Compartments: the resources about one patient, encounter, related person, professional, device.

https://hl7.org/fhir/R4/compartmentdefinition.html . The table is ``definitions/compartments.json``,
written by ``tools/compile_compartments.py`` from the definitions of R4.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

from passerelle.fhir.resource import Key
from passerelle.fhir.search.language.criterion import Clause, Combined, Criterion, OfType, joined
from passerelle.fhir.search.query_values import ReferenceValue, TokenValue
from passerelle.fhir.search.search_parameters import parameters

NAME = "*"
"""What stands for all types of a compartment in an address."""


@cache
def _table() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Read the packaged table once."""
    folder = resources.files("passerelle.fhir.definitions")
    table: Mapping[str, Mapping[str, Sequence[str]]] = json.loads(
        (folder / "compartments.json").read_text(encoding="utf-8")
    )
    return table


@cache
def compartment(code: str) -> Mapping[str, tuple[str, ...]]:
    """Give the types that may be in a compartment, with the parameters that put them there.

    ``code`` is the type that the compartment is of; empty when there is no such compartment.
    """
    return {type: tuple(found) for type, found in _table().get(code, {}).items()}


def compartments() -> tuple[str, ...]:
    """Give the types of resource that a compartment is of."""
    return tuple(sorted(_table()))


def compartment_types(compartment: str) -> tuple[str, ...]:
    """Give the types that may be in a compartment; none when there is no such compartment.

    The resource that a compartment is of is in it as well.
    """
    table = _table().get(compartment)
    return () if table is None else tuple(sorted({compartment, *table}))


def _refers(compartment: Key, type: str) -> list[Criterion]:
    """Give the criteria of which one puts a resource of a type into a compartment."""
    value = ReferenceValue(compartment.type, compartment.id)
    own = parameters(type)
    return [
        Clause("", "", own[code], values=(value,))
        for code in _table()[compartment.type].get(type, ())
        if code in own
    ]


def membership(compartment: Key, types: Sequence[str]) -> Criterion:
    """Give the criterion that a resource of some types is in a compartment."""
    parts: list[Criterion] = []
    for type in types:
        parts += _refers(compartment, type)
    if compartment.type in types:
        id = parameters(compartment.type)["_id"]
        itself = Clause("", "", id, values=(TokenValue(None, compartment.id),))
        parts.append(Combined("", "", "and", (OfType("", "", compartment.type), itself)))
    return joined("", "", "or", tuple(parts))
