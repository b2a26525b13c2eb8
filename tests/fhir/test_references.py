"""References as they are written."""

import pytest

from passerelle.fhir.references import is_id, target, target_type


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("Patient/1", ("Patient", "1")),
        ("Patient/1/_history/3", ("Patient", "1")),
        ("https://a.example/fhir/Patient/1", ("", "https://a.example/fhir/Patient/1")),
        ("https://a.example/fhir/Patient/1/_history/2", ("", "https://a.example/fhir/Patient/1")),
        ("urn:uuid:5e1b", ("", "urn:uuid:5e1b")),
        ("#contained", None),
        ("patient/1", None),
        ("Patient/1 2", None),
        ("Patient/", None),
        ("Patient?identifier=1", None),
        ("", None),
    ],
)
def test_a_literal_reference_leads_somewhere_or_not(
    reference: str, found: tuple[str, str] | None
) -> None:
    assert target(reference) == found


def test_the_type_is_told_by_the_address_or_by_the_type_element() -> None:
    assert target_type({"reference": "Patient/1"}) == "Patient"
    assert target_type({"reference": "https://a.example/fhir/Group/1/_history/2"}) == "Group"
    assert target_type({"reference": "urn:uuid:1", "type": "Patient"}) == "Patient"
    assert target_type({"identifier": {"value": "1"}, "type": "Patient"}) == "Patient"
    assert target_type({"reference": "#p"}) is None


def test_an_id_is_told_from_what_is_none() -> None:
    assert is_id("a-1.B")
    assert not is_id("a/1")
    assert not is_id("")
    assert not is_id("a" * 65)
