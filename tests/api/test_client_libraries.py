"""Client libraries as they come, each at a day of work against a gateway that is really served.

SMART's fhirclient (https://github.com/smart-on-fhir/client-py) and Beda's fhirpy
(https://github.com/beda-software/fhir-py). Nothing of theirs is changed; what R4 puts into headers
goes in by the headers that they let a caller give.
"""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest
from fhirclient import client as smart
from fhirclient.models import bundle as smart_bundle
from fhirclient.models import encounter as smart_encounter
from fhirclient.models import patient as smart_patient
from fhirclient.server import FHIRNotFoundException
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome, ResourceNotFound

IPP = "https://hopital.example/ipp"
PATIENTS = 9


@pytest.fixture(scope="module")
def base_url(tmp_path_factory):
    """A gateway as a process of its own, on a record of its own."""
    folder = tmp_path_factory.mktemp("served")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if "PASSERELLE" not in name}
    settings = {
        "PASSERELLE_DATABASE_URL": f"sqlite:///{folder / 'record.db'}",
        "PASSERELLE_BIND": f"127.0.0.1:{port}",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "passerelle", "serve", "--no-worker"],
        env=kept | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    for line in process.stderr:
        if json.loads(line)["event"].startswith("Uvicorn running"):
            break
    yield f"http://127.0.0.1:{port}/fhir"
    process.send_signal(signal.SIGTERM)
    process.communicate()


def patient(value, family="Lefèvre-D'Œuvre"):
    return {
        "resourceType": "Patient",
        "identifier": [{"system": IPP, "value": value}],
        "name": [{"use": "official", "family": family, "given": ["Éléonore"]}],
        "gender": "female",
        "birthDate": "1941-07-14",
    }


def encounter(reference):
    return {
        "resourceType": "Encounter",
        "status": "planned",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": reference},
    }


def transaction(value):
    urn = "urn:uuid:7a1d1c2e-6a55-4a0b-9d0c-1f2e3d4c5b6a"
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": urn,
                "resource": patient(value),
                "request": {"method": "POST", "url": "Patient"},
            },
            {"resource": encounter(urn), "request": {"method": "POST", "url": "Encounter"}},
        ],
    }


@pytest.fixture
def smart_client(base_url):
    made = smart.FHIRClient(settings={"app_id": "day-of-work", "api_base": base_url})
    yield made
    made.server.session.close()


def test_fhirclient_reads_what_the_gateway_says_of_itself_and_is_ready(smart_client):
    assert smart_client.prepare()
    statement = smart_client.server.capabilityStatement
    assert statement.fhirVersion == "4.0.1"
    assert {"Patient", "Encounter"} <= {each.type for each in statement.rest[0].resource}


def test_fhirclient_creates_reads_updates_and_deletes(smart_client):
    server = smart_client.server
    answer = smart_patient.Patient(patient("smart-1")).create(server)
    read = smart_patient.Patient.read(answer["id"], server)
    assert read.name[0].family == "Lefèvre-D'Œuvre"
    assert read.birthDate.isostring == "1941-07-14"
    server.session.headers["If-Match"] = f'W/"{read.meta.versionId}"'
    read.active = True
    assert read.update(server)["meta"]["versionId"] == "2"
    with pytest.raises(Exception, match="412"):
        read.update(server)
    del server.session.headers["If-Match"]
    read.delete(server)
    with pytest.raises(Exception, match="410"):
        smart_patient.Patient.read(answer["id"], server)
    with pytest.raises(FHIRNotFoundException):
        smart_patient.Patient.read("never-there", server)


def test_fhirclient_creates_under_a_condition_once(smart_client):
    server = smart_client.server
    server.session.headers["If-None-Exist"] = f"identifier={IPP}|smart-2"
    first, second = (smart_patient.Patient(patient("smart-2")).create(server) for _ in range(2))
    assert first["id"] == second["id"]


def test_fhirclient_follows_a_search_to_its_end(smart_client):
    server = smart_client.server
    for number in range(PATIENTS):
        smart_patient.Patient(patient(f"page-s{number}", "Paginé-Smart")).create(server)
    search = smart_patient.Patient.where({"family": "pagine-smart", "_count": "4"})
    found = [each.identifier[0].value for each in search.perform_resources_iter(server)]
    assert sorted(found) == sorted(f"page-s{number}" for number in range(PATIENTS))


def test_fhirclient_posts_a_transaction_and_searches_by_a_chain_with_what_it_refers_to(
    smart_client,
):
    server = smart_client.server
    answer = smart_bundle.Bundle(transaction("smart-3")).create(server)
    assert [each["response"]["status"][:3] for each in answer["entry"]] == ["201", "201"]
    search = smart_encounter.Encounter.where({"subject:Patient.identifier": f"{IPP}|smart-3"})
    (found,) = search.include("subject").perform_iter(server)
    assert [each.search.mode for each in found.entry] == ["match", "include"]
    assert found.entry[1].resource.identifier[0].value == "smart-3"


