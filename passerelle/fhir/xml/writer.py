"""FHIR XML out: from the dict of a resource to UTF-8, elements in the order of the definition.

https://hl7.org/fhir/R4/xml.html . No white space that is not in a value; decimals as they are
written; the narrative as it is kept, in its own name space, named entities of HTML as characters.
"""

import re
from html.entities import name2codepoint
from typing import Any

from passerelle.errors.refusals import NotAcceptable
from passerelle.errors.rules import issue
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.resource import Resource
from passerelle.fhir.xml.element_forms import FHIR, Content, Form, TypeForm, type_form

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'

_MARKED = re.compile('[&<>"\x00-\x1f\ud800-\udfff\ufffe\uffff]')
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPED = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
    | {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)
_XML_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*\?>")
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})


def encode(resource: Resource, *, pretty: bool = False) -> bytes:
    """Write a resource that is right by the structure check; ``pretty``: one element a line.

    Raises NotAcceptable for what XML cannot carry: a character that it does not have, or an
    element that R4 does not have.
    """
    parts: list[str] = []
    try:
        _resource(resource, parts, f' xmlns="{FHIR}"')
    except (KeyError, TypeError, AttributeError, ValueError):
        kind = resource.get("resourceType")
        known = isinstance(kind, str) and kind in resource_types()
        raise NotAcceptable(issue("xml.not-writable", kind if known else "Resource")) from None
    if pretty:
        return "\n".join((DECLARATION, *_lines(parts), "")).encode()
    return (DECLARATION + "".join(parts)).encode()


def _resource(node: dict[str, Any], parts: list[str], more: str = "") -> None:
    """Write one resource in an element of its type."""
    kind = node["resourceType"]
    if kind not in resource_types():
        raise KeyError(kind)
    if len(node) == 1:
        parts.append(f"<{kind}{more}/>")
        return
    parts.append(f"<{kind}{more}>")
    _members(node, type_form(kind), parts)
    parts.append(f"</{kind}>")


def _members(node: dict[str, Any], type_: TypeForm, parts: list[str]) -> None:
    """Write the elements of an object in their order."""
    members = type_.members
    for name in sorted(node, key=type_.order.__getitem__):
        form = members.get(name)
        if form is None:  # an attribute, or the type of a resource
            continue
        value = node[name]
        if form.content is Content.PRIMITIVE:
            if name is not form.name and name == form.sibling:
                if form.name not in node:
                    _primitives(form, None, value, parts)
            elif form.sibling in node:
                _primitives(form, value, node[form.sibling], parts)
            elif form.many:
                for one in value:
                    parts.append(f'<{name} value="{_text(form, one)}"/>')
            else:
                parts.append(f'<{name} value="{_text(form, value)}"/>')
        elif form.many:
            for one in value:
                _element(form, one, parts)
        else:
            _element(form, value, parts)


def _element(form: Form, value: Any, parts: list[str]) -> None:
    """Write one element that has elements, a resource or a narrative inside."""
    if form.content is Content.ELEMENTS:
        _object(form.name, value, type_form(form.type), parts)
    elif form.content is Content.RESOURCE:
        parts.append(f"<{form.name}>")
        _resource(value, parts)
        parts.append(f"</{form.name}>")
    else:
        parts.append(_narrative(value))


def _object(name: str, node: dict[str, Any], type_: TypeForm, parts: list[str]) -> None:
    """Write an object: its attributes, then its elements."""
    opening = f"<{name}"
    inside = len(node)
    for key in type_.attributes:
        if key in node:
            inside -= 1
            opening += f' {key}="{_escaped(node[key])}"'
    if not inside:
        parts.append(opening + "/>")
        return
    parts.append(opening + ">")
    _members(node, type_, parts)
    parts.append(f"</{name}>")


def _primitives(form: Form, values: Any, besides: Any, parts: list[str]) -> None:
    """Write a primitive, or an array of them, that has ids or extensions."""
    if not form.many:
        _primitive(form, values, besides, parts)
        return
    count = max(len(values or ()), len(besides))
    for index in range(count):
        value = values[index] if values and index < len(values) else None
        _primitive(form, value, besides[index] if index < len(besides) else None, parts)


def _primitive(form: Form, value: Any, beside: dict[str, Any] | None, parts: list[str]) -> None:
    """Write one primitive: value and id as attributes, extensions inside."""
    opening = f"<{form.name}"
    beside = beside or {}
    if "id" in beside:
        opening += f' id="{_escaped(beside["id"])}"'
    if value is not None:
        opening += f' value="{_text(form, value)}"'
    if "extension" not in beside:
        parts.append(opening + "/>")
        return
    parts.append(opening + ">")
    _members(beside, type_form("Element"), parts)
    parts.append(f"</{form.name}>")


def _text(form: Form, value: Any) -> str:
    """Write a primitive value as the text of an attribute."""
    if form.write is not None:
        return form.write(value)
    return value if _MARKED.search(value) is None else _escaped(value)


def _escaped(text: str) -> str:
    """Write a text as that of an attribute. Raises ValueError when XML has no such character."""
    if _UNWRITABLE.search(text):
        raise ValueError
    return text.translate(_ESCAPED)


def _narrative(div: str) -> str:
    """Give a narrative that can stand in XML: nothing before it, no named entity of HTML."""
    if _UNWRITABLE.search(div):
        raise ValueError
    declared = _XML_DECLARATION.match(div)
    if declared is not None:
        div = div[declared.end() :]
    return (_ENTITY.sub(_character, div) if "&" in div else div).strip(" \t\r\n")


def _character(entity: re.Match[str]) -> str:
    """Write a named entity of HTML as its character; XML's own five stay."""
    name = entity[1]
    known = name not in _XML_ENTITIES and name in name2codepoint
    return chr(name2codepoint[name]) if known else entity[0]


def _lines(parts: list[str]) -> list[str]:
    """Indent each part by its depth: a part opens, closes, or is whole."""
    lines = []
    depth = 0
    for part in parts:
        closes = part.startswith("</")
        depth -= closes
        lines.append("  " * depth + part)
        depth += not (closes or part.endswith("/>") or "</" in part)
    return lines
