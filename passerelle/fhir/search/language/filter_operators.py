"""What each operator of `_filter` asks of each kind of parameter.

https://hl7.org/fhir/R4/search_filter.html#ops
"""

from string import ascii_letters

from passerelle.fhir.search.query_values import TokenValue, Value

_PREFIXED = ("eq", "ne", "gt", "lt", "ge", "le", "ap", "sa", "eb")

_TEXTS = {"co": "contains", "sw": "begins", "ew": "ends"}
_ORDER = {"gt": "greater", "lt": "less", "ge": "at-least", "le": "at-most"}

OPERATORS: dict[str, dict[str, str]] = {
    "string": {"eq": "same", "ne": "other", **_TEXTS, **_ORDER, "ap": "same"},
    "token": {
        **{"eq": "", "ne": "other", **_TEXTS, "ss": "below", "sb": "above"},
        **{"in": "in", "ni": "not-in", "ap": ""},
    },
    "reference": {"eq": "", "ne": "other", "re": ""},
    "uri": {"eq": "", "ne": "other", **_TEXTS, "ss": "below", "sb": "above", "re": ""},
    "date": {**dict.fromkeys(_PREFIXED, ""), "co": "covers", "po": "overlaps"},
    "number": dict.fromkeys(_PREFIXED, ""),
    "quantity": dict.fromkeys(_PREFIXED, ""),
}
"""By kind, by operator: the modifier that answers it. ``pr`` is known to all but `_id`.

``ss`` holds where the value subsumes what is kept, which is then below it; ``sb`` the other way.
"""

SOUNDS = frozenset({"eq", "ap"})
"""Operators of ``phonetic``, besides ``pr``."""

SPELLED = frozenset({"date", "number", "quantity"})
"""Kinds whose values carry the operator as their prefix."""

SYSTEMS = {
    "loinc": "http://loinc.org",
    "snomed": "http://snomed.info/sct",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ucum": "http://unitsofmeasure.org",
}
"""Codes that stand for a system."""

_ANY_CASE = {"": "alike", "other": "unlike"}


def full_system(kind: str, text: str) -> str:
    """Put the whole system for its code: ``loinc|1234-5``, ``5|ucum|mg``."""
    place = {"token": 0, "quantity": 1}.get(kind)
    parts = text.split("|")
    if place is not None and len(parts) > place + 1 and parts[place] in SYSTEMS:
        parts[place] = SYSTEMS[parts[place]]
    return "|".join(parts)


def any_case(modifier: str, value: Value) -> str:
    """Give the modifier for a value that is compared without case, as all are in a filter."""
    if isinstance(value, TokenValue) and not set(ascii_letters).isdisjoint(value.code or ""):
        return _ANY_CASE.get(modifier, modifier)
    return modifier
