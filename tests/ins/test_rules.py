"""The identity rules on whole Patients, ours and the published ones."""

import json
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ins_patients import (
    LOCAL,
    QUALIFIED,
    birth_place,
    found,
    given_names,
    ins,
    patient,
    reliability,
)

from passerelle.ins.rules import check_patient

RNIV = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identity-status"
NIR, NIA = "urn:oid:1.2.250.1.213.1.4.8", "urn:oid:1.2.250.1.213.1.4.9"


def verdict(made, *, allow_test=True, severity=None):
    return found(check_patient(made, allow_test=allow_test), severity)


def name(**changes):
    return [QUALIFIED["name"][0], QUALIFIED["name"][1] | changes]


def test_a_complete_qualified_identity_has_nothing_to_be_told():
    assert verdict(patient()) == []


def test_a_patient_without_identity_facts_has_nothing_to_be_told():
    assert verdict({"resourceType": "Patient", "name": [{"family": "Durand"}]}) == []


def test_a_matricule_of_test_is_refused_unless_admitted():
    assert verdict(patient(), allow_test=False) == [
        ("ins.test-oid", "Patient.identifier[1].system")
    ]


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ("279035121518988", "ins.key"),
        ("2790351215189 89", "ins.length"),
        ("180032b02040123", "ins.characters"),
        ("2790351215189", "ins.length"),
        (None, "ins.number-missing"),
    ],
)
def test_a_wrong_matricule_is_refused_where_it_stands(number, rule):
    made = patient(identifier=[ins(number, "INS-NIR", NIR)])
    place = "Patient.identifier[0]" + (".value" if number else "")
    assert verdict(made, allow_test=False) == [(rule, place)]


def test_a_wrong_key_on_an_oid_of_test_only_warns():
    made = patient(identifier=[ins("279035121518988")])
    assert verdict(made) == [("ins.key-test", "Patient.identifier[0].value")]
    assert verdict(made, severity="error") == []


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        (ins(code="INS-NIR"), ("ins.type-and-system", "Patient.identifier[0].type")),
        (ins(system=None), ("ins.oid-missing", "Patient.identifier[0]")),
        (ins(system="urn:oid:1.2.3"), ("ins.oid-unknown", "Patient.identifier[0].system")),
        (
            ins(system="1.2.250.1.213.1.4.10"),
            ("ins.oid-form", "Patient.identifier[0].system"),
        ),
        (ins(use=None), ("ins.use", "Patient.identifier[0]")),
        (ins(use="usual"), ("ins.use", "Patient.identifier[0].use")),
    ],
)
def test_an_ins_identifier_of_the_wrong_shape_is_refused(identifier, expected):
    assert verdict(patient(identifier=[identifier]), severity="error") == [expected]


def test_a_nia_of_use_temp_is_accepted_with_a_warning():
    nia = ins("109076322088835", "INS-NIA", NIA, use="temp")
    made = patient(identifier=[nia])
    assert verdict(made, allow_test=False) == [("ins.use-temp", "Patient.identifier[0].use")]


def test_an_ins_without_type_is_known_by_its_system():
    untyped = {"use": "official", "system": NIR, "value": "279035121518988"}
    assert verdict(patient(identifier=[untyped])) == [("ins.key", "Patient.identifier[0].value")]


def test_a_social_security_number_under_the_oid_of_the_ins_is_no_matricule():
    nss = ins("279035121518988", "NH", NIR)
    assert verdict(patient(identifier=[nss])) == [
        ("ins.nss-on-ins-oid", "Patient.identifier[0].system"),
        ("ins.qualified-needs-matricule", "Patient.identifier"),
    ]


def test_former_matricules_stand_beside_the_active_one():
    made = patient(identifier=[ins(), ins("209076322083439", use="old")])
    assert verdict(made) == []


