"""The part of the check that goes through bytes, jobs and messages."""

from functools import cache
from hashlib import sha256

from sqlalchemy import BigInteger, Text, bindparam, func, select

from passerelle.store import schema
from passerelle.store.caller import SYSTEM
from passerelle.store.rows import Rows
from passerelle.store.sql import listings, upload_statements
from passerelle.store.sql.compiling import Compiled, DialectName, compiled
from passerelle.store.sql.parts import parts_count
from passerelle.store.upkeep.findings import Tally
from passerelle.store.upkeep.maintenance import Session

BATCH = 500
LEASE_MICROSECONDS_MAX = 24 * 3600 * 1_000_000
"""A lease that ends later than that is one for ever."""


async def check_blobs(session: Session, tally: Tally) -> None:
    """Check that bytes have the digest they are kept under, and that those named are there.

    Those that nothing names have to be noted, or no sweep would ever find them.
    """
    whole: set[str] = set()
    last = ""
    while found := await session.rows(_blobs(session.dialect), last=last, count=BATCH):
        for digest, parts, size in found:
            tally.blobs += 1
            if parts < parts_count(size):
                continue  # cut short by a crash: harmless, completed by a second put or swept
            if await _digest_of(session, digest, parts) == digest:
                whole.add(digest)
            else:
                tally.find("bytes-differ", digest)
        last = found[-1][0]
    for (digest,) in await session.rows(_blobs_named(session.dialect)):
        if digest not in whole:
            tally.find("bytes-missing", digest)
    for (digest,) in await session.rows(upload_statements.unnoted(session.dialect)):
        tally.find("bytes-of-nobody", digest)


async def _digest_of(session: Session, digest: str, parts: int) -> str:
    sum = sha256()
    for number in range(parts):
        statement = listings.blob_part(session.dialect)
        for (some,) in await session.rows(statement, sha256=digest, part=number):
            sum.update(some)
    return sum.hexdigest()


async def check_jobs(session: Session, tally: Tally, now: int) -> None:
    """Check that what is leased has a holder and an end, and what is not has neither."""
    tally.jobs = (await session.rows(_count(session.dialect, "job")))[0][0]
    statement = _leases(session.dialect)
    for id_, state, lease, holder in await session.rows(statement):
        held = lease is not None and holder is not None
        if held != (state == "leased") or (held and lease > now + LEASE_MICROSECONDS_MAX):
            tally.find("job-lease", id_)


async def check_messages(session: Session, tally: Tally) -> None:
    """Count the messages; that their bytes are there was seen with the blobs."""
    tally.messages = (await session.rows(_count(session.dialect, "message")))[0][0]


@cache
def _blobs(dialect: DialectName) -> Compiled:
    blob = schema.blob.c
    statement = (
        select(blob.sha256, func.count(), func.max(blob.size))
        .where(blob.sha256 > bindparam("last", type_=Text))
        .group_by(blob.sha256)
        .order_by(blob.sha256)
        .limit(bindparam("count", type_=BigInteger))
    )
    return compiled(statement, dialect)


@cache
def _blobs_named(dialect: DialectName) -> Compiled:
    version = Rows(SYSTEM).version
    named = select(version.c.blob).where(version.c.blob.is_not(None))
    return compiled(named.union(select(schema.message.c.sha256)), dialect)


@cache
def _leases(dialect: DialectName) -> Compiled:
    job = schema.job.c
    statement = select(job.id, job.state, job.lease, job.holder).where(
        (job.state == "leased") | job.lease.is_not(None) | job.holder.is_not(None)
    )
    return compiled(statement, dialect)


@cache
def _count(dialect: DialectName, table: str) -> Compiled:
    return compiled(select(func.count()).select_from(schema.metadata.tables[table]), dialect)
