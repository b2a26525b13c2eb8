"""What a CDA document made of FHIR resources says, and what it never says."""

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from passerelle.errors.refusals import Unprocessable
from passerelle.mappers.cda.cda_document import InstanceIdentifier, PersonName
from passerelle.mappers.cda.cda_from_fhir import document_from_fhir, document_id
from passerelle.mappers.cda.cda_from_fhir_actors import ActorResources
from passerelle.mappers.cda.cda_from_fhir_codes import class_of, visibility_of
from passerelle.mappers.cda.cda_header import read
from passerelle.mappers.cda.cda_to_xds import to_document_entry, to_submission_set
from passerelle.mappers.cda.cda_write import write
from passerelle.mappers.xdm.xdm_metadata_read import read as read_metadata
from passerelle.mappers.xdm.xdm_metadata_write import write as write_metadata
from passerelle.mappers.xdm.xds_metadata import Coded, Submission
from tests.mappers.cda_resources import (
    MATRICULE,
    document_reference,
    letter_resources,
    patient,
)

PDF = b"%PDF-1.7 letter"


def rules(refusal: pytest.ExceptionInfo[Unprocessable]) -> list[tuple[str, str | None]]:
    return [(issue.rule, issue.expression) for issue in refusal.value.issues]


def test_the_document_is_valid_and_reads_back_the_same(shared: Path) -> None:
    made = document_from_fhir(letter_resources(), content=PDF, matricule_may_leave=True)
    cda = write(made)
    schema = etree.XMLSchema(etree.parse(str(shared / "data/cda/schema/CDA_extended.xsd")))
    schema.assertValid(etree.fromstring(cda))  # noqa: TID251
    assert read(cda) == made


def test_traits_codes_and_national_identifiers_are_as_the_french_header_wants_them() -> None:
    made = document_from_fhir(letter_resources(), content=PDF, matricule_may_leave=True)
    person = made.patient
    assert person.ids[0] == InstanceIdentifier("1.2.250.1.213.1.4.10", MATRICULE)
    assert (person.birth_family, person.birth_given) == ("PAT-TROIS", "DOMINIQUE")
    assert person.birth_given_list == "DOMINIQUE MARIE-LOUISE"
    assert (person.used_given, person.gender) == ("Dominique", "F")
    assert (person.birth_time, person.birthplace_code) == ("19790328", "51215")
    assert made.time == "20260112101500+0100"
    assert made.code is not None
    assert made.code.display.startswith("Lettre de liaison à la sortie")
    author = made.authors[0].actor
    assert author.ids == (InstanceIdentifier("1.2.250.1.71.4.2.1", "899700000011"),)
    assert author.name == PersonName("D'ÉPINAY", "Zoé", "MME", "DR")
    assert author.code == Coded(
        "G15_10/SM26", "1.2.250.1.213.1.1.4.5", "Médecin - Médecine générale"
    )
    assert made.custodian is not None
    assert made.custodian.ids == (InstanceIdentifier("1.2.250.1.71.4.2.2", "1310000001"),)
    assert made.confidentiality is not None
    assert made.confidentiality.code == "R"
    setting = made.events[0].performers[0].structure
    assert setting is not None
    assert setting.setting == Coded(
        "ETABLISSEMENT", "1.2.250.1.213.1.1.4.9", "Etablissement de santé"
    )


def test_without_leave_no_matricule_is_anywhere_in_what_is_sent() -> None:
    made = document_from_fhir(letter_resources(), content=PDF, matricule_may_leave=False)
    cda = write(made)
    entry = to_document_entry(made, cda, entry_uuid="urn:uuid:2", uri="DOC0001.XML")
    set_ = to_submission_set(
        made, entry_uuid="urn:uuid:1", unique_id="2.25.1", submission_time="20260112091500"
    )
    sent = cda + write_metadata(Submission(set_, (entry,)))
    assert MATRICULE.encode() not in sent
    assert b"1.2.250.1.213.1.4." not in sent
    assert entry.patient_id == entry.source_patient_id
    assert "^PI" in (entry.patient_id or "")


def test_a_social_security_number_never_leaves() -> None:
    made = document_from_fhir(letter_resources(), content=PDF, matricule_may_leave=True)
    assert b"NSS" not in write(made)


def test_a_patient_who_is_the_author_is_named_by_the_matricule_only_when_it_may_leave() -> None:
    resources = letter_resources(author=ActorResources(practitioner=patient()))
    made = document_from_fhir(resources, content=PDF, matricule_may_leave=False)
    assert MATRICULE.encode() not in write(made)
    made = document_from_fhir(resources, content=PDF, matricule_may_leave=True)
    assert made.authors[0].actor.ids[0].extension == MATRICULE


