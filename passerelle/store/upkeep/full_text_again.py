"""Gather the words of all resources again (the last part of ``passerelle reindex``)."""

from passerelle.store.contract import Store
from passerelle.store.full_text import NAME
from passerelle.store.full_text_tables import FTS5
from passerelle.store.sql.compiling import Compiled
from passerelle.store.upkeep.check_full_text import has_full_text
from passerelle.store.upkeep.maintenance import Session, session

_KNOWN = Compiled("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'", (), {})
_THERE = Compiled("SELECT 1 FROM sqlite_master WHERE name = 'full_text'", (), {})


async def forget_full_text(database_url: str) -> None:
    """Forget all words and the place reached; make the table where it can be made by now.

    Raises what the driver raises when the database cannot be reached.
    """
    async with session(database_url) as opened:
        await opened.begin(write=True)
        await _demand_table(opened)
        await opened.rows(Compiled(f"DELETE FROM follower WHERE name = '{NAME}'", (), {}))
        if await has_full_text(opened):
            await opened.rows(Compiled("DELETE FROM full_text", (), {}))
        await opened.end()


async def _demand_table(opened: Session) -> None:
    """Make the table on a SQLite that has FTS5 now and had not when the record was made."""
    if opened.dialect != "sqlite" or not await opened.rows(_KNOWN):
        return
    if not await opened.rows(_THERE):
        await opened.rows(Compiled(FTS5, (), {}))


async def gather_full_text(store: Store) -> int:
    """Follow the log to its end on an open store; give how many changes there were."""
    done = 0
    while store.full_text.on and (step := await store.full_text.step()):
        done += step
    return done
