"""The precise reader: walks a resource by the table of types and tells every fault with its place.

https://hl7.org/fhir/R4/json.html , https://hl7.org/fhir/R4/conformance-rules.html#conformance .
Places are FHIRPath expressions of element names and indexes: ``Patient.contact[0].address.city``.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.conformance import narrative, primitives, structure_table
from passerelle.fhir.conformance.datatype_laws import Law, laws_of
from passerelle.fhir.conformance.structure_table import Element, Kind, Member

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_RELATIVE = re.compile(r"([A-Za-z]+)(?:/[A-Za-z0-9\-.]{1,64}(?:/_history/.*)?|\?.*)", re.DOTALL)
_ABSOLUTE = re.compile(
    r"https?://[A-Za-z0-9\-\\.:%$/]*/([A-Za-z]+)/[A-Za-z0-9\-.]{1,64}"
    r"(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_DEFINITION = "http://hl7.org/fhir/StructureDefinition/"
_SIBLING = Kind("Element")
_EXTENSION = Kind("Extension")
_NESTED_EXTENSION = re.compile(r"\.(?:modifierE|e)xtension\[\d+\]\.extension\[\d+\]$")
_LOCAL_KINDS = frozenset({"canonical", "uri", "url"})

Node = dict[str, Any]
Found = Iterator[Issue]


class Shape(NamedTuple):
    """What a type asks of an object."""

    members: dict[str, Member]
    required: tuple[Element, ...]
    choices: tuple[Element, ...]
    resource: bool
    laws: tuple[Law, ...]


class Nested(NamedTuple):
    """A resource met inside another, to be checked by its own type, and where it stands."""

    resource: Node
    place: str


@cache
def shape_of(type_name: str) -> Shape:
    """Give what a type asks, made once from the table."""
    elements = structure_table.elements(type_name)
    return Shape(
        structure_table.members(type_name),
        tuple(element for element in elements if element.required),
        tuple(element for element in elements if element.choice),
        type_name in structure_table.resource_types(),
        laws_of(structure_table.lineage(type_name)),
    )


class LocalTarget(NamedTuple):
    """A ``#…`` reference that may point to some types only, and where it is said."""

    text: str
    place: str
    targets: tuple[str, ...]


