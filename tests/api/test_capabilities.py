"""Whatever the CapabilityStatement claims is tried on every type that it claims it of."""

import pytest

from passerelle.errors.refusals import Invalid
from passerelle.fhir.conformance import structure
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.search.search_parameters import parameters

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_url(sqlite_database_url):
    """What is tried here does not depend on the database."""
    return sqlite_database_url


VALUES = {
    "token": "a",
    "string": "a",
    "reference": "Patient/1",
    "date": "2026",
    "number": "1",
    "quantity": "1",
    "uri": "urn:a",
    "special": "48.8|2.3|10|km",
}


def _value(type_, parameter):
    if parameter["type"] != "composite":
        return VALUES[parameter["type"]]
    components = parameters(type_)[parameter["name"]].components
    return "$".join(VALUES[component.kind] for component in components)


@pytest.fixture
async def claimed(served):
    return (await served.ask("GET", "/fhir/metadata")).json()


async def test_the_statement_is_itself_a_resource_without_fault(claimed):
    try:
        structure.demand(claimed)
    except Invalid as refusal:
        pytest.fail(str([(issue.rule, issue.expression) for issue in refusal.issues]))


async def test_every_type_of_r4_is_claimed(claimed):
    assert {each["type"] for each in claimed["rest"][0]["resource"]} == resource_types()


SAMPLE_EACH = 15
"""Of what is claimed, one in so many is tried at each run, and all of it every night."""


def searches_claimed(claimed):
    """Give a search for each parameter that is claimed, and one for each include."""
    for each in claimed["rest"][0]["resource"]:
        type_ = each["type"]
        for parameter in each["searchParam"]:
            yield f"/fhir/{type_}?{parameter['name']}={_value(type_, parameter)}&_count=1"
        for name, found in (("_include", "searchInclude"), ("_revinclude", "searchRevInclude")):
            for value in each.get(found, ()):
                yield f"/fhir/{type_}?{name}={value}&_count=1"


async def understood(served, addresses):
    for address in addresses:
        answer = await served.ask("GET", address, headers={"Prefer": "handling=strict"})
        assert answer.status_code == 200, (address, answer.text)


async def test_a_search_that_is_claimed_is_understood(served, claimed):
    await understood(served, list(searches_claimed(claimed))[::SAMPLE_EACH])


@pytest.mark.nightly
async def test_every_search_that_is_claimed_is_understood(served, claimed):
    await understood(served, searches_claimed(claimed))


async def test_every_interaction_that_is_claimed_is_there(served, claimed):
    """An interaction that is there answers in its own words; one that is not says 501 or 405."""
    for each in claimed["rest"][0]["resource"]:
        type_ = each["type"]
        base, one = f"/fhir/{type_}", f"/fhir/{type_}/x"
        empty = {"resourceType": type_, "id": "x"}
        tried = {
            "create": ("POST", base, empty, {201, 400}),
            "update": ("PUT", one, empty, {200, 201, 400}),
            "read": ("GET", one, None, {200, 404, 410}),
            "vread": ("GET", one + "/_history/1", None, {200, 404, 410}),
            "history-instance": ("GET", one + "/_history", None, {200, 404}),
            "history-type": ("GET", base + "/_history?_count=1", None, {200}),
            "search-type": ("GET", base + "?_count=1", None, {200}),
            "delete": ("DELETE", one, None, {200, 204}),
            "patch": ("PATCH", one, {"resourceType": "Parameters"}, {200, 404, 410}),
        }
        codes = [interaction["code"] for interaction in each["interaction"]]
        assert set(codes) <= set(tried)
        for code in tried:
            if code in codes:
                method, address, body, expected = tried[code]
                answer = await served.ask(method, address, body)
                assert answer.status_code in expected, (type_, code, answer.text)


async def test_the_conditions_that_are_claimed_hold(served, claimed):
    for each in claimed["rest"][0]["resource"]:
        assert each["conditionalCreate"] is True
        assert each["conditionalUpdate"] is True
        assert each["updateCreate"] is True
        assert each["versioning"] == "versioned"
        assert each["conditionalDelete"] == "single"
        assert each["referencePolicy"] == ["literal", "logical"]
    answer = await served.ask("DELETE", "/fhir/Patient?identifier=x")
    assert answer.status_code == 204
    given = {"resourceType": "Basic", "code": {"text": "x"}}
    made = await served.ask("POST", "/fhir/Basic", given, {"If-None-Exist": "_id=none"})
    assert made.status_code == 201
    put = await served.ask("PUT", "/fhir/Basic?_id=none", given)
    assert put.status_code == 201


@pytest.mark.parametrize("kind", ["transaction", "batch"])
async def test_the_system_interactions_that_are_claimed_are_there(served, claimed, kind):
    codes = {interaction["code"] for interaction in claimed["rest"][0]["interaction"]}
    assert codes >= {"transaction", "batch"}
    answer = await served.ask("POST", "/fhir", {"resourceType": "Bundle", "type": kind})
    assert answer.status_code == 200


EVERYWHERE = {"validate", "meta", "meta-add", "meta-delete"}
"""Operations of every type, tried on some of them."""


async def test_the_operations_that_are_claimed_are_there(served, claimed):
    """Each answers in its own words on the type or on an instance; nobody claims what is 501."""
    rest = claimed["rest"][0]
    places = [("", each["name"]) for each in rest.get("operation", ())]
    for each in rest["resource"]:
        places += [(f"/{each['type']}", one["name"]) for one in each.get("operation", ())]
    places = [each for n, each in enumerate(places) if n % 7 == 0 or each[1] not in EVERYWHERE]
    for place, name in places:
        told = []
        for address in (f"/fhir{place}/${name}", f"/fhir{place}/x/${name}" if place else None):
            if address is not None:
                answer = await served.ask("POST", address, {"resourceType": "Parameters"})
                assert answer.status_code != 405
                told.append("http.not-there-yet" in answer.text)
        assert not all(told), (place, name)
