"""The criteria `_text` and `_content`: what they ask, and where they are asked at all.

https://hl7.org/fhir/R4/search.html#text . A comma is OR, as of every parameter.
"""

from collections.abc import Iterable

from passerelle.fhir.search.full_text_query import (
    BadText,
    Column,
    FullTextValue,
    Joined,
    TextTooLarge,
    parse_full_text,
)
from passerelle.fhir.search.language.criterion import Clause, Combined, Criterion, refuse
from passerelle.fhir.search.query_values import BadValue, split, unescape
from passerelle.fhir.search.search_parameters import Parameter

COLUMNS: dict[str, Column] = {"_text": "narrative", "_content": "content"}
"""By code: the text that is looked through."""

LENGTH_MAX = 2_000


def is_full_text(parameter: Parameter) -> bool:
    """Tell whether the full text answers a parameter."""
    return parameter.kind == "special" and parameter.code in COLUMNS


def full_text_clause(parameter: Parameter, modifier: str, name: str, text: str) -> Clause:
    """Understand ``_text=…``. Raises Refused."""
    if modifier:
        raise refuse("search.modifier-not-supported", name, kind=parameter.kind)
    if len(text) > LENGTH_MAX:
        raise refuse("search.value-too-long", name, limit=LENGTH_MAX)
    try:
        trees = tuple(dict.fromkeys(parse_full_text(unescape(part)) for part in split(text, ",")))
    except (BadText, BadValue):
        raise refuse("search.full-text-invalid", name) from None
    except TextTooLarge:
        raise refuse("search.full-text-too-large", name) from None
    tree = trees[0] if len(trees) == 1 else Joined("or", trees)
    return Clause(name, text, parameter, "", (FullTextValue(COLUMNS[parameter.code], tree),))


def asked_by_full_text(criteria: Iterable[Criterion]) -> str | None:
    """Give the name of the first criterion that the full text answers, however deep it stands."""
    waiting = list(criteria)
    while waiting:
        criterion = waiting.pop()
        if isinstance(criterion, Combined):
            waiting += criterion.parts
        elif isinstance(criterion, Clause):
            if is_full_text(criterion.parameter):
                return criterion.name
            waiting += [inner for _, inner in criterion.chain]
    return None
