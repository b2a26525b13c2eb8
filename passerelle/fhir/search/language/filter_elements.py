"""The names that only `_filter` knows: a part of an element, chosen by another part of the same.

https://hl7.org/fhir/R4/search_filter.html#params . ``relatesTo[code eq replaces].target`` is what a
composite parameter holds; the names whose parameters R4 does not define any more are not here.
"""

from collections.abc import Mapping
from typing import NamedTuple

from passerelle.fhir.search.language.composites import composite_value
from passerelle.fhir.search.language.criterion import Clause, refuse
from passerelle.fhir.search.language.filter_operators import full_system
from passerelle.fhir.search.language.filter_syntax import Comparison, Segment
from passerelle.fhir.search.query_values import BadValue
from passerelle.fhir.search.search_parameters import parameters


class Element(NamedTuple):
    """The composite parameter of an element, and the place of each of its parts by name."""

    code: str
    parts: Mapping[str, int]


ELEMENTS: dict[tuple[str, str], Element] = {
    ("DocumentReference", "relatesTo"): Element("relationship", {"code": 0, "target": 1}),
    ("Group", "characteristic"): Element("characteristic-value", {"code": 0, "value": 1}),
}
"""By type and name."""

_EQUAL = frozenset({"eq", "re"})


def is_element(type: str, path: tuple[Segment, ...]) -> bool:
    """Tell whether a path starts at such a name; it then has a filter and one name after it."""
    return (type, path[0].name) in ELEMENTS and path[0].inner is not None


def element_clause(
    type: str, path: tuple[Segment, ...], tree: Comparison, name: str, text: str, base_url: str
) -> Clause:
    """Understand ``element[part eq value].part eq value``. Raises Refused for any other form."""
    element = ELEMENTS[type, path[0].name]
    inner = path[0].inner
    chosen = isinstance(inner, Comparison) and len(inner.path) == 1 and len(path) == 2
    if not chosen or not isinstance(inner, Comparison):
        raise refuse("search.filter-path", name)
    given = {inner.path[0].name: inner, path[1].name: tree}
    if given.keys() != element.parts.keys():
        raise refuse("search.filter-path", name)
    parameter = parameters(type)[element.code]
    if not {each.operator for each in given.values()} <= _EQUAL:
        raise refuse("search.filter-operator", name, kind=parameter.kind)
    parts = [""] * len(element.parts)
    for part, each in given.items():
        place = element.parts[part]
        value = full_system(parameter.components[place].kind, each.value)
        parts[place] = value.replace("$", "\\$")
    try:
        value_of = composite_value(parameter, "$".join(parts), base_url)
    except BadValue:
        raise refuse("search.value-invalid", name, kind=parameter.kind) from None
    return Clause(name, text, parameter, "", (value_of,))
