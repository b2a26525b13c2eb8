"""Connections to the one file of an embedded record (https://www.sqlite.org/wal.html).

Write-ahead log, every commit on the disk before it is answered (``synchronous=FULL``), foreign keys
on. Readers are read-only and never wait for the writer.
"""

import sqlite3
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

BUSY_MILLISECONDS = 5_000
"""How long a writer waits for another process that writes."""

CHECKPOINT_PAGES = 8_192
"""So long the log gets before its pages go into the file (32 MiB). A group of new resources changes
hundreds of pages, many of them the same as the group before; with SQLite's 1,000 every commit would
write them all a second time and wait for the disk twice more.
https://www.sqlite.org/wal.html#performance_considerations"""

STATEMENTS_CACHED = 512
CACHE_KIB = 16_384
"""Of pages, per connection. The file is not mapped: a failing disk must not be a crash."""


def path_of(database_url: str) -> Path:
    """Give the file of a ``sqlite:///relative`` or ``sqlite:////absolute`` URL.

    Raises ValueError for another scheme, or no file: the record is never in memory only.
    """
    parts = urlsplit(database_url)
    path = unquote(parts.path).removeprefix("/")
    if parts.scheme.partition("+")[0] != "sqlite" or parts.netloc or path in ("", ":memory:"):
        raise ValueError("a database URL of SQLite is sqlite:/// and the path of a file")
    return Path(path)


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open the file to write, making it when it is not there."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS_CACHED
    )
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    _size(connection)
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open the file to read only. Raises sqlite3.OperationalError when it is not there."""
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=ro",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=STATEMENTS_CACHED,
    )
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    connection.execute("PRAGMA query_only = ON")
    _size(connection)
    return connection


def _size(connection: sqlite3.Connection) -> None:
    """Bound what a connection holds in memory, and trust no function named in the file."""
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    connection.execute("PRAGMA temp_store = MEMORY")
