"""Which criterion of a search should drive: the one that is likely to leave the fewest.

SQLite keeps no statistics here, so that the kind of a criterion decides. Decided from the shape
alone: the text is the same for all values. https://www.sqlite.org/optoverview.html
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from passerelle.fhir.search.search_parameters import by_id
from passerelle.store.search_sql.search_shape import (
    ChainShape,
    ClauseShape,
    CombinedShape,
    Shape,
    denies,
)
from passerelle.store.search_sql.search_values import OF_THE_ROW

_IDENTIFIERS = frozenset({"identifier", "group-identifier"})


class Candidate(NamedTuple):
    """How well a criterion would drive; the least first."""

    rank: int
    place: int


def is_one_key(clause: Shape) -> bool:
    """Tell whether a criterion is one whole key of its index, whose rows then come by pid."""
    if not isinstance(clause, ClauseShape) or clause.modifier or len(clause.params) > 1:
        return False
    if [group.size for group in clause.groups] != [1]:
        return False
    parameter = by_id(clause.params[0])
    if parameter.code in OF_THE_ROW:
        return False
    wholes: dict[str, Any] = {"token": (True, True), "reference": True, "uri": 0}
    return parameter.kind in wholes and clause.groups[0].shape == wholes[parameter.kind]


_RANKS = {
    "reference": 3,
    "composite": 4,
    "string": 4,
    "special": 5,
    "uri": 5,
    "token": 6,
    "date": 7,
    "number": 7,
    "quantity": 7,
}
_ONE_OF_FEW = 8
"""A status, a gender: one of a handful of codes; a day or a year leaves fewer."""

_OPEN = 9
"""Dates from or until a day."""

_WIDER = 4
_WIDE = frozenset(
    {
        "contains",
        "ends",
        "other",
        "unlike",
        "alike",
        "greater",
        "less",
        "at-least",
        "at-most",
        "in",
        "below",
        "above",
    }
)
"""Modifiers that look through many rows, or leave many."""


def _leaf_rank(clause: ClauseShape) -> int | None:
    parameter = by_id(clause.params[0])
    if parameter.code == "_id":
        return 0
    if denies(clause) or clause.missing is not None or parameter.code == "_lastUpdated":
        return None
    if parameter.code in _IDENTIFIERS and clause.modifier not in _WIDE:
        return 1
    wide = _WIDER if clause.modifier in _WIDE else 0
    if parameter.kind == "token" and parameter.system is not None:
        return _ONE_OF_FEW + wide
    if parameter.kind == "date" and any(group.shape != "eq" for group in clause.groups):
        return _OPEN + wide
    return _RANKS[parameter.kind] + wide


def rank(shape: Shape) -> int | None:
    """Give how little a criterion is likely to leave; None when it can only be probed."""
    if isinstance(shape, ClauseShape):
        return _leaf_rank(shape)
    if isinstance(shape, ChainShape):
        return None if rank(shape.inner) is None else 2
    if isinstance(shape, CombinedShape) and shape.operator != "not":
        ranks = [rank(part) for part in shape.parts]
        known = [found for found in ranks if found is not None]
        if shape.operator == "and":
            return min(known, default=None)
        return max(known) if len(known) == len(ranks) else None
    return None


def driver(clauses: Sequence[Shape]) -> int | None:
    """Give the place of the criterion that should drive; None when none can."""
    candidates = [
        Candidate(found, place)
        for place, clause in enumerate(clauses)
        if (found := rank(clause)) is not None
    ]
    return min(candidates).place if candidates else None
