"""A native identity claims no more than its facts, and goes out no surer than it is."""

from itertools import product

import pytest

from passerelle.mappers.native import dossier_identity
from passerelle.mappers.native.dossier import normal
from passerelle.mappers.resources import patient_identity
from passerelle.mappers.resources.patient_identity import RELIABILITY

INS = {"number": "279035121518989", "oid": "1.2.250.1.213.1.4.10"}
PROOF = {"kind": {"text": "passeport"}}
QUALIFIED = {
    "birthName": "PAT-TROIS",
    "birthFirstNames": ["DOMINIQUE"],
    "sex": "F",
    "birthDate": "1979-03-28",
    "birthPlaceCode": "63220",
    "status": "qualified",
    "proof": PROOF,
    "ins": INS,
}
MODE = {
    "system": "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-mode-validation-identity",
    "code": "CN",
}


def identity(*without, **changes):
    return {k: v for k, v in {**QUALIFIED, **changes}.items() if k not in without}


def told(value):
    return {(found.rule, found.expression) for found in dossier_identity.check(value)}


def reliability(value):
    """Give the sub-extensions of every occurrence of the French extension."""
    return [
        {child["url"]: child.get("valueCoding", {}).get("code") or child.get("valueDate")
         for child in found["extension"]}
        for found in patient_identity.identity_extensions(value)
        if found["url"] == RELIABILITY
    ]  # fmt: skip


def test_a_rightly_qualified_identity_has_no_issue():
    assert told(QUALIFIED) == set()
    assert dossier_identity.may_carry_ins(QUALIFIED)


@pytest.mark.parametrize(
    ("status", "needs"),
    [
        ("provisional", set()),
        ("retrieved", {"ins"}),
        ("validated", {"proof"}),
        ("qualified", {"ins", "proof", "birthPlaceCode"}),
    ],
)
def test_each_status_rests_on_its_facts(status, needs):
    bare = identity("ins", "proof", "birthPlaceCode", status=status)
    assert told(bare) == {
        ("dossier.identity-insufficient", f"/person/identity/{fact}") for fact in needs
    }


def test_a_qualified_identity_has_a_whole_birth_date():
    assert told(identity(birthDate="1979-03")) == {
        ("dossier.identity-insufficient", "/person/identity/birthDate")
    }


@pytest.mark.parametrize("flag", ["doubtful", "fictitious"])
def test_a_doubtful_identity_stays_provisional(flag):
    assert told(identity(flags=[flag])) == {
        ("dossier.identity-doubtful", "/person/identity/status")
    }
    assert told(identity(flags=[flag], status="provisional")) == set()
    assert told(identity(flags=["homonym"])) == set()


def test_every_matricule_is_shown_where_it_stands():
    ins = {**INS, "history": [{"number": "179035121518989", "oid": INS["oid"]}]}
    dossier = normal({"person": {"identity": identity(ins=ins)}})
    assert dossier_identity.matricules(dossier) == (
        ("/person/identity/ins/number", INS["number"], INS["oid"]),
        ("/person/identity/ins/history/0/number", "179035121518989", INS["oid"]),
    )
    bare = normal({"person": {"identity": identity("ins", status="provisional")}})
    assert dossier_identity.matricules(bare) == ()


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (QUALIFIED, {"methodCollection": "INSI", "identityStatus": "VALI"}),
        (identity(status="retrieved"), {"methodCollection": "INSI", "identityStatus": "PROV"}),
        (identity(status="validated"), {"identityStatus": "PROV"}),
        (identity(status="provisional"), {"identityStatus": "PROV"}),
        (
            identity(
                ins={**INS, "obtainedAt": "2026-01-12T09:00:00+01:00"},
                proof={"kind": MODE, "checkedAt": "2026-01-13"},
            ),
            {
                "methodCollection": "INSI",
                "dateCollection": "2026-01-12",
                "identityStatus": "VALI",
                "validationDate": "2026-01-13",
                "validationMode": "CN",
            },
        ),
    ],
)
def test_the_status_goes_out_as_fr_core_says_it(value, wanted):
    assert reliability(value) == [wanted]


