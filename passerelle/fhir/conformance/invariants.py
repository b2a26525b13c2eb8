"""The error invariants of R4 that are compiled from their own FHIRPath expressions.

https://hl7.org/fhir/R4/conformance-rules.html#constraints . The expressions come from the table of
R4 types. Those that are met in every resource are functions of their own (``datatype_laws``,
``resource_laws``, ``bundle_laws``, ``contained``, ``narrative``), which the tests compare with the
compiled expressions; all the others are run here, where their element is.

An invariant holds when its expression says true
(https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.constraint.expression).
An empty answer breaks it, but for those of which the answer is open (``OPEN``); an error of the
evaluation says nothing, for a wrong type is told by the structure.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.conformance import datatype_laws, resource_laws, structure_table
from passerelle.fhir.conformance.quick_laws import QUICK
from passerelle.fhir.fhirpath.compiler import compile_expression
from passerelle.fhir.fhirpath.dependence import json_names, names_asked, sparing
from passerelle.fhir.fhirpath.evaluation import Expression, Surroundings, surroundings
from passerelle.fhir.fhirpath.nodes import Node, child, resource_node
from passerelle.fhir.fhirpath.operators import CannotEvaluate
from passerelle.fhir.fhirpath.syntax import parse

CORRECTED: dict[tuple[str, str], tuple[str, str]] = {
    ("ElementDefinition", "eld-19"): (
        r"path.matchesFull('[^\\s\\.,:;\\\'\"\\/|?!@#$%&*()\\[\\]{}]{1,64}"
        r"(\\.[^\\s\\.,:;\\\'\"\\/|?!@#$%&*()\\[\\]{}]{1,64}(\\[x\\])?(\\:[^\\s\\.]+)?)*')",
        "the whole path is meant: matches() asks for any part of it",
    ),
    ("ElementDefinition.max", "eld-3"): (
        "$this = '*' or (toInteger().exists() and toInteger() >= 0)",
        "of a text that is no number toInteger() is empty, so that nothing would be said",
    ),
    ("MessageDefinition.focus", "md-1"): (
        "max.empty() or max = '*' or (max.toInteger().exists() and max.toInteger() > 0)",
        "of a text that is no number toInteger() is empty, so that nothing would be said",
    ),
    ("Questionnaire.item.enableWhen", "que-7"): (
        "operator = 'exists' implies (answer is boolean)",
        "an element is of FHIR's type boolean, not of FHIRPath's Boolean",
    ),
}
"""Expressions that do not say what their text means, what is run instead, and why."""

OPEN = {
    "eld-2": "max may be no number, which eld-3 tells",
    "mdd-1": "two dates that agree as far as the less precise one goes",
    "per-1": "two dates that agree as far as the less precise one goes",
    "inv-1": "two dates that agree as far as the less precise one goes",
    "ras-2": "the probability may have an extension instead of a value",
}
"""Invariants that an empty answer does not break, and why it may be empty."""

RENAMED = {
    ("Parameters.parameter", "inv-1"): "par-1",
    ("Task", "inv-1"): "tsk-1",
    ("TestReport.setup.action", "inv-1"): "trp-1",
    ("TestReport.test.action", "inv-2"): "trp-2",
}
"""Keys that R4 has given twice."""

BY_STRUCTURE = {
    "dom-2": "contained",
    "dom-3": "contained",
    "dom-4": "contained",
    "dom-5": "contained",
    "ref-1": "contained",
    "ele-1": "structure_walk",
    "ext-1": "structure_walk",
    "sqty-1": "structure_table",
    "txt-1": "narrative",
    "txt-2": "narrative",
}
"""Invariants that the structure check itself decides, and where."""


class Invariant(NamedTuple):
    """One invariant: where it stands, its key, its rule, its expression, who decides it.

    ``published`` is the expression of R4, ``expression`` what is meant by it.
    """

    path: str
    key: str
    rule: str
    expression: str
    decided_by: str
    published: str


class Law(NamedTuple):
    """A compiled invariant: its rule, its expression, whether an empty answer breaks it.

    It need not be run on an object that has no member of one of the sets of ``spared``, nor where
    ``quick`` says that it surely holds.
    """

    rule: str
    expression: Expression
    demands_true: bool
    spared: tuple[frozenset[str], ...] = ()
    quick: Callable[[dict[str, Any]], bool] | None = None


class Plan(NamedTuple):
    """What is asked of an element of a type: of itself, and of the elements in it."""

    laws: tuple[Law, ...]
    inside: tuple["Step", ...]


class Step(NamedTuple):
    """An element that has invariants, or has elements that have."""

    name: str
    many: bool
    laws: tuple[Law, ...]
    kinds: frozenset[str]


class _Holder(NamedTuple):
    """The resource whose elements are gone through, and what its expressions share."""

    resource: Node
    within: Surroundings


COMPILED = "FHIRPath"


@cache
def invariants() -> tuple[Invariant, ...]:
    """Give all error invariants of R4, in the order of their paths."""
    by_type = {law.key: "datatype_laws" for law in datatype_laws.LAWS}
    by_resource = {key: "resource_laws" for laws in resource_laws.LAWS.values() for key, _ in laws}
    decided = {**by_type, **by_resource, **BY_STRUCTURE}
    found = []
    for path, laws in structure_table.invariants().items():
        for key, expression in laws.items():
            name = RENAMED.get((path, key), key)
            told, _ = CORRECTED.get((path, key), (expression, ""))
            rule = f"structure.{name}"
            by = decided.get(name, COMPILED)
            found.append(Invariant(path, key, rule, told, by, expression))
    return tuple(found)


def law_of(one: Invariant) -> Law:
    """Compile an invariant. Raises NotFhirPath when it cannot be."""
    law = Law(one.rule, compile_expression(one.expression), one.key not in OPEN)
    tree = parse(one.expression)
    if one.path not in structure_table.type_names():
        return law
    law = law._replace(quick=QUICK.get((one.path, one.key)))
    spared = [json_names(one.path, names) for names in sparing(tree)]
    asked = names_asked(tree)
    nothing = Node({}, one.path)
    if asked is not None and not is_broken(law, nothing, nothing):
        spared.append(json_names(one.path, asked))
    return law._replace(spared=tuple(spared))


@cache
def _laws(path: str) -> tuple[Law, ...]:
    """Give the compiled invariants of a path."""
    return tuple(
        law_of(one) for one in invariants() if one.path == path and one.decided_by == COMPILED
    )


@cache
def _kinds_with_laws() -> frozenset[str]:
    """Give the types that have compiled invariants, in themselves or in an element at any depth."""
    paths = {one.path for one in invariants() if one.decided_by == COMPILED}
    holders = paths & structure_table.type_names()
    of_elements = paths - holders
    inner: dict[str, set[str]] = {}
    for name in structure_table.type_names():
        for element in structure_table.elements(name):
            if f"{name}.{element.name}" in of_elements:
                holders.add(name)
            for kind in element.kinds:
                inner.setdefault(kind.name, set()).add(name)
    waiting = list(holders)
    while waiting:
        for owner in inner.get(waiting.pop(), ()):
            if owner not in holders:
                holders.add(owner)
                waiting.append(owner)
    return frozenset(holders)


@cache
def _plan(kind: str) -> Plan | None:
    """Give what is asked of a type; None when nothing is."""
    if kind not in _kinds_with_laws():
        return None
    steps = []
    for element in structure_table.elements(kind):
        path = f"{kind}.{element.name}"
        own = () if path in structure_table.type_names() else _laws(path)
        kinds = frozenset(one.name for one in element.kinds) & _kinds_with_laws()
        if own or kinds:
            steps.append(Step(element.name, element.many, own, kinds))
    return Plan(_laws(kind), tuple(steps))


def faults(resource: dict[str, Any], place: str) -> Iterator[Issue]:
    """Tell which compiled invariants a resource breaks, and at which element of it."""
    node = resource_node(resource)
    plan = _plan(node.kind) if node.kind != "Resource" else None
    if plan is not None:
        yield from _inside(node, plan, _Holder(node, surroundings(node)), place)


def _inside(node: Node, plan: Plan, holder: _Holder, place: str) -> Iterator[Issue]:
    """Tell the faults of one element, then those of the elements in it."""
    yield from _broken(node, plan.laws, holder, place)
    for step in plan.inside:
        for index, one in enumerate(child(node, step.name)):
            here = f"{place}.{step.name}[{index}]" if step.many else f"{place}.{step.name}"
            yield from _broken(one, step.laws, holder, here)
            inner = _plan(one.kind) if one.kind in step.kinds else None
            if inner is not None:
                yield from _inside(one, inner, holder, here)


def _broken(node: Node, laws: tuple[Law, ...], holder: _Holder, place: str) -> Iterator[Issue]:
    for law in laws:
        if is_broken(law, node, holder.resource, holder.within):
            yield issue(law.rule, place)


def is_broken(law: Law, node: Node, resource: Node, within: Surroundings | None = None) -> bool:
    """Tell whether an element breaks an invariant; ``within`` is shared by those of a resource."""
    for names in law.spared:
        if names.isdisjoint(node.value):
            return False
    if law.quick is not None and law.quick(node.value):
        return False
    try:
        said = law.expression.evaluate(node, resource=resource, within=within)
    except CannotEvaluate:
        return False
    return said != [True] if law.demands_true else said == [False]
