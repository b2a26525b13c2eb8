"""Links between the entries of a bundle: where they stand, and how they are replaced.

https://hl7.org/fhir/R4/http.html#trules : references, elements of type uri, url, oid and uuid, and
``href`` and ``src`` of the narrative are replaced; canonical ones are not. What names a thing
instead of leading to it is no link: an identifier's system and value, the ``url`` of an extension
or of a resource itself, ``meta.source``.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from passerelle.fhir.conformance.structure_table import elements, type_names
from passerelle.fhir.resource import Resource

URN = ("urn:uuid:", "urn:oid:")
CONDITIONAL = re.compile(r"[A-Z][A-Za-z]{0,63}\?.+", re.DOTALL)
DIV_LINK = re.compile(r"""\b(href|src)=(["'])(.*?)\2""")

NAMING = frozenset({"system", "source", "value", "implicitRules", "namespace"})
"""Elements of those types that name and do not lead. ``value`` is that of an Identifier: documents
carry there, as their own identifier, the very uuid of their fullUrl."""

EXTENSIONS = frozenset({"extension", "modifierExtension"})
_LINKING = frozenset({"uri", "url", "oid", "uuid"})


@cache
def link_names() -> frozenset[str]:
    """Give the JSON names of elements whose text may be a link to another entry."""
    found = {"reference"}
    for type_ in type_names():
        for element in elements(type_):
            for name, kind in zip(element.json_names(), element.kinds, strict=True):
                if kind.name in _LINKING:
                    found.add(name)
    return frozenset(found) - NAMING


def links(node: Any, path: str, within: str = "") -> list[tuple[str, str, str]]:
    """Give (element name, text, FHIRPath) of all texts that may be links, in document order.

    A Bundle is a document: what is inside leads to its own entries, and is left alone.
    """
    found: list[tuple[str, str, str]] = []
    if isinstance(node, dict):
        if node.get("resourceType") == "Bundle":
            return found
        names = link_names()
        for name, value in node.items():
            if isinstance(value, str):
                if name in names and not _is_own_name(node, name, within):
                    found.append((name, value, f"{path}.{name}"))
            elif isinstance(value, dict | list):
                found += links(value, f"{path}.{name}", name)
    elif isinstance(node, list):
        for index, item in enumerate(node):
            if isinstance(item, dict | list):
                found += links(item, f"{path}[{index}]", within)
    return found


def _is_own_name(node: dict[str, Any], name: str, within: str) -> bool:
    """Tell whether a ``url`` is what a resource or an extension is called."""
    return name == "url" and ("resourceType" in node or within in EXTENSIONS)


def said_references(resource: Any) -> list[str]:
    """Give the texts of all that is called ``reference`` in a resource, in no order.

    Quick: where none of them matters, there is no need to know where they stand.
    """
    found, waiting = [], [resource]
    while waiting:
        node = waiting.pop()
        if type(node) is dict:
            text = node.get("reference")
            if type(text) is str:
                found.append(text)
            waiting += [each for each in node.values() if type(each) is dict or type(each) is list]
        else:
            waiting += [each for each in node if type(each) is dict or type(each) is list]
    return found


def conditional_references(resource: Resource, place: str) -> list[tuple[str, str]]:
    """Give (text, FHIRPath) of the references of the form ``Patient?identifier=…``, in order.

    ``place`` is the FHIRPath of the resource; that of a reference stops at the Reference.
    """
    if not any("?" in text for text in said_references(resource)):
        return []
    return [
        (text, path.removesuffix(".reference"))
        for name, text, path in links(resource, place)
        if name == "reference" and CONDITIONAL.match(text)
    ]


def rewrite(resource: Any, resolve: Callable[[str], str | None]) -> Any:
    """Give the resource with every link that ``resolve`` knows replaced, everywhere in it.

    In contained resources and extensions too; the resource handed in is not changed, and is given
    back itself when there is nothing to replace.
    """
    return _rewritten(resource, resolve, "")


def _rewritten(node: Any, resolve: Callable[[str], str | None], within: str) -> Any:
    if type(node) is list:
        return _rewritten_items(node, resolve, within)
    if type(node) is not dict or node.get("resourceType") == "Bundle":
        return node
    names = link_names()
    changed: dict[str, Any] | None = None
    for name, value in node.items():
        made: Any = value
        kind = type(value)
        if kind is str:
            if name in names and not _is_own_name(node, name, within):
                made = resolve(value) or value
            elif name == "div":
                made = _rewritten_div(value, resolve)
        elif kind is dict or kind is list:
            made = _rewritten(value, resolve, name)
        if made is not value:
            changed = changed or dict(node)
            changed[name] = made
    return node if changed is None else changed


def _rewritten_items(
    items: list[Any], resolve: Callable[[str], str | None], within: str
) -> list[Any]:
    changed: list[Any] | None = None
    for position, item in enumerate(items):
        if type(item) is dict or type(item) is list:
            made = _rewritten(item, resolve, within)
            if made is not item:
                changed = changed or list(items)
                changed[position] = made
    return items if changed is None else changed


def _rewritten_div(div: str, resolve: Callable[[str], str | None]) -> str:
    """Replace the targets of ``href`` and ``src``; the very text when none is known."""

    def replace(match: re.Match[str]) -> str:
        found = resolve(match[3])
        return match[0] if found is None else f"{match[1]}={match[2]}{found}{match[2]}"

    return DIV_LINK.sub(replace, div)
