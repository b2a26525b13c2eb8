"""The flows of PDSm (ITI-65, 66, 67, 68, 105, metadata patch) on a dossier pushed natively.

https://interop.esante.gouv.fr/ig/fhir/pdsm/construction_des_flux.html . The examples of requests of
the guide are asked as the guide writes them, but for the values; where one cannot be asked as it is
written, the test says why.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from passerelle.demo import samples
from passerelle.fhir.urls import DOSSIER_TAG
from tests import pdsm
from tests.flows.canonical_equality import differences, gathered
from tests.flows.gateway_process import GatewayProcess

FHIR = {"content-type": "application/fhir+json", "accept": "application/fhir+json"}
FORM = {"content_type": "application/x-www-form-urlencoded"}
JSON_PATCH = {"content_type": "application/json-patch+json"}
SUBMISSION_SET = f"{pdsm.LIST_TYPES}|submissionset"
FOLDER = f"{pdsm.LIST_TYPES}|folder"
PLATFORM = samples.PLATFORM
PDF = b"%PDF-1.4 lettre"
PLAN = b"%PDF-1.4 plan"

Json = dict[str, Any]


def dossier() -> Json:
    """Give a dossier with documents in folders, archived, replaced, restricted."""
    made = samples.qualified(PDF)
    older = plan(key="d0", status="superseded", title="Premier plan")
    del older["uniqueId"], older["archived"]
    older["files"] = [file(PLAN + b" 1")]
    made["documents"] += [older, plan(replaces="d0")]
    return made


def plan(**more: Any) -> Json:
    """Give a document with all that the guide can ask of it."""
    activity = pdsm.concept("TRE_A03-ClasseDocument", "44")["coding"][0]
    return {
        "key": "d2",
        "uniqueId": "1.2.250.1.213.9.1",
        "title": "Plan personnalisé de coordination",
        "type": {"system": samples.LOINC, "code": "18776-5"},
        "category": activity,
        "createdAt": "2026-01-20",
        "depositedAt": "2026-01-21T09:00:00+01:00",
        "author": "m1",
        "act": {"start": "2026-01-15", "end": "2026-01-20"},
        "folder": "Plans",
        "status": "current",
        "archived": True,
        "audience": {"hiddenFrom": ["MASQUE_PS"], "confidentiality": "R"},
        "files": [file(PLAN)],
        **more,
    }


def file(data: bytes) -> Json:
    return {"mimeType": "application/pdf", "data": base64.b64encode(data).decode()}


def another(number: int, *documents: Json) -> Json:
    """Give a dossier about somebody else, so that no test meets what another one makes."""
    made = dossier()
    made["id"]["value"] = f"D-2026-{number}"
    made["person"]["identifiers"][0]["value"] = f"P-{number}"
    return made | {"documents": list(documents)}


class Door:
    """The FHIR base and the dossiers of one gateway."""

    def __init__(self, process: GatewayProcess, client: httpx.Client) -> None:
        self.process = process
        self.client = client

    def ask(self, method: str, address: str, body: Any = None, **headers: str) -> httpx.Response:
        """Ask at the FHIR base; a body that is no text goes as JSON."""
        content = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request(method, f"/fhir/{address}", content=content, headers=given)

    def get(self, address: str) -> Json:
        answer = self.ask("GET", address, prefer="handling=strict")
        assert answer.status_code == 200, (address, answer.text)
        found: Json = answer.json()
        return found

    def found(self, address: str) -> list[Json]:
        """Give the resources that a search finds, asked strictly."""
        bundle = self.get(address)
        assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "searchset")
        return [entry["resource"] for entry in bundle.get("entry", ())]

    def titles(self, criteria: str) -> list[str]:
        """Give the titles of the documents that criteria find."""
        found = self.found(f"DocumentReference?{criteria}")
        return sorted(one["content"][0]["attachment"]["title"] for one in found)

    def push(self, content: Json) -> httpx.Response:
        return self.client.put(
            f"/dossiers/{quote(name(content), safe='')}",
            content=json.dumps(content),
            headers={"content-type": "application/json"},
        )

    def pull(self, content: Json) -> Json:
        found: Json = self.client.get(f"/dossiers/{quote(name(content), safe='')}").json()
        return found

    def provide(self, bundle: Json) -> list[str]:
        """Provide a bundle of documents; give what each entry made."""
        answer = self.ask("POST", "", bundle)
        assert answer.status_code == 200, answer.text
        made = answer.json()
        assert made["type"] == "transaction-response"
        assert len(made["entry"]) == len(bundle["entry"])
        return [one["response"]["location"].partition("/_history")[0] for one in made["entry"]]


def name(content: Json) -> str:
    return f"{content['id']['system']}|{content['id']['value']}"


def tagged(content: Json) -> str:
    """Give the value by which what belongs to a dossier is found; a bar within it is escaped."""
    return f"{DOSSIER_TAG}|{quote(name(content).replace('|', chr(92) + '|'))}"


def opened(database_url: str, folder: Path) -> Iterator[Door]:
    with GatewayProcess(database_url, folder) as process:
        process.start().wait_ready()
        with httpx.Client(base_url=process.url, timeout=60, headers=FHIR) as client:
            yield Door(process, client)
    assert '"fault"' not in process.told()


@pytest.fixture(scope="module")
def door(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A gateway with the dossier pushed."""
    for made in opened(module_database_url, tmp_path_factory.mktemp("pdsm")):
        answer = made.push(dossier())
        assert answer.status_code == 201, answer.text
        yield made


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Door]:
    """Another gateway, with nothing in it."""
    yield from opened(f"sqlite:///{tmp_path / 'twin.db'}", tmp_path / "twin")


