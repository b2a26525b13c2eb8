"""The texts of searches, composed and compiled once per shape, and kept.

https://docs.sqlalchemy.org/en/21/core/compiler.html
"""

from collections.abc import Callable
from threading import Lock
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Select
from sqlalchemy.sql.elements import ClauseElement

from passerelle.store.caller import Caller
from passerelle.store.rows import Rows
from passerelle.store.search_sql.search_page import count_statement, ids_statement, page_statement
from passerelle.store.search_sql.search_scope import Scope
from passerelle.store.search_sql.search_shape import Purpose, QueryShape
from passerelle.store.search_sql.search_survey import survey_statement
from passerelle.store.search_sql.search_walks import beyond_statement
from passerelle.store.sql.compiling import DialectName, compiled

PLANS_MAX = 1000
"""Texts kept; past it the oldest goes."""

PlanKey: TypeAlias = tuple[Any, DialectName, str]
"""The shape, the dialect, and the policy of what the caller may read."""


class Plan(NamedTuple):
    """A text, and for each of its arguments its place among those of the search.

    A place that is a string names one of ``fixed``, which the text brings along.
    """

    sql: str
    places: tuple[int | str, ...]
    fixed: dict[str, Any]

    def args(self, arguments: list[Any]) -> tuple[Any, ...]:
        """Give the arguments in the order of the text."""
        return tuple(
            [
                self.fixed[place] if isinstance(place, str) else arguments[place]
                for place in self.places
            ]
        )


class Statement(NamedTuple):
    """A text of the dialect and its arguments."""

    sql: str
    args: tuple[Any, ...]


_PURPOSES: dict[Purpose, Callable[[Scope, QueryShape], Select[Any]]] = {
    "page": page_statement,
    "ids": ids_statement,
    "count": count_statement,
    "survey": survey_statement,
    "beyond": beyond_statement,
}

_PLANS: dict[PlanKey, Plan] = {}
_KEEPING = Lock()
"""Searches are composed in the event loop and in the thread that writes."""


def to_plan(statement: ClauseElement, dialect: DialectName) -> Plan:
    """Compile a statement whose arguments are named ``a0``, ``a1`` …; raises ReadAroundRows."""
    text = compiled(statement, dialect)
    places = tuple(
        int(name[1:]) if name[0] == "a" and name[1:].isdigit() else name for name in text.order
    )
    return Plan(text.sql, places, dict(text.fixed))


def kept(key: PlanKey) -> Plan | None:
    """Give the plan kept under a key."""
    return _PLANS.get(key)


def keep(key: PlanKey, plan: Plan) -> Plan:
    """Keep a plan, and let the oldest go when there are too many."""
    with _KEEPING:
        if len(_PLANS) >= PLANS_MAX:
            _PLANS.pop(next(iter(_PLANS)))
        _PLANS[key] = plan
    return plan


def plan_of(shape: QueryShape, caller: Caller, dialect: DialectName) -> Plan:
    """Give the compiled text of a shape of search, for what that caller may read."""
    key = (shape, dialect, caller.kind)
    plan = kept(key)
    if plan is None:
        scope = Scope(Rows(caller), dialect)
        plan = keep(key, to_plan(_PURPOSES[shape.purpose](scope, shape), dialect))
    return plan


def made(
    shape: QueryShape, arguments: list[Any], caller: Caller, dialect: DialectName
) -> Statement:
    """Give the statement of a shape with its arguments."""
    plan = plan_of(shape, caller, dialect)
    return Statement(plan.sql, plan.args(arguments))
