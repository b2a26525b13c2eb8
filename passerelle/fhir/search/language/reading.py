"""What is at hand while a search is read, and the bound on what it may grow to."""

from dataclasses import dataclass

from passerelle.fhir.search.language.criterion import refuse
from passerelle.fhir.search.language.terminology import Terminology

CRITERIA_MAX = 2_000
"""Criteria that all chains of a search may spread to: each type of a target counts."""


@dataclass(slots=True)
class Reading:
    """One search as it is read: the address of this server, the terminology, how much was read."""

    base_url: str = ""
    terminology: Terminology | None = None
    read: int = 0

    def count(self, name: str) -> None:
        """Count one criterion more; raises Refused when there are too many."""
        self.read += 1
        if self.read > CRITERIA_MAX:
            raise refuse("search.chain-too-wide", name, limit=CRITERIA_MAX)
