"""Health, figures and documentation."""

import re

import pytest

from passerelle.store.caller import SYSTEM
from passerelle.store.contract import Unit
from passerelle.store.outbox import NewJob

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_url(sqlite_database_url):
    """What is tried here does not depend on the database."""
    return sqlite_database_url


async def test_a_living_gateway_says_so(served):
    answer = await served.ask("GET", "/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "live"})


async def test_a_gateway_is_ready_when_its_record_is(served):
    answer = await served.ask("GET", "/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
    await served.gateway.store.close()
    answer = await served.ask("GET", "/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})


async def test_requests_are_counted_by_pattern_and_never_by_id(served):
    for _ in range(3):
        await served.ask("GET", "/fhir/Patient/secret-id")
    await served.ask("BREW", "/fhir/Patient/secret-id")
    await served.ask("GET", "/secret-address")
    text = (await served.ask("GET", "/metrics")).text
    line = 'passerelle_requests_total{method="GET",route="/fhir/{type}/{id}",status="404"} 3.0'
    assert line in text
    assert 'method="OTHER"' in text
    assert "passerelle_request_seconds_bucket" in text
    assert "secret" not in text
    assert "BREW" not in text


async def test_the_routes_are_documented_without_a_script(served):
    page = await served.ask("GET", "/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "/dossiers/{dossier}" in page.text
    assert "<script" not in page.text
    addresses = re.findall(r'(?:href|src|url)\s*[=(]\s*"?([^"\s>)]*)', page.text)
    assert len(addresses) > 10
    for address in addresses:
        if address != "data:,":
            answer = await served.ask("GET", "/" + address.replace("&amp;", "&"))
            assert answer.status_code == 200, address
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_the_root_leads_to_the_page(served):
    answer = await served.ask("GET", "/")
    assert (answer.status_code, answer.headers["location"]) == (302, "docs")


async def test_the_page_says_when_the_record_does_not_answer(served):
    assert "En service" in (await served.ask("GET", "/docs")).text
    await served.gateway.store.close()
    assert "ne répond pas" in (await served.ask("GET", "/docs")).text
    await served.gateway.store.open()


async def test_the_other_description_names_the_routes(served):
    openapi = (await served.ask("GET", "/openapi.json")).json()
    assert {"/health/live", "/health/ready", "/metrics", "/dossiers/{dossier}"} <= set(
        openapi["paths"]
    )


async def test_jobs_are_counted_by_kind_and_state_now_and_then(served):
    job = NewJob("mss.send", "Communication/1", b"{}", 1)
    await served.gateway.store.commit(Unit(jobs=(job, job)), SYSTEM)
    page = (await served.ask("GET", "/metrics")).text
    assert 'passerelle_jobs{kind="mss.send",state="waiting"} 2.0' in page
    assert 'passerelle_jobs{kind="mss.send",state="dead"} 0.0' in page
    await served.gateway.store.commit(Unit(jobs=(job,)), SYSTEM)
    page = (await served.ask("GET", "/metrics")).text
    assert 'passerelle_jobs{kind="mss.send",state="waiting"} 2.0' in page


async def test_figures_are_given_while_the_record_is_away(served):
    await served.gateway.store.close()
    answer = await served.ask("GET", "/metrics")
    assert answer.status_code == 200
    await served.gateway.store.open()


async def test_the_page_lets_the_fhir_base_be_tried_and_names_all_of_it(served):
    page = (await served.ask("GET", "/docs")).text
    for title in ("Chercher", "Suivre les liens", "L&#x27;histoire", "Les opérations", "En XML"):
        assert f"<h3>{title}</h3>" in page
    for shape in ("/fhir/{type}/{id}/_history", "/fhir/Patient/{id}/$everything", "/fhir/_search"):
        assert f"<code>{shape}</code>" in page
    blank = "/fhir/Patient?family=durand&given=&birthdate=&_format=xml&_pretty=true"
    answer = await served.ask("GET", blank)  # what the form asks: empty fields ask for nothing
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/fhir+xml")
