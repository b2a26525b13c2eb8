"""What is at hand while a search is read, and the bound on what it may grow to."""

from dataclasses import dataclass

from passerelle.fhir.search.language.criterion import refuse
from passerelle.fhir.search.language.terminology import Terminology
from passerelle.fhir.search.registry import STANDARD, Registry
from passerelle.fhir.search.search_parameters import Parameter

CRITERIA_MAX = 2_000
"""Criteria that all chains of a search may spread to: each type of a target counts."""

LINKS_MAX = 40
"""Links that the chains and `_has` of a search may have together, as they are spelled. The
statement that follows them is composed once for each new shape: some milliseconds a link."""


@dataclass(slots=True)
class Reading:
    """One search as it is read: server address, terminology, parameters, how much was read.

    ``asks_added`` tells that a parameter was asked that had been added to the record.
    """

    base_url: str = ""
    terminology: Terminology | None = None
    read: int = 0
    links: int = 0
    registry: Registry = STANDARD
    asks_added: bool = False

    def parameter(self, type: str, code: str, name: str) -> Parameter | None:
        """Give a parameter by its code; raises Refused for one that is not ready."""
        found = self.registry.parameters(type).get(code)
        if found is None and self.registry.added:
            percent = self.registry.waiting(type, code)
            if percent is not None:
                raise refuse("search.parameter-not-ready", name, percent=percent)
        if found is not None and found.is_added:
            self.asks_added = True
        return found

    def follow(self, name: str) -> None:
        """Count the links of one parameter, by its name; raises Refused when there are too many."""
        links = name.count(".") + name.count("_has:")
        if links <= LINKS_MAX:  # else it is refused for itself: no chain is that deep
            self.links += links
        if self.links > LINKS_MAX:
            raise refuse("search.too-many-links", name, limit=LINKS_MAX)

    def count(self, name: str) -> None:
        """Count one criterion more; raises Refused when there are too many."""
        self.read += 1
        if self.read > CRITERIA_MAX:
            raise refuse("search.chain-too-wide", name, limit=CRITERIA_MAX)