def test_an_overstated_identity_never_goes_out_as_validated():
    for value in (identity("proof"), identity(flags=["doubtful"]), identity("birthPlaceCode")):
        assert reliability(value)[0]["identityStatus"] == "PROV"
        assert not dossier_identity.may_carry_ins(value)


def test_each_attribute_is_an_occurrence_of_its_own():
    value = identity(status="provisional", flags=["homonym", "doubtful"])
    assert [one["identityStatus"] for one in reliability(value)] == ["PROV", "HOMA", "DOUT"]


@pytest.mark.parametrize(
    "flags", list(product(("homonym", ""), ("doubtful", ""), ("fictitious", "")))
)
def test_a_fictitious_identity_is_that_alone(flags):
    said = [flag for flag in flags if flag]
    wrong = "fictitious" in said and len(said) > 1
    assert told(identity(status="provisional", flags=said)) == (
        {("dossier.identity-attributes", "/person/identity/flags")} if wrong else set()
    )


@pytest.mark.parametrize(
    ("code", "system", "status"),
    [
        ("PROV", patient_identity.RNIV_STATUSES, "provisional"),
        ("RECUP", patient_identity.RNIV_STATUSES, "retrieved"),
        ("VALI", patient_identity.RNIV_STATUSES, "validated"),
        ("QUAL", patient_identity.RNIV_STATUSES, "qualified"),
        ("QUAL", None, "qualified"),
        ("VALI", patient_identity.IDENTITY_STATUS, "qualified"),
        ("VIDE", patient_identity.IDENTITY_STATUS, "provisional"),
    ],
)
def test_the_status_is_read_in_the_codes_of_this_fr_core_and_of_the_next(code, system, status):
    coding = {"code": code} | ({"system": system} if system else {})
    occurrence = {
        "url": RELIABILITY,
        "extension": [{"url": "identityStatus", "valueCoding": coding}],
    }
    assert patient_identity.native_status({"extension": [occurrence]}) == status


def test_a_social_security_number_under_the_oid_of_the_ins_is_no_matricule():
    nss = {"system": "urn:oid:1.2.250.1.213.1.4.8", "value": INS["number"]}
    typed = {**nss, "type": {"coding": [{"code": "NH"}]}}
    assert not patient_identity.is_ins(typed)
    assert patient_identity.native_ins({"identifier": [typed]}) is None
    assert patient_identity.is_ins(nss)


def test_what_fr_core_gives_back_needs_no_extension_of_ours():
    proof = {"kind": MODE, "checkedAt": "2026-01-13"}
    for status in ("qualified", "validated"):
        extensions = patient_identity.identity_extensions(identity(status=status, proof=proof))
        assert {one["url"] for one in extensions} == {RELIABILITY}


@pytest.mark.parametrize(
    ("oid", "type", "former_type"),
    [
        ("1.2.250.1.213.1.4.8", "INS-NIR", "INS-NIR"),
        ("1.2.250.1.213.1.4.9", "INS-NIA", "INS-NIA"),
        ("1.2.250.1.213.1.4.10", "INS-NIR-TEST", None),
        ("1.2.250.1.213.1.4.11", "INS-NIR-DEMO", None),
    ],
)
def test_a_matricule_is_typed_by_its_domain_and_a_former_one_is_old(oid, type, former_type):
    former = {"number": INS["number"], "oid": oid, "until": "2020"}
    made = patient_identity.ins_identifiers({**INS, "oid": oid, "history": [former]})
    assert [one["use"] for one in made] == ["official", "old"]
    assert [one["system"] for one in made] == [f"urn:oid:{oid}"] * 2
    types = [one.get("type", {}).get("coding", [{}])[0].get("code") for one in made]
    assert types == [type, former_type]
    assert patient_identity.native_ins({"identifier": made}) == {
        **INS,
        "oid": oid,
        "history": [former],
    }
