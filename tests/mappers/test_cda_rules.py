"""Which rules of the French header are told, and where."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from passerelle.mappers.cda.cda_document import CdaDocument, InstanceIdentifier, PatientRole
from passerelle.mappers.cda.cda_header import read
from passerelle.mappers.cda.cda_rules import check
from passerelle.mappers.xdm.xds_metadata import Coded
from tests.mappers.cda_samples import LETTER, PATIENT

INS_NIA = InstanceIdentifier("1.2.250.1.213.1.4.9", "109076322088835")


def told(document: CdaDocument) -> list[tuple[str, str]]:
    return [
        (issue.rule, (issue.expression or "").removeprefix("ClinicalDocument."))
        for issue in check(document)
    ]


def test_nothing_is_wrong_with_the_letter() -> None:
    assert told(LETTER) == []


@pytest.mark.parametrize(
    ("changes", "rule", "place"),
    [
        ({"realm": None}, "cda.realm", "realmCode"),
        ({"language": "en-GB"}, "cda.language", "languageCode"),
        ({"confidentiality": Coded("U", "x")}, "cda.confidentiality", "confidentialityCode"),
        ({"version": 0}, "cda.version-number", "versionNumber"),
        ({"version": None}, "cda.missing", "versionNumber"),
        ({"time": "2026-01-12"}, "cda.time", "effectiveTime"),
        ({"time": "20260112101500"}, "cda.time-zone", "effectiveTime"),
        ({"custodian": None}, "cda.missing", "custodian"),
        ({"authors": ()}, "cda.missing", "author"),
        ({"events": ()}, "cda.missing", "documentationOf.serviceEvent"),
        ({"encounter": None}, "cda.missing", "componentOf.encompassingEncounter"),
        ({"legal_authenticator": None}, "cda.missing", "legalAuthenticator"),
        ({"body": None}, "cda.missing", "component"),
        ({"templates": LETTER.templates[1:]}, "cda.template", "templateId"),
        ({"patient": PatientRole()}, "cda.missing", "recordTarget.patientRole.id"),
        (
            {"patient": replace(PATIENT, ids=(*PATIENT.ids, INS_NIA))},
            "cda.ins-several",
            "recordTarget.patientRole.id",
        ),
        (
            {"patient": replace(PATIENT, birth_time="28/03/1979")},
            "cda.time",
            "recordTarget.patientRole.patient.birthTime",
        ),
    ],
)
def test_a_broken_rule_is_told_at_its_place(changes: dict[str, Any], rule: str, place: str) -> None:
    assert (rule, place) in told(replace(LETTER, **changes))


@pytest.mark.parametrize(
    "trait",
    [
        "birth_family",
        "birth_given",
        "birth_given_list",
        "birth_time",
        "birthplace_code",
        "gender",
    ],
)
def test_an_ins_wants_every_strict_trait(trait: str) -> None:
    lacking: dict[str, Any] = {trait: None}
    found = told(replace(LETTER, patient=replace(PATIENT, **lacking)))
    assert [rule for rule, _ in found] == ["cda.ins-needs-traits"]
    local = replace(PATIENT, ids=PATIENT.ids[1:], **lacking)
    assert "cda.ins-needs-traits" not in [rule for rule, _ in told(replace(LETTER, patient=local))]


def test_the_published_documents_break_no_rule(shared: Path) -> None:
    found = {
        path.name: told(read(path.read_bytes()))
        for path in sorted((shared / "data/cda").glob("*.xml"))
    }
    assert {name: faults for name, faults in found.items() if faults} == {}