class Walk:
    """One walk over one resource, setting aside what it holds of others.

    ``local`` collects the ``#…`` references, each with where it is first said, ``targets`` those
    that may point to some types only, ``mentioned`` the other ``#…`` addresses, ``contained`` and
    ``nested`` (entries of a Bundle, resources of Parameters) the resources inside.
    """

    def __init__(self) -> None:
        self.local: dict[str, str] = {}
        self.targets: list[LocalTarget] = []
        self.mentioned: set[str] = set()
        self.contained: list[Nested] = []
        self.nested: list[Nested] = []

    def inside(self, node: object, kind: Kind, place: str) -> Found:
        """Tell the faults of an object of a type with elements."""
        if not isinstance(node, dict):
            yield issue("structure.wrong-type", place, type=kind.name)
            return
        if not node:
            yield issue("structure.empty", place)
            return
        shape = shape_of(kind.name)
        for name, value in node.items():
            member = shape.members.get(name)
            if member is None:
                if not (shape.resource and name == "resourceType"):
                    yield _unknown(name, place)
            elif name == "contained" and shape.resource:
                yield from self._resources(value, f"{place}.{name}")
            else:
                yield from self._member(node, name, value, member, place)
        yield from _missing(node, shape, kind, place)
        if kind.name == "Reference":
            yield from self._reference(node, kind, place)

    def _member(self, node: Node, name: str, value: object, member: Member, place: str) -> Found:
        """Tell the faults of one member: its arity, then each of its values."""
        element = member.element
        here = f"{place}.{element.name}"
        other = node.get(name[1:] if member.sibling else "_" + name)
        if not element.many:
            yield from self._value(value, other, member, here)
            return
        if not isinstance(value, list):
            yield issue("structure.expected-array", here)
            return
        if not value:
            yield issue("structure.empty", here)
        if member.sibling and isinstance(other, list) and len(other) != len(value):
            yield issue("structure.misaligned", here)
        for index, one in enumerate(value):
            opposite = other[index] if isinstance(other, list) and index < len(other) else None
            if one is not None:
                yield from self._value(one, opposite, member, f"{here}[{index}]")
            elif opposite is None:
                yield issue("structure.null", f"{here}[{index}]")

    def _value(self, value: object, opposite: object, member: Member, place: str) -> Found:
        """Tell the faults of one value of an element; ``opposite`` is what its ``_`` sibling has.

        (Of a sibling: what the value itself is.)
        """
        kind = member.kind
        if isinstance(value, list):
            yield issue("structure.expected-single", place)
        elif value is None:
            yield issue("structure.null", place)
        elif member.sibling:
            yield from self.inside(value, _SIBLING, place)
            if opposite is None and isinstance(value, dict) and set(value) == {"id"}:
                yield issue("structure.ele-1", place)
        elif kind.name == "Resource":
            yield from self._resource(value, place, self.nested)
        elif kind.name == "Extension":
            yield from self._extension(value, place)
        elif kind.name in structure_table.patterns():
            yield from self._primitive(value, member, place)
        else:
            yield from self.inside(value, kind, place)
            values = member.element.value_set if kind.name in structure_table.CODED else None
            if values and not _is_coded(value, kind, values):
                yield issue("structure.code", place, value_set=values)

    def _extension(self, value: object, place: str) -> Found:
        """Tell the faults of an extension; only inside another one may its url be relative."""
        yield from self.inside(value, _EXTENSION, place)
        url = value.get("url") if isinstance(value, dict) else None
        nested = _NESTED_EXTENSION.search(place) is not None
        if isinstance(url, str) and url and not nested and not _SCHEME.match(url):
            yield issue("structure.extension-url", f"{place}.url")

    def _primitive(self, value: object, member: Member, place: str) -> Found:
        """Tell the fault of a primitive value."""
        kind = member.kind.name
        broken = primitives.fault(kind, value)
        if broken:
            yield issue(broken, place, type=kind)
        elif isinstance(value, str):
            values = member.element.value_set if kind == "code" else None
            if values and value not in structure_table.codes(values):
                yield issue("structure.code", place, value_set=values)
            if kind == "xhtml" and (unsafe := narrative.fault(value)):
                yield issue(unsafe, place)
            if kind in _LOCAL_KINDS and value.startswith("#"):
                self.mentioned.add(value)

    def _reference(self, node: Node, kind: Kind, place: str) -> Found:
        """Tell whether a reference points to a type that it may not point to."""
        text, told = node.get("reference"), node.get("type")
        types = structure_table.resource_types()
        named = told.removeprefix(_DEFINITION) if isinstance(told, str) else None
        if named in types and kind.targets and named not in kind.targets:
            yield not_admitted(f"{place}.type", kind.targets)
        if not isinstance(text, str):
            return
        if text.startswith("#"):
            self.local.setdefault(text, f"{place}.reference")
            if kind.targets:
                self.targets.append(LocalTarget(text, f"{place}.reference", kind.targets))
            return
        absolute = _ABSOLUTE.fullmatch(text)
        match = absolute if absolute and absolute[1] in types else _RELATIVE.fullmatch(text)
        if match and match[1] not in (kind.targets or types):
            yield not_admitted(f"{place}.reference", kind.targets)
        elif match and named in types and named != match[1]:
            yield issue("structure.reference-type", f"{place}.type")

    def _resources(self, value: object, place: str) -> Found:
        """Set the contained resources aside, to be checked each by its own type."""
        if not isinstance(value, list):
            yield issue("structure.expected-array", place)
            return
        if not value:
            yield issue("structure.empty", place)
        for index, one in enumerate(value):
            yield from self._resource(one, f"{place}[{index}]", self.contained)

    def _resource(self, value: object, place: str, aside: list[Nested]) -> Found:
        """Set one resource aside."""
        if not isinstance(value, dict):
            yield issue("structure.wrong-type", place, type="Resource")
        else:
            aside.append(Nested(value, place))


def not_admitted(place: str, targets: tuple[str, ...]) -> Issue:
    """Say that a reference points to a type that it may not point to."""
    return issue("structure.reference-target", place, targets=", ".join(targets) or "Resource")


def _missing(node: Node, shape: Shape, kind: Kind, place: str) -> Found:
    """Tell what is not there, there twice in a choice, or breaks an invariant of the type."""
    for element in shape.required:
        if not any(name in node or "_" + name in node for name in element.json_names()):
            yield issue("structure.required", f"{place}.{element.name}", name=element.name)
    for element in shape.choices:
        chosen = [n for n in element.json_names() if n in node or "_" + n in node]
        if len(chosen) > 1:
            yield issue("structure.choice", f"{place}.{element.name}", name=element.name)
    if kind is not _SIBLING and not shape.resource and set(node) == {"id"}:
        yield issue("structure.ele-1", place)
    if kind.name == "Extension":
        valued = any(name.startswith(("value", "_value")) for name in node)
        if valued == ("extension" in node):
            yield issue("structure.ext-1", place)
    for law in shape.laws:
        if not law.holds(node):
            yield issue(f"structure.{law.key}", place)


def _is_coded(value: object, kind: Kind, value_set: str) -> bool:
    """Tell whether a Coding, or one at least of a CodeableConcept, is of a value set."""
    codes, systems = structure_table.codes(value_set), structure_table.systems(value_set)
    if not isinstance(value, dict):
        return True
    codings = value.get("coding", ()) if kind.name == "CodeableConcept" else (value,)
    if not isinstance(codings, list | tuple):
        return True
    coded = [(one.get("system"), one.get("code")) for one in codings if isinstance(one, dict)]
    return any(
        isinstance(system, str) and system in systems and isinstance(code, str) and code in codes
        for system, code in coded
    )


def _unknown(name: str, place: str) -> Issue:
    """Tell of an element that the type does not have; its name only when it is like a name."""
    spelled = f"{place}.{name}" if _NAME.fullmatch(name) else place
    return issue("structure.unknown-element", spelled)