def test_two_active_matricules_are_refused():
    nia = ins("109076322088835", "INS-NIA", NIA)
    assert verdict(patient(identifier=[LOCAL, ins(), nia]), severity="error") == [
        ("ins.two-official", "Patient.identifier[2]")
    ]


def test_a_former_matricule_alone_does_not_qualify():
    assert verdict(patient(identifier=[ins(use="old")])) == [
        ("ins.qualified-needs-matricule", "Patient.identifier")
    ]


def test_another_official_identifier_of_a_qualified_identity_is_warned_of():
    made = patient(identifier=[ins(), LOCAL | {"use": "official"}])
    assert verdict(made) == [("ins.other-official", "Patient.identifier[1].use")]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"gender": None}, "Patient.gender"),
        ({"birthDate": None}, "Patient.birthDate"),
        ({"extension": [reliability()]}, "Patient.extension"),
        ({"extension": [birth_place(None), reliability()]}, "Patient.extension[0]"),
        ({"name": name(family=" ")}, "Patient.name[1].family"),
        ({"name": name(given=[])}, "Patient.name[1].given"),
        ({"name": name(extension=[])}, "Patient.name[1]"),
    ],
)
def test_a_qualified_identity_lacks_no_trait(changes, place):
    (rule, expression), *others = verdict(patient(**changes), severity="error")
    assert rule == "ins.qualified-needs-traits"
    assert expression.startswith(place)
    assert others == []


def test_all_missing_traits_are_told_at_once_by_their_names():
    made = {"resourceType": "Patient", "extension": [reliability()], "identifier": [ins()]}
    issues = check_patient(made, allow_test=True)
    assert len(issues) == 6
    assert issues[0].text.rsplit(": ", 1)[1] == "nom de naissance."


def test_a_lunar_date_stands_for_the_birth_date():
    lunar = {
        "url": "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-lunar-date",
        "valueString": "1979-00-00",
    }
    made = patient(birthDate=None, extension=[birth_place(), reliability(), lunar])
    assert verdict(made) == []


@pytest.mark.parametrize("code", ["DOUT", "FICT", "USUR"])
@pytest.mark.parametrize("status", ["VALI", "QUAL", "RECUP"])
def test_a_doubtful_or_fictitious_identity_is_only_provisional(code, status):
    expected = [("ins.doubtful-cannot-be-qualified", "Patient.extension[1]")]
    apart = [birth_place(), reliability(code, None, None), reliability(status)]
    assert verdict(patient(extension=apart), severity="error") == expected
    together = [birth_place(), reliability(status, comments=[code])]
    assert verdict(patient(extension=together), severity="error") == expected


def test_a_homonym_may_be_qualified():
    extension = [birth_place(), reliability(), reliability("HOMA", None, None)]
    assert verdict(patient(extension=extension)) == []


def test_a_fictitious_identity_is_nothing_else():
    made = patient(
        identifier=[LOCAL], extension=[reliability("PROV", None, None, comments=["FICT", "HOMA"])]
    )
    assert verdict(made) == [("ins.attributes", "Patient.extension[0]")]


def test_two_statuses_are_refused():
    made = patient(extension=[birth_place(), reliability(), reliability("PROV", None, None)])
    assert ("ins.two-statuses", "Patient.extension[2]") in verdict(made, severity="error")


def test_a_driving_licence_does_not_qualify():
    made = patient(extension=[birth_place(), reliability(mode="PC")])
    assert verdict(made) == [("ins.qualified-needs-proof", "Patient.extension[1]")]


def test_a_typed_identity_said_to_be_qualified_is_warned_of():
    made = patient(extension=[birth_place(), reliability(method="SM")])
    assert verdict(made) == [("ins.qualified-needs-insi", "Patient.extension[1]")]


@pytest.mark.parametrize(
    ("status", "method", "mode"),
    [("PROV", None, None), ("PROV", "INSI", None), ("PROV", None, "CN"), ("RECUP", None, None)],
)
def test_the_matricule_of_an_identity_that_is_not_qualified_is_told_to_be_set_apart(
    status, method, mode
):
    made = patient(extension=[reliability(status, method, mode)], gender=None)
    assert verdict(made) == [("ins.withheld", "Patient.identifier[1]")]


