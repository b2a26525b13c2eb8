"""FHIRPath Patch (https://hl7.org/fhir/R4/fhirpatch.html): add, insert, delete, replace, move."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

from passerelle.errors.refusals import Invalid, Issue, Unprocessable
from passerelle.errors.rules import issue
from passerelle.fhir.conformance.structure_table import Element
from passerelle.fhir.patch import path_text
from passerelle.fhir.patch.json_patch import OPERATIONS_MAX
from passerelle.fhir.patch.patch_values import given, insert, length, put
from passerelle.fhir.patch.path_places import Effort, Finding, Place, RefusedError, element_of
from passerelle.fhir.patch.path_text import Name, NotReadError, Steps
from passerelle.fhir.resource import Resource

NEEDED: dict[str, tuple[str, ...]] = {
    "add": ("path", "name", "value"),
    "insert": ("path", "index", "value"),
    "delete": ("path",),
    "replace": ("path", "value"),
    "move": ("path", "source", "destination"),
}
"""The parts that each type of operation needs beside its type."""

_TEXTS = ("valueString", "valueCode")
_KNOWN = frozenset({"type", *(name for names in NEEDED.values() for name in names)})


class Operation(NamedTuple):
    """One operation; ``value`` is the part that holds the value, ``place`` its own FHIRPath."""

    kind: str
    path: Steps
    place: str
    name: str = ""
    value: Any = None
    at: int = 0
    source: int = 0
    destination: int = 0


def parse(parameters: Resource) -> tuple[Operation, ...]:
    """Read the Parameters of a patch. Raises Invalid with every malformed operation."""
    if parameters.get("resourceType") != "Parameters":
        raise Invalid(issue("patch.parameters", "resourceType"))
    listed = parameters.get("parameter", [])
    if not isinstance(listed, list):
        raise Invalid(issue("patch.operation-unknown", "Parameters.parameter"))
    if len(listed) > OPERATIONS_MAX:
        raise Invalid(issue("patch.too-many-operations", "Parameters", limit=OPERATIONS_MAX))
    faults: list[Issue] = []
    read = [
        _operation(one, f"Parameters.parameter[{number}]", faults)
        for number, one in enumerate(listed)
    ]
    if faults:
        raise Invalid(*faults)
    return tuple(one for one in read if one is not None)


def _operation(parameter: Any, place: str, faults: list[Issue]) -> Operation | None:
    """Read one parameter ``operation``; note its faults."""
    parts = _parts(parameter)
    kind = _text(parts.get("type"))
    if not parts or parameter.get("name") != "operation" or kind not in NEEDED:
        faults.append(issue("patch.operation-unknown", place))
        return None
    missing = [name for name in NEEDED[kind] if name not in parts]
    faults += [issue("patch.member-missing", place, name=name) for name in missing]
    text = _text(parts.get("path"))
    path = None
    if "path" in parts:
        try:
            path = path_text.parse(text or "")
        except NotReadError:
            faults.append(issue("patch.path-not-read", f"{place}.part.where(name='path')"))
    numbers: list[int] = []
    for name in ("index", "source", "destination"):
        number = parts.get(name, {}).get("valueInteger", 0 if name not in NEEDED[kind] else None)
        if type(number) is not int or number < 0:
            number = 0
            if name not in missing:
                faults.append(issue("patch.number", f"{place}.part.where(name='{name}')"))
        numbers.append(number)
    if path is None:
        return None
    name = _text(parts.get("name")) or ""
    return Operation(kind, path, place, name, parts.get("value"), *numbers)


def _parts(parameter: Any) -> dict[str, dict[str, Any]]:
    """Give the parts of a parameter by name; none when they are not parts, or stand twice."""
    listed = parameter.get("part") if isinstance(parameter, dict) else None
    if not isinstance(listed, list):
        return {}
    found: dict[str, dict[str, Any]] = {}
    for part in listed:
        name = part.get("name") if isinstance(part, dict) else None
        if not isinstance(name, str) or name in found or name not in _KNOWN:
            return {}
        found[name] = part
    return found


def _text(part: dict[str, Any] | None) -> str | None:
    for name in _TEXTS:
        text = (part or {}).get(name)
        if isinstance(text, str):
            return text
    return None


def apply(patch: tuple[Operation, ...], resource: Resource) -> Resource:
    """Give the patched resource; the one handed in is not changed.

    Raises Unprocessable at the first operation that cannot be done, naming its parameter.
    """
    patched, effort = deepcopy(resource), Effort()
    for operation in patch:
        try:
            _DO[operation.kind](operation, Finding(patched, effort))
        except NotReadError:
            raise Unprocessable(issue("patch.does-not-suit", operation.place)) from None
        except RefusedError as refusal:
            raise Unprocessable(issue(str(refusal), operation.place)) from None
    return patched


def _one(operation: Operation, finding: Finding) -> Place:
    """Give the one place of a path. Raises RefusedError."""
    places = finding.run(operation.path)
    if not places:
        raise RefusedError("patch.nowhere")
    if len(places) > 1:
        raise RefusedError("patch.several")
    return places[0]


def _add(operation: Operation, finding: Finding) -> None:
    place = _one(operation, finding)
    element = element_of(place.inner_kind, operation.name)
    value = given(element, deepcopy(operation.value))
    if not element.many and place.inside is not None:
        names = element.json_names()
        if any(name in place.inside or "_" + name in place.inside for name in names):
            raise RefusedError("patch.there-already")
    put(_opened(place), element, value)


def _opened(place: Place) -> dict[str, Any]:
    """Give the object inside a place; that beside a primitive is made when it is not there."""
    if place.inside is not None:
        return place.inside
    if not place.is_primitive:
        raise NotReadError
    made: dict[str, Any] = {}
    name = "_" + place.name
    if place.item is None:
        place.holder[name] = made
        return made
    beside = place.holder.setdefault(name, [])
    beside += [None] * (length(place.holder, place.name) - len(beside))
    beside[place.item] = made
    return made


def _delete(operation: Operation, finding: Finding) -> None:
    """Delete an element; when there is none, nothing is to be done."""
    places = finding.run(operation.path)
    if len(places) > 1:
        raise RefusedError("patch.several")
    for place in places:
        _demand_inside(place)
        _drop(place, finding)


def _demand_inside(place: Place) -> None:
    if not place.name:
        raise RefusedError("patch.whole-resource")


def _drop(place: Place, finding: Finding) -> None:
    """Take a place out; an object that is left with nothing goes with its last element."""
    for name in (place.name, "_" + place.name):
        if name not in place.holder:
            continue
        if place.item is None:
            del place.holder[name]
            continue
        items = place.holder[name]
        del items[place.item : place.item + 1]
        if not any(item is not None for item in items):
            del place.holder[name]
    if not place.holder:
        _prune(finding.root.holder, place.holder)


def _prune(node: Any, empty: dict[str, Any]) -> bool:
    """Take an empty object out of what holds it, and that too when it comes to hold nothing."""
    members = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in members:
        if value is empty or (isinstance(value, dict | list) and _prune(value, empty)):
            del node[key]
            return not node
    return False


def _replace(operation: Operation, finding: Finding) -> None:
    place = _one(operation, finding)
    _demand_inside(place)
    element = element_of(place.owner, place.name)
    value = given(element, deepcopy(operation.value))
    holder = place.holder
    if place.item is not None:
        _set_item(holder, place.name, place.item, value.value)
        if value.beside is not None or "_" + place.name in holder:
            holder.setdefault("_" + place.name, [])
            _set_item(holder, "_" + place.name, place.item, value.beside)
            if not any(item is not None for item in holder["_" + place.name]):
                del holder["_" + place.name]
        return
    members = list(holder.items())
    written = False
    holder.clear()
    for name, old in members:
        if name not in (place.name, "_" + place.name):
            holder[name] = old
        elif not written:
            written = True
            holder.update({value.name: value.value} if value.value is not None else {})
            holder.update({"_" + value.name: value.beside} if value.beside is not None else {})


def _set_item(holder: dict[str, Any], name: str, index: int, value: Any) -> None:
    items: list[Any] = holder.setdefault(name, [])
    items += [None] * (index + 1 - len(items))
    items[index] = value


class _List(NamedTuple):
    """A list in a resource: what holds it, its element and its JSON name."""

    holder: dict[str, Any]
    element: Element
    size: int


def _list_at(operation: Operation, finding: Finding) -> _List:
    """Give the list that a path ends with the name of. Raises RefusedError, NotReadError."""
    if not operation.path.steps:  # the resource itself is no list
        raise NotReadError
    *before, last = operation.path.steps
    if not isinstance(last, Name):
        raise NotReadError
    parents = finding.run(Steps(tuple(before), operation.path.from_root))
    if not parents:
        raise RefusedError("patch.nowhere")
    if len(parents) > 1:
        raise RefusedError("patch.several")
    element = element_of(parents[0].inner_kind, last.name)
    if not element.many:
        raise NotReadError
    holder = _opened(parents[0])
    return _List(holder, element, length(holder, element.name))


def _insert(operation: Operation, finding: Finding) -> None:
    found = _list_at(operation, finding)
    if operation.at > found.size:
        raise RefusedError("patch.index-beyond")
    insert(found.holder, given(found.element, deepcopy(operation.value)), operation.at)


def _move(operation: Operation, finding: Finding) -> None:
    found = _list_at(operation, finding)
    if max(operation.source, operation.destination) >= found.size:
        raise RefusedError("patch.index-beyond")
    for name in (found.element.name, "_" + found.element.name):
        items = found.holder.get(name)
        if isinstance(items, list):
            items += [None] * (found.size - len(items))
            items.insert(operation.destination, items.pop(operation.source))


_DO: dict[str, Callable[[Operation, Finding], None]] = {
    "add": _add,
    "insert": _insert,
    "delete": _delete,
    "replace": _replace,
    "move": _move,
}
