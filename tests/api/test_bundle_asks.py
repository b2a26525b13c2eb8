"""Entries that ask: whatever a GET at the door can ask, and operations."""

import pytest

from passerelle import app as wiring
from passerelle.settings import Settings

pytestmark = pytest.mark.anyio

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [{"family": "Dùrand", "given": ["Aline"]}],
    "gender": "female",
}
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
    "subject": {"reference": "Patient/p1"},
}
ADDRESSES = (
    "Patient/p1",
    "Patient/p1/_history/1",
    "Patient/p1?_summary=true",
    "Patient/p1?_elements=gender&_pretty=true&_format=xml",
    "Patient?gender=female",
    "Patient?name=D%C3%B9rand&_summary=count",
    "Patient?_count=1&_sort=_id",
    "?_type=Patient,Observation",
    "Patient/p1/Observation",
    "Patient/p1/*",
    "_history?_count=2",
    "Patient/_history",
    "Patient/p1/_history",
    "Patient/p1/$everything?_count=1",
    "Observation/$lastn?patient=p1",
    "Patient/p1/$meta",
    "Patient/$meta",
    "$meta",
    "metadata",
    "Binary/b1",
    "Patient/none",
    "Patient/p9",
    "Patient?nonsense=1",
    "Patient?birthdate=x",
    "Patient/p1/$nothing",
    "Patient/p1/_history/x",
    "Patient/p1/Medication",
)


def entry(method, url, resource=None, **request):
    made = {"request": {"method": method, "url": url, **request}}
    return made if resource is None else made | {"resource": resource}


