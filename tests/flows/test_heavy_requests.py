"""What is small to send is not dear to answer."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.flows.gateway_process import GatewayProcess
from tests.flows.heavy_requests import HEAVY, KEPT
from tests.flows.hostile_door import MEMORY_BYTES_MAX, HostileDoor

pytestmark = pytest.mark.nightly


def doors(database_url: str, folder: Path) -> Iterator[HostileDoor]:
    """Give a gateway that counts the time that it computes, with what must be there."""
    with GatewayProcess(database_url, folder) as process:
        process.start().wait_ready()
        with closing(HostileDoor(process)) as door:
            for asked in KEPT:
                door.demand(asked)
            assert set(door.statuses) == {201}
            door.counts_cpu = True
            yield door
    assert '"fault"' not in process.told()


def test_no_small_request_takes_half_a_second_of_the_process(
    database_url: str, tmp_path: Path
) -> None:
    for door in doors(database_url, tmp_path):
        spent = {}
        for name, asked in HEAVY.items():
            door.slowest = 0.0
            door.demand(asked)
            spent[name] = round(door.slowest, 2)
        door.slowest = max(spent.values())
        assert door.process.peak_bytes() < MEMORY_BYTES_MAX
        dearest = sorted(spent.items(), key=lambda each: -each[1])[:5]
        print(f"heavy requests: {door.told()}; dearest: {json.dumps(dict(dearest))}")
