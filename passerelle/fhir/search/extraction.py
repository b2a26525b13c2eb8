"""The index rows of a resource.

https://hl7.org/fhir/R4/search.html . The expressions of a type's parameters are compiled once and
grouped by the element they start from, so that an element that is absent costs one look-up.
"""

from functools import cache
from typing import Any, NamedTuple

from passerelle.fhir.resource import Resource
from passerelle.fhir.search.expressions import Path, compile_expression
from passerelle.fhir.search.index_rows import (
    IndexRows,
    Link,
    Number,
    Quantity,
    Span,
    Text,
    Token,
    Uri,
)
from passerelle.fhir.search.index_values import EMITTERS, SPECIAL, Add, Emit, Row
from passerelle.fhir.search.search_parameters import parameters

KEPT_APART = frozenset({"_id", "_lastUpdated"})
"""Answered from the row of the resource itself."""

_ORDER = (Token, Text, Link, Span, Number, Quantity, Uri)


class _Rule(NamedTuple):
    """One alternative of one parameter."""

    param: int
    path: Path
    emit: Emit


@cache
def _rules(type: str) -> tuple[tuple[str, tuple[_Rule, ...]], ...]:
    """Compile the parameters of a type, grouped by first element."""
    groups: dict[str, list[_Rule]] = {}
    for parameter in parameters(type).values():
        if parameter.code in KEPT_APART:
            continue
        emit = SPECIAL.get((type, parameter.code), EMITTERS[parameter.kind])
        for path in compile_expression(parameter.expression):
            groups.setdefault(path.first, []).append(_Rule(parameter.id, path, emit))
    return tuple((first, tuple(rules)) for first, rules in groups.items())


def _truth(resource: Resource, first: str) -> bool:
    """Tell whether a choice element is there and not false."""
    for name, value in resource.items():
        if name.startswith(first) and name[len(first) : len(first) + 1].isupper():
            return value is not False
    return False


def _add_rows(resource: Resource, add: Add) -> None:
    """Add every row, repeats included."""
    for first, rules in _rules(resource.get("resourceType", "")):
        value: Any = resource.get(first)
        if value is None:
            for rule in rules:
                if rule.path.truth:
                    rule.emit(rule.param, _truth(resource, first), add)
            continue
        whole = value if type(value) is list else [value]
        for param, path, emit in rules:
            nodes = whole
            for step in path.steps:
                nodes = step(nodes)
            for node in nodes:
                emit(param, node, add)


def extract(resource: Resource) -> IndexRows:
    """Give the index rows of a resource, without repeats; a value that is no value has no row."""
    found: list[Row] = []
    _add_rows(resource, found.append)
    groups: dict[type, list[Row]] = {kind: [] for kind in _ORDER}
    for row in dict.fromkeys(found):
        groups[type(row)].append(row)
    return IndexRows(*map(tuple, groups.values()))  # type: ignore[arg-type]
