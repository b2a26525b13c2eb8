"""What every request meets: bounds, hosts, methods, faults, log and figures."""

import io
import json
import logging

import pytest
import structlog

from passerelle.api import logs
from passerelle.errors.refusals import Unavailable
from passerelle.errors.rules import issue
from passerelle.fhir.search.registry import STANDARD

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_url(sqlite_database_url):
    """What is tried here does not depend on the database."""
    return sqlite_database_url


@pytest.mark.parametrize(
    ("method", "address", "status", "rule"),
    [
        ("GET", "/fhir/Careteam/1", 404, "http.type-unknown"),
        ("GET", "/fhir/Nothing", 404, "http.type-unknown"),
        ("GET", "/fhir/nothing", 404, "http.address-unknown"),
        ("GET", "/fhir/Patient/1/2/3/4", 404, "http.address-unknown"),
        ("GET", "/fhir/Patient/1/nothing", 404, "http.address-unknown"),
        ("GET", "/fhir/Patient/_nothing", 404, "http.address-unknown"),
        ("GET", "/fhir/.well-known/nothing", 404, "http.address-unknown"),
        ("GET", "/nothing", 404, "http.address-unknown"),
        ("GET", "/fhirs/Patient", 404, "http.address-unknown"),
        ("POST", "/fhir/Patient/1", 405, "http.method-not-allowed"),
        ("DELETE", "/fhir", 405, "http.method-not-allowed"),
        ("PUT", "/fhir/metadata", 405, "http.method-not-allowed"),
        ("DELETE", "/fhir/Patient/1/_history/1", 405, "http.method-not-allowed"),
        ("TRACE", "/fhir/Patient/1", 405, "http.method-not-allowed"),
        ("BREW", "/fhir/Patient/1", 405, "http.method-not-allowed"),
        ("DELETE", "/health/live", 405, "http.method-not-allowed"),
    ],
)
async def test_what_is_not_there_is_said_by_an_outcome(
    served, rules, method, address, status, rule
):
    answer = await served.ask(method, address)
    assert (answer.status_code, rules(answer)) == (status, [rule])


async def test_the_methods_that_are_allowed_are_told(served):
    answer = await served.ask("POST", "/fhir/Patient/1")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"
    answer = await served.ask("DELETE", "/health/live")
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/fhir/Patient/1/$graphql"),
        ("GET", "/fhir/$export"),
        ("POST", "/fhir/Patient/1/$send-mss"),
        ("GET", "/fhir/.well-known/smart-configuration"),
    ],
)
async def test_what_is_not_there_yet_is_refused_by_its_name(served, rules, method, address):
    answer = await served.ask(method, address)
    assert (answer.status_code, rules(answer)) == (501, ["http.not-there-yet"])
    assert answer.json()["issue"][0]["code"] == "not-supported"


@pytest.mark.parametrize("length", ["200001", None])
async def test_a_body_over_the_limit_is_refused(served, rules, length):
    async def chunks():
        for _ in range(201):
            yield b" " * 1000

    headers = {"content-type": "application/fhir+json"}
    content = chunks() if length is None else b" " * int(length)
    answer = await served.client.post("/fhir/Patient", content=content, headers=headers)
    assert (answer.status_code, rules(answer)) == (413, ["http.body-too-large"])
    assert answer.headers["connection"] == "close"


async def test_a_body_of_another_coding_than_gzip_is_refused(served, rules):
    answer = await served.ask("POST", "/fhir/Patient", b"x", {"content-encoding": "br"})
    assert (answer.status_code, rules(answer)) == (415, ["http.content-encoding-not-read"])


@pytest.mark.parametrize(
    ("address", "content_type"),
    [("/fhir/Binary", "application/pdf"), ("/dossiers/urn:x|1", "application/json")],
)
async def test_no_door_reads_a_body_of_another_coding(served, rules, address, content_type):
    headers = {"content-encoding": "deflate", "content-type": content_type}
    method = "POST" if "Binary" in address else "PUT"
    answer = await served.ask(method, address, b"x", headers)
    assert (answer.status_code, rules(answer)) == (415, ["http.content-encoding-not-read"])


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/fhir/Patient/none?_pretty=true"),
        ("GET", "/fhir/Nothing?_pretty=true"),
        ("GET", "/nothing?a=b&_pretty=true"),
        ("DELETE", "/docs?_pretty=true"),
        ("GET", "/dossiers/urn:x|1?_pretty=true"),
        ("GET", "/mss/messages?direction=up&_pretty=true"),
    ],
)
async def test_a_refusal_is_laid_out_for_people_as_well(served, rules, method, address):
    answer = await served.ask(method, address)
    assert answer.status_code >= 400
    assert answer.text.startswith('{\n  "resourceType": "OperationOutcome"')
    assert rules(answer)


async def test_a_page_can_be_asked_for_its_head(served):
    page = await served.ask("GET", "/docs")
    head = await served.ask("HEAD", "/docs")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == page.headers["content-length"]
    refused = await served.ask("DELETE", "/docs")
    assert refused.headers["allow"] == "GET, HEAD"


