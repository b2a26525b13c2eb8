"""The index rows by which a resource is found as one that refers to another, from any element.

https://hl7.org/fhir/R4/references.html#literal . Search parameters follow some references only;
whether anything refers to a resource that is to be deleted must be known of all of them.
"""

from collections.abc import Iterable
from typing import Any

from passerelle.fhir.references import target
from passerelle.fhir.resource import Resource
from passerelle.fhir.search.index_rows import Link

ANY_REFERENCE = 0
"""The parameter of these rows; those of R4 and of packages are numbered from 1."""


def may_refer(parts: Iterable[bytes]) -> bool:
    """Tell from the bytes of a body whether :func:`links` need look at it; many need not."""
    return any(b'"reference"' in part for part in parts)


def links(resource: Resource) -> tuple[Link, ...]:
    """Give a row for each thing that a resource refers to, without repeats.

    A Bundle is a document: its references lead to its own entries first, and are not looked at.
    """
    texts: dict[str, None] = {}
    _gather(resource, texts)
    found = [target(text) for text in texts]
    rows = [Link(ANY_REFERENCE, one.type, one.id) for one in found if one is not None]
    return tuple(dict.fromkeys(rows))


def _gather(node: Any, texts: dict[str, None]) -> None:
    """Add the texts of the references in a node."""
    if type(node) is list:
        for item in node:
            if type(item) is dict:
                _gather(item, texts)
    elif node.get("resourceType") != "Bundle":
        for name, value in node.items():
            if type(value) is dict or type(value) is list:
                _gather(value, texts)
            elif name == "reference" and type(value) is str:
                texts[value] = None
