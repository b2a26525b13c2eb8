"""The section that rights speak of, of every resource that a dossier becomes."""

from hypothesis import HealthCheck, given, settings

from passerelle.dossiers.rights_columns import rights_columns
from passerelle.mappers.native.dossier_to_fhir import to_fhir
from tests.strategies.dossiers import dossiers

ELSEWHERE = {
    **{"Practitioner": None, "Organization": None},
    **{"CareTeam": "circle", "Consent": "sharing"},
}
"""Types that stand with the root or are shared, whatever entry brought them."""

NAMED_APART = {"managing": None, "folders": "documents"}
"""Sections of the mapper that are called otherwise."""


@given(dossier=dossiers())
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_element_of_what_an_entry_becomes_is_its_section(dossier):
    for one in to_fhir(dossier, known_ids={}):
        type_ = one.resource["resourceType"]
        if type_ == "Binary":
            continue  # of a document or of a note: its rights follow its securityContext
        expected = ELSEWHERE.get(type_, NAMED_APART.get(one.section, one.section))
        assert rights_columns(one.resource).element == expected, (one.section, type_)