PATIENT = "patient.identifier=8842"
LETTER, PLAN_TITLE, FIRST = (
    "Lettre de liaison à la sortie",
    "Plan personnalisé de coordination",
    "Premier plan",
)


def test_documents_of_a_person_are_found_by_the_identifier_of_the_person(door: Door) -> None:
    # GET DocumentReference?patient.identifier=32659&status=current
    assert door.titles(f"{PATIENT}&status=current") == [LETTER, PLAN_TITLE]
    assert door.titles(f"{PATIENT}&status=superseded") == [FIRST]
    named = f"patient.identifier={PLATFORM}/patients|8842&status=current"
    assert door.titles(named) == [LETTER, PLAN_TITLE]
    form = door.ask("POST", "DocumentReference/_search", f"{PATIENT}&status=current", **FORM)
    assert len(form.json()["entry"]) == 2
    for entry in form.json()["entry"]:
        assert entry["resource"]["meta"]["profile"] == [pdsm.COMPREHENSIVE]
    xml = door.ask("GET", f"DocumentReference?{PATIENT}", accept="application/fhir+xml")
    assert xml.status_code == 200
    assert xml.headers["content-type"].startswith("application/fhir+xml")
    assert door.titles("patient.identifier=unknown&status=current") == []


CRITERIA = {
    "type=http://loinc.org|18776-5": [PLAN_TITLE, FIRST],
    "facility=SA43": [LETTER, PLAN_TITLE, FIRST],
    "setting=AMBULATOIRE": [LETTER, PLAN_TITLE, FIRST],
    "identifier=urn:ietf:rfc:3986|urn:oid:1.2.250.1.213.9.1": [PLAN_TITLE],
    f"identifier={PLATFORM}/documents|D-2026-0001/d1": [LETTER],
    "creation=2026-01-20": [PLAN_TITLE, FIRST],
    "creation=ge2026-11-01": [LETTER],
    "security-label=R": [PLAN_TITLE, FIRST],
    "security-label=MASQUE_PS": [PLAN_TITLE, FIRST],
    "isArchived=true": [PLAN_TITLE],
    "period-start=2026-11-14": [LETTER],
    "period-end=le2026-01-31": [PLAN_TITLE, FIRST],
    "period=ge2026-01-15&period=lt2026-02-01": [PLAN_TITLE, FIRST],
    "format=urn:ihe:iti:xds-sd:pdf:2008": [LETTER, PLAN_TITLE, FIRST],
    "category=44": [PLAN_TITLE, FIRST],
    "event=none": [],
    "date=2026-01-21": [PLAN_TITLE, FIRST],
    f"author:identifier={PLATFORM}/circle|D-2026-0001/m2": [LETTER],
}


