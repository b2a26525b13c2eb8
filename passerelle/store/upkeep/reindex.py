"""Build again what is derived from the log (``passerelle reindex``): index rows, rights, claims.

A batch of resources is one transaction that keeps their writers away, so the record may stay in
use. Claims go in two passes, first those that are no longer made, then those that are new, so that
at no moment an identifier that is held is free.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from passerelle.fhir import json_text
from passerelle.fhir.resource import Key
from passerelle.fhir.search.index_rows import IndexRows
from passerelle.store.sql.cells import RIGHTS_COLUMNS, rights_cells
from passerelle.store.sql.index_tables import cells_by_table
from passerelle.store.sql.planning import ClaimKey
from passerelle.store.upkeep.check_resources import BATCH, PID_MAX, Row, count_of, heads_from
from passerelle.store.upkeep.claims_held import claims_by_pid
from passerelle.store.upkeep.findings import Derive, Progress
from passerelle.store.upkeep.index_state import note
from passerelle.store.upkeep.maintenance import Session, session

CONFLICTS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class ReindexReport:
    """How many resources were gone through, and which make a claim that another one holds."""

    resources: int
    conflicts: tuple[Key, ...]


async def reindex(
    database_url: str, derive: Derive, *, progress: Progress | None = None
) -> ReindexReport:
    """Build all that is derived again.

    Raises what the driver raises when the database cannot be reached.
    """
    tell = progress or _nobody
    conflicts: list[Key] = []
    async with session(database_url) as opened:
        total = (await opened.rows(count_of(opened.dialect)))[0][0]
        done = await _first_pass(opened, derive, tell, total)
        await _second_pass(opened, derive, conflicts)
        await opened.begin(write=True)
        await note(opened)
        await opened.end()
    return ReindexReport(done, tuple(conflicts[:CONFLICTS_MAX]))


def _nobody(done: int, of: int) -> None:
    """Tell nobody."""


async def _first_pass(opened: Session, derive: Derive, tell: Progress, total: int) -> int:
    """Replace index rows and columns of rights; let go of claims that are no longer made."""
    done, low = 0, -PID_MAX
    while rows := await _begin_batch(opened, low):
        index_rows: dict[int, IndexRows] = {}
        rights: list[tuple[object, ...]] = []
        made: dict[int, set[ClaimKey]] = {}
        for row in rows:
            if row.body is None:
                continue
            found, columns, claims = derive(json_text.decode(row.body))
            index_rows[row.pid] = found
            rights.append((*rights_cells(columns), row.pid))
            made[row.pid] = {(row.type, *claim) for claim in claims}
        await opened.clear([row.pid for row in rows])
        for kind, cells in cells_by_table(index_rows):
            await opened.insert(kind.table.name, (*kind.columns, "pid"), cells)
        await opened.update("resource", tuple(RIGHTS_COLUMNS), rights)
        held = await claims_by_pid(opened, rows[0].pid, rows[-1].pid)
        gone = [claim for pid, claims in held.items() for claim in claims - made.get(pid, set())]
        await opened.delete_claims(gone)
        await opened.end()
        done += len(rows)
        tell(done, max(done, total))
        low = rows[-1].pid + 1
    await opened.end()
    return done


async def _second_pass(opened: Session, derive: Derive, conflicts: list[Key]) -> None:
    """Make the claims that are not held; note those that another resource holds."""
    low = -PID_MAX
    while rows := await _begin_batch(opened, low):
        held = await claims_by_pid(opened, rows[0].pid, rows[-1].pid)
        wanted = {
            row.pid: {(row.type, *claim) for claim in derive(json_text.decode(row.body))[2]}
            for row in rows
            if row.body is not None
        }
        new = [(*c, pid) for pid, claims in wanted.items() for c in claims - held.get(pid, set())]
        await opened.insert("claim", ("type", "system", "value", "pid"), sorted(new))
        held = await claims_by_pid(opened, rows[0].pid, rows[-1].pid)
        conflicts += [
            row.key for row in rows if wanted.get(row.pid, set()) - held.get(row.pid, set())
        ]
        await opened.end()
        low = rows[-1].pid + 1
    await opened.end()


async def _begin_batch(opened: Session, low: int) -> Sequence[Row]:
    """Begin a transaction on the next resources; none are left when it gives none."""
    await opened.begin(write=True)
    rows = await heads_from(opened, low, BATCH)
    if not rows:
        return rows
    await opened.hold([row.key for row in rows])
    return await heads_from(opened, low, len(rows))
