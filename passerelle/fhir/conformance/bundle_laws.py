"""The error invariants of a Bundle, as predicates that give the places where one is broken.

https://hl7.org/fhir/R4/bundle.html#invs . Those of a document and of a message are there too
(https://hl7.org/fhir/R4/documents.html). They say nothing about what is not of the right shape.
"""

from collections.abc import Callable, Iterator
from typing import Any

Node = dict[str, Any]
Law = Callable[[Node], Iterator[str]]

_ASKED = ("batch", "transaction", "history")
_ANSWERED = ("batch-response", "transaction-response", "history")


def _entries(bundle: Node) -> Iterator[tuple[str, Node]]:
    """Give the entries with their places."""
    entries = bundle.get("entry")
    if isinstance(entries, list):
        for index, entry in enumerate(entries):
            if isinstance(entry, dict):
                yield f"entry[{index}]", entry


def _total(bundle: Node) -> Iterator[str]:
    if "total" in bundle and bundle.get("type") not in ("searchset", "history"):
        yield "total"


def _search(bundle: Node) -> Iterator[str]:
    if bundle.get("type") != "searchset":
        for where, entry in _entries(bundle):
            if "search" in entry:
                yield f"{where}.search"


def _exactly_when(name: str, types: tuple[str, ...]) -> Law:
    """Each entry has this where the bundle is of one of these types, and only there."""

    def law(bundle: Node) -> Iterator[str]:
        expected = bundle.get("type") in types
        for where, entry in _entries(bundle):
            if (name in entry) != expected:
                yield f"{where}.{name}"

    return law


def _something(bundle: Node) -> Iterator[str]:
    for where, entry in _entries(bundle):
        if not any(name in entry for name in ("resource", "request", "response")):
            yield where


def _once(bundle: Node) -> Iterator[str]:
    if bundle.get("type") == "history":
        return
    seen: set[tuple[str, str]] = set()
    for where, entry in _entries(bundle):
        full_url, resource = entry.get("fullUrl"), entry.get("resource")
        meta = resource.get("meta") if isinstance(resource, dict) else None
        version = meta.get("versionId") if isinstance(meta, dict) else None
        if isinstance(full_url, str):
            told = (full_url, str(version))
            if told in seen:
                yield f"{where}.fullUrl"
            seen.add(told)


def _unversioned(bundle: Node) -> Iterator[str]:
    for where, entry in _entries(bundle):
        full_url = entry.get("fullUrl")
        if isinstance(full_url, str) and "/_history/" in full_url:
            yield f"{where}.fullUrl"


def _identified(bundle: Node) -> Iterator[str]:
    identifier = bundle.get("identifier")
    whole = isinstance(identifier, dict) and {"system", "value"} <= identifier.keys()
    if bundle.get("type") == "document" and not whole:
        yield "identifier"


def _dated(bundle: Node) -> Iterator[str]:
    if bundle.get("type") == "document" and "timestamp" not in bundle:
        yield "timestamp"


def _led_by(bundle_type: str, resource_type: str) -> Law:
    """The first entry of a bundle of this type is of that resource type."""

    def law(bundle: Node) -> Iterator[str]:
        if bundle.get("type") == bundle_type:
            _, first = next(_entries(bundle), ("", {}))
            resource = first.get("resource")
            kind = resource.get("resourceType") if isinstance(resource, dict) else None
            if kind != resource_type:
                yield "entry[0].resource"

    return law


LAWS: tuple[tuple[str, Law], ...] = (
    ("bdl-1", _total),
    ("bdl-2", _search),
    ("bdl-3", _exactly_when("request", _ASKED)),
    ("bdl-4", _exactly_when("response", _ANSWERED)),
    ("bdl-5", _something),
    ("bdl-7", _once),
    ("bdl-8", _unversioned),
    ("bdl-9", _identified),
    ("bdl-10", _dated),
    ("bdl-11", _led_by("document", "Composition")),
    ("bdl-12", _led_by("message", "MessageHeader")),
)