def test_every_criterion_of_the_guide_finds_documents(door: Door) -> None:
    for criterion, titles in CRITERIA.items():
        assert door.titles(f"{PATIENT}&{criterion}") == sorted(titles), criterion
    (first,) = door.found(f"DocumentReference?{PATIENT}&status=superseded")
    related = f"{PATIENT}&relatesto=DocumentReference/{first['id']}"
    assert door.titles(related) == [PLAN_TITLE]


def test_a_search_of_documents_tells_notes_apart_only_where_it_asks_to(door: Door) -> None:
    (letter,) = door.found(f"DocumentReference?{PATIENT}&category=10")
    note = {
        "resourceType": "DocumentReference",
        "meta": {
            "profile": ["https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/"
                        "cdl-document-reference"]
        },
        "status": "current",
        "type": pdsm.concept("TRE_R234-TypeNote", "OBS"),
        "subject": letter["subject"],
        "content": [{"attachment": {"contentType": "text/plain", "data": "dGVuc2lvbg=="}}],
    }  # fmt: skip
    made = door.ask("POST", "DocumentReference", note)
    assert made.status_code == 201, made.text
    plain = door.found(f"DocumentReference?{PATIENT}&status=current")
    assert len(plain) == 3
    asked = f"DocumentReference?{PATIENT}&status=current&_profile={pdsm.COMPREHENSIVE}"
    assert {one["id"] for one in plain} - {one["id"] for one in door.found(asked)} == {
        made.json()["id"]
    }
    assert len(door.pull(dossier())["documents"]) == 3
    assert door.ask("DELETE", f"DocumentReference/{made.json()['id']}").status_code == 204


def test_folders_of_the_dossier_are_found_as_lists(door: Door) -> None:
    (folder,) = door.found(f"List?{PATIENT}&code={FOLDER}&status=current")
    assert folder["title"] == "Plans"
    assert folder["meta"]["profile"] == [pdsm.PDSM + "pdsm-folder-comprehensive"]
    documents = {one["item"]["reference"] for one in folder["entry"]}
    found = door.found(f"DocumentReference?{PATIENT}&category=44")
    assert documents == {f"DocumentReference/{one['id']}" for one in found}


def submission(door: Door, number: int, **more: Any) -> Json:
    """Give a bundle that adds a document about the person of another dossier."""
    (patient,) = door.found(f"Patient?identifier=P-{number}")
    bundle = pdsm.provided(number, **more)
    for entry in bundle["entry"][:2]:
        entry["resource"]["subject"] = {"reference": f"Patient/{patient['id']}"}
    return bundle


