"""What criteria designate among the resources that a transaction itself makes.

https://hl7.org/fhir/R4/http.html#trules (conditional references). They are not in the record yet;
criteria that name business identifiers, as all those of the French guides do, are compared here.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from passerelle.fhir.bundles.transaction_entries import PlannedEntry
from passerelle.fhir.resource import Key

MADE = frozenset({"create", "update", "update_matching"})


class BundleMatches:
    """The business identifiers of the resources of a bundle, by type."""

    def __init__(self, entries: Iterable[PlannedEntry]) -> None:
        self._found: dict[tuple[str, str | None, str], set[int]] = {}
        for entry in entries:
            if entry.interaction not in MADE or entry.resource is None:
                continue
            for system, value in _identifiers(entry.resource):
                for asked in {(system, value), (None, value)}:
                    self._found.setdefault((entry.type, *asked), set()).add(entry.index)

    def matching(self, type: str, criteria: str, keys: Mapping[int, Key]) -> frozenset[Key]:
        """Give the keys of the entries that criteria of identifiers designate."""
        found: set[int] | None = None
        for name, text in parse_qsl(criteria, keep_blank_values=True):
            if name != "identifier" or "," in text or "\\" in text:
                return frozenset()
            system, bar, value = text.rpartition("|")
            these = self._found.get((type, system if bar else None, value), set())
            found = these if found is None else found & these
        return frozenset(keys[index] for index in found or () if index in keys)


def _identifiers(resource: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    listed = resource.get("identifier")
    for one in listed if isinstance(listed, list) else (listed,):
        if isinstance(one, dict) and isinstance(one.get("value"), str):
            yield str(one.get("system", "")), one["value"]
