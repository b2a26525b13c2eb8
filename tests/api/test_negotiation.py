"""Headers are understood as HTTP and FHIR have them, and refused by name."""

import pytest

from passerelle.api.rest import negotiation
from passerelle.errors.refusals import Invalid, NotAcceptable, UnsupportedMedia


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/fhir+json",
        "application/json",
        "application/fhir+json; fhirVersion=4.0",
        "application/fhir+xml;q=1.0, application/fhir+json;q=0.9",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "APPLICATION/FHIR+JSON",
        ", ,application/*",
    ],
)
def test_who_reads_json_is_answered(accept):
    negotiation.demand_json(accept)


@pytest.mark.parametrize(
    ("accept", "rule"),
    [
        ("application/fhir+xml", "http.xml-not-served"),
        ("text/xml", "http.xml-not-served"),
        ("application/fhir+turtle", "http.turtle-not-served"),
        ("image/png", "http.format-not-served"),
        ("image/png, application/fhir+json;q=0", "http.format-not-served"),
        ("application/fhir+json; q=0.00, */*;q=0.1", "http.format-not-served"),
        ("application/fhir+json; fhirVersion=5.0", "http.fhir-version-not-served"),
    ],
)
def test_who_does_not_read_json_is_told_why(accept, rule):
    with pytest.raises(NotAcceptable) as refusal:
        negotiation.demand_json(accept)
    assert refusal.value.issues[0].rule == rule


@pytest.mark.parametrize("format_", ["json", "application/fhir+json", "application/fhir json"])
def test_the_format_of_the_query_goes_before_accept(format_):
    negotiation.demand_json("application/fhir+xml", format_)


@pytest.mark.parametrize("format_", ["xml", "text/xml", "ttl", "html5", ""])
def test_a_format_that_is_not_served_is_refused(format_):
    with pytest.raises(NotAcceptable):
        negotiation.demand_json("application/fhir+json", format_)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/fhir+json",
        "application/json",
        "application/fhir+json; charset=UTF-8",
        'application/fhir+json; charset="utf-8"; fhirVersion=4.0',
    ],
)
def test_json_bodies_are_read(content_type):
    negotiation.demand_json_body(content_type)


@pytest.mark.parametrize(
    ("content_type", "rule"),
    [
        ("", "http.content-type-missing"),
        ("application/fhir+xml", "http.xml-not-read"),
        ("text/plain", "http.content-type-not-read"),
        ("application/x-www-form-urlencoded", "http.content-type-not-read"),
        ("application/json; charset=latin-1", "http.charset-not-read"),
        ("application/fhir+json; fhirVersion=3.0", "http.fhir-version-not-read"),
    ],
)
def test_other_bodies_are_refused_by_name(content_type, rule):
    with pytest.raises(UnsupportedMedia) as refusal:
        negotiation.demand_json_body(content_type)
    assert refusal.value.issues[0].rule == rule


def test_a_content_type_that_comes_twice_is_refused():
    with pytest.raises(UnsupportedMedia):
        negotiation.demand_json_body("application/fhir+json, text/plain")


def test_preferences_are_read_and_what_is_unknown_is_left_out():
    assert negotiation.preference("return=minimal; foo=1, handling=strict") == ("minimal", "strict")
    assert negotiation.preference("RETURN=OperationOutcome") == ("OperationOutcome", None)
    assert negotiation.preference("respond-async, wait=10") == (None, None)
    assert negotiation.preference("return=whole, handling=loose") == (None, None)
    assert negotiation.preference("return=minimal, return=representation").returns == "minimal"


@pytest.mark.parametrize(("header", "version"), [(None, None), ('W/"3"', 3), ('"12"', 12)])
def test_if_match_names_a_version(header, version):
    assert negotiation.if_match(header) == version


@pytest.mark.parametrize("header", ["3", "*", 'W/3"', '""', 'W/"x"', 'W/"1", W/"2"', ""])
def test_another_form_of_if_match_is_refused(header):
    with pytest.raises(Invalid):
        negotiation.if_match(header)


def test_entity_tags_are_compared_weakly():
    assert negotiation.tags('W/"1", "2" ,*') == {"1", "2", "*"}
