"""Does what is derived agree with the log? (``passerelle check``, house sections 1.2 and 3.)

Read in batches, in one snapshot: versions without a gap and ending in the head; index rows, columns
of rights and claims as the body gives them again; no rows of nobody; bytes with the digest they are
kept under; no lease for ever; and, of SQLite, what it finds wrong with the file itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from passerelle.fhir.resource import Resource
from passerelle.fhir.search.index_rows import IndexRows
from passerelle.store.contract import Claim, RightsColumns
from passerelle.store.upkeep.maintenance import session

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


async def check(
    database_url: str, derive: Derive, *, now: int, progress: Progress | None = None
) -> CheckReport:
    """Check a record, which may be in use. ``now`` is in microseconds since 1970 UTC.

    Raises what the driver raises when the database cannot be reached.
    """
    from passerelle.store.upkeep.check_outbox import check_blobs, check_jobs, check_messages
    from passerelle.store.upkeep.check_resources import check_resources

    tally = Tally()
    async with session(database_url) as opened:
        for fault in await opened.faults():
            tally.find("file-damaged", fault)
        if tally.findings:
            return tally.report()  # what a damaged file says of the rest means nothing
        await opened.begin(write=False)
        await check_resources(opened, derive, tally, progress or _nobody)
        await check_blobs(opened, tally)
        await check_jobs(opened, tally, now)
        await check_messages(opened, tally)
        await opened.end()
    return tally.report()


def _nobody(done: int, of: int) -> None:
    """Tell nobody."""
