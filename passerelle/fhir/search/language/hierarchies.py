"""Hierarchies of resources, and of the versions of a canonical: ``:above`` and ``:below``.

https://hl7.org/fhir/R4/search.html#recursive : references that lead to a resource of the same type
make a hierarchy where each is a part of the other, or its child. Other references of a type to
itself (``replaces``, ``based-on``, ``has-member``) tell of something else.
"""

from functools import cache

from passerelle.fhir.search.language.criterion import refuse
from passerelle.fhir.search.query_values import ReferenceValue
from passerelle.fhir.search.search_parameters import (
    ANY,
    TYPES_WITH_PARAMETERS,
    Parameter,
    parameters,
)

_CODES = ("partof", "part-of", "parent")

TRANSITIVE = frozenset({"above", "below"})


@cache
def hierarchy(type: str) -> Parameter | None:
    """Give the parameter by which a resource of a type leads to the one above it."""
    known = parameters(type)
    for code in _CODES:
        found = known.get(code)
        if found is not None and found.kind == "reference" and type in found.targets:
            return found
    return None


def hierarchies() -> tuple[Parameter, ...]:
    """Give the parameters that make a hierarchy, one of a type."""
    found = (hierarchy(type) for type in sorted(TYPES_WITH_PARAMETERS))
    return tuple(each for each in found if each is not None)


def _is_canonical(type: str) -> bool:
    url = parameters(type).get("url")
    return url is not None and url.kind == "uri"


@cache
def transitive(targets: tuple[str, ...]) -> frozenset[str]:
    """Give the modifiers of a reference to those types that go through a hierarchy."""
    if targets == (ANY,) or any(hierarchy(type) for type in targets):
        return TRANSITIVE
    return frozenset({"below"} if any(map(_is_canonical, targets)) else ())


def in_hierarchy(
    value: ReferenceValue, modifier: str, parameter: Parameter, name: str
) -> ReferenceValue:
    """See that what a value names has a hierarchy; a bare id is one of the only type that has.

    An absolute address is a canonical, whose versions are below it. Raises Refused.
    """
    if value.type == "" and modifier == "below":
        return value
    type = value.type
    if type is None:
        found = [each for each in parameter.targets if each != ANY and hierarchy(each)]
        type = found[0] if len(found) == 1 else None
    if not type or hierarchy(type) is None:
        raise refuse("search.no-hierarchy", name)
    return value._replace(type=type)
