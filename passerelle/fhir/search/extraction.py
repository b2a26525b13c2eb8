"""The index rows of a resource.

https://hl7.org/fhir/R4/search.html . The expressions of a type's parameters are compiled once and
grouped by the element they start from, so that an element that is absent costs one look-up.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from passerelle.fhir.resource import Resource
from passerelle.fhir.search.composite_rows import CompositeRule, composite_rule
from passerelle.fhir.search.expressions import Step, compile_expression
from passerelle.fhir.search.index_rows import (
    Composite,
    IndexRows,
    Link,
    Number,
    Position,
    Quantity,
    Span,
    Text,
    Token,
    Uri,
)
from passerelle.fhir.search.index_values import BY_CODE, EMITTERS, SPECIAL, Add, Emit, Row
from passerelle.fhir.search.registry import STANDARD, Registry
from passerelle.fhir.search.search_parameters import Parameter, indexed

KEPT_APART = frozenset({"_id", "_lastUpdated"})
"""Answered from the row of the resource itself."""

_ORDER = (Token, Text, Link, Span, Number, Quantity, Uri, Composite, Position)


class _Rule(NamedTuple):
    """One alternative of one parameter, after its first element."""

    param: int
    steps: tuple[Step, ...]
    emit: Emit


class _Joint(NamedTuple):
    """One alternative of one composite, after its first element."""

    steps: tuple[Step, ...]
    rule: "CompositeRule | _CarefulRule"


class _Group(NamedTuple):
    """What starts from one element; from the resource itself when it has no name."""

    first: str
    rules: tuple[_Rule, ...]
    joints: tuple[_Joint, ...]


@cache
def _rules(type: str) -> tuple[_Group, ...]:
    """Compile the parameters of the table for a type."""
    return _groups(type, indexed(type).values())


def _rules_of(type: str, registry: Registry) -> tuple[_Group, ...]:
    """Give the rules of a type with those of the parameters that were added."""
    if not registry.added:
        return _rules(type)
    found: tuple[_Group, ...] | None = registry.made.get(type)
    if found is None:
        found = registry.made[type] = (*_rules(type), *_added_rules(type, registry))
    return found


def _added_rules(type: str, registry: Registry) -> tuple[_Group, ...]:
    """Compile the added parameters of a type; none of their values stops a write."""
    groups = _groups(type, [each.parameter for each in registry.of_type(type)])
    return tuple(
        group._replace(
            rules=tuple(rule._replace(emit=_careful(rule.emit)) for rule in group.rules),
            joints=tuple(each._replace(rule=_CarefulRule(each.rule)) for each in group.joints),
        )
        for group in groups
    )


_ODD = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError)
"""What a value that is not of the kind of its parameter may do to what makes rows of it."""


def _careful(emit: Emit) -> Emit:
    """Give what makes rows, and none of what is not of its kind."""

    def emitted(param: int, node: Any, add: Add) -> None:
        made: list[Row] = []
        try:
            emit(param, node, made.append)
        except _ODD:
            return
        for row in made:
            add(row)

    return emitted


class _CarefulRule(NamedTuple):
    """A composite that makes no row of what is not of its kind."""

    rule: "CompositeRule | _CarefulRule"

    def add_rows(self, element: Any, resource: Resource, add: Add) -> None:
        """Add the combinations within an element."""
        made: list[Row] = []
        try:
            self.rule.add_rows(element, resource, made.append)
        except _ODD:
            return
        for row in made:
            add(row)


def _groups(type: str, parameters: Iterable[Parameter]) -> tuple[_Group, ...]:
    """Compile parameters of a type, grouped by first element."""
    rules: dict[str, list[_Rule]] = {}
    joints: dict[str, list[_Joint]] = {}
    for parameter in parameters:
        if parameter.code in KEPT_APART:
            continue
        # The common elements are the same on every type.
        for path in compile_expression(type, parameter.expression):
            if parameter.kind == "composite":
                joint = _Joint(path.steps, composite_rule(parameter, path))
                joints.setdefault(path.first, []).append(joint)
            else:
                rule = _Rule(parameter.id, path.steps, _emit(parameter))
                rules.setdefault(path.first, []).append(rule)
    return tuple(
        _Group(first, tuple(rules.get(first, ())), tuple(joints.get(first, ())))
        for first in dict.fromkeys((*rules, *joints))
    )


def _emit(parameter: Parameter) -> Emit:
    """Give what makes the rows of a parameter."""
    special = SPECIAL.get((parameter.type, parameter.code)) or BY_CODE.get(parameter.code)
    return special or EMITTERS[parameter.kind]


def _add_rows(resource: Resource, add: Add, groups: tuple[_Group, ...]) -> None:
    """Add every row, repeats included."""
    for first, rules, joints in groups:
        value: Any = resource.get(first) if first else resource
        if value is None:
            continue
        whole = value if type(value) is list else [value]
        for param, steps, emit in rules:
            nodes = whole
            for step in steps:
                nodes = step(nodes)
            for node in nodes:
                emit(param, node, add)
        for steps, joint in joints:
            nodes = whole
            for step in steps:
                nodes = step(nodes)
            for node in nodes:
                joint.add_rows(node, resource, add)


def extract(resource: Resource, registry: Registry = STANDARD) -> IndexRows:
    """Give the index rows of a resource, without repeats; a value that is no value has no row."""
    found: list[Row] = []
    _add_rows(resource, found.append, _rules_of(resource.get("resourceType", ""), registry))
    return _sorted(found)


def extract_added(resource: Resource, registry: Registry) -> IndexRows:
    """Give only the index rows of the parameters that were added."""
    found: list[Row] = []
    type = resource.get("resourceType", "")
    key = f"+{type}"
    groups = registry.made.get(key)
    if groups is None:
        groups = registry.made[key] = _added_rules(type, registry)
    _add_rows(resource, found.append, groups)
    return _sorted(found)


def _sorted(found: list[Row]) -> IndexRows:
    """Put rows into their tables, each once."""
    groups: dict[type, list[Row]] = {kind: [] for kind in _ORDER}
    for row in dict.fromkeys(found):
        groups[type(row)].append(row)
    return IndexRows(*map(tuple, groups.values()))  # type: ignore[arg-type]
