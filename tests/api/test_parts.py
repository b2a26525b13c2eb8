"""`_summary` and `_elements` over HTTP: of a read, a version, a search."""

import pytest

from tests.api.conftest import BASE

pytestmark = pytest.mark.anyio

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "text": {
        "status": "generated",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml">Éléonore</div>',
    },
    "name": [{"family": "D'ALMEIDA"}],
    "birthDate": "1980-01-01",
    "maritalStatus": {"text": "x"},
}
OBSERVATION = (
    b'{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},'
    b'"subject":{"reference":"Patient/p1"},"valueQuantity":{"value":1.50},"note":[{"text":"x"}]}'
)
LEFT = {
    "_summary=true": {"name", "birthDate"},
    "_summary=text": {"text"},
    "_summary=data": {"name", "birthDate", "maritalStatus"},
    "_elements=birthDate,Patient.name": {"name", "birthDate"},
    "_elements=maritalStatus": {"maritalStatus"},
}


async def keep(served) -> None:
    await served.kept(PATIENT)
    answer = await served.ask("PUT", "/fhir/Observation/o1", OBSERVATION)
    assert answer.status_code == 201, answer.text


def left(resource) -> set[str]:
    assert resource["meta"]["tag"][-1]["code"] == "SUBSETTED"
    return set(resource) - {"resourceType", "id", "meta"}


@pytest.mark.parametrize("asked", LEFT)
async def test_a_part_is_given_of_a_read_a_version_and_a_search(served, asked):
    await keep(served)
    for below in ("Patient/p1", "Patient/p1/_history/1"):
        answer = await served.ask("GET", f"/fhir/{below}?{asked}")
        assert left(answer.json()) == LEFT[asked]
        assert answer.headers["etag"] == 'W/"1"'
        head = await served.ask("HEAD", f"/fhir/{below}?{asked}")
        assert head.headers["content-length"] == answer.headers["content-length"]
    form = {"content-type": "application/x-www-form-urlencoded"}
    got = await served.ask("GET", f"/fhir/Patient?{asked}")
    posted = await served.ask("POST", "/fhir/Patient/_search", asked.encode(), form)
    for page in (got.json(), posted.json()):
        assert left(page["entry"][0]["resource"]) == LEFT[asked]
    whole = (await served.ask("GET", "/fhir/Patient/p1")).json()
    assert set(whole) == set(PATIENT) | {"meta"}


async def test_the_links_of_a_search_ask_for_the_same_part(served):
    await keep(served)
    await served.kept(PATIENT | {"id": "p2"})
    page = (await served.ask("GET", "/fhir/Patient?_count=1&_elements=name")).json()
    links = {link["relation"]: link["url"] for link in page["link"]}
    assert links["self"] == f"{BASE}/Patient?_count=1&_elements=name"
    following = (await served.ask("GET", links["next"])).json()
    assert left(following["entry"][0]["resource"]) == {"name"}


async def test_what_is_included_is_given_in_part_too(served):
    await keep(served)
    team = {"resourceType": "CareTeam", "id": "t1", "subject": {"reference": "Patient/p1"}}
    await served.kept(team | {"note": [{"text": "x"}]})
    asked = "_summary=true&_include=CareTeam:patient"
    page = (await served.ask("GET", f"/fhir/CareTeam?{asked}")).json()
    found = {each["resource"]["resourceType"]: each["resource"] for each in page["entry"]}
    assert left(found["Patient"]) == {"name", "birthDate"}
    assert left(found["CareTeam"]) == {"subject"}


async def test_numbers_stay_as_written(served):
    await keep(served)
    for address in ("/fhir/Observation/o1?_summary=true", "/fhir/Observation?_summary=true"):
        answer = await served.ask("GET", address)
        assert '"value":1.50' in answer.text
        assert "note" not in answer.text


async def test_a_count_and_the_whole_are_asked_for_by_name_too(served):
    await keep(served)
    count = (await served.ask("GET", "/fhir/Patient?_summary=count")).json()
    assert (count["total"], "entry" in count) == (1, False)
    for address in ("/fhir/Patient/p1?_summary=false", "/fhir/Patient/p1?_elements="):
        whole = await served.ask("GET", address)
        assert "text" in whole.json() or whole.status_code == 400


async def test_who_holds_the_version_is_not_given_a_part_of_it(served):
    await keep(served)
    held = {"if-none-match": 'W/"1"'}
    answer = await served.ask("GET", "/fhir/Patient/p1?_summary=true", headers=held)
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ("_summary=all", "search.value-invalid"),
        ("_summary=true&_summary=text", "search.repeated"),
        ("_elements=name&_elements=id", "search.repeated"),
        ("_elements=a b", "search.value-invalid"),
        ("_elements=" + "a," * 300 + "a", "search.too-many-values"),
        ("_summary=true&_elements=name", "answer.summary-and-elements"),
        ("_summary=text&_revinclude=CareTeam:patient", "answer.summary-text-and-include"),
    ],
)
async def test_what_is_no_part_is_refused(served, rules, asked, rule):
    await keep(served)
    for below in ("Patient/p1", "Patient", "Patient/p1/_history"):
        answer = await served.ask("GET", f"/fhir/{below}?{asked}")
        assert (answer.status_code, rules(answer)) == (400, [rule])
