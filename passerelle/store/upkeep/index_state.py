"""Were the index rows made with the search parameters that this program has?

The digest of the table of parameters is kept beside the rows (``setting``, ``search-parameters``).
When the table has grown since, older resources have no rows of the new parameters: a search by one
of them would not find them until ``passerelle reindex`` has run.
"""

from functools import cache

from sqlalchemy import BindParameter, bindparam, delete, insert, select

from passerelle.fhir.search.search_parameters import digest
from passerelle.store import schema
from passerelle.store.sql.compiling import Compiled, DialectName, compiled
from passerelle.store.upkeep.maintenance import Session, session

NAME = "search-parameters"
"""The name of the setting that holds the digest."""


async def is_outdated(opened: Session) -> bool:
    """Tell whether the index rows were made with other parameters than this program's."""
    find, _, _ = _statements(opened.dialect)
    found = await opened.rows(find, name=NAME)
    return not found or bytes(found[0][0]) != digest()


async def note(opened: Session) -> None:
    """Note, in the transaction that is open, that the rows are those of this program."""
    _, remove, add = _statements(opened.dialect)
    await opened.rows(remove, name=NAME)
    await opened.rows(add, name=NAME, bytes=digest())


async def index_is_outdated(database_url: str) -> bool:
    """Tell of a database whether it must be indexed again.

    Raises what its driver raises when it cannot be reached.
    """
    async with session(database_url) as opened:
        return await is_outdated(opened)


@cache
def _statements(dialect: DialectName) -> tuple[Compiled, Compiled, Compiled]:
    """Give the statements that find, remove and add the digest."""
    setting = schema.setting
    name: BindParameter[str] = bindparam("name")
    return (
        compiled(select(setting.c.bytes).where(setting.c.name == name), dialect),
        compiled(delete(setting).where(setting.c.name == name), dialect),
        compiled(insert(setting).values(name=name, bytes=bindparam("bytes")), dialect),
    )
