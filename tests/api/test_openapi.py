"""The description in OpenAPI says what the tables say, and is sound."""

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from passerelle.api.description.document import TYPES_MAX, document
from passerelle.api.rest import fhir_routes
from passerelle.api.rest.operations import OPERATIONS
from passerelle.dossiers.writing_policy import WritingPolicy
from passerelle.fhir.conformance.structure_table import resource_types
from passerelle.fhir.search.search_parameters import parameters

pytestmark = pytest.mark.anyio
FRAMEWORK = {"paths": {}}


@pytest.fixture
def database_url(sqlite_database_url):
    """What is tried here does not depend on the database."""
    return sqlite_database_url


def of_type(type_, **writing):
    return document(
        FRAMEWORK,
        base_url="http://127.0.0.1:8080/fhir",
        software_version="0",
        writing=WritingPolicy(**writing),
        types=[type_] if type_ else [],
    )


@pytest.mark.parametrize("query", ["", "?type=Patient", "?type=Binary", "?type=Patient,Bundle"])
async def test_the_description_is_sound_by_the_schema_of_openapi_31(served, query):
    described = (await served.ask("GET", f"/openapi.json{query}")).json()
    assert described["openapi"] == "3.1.0"
    faults = [fault.message[:300] for fault in OpenAPIV31SpecValidator(described).iter_errors()]
    assert faults == []


async def test_every_shape_and_method_that_is_routed_is_described():
    paths = of_type(None)["paths"]
    for shape, routes in fhir_routes.ROUTES.items():
        if "{operation}" not in shape and shape != fhir_routes.COMPARTMENT:
            assert set(paths[shape]) == {method.lower() for method in routes}
    for each in OPERATIONS:
        assert any(path.endswith(f"${each.name}") for path in paths)


async def test_a_type_is_described_with_each_of_its_search_parameters():
    for type_ in ("Patient", "Observation", "DocumentReference"):
        described = of_type(type_)["paths"][f"/fhir/{type_}"]["get"]["parameters"]
        assert set(parameters(type_)) <= {each["name"] for each in described if "name" in each}


@pytest.mark.nightly
async def test_every_type_is_described_soundly():
    for type_ in sorted(resource_types()):
        described = of_type(type_)
        assert list(OpenAPIV31SpecValidator(described).iter_errors()) == [], type_


async def test_no_name_is_given_to_two_operations():
    for type_ in (None, "Patient", "Binary", "ValueSet"):
        paths = of_type(type_)["paths"].values()
        named = [each["operationId"] for methods in paths for each in methods.values()]
        assert len(named) == len(set(named))


async def test_what_the_settings_switch_off_is_not_described():
    off = of_type("Patient", conditional_delete="off", update_create=False)["paths"]
    assert "delete" not in off["/fhir/Patient"]
    assert "201" not in off["/fhir/Patient/{id}"]["put"]["responses"]
    on = of_type("Patient")["paths"]
    assert "delete" in on["/fhir/Patient"]
    assert "201" in on["/fhir/Patient/{id}"]["put"]["responses"]


async def test_the_document_stays_small(served):
    assert len((await served.ask("GET", "/openapi.json")).content) < 400_000
    assert len((await served.ask("GET", "/openapi.json?type=Patient")).content) < 400_000


async def test_types_that_are_none_or_too_many_are_refused(served, rules):
    answer = await served.ask("GET", "/openapi.json?type=Nothing")
    assert (answer.status_code, rules(answer)) == (404, ["http.type-unknown"])
    many = ",".join(sorted(resource_types())[: TYPES_MAX + 1])
    answer = await served.ask("GET", f"/openapi.json?type={many}")
    assert (answer.status_code, rules(answer)) == (400, ["search.too-many-values"])
