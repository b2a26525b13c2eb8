"""However many dossiers one request brings, the gateway holds no more of them at a time."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.dossiers.many_dossiers import small
from tests.flows.gateway_process import GatewayProcess

GROWTH_BYTES_MAX = 64 * 1024 * 1024
"""Between a short batch and a long one: what a long life of the process brings, and no dossiers."""

LINES = int(os.environ.get("PASSERELLE_BATCH_LINES", "100000"))


def lines(first: int, number: int) -> Iterator[bytes]:
    for each in range(first, first + number):
        yield json.dumps(small(each)).encode() + b"\n"


def push(gateway: GatewayProcess, first: int, number: int) -> int:
    """Push dossiers with a client that reads nothing before it has sent all; count those taken."""
    taken = 0
    headers = {"content-type": "application/x-ndjson", "prefer": "return=minimal"}
    with httpx.stream(
        "POST",
        f"{gateway.url}/dossiers:batch",
        content=lines(first, number),
        headers=headers,
        timeout=None,
    ) as answer:
        assert answer.status_code == 200
        for place, line in enumerate(answer.iter_lines(), 1):
            told = json.loads(line)
            assert (told["line"], told["status"]) == (place, 201)
            taken += 1
    return taken


@pytest.mark.parametrize(
    ("short", "long"), [(50, 250), pytest.param(1_000, LINES, marks=pytest.mark.nightly)]
)
def test_a_long_batch_takes_no_more_memory_than_a_short_one(
    sqlite_database_url: str, tmp_path: Path, short: int, long: int
) -> None:
    with GatewayProcess(sqlite_database_url, tmp_path, "--no-worker").start() as gateway:
        gateway.wait_ready()
        assert push(gateway, 0, short) == short
        before = gateway.peak_bytes()
        assert push(gateway, short, long) == long
        after = gateway.peak_bytes()
        print(f"\nbatch: {short} then {long} dossiers, peak {before >> 20} then {after >> 20} MiB")
        assert after - before < GROWTH_BYTES_MAX
        code = gateway.terminate()
    assert code == 0
