"""Does what is derived agree with the log? (``passerelle check``, house sections 1.2 and 3.)

Read in batches, in one snapshot: versions without a gap and ending in the head; index rows, columns
of rights and claims as the body gives them again; no rows of nobody; bytes with the digest they are
kept under; no lease for ever; and, of SQLite, what it finds wrong with the file itself.
"""

from passerelle.store.parameter_rows import all_rows, parameter_of
from passerelle.store.upkeep.check_full_text import check_full_text
from passerelle.store.upkeep.check_outbox import check_blobs, check_jobs, check_messages
from passerelle.store.upkeep.check_resources import check_resources
from passerelle.store.upkeep.findings import CheckReport, Derive, Progress, Tally
from passerelle.store.upkeep.index_state import NAME, is_outdated
from passerelle.store.upkeep.maintenance import session


async def check(
    database_url: str, derive: Derive, *, now: int, progress: Progress | None = None
) -> CheckReport:
    """Check a record, which may be in use. ``now`` is in microseconds since 1970 UTC.

    Raises what the driver raises when the database cannot be reached.
    """
    tally = Tally()
    async with session(database_url) as opened:
        for fault in await opened.faults():
            tally.find("file-damaged", fault)
        if tally.findings:
            return tally.report()  # what a damaged file says of the rest means nothing
        await opened.begin(write=False)
        if await is_outdated(opened):
            tally.find("index-outdated", NAME)
        passing = {
            parameter_of(row).id
            for row in await all_rows(opened)
            if row.state in ("indexing", "clearing")
        }
        await check_resources(opened, derive, tally, progress or _nobody, passing)
        await check_full_text(opened, tally)
        await check_blobs(opened, tally)
        await check_jobs(opened, tally, now)
        await check_messages(opened, tally)
        await opened.end()
    return tally.report()


def _nobody(done: int, of: int) -> None:
    """Tell nobody."""
