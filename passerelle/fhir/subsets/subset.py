"""A part of a resource, as ``_summary`` or ``_elements`` ask for it.

https://hl7.org/fhir/R4/search.html#summary and #elements . What a summary holds is what the
definitions of R4 flag so. Mandatory elements always stay, and what was made smaller is tagged
SUBSETTED, so that nobody takes it for the whole. Numbers stay as they were written.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from passerelle.fhir import json_text
from passerelle.fhir.conformance.structure_table import Member, members
from passerelle.fhir.resource import Resource

Summary: TypeAlias = Literal["true", "text", "data"]
Keep: TypeAlias = Callable[[str, Member], bool]

SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}
"""https://hl7.org/fhir/R4/resource.html#Meta"""

EMPTY: tuple[Any, ...] = ({}, [])
"""What FHIR does not have."""

ALWAYS = frozenset({"resourceType", "id", "meta", "implicitRules", "modifierExtension"})
"""What every part holds, when it is there: without them it would be misunderstood."""


@dataclass(frozen=True, slots=True)
class Subset:
    """What part is asked for: a ``summary``, or ``elements`` of the root by their names.

    A name may come with its type (``Patient.name``), and holds for that type only.
    """

    summary: Summary | None = None
    elements: frozenset[str] = frozenset()

    def of(self, body: bytes) -> bytes:
        """Give the part of a resource as kept, in bytes; those handed in when it is the whole."""
        resource = json_text.decode_stored(body)
        part = self.part(resource)
        return body if part is resource else json_text.encode(part)

    def part(self, resource: Resource) -> Resource:
        """Give the part of a resource, tagged; the resource itself when nothing is left out."""
        type_ = resource["resourceType"]
        if self.summary == "data":
            kept = {name: value for name, value in resource.items() if name != "text"}
        elif self.summary == "true":
            kept = _flagged(type_, resource)
        elif self.summary == "text":
            kept = _of_root(type_, resource, lambda name, member: name == "text")
        else:
            kept = _of_root(type_, resource, self._is_asked_for(type_))
        return resource if kept == resource else _tagged(kept)

    def _is_asked_for(self, type_: str) -> Keep:
        wanted = {name.removeprefix(f"{type_}.").partition(".")[0] for name in self.elements}

        def keep(name: str, member: Member) -> bool:
            return name.removeprefix("_") in wanted or member.element.name in wanted

        return keep


def _of_root(type_: str, resource: Resource, keep: Keep) -> Resource:
    """Give those elements of the root that stay always, are mandatory, or are to be kept."""
    known = members(type_)
    kept: Resource = {}
    for name, value in resource.items():
        member = known.get(name)
        if name in ALWAYS or (member and (member.element.required or keep(name, member))):
            kept[name] = value
    return kept


def _flagged(type_name: str, holder: dict[str, Any]) -> dict[str, Any]:
    """Give what is flagged or mandatory in a resource or in a backbone element, and inside it.

    What is of a data type is kept whole.
    """
    known = members(type_name)
    kept: dict[str, Any] = {}
    for name, value in holder.items():
        member = known.get(name)
        if name in ALWAYS:
            kept[name] = value
        elif member is not None and (member.element.summary or member.element.required):
            inner = _flagged_inside(member, value)
            if inner not in EMPTY:
                kept[name] = inner
            elif member.element.required:
                kept[name] = value
    return kept


def _flagged_inside(member: Member, value: Any) -> Any:
    """Give what is flagged inside an element; only backbone elements, named by paths, have it."""
    path = member.kind.name
    if member.sibling or "." not in path:
        return value
    if isinstance(value, list):
        return [inner for each in value if (inner := _flagged(path, each))]
    return _flagged(path, value)


def _tagged(part: Resource) -> Resource:
    """Add the tag SUBSETTED to a copy of ``meta``, which comes after the id when it was missing."""
    meta: dict[str, Any] = {**part.get("meta", {})}
    meta["tag"] = [*meta.get("tag", ()), SUBSETTED]
    if "meta" in part:
        return {**part, "meta": meta}
    head: Resource = {name: part[name] for name in ("resourceType", "id") if name in part}
    return {**head, "meta": meta, **part}
