"""The label that the recipient reads."""

import pytest

from passerelle.errors.refusals import Unprocessable
from passerelle.messaging.sending.sender_labels import functional_label, personal_label


def test_a_person_is_title_given_family_entity() -> None:
    label = personal_label(title="Dr", given="Zoé", family="d'Épinay", entity="CHU Nord")
    assert label == "Dr_Zoé_D'ÉPINAY_CHU Nord"
    assert personal_label(given="Zoé", family="Le_Roux") == "Zoé_LE ROUX"


def test_an_organisation_is_its_entity() -> None:
    assert functional_label("  Service  d'imagerie ") == "Service d'imagerie"


def test_what_is_mandatory_is_missed() -> None:
    with pytest.raises(Unprocessable, match=r"mss\.label-part-missing"):
        personal_label(given="", family="X")
    with pytest.raises(Unprocessable, match=r"mss\.label-part-missing"):
        functional_label(" _ ")
