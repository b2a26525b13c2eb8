"""The functions of FHIRPath over collections: what they take in and give back as such.

http://hl7.org/fhirpath/N1/#functions . Those that evaluate an expression for each item (``where``,
``select`` …) are in :mod:`passerelle.fhir.fhirpath.compiler`.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from passerelle.fhir.fhirpath import nodes
from passerelle.fhir.fhirpath.nodes import Items, child, has_value, value_of
from passerelle.fhir.fhirpath.operators import (
    CannotEvaluate,
    distinct,
    key,
    keys_of,
    said,
    single,
    truth,
)


class Function(NamedTuple):
    """A function: what it does with the collection before it and its arguments; how many."""

    act: Callable[..., Items]
    least: int = 0
    most: int = 0


def _not(items: Items) -> Items:
    held = truth(items)
    return said(None if held is None else not held)


def _truths(items: Items) -> list[bool]:
    """Give the booleans of a collection. Raises CannotEvaluate for anything else."""
    held = [value_of(item) for item in items]
    if not all(type(one) is bool for one in held):
        raise CannotEvaluate("booleans are wanted")
    return held


def _single(items: Items) -> Items:
    if len(items) > 1:
        raise CannotEvaluate("one value is wanted")
    return items


def whole(items: Items) -> int:
    """Give the one integer of an argument. Raises CannotEvaluate."""
    value = single(items)
    if type(value) is not int:
        raise CannotEvaluate("an integer is wanted")
    return value


def _skip(items: Items, count: Items) -> Items:
    return items[max(0, whole(count)) :]


def _take(items: Items, count: Items) -> Items:
    return items[: max(0, whole(count))]


def _intersect(items: Items, others: Items) -> Items:
    held = keys_of(others)
    return [item for item in distinct(items) if key(item) in held]


def _exclude(items: Items, others: Items) -> Items:
    held = keys_of(others)
    return [item for item in items if key(item) not in held]


def _subset(items: Items, others: Items) -> bool:
    return keys_of(items) <= keys_of(others)


def _descendants(items: Items) -> Items:
    return [found for item in items for found in nodes.descendants(item)]


def _has_value(items: Items) -> Items:
    return [len(items) == 1 and has_value(items[0])]


def _get_value(items: Items) -> Items:
    return [value_of(items[0])] if len(items) == 1 and has_value(items[0]) else []


def _extension(items: Items, url: Items) -> Items:
    wanted = single(url)
    held = [one for item in items for one in child(item, "extension")]
    return [one for one in held if one.value.get("url") == wanted]


def _distinct_only(items: Items) -> Items:
    counted = Counter(key(item) for item in items)
    return [all(count == 1 for count in counted.values())]


COLLECTION_FUNCTIONS: dict[str, Function] = {
    "empty": Function(lambda items: [not items]),
    "not": Function(_not),
    "allTrue": Function(lambda items: [all(_truths(items))]),
    "anyTrue": Function(lambda items: [any(_truths(items))]),
    "allFalse": Function(lambda items: [not any(_truths(items))]),
    "anyFalse": Function(lambda items: [not all(_truths(items))]),
    "count": Function(lambda items: [len(items)]),
    "distinct": Function(distinct),
    "isDistinct": Function(_distinct_only),
    "subsetOf": Function(lambda items, others: [_subset(items, others)], 1, 1),
    "supersetOf": Function(lambda items, others: [_subset(others, items)], 1, 1),
    "single": Function(_single),
    "first": Function(lambda items: items[:1]),
    "last": Function(lambda items: items[-1:]),
    "tail": Function(lambda items: items[1:]),
    "skip": Function(_skip, 1, 1),
    "take": Function(_take, 1, 1),
    "intersect": Function(_intersect, 1, 1),
    "exclude": Function(_exclude, 1, 1),
    "union": Function(lambda items, others: distinct([*items, *others]), 1, 1),
    "combine": Function(lambda items, others: [*items, *others], 1, 1),
    "children": Function(lambda items: [one for item in items for one in nodes.children(item)]),
    "descendants": Function(_descendants),
    "hasValue": Function(_has_value),
    "getValue": Function(_get_value),
    "extension": Function(_extension, 1, 1),
}
