"""The real server on a real port: what only bytes on a wire can show."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys

import pytest
import uvicorn

from passerelle import app as wiring
from passerelle.api import bounded_http
from passerelle.settings import Settings

pytestmark = pytest.mark.anyio
PATIENT = b'{"resourceType":"Patient","id":"p1"}'


@pytest.fixture
def database_url(sqlite_database_url):
    """What is tried here does not depend on the database."""
    return sqlite_database_url


@pytest.fixture
async def port(served):
    """The application on a port that is listened on before anything is asked of it."""
    listening = socket.create_server(("127.0.0.1", 0))
    options = wiring.server_options(Settings()) | {"loop": "none", "lifespan": "off"}
    server = uvicorn.Server(uvicorn.Config(served.door, **options))
    server.capture_signals = contextlib.nullcontext
    task = asyncio.create_task(server.serve(sockets=[listening]))
    yield listening.getsockname()[1]
    server.should_exit = True
    await task
    listening.close()


async def exchange(port, *parts):
    """Send bytes, read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(ConnectionError):
        for part in parts:
            writer.write(part)
            await writer.drain()
    answer = b""
    with contextlib.suppress(ConnectionError):
        while chunk := await asyncio.wait_for(reader.read(65_536), 20):
            answer += chunk
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return answer


def request(method, address, body=b"", *headers):
    lines = [f"{method} {address} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if body:
        lines += ["Content-Type: application/fhir+json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def test_the_head_of_an_address_beside_the_base_is_whole_and_the_connection_goes_on(port):
    answer = await exchange(
        port,
        request("HEAD", "/health/live")
        + request("HEAD", "/nothing")
        + request("HEAD", "/docs")
        + request("GET", "/health/live", b"", "Connection: close"),
    )
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"200", b"404", b"200", b"200"]
    assert answer.count(b'{"status":"live"}') == 1
    metrics = await exchange(port, request("GET", "/metrics", b"", "Connection: close"))
    assert b'status="500"' not in metrics


async def test_a_resource_goes_in_and_comes_out_over_one_connection(port):
    answer = await exchange(
        port,
        request("PUT", "/fhir/Patient/p1", PATIENT)
        + request("GET", "/fhir/Patient/p1")
        + request("HEAD", "/fhir/Patient/p1")
        + request("GET", "/fhir/Patient/p1", b"", 'If-None-Match: W/"1"')
        + request("DELETE", "/fhir/Patient/p1", b"", "Connection: close"),
    )
    statuses = re.findall(rb"HTTP/1\.1 (\d+)", answer)
    assert statuses == [b"201", b"200", b"200", b"304", b"204"]
    assert b"server:" not in answer.lower()


async def test_a_body_over_the_limit_is_cut_while_it_comes(port):
    head = (
        b"POST /fhir/Patient HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"2710\r\n" + b" " * 10_000 + b"\r\n"
    answer = await exchange(port, head, *[chunk] * 30)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"http.body-too-large" in answer


@pytest.mark.parametrize("announced", [True, False])
async def test_who_sends_all_of_a_body_over_the_limit_still_reads_why_it_was_refused(
    port, announced
):
    length = b"Content-Length: 20000000" if announced else b"Transfer-Encoding: chunked"
    head = (
        b"POST /fhir/Patient HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: application/fhir+json\r\n" + length + b"\r\n\r\n"
    )
    piece = b" " * 100_000
    chunk = piece if announced else b"186A0\r\n" + piece + b"\r\n"
    answer = await exchange(port, head, *[chunk] * 200, b"" if announced else b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.endswith(b"}")


async def test_a_body_that_is_told_to_be_over_the_limit_is_not_read(port):
    head = (
        b"POST /fhir/Patient HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: application/fhir+json\r\nContent-Length: 900000000\r\n\r\n"
    )
    answer = await exchange(port, head)
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("line", [b"X-Long: ", b"GET /fhir/Patient?a="])
async def test_a_head_without_end_is_cut(port, line):
    start = b"" if line.startswith(b"GET") else b"GET /fhir/Patient HTTP/1.1\r\n"
    rest = [b"a" * 10_000] * (bounded_http.HEAD_BYTES_MAX // 10_000 + 2)
    answer = await exchange(port, start + line, *rest)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")


async def test_a_head_that_does_not_come_is_not_waited_for(port, monkeypatch):
    monkeypatch.setattr(bounded_http, "HEAD_SECONDS_MAX", 0.05)
    answer = await exchange(port, b"GET /fhir/Pat")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"http.too-slow" in answer


async def test_a_connection_on_which_nothing_is_asked_ends_without_a_word(port, monkeypatch):
    monkeypatch.setattr(bounded_http, "HEAD_SECONDS_MAX", 0.05)
    assert await exchange(port) == b""


async def test_a_body_that_stands_still_is_not_waited_for(port, monkeypatch):
    monkeypatch.setattr(bounded_http, "BODY_PAUSE_SECONDS_MAX", 0.05)
    head = request("PUT", "/fhir/Patient/p1", PATIENT)
    first = request("GET", "/fhir/Patient/none")
    answer = await exchange(port, first + head[:-5])
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"404", b"408"]
    assert b"http.too-slow" in answer


CHUNKED = b"1a\r\n" + b'{"resourceType":"Patient"}' + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: 4", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 4"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding : chunked"],
        ["Content-Length: 26", "Content-Length: 3"],
        ["Content-Length: +26"],
    ],
)
async def test_a_body_of_two_lengths_is_refused_whole(port, headers):
    given = ["Content-Type: application/fhir+json", *headers]
    head = request("POST", "/fhir/Patient", b"", *given)
    answer = await exchange(port, head + CHUNKED)
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"400"]
    assert b"http.malformed" in answer


