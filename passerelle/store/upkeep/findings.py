"""What a check finds, counted and told; and what it is handed to look with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from passerelle.fhir.resource import Resource
from passerelle.fhir.search.index_rows import IndexRows
from passerelle.store.contract import Claim, RightsColumns

Derive: TypeAlias = Callable[[Resource], tuple[IndexRows, RightsColumns, tuple[Claim, ...]]]
"""What is derived from a body as served (``dossiers.keeping.derive``)."""

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many resources are done, and of how many."""

FINDINGS_MAX = 1_000


class Finding(NamedTuple):
    """One thing that is wrong: a slug, and where (a reference, a digest, a job); no content."""

    rule: str
    place: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was looked at, and what is wrong with it (at most ``FINDINGS_MAX`` are told)."""

    resources: int
    versions: int
    rows: int
    blobs: int
    jobs: int
    messages: int
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.findings


class Tally:
    """Counts and findings on their way into a report."""

    def __init__(self) -> None:
        self.resources = self.versions = self.rows = self.blobs = self.jobs = self.messages = 0
        self.findings: list[Finding] = []

    def find(self, rule: str, place: object) -> None:
        """Note something that is wrong."""
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding(rule, str(place)))

    def report(self) -> CheckReport:
        """Give the report."""
        return CheckReport(
            self.resources,
            self.versions,
            self.rows,
            self.blobs,
            self.jobs,
            self.messages,
            tuple(self.findings),
        )
