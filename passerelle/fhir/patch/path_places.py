"""Where a path leads in a resource: the places themselves, to be read or changed.

https://hl7.org/fhir/R4/fhirpath.html . Types come from the table of R4, so that ``value`` finds
``valueQuantity`` and ``birthDate.extension`` what stands under ``_birthDate``.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from passerelle.fhir.conformance.structure_table import (
    Element,
    elements,
    lineage,
    patterns,
    resource_types,
)
from passerelle.fhir.patch.path_text import (
    At,
    Call,
    Expression,
    Literal,
    Name,
    NotReadError,
    Operator,
    Steps,
)
from passerelle.fhir.resource import Resource

ROOTS = frozenset({"Resource", "DomainResource"})

PLACES_MAX = 150_000
"""As many places the paths of one patch may walk through: a fifth of a second."""


class RefusedError(Exception):
    """An operation cannot be done on that resource; its message is the slug of the rule."""


class Effort:
    """How far the paths of one patch have walked, all its operations together."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = PLACES_MAX

    def spend(self, places: int) -> None:
        """Count places, and each step as one. Raises RefusedError past the bound."""
        self.left -= places + 1
        if self.left < 0:
            raise RefusedError("patch.too-much-walked")


class Place(NamedTuple):
    """One element that is there: member ``name`` of ``holder``, item number ``item`` if it repeats.

    ``kind`` is its type in the table, ``owner`` the type that has it as an element. The resource
    itself is the member ``""`` of a holder.
    """

    holder: dict[str, Any]
    name: str
    item: int | None
    kind: str
    owner: str = ""

    @property
    def value(self) -> Any:
        """The value; None for a primitive of which only the ``_`` sibling is there."""
        found = self.holder.get(self.name)
        if self.item is None:
            return found
        return found[self.item] if found and self.item < len(found) else None

    @property
    def is_primitive(self) -> bool:
        """Whether it is a primitive, whose extensions stand beside it."""
        return self.kind in patterns()

    @property
    def inside(self) -> dict[str, Any] | None:
        """The object that its own elements stand in, if there is one."""
        found: Any
        if not self.is_primitive:
            found = self.value
        else:
            found = self.holder.get("_" + self.name)
            if self.item is not None:
                found = found[self.item] if found and self.item < len(found) else None
        return found if isinstance(found, dict) else None

    @property
    def inner_kind(self) -> str:
        """The type whose elements it has."""
        if self.is_primitive:
            return "Element"
        if self.kind == "Resource":
            named = self.value.get("resourceType") if isinstance(self.value, dict) else None
            return named if named in resource_types() else "Resource"
        return self.kind


def root(resource: Resource) -> Place:
    """Give the place of a whole resource."""
    return Place({"": resource}, "", None, "Resource")


def element_of(kind: str, name: str) -> Element:
    """Give an element of a type by its name; a choice by ``value`` or by ``valueString``.

    Raises NotReadError for a name that the type has not.
    """
    for element in elements(kind):
        if name in (element.name, f"{element.name}[x]") or name in element.json_names():
            return element
    raise NotReadError


def children(place: Place, name: str) -> list[Place]:
    """Give the elements of a name inside a place. Raises NotReadError for an unknown name."""
    owner = place.inner_kind
    element = element_of(owner, name)
    inside = place.inside
    if inside is None:
        return []
    found: list[Place] = []
    for json_name, kind in zip(element.json_names(), element.kinds, strict=True):
        value, sibling = inside.get(json_name), inside.get("_" + json_name)
        if not element.many:
            if value is not None or sibling is not None:
                found.append(Place(inside, json_name, None, kind.name, owner))
            continue
        count = max(len(each) if isinstance(each, list) else 0 for each in (value, sibling))
        found += [Place(inside, json_name, index, kind.name, owner) for index in range(count)]
    return found