def test_fhirclient_reads_a_history(smart_client):
    server = smart_client.server
    id_ = smart_patient.Patient(patient("smart-4")).create(server)["id"]
    read = smart_patient.Patient.read(id_, server)
    read.active = False
    read.update(server)
    past = smart_bundle.Bundle.read_from(f"Patient/{id_}/_history", server)
    assert [each.resource.meta.versionId for each in past.entry] == ["2", "1"]


def test_fhirclient_searches_by_modifiers_chains_and_filters(smart_client):
    server = smart_client.server
    for number, family in enumerate(("Chercheur-Smart", "Chercheur-Autre")):
        smart_patient.Patient(patient(f"mod-s{number}", family)).create(server)
    asked = {
        "exact": {"family:exact": "Chercheur-Smart"},
        "contains": {"family:contains": "CHEUR-SM"},
        "not": {"family": "chercheur", "identifier:not": f"{IPP}|mod-s1"},
        "missing": {"family": "chercheur smart", "birthdate:missing": "false"},
        "filter": {"_filter": 'family co "heur smart" and gender eq female'},
        "text": {"_content": "Chercheur-Smart"},
        "sort": {"family": "chercheur", "_sort": "-family", "_count": "1", "_total": "accurate"},
    }
    for name, struct in asked.items():
        bundle = next(iter(smart_patient.Patient.where(struct).perform_iter(server)))
        found = [each.resource.name[0].family for each in bundle.entry]
        assert found == ["Chercheur-Smart"], name
    assert bundle.total == 2
    assert any(each.relation == "next" for each in bundle.link)


def test_fhirclient_finds_by_what_refers_back(smart_client):
    server = smart_client.server
    smart_bundle.Bundle(transaction("smart-5")).create(server)
    by_encounter = {"_has:Encounter:subject:status": "planned", "identifier": f"{IPP}|smart-5"}
    search = smart_patient.Patient.where(by_encounter)
    (found,) = search.perform_iter(server)
    id_ = found.entry[0].resource.id
    whole = smart_bundle.Bundle.read_from(f"Patient/{id_}/$everything", server)
    types = {each.resource.resource_type for each in whole.entry}
    assert types == {"Patient", "Encounter"}


@pytest.fixture
def fhirpy(base_url):
    return SyncFHIRClient(base_url)


def with_headers(base_url, **headers):
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return SyncFHIRClient(base_url, extra_headers=given)


def test_fhirpy_creates_reads_updates_and_deletes(fhirpy, base_url):
    made = fhirpy.resource("Patient", **patient("beda-1"))
    made.save()
    assert made["meta"]["versionId"] == "1"
    read = fhirpy.get("Patient", made.id)
    assert read["name"][0]["given"] == ["Éléonore"]
    made["active"] = True
    made.save()
    assert made["meta"]["versionId"] == "2"
    assert made.refresh()["active"] is True  # 304: nothing new
    stale = with_headers(base_url, If_Match='W/"1"').resource("Patient", **made.serialize())
    with pytest.raises(MultipleResourcesFound, match="version-conflict"):  # its name of any 412
        stale.save()
    made.delete()
    with pytest.raises(ResourceNotFound):
        fhirpy.get("Patient", made.id)


def test_fhirpy_reads_why_something_is_refused(fhirpy):
    with pytest.raises(OperationOutcome, match="birthDate"):
        fhirpy.resource("Patient", **patient("beda-0") | {"birthDate": "1941-02-30"}).save()
    assert fhirpy.resource("Patient", **patient("beda-0")).is_valid()


def test_fhirpy_creates_under_a_condition_once_and_updates_by_one(fhirpy, base_url):
    guarded = with_headers(base_url, If_None_Exist=f"identifier={IPP}|beda-2")
    ids = {guarded.resource("Patient", **patient("beda-2")).save().id for _ in range(2)}
    assert len(ids) == 1
    by_identifier = fhirpy.resources("Patient").search(identifier=f"{IPP}|beda-2")
    changed, is_new = by_identifier.update(
        fhirpy.resource("Patient", **patient("beda-2") | {"active": False})
    )
    assert (changed.id, is_new) == (*ids, False)
    assert changed["active"] is False
    other, is_new = (
        fhirpy.resources("Patient")
        .search(identifier=f"{IPP}|beda-3")
        .update(fhirpy.resource("Patient", **patient("beda-3")))
    )
    assert is_new
    assert other.id not in ids


