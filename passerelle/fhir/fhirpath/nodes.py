"""What FHIRPath walks over: the elements of a resource, each with its type.

http://hl7.org/fhirpath/N1/#navigation-model , https://hl7.org/fhir/R4/fhirpath.html . The types
come from the table of R4; a choice (``value[x]``) is one element, a primitive is its value together
with what its ``_`` sibling holds. Whatever is not of the right shape is as good as not there.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache, partial
from typing import Any, NamedTuple, TypeAlias

from passerelle.fhir.conformance import structure_table
from passerelle.fhir.fhirpath.quantities import Quantity
from passerelle.fhir.fhirpath.temporals import Temporal, temporal

Items: TypeAlias = list[Any]
"""A collection: nodes, and values of FHIRPath's own types."""

UCUM = "http://unitsofmeasure.org"
WHOLE = frozenset({"integer", "unsignedInt", "positiveInt"})
_TIMES = {"date": "date", "dateTime": "dateTime", "instant": "dateTime", "time": "time"}
_BASES = {
    "code": "string",
    "id": "string",
    "markdown": "string",
    "url": "uri",
    "canonical": "uri",
    "oid": "uri",
    "uuid": "uri",
    "unsignedInt": "integer",
    "positiveInt": "integer",
}


class Node(NamedTuple):
    """An element: its JSON, its type, and the ``_`` sibling of a primitive."""

    value: Any
    kind: str
    sibling: Any = None


_MADE: Callable[[tuple[Any, str, Any]], Node] = partial(tuple.__new__, Node)
"""Makes a node of its parts, as quickly as can be: a large resource has very many."""


class Place(NamedTuple):
    """Where an element stands in JSON: its name, its type, whether it is a primitive."""

    name: str
    kind: str
    primitive: bool


def resource_node(resource: dict[str, Any]) -> Node:
    """Give the node of a resource."""
    kind = resource.get("resourceType")
    known = isinstance(kind, str) and kind in structure_table.resource_types()
    return Node(resource, str(kind) if known else "Resource")


@cache
def places(kind: str) -> dict[str, tuple[Place, ...]]:
    """Give the places of each element of a type, one for each type of a choice."""
    if kind in structure_table.patterns():
        return {}
    return {
        element.name: tuple(
            Place(name, one.name, one.name in structure_table.patterns())
            for name, one in zip(element.json_names(), element.kinds, strict=True)
        )
        for element in structure_table.elements(kind)
    }


@cache
def _extension() -> tuple[Place, ...]:
    return (Place("extension", "Extension", primitive=False),)


@cache
def _identifier() -> tuple[Place, ...]:
    return (Place("id", "string", primitive=True),)


@cache
def lineage(kind: str) -> tuple[str, ...]:
    """Give a type and what it is based on, primitives too."""
    if kind in structure_table.patterns():
        base = _BASES.get(kind)
        return (kind, *(lineage(base) if base else ("Element",)))
    return structure_table.lineage(kind)


@cache
def _way(kind: str, name: str) -> tuple[tuple[Place, ...], bool]:
    """Give the places of an element of a type, and whether its sibling holds them."""
    found = places(kind).get(name, ())
    if not found and name in ("extension", "id") and kind in structure_table.patterns():
        return (_extension() if name == "extension" else _identifier()), True
    return found, False


def child(node: object, name: str) -> Items:
    """Give the elements of a name."""
    if type(node) is not Node:
        return []
    found, is_beside = _way(node.kind, name)
    held = node.sibling if is_beside else node.value
    if type(held) is not dict:
        return []
    items: Items = []
    for place in found:
        _collect(held, place, items)
    return items


def _collect(held: dict[str, Any], place: Place, items: Items) -> None:
    """Add the nodes of one place."""
    name, kind, primitive = place
    value = held.get(name)
    if primitive:
        sibling = held.get("_" + name)
        if type(value) is list or type(sibling) is list:
            _pair(value, sibling, kind, items)
        elif value is not None or sibling is not None:
            items.append(_MADE((value, kind, sibling)))
    elif type(value) is list:
        if kind == "Resource":
            items += [resource_node(one) for one in value if type(one) is dict]
        else:
            items += [_MADE((one, kind, None)) for one in value if type(one) is dict]
    elif type(value) is dict:
        items.append(_typed(value, kind))


