"""The filters of a value set: which codes of a code system they take.

https://hl7.org/fhir/R4/valueset-filter-operator.html . Regular expressions are run by an engine
whose time is linear in the text, for they may come from outside.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import jsonschema_rs

from passerelle.fhir.terminology.code_system import CodeSystem, Concept

REGEX_MAX = 500
REGEX_BYTES = 1_000_000
"""What one regular expression may weigh once compiled."""

_CONCEPT = frozenset({"concept", "code"})

Filter = Callable[[CodeSystem, str, str], Iterable[str]]


class UnusableFilter(Exception):
    """A filter that cannot be answered: an unknown operator, a malformed value."""


def filtered(system: CodeSystem, property: str, op: str, value: str) -> list[str]:
    """Give the codes that a filter takes, in the order of the system. Raises UnusableFilter."""
    chosen = _FILTERS.get(op)
    if chosen is None:
        raise UnusableFilter(op)
    taken = chosen(system, property, value)
    wanted = taken if isinstance(taken, frozenset | set) else set(taken)
    return [code for code in system.concepts if code in wanted]


def _is_a(system: CodeSystem, property: str, value: str) -> Iterable[str]:
    return _descendants(system, property, value) | _itself(system, value)


def _descendants(system: CodeSystem, property: str, value: str) -> frozenset[str]:
    found = system.find(value)
    return frozenset() if found is None else system.descendants(found.code)


def _is_not_a(system: CodeSystem, property: str, value: str) -> Iterable[str]:
    below = frozenset(_is_a(system, property, value))
    return (code for code in system.concepts if code not in below)


def _generalizes(system: CodeSystem, property: str, value: str) -> Iterable[str]:
    found = system.find(value)
    return frozenset() if found is None else system.ancestors(found.code) | {found.code}


def _itself(system: CodeSystem, value: str) -> frozenset[str]:
    found = system.find(value)
    return frozenset() if found is None else frozenset({found.code})


def _equals(system: CodeSystem, property: str, value: str) -> Iterable[str]:
    return _holding(system, property, lambda said: said == value)


def _in(system: CodeSystem, property: str, value: str) -> Iterable[str]:
    listed = _listed(value)
    return _holding(system, property, lambda said: said in listed)


def _not_in(system: CodeSystem, property: str, value: str) -> Iterable[str]:
    within = frozenset(_in(system, property, value))
    return (code for code in system.concepts if code not in within)


def _matches(system: CodeSystem, property: str, value: str) -> Iterable[str]:
    return _holding(system, property, _matcher(value))


def _exists(system: CodeSystem, property: str, value: str) -> Iterable[str]:
    if value not in ("true", "false"):
        raise UnusableFilter("exists")
    there = frozenset(_holding(system, property, lambda said: True))
    return (code for code in system.concepts if (code in there) is (value == "true"))


_FILTERS: dict[str, Filter] = {
    "is-a": _is_a,
    "descendent-of": _descendants,
    "is-not-a": _is_not_a,
    "generalizes": _generalizes,
    "=": _equals,
    "in": _in,
    "not-in": _not_in,
    "regex": _matches,
    "exists": _exists,
}


def _holding(system: CodeSystem, property: str, holds: Callable[[str], bool]) -> Iterable[str]:
    """Give the codes of which any value of a property holds."""
    for concept in system.concepts.values():
        if any(holds(said) for said in _values(system, concept, property)):
            yield concept.code


def _values(system: CodeSystem, concept: Concept, property: str) -> Iterable[str]:
    """Give the values of a property as texts."""
    if property in _CONCEPT:
        yield concept.code
    elif property == "display":
        yield concept.display or ""
    elif property == "definition":
        yield concept.definition or ""
    elif property == "parent":
        yield from system.parents.get(concept.code, ())
    elif property == "child":
        yield from system.children.get(concept.code, ())
    else:
        yield from (_text(value) for name, _, value in concept.properties if name == property)
        if property == "inactive" and concept.status.inactive:
            yield "true"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value.get("code", "")) if isinstance(value, dict) else str(value)


def _listed(value: str) -> frozenset[str]:
    return frozenset(part.strip() for part in value.split(","))


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> Callable[[str], bool]:
    """Compile a regular expression that takes a whole text. Raises UnusableFilter."""
    if len(pattern) > REGEX_MAX:
        raise UnusableFilter("regex")
    options = jsonschema_rs.RegexOptions(size_limit=REGEX_BYTES, dfa_size_limit=REGEX_BYTES)
    try:
        made = jsonschema_rs.validator_for(
            {"type": "string", "pattern": f"^(?:{pattern})$"}, pattern_options=options
        )
    except (jsonschema_rs.ValidationError, ValueError):
        raise UnusableFilter("regex") from None
    matches: Callable[[str], bool] = made.is_valid
    return matches
