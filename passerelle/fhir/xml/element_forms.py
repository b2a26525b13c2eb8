"""What each type looks like in XML: its elements in their order, its attributes, its text.

https://hl7.org/fhir/R4/xml.html . Made from the table of the structure check, once a type: the
order of elements is that of the definition, ``id`` of an element and ``url`` of an extension are
attributes, a primitive has its value in ``value``, a narrative is XHTML, and a resource inside
another stands in an element of its own type.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import cache
from typing import Any, NamedTuple

from passerelle.fhir.conformance import structure_table
from passerelle.fhir.conformance.structure_table import Element, Kind
from passerelle.fhir.xml.primitive_values import READERS, WRITERS

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"


class Content(IntEnum):
    """What stands in an element."""

    PRIMITIVE = 0
    ELEMENTS = 1
    RESOURCE = 2
    XHTML = 3


class Form(NamedTuple):
    """How one JSON name of a type stands in XML.

    ``place`` is the element's name in expressions (``deceased`` for ``deceasedBoolean``);
    ``order`` is the same for all types of a choice; ``sibling`` is the name of its ``_`` member,
    None where there is none; ``read`` and ``write`` turn the text of a primitive into its JSON
    value and back, None where they are the same.
    """

    name: str
    place: str
    order: int
    many: bool
    content: Content
    type: str
    sibling: str | None
    read: Callable[[str], Any] | None
    write: Callable[[Any], str] | None


class TypeForm(NamedTuple):
    """How a type stands in XML.

    ``elements`` by name with namespace, ``attributes`` by name (all required to be text),
    ``members`` by JSON name, the ``_`` siblings too; ``order`` by JSON name, for sorting.
    """

    elements: Mapping[str, Form]
    attributes: frozenset[str]
    members: Mapping[str, Form]
    order: Mapping[str, int]


NOTHING = TypeForm({}, frozenset(), {}, {})
"""The form of what has neither elements nor attributes."""


@cache
def type_form(type_name: str) -> TypeForm:
    """Give the form of a type with elements. Raises KeyError when R4 has no such type."""
    attributes: list[str] = []
    members: dict[str, Form] = {}
    order: dict[str, int] = {"resourceType": -1}
    elements: dict[str, Form] = {}
    for index, element in enumerate(structure_table.elements(type_name)):
        for name, kind in zip(element.json_names(), element.kinds, strict=True):
            form = _form(element, name, kind, index)
            order[name] = index
            if kind.attribute and kind.name != "id":
                attributes.append(name)
                continue
            members[name] = form
            elements[f"{_space(form)} {name}"] = form
            if form.sibling is not None:
                members[form.sibling] = form
                order[form.sibling] = index
    return TypeForm(elements, frozenset(attributes), members, order)


@cache
def resource_tags() -> Mapping[str, str]:
    """Give the resource types by their name with namespace."""
    return {f"{FHIR} {name}": name for name in structure_table.resource_types()}


def _form(element: Element, name: str, kind: Kind, order: int) -> Form:
    content = _content(kind)
    primitive = content is Content.PRIMITIVE
    return Form(
        name=name,
        place=element.name,
        order=order,
        many=element.many,
        content=content,
        type=kind.name,
        sibling="_" + name if primitive and not kind.attribute else None,
        read=READERS.get(kind.name) if primitive else None,
        write=WRITERS.get(kind.name) if primitive else None,
    )


def _content(kind: Kind) -> Content:
    if kind.name == "xhtml":
        return Content.XHTML
    if kind.name == "Resource":
        return Content.RESOURCE
    return Content.PRIMITIVE if kind.name in structure_table.patterns() else Content.ELEMENTS


def _space(form: Form) -> str:
    return XHTML if form.content is Content.XHTML else FHIR
