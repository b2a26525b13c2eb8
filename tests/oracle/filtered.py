"""What the operators of `_filter` say of a resource: a plain reading of the standard.

https://hl7.org/fhir/R4/search_filter.html#ops
"""

from typing import Any

from passerelle.fhir.search.search_parameters import Parameter
from tests.oracle.escapes import apart
from tests.oracle.intervals import compares, moment, span
from tests.oracle.naive import Resource, World
from tests.oracle.said import (
    Code,
    codes,
    folded,
    is_code,
    is_reference,
    is_uri,
    literal_of,
    strings,
)

PREFIXED = ("eq", "ne", "gt", "lt", "ge", "le", "ap", "sa", "eb")

OPERATORS: dict[str, tuple[str, ...]] = {
    "string": ("eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le", "ap", "pr"),
    "token": ("eq", "ne", "co", "sw", "ew", "ss", "sb", "in", "ni", "pr"),
    "reference": ("eq", "ne", "re", "pr"),
    "uri": ("eq", "ne", "co", "sw", "ew", "ss", "sb", "re", "pr"),
    "date": (*PREFIXED, "co", "po", "pr"),
    "number": (*PREFIXED, "pr"),
    "quantity": (*PREFIXED, "pr"),
}
"""By kind of parameter."""

# "The value subsumes a concept in the set": the concept lies below the value.
_SUBSUMED = {"ss": "below", "sb": "above", "in": "in", "ni": "not-in"}


def compared(
    world: World, resource: Resource, parameter: Parameter, operator: str, text: str
) -> bool:
    """Tell whether ``parameter operator text`` holds of a resource."""
    kind, code = str(parameter.kind), parameter.code
    if operator == "pr":
        return world.holds(resource, f"{code}:missing", "false" if text == "true" else "true")
    if operator in _SUBSUMED:
        return world.holds(resource, f"{code}:{_SUBSUMED[operator]}", text)
    nodes = world.nodes.of(parameter, resource)
    if kind in ("date", "number", "quantity") and operator not in ("co", "po"):
        return any(world.said(node, parameter, "", operator + text) for node in nodes)
    return any(_says(node, parameter, operator, text) for node in nodes)


def _says(node: Any, parameter: Parameter, operator: str, text: str) -> bool:
    kind = str(parameter.kind)
    if kind == "date":
        known = span(node)
        if operator == "co":
            return known is not None and compares("co", known, moment(text))
        return known is not None and compares("po", known, moment(text))
    if kind == "string":
        return any(_text(folded(own), operator, folded(text)) for own in strings(node))
    if kind == "token":
        found = list(codes(node, parameter.system))
        if operator in ("eq", "ne"):
            wanted = operator == "eq"
            return any(_is_code(text, each, parameter.system) == wanted for each in found)
        return any(_text(_small(each.code), operator, _small(text)) for each in found)
    if kind == "reference":
        return _leads(node, operator, text)
    if operator in ("eq", "re"):
        return is_uri(text, node, "")
    if operator == "ne":
        return _unequal(str(node), text)
    return any(_text(own, operator, text) for own in (node, node.split("|")[0]))


def _is_code(text: str, own: Code, implied: str | None) -> bool:
    """Compare a code without case, and its system with case."""
    system, *rest = apart(text, "|")
    small = f"{system}|{_small('|'.join(rest))}" if rest else _small(system)
    return is_code(small, own._replace(code=_small(own.code)), implied)


def _small(text: str) -> str:
    """Fold the letters that ASCII has."""
    return "".join(each.lower() if each.isascii() else each for each in text)


def _leads(node: Any, operator: str, text: str) -> bool:
    """Tell whether a reference is, or is not, the one that is asked for."""
    literal = literal_of(node)
    if literal is None:
        return False
    if operator != "ne":
        return is_reference(text, node, "")
    if isinstance(node, str):
        return _unequal(literal, text)
    return not is_reference(text, node, "")


def _unequal(own: str, text: str) -> bool:
    """Tell whether a canonical is another; one without a version may be any version of it."""
    return text not in (own, own.split("|")[0]) and own != text.split("|")[0]


def _text(own: str, operator: str, text: str) -> bool:
    if not own:
        return False
    told: dict[str, bool] = {
        **{"eq": own == text, "ap": own == text, "ne": own != text},
        **{"co": text in own, "sw": own.startswith(text), "ew": own.endswith(text)},
        **{"gt": own > text, "lt": own < text, "ge": own >= text, "le": own <= text},
    }
    return told[operator]