def test_the_matricule_leaves_with_all_strict_traits_or_not_at_all() -> None:
    bare: dict[str, Any] = {**patient(), "extension": [], "gender": "female"}
    bare["name"][0].pop("given")
    bare["name"][0].pop("extension")
    with pytest.raises(Unprocessable) as refusal:
        document_from_fhir(letter_resources(patient=bare), content=PDF, matricule_may_leave=True)
    place = "ClinicalDocument.recordTarget.patientRole.patient"
    assert rules(refusal) == [
        ("cda.ins-needs-traits", f"{place}.name.given[BR]"),
        ("cda.ins-needs-traits", f"{place}.name.given"),
        ("cda.ins-needs-traits", f"{place}.birthplace.place.addr.county"),
    ]
    document_from_fhir(letter_resources(patient=bare), content=PDF, matricule_may_leave=False)


def test_all_that_is_missing_is_told_at_once() -> None:
    reference = document_reference()
    del reference["masterIdentifier"], reference["type"]
    reference["type"] = {"text": "Lettre"}
    del reference["context"]["facilityType"], reference["content"][0]["attachment"]["title"]
    with pytest.raises(Unprocessable) as refusal:
        document_from_fhir(
            letter_resources(document_reference=reference, author=ActorResources()),
            content=PDF,
            matricule_may_leave=False,
        )
    assert rules(refusal) == [
        ("cda.missing", f"ClinicalDocument.{element}")
        for element in (
            "id",
            "code",
            "title",
            "setId",
            "author.assignedAuthor.id",
            "legalAuthenticator.assignedEntity.id",
            "documentationOf.serviceEvent.performer.assignedEntity.id",
            "componentOf.encompassingEncounter.location.healthCareFacility.code",
        )
    ]


def test_a_new_version_keeps_its_set_and_names_the_one_it_replaces() -> None:
    first = InstanceIdentifier("2.25.41")
    made = document_from_fhir(
        letter_resources(),
        content=PDF,
        matricule_may_leave=True,
        set_id=first,
        version=2,
        replaces=first,
    )
    found = read(write(made))
    assert (found.set_id, found.version) == (first, 2)
    assert found.related is not None
    assert found.related.id == first


@pytest.mark.parametrize(
    ("master", "expected"),
    [
        ({"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"}, ("1.2.3", None)),
        ({"system": "urn:oid:1.2.3", "value": "A/7"}, ("1.2.3", "A/7")),
        (
            {"value": "urn:uuid:00000000-0000-0000-0000-00000000002a"},
            ("2.25.42", None),
        ),
        ({}, None),
    ],
)
def test_the_unique_id_is_an_oid(
    master: dict[str, str], expected: tuple[str, str | None] | None
) -> None:
    assert document_id({"masterIdentifier": master}) == expected


def test_any_other_unique_id_becomes_an_oid_that_stays_the_same() -> None:
    reference = {"masterIdentifier": {"system": "https://a.example", "value": "1"}}
    found = document_id(reference)
    assert found == document_id(reference)
    assert found is not None
    assert found.root.startswith("2.25.")


def test_the_class_that_is_given_wins_over_the_table() -> None:
    reference = document_reference()
    assert class_of(reference) == Coded("11", "1.2.250.1.213.1.1.4.1", "Synthèse")
    del reference["category"]
    assert class_of(reference) == Coded("10", "1.2.250.1.213.1.1.4.1", "Compte rendu")


def test_labels_of_visibility_stand_beside_the_confidentiality_in_the_metadata() -> None:
    reference = document_reference()
    made = document_from_fhir(letter_resources(), content=PDF, matricule_may_leave=True)
    cda = write(made)
    entry = to_document_entry(
        made,
        cda,
        entry_uuid="urn:uuid:2",
        uri="DOC0001.XML",
        class_code=class_of(reference),
        visibility=visibility_of(reference),
    )
    set_ = to_submission_set(
        made, entry_uuid="urn:uuid:1", unique_id="2.25.1", submission_time="20260112091500"
    )
    submission = Submission(set_, (entry,))
    found = read_metadata(write_metadata(submission))
    assert found == submission
    assert [code for code, *_ in found.entries[0].confidentiality] == ["R", "INVISIBLE_PATIENT"]
    assert found.entries[0].creation_time == "20260112091500"
