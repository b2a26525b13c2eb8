"""Binary: bytes in, bytes out, and the same as a resource."""

import base64
import json
import re
import tracemalloc
from hashlib import sha256

import pytest

from passerelle.fhir.resource import Key
from passerelle.store.caller import SYSTEM

pytestmark = pytest.mark.anyio
PDF = b"%PDF-1.7 " + bytes(range(256)) * 40


async def created(served, data=PDF, content_type="application/pdf"):
    answer = await served.ask("POST", "/fhir/Binary", data, {"content-type": content_type})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_bytes_come_back_under_their_own_type(served):
    id_ = await created(served)
    answer = await served.ask("GET", f"/fhir/Binary/{id_}")
    assert answer.content == PDF
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["etag"] == 'W/"1"'


@pytest.mark.parametrize("accept", ["application/pdf", "application/*", "*/*", "text/html,*/*"])
async def test_who_reads_the_type_is_given_the_bytes(served, accept):
    id_ = await created(served)
    answer = await served.ask("GET", f"/fhir/Binary/{id_}", headers={"Accept": accept})
    assert answer.content == PDF


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 100_000])
async def test_who_asks_for_fhir_is_given_the_resource_with_its_data(served, size):
    data = (PDF * 12)[:size]
    id_ = await created(served, data)
    answer = await served.ask(
        "GET", f"/fhir/Binary/{id_}", headers={"Accept": "application/fhir+json"}
    )
    binary = answer.json()
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert binary["contentType"] == "application/pdf"
    assert base64.b64decode(binary.get("data", "")) == data
    assert ("data" in binary) is bool(size)


async def test_a_resource_put_with_data_is_given_back_either_way(served):
    data = base64.b64encode(PDF).decode()
    binary = {"resourceType": "Binary", "id": "b", "contentType": "application/pdf", "data": data}
    await served.ask("PUT", "/fhir/Binary/b", binary)
    raw = await served.ask("GET", "/fhir/Binary/b")
    whole = await served.ask("GET", "/fhir/Binary/b?_format=json")
    assert raw.content == PDF
    assert whole.json()["data"] == data


async def test_who_reads_neither_form_is_told(served, rules):
    id_ = await created(served)
    answer = await served.ask("GET", f"/fhir/Binary/{id_}", headers={"Accept": "image/png"})
    assert (answer.status_code, rules(answer)) == (406, ["http.format-not-served"])


async def test_foreign_bytes_are_served_so_that_no_browser_runs_them(served):
    id_ = await created(served, b"<script>alert(1)</script>", "text/html")
    answer = await served.ask("GET", f"/fhir/Binary/{id_}", headers={"Accept": "text/html"})
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_bytes_of_json_are_bytes_and_fhir_json_is_a_resource(served):
    body = json.dumps({"resourceType": "Binary", "contentType": "text/plain"}).encode()
    id_ = await created(served, body, "application/json")
    read = await served.ask("GET", f"/fhir/Binary/{id_}", headers={"Accept": "*/*"})
    assert read.content == body
    made = await served.ask("POST", "/fhir/Binary", body)
    assert made.json()["contentType"] == "text/plain"


async def test_too_many_bytes_are_refused_while_they_come(served, rules):
    answer = await served.ask(
        "POST", "/fhir/Binary", b"x" * 20_000_001, {"content-type": "application/pdf"}
    )
    assert (answer.status_code, rules(answer)) == (413, ["http.body-too-large"])
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", {"content-type": ""}, 415),
        ("POST", {"content-type": "*/*"}, 415),
        ("POST", {"content-type": "text/plain", "x-security-context": "a b"}, 400),
        ("POST", {"content-type": "text/plain", "if-none-exist": ""}, 400),
        ("PUT", {"content-type": ""}, 415),
        ("PUT", {"content-type": "text/plain", "if-match": 'W/"9"'}, 412),
    ],
)
async def test_what_is_not_read_is_refused(served, method, headers, status):
    address = "/fhir/Binary" if method == "POST" else "/fhir/Binary/b"
    answer = await served.ask(method, address, b"x", headers)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


