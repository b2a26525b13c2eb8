"""Resources inside a resource: the rules dom-2 to dom-5 and ref-1.

https://hl7.org/fhir/R4/references.html#contained , https://hl7.org/fhir/R4/domainresource.html#invs
"""

from collections.abc import Iterator, Mapping, Set
from typing import Any

from passerelle.errors.refusals import Issue
from passerelle.errors.rules import issue
from passerelle.fhir.conformance import structure_table

Node = dict[str, Any]


def faults(
    resource: Node, place: str, local: Mapping[str, str], mentioned: Set[str], referring: list[bool]
) -> Iterator[Issue]:
    """Tell the faults of the contained resources as such.

    ``local`` gives each ``#…`` reference of the resource, contained ones included, and where it
    stands; ``mentioned`` the other ``#…`` addresses; ``referring`` tells of each contained resource
    whether it refers to its container (``#``).
    """
    held = resource.get("contained", [])
    contained = held if isinstance(held, list) else []
    ids = {f"#{one.get('id')}" for one in contained if isinstance(one, dict)}
    for text, where in local.items():
        if text not in ids and not (text == "#" and contained):
            yield issue("structure.ref-1", where)
    seen: set[str] = set()
    resources = [(i, one) for i, one in enumerate(contained) if isinstance(one, dict)]
    for (index, one), refers in zip(resources, referring, strict=True):
        where, name = f"{place}.contained[{index}]", f"#{one.get('id')}"
        if not (refers or name in local or name in mentioned):
            yield issue("structure.dom-3", where)
        if name in seen and "id" in one:
            yield issue("structure.contained-id-twice", f"{where}.id")
        seen.add(name)
        yield from _one(one, where)


def _one(one: Node, place: str) -> Iterator[Issue]:
    """Tell what a contained resource has that it may not have."""
    if "contained" in one:
        yield issue("structure.dom-2", f"{place}.contained")
    meta = one.get("meta")
    if isinstance(meta, dict):
        for name in ("versionId", "lastUpdated"):
            if name in meta:
                yield issue("structure.dom-4", f"{place}.meta.{name}")
        if "security" in meta:
            yield issue("structure.dom-5", f"{place}.meta.security")


def types(held: object, outer: str) -> dict[str, str] | None:
    """Give the type that each ``#…`` reference means; None when a resource has none or no id."""
    if not isinstance(held, list) or not held:
        return None
    found = {"#": outer}
    for one in held:
        kind = one.get("resourceType") if isinstance(one, dict) else None
        name = one.get("id") if isinstance(one, dict) else None
        if not isinstance(kind, str) or not isinstance(name, str):
            return None
        if kind not in structure_table.resource_types():
            return None
        found[f"#{name}"] = kind
    return found


def resolved(node: Node, kinds: Mapping[str, str]) -> Node:
    """Give a copy in which each ``#…`` reference is one to the type that it means."""
    copied = {
        name: (
            resolved(value, kinds)
            if type(value) is dict
            else [resolved(one, kinds) if type(one) is dict else one for one in value]
            if type(value) is list
            else value
        )
        for name, value in node.items()
    }
    text = copied.get("reference")
    if type(text) is str and text in kinds:
        copied["reference"] = f"{kinds[text]}/{text[1:] or 'this'}"
    return copied


def local_texts(node: object, found: set[str]) -> set[str]:
    """Collect the ``#…`` texts of all references inside a value."""
    if isinstance(node, dict):
        text = node.get("reference")
        if isinstance(text, str) and text.startswith("#"):
            found.add(text)
        for value in node.values():
            if isinstance(value, dict | list):
                local_texts(value, found)
    elif isinstance(node, list):
        for value in node:
            local_texts(value, found)
    return found
