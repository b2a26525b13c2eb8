"""An answer as lines of NDJSON, one resource a line, and the place of its next page.

https://hl7.org/fhir/R4/async.html and https://hl7.org/fhir/R4/nd-json.html : a file holds resources
of one type. The resources of a searchset go by themselves; any other Bundle says more than they do
(what was deleted, how well something matches, a total) and stays whole.
"""

from typing import Any, NamedTuple

import msgspec


class Lines(NamedTuple):
    """The lines of an answer: ``resources`` with their types, ``outcomes`` apart."""

    resources: tuple[tuple[str, bytes], ...]
    outcomes: tuple[bytes, ...] = ()
    next: str | None = None


class _Typed(msgspec.Struct):
    resourceType: str  # as FHIR spells it


class _Link(msgspec.Struct):
    relation: str = ""
    url: str = ""


class _Entry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"")
    search: dict[str, Any] = msgspec.field(default_factory=dict)


class _Bundle(msgspec.Struct):
    type: str = ""
    total: int | None = None
    link: list[_Link] = msgspec.field(default_factory=list)
    entry: list[_Entry] = msgspec.field(default_factory=list)


_type_of = msgspec.json.Decoder(_Typed).decode
_bundle_of = msgspec.json.Decoder(_Bundle).decode


def lines_of(answer: bytes) -> Lines:
    """Give the lines of an answer, a resource in JSON as we wrote it ourselves."""
    type_ = _type_of(answer).resourceType
    if type_ != "Bundle":
        return Lines(((type_, _line(answer)),))
    bundle = _bundle_of(answer)
    next_ = next((link.url for link in bundle.link if link.relation == "next"), None)
    if not _is_told_by_its_resources(bundle):
        return Lines((("Bundle", _line(answer)),), next=next_)
    resources, outcomes = [], []
    for entry in bundle.entry:
        if entry.search.get("mode") == "outcome":
            outcomes.append(_line(bytes(entry.resource)))
        else:
            raw = bytes(entry.resource)
            resources.append((_type_of(raw).resourceType, _line(raw)))
    return Lines(tuple(resources), tuple(outcomes), next_)


def _is_told_by_its_resources(bundle: _Bundle) -> bool:
    if bundle.type != "searchset" or (not bundle.entry and bundle.total):
        return False
    return all(bytes(each.resource) and each.search.keys() <= {"mode"} for each in bundle.entry)


def _line(resource: bytes) -> bytes:
    """Give a resource on one line, which it ends."""
    if b"\n" in resource or b"\r" in resource:
        resource = msgspec.json.format(resource, indent=-1)
    return resource + b"\n"
