"""Four server processes on one PostgreSQL, as ``passerelle serve --workers 4`` starts them.

Nothing here waits for a time: what has ended without an answer closes its connection or its log.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from queue import Queue

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
    told: Queue[str | None] = Queue()
    # Read to the end: whoever writes to a pipe that nobody reads waits for ever.
    reader = threading.Thread(target=read_events, args=(process.stderr, told), daemon=True)
    reader.start()
    try:
        for _ in range(PROCESSES):
            wait_for(told, "started")
        yield f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGTERM)
        for _ in range(PROCESSES):
            wait_for(told, "stopped")
        assert process.wait() == 0
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stderr.close()


def read_events(lines, told):
    """Hand on the events that are logged, then that there are no more."""
    for line in lines:
        told.put(json.loads(line)["event"])
    told.put(None)


def wait_for(told, event):
    """Wait until an event is told; fail when the process has ended without it."""
    while (found := told.get()) != event:
        assert found is not None, f"the gateway has ended without {event}"


@pytest.fixture
async def client(served_by_four):
    """A client whose requests have a connection each, so that the processes share them."""
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(
        base_url=served_by_four, limits=limits, timeout=None, trust_env=False
    ) as asking:
        yield asking


def parameter(id_, code="language-x"):
    return {
        "resourceType": "SearchParameter",
        "id": id_,
        "url": f"https://exemple.fr/SearchParameter/{id_}",
        "name": "Language",
        "status": "active",
        "description": "Langue de la ressource",
        "code": code,
        "base": ["Patient"],
        "type": "token",
        "expression": "Patient.language",
    }


async def put(client, resource):
    address = f"/fhir/{resource['resourceType']}/{resource['id']}"
    headers = {"content-type": "application/fhir+json"}
    return await client.put(address, json=resource, headers=headers)


async def put_patient(client, id_):
    answer = await put(client, {"resourceType": "Patient", "id": id_, "language": "fr"})
    assert answer.status_code == 201, answer.text


def indexing(database_url):
    """Start indexing old data in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "passerelle", "reindex", "--added"],
        env={name: value for name, value in os.environ.items() if "PASSERELLE" not in name}
        | {"PASSERELLE_DATABASE_URL": database_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def indexed(database_url):
    process = indexing(database_url)
    told = process.communicate()
    assert process.returncode == 0, told


async def test_what_four_processes_write_around_the_adding_of_a_parameter_is_found_by_it(
    client, postgres_database_url
):
    stop = asyncio.Event()

    async def write(writer):
        number = 0
        while not stop.is_set():
            await put_patient(client, f"w{writer}-{number}")
            number += 1
        return number

    writers = [asyncio.create_task(write(writer)) for writer in range(4)]
    for number in range(8):
        await put_patient(client, f"before-{number}")
    answers = [await put(client, parameter("language"))]
    # Right after its 201, by whichever process takes them.
    await asyncio.gather(*(put_patient(client, f"after-{number}") for number in range(32)))
    stop.set()
    written = 8 + 32 + sum(await asyncio.gather(*writers))
    assert [answer.status_code for answer in answers] == [201]
    waiting = await asyncio.gather(
        *(client.get("/fhir/Patient?language-x=fr&_total=accurate") for _ in range(8))
    )
    assert {answer.status_code for answer in waiting} == {400}, "whoever is asked"
    await asyncio.to_thread(indexed, postgres_database_url)
    ready = await asyncio.gather(
        *(client.get("/fhir/Patient?language-x=fr&_total=accurate") for _ in range(8))
    )
    assert [answer.json().get("total") for answer in ready] == [written] * 8


async def test_of_two_parameters_with_one_code_raced_on_four_processes_one_is_taken(client):
    answers = await asyncio.gather(*(put(client, parameter(f"n{number}")) for number in range(16)))
    codes = [answer.status_code for answer in answers]
    assert codes.count(201) == 1
    assert set(codes) <= {201, 409, 422}
    rules = {
        each["details"]["coding"][0]["code"]
        for answer in answers
        if answer.status_code != 201
        for each in answer.json()["issue"]
    }
    assert rules == {"parameter.code-taken"}


async def test_indexing_that_is_killed_goes_on_where_it_was(client, postgres_database_url):
    for batch in range(4):
        entries = [
            {
                "resource": {"resourceType": "Patient", "language": "fr"},
                "request": {"method": "POST", "url": "Patient"},
            }
            for _ in range(250)
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answer = await client.post("/fhir", json=bundle)
        assert answer.status_code == 200, (batch, answer.text)
    await put(client, parameter("language"))

    async def done():
        told = (await client.get("/fhir/SearchParameter/language/$status")).json()
        parts = {part["name"]: part for part in told["parameter"][0]["part"]}
        return parts["done"]["valueInteger"]

    reached = await done()
    assert reached == 0
    process = indexing(postgres_database_url)
    try:
        while reached == 0 and process.poll() is None:
            reached = await done()
    finally:
        process.kill()
        process.communicate()
    assert await done() > 0
    await asyncio.to_thread(indexed, postgres_database_url)
    assert await done() == 1_000, "none twice"
    found = await client.get("/fhir/Patient?language-x=fr&_total=accurate&_count=0")
    assert found.json()["total"] == 1_000


async def test_sixty_four_equal_conditional_creates_make_one_resource(served_by_four):
    given = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": "64"}]}
    headers = {"content-type": "application/fhir+json", "if-none-exist": "identifier=urn:x|64"}
    # A connection each, so that the processes share them.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(
        base_url=served_by_four, limits=limits, timeout=None, trust_env=False
    ) as client:
        answers = await asyncio.gather(
            *(client.post("/fhir/Patient", json=given, headers=headers) for _ in range(64))
        )
        codes = [answer.status_code for answer in answers]
        assert (codes.count(201), codes.count(200)) == (1, 63)
        assert len({answer.json()["id"] for answer in answers}) == 1
        found = await client.get("/fhir/Patient?identifier=urn:x%7C64&_total=accurate")
        assert found.json()["total"] == 1
