"""What every test may use."""

import os
from pathlib import Path

import pytest

from tests.databases import (  # noqa: F401
    clock,
    database_url,
    empty_postgres_url,
    late_url,
    postgres_database,
    postgres_database_url,
    postgres_url,
    second_empty_postgres_url,
    sqlite_database_url,
    sqlite_template,
    store,
)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real packages, documents and messages, where it is at hand."""
    folder = Path(
        os.environ.get("PASSERELLE_SHARED", Path(__file__).resolve().parents[2] / "shared")
    )
    if not (folder / "data").is_dir():
        pytest.skip(f"left out: no folder of shared examples at {folder}")
    return folder


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio."""
    return "asyncio"
