"""All criteria of a search as SQL: the one that drives, and those that are asked of each row.

Which one drives is known from the shape, or was found by counting (``search_survey``).
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from sqlalchemy import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from passerelle.fhir.search.search_parameters import ANY, by_id
from passerelle.store.search_sql.search_clauses import (
    alternatives,
    drive,
    is_of_the_row,
    one_holds,
    probe,
)
from passerelle.store.search_sql.search_driver import is_one_key
from passerelle.store.search_sql.search_faces import face_of
from passerelle.store.search_sql.search_ranges import RangeWay, range_walk
from passerelle.store.search_sql.search_scope import Scope
from passerelle.store.search_sql.search_shape import ClauseShape, Shape


class Criteria(NamedTuple):
    """All criteria of a search in SQL, and what drives.

    ``nothing``: the rows of the type are gone through in the order of their pid. ``key``: one whole
    key of the index table ``joined``, to be read along; its pids come in order, and a page costs no
    more than its size. ``range``: one range of it, in its own order. ``list``: the pids of a
    criterion, gathered first. ``id``: ids. ``of_one_type``: ``joined`` holds rows of one type only.
    """

    written: tuple[ColumnElement[bool], ...]
    driven_by: Literal["nothing", "key", "range", "list", "id"] = "nothing"
    joined: FromClause | None = None
    of_one_type: bool = False


def criteria(
    scope: Scope,
    clauses: Sequence[Shape],
    resource: FromClause,
    chosen: int | None,
    along: RangeWay | None = None,
) -> Criteria:
    """Write all criteria of a search, in their order; the one at the place ``chosen`` drives.

    ``along`` is the way in which the range of what drives is gone along, if it is: that of a page
    must be one that :func:`search_ranges.goes_along` says of.
    """
    joined: FromClause | None = None
    written: list[ColumnElement[bool]] = []
    for place, clause in enumerate(clauses):
        if place != chosen:
            written.append(probe(scope, clause, resource))
        elif isinstance(clause, ClauseShape) and along is not None:
            walk = range_walk(scope, clause, goes_on=along == "on")
            joined = walk.table
            written.append(walk.condition & (scope.unindexed(joined.c.pid) == resource.c.pid))
        elif isinstance(clause, ClauseShape) and is_one_key(clause):
            joined = scope.index(face_of(by_id(clause.params[0])).table)
            meet = joined.c.pid == resource.c.pid
            written.append(one_holds(alternatives(scope, clause, joined)) & meet)
        else:
            written.append(drive(scope, clause, resource))
    if chosen is None:
        return Criteria(tuple(written))
    driving = clauses[chosen]
    if joined is not None:
        assert isinstance(driving, ClauseShape)
        one_type = by_id(driving.params[0]).type != ANY
        return Criteria(tuple(written), "key" if along is None else "range", joined, one_type)
    return Criteria(tuple(written), "id" if is_of_the_row(driving) else "list")
