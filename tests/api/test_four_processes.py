"""Four server processes on one PostgreSQL, as ``passerelle serve --workers 4`` starts them."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest

pytestmark = pytest.mark.anyio
PROCESSES = 4


@pytest.fixture
def served_by_four(postgres_database_url):
    """The address of a gateway of four processes, and what ends it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if "PASSERELLE" not in name}
    process = subprocess.Popen(
        [sys.executable, "-m", "passerelle", "serve", "--no-worker", "--workers", str(PROCESSES)],
        env=kept
        | {
            "PASSERELLE_DATABASE_URL": postgres_database_url,
            "PASSERELLE_BIND": f"127.0.0.1:{port}",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        started = 0
        for line in process.stderr:
            started += json.loads(line)["event"] == "started"
            if started == PROCESSES:
                break
        assert started == PROCESSES
        yield f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
        assert [json.loads(line)["event"] for line in errors.splitlines()].count("stopped") == 4
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


async def test_sixty_four_equal_conditional_creates_make_one_resource(served_by_four):
    given = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": "64"}]}
    headers = {"content-type": "application/fhir+json", "if-none-exist": "identifier=urn:x|64"}
    # A connection each, so that the processes share them.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(
        base_url=served_by_four, limits=limits, timeout=60, trust_env=False
    ) as client:
        answers = await asyncio.gather(
            *(client.post("/fhir/Patient", json=given, headers=headers) for _ in range(64))
        )
        codes = [answer.status_code for answer in answers]
        assert (codes.count(201), codes.count(200)) == (1, 63)
        assert len({answer.json()["id"] for answer in answers}) == 1
        found = await client.get("/fhir/Patient?identifier=urn:x%7C64&_total=accurate")
        assert found.json()["total"] == 1