class Finding:
    """The search for the places of a path in one resource."""

    def __init__(self, resource: Resource, effort: Effort | None = None) -> None:
        self.root = root(resource)
        self.effort = effort or Effort()

    def run(self, path: Steps) -> list[Place]:
        """Give the places of a path, in document order. Raises NotReadError, RefusedError."""
        found = self.follow(path, [self.root])
        if not all(isinstance(one, Place) for one in found):
            raise NotReadError
        return found

    def follow(self, path: Steps, start: list[Any]) -> list[Any]:
        """Give what a path leads to from somewhere."""
        found = [self.root] if path.from_root else start
        for number, step in enumerate(path.steps):
            if isinstance(step, Name):
                if number == 0 and self._is_root_name(step.name, found):
                    continue
                found = [
                    below
                    for place in found
                    if isinstance(place, Place)
                    for below in children(place, step.name)
                ]
            elif isinstance(step, At):
                found = found[step.number : step.number + 1]
            else:
                found = self._called(step, found)
            self.effort.spend(len(found))
        return found

    def _is_root_name(self, name: str, found: list[Any]) -> bool:
        """Tell whether a first name is that of the resource's type: ``Patient.birthDate``."""
        if found != [self.root]:
            return False
        return name in ROOTS or name == self.root.inner_kind

    def _called(self, call: Call, found: list[Any]) -> list[Any]:
        if call.name == "where" or (call.name == "exists" and call.argument is not None):
            kept = [one for one in found if self.holds(call.argument, one)]
            return kept if call.name == "where" else [bool(kept)]
        if call.name in ("ofType", "as"):
            return [one for one in found if isinstance(one, Place) and _is_a(one, call.argument)]
        if call.name == "extension":
            below = [inner for one in found for inner in children(one, "extension")]
            return [one for one in below if one.value.get("url") == call.argument]
        return _FUNCTIONS[call.name](found, call.argument)

    def holds(self, criterion: Expression, one: Any) -> bool:
        """Tell whether a criterion holds of one item."""
        found = self._evaluated(criterion, one)
        return len(found) == 1 and _plain(found[0]) is not False

    def _evaluated(self, expression: Expression, one: Any) -> list[Any]:
        if isinstance(expression, Literal):
            return [expression.value]
        if isinstance(expression, Steps):
            return self.follow(expression, [one])
        if expression.sign in ("and", "or"):
            left = self.holds(expression.left, one)
            if left is (expression.sign == "or"):
                return [left]
            return [self.holds(expression.right, one)]
        return _compared(expression, self._evaluated(expression.left, one), one, self)


def _compared(said: Operator, left: list[Any], one: Any, finding: Finding) -> list[Any]:
    """Compare two collections; nothing comes of an empty one, but with ``~``."""
    right = finding._evaluated(said.right, one)
    if not (left and right) and said.sign in ("=", "!="):
        return []
    same = len(left) == len(right) and all(
        _same(_plain(a), _plain(b), folded="~" in said.sign)
        for a, b in zip(left, right, strict=True)
    )
    return [same if said.sign in ("=", "~") else not same]


def _same(one: Any, other: Any, *, folded: bool) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if folded and isinstance(one, str) and isinstance(other, str):
        return " ".join(one.casefold().split()) == " ".join(other.casefold().split())
    if isinstance(one, int | Decimal) and isinstance(other, int | Decimal):
        return one == other
    return type(one) is type(other) and bool(one == other)


def _plain(one: Any) -> Any:
    return one.value if isinstance(one, Place) else one


def _is_a(place: Place, wanted: str) -> bool:
    """Tell whether a place is of a type; ``string`` of FHIR is ``String`` of the system too."""
    kind = place.inner_kind if not place.is_primitive else place.kind
    if place.is_primitive:
        return wanted in (kind, kind[0].upper() + kind[1:])
    return wanted in lineage(kind)


def _texts(test: Callable[[str, str], bool]) -> Callable[[list[Any], Any], list[Any]]:
    def run(found: list[Any], argument: Any) -> list[Any]:
        if len(found) != 1 or not isinstance(_plain(found[0]), str):
            return []
        return [test(_plain(found[0]), argument)]

    return run


def _single(found: list[Any], _: Any) -> list[Any]:
    if len(found) > 1:
        raise NotReadError
    return found


_FUNCTIONS: dict[str, Callable[[list[Any], Any], list[Any]]] = {
    "first": lambda found, _: found[:1],
    "last": lambda found, _: found[-1:],
    "tail": lambda found, _: found[1:],
    "skip": lambda found, count: found[count:],
    "take": lambda found, count: found[:count],
    "single": _single,
    "empty": lambda found, _: [not found],
    "exists": lambda found, _: [bool(found)],
    "hasValue": lambda found, _: [len(found) == 1 and _plain(found[0]) is not None],
    "not": lambda found, _: [_plain(found[0]) is False] if len(found) == 1 else [],
    "startsWith": _texts(str.startswith),
    "endsWith": _texts(str.endswith),
    "contains": _texts(lambda text, part: part in text),
}
