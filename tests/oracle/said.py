"""What a node says to each kind of parameter that is equal or not: a plain reading of the standard.

https://hl7.org/fhir/R4/search.html#ptypes . Nothing here is the product's own: each function reads
the node and the text that is asked for, one pair at a time.
"""

import re
import unicodedata
from collections.abc import Iterator
from math import acos, cos, radians, sin
from typing import Any, NamedTuple

from tests.oracle.escapes import apart, bare

_EARTH = 6371.0088
_NEAR = 10.0
"""Kilometres, where no distance is asked for."""


# Strings: https://hl7.org/fhir/R4/search.html#string


_LIGATURES = {"œ": "oe", "æ": "ae", "ß": "ss"}


def folded(text: str) -> str:
    """Fold case, accents, punctuation and blanks."""
    text = text.lower()
    for letter, letters in _LIGATURES.items():
        text = text.replace(letter, letters)
    bases = (c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
    return " ".join("".join(" " if _parts(c) else c for c in bases).split())


def _parts(char: str) -> bool:
    """Tell whether a character is punctuation or a blank; that of addresses of mail counts."""
    return char != "@" and unicodedata.category(char)[0] in "PZC"


_PARTS = (
    *("family", "given", "prefix", "suffix", "text"),
    *("line", "city", "district", "state", "postalCode", "country"),
)


def strings(node: Any) -> Iterator[str]:
    """Give the strings of a node: itself, or the parts of a name or an address."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for part in _PARTS:
            held = node.get(part, [])
            yield from [held] if isinstance(held, str) else held


# Tokens: https://hl7.org/fhir/R4/search.html#token


class Code(NamedTuple):
    """A code with its system: None when it has none."""

    system: str | None
    code: str


def codes(node: Any, implied: str | None) -> Iterator[Code]:
    """Give the codes of a node; a plain code has the implied system, or none."""
    if isinstance(node, bool):
        yield Code(implied, "true" if node else "false")
    elif isinstance(node, str | int):
        yield Code(implied, str(node))
    elif isinstance(node, dict):
        for coding in node.get("coding", [node]):
            code = coding.get("code") or coding.get("value")
            # A Quantity has a code too, but it is no token.
            if isinstance(code, str) and isinstance(coding.get("value", ""), str):
                yield Code(coding.get("system"), code)


def is_code(text: str, found: Code, implied: str | None) -> bool:
    """Tell whether a code is the one of ``code``, ``system|code``, ``|code`` or ``system|``."""
    parts = [bare(part) for part in apart(text, "|")]
    if len(parts) == 1:
        return found.code == parts[0]
    # What follows the first mark is the code, other marks included.
    system, code = parts[0], "|".join(parts[1:])
    if not code:
        return found.system == system
    # A plain code has a system only by implication: without one it is found as well.
    known = (found.system or "", "" if found.system == implied else found.system or "")
    return found.code == code and system in known


def texts_beside(node: Any) -> Iterator[str]:
    """Give what is written beside a code (``:text``)."""
    if not isinstance(node, dict):
        return
    for coding in node.get("coding", [node]):
        if "display" in coding:
            yield coding["display"]
    if "text" in node:
        yield node["text"]
    if isinstance(node.get("type"), dict) and "text" in node["type"]:
        yield node["type"]["text"]


def is_of_type(text: str, node: Any) -> bool:
    """Tell whether an Identifier has the type and the value of ``system|code|value``."""
    system, code, value = map(bare, apart(text, "|"))
    if not isinstance(node, dict) or node.get("value") != value:
        return False
    codings = node.get("type", {}).get("coding", [])
    return any(c.get("system") == system and c.get("code") == code for c in codings)


# References: https://hl7.org/fhir/R4/search.html#reference


def literal_of(node: Any) -> str | None:
    """Give what a Reference or a canonical leads to, without the version of a resource."""
    text = node.get("reference") if isinstance(node, dict) else node
    return re.sub(r"/_history/.*", "", text) if isinstance(text, str) else None


def is_reference(text: str, node: Any, type: str) -> bool:
    """Tell whether a reference is ``Type/id``, ``id`` or an address; ``type`` by the modifier."""
    literal = literal_of(node)
    if literal is None:
        return False
    if ":" in text:
        # A canonical is found with and without its version.
        return literal == text or (isinstance(node, str) and literal.split("|")[0] == text)
    if ":" in literal:
        return False
    wanted = text if "/" in text else None
    own_type, _, own_id = literal.partition("/")
    if type and own_type != type:
        return False
    return literal == wanted if wanted else own_id == text


# Addresses and places


def is_uri(text: str, node: Any, modifier: str) -> bool:
    """Tell whether a uri is, lies below, or stands above the one that is asked for."""
    if not isinstance(node, str):
        return False
    own = (node, node.split("|")[0])
    if modifier == "below":
        stem = text.rstrip("/")
        return text in own or any(each.startswith(stem + "/") for each in own)
    if modifier == "above":
        return text in own or any(text.startswith(each.rstrip("/") + "/") for each in own)
    return text in own


_KILOMETRES = {"": 1.0, "km": 1.0, "m": 0.001, "[mi_i]": 1.609344}


def is_near(text: str, node: Any) -> bool:
    """Tell whether a place is as near as ``latitude|longitude|distance|units`` asks."""
    north, east, distance, unit = (*text.split("|"), "", "")[:4]
    reach = float(distance) * _KILOMETRES[unit] if distance else _NEAR
    first, second = radians(float(north)), radians(float(node["latitude"]))
    turn = radians(float(east) - float(node["longitude"]))
    cosine = sin(first) * sin(second) + cos(first) * cos(second) * cos(turn)
    return _EARTH * acos(max(-1.0, min(1.0, cosine))) <= reach + 1e-6
