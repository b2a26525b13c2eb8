"""What is set apart, what is served, and the law that puts it together again."""

import json
from copy import deepcopy

from hypothesis import given, settings
from hypothesis import strategies as st
from ins_patients import LOCAL, QUALIFIED, birth_place, ins, patient, reliability

from passerelle.ins.patient_identity import read
from passerelle.ins.rules import rejoin, withhold

PROVISIONAL = reliability("PROV", None, None)


def test_a_qualified_identity_is_served_whole():
    made = patient()
    assert withhold(made) == (made, None)


def test_the_matricule_of_a_provisional_identity_is_not_in_the_body():
    made = patient(extension=[PROVISIONAL])
    served, aside = withhold(made)
    assert served["identifier"] == [LOCAL]
    assert aside == {"identifier": [[1, ins()]]}
    assert "279035121518989" not in json.dumps(served)
    assert made == patient(extension=[PROVISIONAL])


def test_when_nothing_is_left_there_is_no_empty_list():
    made = patient(extension=[PROVISIONAL], identifier=[ins(), ins("109076322083489", use="old")])
    served, aside = withhold(made)
    assert "identifier" not in served
    assert rejoin(served, aside) == made


def test_a_doubtful_identity_is_withheld_though_its_status_says_qualified():
    served, _ = withhold(patient(extension=[birth_place(), reliability(comments=["DOUT"])]))
    assert served["identifier"] == [LOCAL]


def test_a_qualified_identity_that_lacks_a_trait_is_withheld():
    assert withhold(patient(birthDate=None))[0]["identifier"] == [LOCAL]


def test_a_matricule_under_a_badly_written_oid_does_not_slip_through():
    made = patient(extension=[PROVISIONAL])
    for slip in (ins(system="1.2.250.1.213.1.4.8"), ins(system="urn:oid:1.2"), ins(system=None)):
        assert withhold(made | {"identifier": [LOCAL, slip]})[0]["identifier"] == [LOCAL]


def test_a_social_security_number_is_no_matricule_and_stays():
    nss = ins(code="NH", system="urn:oid:1.2.250.1.213.1.4.8")
    made = patient(extension=[PROVISIONAL], identifier=[nss])
    assert withhold(made) == (made, None)


def test_a_narrative_that_repeats_the_number_is_set_apart_with_it():
    text = {"status": "generated", "div": "<div>2 79 03 51 215 189 89</div>"}
    made = patient(extension=[PROVISIONAL], text=text)
    served, aside = withhold(made)
    assert "text" not in served
    assert aside is not None
    assert aside["text"] == text
    assert rejoin(served, aside) == made
    harmless = patient(extension=[PROVISIONAL], text={"status": "generated", "div": "<div/>"})
    assert "text" in withhold(harmless)[0]


def test_a_patient_written_anew_in_between_keeps_what_it_says_now():
    text = {"status": "generated", "div": "<div>279035121518989</div>"}
    served, aside = withhold(patient(extension=[PROVISIONAL], identifier=[ins()], text=text))
    anew = served | {"text": {"status": "empty"}, "gender": "male", "identifier": []}
    whole = rejoin(anew, aside)
    assert (whole["gender"], whole["text"]) == ("male", {"status": "empty"})
    assert whole["identifier"] == [ins()]


def test_the_status_is_read_in_both_codings():
    def status(*occurrences):
        return read(patient(extension=list(occurrences))).status

    rniv = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identity-status"
    assert status(reliability("VALI")) == "QUAL"
    assert status(reliability("QUAL")) == "QUAL"
    assert status(reliability("VALI", system=rniv)) == "VALI"
    assert status(reliability("RECUP")) == "RECUP"
    assert status(reliability("PROV", "INSI", None)) == "RECUP"
    assert status(reliability("PROV", None, "PA")) == "VALI"
    assert status(reliability("PROV", None, "PC")) == "PROV"
    assert status(reliability("VIDE", None, None)) == "PROV"
    assert status(reliability("VALI"), reliability("FICT", None, None)) == "PROV"
    assert status(reliability("VALI"), reliability("PROV", None, None)) != "QUAL"
    assert status() == "PROV"


identifiers = st.lists(
    st.sampled_from(
        [
            LOCAL,
            ins(),
            ins("109076322083489", use="old"),
            ins("109076322088835", "INS-NIA", "urn:oid:1.2.250.1.213.1.4.9"),
            ins(code="NH", system="urn:oid:1.2.250.1.213.1.4.8"),
            ins(None),
            {"value": "1"},
        ]
    ),
    max_size=6,
)
extensions = st.lists(
    st.sampled_from(
        [
            PROVISIONAL,
            birth_place(),
            reliability(),
            reliability("VALI", system="x"),
            reliability("DOUT", None, None),
            reliability("PROV", "INSI", None),
        ]
    ),
    max_size=4,
)
texts = st.sampled_from([None, {"div": "<div>279035121518989</div>"}, {"div": "<div>x</div>"}])


@settings(max_examples=100, deadline=None)
@given(identifiers, extensions, texts, st.sampled_from([*QUALIFIED, None]))
def test_what_is_withheld_and_rejoined_is_what_came_in(identifier, extension, text, left_out):
    made = patient(identifier=identifier, extension=extension, text=text)
    if left_out not in (None, "identifier"):
        del made[left_out]
    before = deepcopy(made)
    served, aside = withhold(made)
    assert made == before
    assert rejoin(served, aside and json.loads(json.dumps(aside))) == made
    assert withhold(served) == (served, None) or aside is None
    if read(made).status != "QUAL":
        assert read(served).matricules == ()
