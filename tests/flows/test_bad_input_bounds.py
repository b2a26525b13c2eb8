"""What is too large or cut: refused while it comes, and memory stays bounded."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.flows import bad_input
from tests.flows.bad_input import Door
from tests.flows.gateway_process import GatewayProcess, until
from tests.flows.tried import Tried

LIMIT = 50_000_000
SENT = 100_000_000
CHUNK = b" " * 1_000_000
LARGE = (
    *bad_input.DOORS,
    Door("`POST` Binary", "POST", "/fhir/Binary", {}, "application/pdf"),
    Door("`POST` FHIR XML", "POST", "/fhir/Patient", {}, "application/fhir+xml"),
)


@pytest.mark.parametrize("door", LARGE, ids=lambda door: door.title)
def test_a_body_that_is_said_to_be_of_100_mb_is_refused_before_it_comes(
    tried: Tried, door: Door
) -> None:
    before = tried.counts()
    with begun(tried.process, door, "content-length", str(SENT)) as connection:
        answer = connection.getresponse()
        outcome = json.loads(answer.read())
    assert (answer.status, answer.getheader("connection")) == (413, "close")
    assert outcome["issue"][0]["details"]["coding"][0]["code"] == "http.body-too-large"
    assert tried.counts() == before


@pytest.mark.parametrize("door", LARGE, ids=lambda door: door.title)
def test_a_body_of_100_mb_is_cut_at_the_limit_and_not_held(tried: Tried, door: Door) -> None:
    before, peak = tried.counts(), tried.process.peak_bytes()
    chunk = b"%x\r\n%s\r\n" % (len(CHUNK), CHUNK)
    request = uuid4().hex
    with begun(tried.process, door, "transfer-encoding", "chunked", request) as connection:
        chunks = repeat(chunk, SENT // len(CHUNK) + 100)
        with pytest.raises(ConnectionError):  # cut: the rest is not read
            connection.send(chunks)
    until(lambda: told(tried, request), 30, "it has been noticed")
    assert '"status":413' in told(tried, request)
    assert tried.process.peak_bytes() - peak < 1.5 * LIMIT
    assert tried.counts() == before


@contextmanager
def begun(
    gateway: GatewayProcess, door: Door, header: str, value: str, request: str = ""
) -> Iterator[http.client.HTTPConnection]:
    """Send the head of a request, by the name under which the log is to tell of it."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
    try:
        connection.putrequest(door.method, quote(door.path))
        connection.putheader("content-type", door.media)
        connection.putheader(header, value)
        if request:
            connection.putheader("x-request-id", request)
        connection.endheaders()
        yield connection
    finally:
        connection.close()


def told(tried: Tried, request: str) -> str:
    """Give the whole line that the log has of a request, or nothing while there is none."""
    lines = tried.process.told().splitlines(keepends=True)
    return next((line for line in lines if request in line and line.endswith("\n")), "")


@pytest.mark.parametrize("door", bad_input.DOORS, ids=lambda door: door.title)
def test_a_body_that_is_cut_writes_nothing(tried: Tried, door: Door) -> None:
    before, request = tried.counts(), uuid4().hex
    length = str(len(door.body()) + 1)
    with begun(tried.process, door, "content-length", length, request) as connection:
        connection.send(door.body())
    until(lambda: told(tried, request), 30, "it has been noticed")
    assert '"status":499' in told(tried, request)
    assert tried.counts() == before