async def test_an_address_or_headers_over_the_limit_are_refused(served, rules):
    answer = await served.ask("GET", "/fhir/Patient?a=" + "b" * 9000)
    assert (answer.status_code, rules(answer)) == (414, ["http.address-too-long"])
    answer = await served.ask("GET", "/fhir/Patient/1", headers={"x": "y" * 70_000})
    assert (answer.status_code, rules(answer)) == (431, ["http.headers-too-large"])


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8080", "", "[::2]:80"])
async def test_a_foreign_host_is_refused(served, rules, host):
    answer = await served.ask("GET", "/fhir/metadata", headers={"host": host})
    assert (answer.status_code, rules(answer)) == (403, ["http.host-unknown"])


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8080", "LOCALHOST"])
async def test_this_machine_is_known_by_its_names(served, host):
    answer = await served.ask("GET", "/fhir/metadata", headers={"host": host})
    assert answer.status_code == 200


async def test_a_page_of_another_site_is_refused(served, rules):
    for origin in ("https://evil.example", "null", "http://127.0.0.1:9999"):
        answer = await served.ask("POST", "/fhir/Binary", b"x", {"origin": origin})
        assert (answer.status_code, rules(answer)) == (403, ["http.origin-foreign"])
    own = await served.ask("GET", "/fhir/metadata", headers={"origin": "http://127.0.0.1:8080"})
    assert own.status_code == 200


async def test_a_request_is_known_by_its_id(served):
    given = await served.ask("GET", "/fhir/metadata", headers={"x-request-id": "abc-1"})
    assert given.headers["x-request-id"] == "abc-1"
    for odd in ("a b", "é".encode(), "x" * 65):
        made = await served.ask("GET", "/health/live", headers={"x-request-id": odd})
        assert made.headers["x-request-id"].replace("-", "").isalnum()


class BrokenStore:
    """A store whose every reading fails as asked."""

    def __init__(self, fault):
        self.fault = fault
        self.parameters = self
        self.registry = STANDARD
        self.is_fresh = True

    async def read(self, key, caller):
        raise self.fault

    async def ready(self):
        return False


@pytest.fixture
def broken(served):
    """Breaks the store behind the application."""

    def break_with(fault):
        store = BrokenStore(fault)
        gateway = type(served.gateway)(
            store=store, clock=served.gateway.clock, new_id=served.gateway.new_id, base_url="x"
        )
        served.door.fhir.gateway = gateway
        return served

    return break_with


@pytest.fixture
def lines(monkeypatch):
    """Collects what is logged, as it would be written."""
    written = io.BytesIO()
    before = structlog.get_config()
    monkeypatch.setattr(logging, "basicConfig", lambda **options: None)
    logs.configure("info")
    structlog.configure(
        logger_factory=structlog.BytesLoggerFactory(written), cache_logger_on_first_use=False
    )
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    structlog.configure(**before)


async def test_a_fault_of_ours_tells_a_number_and_nothing_else(broken, rules, lines):
    served = broken(ValueError("Marie Dupont 279035121518989"))
    answer = await served.ask("GET", "/fhir/Patient/secret-id")
    assert (answer.status_code, rules(answer)) == (500, ["http.internal"])
    fault, _ = lines()
    assert fault["reference"] in answer.text
    assert fault["fault"] == "ValueError"
    assert any(frame.startswith("passerelle/api/door.py") for frame in fault["frames"])
    told = answer.text + json.dumps(lines())
    assert "Dupont" not in told
    assert "ValueError" not in answer.text


async def test_a_record_that_is_away_is_told_to_be_tried_again(broken, rules):
    served = broken(Unavailable(issue("record.unavailable")))
    answer = await served.ask("GET", "/fhir/Patient/1")
    assert (answer.status_code, rules(answer)) == (503, ["record.unavailable"])
    assert answer.headers["retry-after"] == "1"


async def test_a_request_is_one_line_without_anything_of_anybody(served, lines):
    await served.kept({"resourceType": "Patient", "id": "secret-id"})
    await served.ask("GET", "/fhir/Patient/secret-id?family=Dupont")
    await served.ask("GET", "/fhir/Patient?identifier=secret-value")
    await served.ask("GET", "/dossiers/secret|id")
    await served.ask("GET", "/secret")
    read = lines()[1]
    assert set(read) == {"event", "level", "at", "method", "route", "status", "ms", "request"}
    assert (read["method"], read["route"], read["status"]) == ("GET", "/fhir/{type}/{id}", 200)
    assert [line["route"] for line in lines()] == [
        "/fhir/{type}/{id}",
        "/fhir/{type}/{id}",
        "/fhir/{type}",
        "/dossiers/{dossier:path}",
        "/*",
    ]
    assert "secret" not in json.dumps(lines())
    assert "Dupont" not in json.dumps(lines())


def test_a_field_that_is_not_on_the_list_is_not_written(lines):
    structlog.get_logger("x").info("sent", patient="Marie", status=1)
    (line,) = lines()
    assert "patient" not in line
    assert line["status"] == 1


def test_the_rules_and_the_reason_of_a_failure_are_written(lines):
    structlog.get_logger("x").warning("mail.unavailable", reason="tls", rules="a.b", job=1)
    (line,) = lines()
    assert (line["reason"], line["rules"], line["job"]) == ("tls", "a.b", 1)
