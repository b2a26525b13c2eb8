"""Both forms of a resource as flat lists of values with their paths, without any definition.

An opinion of its own on https://hl7.org/fhir/R4/xml.html , that of lxml: two forms say the same
when their lists are equal.
"""

from collections import Counter
from typing import Any

from lxml import etree

from passerelle.fhir import json_text

FHIR = "{http://hl7.org/fhir}"
XHTML = "{http://www.w3.org/1999/xhtml}"
Flat = Counter[tuple[str, str]]


def of_json(resource: dict[str, Any]) -> Flat:
    """Flatten a resource as decoded from JSON."""
    found: Flat = Counter()
    _object(resource, "", found)
    return found


def of_xml(text: bytes) -> Flat:
    """Flatten a resource written in XML."""
    found: Flat = Counter()
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=True, huge_tree=True
    )
    root = etree.XML(text, parser)
    _element(root, "/" + etree.QName(root).localname, found)
    return found


def canonical(div: str) -> str:
    """Give XHTML in its canonical form (https://www.w3.org/TR/xml-c14n2/)."""
    return etree.canonicalize(div, with_comments=False)


def _object(node: dict[str, Any], path: str, found: Flat) -> None:
    resource = "resourceType" in node
    if resource:
        path += "/" + node["resourceType"]
        found[path, "<>"] += 1
    for name in {name.removeprefix("_") for name in node} - {"resourceType"}:
        values, beside = node.get(name), node.get("_" + name)
        if name == "div":
            found[path + "/div", canonical(values)] += 1
        elif name in ("id", "url") and not resource and beside is None:
            found[f"{path}/{name}", values] += 1
        else:
            many = isinstance(values, list) or isinstance(beside, list)
            values = values if many else [values]
            beside = beside if many else [beside]
            for index in range(max(len(values or ()), len(beside or ()))):
                value = values[index] if values and index < len(values) else None
                other = beside[index] if beside and index < len(beside) else None
                _value(
                    value, other, f"{path}/{name}[{index}]" if index else f"{path}/{name}", found
                )


def _value(value: Any, other: Any, path: str, found: Flat) -> None:
    if isinstance(value, dict):
        found[path, "<>"] += 1
        _object(value, path, found)
        return
    if other is not None:
        found[path, "<>"] += 1
        _object(other, path, found)
    if value is not None:
        text = value if isinstance(value, str) else json_text.encode(value).decode()
        found[path, text] += 1


def _element(node: Any, path: str, found: Flat) -> None:
    value = node.get("value")
    if value is not None:
        found[path, value] += 1
    if value is None or len(node) or node.get("id") is not None:
        found[path, "<>"] += 1
    for name in ("id", "url"):
        if node.get(name) is not None:
            found[f"{path}/{name}", node.get(name)] += 1
    seen: Counter[str] = Counter()
    for child in node:
        name = etree.QName(child).localname
        if child.tag.startswith(XHTML):
            text = etree.tostring(child, encoding="unicode", with_tail=False)
            found[f"{path}/{name}", canonical(text)] += 1
            continue
        assert child.tag.startswith(FHIR)
        assert not (child.text or "").strip()
        assert not (child.tail or "").strip()
        index = seen[name]
        seen[name] += 1
        if name[0].isupper():
            _element(child, f"{path}/{name}", found)
            continue
        inner = f"{path}/{name}[{index}]" if index else f"{path}/{name}"
        _element(child, inner, found)
