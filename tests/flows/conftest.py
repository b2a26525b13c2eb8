"""Gateways in processes of their own, on a record of their own, on each database."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from passerelle.store.migrate import migrate
from tests.databases import empty_database
from tests.flows.gateway_process import GatewayProcess
from tests.flows.operator_process import OperatorProcess
from tests.flows.tried import Tried, trying


def new_database(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """Give a migrated record with nothing in it."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'record.db'}"  # made by the gateway when it starts
        return
    for url in empty_database(request.getfixturevalue("postgres_url")):
        migrate(url)
        yield url


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for a module: its operator lives in it."""
    return "asyncio"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A record of each kind, for one test."""
    yield from new_database(request.param, request, tmp_path)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def module_database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A record of each kind, for the tests of a module."""
    yield from new_database(request.param, request, tmp_path_factory.mktemp("record"))


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[OperatorProcess]:
    """An operator in a process of its own."""
    with OperatorProcess(tmp_path / "operator") as process:
        yield process


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Callable[..., GatewayProcess]]:
    """Start a gateway on a record, with arguments and settings; all are ended after the test."""
    with ExitStack() as started:

        def start(database_url: str, *arguments: str, **settings: str) -> GatewayProcess:
            process = GatewayProcess(database_url, tmp_path, *arguments, **settings)
            return started.enter_context(process).start()

        yield start


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """The operator of the gateways that bad input is tried on."""
    with OperatorProcess(tmp_path_factory.mktemp("operator")) as process:
        yield process


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def tried(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    outside: OperatorProcess,
) -> Iterator[Tried]:
    """A gateway that bad input is tried on, on each database."""
    folder = tmp_path_factory.mktemp("gateway")
    for database_url in new_database(request.param, request, folder):
        with trying(database_url, folder, outside) as gateway:
            yield gateway