def _pair(values: Any, siblings: Any, kind: str, items: Items) -> None:
    """Add the nodes of a repeated primitive, each with its sibling."""
    values = values if type(values) is list else []
    siblings = siblings if type(siblings) is list else []
    for index in range(max(len(values), len(siblings))):
        value = values[index] if index < len(values) else None
        sibling = siblings[index] if index < len(siblings) else None
        if value is not None or sibling is not None:
            items.append(Node(value, kind, sibling))


def _typed(value: dict[str, Any], kind: str) -> Node:
    return resource_node(value) if kind == "Resource" else Node(value, kind)


@cache
def _order(kind: str) -> dict[str, tuple[int, str]]:
    """Give the place and name of the element that each JSON member of a type belongs to."""
    return {
        prefix + place.name: (number, name)
        for number, (name, found) in enumerate(places(kind).items())
        for place in found
        for prefix in ("", "_")
    }


def children(node: object) -> Items:
    """Give all elements of a node, in the order of the definition."""
    if type(node) is not Node:
        return []
    order = _order(node.kind)
    if not order:
        return [*child(node, "id"), *child(node, "extension")]
    if type(node.value) is not dict:
        return []
    there = {order[member] for member in node.value if member in order}
    return [one for _, name in sorted(there) for one in child(node, name)]


def descendants(node: object) -> Iterator[Node]:
    """Give all elements of a node at every depth."""
    waiting = children(node)[::-1]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += children(one)[::-1]


def has_value(item: object) -> bool:
    """Tell whether an item is a primitive with a value."""
    if type(item) is not Node:
        return True
    return item.kind in structure_table.patterns() and item.value is not None


def value_of(item: Any) -> Any:
    """Give an item as a value of FHIRPath's own types, where it is one; else the node itself."""
    if type(item) is not Node:
        return item
    value, kind = item.value, item.kind
    if kind in _TIMES:
        read = temporal(_TIMES[kind], value) if type(value) is str else None
        return item if read is None else read
    if kind == "decimal":
        return Decimal(value) if type(value) is int else value if _is_number(value) else item
    if kind in structure_table.patterns():
        return item if value is None or type(value) is dict or type(value) is list else value
    return _quantity(item) if "Quantity" in lineage(kind) else item


def _is_number(value: object) -> bool:
    return isinstance(value, Decimal)


def _quantity(item: Node) -> Any:
    """Give a Quantity as FHIRPath's own; https://hl7.org/fhir/R4/fhirpath.html#quantity ."""
    value, code = item.value.get("value"), item.value.get("code")
    if type(value) is bool or not isinstance(value, int | Decimal) or "comparator" in item.value:
        return item
    unit = code if item.value.get("system") == UCUM else item.value.get("unit", code)
    return Quantity(Decimal(value), unit if type(unit) is str else "1")


_SYSTEM: dict[type, str] = {
    bool: "Boolean",
    str: "String",
    int: "Integer",
    Decimal: "Decimal",
    Quantity: "Quantity",
}
_TEMPORAL = {"date": "Date", "dateTime": "DateTime", "time": "Time"}


def system_type(value: object) -> str:
    """Give the name of one of FHIRPath's own types."""
    if isinstance(value, Temporal):
        return _TEMPORAL[value.kind]
    if isinstance(value, Decimal):
        return "Decimal"
    return _SYSTEM.get(type(value), "Any")


def is_of(item: object, name: str) -> bool:
    """Tell whether an item is of a type, by ``Patient``, ``FHIR.Patient`` or ``System.String``."""
    space, _, bare = name.rpartition(".")
    if type(item) is Node:
        return space in ("", "FHIR") and bare in lineage(item.kind)
    return space in ("", "System") and bare == system_type(item)


def is_as(item: object, name: str) -> bool:
    """Tell whether an item may be taken as a type: a primitive only as its own (a code: no string).

    So R4's own invariants (dom-3) and the published tests of FHIRPath have it.
    """
    if type(item) is Node and item.kind in structure_table.patterns():
        return name.removeprefix("FHIR.") == item.kind
    return is_of(item, name)


def is_type(name: str) -> bool:
    """Tell whether there is a type of that name."""
    space, _, bare = name.rpartition(".")
    fhir = bare in structure_table.patterns() or bare in structure_table.type_names()
    system = bare in {*_SYSTEM.values(), *_TEMPORAL.values(), "Any"}
    return (fhir and space in ("", "FHIR")) or (system and space in ("", "System"))