def test_a_set_that_is_provided_is_found_by_what_the_guide_asks(door: Door) -> None:
    assert door.push(another(901)).status_code == 201
    bundle = submission(door, 901)
    (role,) = door.found(f"PractitionerRole?practitioner.family=Dupont&_tag={tagged(another(901))}")
    submitted = bundle["entry"][0]["resource"]
    submitted["source"] = {"reference": f"PractitionerRole/{role['id']}"}
    submitted["contained"][0]["id"] = "recipient"
    submitted["extension"].append(
        {
            "url": pdsm.PDSM + "pdsm-ext-intended-recipient",
            "valueReference": {"reference": "#recipient"},
        }
    )
    lot, document, binary = door.provide(bundle)
    # POST List?patient.identifier=156&code=…|submissionset&status=current : FHIR searches by POST
    # at _search, where the criteria may stand in the address; the code system is https.
    asked = f"patient.identifier=P-901&code={quote(SUBMISSION_SET)}&status=current"
    answer = door.ask("POST", f"List/_search?{asked}", "", **FORM)
    assert [one["resource"]["id"] for one in answer.json()["entry"]] == [lot.partition("/")[2]]
    # … &date=ge2021-01-01&source:PractitionerRole.partOf.family-ex=Dupont : PractitionerRole has
    # neither; its practitioner has the name.
    person = "source:PractitionerRole.practitioner.family=Dupont"
    given = "source:PractitionerRole.practitioner.given=Anne"
    by_author = f"List?{asked}&date=ge2021-01-01&{person}&{given}"
    assert [f"List/{one['id']}" for one in door.found(by_author)] == [lot]
    for criterion in (
        *("title=Suivi", "isArchived=false", "designationType=SA05"),
        "sourceId=urn:oid:1.2.3|SRC-01",
    ):
        assert [f"List/{one['id']}" for one in door.found(f"List?{asked}&{criterion}")] == [lot]
    (found,) = door.found("DocumentReference?identifier=urn:ietf:rfc:3986|urn:oid:2.25.901")
    assert f"DocumentReference/{found['id']}" == document
    read = door.client.get(f"/fhir/{found['content'][0]['attachment']['url']}", headers=ANY)
    assert (read.status_code, read.content) == (200, pdsm.TEXT)
    assert found["content"][0]["attachment"]["url"] == binary


ANY = {"accept": "*/*"}


