"""Which criterion of a search should drive: the one that is likely to leave the fewest.

SQLite keeps no statistics here, so that the kind of a criterion decides. Decided from the shape
alone: the text is the same for all values. https://www.sqlite.org/optoverview.html
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from passerelle.fhir.search.search_parameters import by_id
from passerelle.store.search_sql.search_shape import ClauseShape
from passerelle.store.search_sql.search_values import OF_THE_ROW

_IDENTIFIERS = frozenset({"identifier", "group-identifier"})


class Candidate(NamedTuple):
    """How well a criterion would drive; the least first."""

    rank: int
    place: int


def is_one_key(clause: ClauseShape) -> bool:
    """Tell whether a criterion is one whole key of its index, whose rows then come by pid."""
    if clause.modifier or clause.chain or [group.size for group in clause.groups] != [1]:
        return False
    parameter = by_id(clause.param)
    if parameter.code in OF_THE_ROW:
        return False
    wholes: dict[str, Any] = {"token": (True, True), "reference": True, "uri": 0}
    return parameter.kind in wholes and clause.groups[0].shape == wholes[parameter.kind]


_RANKS = {"reference": 3, "string": 4, "uri": 5, "token": 6, "date": 7, "number": 7, "quantity": 7}


def rank(clause: ClauseShape) -> int | None:
    """Give how little a criterion is likely to leave; None when it can only be probed."""
    parameter = by_id(clause.param)
    if parameter.code == "_id":
        return 0
    if clause.chain:
        return 2
    if clause.modifier in ("not", "missing") or parameter.code == "_lastUpdated":
        return None
    if parameter.code in _IDENTIFIERS:
        return 1
    return _RANKS[parameter.kind] + (4 if clause.modifier == "contains" else 0)


def driver(clauses: Sequence[ClauseShape]) -> int | None:
    """Give the place of the criterion that should drive; None when none can."""
    candidates = [
        Candidate(found, place)
        for place, clause in enumerate(clauses)
        if (found := rank(clause)) is not None
    ]
    return min(candidates).place if candidates else None
