"""The modifiers of each kind of parameter, and how a modified value is read.

https://hl7.org/fhir/R4/search.html#modifiers
"""

from collections.abc import Callable, Collection

from passerelle.fhir.references import is_id
from passerelle.fhir.search import index_bounds
from passerelle.fhir.search.language.composites import composite_value
from passerelle.fhir.search.language.criterion import refuse
from passerelle.fhir.search.language.hierarchies import TRANSITIVE, in_hierarchy, transitive
from passerelle.fhir.search.language.near import near_value
from passerelle.fhir.search.language.reading import Reading
from passerelle.fhir.search.language.terminology import EXPANSION_MAX, Code
from passerelle.fhir.search.query_values import (
    READERS,
    BadValue,
    CodesValue,
    ReferenceValue,
    TokenValue,
    UriValue,
    Value,
    missing_value,
    plain_token_value,
    reference_value,
    split,
    string_value,
    token_value,
    unescape,
    uri_value,
)
from passerelle.fhir.search.search_parameters import ANY, PHONETIC, Parameter

MODIFIERS: dict[str, frozenset[str]] = {
    "token": frozenset({"", "not", "missing", "text", "in", "not-in", "above", "below", "of-type"}),
    "string": frozenset({"", "exact", "contains", "missing"}),
    "reference": frozenset({"", "missing", "identifier"}),
    "date": frozenset({"", "missing"}),
    "number": frozenset({"", "missing"}),
    "quantity": frozenset({"", "missing"}),
    "uri": frozenset({"", "missing", "above", "below"}),
    "composite": frozenset({"", "missing"}),
    "special": frozenset({"", "missing"}),
}
"""By kind of parameter; a reference takes the name of a type besides."""

OF_THE_ROW = frozenset({"_id", "_lastUpdated"})
"""Never missing, so that they take no modifier."""

OF_IDENTIFIERS = frozenset({"identifier", "group-identifier"})
"""Codes of the parameters on Identifiers, which alone have a type (`:of-type`)."""

NEGATIVE = frozenset({"not", "not-in"})
"""They hold of a resource that has no such value."""

TERMINOLOGICAL = frozenset({"in", "not-in", "above", "below"})

_PARTS_OF_CODES = frozenset({"contains", "begins", "ends"})
"""What `_filter` looks for within a code."""

_SEGMENTS_MAX = 50


def allowed(parameter: Parameter) -> frozenset[str]:
    """Give the modifiers that a parameter takes, the names of types left aside."""
    if parameter.code in OF_THE_ROW:
        return frozenset({""})
    if parameter.code == PHONETIC:
        return frozenset({"", "missing"})
    kind: str = parameter.kind
    if kind == "special" and parameter.code != "near":
        return frozenset()
    if kind == "reference":
        return MODIFIERS[kind] | transitive(parameter.targets)
    return MODIFIERS[kind]


def _logical_id(text: str) -> Value:
    """Read the value of `_id`; raises BadValue."""
    if not is_id(text):
        raise BadValue
    return TokenValue(None, text)


def _typed(value: ReferenceValue, modifier: str, parameter: Parameter) -> ReferenceValue:
    """Put the type that a modifier or the only target names on a bare id; raises BadValue."""
    if value.type is None:
        only = parameter.targets[0] if len(parameter.targets) == 1 else ANY
        type = modifier or (only if only != ANY else None)
        return value._replace(type=type)
    if modifier and value.type not in ("", modifier):
        raise BadValue
    return value


def of_type_value(text: str) -> TokenValue:
    """Read ``system|code|value`` of `:of-type`, of which none may be left out; raises BadValue."""
    parts = split(text, "|", 2)
    if len(parts) != 3 or not all(parts):
        raise BadValue
    system, code, value = map(unescape, parts)
    return TokenValue(index_bounds.key(system), index_bounds.key(f"{code}|{value}"))


def _bare_code(text: str) -> TokenValue:
    """Read a code, or a part of one, that stands without a system; raises BadValue."""
    value = token_value(text)
    if value.system is not None:
        raise BadValue
    return value


def _segments(value: UriValue) -> tuple[UriValue, ...]:
    """Give a uri and those above it, one segment of its path after another."""
    found = [value]
    rest = value.value.rstrip("/")
    while len(found) < _SEGMENTS_MAX:
        rest, _, last = rest.rpartition("/")
        if not last or rest.endswith((":", "/")) or not rest:
            return tuple(found)
        found += [UriValue(rest), UriValue(rest + "/")]
    raise BadValue


def uris_above(text: str) -> tuple[UriValue, ...]:
    """Read a uri and give all that may stand above it; raises BadValue."""
    return _segments(uri_value(text))


def _codes(parameter: Parameter, found: Collection[Code], name: str) -> CodesValue:
    """Bound codes and put the systems as the index rows of a parameter have them."""
    if len(found) > EXPANSION_MAX:
        raise refuse("search.expansion-too-large", name, limit=EXPANSION_MAX)
    plain = parameter.system
    codes = {
        (
            "" if plain is not None and system in ("", plain) else index_bounds.key(system),
            index_bounds.key(code),
        )
        for system, code in found
    }
    return CodesValue(tuple(sorted(codes)))


def codes_value(
    parameter: Parameter, modifier: str, text: str, name: str, reading: Reading
) -> CodesValue:
    """Read a value set (`:in`, `:not-in`) or a code with those above or below it.

    Raises BadValue, and Refused when no terminology can answer.
    """
    if reading.terminology is None:
        raise refuse("search.no-terminology", name)
    if modifier in ("in", "not-in"):
        found = reading.terminology.expansion(unescape(text))
        if found is None:
            raise refuse("search.value-set-unknown", name)
        return _codes(parameter, found, name)
    value = token_value(text)
    system = parameter.system if value.system is None else value.system
    if value.code is None or not system:
        raise BadValue
    seek = reading.terminology.above if modifier == "above" else reading.terminology.below
    found = seek(system, value.code)
    if found is None:
        raise refuse("search.code-unknown", name)
    return _codes(parameter, found, name)


def reader(
    parameter: Parameter, modifier: str, name: str, reading: Reading
) -> Callable[[str], Value]:
    """Give the function that reads one value; it raises BadValue or Refused."""
    kind: str = parameter.kind
    if modifier == "missing":
        return missing_value
    if parameter.code == "_id":
        return _logical_id
    if kind == "token":
        if modifier in TERMINOLOGICAL:
            return lambda text: codes_value(parameter, modifier, text, name, reading)
        if modifier == "text":
            return string_value
        if modifier == "of-type":
            return of_type_value
        if modifier in _PARTS_OF_CODES:
            return _bare_code
        if parameter.system is not None:
            system = parameter.system
            return lambda text: plain_token_value(text, system)
        return token_value
    if kind == "reference":
        if modifier == "identifier":
            return token_value
        base_url = reading.base_url
        type = modifier if modifier[:1].isupper() else ""

        def reference(text: str) -> Value:
            value = _typed(reference_value(text, base_url), type, parameter)
            if modifier not in TRANSITIVE:
                return value
            return in_hierarchy(value, modifier, parameter, name)

        return reference
    if kind == "composite":
        return lambda text: composite_value(parameter, text, reading.base_url)
    return near_value if kind == "special" else READERS[kind]
