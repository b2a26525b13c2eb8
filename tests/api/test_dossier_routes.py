"""Dossiers pushed and pulled over HTTP in their native form."""

import json
from urllib.parse import quote

import pytest

from passerelle.demo import samples

pytestmark = pytest.mark.anyio
JSON = {"content-type": "application/json"}


@pytest.fixture
def dossier():
    return samples.provisional(b"%PDF-1.4 test")


def address(dossier, escaped=False):
    name = f"{dossier['id']['system']}|{dossier['id']['value']}"
    return "/dossiers/" + (quote(name, safe="") if escaped else name)


async def push(served, dossier, headers=None, query=""):
    body = dossier if isinstance(dossier, bytes) else json.dumps(dossier).encode()
    named = dossier if isinstance(dossier, dict) else {"id": {"system": "https://x", "value": "1"}}
    return await served.ask("PUT", address(named) + query, body, JSON | (headers or {}))


async def test_a_dossier_is_pushed_and_its_receipt_names_every_entry(served, dossier):
    answer = await push(served, dossier)
    assert answer.status_code == 201, answer.text
    receipt = answer.json()
    assert receipt["dossier"] == f"{dossier['id']['system']}|{dossier['id']['value']}"
    assert answer.headers["etag"] == f'"{receipt["version"]}"'
    assert {entry["action"] for entry in receipt["entries"]} == {"created"}
    for entry in receipt["entries"]:
        read = await served.ask("GET", f"/fhir/{entry['reference']}")
        assert read.status_code == 200


async def test_pushing_again_changes_nothing(served, dossier):
    first = await push(served, dossier)
    again = await push(served, dossier)
    assert again.status_code == 200
    assert {entry["action"] for entry in again.json()["entries"]} == {"unchanged"}
    assert again.headers["etag"] == first.headers["etag"]


async def test_a_dry_run_writes_nothing(served, dossier):
    answer = await push(served, dossier, query="?dryRun=true")
    assert (answer.status_code, answer.json()["dryRun"]) == (200, True)
    assert (await served.ask("GET", address(dossier))).status_code == 404


async def test_receipts_and_dossiers_are_laid_out_for_people(served, dossier):
    receipt = await push(served, dossier, query="?_pretty=true")
    pulled = await served.ask("GET", address(dossier) + "?_pretty=true")
    plain = await served.ask("GET", address(dossier))
    assert receipt.text.startswith('{\n  "')
    assert pulled.text.startswith('{\n  "')
    assert pulled.json() == plain.json()


async def test_a_receipt_can_be_left_out(served, dossier):
    minimal = {"Prefer": "return=minimal"}
    made = await push(served, dossier, minimal)
    again = await push(served, dossier, minimal)
    assert [(a.status_code, a.content) for a in (made, again)] == [(201, b""), (204, b"")]
    assert made.headers["etag"] == again.headers["etag"]


async def test_a_dossier_is_pulled_as_it_was_pushed(served, dossier):
    made = await push(served, dossier)
    for escaped in (False, True):
        answer = await served.ask("GET", address(dossier, escaped))
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["etag"] == made.headers["etag"]
        assert answer.json()["person"] == dossier["person"]
    held = await served.ask(
        "GET", address(dossier), headers={"If-None-Match": made.headers["etag"]}
    )
    assert (held.status_code, held.content) == (304, b"")


async def test_a_dossier_is_pulled_in_parts_or_as_fhir(served, dossier):
    await push(served, dossier)
    part = (await served.ask("GET", address(dossier) + "?sections=tasks")).json()
    assert "documents" not in part
    assert part["person"] == dossier["person"]
    fhir = await served.ask("GET", address(dossier) + "?as=fhir")
    assert fhir.headers["content-type"] == "application/fhir+json"
    bundle = fhir.json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "collection")
    types = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    assert {"Patient", "CareTeam"} <= types


async def test_a_lost_update_is_refused_by_if_match(served, rules, dossier):
    tag = (await push(served, dossier)).headers["etag"]
    changed = dossier | {"openedAt": "2026-01-13"}
    taken = await push(served, changed, {"If-Match": tag})
    assert taken.status_code == 200
    refused = await push(served, dossier, {"If-Match": tag})
    assert (refused.status_code, rules(refused)) == (412, ["dossier.version-conflict"])
    malformed = await push(served, dossier, {"If-Match": "abc"})
    assert (malformed.status_code, rules(malformed)) == (400, ["http.if-match-malformed"])


async def test_all_that_is_wrong_with_a_dossier_is_told_by_pointers(served, dossier):
    dossier["person"]["identity"]["sex"] = "x"
    dossier["openedAt"] = "yesterday"
    answer = await push(served, dossier)
    assert answer.status_code in (400, 422)
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    places = {issue["expression"][0] for issue in outcome["issue"]}
    assert places == {"/person/identity/sex", "/openedAt"}


async def test_the_name_of_the_address_must_be_that_of_the_dossier(served, rules, dossier):
    body = json.dumps(dossier).encode()
    other = await served.ask("PUT", "/dossiers/https://x|other", body, JSON)
    assert (other.status_code, rules(other)) == (400, ["dossier.id-mismatch"])
    for name in ("nothing", "|x", "x|"):
        answer = await served.ask("PUT", f"/dossiers/{name}", body, JSON)
        assert (answer.status_code, rules(answer)) == (400, ["http.dossier-name"])


@pytest.mark.parametrize(
    ("method", "address_", "headers"),
    [
        ("POST", "/dossiers/https://x|1:merge", {}),
        ("POST", "/dossiers/https://x|1:unmerge", {}),
    ],
)
async def test_what_is_not_there_yet_is_refused_by_its_name(
    served, rules, method, address_, headers
):
    answer = await served.ask(method, address_, headers=headers)
    assert (answer.status_code, rules(answer)) == (501, ["http.not-there-yet"])


@pytest.mark.parametrize(
    ("method", "query", "body", "headers", "status"),
    [
        ("PUT", "", b"{", JSON, 400),
        ("PUT", "", b"{}", {"content-type": "text/xml"}, 415),
        ("PUT", "", b" " * 200_001, JSON, 413),
        ("PUT", "?dryRun=perhaps", b"{}", JSON, 400),
        ("GET", "?as=cda", None, {}, 400),
        ("GET", "?sections=nothing", None, {}, 400),
        ("GET", "", None, {"accept": "application/xml"}, 406),
        ("GET", "", None, {}, 404),
        ("DELETE", "", None, {}, 405),
    ],
)
async def test_every_refusal_is_an_outcome(served, method, query, body, headers, status):
    answer = await served.ask(method, f"/dossiers/https://x|1{query}", body, headers)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
    if status == 413:
        assert answer.headers["connection"] == "close"
