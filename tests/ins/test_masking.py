"""What is masked where a matricule stands outside a Patient's own identifiers."""

import json
from copy import deepcopy

import pytest
from ins_patients import LOCAL, found, ins, patient, reliability

from passerelle.ins.masking import MASKED, mask, may_hold
from passerelle.ins.rules import check_patient

NUMBER = "279035121518989"
PROVISIONAL = reliability("PROV", None, None)


def document(**changes):
    return {"resourceType": "DocumentReference", "id": "d1", "status": "current"} | changes


def test_a_reference_by_matricule_is_masked_and_says_so():
    made = document(subject={"identifier": ins(), "display": "D. P."})
    masked = mask(made)
    identifier = {name: value for name, value in ins().items() if name != "value"}
    assert masked["subject"]["identifier"] == identifier | {"_value": MASKED}
    assert masked["subject"]["display"] == "D. P."
    assert made["subject"]["identifier"]["value"] == NUMBER


def test_a_contained_patient_keeps_a_matricule_only_when_it_is_qualified():
    qualified = document(contained=[patient(id="p")])
    assert mask(qualified) == qualified
    provisional = document(contained=[patient(id="p", extension=[PROVISIONAL])])
    masked = mask(provisional)
    assert NUMBER[:13] not in json.dumps(masked)
    assert masked["contained"][0]["identifier"][0] == LOCAL


def test_a_link_to_another_patient_is_masked_while_its_own_identifiers_are_not_touched():
    made = patient(link=[{"type": "seealso", "other": {"identifier": ins()}}])
    masked = mask(made)
    assert masked["link"][0]["other"]["identifier"]["_value"] == MASKED
    assert masked["identifier"] == made["identifier"]


@pytest.mark.parametrize("told", [NUMBER, NUMBER[:13], "2&nbsp;79 03 <b>51</b> 215 189 89"])
def test_a_narrative_that_repeats_what_is_masked_goes_with_it(told):
    text = {"status": "generated", "div": f"<div>{told}</div>"}
    assert "text" not in mask(document(text=text, subject={"identifier": ins()}))
    harmless = {"status": "generated", "div": "<div>rien</div>"}
    assert mask(document(text=harmless, subject={"identifier": ins()}))["text"] == harmless


def test_a_social_security_number_is_no_matricule_and_is_not_masked():
    nss = ins(code="NH", system="urn:oid:1.2.250.1.213.1.4.8")
    made = document(subject={"identifier": nss})
    assert mask(made) == made


def test_what_mask_would_change_may_hold_a_matricule():
    held = document(subject={"identifier": ins(system=None)})
    assert may_hold([json.dumps(held).encode()])
    assert not may_hold([json.dumps(document()).encode()])


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"id": NUMBER}, "Patient.id"),
        (
            {"telecom": [{"system": "email", "value": f"{NUMBER}@patient.mssante.fr"}]},
            "Patient.telecom[0].value",
        ),
    ],
)
def test_a_matricule_that_may_not_leave_is_refused_where_it_cannot_be_parted(changes, place):
    qualified = patient() | deepcopy(changes)
    assert not found(check_patient(qualified, allow_test=True), "error")
    provisional = patient(extension=[PROVISIONAL]) | changes
    assert ("ins.matricule-elsewhere", place) in found(check_patient(provisional, allow_test=True))
