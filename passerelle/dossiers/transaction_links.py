"""What the links of a transaction lead to: its own entries, or what a condition designates.

https://hl7.org/fhir/R4/http.html#trules . A conditional reference (``Patient?identifier=…``) is
resolved to the one resource that it designates in the record and in the bundle together.
"""

from dataclasses import replace

from passerelle.dossiers.bundle_matches import BundleMatches
from passerelle.dossiers.bundle_refusals import place_of
from passerelle.dossiers.conditions import condition
from passerelle.dossiers.transaction_keys import Keys
from passerelle.errors.refusals import Issue, PasserelleError
from passerelle.errors.rules import issue
from passerelle.fhir.bundles.bundle_links import conditional_references
from passerelle.fhir.bundles.transaction_entries import PlannedEntry
from passerelle.fhir.bundles.transaction_plan import Plan
from passerelle.fhir.resource import Key


class Links:
    """The links of one transaction, once its entries have keys."""

    def __init__(self, planned: Plan, keys: Keys) -> None:
        self.keys = keys
        self._entries = planned.entries
        self._found: dict[str, str | Issue] = {}  # conditional references, resolved or at fault
        self._to_entry = planned.resolver(keys.by_entry)
        self._matches: BundleMatches | None = None

    async def look_up(self, entry: PlannedEntry) -> None:
        """Find what the conditional references of an entry designate; note each at fault."""
        if entry.interaction == "ask":  # the inputs of an operation are not kept
            return
        place = f"{place_of(entry.index)}.resource"
        for text, expression in conditional_references(entry.resource or {}, place):
            if text not in self._found:
                self._found[text] = await self._resolved(text)
            found = self._found[text]
            if isinstance(found, Issue):
                fault = replace(found, expression=expression)
                self.keys.faults.append((entry.index, fault))

    async def _resolved(self, text: str) -> str | Issue:
        """Give the one resource that a conditional reference designates, or what is at fault."""
        type_, _, criteria = text.partition("?")
        try:
            query = await condition(self.keys.gateway, self.keys.caller, type_, criteria)
        except PasserelleError as refusal:
            return refusal.issues[0]
        found = {Key(type_, id_) for id_ in await self.keys.designated(query)}
        if self._matches is None:
            self._matches = BundleMatches(self._entries)
        found |= self._matches.matching(type_, criteria, self.keys.by_entry)
        if len(found) == 1:
            return str(found.pop())
        return issue("bundle.reference-several" if found else "bundle.reference-none")

    def resolve(self, link: str) -> str | None:
        """Give what a link stands for, ``Type/id``; None when it leads to nothing of these."""
        found = self._found.get(link)
        return found if isinstance(found, str) else self._to_entry(link)
