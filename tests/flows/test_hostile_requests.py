"""No request, whatever it holds, makes the gateway fail, forget its manners or run away."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.flows.conftest import new_database
from tests.flows.gateway_process import GatewayProcess
from tests.flows.hostile_door import MEMORY_BYTES_MAX, HostileDoor
from tests.flows.hostile_request import Hostile
from tests.flows.hostile_requests import KINDS
from tests.flows.hostile_seeds import SEEDS

SHORT = 60
LONG = 2_000


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileDoor]:
    """A gateway on SQLite; at its end no fault stands in its log."""
    folder = tmp_path_factory.mktemp("gateway")
    with (
        GatewayProcess(f"sqlite:///{folder / 'record.db'}", folder) as process,
        closing(HostileDoor(process.start().wait_ready())) as opened,
    ):
        keep_seeds(opened)
        yield opened
    assert '"fault"' not in process.told()


@pytest.mark.parametrize("kind", KINDS)
def test_every_request_is_answered_or_refused_in_order(door: HostileDoor, kind: str) -> None:
    draw(door, kind, SHORT)


@pytest.mark.nightly
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_request_takes_long_or_holds_much(
    kind: str, database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    for database_url in new_database(database, request, tmp_path):
        with GatewayProcess(database_url, tmp_path) as process:
            process.start().wait_ready()
            with closing(HostileDoor(process, counts_cpu=True)) as asked:
                keep_seeds(asked)
                draw(asked, kind, LONG)
            assert process.peak_bytes() < MEMORY_BYTES_MAX
            print(f"{kind} on {database}: {asked.told()}")
        assert '"fault"' not in process.told()


def keep_seeds(door: HostileDoor) -> None:
    """Keep the sound resources, so that something can be found and changed."""
    for resource in SEEDS:
        if "id" in resource:
            address = f"/fhir/{resource['resourceType']}/{resource['id']}"
            body = json.dumps(resource).encode()
            door.demand(Hostile("PUT", address, {"Content-Type": "application/fhir+json"}, body))
    assert set(door.statuses) == {201}


def draw(door: HostileDoor, kind: str, examples: int) -> None:
    """Ask so many drawn requests, the same ones each time."""

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(KINDS[kind])
    def ask(asked: Hostile) -> None:
        door.demand(asked)

    ask()
