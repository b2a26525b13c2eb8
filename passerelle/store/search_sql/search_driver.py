"""Which criterion of a search should drive: the one that is likely to leave the fewest.

SQLite keeps no statistics here, so that the kind of a criterion decides. Decided from the shape
alone: the text is the same for all values. https://www.sqlite.org/optoverview.html
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from passerelle.fhir.search.search_parameters import by_id
from passerelle.store.search_sql.search_shape import (
    BY_RANK,
    NOTHING,
    ChainShape,
    ClauseShape,
    CombinedShape,
    QueryShape,
    Shape,
    denies,
)
from passerelle.store.search_sql.search_values import OF_THE_ROW

_IDENTIFIERS = frozenset({"identifier", "group-identifier"})


_OF_ONE = frozenset({"patient", "subject", "beneficiary", "encounter"})
"""References to whom care is given, or to one stay: what one of these has is bounded by nature."""


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
    if _names_one(clause):
        return 1
    wide = _WIDER if clause.modifier in _WIDE else 0
    if parameter.kind == "token" and parameter.system is not None:
        return _ONE_OF_FEW + wide
    if parameter.kind == "date" and any(group.shape != "eq" for group in clause.groups):
        return _OPEN + wide
    return _RANKS[parameter.kind] + wide


def _names_one(clause: ClauseShape) -> bool:
    """Tell whether a criterion asks for identifiers by their values."""
    if by_id(clause.params[0]).code not in _IDENTIFIERS or clause.modifier in _WIDE:
        return False
    return all(isinstance(group.shape, tuple) and group.shape[1] for group in clause.groups)


def is_narrow(shape: Shape) -> bool:
    """Tell whether a criterion leaves a handful, however large the record is."""
    if isinstance(shape, ChainShape):
        of_one = shape.reverse or by_id(shape.params[0]).code in _OF_ONE
        return of_one and is_narrow(shape.inner)
    if isinstance(shape, CombinedShape):
        if shape.operator == "not":
            return False
        hold = all if shape.operator == "or" else any
        return hold(is_narrow(part) for part in shape.parts)
    if not isinstance(shape, ClauseShape) or denies(shape) or shape.missing is not None:
        return False
    code = by_id(shape.params[0]).code
    if code == "_id" or _names_one(shape):
        return True
    return code in _OF_ONE and shape.modifier not in _WIDE


def can_drive(shape: Shape) -> bool:
    """Tell whether the pids of all that satisfy a criterion can be gone through by an index."""
    if isinstance(shape, ClauseShape) and by_id(shape.params[0]).code == "_lastUpdated":
        return True
    return rank(shape) is not None


_SPREAD = frozenset({"quantity", "composite", "special"})
"""Kinds whose matches lie here and there in their index, so that few are found by looking long."""


def is_countable(shape: Shape) -> bool:
    """Tell whether what a criterion leaves lies together in an index, to be counted."""
    if isinstance(shape, ChainShape):
        return is_countable(shape.inner)
    if isinstance(shape, CombinedShape):
        return all(map(is_countable, shape.parts))
    if not isinstance(shape, ClauseShape):
        return True
    spread = by_id(shape.params[0]).kind in _SPREAD
    return not spread and shape.modifier not in _WIDE and shape.modifier != "covers"


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


def driving(shape: QueryShape) -> int | None:
    """Give the place of the criterion that drives a statement; None when none does."""
    if shape.chosen == BY_RANK:
        return driver(shape.clauses)
    return None if shape.chosen == NOTHING else shape.chosen
