"""The structure check at the door: every fault of a resource at once, by R4 4.0.1 itself.

https://hl7.org/fhir/R4/validation.html (structure, cardinality, value domains, required bindings,
invariants). Two readers: a quick one that only says yes (``structure_schema``), and a precise one
that decides and explains whatever the quick one does not accept (``structure_walk``).
"""

from collections.abc import Iterator
from itertools import islice

from passerelle.errors.refusals import Invalid, Issue
from passerelle.errors.rules import issue
from passerelle.fhir.conformance import contained, invariants, resource_laws, structure_schema
from passerelle.fhir.conformance.structure_table import Kind, resource_types
from passerelle.fhir.conformance.structure_walk import Nested, Walk, not_admitted
from passerelle.fhir.resource import Resource

ISSUES_MAX = 100
NESTED_MAX = 8
"""How deep resources may hold resources (a Bundle in a Bundle …)."""

_HOLDERS = frozenset({"Bundle", "Parameters"})


def check(resource: Resource, *, at: str | None = None, entries: bool = True) -> list[Issue]:
    """Give every fault of a resource with its place, at most ``ISSUES_MAX``; none when it is right.

    ``at`` is the place of the resource itself, by default its type; ``entries=False`` leaves out
    the resources of a Bundle's entries and of Parameters (contained ones are always checked).
    """
    kind = resource.get("resourceType")
    place = at or (kind if isinstance(kind, str) and kind in resource_types() else "Resource")
    found = list(islice(_faults(resource, place, NESTED_MAX if entries else 0), ISSUES_MAX + 1))
    if len(found) > ISSUES_MAX:
        found[ISSUES_MAX:] = [issue("structure.more", place, count=ISSUES_MAX)]
    return found


def demand(resource: Resource, *, at: str | None = None, entries: bool = True) -> None:
    """Raise Invalid with every fault of a resource; see :func:`check`."""
    issues = check(resource, at=at, entries=entries)
    if issues:
        raise Invalid(*issues)


def _faults(resource: Resource, place: str, nested_max: int) -> Iterator[Issue]:
    """Tell the faults of a resource, then of those in it down to a depth."""
    kind = _type_of(resource)
    if kind is None:
        yield issue("structure.unknown-type", place)
        return
    quick = _contained_is_right if "contained" in resource else structure_schema.accepts
    if quick(resource, kind):
        nested = list(_nested(resource, kind, place))
    else:
        walk = Walk()
        yield from _walked(resource, kind, place, walk)
        nested = walk.nested
    yield from _laws(kind, resource, place)
    for inner in nested if nested_max else ():
        if nested_max == 1:
            yield issue("json.too-deep", inner.place)
        else:
            yield from _faults(inner.resource, inner.place, nested_max - 1)


def _laws(kind: str, resource: Resource, place: str) -> Iterator[Issue]:
    """Tell which invariants of its type a resource breaks."""
    yield from resource_laws.faults(kind, resource, place)
    yield from invariants.faults(resource, place)


def _type_of(resource: Resource) -> str | None:
    """Give the type of a resource when R4 has it."""
    kind = resource.get("resourceType")
    return kind if isinstance(kind, str) and kind in resource_types() else None


def _walked(resource: Resource, kind: str, place: str, walk: Walk) -> Iterator[Issue]:
    """Tell the faults that the precise reader finds, those of contained resources included."""
    yield from walk.inside(resource, Kind(kind), place)
    local, mentioned, referring = dict(walk.local), set(walk.mentioned), []
    targets = list(walk.targets)
    for inner in walk.contained:
        own = Walk()
        held = _type_of(inner.resource)
        if held is None:
            yield issue("structure.unknown-type", inner.place)
        else:
            yield from own.inside(inner.resource, Kind(held), inner.place)
            yield from _laws(held, inner.resource, inner.place)
        walk.nested += own.nested
        referring.append("#" in own.local or "#" in own.mentioned)
        local = {**own.local, **local}
        mentioned |= own.mentioned
        targets += own.targets
    yield from contained.faults(resource, place, local, mentioned, referring)
    types = {f"#{one.resource.get('id')}": _type_of(one.resource) for one in walk.contained}
    for text, where, allowed in targets:
        found = kind if text == "#" else types.get(text)
        if found is not None and found not in allowed:
            yield not_admitted(where, allowed)


def _contained_is_right(resource: Resource, kind: str) -> bool:
    """Tell quickly whether a resource and those in it are surely right, each and together.

    Each ``#…`` reference is read as one to the type that it means.
    """
    held = resource["contained"]
    kinds = contained.types(held, kind)
    if kinds is None or not _HOLDERS.isdisjoint(kinds.values()):
        return False
    outer = {name: value for name, value in resource.items() if name != "contained"}
    if not structure_schema.accepts(contained.resolved(outer, kinds), kind):
        return False
    for one in held:
        inner = one["resourceType"]
        if not structure_schema.accepts(contained.resolved(one, kinds), inner):
            return False
        if any(_laws(inner, one, "")):
            return False
    local = dict.fromkeys(contained.local_texts(resource, set()), "")
    referring = ["#" in contained.local_texts(one, set()) for one in held]
    return not any(contained.faults(resource, "", local, set(), referring))


def _nested(resource: Resource, kind: str, place: str) -> Iterator[Nested]:
    """Give the resources that a Bundle or Parameters hold, known to be of the right shape."""
    if kind == "Bundle":
        for index, entry in enumerate(resource.get("entry", ())):
            here = f"{place}.entry[{index}]"
            if "resource" in entry:
                yield Nested(entry["resource"], f"{here}.resource")
            if "outcome" in entry.get("response", {}):
                yield Nested(entry["response"]["outcome"], f"{here}.response.outcome")
    elif kind == "Parameters":
        yield from _in_parameters(resource.get("parameter", ()), f"{place}.parameter")


def _in_parameters(parameters: list[Resource], place: str) -> Iterator[Nested]:
    """Give the resources of parameters and of their parts."""
    for index, parameter in enumerate(parameters):
        here = f"{place}[{index}]"
        if "resource" in parameter:
            yield Nested(parameter["resource"], f"{here}.resource")
        yield from _in_parameters(parameter.get("part", ()), f"{here}.part")
