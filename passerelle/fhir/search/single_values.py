"""Which parameters have one value of a resource at most, and how wide it may be.

What R4 says of the elements that an expression leads to tells it: `Patient.birthDate` is one date,
`Encounter.period` one interval, a name is many texts.
https://hl7.org/fhir/R4/conformance-rules.html#cardinality
"""

import re
from functools import cache

from passerelle.fhir.conformance.structure_table import Element, elements
from passerelle.fhir.search.search_parameters import ADDED_FROM, Parameter, by_id

_PATH = re.compile(r"[A-Z]\w*(?:\.[a-z]\w*)+")
"""An expression that only goes from element to element."""

_POINTS = frozenset({"date", "dateTime", "instant"})
"""Types whose interval is as wide as their precision, a year at most."""


def _last_of(parameter: Parameter) -> Element | None:
    """Give the element that a parameter's values are, where no element on the way repeats."""
    if not _PATH.fullmatch(parameter.expression):
        return None
    type, *names = parameter.expression.split(".")
    last: Element | None = None
    for name in names:
        if last is not None:
            if len(last.kinds) != 1:
                return None
            type = last.kinds[0].name
        try:
            last = next((each for each in elements(type) if each.name == name), None)
        except KeyError:
            return None
        if last is None or last.many:
            return None
    return last


@cache
def is_single_date(param: int) -> bool:
    """Tell whether a parameter of dates has one interval of a resource at most."""
    if param >= ADDED_FROM:
        return False
    parameter = by_id(param)
    return parameter.kind == "date" and _last_of(parameter) is not None


@cache
def is_point(param: int) -> bool:
    """Tell whether that interval is a date, an instant or the like, a year wide at most."""
    if not is_single_date(param):
        return False
    last = _last_of(by_id(param))
    return last is not None and all(kind.name in _POINTS for kind in last.kinds)
