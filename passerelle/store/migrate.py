"""Run the numbered migrations (``passerelle migrate``), forward only.

Alembic without its files of settings: the scripts are packaged, the connection is handed in.
https://alembic.sqlalchemy.org/en/latest/api/runtime.html . Loading Alembic takes a second and a
half, so nothing on the way of ``serve`` loads this module.
"""

import asyncio
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import resources
from typing import Any

import alembic.config
import alembic.operations
import alembic.runtime.migration
import alembic.script
from sqlalchemy import Connection, create_engine, event, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from passerelle.fhir.search.search_parameters import digest
from passerelle.store.postgresql.postgres_url import driver_url
from passerelle.store.sqlite.sqlite_connection import connect_writer, path_of

LOCK = 7_205_759_403_792
"""Advisory lock on PostgreSQL: several gateways that start at once migrate one after another."""


def migrate(database_url: str) -> list[str]:
    """Bring a database to the last migration; give the names of those applied, oldest first.

    The file of an embedded record is made when it is not there. All of it is one transaction: when
    a migration fails, nothing has changed. May be called inside or outside an event loop; blocks.
    """
    if database_url.startswith("sqlite"):
        return _migrate_sqlite(database_url)
    with ThreadPoolExecutor(1) as thread:  # of its own, should an event loop run in this one
        return thread.submit(asyncio.run, _migrate_postgres(database_url)).result()


def _migrate_sqlite(database_url: str) -> list[str]:
    path = path_of(database_url)
    path.parent.mkdir(parents=True, exist_ok=True)

    def connect() -> sqlite3.Connection:
        return connect_writer(path)

    engine = create_engine("sqlite://", creator=connect, poolclass=pool.NullPool)
    event.listen(engine, "begin", _begin_immediate)
    try:
        with engine.begin() as connection:
            return _upgrade(connection)
    finally:
        engine.dispose()


def _begin_immediate(connection: Connection) -> None:
    """Take the file for writing before anything is read from it."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


async def _migrate_postgres(database_url: str) -> list[str]:
    engine = create_async_engine(driver_url(database_url), poolclass=pool.NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            return await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> list[str]:
    """Apply what is not applied yet, in the transaction that the connection is in."""
    applied: list[str] = []
    with _scripts() as scripts:

        def steps(current: Any, context: Any) -> Any:
            found = scripts._upgrade_revs("head", current)
            applied.extend(f"{step.revision.revision} {step.revision.doc}" for step in found)
            return found

        context = alembic.runtime.migration.MigrationContext.configure(
            connection, opts={"fn": steps, "transactional_ddl": True}
        )
        with alembic.operations.Operations.context(context):
            context.run_migrations()
    if connection.execute(text("SELECT count(*) FROM (SELECT 1 FROM resource LIMIT 1) x")).scalar():
        return applied
    # Of an empty record the index is complete, whatever the parameters are.
    connection.execute(text("DELETE FROM setting WHERE name = 'search-parameters'"))
    kept = {"name": "search-parameters", "bytes": digest()}
    connection.execute(text("INSERT INTO setting (name, bytes) VALUES (:name, :bytes)"), kept)
    return applied


@contextmanager
def _scripts() -> Iterator[alembic.script.ScriptDirectory]:
    """Give the packaged migrations."""
    folder = resources.files("passerelle.store.migrations")
    with resources.as_file(folder) as path:
        config = alembic.config.Config()
        config.set_main_option("script_location", str(path))
        config.set_main_option("path_separator", "os")
        yield alembic.script.ScriptDirectory.from_config(config)
