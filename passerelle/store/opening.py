"""Choose the store by the address of its database (``PASSERELLE_DATABASE_URL``).

What is not chosen is not loaded: the driver of PostgreSQL costs an embedded record nothing.
"""

from collections.abc import Callable

from passerelle.store.contract import Store
from passerelle.store.postgresql.postgres_url import is_postgres


def open_store(
    database_url: str,
    *,
    clock: Callable[[], int],
    connections: int = 8,
    waiting_max: int = 1_024,
    full_text: bool = True,
) -> Store:
    """Make the store of a database; ``await store.open()`` is still to be called.

    ``clock`` gives microseconds since 1970 UTC. ``connections`` and ``waiting_max`` bound what one
    process asks of a PostgreSQL at once, and how many may wait for a connection. Without
    ``full_text`` nothing is searched by it. Raises ValueError
    for a URL that is neither ``sqlite:///…`` nor ``postgresql://…``.
    """
    if is_postgres(database_url):
        from passerelle.store.postgresql.postgres_store import PostgresStore

        return PostgresStore(
            database_url,
            clock=clock,
            connections=connections,
            waiting_max=waiting_max,
            full_text=full_text,
        )
    from passerelle.store.sqlite.sqlite_store import SqliteStore

    return SqliteStore(database_url, clock=clock, full_text=full_text)
