"""The values of composite parameters: ``code$value``, each part read by its own kind.

https://hl7.org/fhir/R4/search.html#composite
"""

from passerelle.fhir.search import index_bounds
from passerelle.fhir.search.query_values import (
    READERS,
    BadValue,
    CompositeValue,
    ReferenceValue,
    TokenValue,
    Value,
    plain_token_value,
    reference_value,
    split,
)
from passerelle.fhir.search.search_parameters import Component, Parameter, by_id


def _link(text: str, base_url: str) -> TokenValue:
    """Read a reference as the one text that the rows of a composite hold; raises BadValue."""
    found: ReferenceValue = reference_value(text, base_url)
    if found.type is None:
        raise BadValue
    return TokenValue(None, index_bounds.key(f"{found.type}/{found.id}"))


def _part(component: Component, text: str, base_url: str) -> Value:
    if component.kind == "reference":
        return _link(text, base_url)
    system = by_id(component.param).system if component.kind == "token" else None
    return READERS[component.kind](text) if system is None else plain_token_value(text, system)


def composite_value(parameter: Parameter, text: str, base_url: str) -> CompositeValue:
    """Read ``part$part``; raises BadValue when one is missing or none of its kind."""
    parts = split(text, "$")
    if len(parts) != len(parameter.components):
        raise BadValue
    given = zip(parameter.components, parts, strict=True)
    return CompositeValue(
        tuple((component.kind, _part(component, part, base_url)) for component, part in given)
    )
