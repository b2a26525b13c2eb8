"""The part of the check that looks at the full text, as far as it has followed the log."""

import re
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Text, bindparam, cast, select

from passerelle.fhir import json_text
from passerelle.fhir.search.full_text_words import GAP, MARK, full_text
from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Mark
from passerelle.store.full_text import NAME, mark_reading
from passerelle.store.rows import Rows
from passerelle.store.sql.compiling import Compiled, DialectName, compiled
from passerelle.store.upkeep.check_resources import BATCH, PID_MAX, Row, heads_from
from passerelle.store.upkeep.findings import Tally
from passerelle.store.upkeep.maintenance import Session

_LEXEME = re.compile(r"'([^']*)':([0-9,]+)")


async def check_full_text(session: Session, tally: Tally) -> None:
    """Check that each resource that was followed has its words, and no other has any."""
    if not await has_full_text(session):
        return
    found = await session.rows(mark_reading(session.dialect), name=NAME)
    mark = Mark(*found[0]) if found else Mark()
    low = -PID_MAX
    while True:
        rows = await heads_from(session, low, BATCH)
        high = rows[-1].pid if len(rows) == BATCH else PID_MAX
        texts = await session.rows(_of_range(session.dialect), low=low, high=high)
        kept = {pid: (_places(narrative), _places(content)) for pid, narrative, content in texts}
        for pid in kept.keys() - {row.pid for row in rows}:
            tally.find("rows-of-nobody", f"full_text {pid}")
        for row in rows:
            if (row.updated, row.seq) <= mark and kept.get(row.pid) != _wanted(row):
                tally.find("full-text-differs", row.key)
        tally.rows += len(texts)
        if high == PID_MAX:
            return
        low = high + 1


async def has_full_text(session: Session) -> bool:
    """Tell whether the table is there, and this SQLite can read it."""
    if session.dialect == "postgresql":
        return True
    there = "SELECT 1 FROM sqlite_master, pragma_module_list AS module "
    there += "WHERE sqlite_master.name = 'full_text' AND module.name = 'fts5'"
    return bool(await session.rows(Compiled(there, (), {})))


def _wanted(row: Row) -> Any:
    """Give what should be kept of a head; a body that nothing can be read from has no words."""
    if row.body is None:
        return None
    try:
        words = full_text(json_text.decode(row.body))
    except Exception:  # whatever a damaged body does to them: told by the check of resources
        return None
    return _places(words.narrative), _places(words.content)


def _places(text: str) -> frozenset[tuple[str, int]]:
    """Give the words of a text with their places, from either database's way to keep them."""
    if text.startswith(MARK):
        words = enumerate(text.split(" "), 1)
        return frozenset((word, place) for place, word in words if word not in (GAP, MARK))
    return frozenset(
        (word, int(place)) for word, at in _LEXEME.findall(text) for place in at.split(",")
    )


@cache
def _of_range(dialect: DialectName) -> Compiled:
    text = Rows(SYSTEM).full_text.c
    low, high = bindparam("low", type_=BigInteger), bindparam("high", type_=BigInteger)
    statement = select(text.pid, cast(text.narrative, Text), cast(text.content, Text))
    return compiled(statement.where(text.pid >= low, text.pid <= high), dialect)
