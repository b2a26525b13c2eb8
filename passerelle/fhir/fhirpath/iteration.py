"""The functions of FHIRPath that evaluate an expression for each item of a collection.

http://hl7.org/fhirpath/N1/#filtering-and-projection , http://hl7.org/fhirpath/N1/#existence .
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from passerelle.fhir.fhirpath.collection_functions import Function
from passerelle.fhir.fhirpath.nodes import Items
from passerelle.fhir.fhirpath.operators import CannotEvaluate, key, truth

if TYPE_CHECKING:
    from passerelle.fhir.fhirpath.evaluation import Run, Scope

ROUNDS_MAX = 10_000
"""How many items ``repeat`` may go through."""


def _each(scope: "Scope", items: Items) -> Iterator[tuple[Any, "Scope"]]:
    """Give each item, and the scope in which it is ``$this``."""
    kind = type(scope)
    for index, item in enumerate(items):
        yield item, kind([item], scope.variables, index, scope.total)


def _where(scope: "Scope", items: Items, criteria: "Run") -> Items:
    return [item for item, inner in _each(scope, items) if truth(criteria(inner))]


def _select(scope: "Scope", items: Items, projection: "Run") -> Items:
    return [found for _, inner in _each(scope, items) for found in projection(inner)]


def _exists(scope: "Scope", items: Items, criteria: "Run | None" = None) -> Items:
    if criteria is None:
        return [bool(items)]
    return [any(truth(criteria(inner)) for _, inner in _each(scope, items))]


def _all(scope: "Scope", items: Items, criteria: "Run") -> Items:
    return [all(truth(criteria(inner)) for _, inner in _each(scope, items))]


def _repeat(scope: "Scope", items: Items, projection: "Run") -> Items:
    found: dict[Any, Any] = {}
    waiting = _select(scope, items, projection)
    while waiting:
        new = {key(item): item for item in waiting}
        fresh = [item for name, item in new.items() if name not in found]
        found.update((key(item), item) for item in fresh)
        if len(found) > ROUNDS_MAX:
            raise CannotEvaluate("too many items")
        waiting = _select(scope, fresh, projection)
    return list(found.values())


def _iif(
    scope: "Scope", items: Items, criteria: "Run", then: "Run", other: "Run | None" = None
) -> Items:
    if len(items) > 1:
        raise CannotEvaluate("one value is wanted")
    inner = type(scope)(items, scope.variables, scope.place, scope.total)
    if truth(criteria(inner)):
        return then(inner)
    return [] if other is None else other(inner)


def _aggregate(scope: "Scope", items: Items, act: "Run", start: "Run | None" = None) -> Items:
    total: Items = [] if start is None else start(scope)
    for index, item in enumerate(items):
        total = act(type(scope)([item], scope.variables, index, total))
    return total


def _trace(scope: "Scope", items: Items, *_: "Run") -> Items:
    """Give the items as they are: nothing of a resource goes into a log."""
    return items


_ACTS: dict[str, tuple[Callable[..., Items], int, int]] = {
    "where": (_where, 1, 1),
    "select": (_select, 1, 1),
    "exists": (_exists, 0, 1),
    "all": (_all, 1, 1),
    "repeat": (_repeat, 1, 1),
    "iif": (_iif, 2, 3),
    "aggregate": (_aggregate, 1, 2),
    "trace": (_trace, 1, 2),
}

ITERATIONS: dict[str, Function] = {name: Function(*told) for name, told in _ACTS.items()}
