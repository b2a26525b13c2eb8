"""The resources of a dossier are right: R4, their French profiles, their names."""

import re
from pathlib import Path
from uuid import UUID

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import HealthCheck, given, settings

from passerelle.fhir.conformance import structure
from passerelle.fhir.document_sharing.pdsm_rules import conforms
from passerelle.fhir.urls import CDL, CDS, DOSSIER_TAG, FR_CORE, PDSM
from passerelle.mappers.native.dossier_form import parse
from passerelle.mappers.native.dossier_to_fhir import to_fhir
from passerelle.mappers.resources.fhir_elements import OWN_EXTENSIONS
from tests.mappers.profile_snapshots import BASES, profiles
from tests.strategies.dossiers import dossiers

SHARED = PDSM + "pdsm-comprehensive-document-reference"
PROFILES = frozenset(
    {
        *(
            FR_CORE + name
            for name in (
                "fr-core-patient",
                "fr-core-patient-ins",
                "fr-core-practitioner",
                "fr-core-practitioner-role",
                "fr-core-organization",
                "fr-core-appointment",
                "fr-core-encounter",
            )
        ),
        CDS + "cds-ihe-careteam",
        CDS + "cds-fr-related-person",
        CDL + "cdl-document-reference",
        SHARED,
        PDSM + "pdsm-folder-comprehensive",
        *BASES,
    }
)
GOLDENS = Path(__file__).resolve().parents[1] / "goldens"
MAPPERS = Path(__file__).resolve().parents[2] / "passerelle" / "mappers"
LAW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def snapshots(shared):
    found = profiles(shared, PROFILES)
    assert found.keys() == PROFILES
    return found


@given(dossiers())
@LAW
def test_every_resource_passes_the_structure_check_and_the_second_opinion(dossier):
    for made in to_fhir(dossier, known_ids={}):
        assert structure.check(made.resource) == []
        get_fhir_model_class(made.resource["resourceType"]).model_validate(made.resource)


@given(dossier=dossiers())
@LAW
def test_every_resource_has_what_its_french_profile_makes_mandatory(snapshots, dossier):
    for made in to_fhir(dossier, known_ids={}):
        resource = made.resource
        for claimed in resource["meta"].get("profile", [resource["resourceType"]]):
            if claimed in snapshots:
                assert snapshots[claimed].faults(resource) == []
            else:
                assert resource["resourceType"] == "DocumentReference"
                assert resource["status"] == "entered-in-error" or not conforms(resource, SHARED)


def test_the_reader_of_profiles_sees_what_lacks_and_what_is_too_much(snapshots):
    golden = parse((GOLDENS / "dossier-coordination.json").read_bytes()).dossier
    found = {one.resource["resourceType"]: one.resource for one in to_fhir(golden, known_ids={})}
    document, patient = found["DocumentReference"], found["Patient"]
    read = snapshots[PDSM + "pdsm-comprehensive-document-reference"]
    assert read.faults(document) == []
    attachment = {k: v for k, v in document["content"][0]["attachment"].items() if k != "hash"}
    spoilt = {**document, "content": [{**document["content"][0], "attachment": attachment}] * 2}
    assert set(read.faults(spoilt)) == {
        "DocumentReference.content: 2 of at most 1",
        "DocumentReference.content.attachment.hash: 0 of at least 1",
    }
    read = snapshots[FR_CORE + "fr-core-patient-ins"]
    assert patient["meta"]["profile"] == [FR_CORE + "fr-core-patient-ins"]
    assert read.faults(patient) == []
    unplaced = [one for one in patient["extension"] if not one["url"].endswith("birthPlace")]
    assert read.faults({**patient, "extension": unplaced}) == [
        "Patient.extension:birthPlace: 0 of at least 1"
    ]
    used = [{**one, "use": "usual"} for one in patient["identifier"]]
    assert len(read.faults({**patient, "identifier": used})) == 1


def test_every_extension_of_our_own_is_written_somewhere():
    code = "".join(path.read_text(encoding="utf-8") for path in MAPPERS.rglob("*.py"))
    for name in OWN_EXTENSIONS:
        assert len(re.findall(f'"{name}"', code)) >= 2, name


@given(dossiers())
@LAW
def test_the_same_dossier_gives_the_same_resources_with_ids_of_their_own(dossier):
    made = to_fhir(dossier, known_ids={})
    assert made == to_fhir(dossier, known_ids={})
    keys = [(one.resource["resourceType"], one.resource["id"]) for one in made]
    assert len(set(keys)) == len(keys)
    assert all(UUID(id).version == 5 for _, id in keys)


@given(dossiers())
@LAW
def test_every_reference_to_a_resource_of_the_dossier_reaches_one_that_is_made(dossier):
    made = to_fhir(dossier, known_ids={})
    there = {f"{one.resource['resourceType']}/{one.resource['id']}" for one in made}
    for one in made:
        assert set(references(one.resource)) <= there


@given(dossiers())
@LAW
def test_what_is_the_dossiers_own_is_tagged_and_what_is_shared_is_not(dossier):
    tag = [{"system": DOSSIER_TAG, "code": dossier.tag}]
    for one in to_fhir(dossier, known_ids={}):
        meta = one.resource["meta"]
        assert meta["source"] == dossier.platform
        assert meta.get("tag", tag) == tag
        if one.role == "primary":
            assert meta["tag"] == tag
    managing = next(one for one in to_fhir(dossier, known_ids={}) if one.section == "managing")
    assert "tag" not in managing.resource["meta"]


def references(node):
    """Give every relative reference below a node but those inside attachments."""
    if isinstance(node, dict):
        address = node.get("reference")
        if isinstance(address, str) and not address.startswith("#"):
            yield address
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)