def test_fhirpy_follows_a_search_to_its_end_and_counts(fhirpy):
    for number in range(PATIENTS):
        fhirpy.resource("Patient", **patient(f"page-b{number}", "Paginé-Beda")).save()
    search = fhirpy.resources("Patient").search(family="PAGINE-BEDA").sort("-_id").limit(4)
    found = [each["identifier"][0]["value"] for each in search]
    assert sorted(found) == sorted(f"page-b{number}" for number in range(PATIENTS))
    assert fhirpy.resources("Patient").search(family="Paginé-Beda").count() == PATIENTS
    assert len(search.first()["name"]) == 1


def test_fhirpy_posts_a_transaction_and_searches_by_a_chain_with_what_it_refers_to(fhirpy):
    answer = fhirpy.execute("", data=transaction("beda-4"))
    assert [each["response"]["status"][:3] for each in answer["entry"]] == ["201", "201"]
    encounters = fhirpy.resources("Encounter")
    chained = encounters.search(subject__Patient__identifier=f"{IPP}|beda-4")
    (found,) = chained.fetch()
    assert found["subject"].to_resource()["identifier"][0]["value"] == "beda-4"
    both = chained.include("Encounter", "subject").fetch_raw()
    assert [each["resource"]["resourceType"] for each in both["entry"]] == ["Encounter", "Patient"]


def test_fhirpy_patches_and_reads_the_history(base_url):
    patching = with_headers(base_url, Content_Type="application/json-patch+json")
    made = SyncFHIRClient(base_url).resource("Patient", **patient("beda-5")).save()
    operations = [{"op": "replace", "path": "/birthDate", "value": "1941-07-15"}]
    changed = patching.execute(f"Patient/{made.id}", method="patch", data=operations)
    assert (changed["birthDate"], changed["meta"]["versionId"]) == ("1941-07-15", "2")
    past = made.execute("_history", method="get")
    assert [each["resource"]["birthDate"] for each in past["entry"]] == ["1941-07-15", "1941-07-14"]


def test_fhirpy_searches_by_modifiers_chains_and_filters(fhirpy):
    for number, family in enumerate(("Chercheur-Beda", "Chercheur-Tiers")):
        fhirpy.resource("Patient", **patient(f"mod-b{number}", family)).save()
    patients = fhirpy.resources("Patient")
    asked = {
        "exact": patients.search(family__exact="Chercheur-Beda"),
        "contains": patients.search(family__contains="CHEUR-BE"),
        "not": patients.search(family="chercheur", identifier__not=f"{IPP}|mod-b1"),
        "missing": patients.search(family="chercheur beda", birthdate__missing=False),
        "before": patients.search(family="chercheur beda", birthdate__lt="1941-07-15"),
        "several": patients.search(family=["chercheur beda"], gender="female,male"),
        "text": patients.search(_content="Chercheur-Beda"),
        "filter": patients.search(_filter='family co "heur beda" and gender eq female'),
    }
    for name, search in asked.items():
        found = [each["name"][0]["family"] for each in search]
        assert "Chercheur-Beda" in found, name
        assert "Chercheur-Tiers" not in found, name


def test_fhirpy_follows_pages_while_others_write(fhirpy):
    for number in range(PATIENTS):
        fhirpy.resource("Patient", **patient(f"meanwhile-{number}", "Pendant-Beda")).save()
    seen = []
    for each in fhirpy.resources("Patient").search(family="pendant beda").limit(2):
        seen.append(each["identifier"][0]["value"])
        fhirpy.resource("Patient", **patient(f"other-{len(seen)}", "Ailleurs-Beda")).save()
    assert sorted(seen) == sorted(f"meanwhile-{number}" for number in range(PATIENTS))


def test_fhirpy_asks_for_everything_validates_and_asks_what_there_is(fhirpy):
    fhirpy.execute("", data=transaction("beda-6"))
    found = fhirpy.resources("Patient").search(identifier=f"{IPP}|beda-6").get()
    whole = found.execute("$everything", method="get")
    assert {each["resource"]["resourceType"] for each in whole["entry"]} == {"Patient", "Encounter"}
    told = fhirpy.execute("Patient/$validate", data=patient("beda-6") | {"gender": "x"})
    assert [each["expression"] for each in told["issue"] if each["severity"] == "error"] == [
        ["Patient.gender"]
    ]
    statement = fhirpy.execute("metadata", method="get")
    types = {each["type"] for each in statement["rest"][0]["resource"]}
    assert {"Patient", "Encounter"} <= types


def test_a_transaction_of_fhirpy_that_is_refused_writes_nothing(fhirpy):
    bundle = transaction("beda-7")
    bundle["entry"][1]["resource"]["status"] = "no-such-status"
    with pytest.raises(OperationOutcome, match=r"Bundle.entry\[1\].resource.status"):
        fhirpy.execute("", data=bundle)
    assert fhirpy.resources("Patient").search(identifier=f"{IPP}|beda-7").count() == 0
