"""Binary: bytes in, bytes out, and the same as a resource."""

import base64
import json

import pytest

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
        "POST", "/fhir/Binary", b"x" * 200_001, {"content-type": "application/pdf"}
    )
    assert (answer.status_code, rules(answer)) == (413, ["http.body-too-large"])
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", {"content-type": ""}, 415),
        ("POST", {"content-type": "*/*"}, 415),
        ("POST", {"content-type": "text/plain", "x-security-context": "Patient/1"}, 501),
        ("POST", {"content-type": "text/plain", "if-none-exist": "_id=1"}, 501),
        ("PUT", {"content-type": "text/plain"}, 501),
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