async def test_a_body_that_is_compressed_on_the_way_is_refused(port):
    given = ["Content-Type: application/fhir+json", "Transfer-Encoding: gzip, chunked"]
    head = request("POST", "/fhir/Patient", b"", *given, "Connection: close")
    answer = await exchange(port, head + CHUNKED)
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"415"]


async def test_what_follows_a_refused_body_is_a_request_of_its_own(port):
    refused = request("POST", "/fhir/Patient", b"", "Content-Type: text/plain", "Content-Length: 2")
    last = request("GET", "/fhir/Patient/none", b"", "Connection: close")
    answer = await exchange(port, refused + b"{}" + last)
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"415", b"404"]


@pytest.mark.parametrize("path", ["/docs", "/health/live", "/metrics", "/openapi.json"])
async def test_the_head_of_every_page_can_be_asked_for(port, path):
    answer = await exchange(port, request("HEAD", path, b"", "Connection: close"))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == b""


@pytest.mark.parametrize(
    "start", [b"\x16\x03\x01nothing\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
)
async def test_what_is_no_http_is_refused(port, start):
    answer = await exchange(port, start)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["resourceType"] == "OperationOutcome"


async def test_a_client_that_hangs_up_leaves_nothing_behind(port, served):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"PUT /fhir/Patient/p9 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b'Content-Type: application/fhir+json\r\nContent-Length: 400\r\n\r\n{"resourceType"'
    )
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert await reader.read() == b""
    answer = await served.ask("GET", "/fhir/Patient/p9")
    assert answer.status_code == 404


def environment(tmp_path, **settings):
    kept = {name: value for name, value in os.environ.items() if "PASSERELLE" not in name}
    url = f"sqlite:///{tmp_path / 'new.db'}"
    return kept | {"PASSERELLE_DATABASE_URL": url, "PASSERELLE_BIND": "127.0.0.1:1"} | settings


def serve(*arguments, **options):
    command = [sys.executable, "-m", "passerelle", "serve", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def test_serve_makes_its_record_answers_and_ends_well_at_sigterm(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = {"PASSERELLE_BIND": f"127.0.0.1:{port}", "PASSERELLE_BODY_LIMITS": "tres-secret"}
    process = serve(env=environment(tmp_path, **settings))
    try:
        begun = []
        for line in process.stderr:
            begun.append(json.loads(line))
            if begun[-1]["event"].startswith("Uvicorn running"):
                break
        (unknown,) = [line for line in begun if line["event"] == "settings.unknown"]
        assert unknown["setting"] == "PASSERELLE_BODY_LIMITS"
        assert unknown["nearest"] == "PASSERELLE_BODY_LIMIT"
        assert "tres-secret" not in str(begun)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/fhir/metadata")
        assert connection.getresponse().status == 200
        connection.close()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0
        assert [json.loads(line)["event"] for line in errors.splitlines()].count("stopped") == 1
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("settings", "arguments", "rule"),
    [
        ({"PASSERELLE_AUTH": "smart"}, (), "settings.smart-not-there-yet"),
        ({"PASSERELLE_BIND": "0.0.0.0:1"}, (), "settings.open-not-loopback"),
        ({}, ("--workers", "2"), "settings.workers-need-postgresql"),
    ],
)
def test_serve_refuses_to_start_and_says_why(tmp_path, settings, arguments, rule):
    process = serve(*arguments, "--json", env=environment(tmp_path, **settings))
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert [issue["rule"] for issue in json.loads(output)["issues"]] == [rule]


def test_serve_says_that_its_address_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        process = serve("--json", env=environment(tmp_path, PASSERELLE_BIND=bind))
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (2, b"")
    assert [issue["rule"] for issue in json.loads(output)["issues"]] == ["settings.bind-taken"]
    assert not (tmp_path / "new.db").exists()


@pytest.mark.parametrize("make", [lambda path: path.write_text("no record"), lambda p: p.mkdir()])
def test_serve_says_that_its_record_cannot_be_opened(tmp_path, make):
    make(tmp_path / "new.db")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environ = environment(tmp_path, PASSERELLE_BIND=f"127.0.0.1:{port}")
    process = serve("--json", env=environ)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert b"Traceback" not in errors
    told = json.loads(output[output.index(b"{") :])
    assert [issue["rule"] for issue in told["issues"]] == ["record.unavailable"]


def test_a_connection_stays_open_longer_than_proxies_and_clients_keep_one():
    assert wiring.server_options(Settings())["timeout_keep_alive"] > 60
