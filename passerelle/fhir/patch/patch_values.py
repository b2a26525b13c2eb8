"""The value of an operation of a FHIRPath Patch, as it will stand in the resource.

https://hl7.org/fhir/R4/fhirpatch.html#concept : ``value[x]`` of a Parameters part, or, for a type
without a name (a backbone element), parts that are its elements.
"""

from typing import Any, NamedTuple

from passerelle.fhir.conformance.structure_table import Element, Kind, patterns
from passerelle.fhir.patch.path_places import element_of
from passerelle.fhir.patch.path_text import NotReadError

DEPTH_MAX = 20


class Given(NamedTuple):
    """A value with its JSON name in the target, and what stands beside a primitive one."""

    name: str
    kind: str
    value: Any
    beside: Any = None


def given(element: Element, part: dict[str, Any], depth: int = 0) -> Given:
    """Give what a part ``value`` holds for an element. Raises NotReadError when it does not suit.

    The type of a choice is that of the value: ``valueString`` for ``Observation.value``.
    """
    found = [name for name in part if name.startswith("value") and name != "value"]
    siblings = [name[1:] for name in part if name.startswith("_value")]
    names = list(dict.fromkeys((*found, *siblings)))
    if len(names) > 1 or depth > DEPTH_MAX:
        raise NotReadError
    if names:
        suffix = names[0].removeprefix("value")
        kind = _kind(element, suffix)
        value, beside = part.get(names[0]), part.get("_" + names[0])
        if (kind.name in patterns()) is isinstance(value, dict):
            raise NotReadError
        return Given(_json_name(element, kind), kind.name, value, beside)
    if "resource" in part:
        kind = element.kinds[0]
        return Given(element.name, kind.name, part["resource"])
    if element.choice or not isinstance(part.get("part"), list):
        raise NotReadError
    kind = element.kinds[0]
    return Given(element.name, kind.name, _object(kind.name, part["part"], depth + 1))


def _kind(element: Element, suffix: str) -> Kind:
    """Give the type that a value is put in as: that of its name when the element is a choice."""
    if not element.choice:
        return element.kinds[0]
    for kind in element.kinds:
        if kind.suffix == suffix:
            return kind
    raise NotReadError


def _json_name(element: Element, kind: Kind) -> str:
    return element.name + kind.suffix if element.choice else element.name


def _object(kind: str, parts: list[Any], depth: int) -> dict[str, Any]:
    """Build an object of a type from parts named like its elements."""
    made: dict[str, Any] = {}
    for part in parts:
        if not isinstance(part, dict) or not isinstance(part.get("name"), str):
            raise NotReadError
        element = element_of(kind, part["name"])
        put(made, element, given(element, part, depth))
    return made


def put(holder: dict[str, Any], element: Element, value: Given) -> None:
    """Put a value into an object: at the end of a list, else where nothing may be yet.

    Raises NotReadError when a single element is there already.
    """
    if element.many:
        insert(holder, value, length(holder, value.name))
        return
    if any(name in holder or "_" + name in holder for name in element.json_names()):
        raise NotReadError
    if value.value is not None:
        holder[value.name] = value.value
    if value.beside is not None:
        holder["_" + value.name] = value.beside


def length(holder: dict[str, Any], name: str) -> int:
    """Give how many items a list has; those of primitives may be in the list beside only."""
    lists = (holder.get(name), holder.get("_" + name))
    return max(len(one) if isinstance(one, list) else 0 for one in lists)


def insert(holder: dict[str, Any], value: Given, index: int) -> None:
    """Insert a value into a list; the list beside one of primitives stays aligned."""
    items: list[Any] = holder.setdefault(value.name, [])
    beside = holder.get("_" + value.name)
    if value.beside is not None or beside is not None:
        if beside is None:
            beside = holder["_" + value.name] = []
        beside += [None] * (len(items) - len(beside))
        items += [None] * (len(beside) - len(items))
        beside.insert(index, value.beside)
    items.insert(index, value.value)
