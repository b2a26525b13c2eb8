"""Small builder functions for XML that leaves: elements in order, bytes that never vary.

https://www.w3.org/TR/xml/ . Markup is never written by hand: lxml escapes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

from lxml import etree

from passerelle.errors.refusals import Unprocessable
from passerelle.mappers.xml_reading import character_issue, unwritable


def child(
    parent: etree._Element,
    name: str,
    attributes: Mapping[str, str | None] | None = None,
    text: str | None = None,
) -> etree._Element:
    """Append an element of the parent's namespace; attributes that are None or empty are left out.

    Gives the new element.
    """
    namespace = parent.tag.rpartition("}")[0]
    element = etree.SubElement(parent, f"{namespace}}}{name}" if namespace else name)
    for key, value in (attributes or {}).items():
        if value:
            element.set(key, value)
    if text is not None:
        element.text = text
    return element


def dump(root: etree._Element) -> bytes:
    """Write a document with its prolog, in UTF-8, without added blanks."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def demand_writable(value: object, name: str) -> None:
    """Refuse a value one of whose texts has a character that XML cannot carry.

    Raises Unprocessable (xml.character) with one issue for each place, ``name`` being the
    first word of the place.
    """
    issues = [character_issue(place) for place, text in _texts(value, name) if unwritable(text)]
    if issues:
        raise Unprocessable(*issues)


def _texts(value: object, place: str) -> Iterator[tuple[str, str]]:
    """Give every text inside a value of dataclasses, named tuples and tuples, with its place."""
    if isinstance(value, str):
        yield place, value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _texts(getattr(value, field.name), f"{place}.{field.name}")
    elif isinstance(value, tuple):
        names: tuple[str, ...] = getattr(value, "_fields", ())
        for number, item in enumerate(value):
            where = f"{place}.{names[number]}" if names else f"{place}[{number}]"
            yield from _texts(item, where)
