"""A transaction or batch Bundle, read whole before anything is done: every fault named at once.

https://hl7.org/fhir/R4/http.html#transaction . Pure: what a reference designates in the record
is asked of the functions that are handed in.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from passerelle.errors.refusals import Invalid, Issue, NotSupported, PasserelleError
from passerelle.errors.rules import issue
from passerelle.fhir.bundles.bundle_links import URN, links, said_references
from passerelle.fhir.bundles.transaction_entries import EntryReading, PlannedEntry
from passerelle.fhir.resource import Key, Resource

ENTRIES_MAX = 10_000
"""As many entries one bundle may hold."""

FAULTS_MAX = 500
"""As many are told of one bundle; a last one says that there are more. Once there are more, what
was not looked at yet is not looked at."""

ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3}
"""The order of processing that the standard fixes for a transaction."""

DUPLICATE = {
    "fullUrl": "bundle.full-url-duplicate",
    "resource.id": "bundle.identity-duplicate",
}
REST_TAIL = re.compile(r"(?:^|/)([A-Z][A-Za-z]{0,63}/[A-Za-z0-9.\-]{1,64})(?:/_history/[^/]+)?\Z")
VERSION_TAIL = re.compile(r"/_history/[^/#]+\Z")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a bundle asks: its entries in the order of processing.

    ``targets`` gives, for every spelling by which the bundle may speak of one of its own
    resources (fullUrl, ``Type/id``), the index of its entry. ``refused`` (batch only) holds the
    refusal of each entry that is not in ``entries``; ``size`` counts both.
    """

    kind: Literal["transaction", "batch"]
    entries: tuple[PlannedEntry, ...]
    size: int
    targets: Mapping[str, int]
    refused: Mapping[int, PasserelleError]

    def resolver(self, keys: Mapping[int, Key]) -> Callable[[str], str | None]:
        """Give the function that spells a link to an entry as ``Type/id``, once keys are known."""

        def resolve(link: str) -> str | None:
            index = self.targets.get(_without_version(link))
            if index is None or index not in keys:
                return None
            return str(keys[index])

        return resolve


def plan(bundle: Resource, *, types: Collection[str], base_url: str = "") -> Plan:
    """Read a bundle of type transaction or batch.

    ``types`` are the resource types that may be kept. Raises Invalid with every fault of a
    transaction (of a batch: only those of the bundle itself), or NotSupported when nothing is
    wrong but that entries ask for what is not there yet.
    """
    kind, entries = _opened(bundle)
    planned: list[PlannedEntry] = []
    faults: dict[int, list[Issue]] = {}
    left = FAULTS_MAX
    for index, entry in enumerate(entries):
        reading = EntryReading(index, entry, types, base_url)
        read = reading.run()
        if read is None:
            faults[index] = reading.faults
            left -= len(reading.faults)
            if left < 0 and kind != "batch":
                break
        else:
            planned.append(read)
    if kind == "batch":
        refused = {index: _refusal(said) for index, said in faults.items()}
        return Plan("batch", tuple(planned), len(entries), {}, refused)
    targets, doubled = _targets(planned)
    for read in planned if left >= 0 else ():
        said = [*doubled.get(read.index, ()), *_unresolved(read, targets)]
        if said:
            faults[read.index] = said
            left -= len(said)
            if left < 0:
                break
    if faults:
        told = [said for index in sorted(faults) for said in faults[index]]
        raise _refusal(bounded_faults(told))
    planned.sort(key=lambda entry: 3 if entry.interaction == "ask" else ORDER[entry.method])
    return Plan("transaction", tuple(planned), len(entries), targets, {})


def bounded_faults(told: list[Issue]) -> list[Issue]:
    """Give as many faults of a bundle as are told; a last one says that there are more."""
    if len(told) <= FAULTS_MAX:
        return told
    more = issue("bundle.too-many-faults", "Bundle.entry", limit=FAULTS_MAX)
    return [*told[:FAULTS_MAX], more]


def _opened(bundle: Resource) -> tuple[Literal["transaction", "batch"], list[Any]]:
    if bundle.get("resourceType") != "Bundle":
        raise Invalid(issue("bundle.not-a-bundle", "resourceType"))
    kind = bundle.get("type")
    if kind not in ("transaction", "batch"):
        raise Invalid(issue("bundle.type", "Bundle.type"))
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise Invalid(issue("bundle.entry-list", "Bundle.entry"))
    if len(entries) > ENTRIES_MAX:
        raise Invalid(issue("bundle.too-many-entries", "Bundle.entry", limit=ENTRIES_MAX))
    return kind, entries


def _without_version(link: str) -> str:
    return VERSION_TAIL.sub("", link) if "/_history/" in link else link


def _refusal(faults: list[Issue]) -> PasserelleError:
    if all(fault.code == "not-supported" for fault in faults):
        return NotSupported(*faults)
    return Invalid(*faults)


def _targets(planned: list[PlannedEntry]) -> tuple[dict[str, int], dict[int, list[Issue]]]:
    """Give the spellings of every entry's resource, and the faults of those that stand twice."""
    targets: dict[str, int] = {}
    faults: dict[int, list[Issue]] = {}
    written: dict[Key, int] = {}
    for entry in planned:
        place = f"Bundle.entry[{entry.index}]"
        said: list[Issue] = []
        if entry.method in ("PUT", "PATCH", "DELETE") and entry.key is not None:
            first = written.setdefault(entry.key, entry.index)
            if first != entry.index:
                said.append(issue("bundle.identity-duplicate", f"{place}.request.url", other=first))
        for spelling, element in _spellings(entry):
            first = targets.setdefault(spelling, entry.index)
            if first != entry.index and not said:
                said.append(issue(DUPLICATE[element], f"{place}.{element}", other=first))
        if said:
            faults[entry.index] = said
    return targets, faults


def _spellings(entry: PlannedEntry) -> list[tuple[str, str]]:
    """Give how the bundle may speak of an entry's resource, with the element that says so."""
    if entry.resource is None or entry.method == "PATCH" or entry.interaction == "ask":
        return []  # a patch is no resource of the record, nor are the inputs of an operation
    found = {}
    if entry.full_url is not None:
        found[VERSION_TAIL.sub("", entry.full_url)] = "fullUrl"
        tail = REST_TAIL.search(entry.full_url)
        if tail and not entry.full_url.startswith(URN):
            found.setdefault(tail[1], "fullUrl")
    id_ = entry.resource.get("id")
    if isinstance(id_, str):
        found.setdefault(f"{entry.type}/{id_}", "resource.id")
    return list(found.items())


def _unresolved(entry: PlannedEntry, targets: Mapping[str, int]) -> list[Issue]:
    """Name the urn references that no entry answers to: nobody could ever follow them."""
    if entry.resource is None or entry.interaction == "ask":
        return []
    said = said_references(entry.resource)
    if not any(text.startswith(URN) and text not in targets for text in said):
        return []
    place = f"Bundle.entry[{entry.index}].resource"
    return [
        issue("bundle.reference-unresolved", path)
        for name, text, path in links(entry.resource, place)
        if name == "reference" and text.startswith(URN) and text not in targets
    ]