def bundle(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def parameters(**values):
    listed = [{"name": name, **value} for name, value in values.items()]
    return {"resourceType": "Parameters", "parameter": listed}


@pytest.fixture
async def filled(served):
    await served.kept(PATIENT)
    await served.kept(PATIENT | {"id": "p2"})
    await served.kept(OBSERVATION)
    await served.kept(PATIENT | {"id": "p9"})
    await served.ask("DELETE", "/fhir/Patient/p9")
    headers = {"content-type": "text/plain"}
    await served.client.put("/fhir/Binary/b1", content=b"Bonjour", headers=headers)
    return served


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_an_entry_is_answered_what_the_request_by_itself_is(filled, kind):
    # What there is not at all keeps a transaction from being done.
    addresses = [a for a in ADDRESSES if kind == "batch" or a != "Patient/p1/$nothing"]
    answer = await filled.ask("POST", "/fhir", bundle(kind, *(entry("GET", a) for a in addresses)))
    assert answer.status_code == 200, answer.text
    for address, made in zip(addresses, answer.json()["entry"], strict=True):
        plain = address.replace("&_pretty=true&_format=xml", "")
        headers = {"accept": "application/fhir+json"}
        alone = await filled.ask("GET", f"/fhir/{plain}".replace("/?", "?"), headers=headers)
        said = made["response"]
        assert said["status"].startswith(str(alone.status_code)), address
        if alone.status_code >= 400:
            assert codes(said["outcome"]) == codes(alone.json()), address
            continue
        assert made["resource"] == alone.json(), address
        assert said.get("etag") == alone.headers.get("etag")
        if "etag" in said:
            assert said["location"].startswith(made["fullUrl"].removeprefix(f"{BASE}/"))


BASE = "http://127.0.0.1:8080/fhir"


def codes(outcome):
    return [each["details"]["coding"][0]["code"] for each in outcome["issue"]]


async def test_the_links_of_a_page_in_a_batch_lead_on(filled):
    answer = await filled.ask("POST", "/fhir", bundle("batch", entry("GET", "Patient?_count=1")))
    page, seen = answer.json()["entry"][0]["resource"], []
    while True:
        seen += [each["resource"]["id"] for each in page.get("entry", [])]
        links = {each["relation"]: each["url"] for each in page["link"]}
        if "next" not in links:
            break
        page = (await filled.client.get(links["next"])).json()
    assert sorted(seen) == ["p1", "p2"]


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_what_the_client_holds_is_not_sent_again(filled, kind):
    at = (await filled.ask("GET", "/fhir/Patient/p1")).json()["meta"]["lastUpdated"]
    answer = await filled.ask(
        "POST",
        "/fhir",
        bundle(
            kind,
            entry("GET", "Patient/p1", ifNoneMatch='W/"1"'),
            entry("GET", "Patient/p1", ifNoneMatch='W/"8", W/"1"'),
            entry("GET", "Patient/p1", ifNoneMatch="*"),
            entry("GET", "Patient/p1", ifModifiedSince=at),
            entry("GET", "Patient/p1", ifNoneMatch='W/"2"', ifModifiedSince=at),
            entry("GET", "Patient/p1", ifModifiedSince="2001-01-01T00:00:00+02:00"),
            entry("HEAD", "Patient/p1", ifNoneMatch='W/"2"'),
            entry("HEAD", "Patient?gender=female"),
        ),
    )
    made = answer.json()["entry"]
    statuses = [each["response"]["status"][:3] for each in made]
    assert statuses == ["304", "304", "304", "304", "200", "200", "200", "200"]
    assert ["resource" in each for each in made] == [False] * 4 + [True, True, False, False]
    assert made[0]["response"]["etag"] == made[6]["response"]["etag"] == 'W/"1"'


async def test_operations_are_asked_in_a_batch(filled):
    label = {"tag": [{"system": "urn:x", "code": "a"}]}
    answer = await filled.ask(
        "POST",
        "/fhir",
        bundle(
            "batch",
            entry("POST", "Patient/$validate", PATIENT | {"gender": "x"}),
            entry(
                "POST",
                "Patient/p1/$meta-add",
                parameters(meta={"valueMeta": label}),
                ifMatch='W/"1"',
            ),
            entry("GET", "Patient/p1/$meta-add"),
            entry("POST", "Patient/p1/$meta"),
            entry("POST", "Patient/$nothing"),
            entry("POST", "Patient/p1/$meta-add", "no resource"),
        ),
    )
    made = answer.json()["entry"]
    statuses = [each["response"]["status"][:3] for each in made]
    assert statuses == ["200", "200", "405", "200", "501", "400"]
    assert made[0]["resource"]["resourceType"] == "OperationOutcome"
    assert made[3]["resource"]["parameter"][0]["valueMeta"]["tag"] == label["tag"]


async def test_a_transaction_asks_operations_once_it_has_written(filled, rules):
    label = parameters(meta={"valueMeta": {"tag": [{"system": "urn:x", "code": "a"}]}})
    writing = entry("PUT", "Patient/p3", PATIENT | {"id": "p3"})
    answer = await filled.ask(
        "POST",
        "/fhir",
        bundle(
            "transaction",
            entry("POST", "Patient/p3/$everything"),
            entry("POST", "Patient/$validate", PATIENT),
            writing,
        ),
    )
    made = answer.json()["entry"]
    assert made[0]["resource"]["entry"][0]["resource"]["id"] == "p3"
    assert made[1]["resource"]["issue"][0]["severity"] in ("information", "warning")
    refused = await filled.ask(
        "POST",
        "/fhir",
        bundle(
            "transaction",
            entry("PUT", "Patient/p4", PATIENT | {"id": "p4"}),
            entry("POST", "Patient/p1/$meta-add", label),
            entry("POST", "Composition/c1/$document"),
            entry("GET", "Patient/$nothing"),
        ),
    )
    assert refused.status_code == 501
    assert rules(refused) == ["bundle.operation-changes"] * 2 + ["http.not-there-yet"]
    assert (await filled.ask("GET", "/fhir/Patient/p4")).status_code == 404


async def test_a_strict_bundle_has_its_entries_strict(filled):
    asked = bundle("batch", entry("GET", "Patient?nonsense=1"))
    lenient = await filled.ask("POST", "/fhir", asked)
    strict = await filled.ask("POST", "/fhir", asked, {"Prefer": "handling=strict"})
    assert lenient.json()["entry"][0]["response"]["status"] == "200 OK"
    assert strict.json()["entry"][0]["response"]["status"] == "400 Bad Request"


async def test_a_document_is_a_resource_in_a_bundle_whatever_it_holds(filled):
    kept = {"resourceType": "Binary", "id": "b2", "contentType": "application/fhir+json"}
    await filled.kept(kept | {"data": "eA=="})
    asked = bundle("batch", entry("GET", "Binary/b2"), entry("GET", "Binary/b2/_history/1"))
    answer = await filled.ask("POST", "/fhir", asked)
    for made in answer.json()["entry"]:
        assert made["resource"]["contentType"] == "application/fhir+json"
        assert made["resource"]["data"] == "eA=="


async def test_bundles_are_asked_in_xml_too(filled):
    asked = bundle("batch", entry("GET", "Patient/p1"), entry("GET", "Patient"))
    answer = await filled.ask("POST", "/fhir", asked, {"Accept": "application/fhir+xml"})
    assert answer.headers["content-type"].startswith("application/fhir+xml")
    assert answer.text.count('<family value="Dùrand"/>') == 3


@pytest.fixture
async def narrow(filled):
    """Answers to bundles may have 20 kB there."""
    filled.door.fhir.answer_limit = 20_000
    return filled


LARGE = PATIENT | {"id": "large", "name": [{"text": "x" * 6_000}]}


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_an_answer_that_grows_too_large_says_what_to_do(narrow, kind):
    await narrow.kept(LARGE)
    asked = bundle(
        kind, *(entry("GET", "Patient/large") for _ in range(5)), entry("HEAD", "Patient/large")
    )
    answer = await narrow.ask("POST", "/fhir", asked)
    made = answer.json()["entry"]
    statuses = [each["response"]["status"][:3] for each in made]
    assert statuses == ["200", "200", "200", "413", "413", "413"]
    assert codes(made[3]["response"]["outcome"]) == ["bundle.answer-too-large"]
    assert made[3]["response"]["outcome"]["issue"][0]["expression"] == [
        "Bundle.entry[3].request.url"
    ]


async def test_bytes_of_documents_are_counted_too(narrow):
    headers = {"content-type": "text/plain"}
    await narrow.client.put("/fhir/Binary/large", content=b"x" * 30_000, headers=headers)
    answer = await narrow.ask(
        "POST",
        "/fhir",
        bundle(
            "batch",
            entry("HEAD", "Binary/large"),
            entry("GET", "Binary/large"),
            entry("GET", "Binary/b1"),
        ),
    )
    statuses = [each["response"]["status"][:3] for each in answer.json()["entry"]]
    assert statuses == ["200", "413", "413"]


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_what_was_written_is_said_even_where_it_cannot_be_shown(narrow, kind):
    asked = bundle(
        kind, *(entry("PUT", f"Patient/l{n}", LARGE | {"id": f"l{n}"}) for n in range(5))
    )
    answer = await narrow.ask("POST", "/fhir", asked, {"Prefer": "return=representation"})
    made = answer.json()["entry"]
    assert {each["response"]["status"] for each in made} == {"201 Created"}
    assert ["resource" in each for each in made] == [True] * 3 + [False] * 2
    assert codes(made[4]["response"]["outcome"])[-1] == "bundle.answer-left-out"
    assert made[4]["response"]["etag"] == 'W/"1"'
    assert (await narrow.ask("GET", "/fhir/Patient/l4")).status_code == 200


async def test_faults_are_counted_too(narrow):
    faulty = PATIENT | {f"x{n}": 1 for n in range(20)}
    asked = bundle("batch", *(entry("PUT", "Patient/p1", faulty) for _ in range(10)))
    answer = await narrow.ask("POST", "/fhir", asked)
    told = [len(each["response"]["outcome"]["issue"]) for each in answer.json()["entry"]]
    assert (told[0], told[-1]) == (20, 2)


def test_the_limit_is_a_setting():
    settings = Settings(answer_limit=1_000_000)
    door = wiring.web_application(settings)
    assert door.fhir.answer_limit == 1_000_000
