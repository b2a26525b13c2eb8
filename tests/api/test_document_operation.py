"""`$document`: the Composition first, then all that it refers to, whole or refused."""

import base64

import pytest

pytestmark = pytest.mark.anyio

BASE = "http://127.0.0.1:8080/fhir"


@pytest.fixture
def database_url(sqlite_database_url):
    """What is tried here does not depend on the database."""
    return sqlite_database_url


def composition(id="c", entries=("Basic/one",), **more):
    return {
        "resourceType": "Composition",
        "id": id,
        "status": "final",
        "type": {"text": "Lettre"},
        "subject": {"reference": "Patient/p"},
        "date": "2026-01-12",
        "author": [{"reference": "PractitionerRole/role"}],
        "title": "Lettre",
        "section": [{"title": "x", "entry": [{"reference": each} for each in entries]}],
    } | more


@pytest.fixture
async def record(served):
    for resource in (
        {"resourceType": "Patient", "id": "p"},
        {"resourceType": "Organization", "id": "o", "name": "O"},
        {
            "resourceType": "PractitionerRole",
            "id": "role",
            "organization": {"reference": f"{BASE}/Organization/o"},
        },
        {
            "resourceType": "Basic",
            "id": "one",
            "code": {"text": "x"},
            "subject": {"reference": "Patient/p"},
        },
        composition(),
    ):
        await served.kept(resource)
    return served


def named(document):
    return [e["fullUrl"].removeprefix(BASE + "/") for e in document["entry"]]


async def test_a_document_is_the_composition_and_what_it_refers_to(record):
    for address in ("Composition/c/$document", "Composition/$document?id=c"):
        answer = await record.ask("GET", f"/fhir/{address}")
        assert answer.status_code == 200, answer.text
        made = answer.json()
        assert (made["resourceType"], made["type"]) == ("Bundle", "document")
        assert made["identifier"]["system"] == "urn:ietf:rfc:3986"
        assert made["identifier"]["value"].startswith("urn:uuid:")
        assert made["timestamp"]
        assert named(made)[0] == "Composition/c"
        found = {"Composition/c", "Patient/p", "PractitionerRole/role", "Basic/one"}
        assert set(named(made)[:4]) == found
        assert named(made)[4:] == ["Organization/o"]
        assert made["entry"][0]["resource"]["title"] == "Lettre"
        checked = await record.ask("POST", "/fhir/Bundle/$validate", made)
        assert [each["severity"] for each in checked.json()["issue"]] == ["information"]


async def test_a_document_is_kept_when_that_is_asked_for(record):
    answer = await record.ask("POST", "/fhir/Composition/c/$document?persist=true")
    assert answer.status_code == 200, answer.text
    kept = await record.ask("GET", answer.headers["location"])
    assert kept.json() == answer.json()
    assert answer.json()["id"]
    answer = await record.ask("GET", "/fhir/Composition/c/$document?persist=true")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    listed = (await record.ask("GET", "/fhir/Bundle?_summary=count")).json()
    assert listed["total"] == 1


async def test_what_the_composition_names_and_is_not_there_is_refused(record, rules):
    await record.kept({"resourceType": "Basic", "id": "gone", "code": {"text": "x"}})
    await record.ask("DELETE", "/fhir/Basic/gone")
    await record.kept(composition("lacking", ("Basic/one", "Basic/none", "Basic/gone")))
    answer = await record.ask("GET", "/fhir/Composition/lacking/$document")
    assert (answer.status_code, rules(answer)) == (422, ["operation.document-lacks"] * 2)
    places = [issue["expression"][0] for issue in answer.json()["issue"]]
    assert places == ["Composition.section[0].entry[1]", "Composition.section[0].entry[2]"]


async def test_a_binary_comes_with_its_bytes(record):
    data = base64.b64encode(b"bytes").decode()
    await record.kept(
        {"resourceType": "Binary", "id": "b", "contentType": "text/plain", "data": data}
    )
    await record.kept(composition("with", ("Binary/b",)))
    made = (await record.ask("GET", "/fhir/Composition/with/$document")).json()
    binary = next(e["resource"] for e in made["entry"] if e["fullUrl"].endswith("Binary/b"))
    assert binary["data"] == data


async def test_a_circle_of_references_ends(record):
    for one, other in (("x", "y"), ("y", "x")):
        await record.kept(
            {
                "resourceType": "Basic",
                "id": one,
                "code": {"text": "x"},
                "subject": {"reference": f"Basic/{other}"},
            }
        )
    await record.kept(composition("round", ("Basic/x",)))
    made = (await record.ask("GET", "/fhir/Composition/round/$document")).json()
    assert sorted(named(made)).count("Basic/x") == 1
    assert "Basic/y" in named(made)


async def test_too_large_a_document_is_refused(record, rules, monkeypatch):
    from passerelle.dossiers.operations import document

    monkeypatch.setattr(document, "RESOURCES_MAX", 3)
    answer = await record.ask("GET", "/fhir/Composition/c/$document")
    assert (answer.status_code, rules(answer)) == (422, ["operation.document-too-large"])


@pytest.mark.parametrize(
    ("address", "status", "rule"),
    [
        ("Composition/none/$document", 404, "record.not-found"),
        ("Composition/$document", 400, "operation.document-elsewhere"),
        ("Composition/c/$document?id=c", 400, "operation.document-elsewhere"),
        ("Composition/$document?id=Patient/p", 400, "operation.document-elsewhere"),
        (
            "Composition/$document?id=https://a.example/Composition/c",
            400,
            "operation.document-elsewhere",
        ),
        ("Composition/c/$document?graph=urn:g", 501, "http.not-there-yet"),
    ],
)
async def test_what_cannot_be_made_is_refused(record, rules, address, status, rule):
    answer = await record.ask("GET", f"/fhir/{address}")
    assert (answer.status_code, rules(answer)) == (status, [rule])