def test_a_provisional_identity_with_both_facts_is_taken_as_retrieved():
    made = patient(extension=[birth_place(), reliability("PROV")])
    assert verdict(made) == [
        ("ins.status-below-facts", "Patient.extension[1]"),
        ("ins.withheld", "Patient.identifier[1]"),
    ]


def test_validated_in_the_next_fr_core_needs_no_matricule():
    made = patient(identifier=[LOCAL], extension=[reliability("VALI", None, "CN", system=RNIV)])
    assert verdict(made) == []
    assert verdict(patient(identifier=[LOCAL])) != []


def test_the_first_given_name_must_begin_the_list():
    assert verdict(patient(name=name(given=["LOUISE"])), severity="error") == [
        ("ins.given-names-order", "Patient.name[1].extension[0].value")
    ]
    provisional = patient(
        name=name(given=["LOUISE"]), identifier=[LOCAL], extension=[reliability("PROV", None, None)]
    )
    assert verdict(provisional, severity="error") == []
    assert verdict(provisional) == [
        ("ins.given-names-differ", "Patient.name[1].extension[0].value")
    ]


def test_a_first_given_name_that_the_list_goes_on_with_is_warned_of():
    made = patient(name=name(given=["MARIE"], extension=[given_names("MARIE-LOUISE")]))
    assert verdict(made) == [("ins.given-name-cut", "Patient.name[1].given")]


@pytest.mark.parametrize(
    ("code", "rule"), [("99999", "ins.birth-place-unknown"), ("5121", "ins.birth-place-code")]
)
def test_an_odd_birth_place_only_warns(code, rule):
    made = patient(extension=[birth_place(code), reliability()])
    place = "Patient.extension[0].value.extension[0].value"
    assert verdict(made) == [(rule, place)]
    assert verdict(made, severity="error") == []


def test_a_person_born_abroad_is_accepted():
    assert verdict(patient(extension=[birth_place("99255"), reliability()])) == []


def test_no_text_tells_a_value_of_the_patient():
    made = patient(
        identifier=[ins("279035121518988", "INS-NIR", NIR), ins("2790")],
        name=name(given=["LOUISE"], family="P4T"),
        gender="other",
    )
    issues = check_patient(made, allow_test=False)
    told = " ".join(i.text + i.text_en for i in issues)
    assert len(issues) > 4
    for value in ("2790", "LOUISE", "P4T", "DOMINIQUE", "51215", "1979", "other"):
        assert value not in told


@pytest.mark.parametrize(
    ("package", "file"),
    [
        ("hl7.fhir.fr.core-2.2.0", "Patient-FRCorePatientExample"),
        ("hl7.fhir.fr.core-2.1.0", "Patient-ExampleFRCorePatient001"),
        ("ans.fhir.fr.cds-2.0.1", "Patient-cds-patient-example"),
    ],
)
def test_published_patients_are_refused_for_their_wrong_key_alone(shared, package, file):
    with tarfile.open(shared / "data" / "packages" / f"{package}.tgz") as archive:
        member = archive.extractfile(f"package/example/{file}.json")
        assert member is not None
        published = json.load(member)
    for allow_test in (False, True):
        assert verdict(published, allow_test=allow_test, severity="error") == [
            ("ins.key", "Patient.identifier[0].value")
        ]
    published["identifier"][0]["value"] = "123456789012212"
    assert verdict(published, allow_test=False, severity="error") == []


leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
names_met = st.sampled_from(
    ["identifier", "extension", "name", "url", "value", "system", "type", "coding", "code", "given"]
)
any_json = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names_met, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from([*QUALIFIED, "text"]), any_json, max_size=5))
def test_any_json_is_checked_without_raising(changes):
    check_patient(patient() | changes, allow_test=False)
