"""Resources to keep in a record."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest

from passerelle.store.contract import Draft
from passerelle.store.migrate import migrate
from passerelle.store.postgresql.postgres_url import plain_url
from tests.store.drafts import derive, make_draft

HELD_UP = """
CREATE FUNCTION held_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.author = 'slow' THEN PERFORM pg_advisory_xact_lock(1); END IF; RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER held_up AFTER INSERT ON version DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION held_up()
"""
"""Transactions of one author end only when the test lets them."""


@pytest.fixture(scope="session")
def draft() -> Callable[..., Draft]:
    """The maker of drafts."""
    return make_draft


@pytest.fixture(scope="session")
def derived() -> Callable[..., Any]:
    """The rule of what is derived."""
    return derive


@pytest.fixture
async def late_url(empty_postgres_url: str, anyio_backend: str) -> AsyncIterator[str]:
    """A database of PostgreSQL in which the commits of ``slow`` wait for the test."""
    await asyncio.to_thread(migrate, empty_postgres_url)
    connection = await asyncpg.connect(plain_url(empty_postgres_url))
    await connection.execute(HELD_UP)
    yield empty_postgres_url
    await connection.close()
