"""The claims that resources hold, by a range of pids."""

from collections import defaultdict
from functools import cache

from sqlalchemy import BigInteger, bindparam, select

from passerelle.store.caller import SYSTEM
from passerelle.store.rows import Rows
from passerelle.store.sql.compiling import Compiled, DialectName, compiled
from passerelle.store.sql.planning import ClaimKey
from passerelle.store.upkeep.maintenance import Session


async def claims_by_pid(session: Session, low: int, high: int) -> dict[int, set[ClaimKey]]:
    """Give the claims of the resources from ``low`` to ``high``, both included."""
    held: dict[int, set[ClaimKey]] = defaultdict(set)
    for type_, system, value, pid in await session.rows(_held(session.dialect), low=low, high=high):
        held[pid].add((type_, system, value))
    return held


@cache
def _held(dialect: DialectName) -> Compiled:
    claim = Rows(SYSTEM).claim.c
    statement = select(claim.type, claim.system, claim.value, claim.pid).where(
        claim.pid >= bindparam("low", type_=BigInteger),
        claim.pid <= bindparam("high", type_=BigInteger),
    )
    return compiled(statement, dialect)