def test_a_document_is_fetched_at_the_address_that_it_gives(door: Door) -> None:
    (letter,) = door.found(f"DocumentReference?{PATIENT}&identifier={PLATFORM}/documents|"
                           "D-2026-0001/d1")  # fmt: skip
    attachment = letter["content"][0]["attachment"]
    whole = door.client.get(f"/fhir/{attachment['url']}", headers=ANY)
    assert (whole.status_code, whole.content) == (200, PDF)
    assert whole.headers["content-type"] == "application/pdf"
    assert (attachment["size"], attachment["hash"]) == (len(PDF), pdsm.sha1(PDF))
    part = door.client.get(f"/fhir/{attachment['url']}", headers=ANY | {"range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, PDF[:4])
    other = door.client.get(f"/fhir/{attachment['url']}", headers={"accept": "image/png"})
    assert other.status_code == 406
    (first,) = door.found(f"DocumentReference?{PATIENT}&status=superseded")
    gone = door.client.get(f"/fhir/{first['content'][0]['attachment']['url']}", headers=ANY)
    assert gone.status_code == 410
    assert door.client.get("/fhir/Binary/unknown", headers=ANY).status_code == 404


def test_the_metadata_of_a_document_are_patched_and_the_platform_pulls_them(door: Door) -> None:
    # PATCH DocumentReference?identifier=http://my-lab-system|123 ; the pointers and values of the
    # guide's sample are no JSON Patch of these elements, so normal ones stand here.
    content = another(77, plan(uniqueId="1.2.250.1.213.9.77"))
    assert door.push(content).status_code == 201
    patch = [
        {"op": "replace", "path": "/status", "value": "superseded"},
        {
            "op": "replace",
            "path": "/securityLabel",
            "value": [pdsm.concept("TRE_A08-HL7Confidentiality", "V")],
        },
        {"op": "replace", "path": "/extension/0/valueBoolean", "value": False},
    ]
    address = "DocumentReference?identifier=urn:ietf:rfc:3986|urn:oid:1.2.250.1.213.9.77"
    answer = door.ask("PATCH", address, patch, **JSON_PATCH)
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"'), answer.text
    assert answer.json()["meta"]["versionId"] == "2"
    (pulled,) = door.pull(content)["documents"]
    assert (pulled["status"], pulled["archived"]) == ("superseded", False)
    assert pulled["audience"] == {"confidentiality": "V"}
    refused = door.ask(
        "PATCH",
        address,
        [{"op": "replace", "path": "/date", "value": "2026-01-01T00:00:00Z"}],
        **JSON_PATCH,
    )
    assert refused.status_code == 405
    assert refused.json()["issue"][0]["expression"] == ["DocumentReference.date"]


def test_a_provided_document_replaces_one_of_the_dossier_and_is_filed_in_its_folder(
    door: Door,
) -> None:
    content = another(902, plan(uniqueId="1.2.3.78"))
    assert door.push(content).status_code == 201
    (old,) = door.found("DocumentReference?identifier=urn:ietf:rfc:3986|urn:oid:1.2.3.78")
    (folder,) = door.found(f"List?code={FOLDER}&item=DocumentReference/{old['id']}")
    relation = {"code": "replaces", "target": {"reference": f"DocumentReference/{old['id']}"}}
    bundle = submission(door, 902, relatesTo=[relation])
    folder["entry"].append({"item": {"reference": pdsm.uuid(2)}})
    bundle["entry"].append(pdsm.entry(folder, 4, "PUT", f"List/{folder['id']}"))
    _, new, _, filed = door.provide(bundle)
    assert filed == f"List/{folder['id']}"
    (pulled,) = door.pull(content)["documents"]
    assert (pulled["status"], pulled["folder"]) == ("superseded", "Plans")
    items = [one["item"]["reference"] for one in door.get(filed)["entry"]]
    assert items == [f"DocumentReference/{old['id']}", new]


def test_a_document_is_published_in_one_request(door: Door) -> None:
    assert door.push(another(903)).status_code == 201
    (patient,) = door.found("Patient?identifier=P-903")
    document = pdsm.simplified(subject={"reference": f"Patient/{patient['id']}"})
    document["masterIdentifier"]["value"] = "urn:oid:2.25.903"
    answer = door.ask("POST", "DocumentReference", document)
    assert answer.status_code == 201, answer.text
    address = answer.json()["content"][0]["attachment"]["url"]
    assert door.client.get(f"/fhir/{address}", headers=ANY).content == pdsm.TEXT


KINDS = ("DocumentReference", "Binary", "List")


def test_the_same_documents_come_in_natively_and_as_a_bundle_of_the_guide(
    door: Door, twin: Door
) -> None:
    content = another(79, *dossier()["documents"])
    assert door.push(content).status_code == 201
    searches = [f"{kind}?_tag={tagged(content)}" for kind in KINDS]
    native = gathered(door.get, *searches)
    assert sorted({one["resourceType"] for one in native}) == sorted(KINDS)
    assert twin.push({k: v for k, v in content.items() if k != "documents"}).status_code == 201
    bundle = guide_bundle(native)
    twin.provide(bundle)
    brought = [
        one for one in gathered(twin.get, *searches) if "submissionset" not in json.dumps(one)
    ]
    assert {one["id"] for one in native}.isdisjoint(one["id"] for one in brought)
    assert differences(native, brought) == ([], [])
    assert twin.pull(content)["documents"] == door.pull(content)["documents"]
    again = twin.push(content).json()  # a push of what came in by FHIR finds it there
    assert {one["action"] for one in again["entries"]} == {"unchanged"}, again
    after = gathered(twin.get, *searches)
    assert sorted(one["id"] for one in after if "submissionset" not in json.dumps(one)) == sorted(
        one["id"] for one in brought
    )


def guide_bundle(resources: list[Json]) -> Json:
    """Give the transaction by which a source of documents provides those resources."""
    urns = {f"{one['resourceType']}/{one['id']}": pdsm.uuid(n) for n, one in enumerate(resources)}
    documents = [urns[key] for key in urns if key.startswith("DocumentReference/")]
    text = json.dumps([without_ids(one) for one in resources])
    for key, urn in urns.items():
        text = text.replace(f'"{key}"', f'"{urn}"')
    entries = [pdsm.entry(one, n) for n, one in enumerate(json.loads(text))]
    subject = next(one["subject"] for one in resources if "subject" in one)
    lot = pdsm.submission_set(*documents, subject=subject)
    return pdsm.bundle(pdsm.entry(lot, len(entries)), *entries)


def without_ids(resource: Json) -> Json:
    meta = {k: v for k, v in resource["meta"].items() if k not in ("versionId", "lastUpdated")}
    return {k: v for k, v in resource.items() if k != "id"} | {"meta": meta}
