"""The CapabilityStatement says what the tables say, and no more."""

import json

from passerelle.fhir.capability import Ability, Operation, statement
from passerelle.fhir.search.search_parameters import ANY, Parameter

PARAMETERS = {
    "CareTeam": {
        "patient": Parameter(1, "CareTeam", "patient", "reference", "x", ("Patient",), "urn:p"),
        "_id": Parameter(2, ANY, "_id", "token", "x", (), "urn:i"),
    },
    "Patient": {"_id": Parameter(2, ANY, "_id", "token", "x", (), "urn:i")},
}


def made(**changes):
    ability = Ability(
        types=("Patient", "CareTeam"),
        type_interactions=("read", "create"),
        system_interactions=("batch",),
        conditions={"conditionalCreate": True},
        parameters=PARAMETERS.__getitem__,
        operations=(Operation("Patient", "x", "urn:x"),),
        **changes,
    )
    return json.loads(
        statement(ability, base_url="http://b", software_version="1", date="2026-01-12")
    )


def test_it_is_a_statement_of_r4():
    said = made()
    assert said["resourceType"] == "CapabilityStatement"
    assert said["fhirVersion"] == "4.0.1"
    assert said["implementation"]["url"] == "http://b"
    assert said["format"] == ["json", "application/fhir+json", "xml", "application/fhir+xml"]
    assert said["rest"][0]["interaction"] == [{"code": "batch"}]


def test_each_type_claims_what_its_tables_hold():
    team, patient = made()["rest"][0]["resource"]
    assert team == {
        "type": "CareTeam",
        "interaction": [{"code": "read"}, {"code": "create"}],
        "conditionalCreate": True,
        "searchInclude": ["CareTeam:patient"],
        "searchParam": [
            {"name": "_id", "definition": "urn:i", "type": "token"},
            {"name": "patient", "definition": "urn:p", "type": "reference"},
        ],
    }
    assert patient["searchRevInclude"] == ["CareTeam:patient"]
    assert patient["operation"] == [{"name": "x", "definition": "urn:x"}]
    assert "searchInclude" not in patient
