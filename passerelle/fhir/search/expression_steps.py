"""The steps that search expressions are made of: functions from nodes to nodes.

http://hl7.org/fhirpath/N1/#functions . A node is what stands in the JSON; ``null`` in an array,
where only an extension is given, is no node.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from passerelle.fhir.references import target_type

Nodes: TypeAlias = list[Any]
Step: TypeAlias = Callable[[Nodes], Nodes]

FEW = 8
"""Up to so many names of a choice are looked up one by one."""


def child(name: str) -> Step:
    """Make the step to an element."""

    def step(nodes: Nodes) -> Nodes:
        found: Nodes = []
        for node in nodes:
            if type(node) is dict:
                value = node.get(name)
                if type(value) is list:
                    found += value
                elif value is not None:
                    found.append(value)
        return found

    return step


def choice(names: tuple[str, ...]) -> Step:
    """Make the step to an element of one of several types, by the names that it may have."""
    if len(names) == 1:
        return child(names[0])
    wanted = frozenset(names)

    def step(nodes: Nodes) -> Nodes:
        found: Nodes = []
        for node in nodes:
            if type(node) is dict:
                for name in node.keys() & wanted:
                    value = node[name]
                    if value is not None:
                        found.append(value)
        return found

    return step


def where_equal(member: str, literal: str | bool) -> Step:
    """Make the step that keeps the nodes whose member is a literal."""

    def step(nodes: Nodes) -> Nodes:
        return [node for node in nodes if type(node) is dict and node.get(member) == literal]

    return step


def _may_lead(reference: dict[str, Any], wanted: str) -> bool:
    named = target_type(reference)
    if named is not None:
        return named == wanted
    return "identifier" in reference and "reference" not in reference


def where_resolves(wanted: str) -> Step:
    """Make the step that keeps the references to a type, told by how they are written.

    One that says an identifier and nothing else may lead to any type: it is kept as well.
    """

    def step(nodes: Nodes) -> Nodes:
        return [node for node in nodes if type(node) is dict and _may_lead(node, wanted)]

    return step


def where(criterion: Step) -> Step:
    """Make the step that keeps the nodes of which a criterion is true."""

    def step(nodes: Nodes) -> Nodes:
        return [node for node in nodes if criterion([node]) == [True]]

    return step


def has_extension(url: str) -> Step:
    """Make the step that tells whether a node has an extension."""

    def step(nodes: Nodes) -> Nodes:
        extensions = child("extension")(nodes)
        return [any(type(each) is dict and each.get("url") == url for each in extensions)]

    return step


def item(place: int) -> Step:
    """Make the step to one of the nodes."""
    return lambda nodes: nodes[place : place + 1]


def literal(value: str | bool) -> Step:
    """Make the step to a literal."""
    return lambda nodes: [value]


def nothing(nodes: Nodes) -> Nodes:
    """Lead nowhere."""
    return []


def same(nodes: Nodes) -> Nodes:
    """Stay."""
    return nodes


def chain(steps: tuple[Step, ...]) -> Step:
    """Make one step of several."""
    if len(steps) == 1:
        return steps[0]

    def step(nodes: Nodes) -> Nodes:
        for each in steps:
            nodes = each(nodes)
        return nodes

    return step


def exists(nodes: Nodes) -> Nodes:
    """Tell whether there are nodes."""
    return [bool(nodes)]


def empty(nodes: Nodes) -> Nodes:
    """Tell whether there are no nodes."""
    return [not nodes]


def negated(nodes: Nodes) -> Nodes:
    """Turn truth around; nothing stays nothing."""
    return [not nodes[0]] if nodes else []


def _equal(left: Nodes, right: Nodes) -> Nodes:
    """Compare; of different types is different, nothing is not known."""
    if not left or not right:
        return []
    same_types = [type(node) for node in left] == [type(node) for node in right]
    return [same_types and left == right]


def _and(left: Nodes, right: Nodes) -> Nodes:
    if left == [False] or right == [False]:
        return [False]
    return [True] if left and right else []


def _or(left: Nodes, right: Nodes) -> Nodes:
    if left == [True] or right == [True]:
        return [True]
    return [False] if left and right else []


_OPERATORS: dict[str, Callable[[Nodes, Nodes], Nodes]] = {
    "|": lambda left, right: left + [node for node in right if node not in left],
    "=": _equal,
    "!=": lambda left, right: negated(_equal(left, right)),
    "and": _and,
    "or": _or,
}


def binary(operator: str, left: Step, right: Step) -> Step:
    """Make the step that joins what two steps lead to."""
    join = _OPERATORS[operator]
    return lambda nodes: join(left(nodes), right(nodes))