async def test_a_binary_that_is_held_or_gone_is_told_so(served):
    id_ = await created(served)
    address = f"/fhir/Binary/{id_}"
    held = await served.ask("GET", address, headers={"If-None-Match": 'W/"1"'})
    assert (held.status_code, held.content) == (304, b"")
    head = await served.ask("HEAD", address)
    assert (head.status_code, head.content) == (200, b"")
    await served.ask("DELETE", address)
    assert (await served.ask("GET", address)).status_code == 410
    assert (await served.ask("GET", "/fhir/Binary/nothing")).status_code == 404


async def test_the_head_tells_the_length(served):
    id_ = await created(served)
    head = await served.ask("HEAD", f"/fhir/Binary/{id_}")
    assert head.headers["content-length"] == str(len(PDF))
    assert head.headers["accept-ranges"] == "bytes"
    whole = await served.ask("GET", f"/fhir/Binary/{id_}")
    assert whole.headers["content-length"] == str(len(PDF))


@pytest.mark.parametrize("type_", ["text/html", "application/pdf", "weird/one"])
async def test_a_document_is_kept_by_a_browser_and_not_opened(served, type_):
    id_ = await created(served, b"<script>", type_)
    answer = await served.ask("GET", f"/fhir/Binary/{id_}", headers={"Accept": "*/*"})
    name = answer.headers["content-disposition"]
    assert re.fullmatch(r'attachment; filename="[A-Za-z0-9.-]+"', name)
    assert name.startswith(f'attachment; filename="{id_}.')


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, len(PDF) - 1),
        ("bytes=100-199", 100, 199),
        ("bytes=100-999999", 100, len(PDF) - 1),
        ("bytes=-5", len(PDF) - 5, len(PDF) - 1),
        ("bytes=-999999", 0, len(PDF) - 1),
        ("BYTES=7-8", 7, 8),
    ],
)
async def test_a_part_is_given(served, asked, first, last):
    id_ = await created(served)
    answer = await served.ask("GET", f"/fhir/Binary/{id_}", headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == PDF[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(PDF)}"
    assert answer.headers["content-length"] == str(last - first + 1)


@pytest.mark.parametrize(
    "asked", ["bytes=5-2", "bytes=0-1,4-5", "items=0-1", "bytes=-", "bytes=a-b", "bytes", ""]
)
async def test_what_is_no_single_part_gives_the_whole(served, asked):
    id_ = await created(served)
    answer = await served.ask("GET", f"/fhir/Binary/{id_}", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, PDF)


@pytest.mark.parametrize("asked", [f"bytes={len(PDF)}-", "bytes=999999-1000000", "bytes=-0"])
async def test_a_part_beyond_the_end_is_refused(served, rules, asked):
    id_ = await created(served)
    answer = await served.ask("GET", f"/fhir/Binary/{id_}", headers={"Range": asked})
    assert (answer.status_code, rules(answer)) == (416, ["binary.range-beyond-end"])
    assert answer.headers["content-range"] == f"bytes */{len(PDF)}"


async def test_a_part_goes_over_the_parts_that_are_kept(served):
    data = bytes(range(256)) * 4096  # 1 MiB, in four parts
    id_ = await created(served, data)
    part = 256 * 1024
    for first, last in ((part - 1, part), (part, 2 * part - 1), (10, 3 * part + 10)):
        asked = {"Range": f"bytes={first}-{last}"}
        answer = await served.ask("GET", f"/fhir/Binary/{id_}", headers=asked)
        assert answer.content == data[first : last + 1]


async def test_a_part_is_given_only_of_what_the_client_has(served):
    id_ = await created(served)
    address = f"/fhir/Binary/{id_}"
    when = (await served.ask("GET", address)).headers["last-modified"]
    for condition, status in (
        (when, 206),
        ("Mon, 12 Jan 2015 09:00:00 GMT", 200),
        ('W/"1"', 200),
        ('"1"', 200),
        ("x", 200),
    ):
        asked = {"Range": "bytes=0-1", "If-Range": condition}
        assert (await served.ask("GET", address, headers=asked)).status_code == status


async def test_parts_are_of_the_bytes_and_not_of_the_resource(served):
    id_ = await created(served)
    asked = {"Range": "bytes=0-1", "Accept": "application/fhir+json"}
    answer = await served.ask("GET", f"/fhir/Binary/{id_}", headers=asked)
    assert answer.status_code == 200
    assert base64.b64decode(answer.json()["data"]) == PDF


async def test_bytes_are_put_as_a_version(served):
    raw = {"content-type": "text/plain"}
    answer = await served.ask("PUT", "/fhir/Binary/p", b"one", raw)
    assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"1"')
    same = await served.ask("PUT", "/fhir/Binary/p", b"one", raw)
    assert (same.status_code, same.headers["etag"]) == (200, 'W/"1"')
    answer = await served.ask("PUT", "/fhir/Binary/p", b"two", raw | {"If-Match": 'W/"1"'})
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    assert (await served.ask("GET", "/fhir/Binary/p")).content == b"two"


async def test_each_version_has_its_own_bytes(served):
    for data in (b"one", b"two"):
        await served.ask("PUT", "/fhir/Binary/p", data, {"content-type": "text/plain"})
    for number, data in ((1, b"one"), (2, b"two")):
        address = f"/fhir/Binary/p/_history/{number}"
        assert (await served.ask("GET", address)).content == data
        whole = await served.ask("GET", address + "?_format=json")
        assert base64.b64decode(whole.json()["data"]) == data
    assert (await served.ask("GET", "/fhir/Binary/p/_history/3")).status_code == 404
    part = await served.ask("GET", "/fhir/Binary/p?_format=json&_elements=contentType")
    assert "data" not in part.json()


async def test_the_security_context_goes_with_the_bytes(served):
    headers = {"content-type": "text/plain", "X-Security-Context": "DocumentReference/1"}
    made = await served.ask("POST", "/fhir/Binary", b"x", headers)
    assert made.json()["securityContext"] == {"reference": "DocumentReference/1"}
    answer = await served.ask("GET", f"/fhir/Binary/{made.json()['id']}")
    assert answer.headers["x-security-context"] == "DocumentReference/1"


async def test_data_of_a_resource_is_no_part_of_what_is_kept_as_text(served):
    data = base64.b64encode(PDF).decode()
    binary = {"resourceType": "Binary", "id": "b", "contentType": "application/pdf", "data": data}
    kept = await served.kept(binary)
    version = await served.gateway.store.read(Key("Binary", "b"), SYSTEM)
    assert b"data" not in version.body
    assert version.blob == sha256(PDF).hexdigest()
    assert kept["contentType"] == "application/pdf"


async def test_a_large_document_goes_up_and_down_in_little_memory(served):
    await large_document(served, 16)


@pytest.mark.nightly
async def test_a_hundred_megabytes_go_up_and_down_in_little_memory(served):
    served.door.fhir.binary_limit = 200_000_000
    await large_document(served, 100)


async def large_document(served, megabytes):
    """Send and fetch, through the application itself, what is made and looked at piece by piece."""
    piece = bytes(range(256)) * 4096
    sent = [
        {"type": "http.request", "body": piece, "more_body": number < megabytes - 1}
        for number in range(megabytes)
    ]
    headers = [(b"content-type", b"application/pdf"), (b"host", b"127.0.0.1:8080")]
    told, size = [], 0

    async def receive():
        return sent.pop(0) if sent else {"type": "http.disconnect"}

    async def send(message):
        nonlocal size
        if message["type"] == "http.response.start":
            told.append(message)
        elif message.get("body"):
            size += len(message["body"])

    def scope(method, path):
        path_bytes = path.encode()
        return {"type": "http", "method": method, "path": path, "raw_path": path_bytes} | {
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8080),
            "scheme": "http",
        }

    tracemalloc.start()
    try:
        await served.door(scope("POST", "/fhir/Binary"), receive, send)
        assert told[0]["status"] == 201
        place = dict(told[0]["headers"])[b"location"].decode().partition("/_history")[0]
        size = 0
        path = place.removeprefix("http://127.0.0.1:8080")
        await served.door(scope("GET", path), receive, send)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert told[1]["status"] == 200
    assert size == megabytes * len(piece)
    assert peak < 12_000_000
