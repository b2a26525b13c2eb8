"""Every operation is found by the one table, or refused by its name."""

import pytest

from passerelle.api.rest import operations
from passerelle.fhir.conformance.structure_table import resource_types

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_url(sqlite_database_url):
    """What is tried here does not depend on the database."""
    return sqlite_database_url


@pytest.mark.parametrize(
    "address",
    ["/fhir/$nothing", "/fhir/Patient/$nothing", "/fhir/Patient/1/$nothing", "/fhir/Task/$"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_operation_that_is_not_there_is_refused_by_its_name(
    served, rules, address, method
):
    answer = await served.ask(method, address)
    assert (answer.status_code, rules(answer)) == (501, ["http.not-there-yet"])
    assert answer.json()["issue"][0]["code"] == "not-supported"


async def test_a_name_that_might_be_a_value_is_not_repeated(served):
    answer = await served.ask("GET", "/fhir/Patient/$279035121518989%20")
    assert answer.status_code == 501
    assert "279035121518989" not in answer.text


async def test_an_operation_that_changes_the_record_is_asked_by_post_only(served, rules):
    for operation in operations.OPERATIONS:
        if operation.affects_state and "instance" in operation.levels:
            type_ = "Patient" if operation.types is None else sorted(operation.types)[0]
            answer = await served.ask("GET", f"/fhir/{type_}/x/${operation.name}")
            assert answer.status_code == 405
            assert answer.headers["allow"] == "POST"


async def test_an_operation_without_the_body_that_it_reads_is_refused(served, rules):
    answer = await served.ask("POST", "/fhir/DocumentReference/x/$send-mss", b"")
    assert (answer.status_code, rules(answer)) == (400, ["http.body-missing"])
    wrong = {"resourceType": "Patient"}
    answer = await served.ask("POST", "/fhir/DocumentReference/x/$send-mss", wrong)
    assert (answer.status_code, rules(answer)) == (400, ["http.type-mismatch"])


def test_no_two_operations_stand_at_the_same_place():
    places = [
        (each.name, level, type_)
        for each in operations.OPERATIONS
        for level in each.levels
        for type_ in ([""] if level == "system" else each.types or resource_types())
    ]
    assert len(places) == len(set(places))


async def test_every_operation_is_claimed(served):
    rest = (await served.ask("GET", "/fhir/metadata")).json()["rest"][0]
    claimed = {("", each["name"]) for each in rest.get("operation", ())}
    for resource in rest["resource"]:
        claimed |= {(resource["type"], each["name"]) for each in resource.get("operation", ())}
    assert claimed == {(each.type, each.name) for each in operations.claims(resource_types())}
