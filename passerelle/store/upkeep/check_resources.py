"""The part of the check that goes through all resources, a range of pids at a time."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, bindparam, func, select
from sqlalchemy.sql.selectable import FromClause

from passerelle.fhir import json_text
from passerelle.fhir.instants import parse_instant
from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM
from passerelle.store.rows import Rows
from passerelle.store.sql.cells import RIGHTS_COLUMNS, rights_cells
from passerelle.store.sql.compiling import Compiled, DialectName, compiled
from passerelle.store.sql.index_tables import INDEX_TABLES, IndexTable, cells_by_table
from passerelle.store.upkeep.findings import Derive, Progress, Tally
from passerelle.store.upkeep.maintenance import Session

BATCH = 200
PID_MAX = (1 << 62) - 1


class Row(NamedTuple):
    """A row of ``resource`` with the body of its head."""

    pid: int
    type: str
    id: str
    version: int
    seq: int
    updated: int
    deleted: bool
    body: bytes | None
    rights: tuple[Any, ...]

    @property
    def key(self) -> Key:
        """Its key."""
        return Key(self.type, self.id)


async def check_resources(
    session: Session,
    derive: Derive,
    tally: Tally,
    progress: Progress,
    passing: Collection[int] = (),
) -> None:
    """Check all resources, and that nothing stands in the index tables that is not theirs.

    ``passing`` are the parameters whose rows are being made or cleared: they are left aside.
    """
    count = (await session.rows(count_of(session.dialect)))[0][0]
    low = -PID_MAX
    while True:
        rows = await heads_from(session, low, BATCH)
        high = rows[-1].pid if len(rows) == BATCH else PID_MAX
        await _check_range(
            session, {row.pid: row for row in rows}, low, high, derive, tally, passing
        )
        tally.resources += len(rows)
        progress(tally.resources, max(count, tally.resources))
        if high == PID_MAX:
            return
        low = high + 1


async def heads_from(session: Session, low: int, count: int) -> list[Row]:
    """Give the next resources from a pid on."""
    found = await session.rows(_heads(session.dialect), low=low, count=count)
    return [Row._make((*cells[:6], bool(cells[6]), cells[7], tuple(cells[8:]))) for cells in found]


async def _check_range(
    session: Session,
    rows: Mapping[int, Row],
    low: int,
    high: int,
    derive: Derive,
    tally: Tally,
    passing: Collection[int],
) -> None:
    wanted = {pid: _derived(row, derive, tally) for pid, row in rows.items()}
    await _check_versions(session, rows, low, high, tally)
    for kind in (*INDEX_TABLES, None):
        found: dict[int, set[tuple[Any, ...]]] = defaultdict(set)
        for *cells, pid in await session.rows(_of_range(kind, session.dialect), low=low, high=high):
            tally.rows += 1
            if kind is None or abs(cells[0]) not in passing:
                found[pid].add(tuple(cells))
        name = kind.table.name if kind else "claim"
        for pid in found.keys() - rows.keys():
            tally.find("rows-of-nobody", f"{name} {pid}")
        for pid, row in rows.items():
            should = wanted[pid].get(name, set())
            if passing and kind is not None:
                should = {cells for cells in should if abs(cells[0]) not in passing}
            if found.get(pid, set()) != should:
                tally.find("claims-differ" if kind is None else "rows-differ", row.key)


def _derived(row: Row, derive: Derive, tally: Tally) -> dict[str, set[tuple[Any, ...]]]:
    """Derive again from the body of a head; give the cells wanted by table."""
    if row.body is None:
        return {}
    try:
        resource = json_text.decode(row.body)
        meta = resource["meta"]
        said = (resource["resourceType"], resource["id"], int(meta["versionId"]))
        at = parse_instant(meta["lastUpdated"])
        index_rows, rights, claims = derive(resource)
    except Exception:  # whatever a damaged body does to them
        tally.find("body-unreadable", row.key)
        return {}
    if (*said, at) != (row.type, row.id, row.version, row.updated):
        tally.find("body-differs", row.key)
    if tuple(map(_plain, row.rights)) != tuple(map(_plain, rights_cells(rights))):
        tally.find("rights-differ", row.key)
    wanted = {
        kind.table.name: {cells[:-1] for cells in found}
        for kind, found in cells_by_table({row.pid: index_rows})
    }
    wanted["claim"] = {(row.type, *claim) for claim in claims}
    return wanted


def _plain(value: Any) -> Any:
    """SQLite keeps truth as a number."""
    return int(value) if isinstance(value, bool) else value


async def _check_versions(
    session: Session, rows: Mapping[int, Row], low: int, high: int, tally: Tally
) -> None:
    log: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for pid, *cells in await session.rows(_log(session.dialect), low=low, high=high):
        log[pid].append(tuple(cells))
        tally.versions += 1
    for pid in log.keys() - rows.keys():
        tally.find("versions-of-nobody", pid)
    for pid, row in rows.items():
        versions = log.get(pid, [])
        if [version[0] for version in versions] != list(range(1, len(versions) + 1)):
            tally.find("version-gap", row.key)
        if any(a[1] >= b[1] or a[2] > b[2] for a, b in pairwise(versions)):
            tally.find("version-order", row.key)
        head = (row.version, row.seq, row.updated, row.deleted)
        if not versions or (*versions[-1][:3], bool(versions[-1][3])) != head:
            tally.find("head-differs", row.key)


@cache
def count_of(dialect: DialectName) -> Compiled:
    """Count the resources."""
    return compiled(select(func.count()).select_from(Rows(SYSTEM).resource), dialect)


@cache
def _heads(dialect: DialectName) -> Compiled:
    rows = Rows(SYSTEM)
    head, version = rows.resource.c, rows.version.c
    statement = (
        select(
            *(head[name] for name in ("pid", "type", "id", "version", "seq", "updated", "deleted")),
            version.body,
            *(head[name] for name in RIGHTS_COLUMNS),
        )
        .join_from(rows.resource, rows.version, version.seq == head.seq, isouter=True)
        .where(head.pid >= bindparam("low", type_=BigInteger))
        .order_by(head.pid)
        .limit(bindparam("count", type_=BigInteger))
    )
    return compiled(statement, dialect)


@cache
def _log(dialect: DialectName) -> Compiled:
    rows = Rows(SYSTEM)
    version = rows.version.c
    statement = select(
        version.pid, version.version, version.seq, version.at, version.body.is_(None)
    ).where(*_between(rows.version))
    return compiled(statement.order_by(version.pid, version.version), dialect)


@cache
def _of_range(kind: IndexTable | None, dialect: DialectName) -> Compiled:
    """Give the rows of an index table (or of ``claim``) that belong to a range of pids."""
    rows = Rows(SYSTEM)
    table: FromClause = getattr(rows, kind.table.name) if kind else rows.claim
    columns = kind.columns if kind else ("type", "system", "value")
    statement = select(*(table.c[column] for column in columns), table.c.pid)
    return compiled(statement.where(*_between(table)), dialect)


def _between(table: FromClause) -> tuple[Any, Any]:
    return (
        table.c.pid >= bindparam("low", type_=BigInteger),
        table.c.pid <= bindparam("high", type_=BigInteger),
    )
