"""Where a resource refers to others of this record, and to which.

https://hl7.org/fhir/R4/references.html#literal
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from passerelle.fhir.references import target
from passerelle.fhir.resource import Key, Resource

HOLDERS = frozenset({"Bundle", "Parameters"})
"""Types whose references lead to one another first; what they hold is looked at by itself."""


class Reference(NamedTuple):
    """One literal reference: the FHIRPath of its Reference element and the key it names."""

    path: str
    key: Key


def references(resource: Resource, base_url: str) -> Iterator[Reference]:
    """Give the literal references of a resource to what this record may hold.

    Relative ones and those under ``base_url``, in the order they stand; never raises on JSON.
    """
    type_ = resource.get("resourceType")
    if isinstance(type_, str) and type_ not in HOLDERS:
        found: list[Reference] = []
        _gather(resource, type_, base_url + "/", found)
        yield from found


def key_of(reference: str, base_url: str) -> Key | None:
    """Give the key that a literal reference names here, or None when it leads elsewhere."""
    found = target(reference.removeprefix(base_url + "/"))
    return Key(found.type, found.id) if found is not None and found.type else None


def _gather(value: Any, path: str, base: str, found: list[Reference]) -> None:
    if type(value) is dict:
        literal = value.get("reference")
        if type(literal) is str:
            key = key_of(literal, base[:-1])
            if key is not None:
                found.append(Reference(path, key))
        for name, inner in value.items():
            if type(inner) is dict or type(inner) is list:
                _gather(inner, f"{path}.{name}", base, found)
    elif type(value) is list:
        for position, inner in enumerate(value):
            if type(inner) is dict or type(inner) is list:
                _gather(inner, f"{path}[{position}]", base, found)
