"""Whether a question is to be answered at all, given the answers to others.

https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from passerelle.fhir.resource import Resource
from passerelle.mappers.native.form_values import bare, same

Given: TypeAlias = Mapping[str, Sequence[Any]]
"""linkId to all native values that were given to it."""

VALUES_MAX = 100
"""Answers to one question that a condition looks at."""

_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def is_enabled(item: Resource, given: Given) -> bool:
    """Tell whether an item is enabled: by all of its conditions, or any, as it says."""
    conditions = item.get("enableWhen", ())
    if not conditions:
        return True
    met = (_is_met(condition, given) for condition in conditions)
    return all(met) if item.get("enableBehavior") == "all" else any(met)


def _is_met(condition: Mapping[str, Any], given: Given) -> bool:
    values = given.get(str(condition.get("question")), ())[:VALUES_MAX]
    how = condition.get("operator")
    wanted = next((v for name, v in condition.items() if name.startswith("answer")), None)
    if how == "exists":
        return bool(values) is (wanted is True)
    if how in ("=", "!="):
        is_among = any(same(value, wanted) for value in values)
        return is_among if how == "=" else not is_among
    order = _ORDERS.get(str(how))
    return order is not None and any(_compares(order, value, wanted) for value in values)


def _compares(order: Callable[[Any, Any], bool], value: Any, wanted: Any) -> bool:
    """Compare numbers with numbers, texts and dates with their like, quantities of one unit."""
    one, other = bare(value), wanted
    if isinstance(one, dict) and isinstance(other, dict):
        if any(one.get(name) != other.get(name) for name in ("system", "code")):
            return False
        one, other = one.get("value"), other.get("value")
    numbers = all(isinstance(v, int | Decimal) and not isinstance(v, bool) for v in (one, other))
    texts = isinstance(one, str) and isinstance(other, str)
    return (numbers or texts) and order(one, other)
