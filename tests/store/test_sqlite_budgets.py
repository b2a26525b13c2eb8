"""Readings that are too long for the event loop are begun again in a thread, and nothing stays."""

import pytest

from passerelle.store.sqlite import sqlite_readers
from passerelle.store.sqlite.sqlite_readers import SqliteReaders

pytestmark = pytest.mark.anyio

LONG = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
SELECT count(*) FROM n
"""


@pytest.fixture
async def readers(sqlite_database_url, tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_readers, "BUDGET", 1)
    made = SqliteReaders(tmp_path / "record.db")
    made.start()
    yield made
    await made.stop()


async def test_a_reading_over_its_budget_never_leaves_its_transaction_open(readers):
    # SQLite looks into a COMMIT once in a few hundred, for it goes on counting from the last one.
    for _ in range(1_500):
        assert await readers.rows(LONG, ()) == [(400,)]
        assert not readers._near.in_transaction
