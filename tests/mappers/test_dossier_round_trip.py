"""A dossier goes to FHIR and comes back the same."""

from copy import deepcopy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Unprocessable
from passerelle.fhir.conformance import structure
from passerelle.mappers.native.dossier import Dossier, dump
from passerelle.mappers.native.dossier_form import parse
from passerelle.mappers.native.dossier_from_fhir import from_fhir
from passerelle.mappers.native.dossier_to_fhir import to_fhir
from tests.strategies.dossiers import dossiers

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)


def there_and_back(dossier: Dossier) -> Dossier:
    made = to_fhir(dossier, known_ids={})
    blobs = {one.resource["id"]: one.blob for one in made if one.blob is not None}
    return from_fhir([one.resource for one in made], blobs)


@given(dossiers())
@settings(max_examples=50, deadline=None, suppress_health_check=SLOW)
def test_a_drawn_dossier_is_taken_without_an_issue(dossier):
    parsed = parse(dump(dossier))
    assert parsed.issues == ()
    assert parsed.dossier == dossier


@given(dossiers())
@settings(max_examples=50, deadline=None, suppress_health_check=SLOW)
def test_from_fhir_is_the_inverse_of_to_fhir(dossier):
    assert there_and_back(dossier) == dossier


@pytest.mark.nightly
@given(dossiers())
@settings(max_examples=2000, deadline=None, suppress_health_check=SLOW)
def test_from_fhir_is_the_inverse_of_to_fhir_over_many_dossiers(dossier):
    assert parse(dump(dossier)).dossier == dossier
    assert there_and_back(dossier) == dossier


@given(dossiers(), st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
def test_resources_that_others_pruned_are_read_or_refused_and_never_break_the_reader(dossier, data):
    resources = deepcopy([one.resource for one in to_fhir(dossier, known_ids={})])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.sampled_from(resources))
        while isinstance(at, dict | list) and at:
            steps = sorted(at) if isinstance(at, dict) else range(len(at))
            step = data.draw(st.sampled_from(steps))
            if step in ("resourceType", "id"):
                break
            if data.draw(st.booleans()) or not isinstance(at[step], dict | list):
                del at[step]
                break
            at = at[step]
    if any(structure.check(resource) for resource in resources):
        return
    try:
        from_fhir(resources, None)
    except Unprocessable as refusal:
        assert {issue.rule for issue in refusal.issues} == {"dossier.record-incomplete"}  # noqa: PT017
