"""The words of the full text on PostgreSQL: two ``tsvector`` a resource.

https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSVECTOR . They are
spelled out here, word by word with its places, so that no parser of the server has a say in it.
"""

from collections.abc import Sequence
from typing import Any

from passerelle.fhir.search.full_text_words import GAP, MARK
from passerelle.store.contract import Mark
from passerelle.store.full_text import NAME, Kept
from passerelle.store.postgresql.postgres_connections import Connections
from passerelle.store.sql.compiling import DialectName

_BEGIN = "INSERT INTO follower (name, at, seq) VALUES ($1, 0, 0) ON CONFLICT (name) DO NOTHING"
_FIND = "SELECT at, seq FROM follower WHERE name = $1 FOR UPDATE"
_MOVE = "UPDATE follower SET at = $2, seq = $3 WHERE name = $1"
_CLEAR = "DELETE FROM full_text WHERE rowid = ANY($1::bigint[])"
_KEEP = (
    "INSERT INTO full_text (rowid, narrative, content) "
    "VALUES ($1, CAST($2::text AS tsvector), CAST($3::text AS tsvector))"
)


class PostgresShelf:
    """Keeps what :class:`passerelle.store.full_text.FullText` gathers."""

    dialect: DialectName = "postgresql"

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def rows(self, sql: str, args: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
        """Give the rows of a reading."""
        async with self._connections.held() as connection:
            found: Sequence[Sequence[Any]] = await connection.fetch(sql, *args)
            return found

    async def move(
        self, before: Mark, after: Mark, pids: Sequence[int], kept: Sequence[Kept]
    ) -> bool:
        """Replace words and go on to a mark, unless it was moved meanwhile."""
        async with self._connections.held() as connection, connection.transaction():
            await connection.execute(_BEGIN, NAME)
            found = await connection.fetchrow(_FIND, NAME)
            if Mark(*found) != before:
                return False
            await connection.execute(_MOVE, NAME, *after)
            await connection.execute(_CLEAR, list(pids))
            rows = [(each.pid, *map(vector, each.words)) for each in kept]
            await connection.executemany(_KEEP, rows)
            return True


def vector(words: str) -> str:
    """Spell out the words of a text with the places they stand at."""
    places: dict[str, list[str]] = {}
    for place, word in enumerate(words.split(" "), 1):
        if word not in (GAP, MARK):
            places.setdefault(word, []).append(str(place))
    return " ".join(f"'{word}':{','.join(at)}" for word, at in places.items())
