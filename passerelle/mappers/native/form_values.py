"""A native value of an answer beside one of FHIR: what it holds, whether they are equal.

https://hl7.org/fhir/R4/questionnaire.html ; ``forms_answers`` has the table of values.
"""

from typing import Any

from passerelle.mappers.resources.forms_answers import kind_of


def same(value: Any, wanted: Any) -> bool:
    """Tell whether a native value is the one that a definition names: codes by system and code,
    quantities by value and unit, all else by what it is.
    """
    plain = bare(value)
    if isinstance(plain, dict):
        names = ("value", "system", "code") if "value" in plain else ("system", "code")
        return isinstance(wanted, dict) and all(
            plain.get(name) == wanted.get(name) for name in names
        )
    return type(plain) is type(wanted) and bool(plain == wanted)


def bare(value: Any) -> Any:
    """Give what an object that tells its kind holds; what has fields of its own stays."""
    if not isinstance(value, dict):
        return value
    kind = kind_of(value)
    return value if kind.fields else value[kind.member]
