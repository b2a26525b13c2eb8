"""What a search is made of, and what its parts are counted as."""

from collections.abc import Callable
from typing import NamedTuple

from tests.oracle.naive import Resource, World

Holds = Callable[[World, Resource], bool]


class Criterion(NamedTuple):
    """``name=text``, what it is counted as (its kind first), and whether it holds of a resource."""

    name: str
    text: str
    labels: tuple[str, ...]
    holds: Holds


class Asked(NamedTuple):
    """A whole search: a type, what must hold, the order as (code, descending)."""

    type: str
    criteria: tuple[Criterion, ...]
    sort: tuple[tuple[str, bool], ...] = ()


def named(name: str, text: str, *labels: str) -> Criterion:
    """Make a criterion that an address spells."""
    return Criterion(name, text, labels, lambda world, resource: world.holds(resource, name, text))


def denied(one: Criterion) -> Holds:
    """Hold of what one does not hold of."""
    return lambda world, resource: not one.holds(world, resource)


def both(one: Criterion, other: Criterion) -> Holds:
    """Hold of what both hold of."""
    return lambda world, resource: one.holds(world, resource) and other.holds(world, resource)


def either(one: Criterion, other: Criterion) -> Holds:
    """Hold of what one of them holds of."""
    return lambda world, resource: one.holds(world, resource) or other.holds(world, resource)


def link_of(kind: str, inner: Criterion) -> str:
    """Give the label of a link: what it leads on to, another link or a kind of parameter."""
    first = inner.labels[0]
    return f"{kind}>{first.partition('>')[0] if '>' in first else first.partition(':')[0]}"
