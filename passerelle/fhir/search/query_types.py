"""The types that a search of the whole system names: `_type`.

https://hl7.org/fhir/R4/search.html#_type
"""

from collections.abc import Sequence

from passerelle.errors.refusals import Invalid
from passerelle.errors.rules import issue
from passerelle.fhir.conformance.structure_table import resource_types

TYPE = "_type"


def named_types(
    pairs: Sequence[tuple[str, str]],
) -> tuple[tuple[str, ...], list[tuple[str, str]]]:
    """Take `_type` out of the parameters of a search: the types it names, and the others.

    Raises Invalid when it names what is no type, or comes twice.
    """
    given = [text for name, text in pairs if name == TYPE]
    rest = [pair for pair in pairs if pair[0] != TYPE]
    if not given:
        return (), rest
    if len(given) > 1:
        raise Invalid(issue("search.repeated", TYPE, name=TYPE))
    named = tuple(dict.fromkeys(given[0].split(",")))
    if not set(named) <= set(resource_types()):
        raise Invalid(issue("search.type-unknown", TYPE, name=TYPE))
    return named, rest
