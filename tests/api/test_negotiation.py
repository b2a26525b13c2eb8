"""Headers are understood as HTTP and FHIR have them, and refused by name."""

import pytest

from passerelle.api.rest import negotiation
from passerelle.errors.refusals import Invalid, NotAcceptable, UnsupportedMedia


@pytest.mark.parametrize(
    ("accept", "format_"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("application/fhir+json", "json"),
        ("application/json", "json"),
        ("application/fhir+json; fhirVersion=4.0", "json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "json"),
        ("APPLICATION/FHIR+JSON", "json"),
        (", ,application/*", "json"),
        ("application/fhir+xml", "xml"),
        ("application/xml", "xml"),
        ("Text/XML; charset=utf-8", "xml"),
        ("application/fhir+xml; fhirVersion=4.0.1", "xml"),
        ("application/fhir+xml;q=1.0, application/fhir+json;q=0.9", "xml"),
        ("application/fhir+xml;q=0.5, application/fhir+json", "json"),
        ("application/fhir+xml, application/fhir+json", "xml"),
        ("application/fhir+json; q=0.00, */*;q=0.1", "xml"),
        ("application/fhir+json; fhirVersion=5.0, application/fhir+xml;q=0.1", "xml"),
        ("image/svg+xml, */*;q=0.1", "json"),
        ("application/fhir+xml;q=0, */*", "json"),
    ],
)
def test_the_heaviest_form_that_is_served_is_chosen(accept, format_):
    assert negotiation.answer_format(accept) == format_


@pytest.mark.parametrize(
    ("accept", "rule"),
    [
        ("application/fhir+turtle", "http.turtle-not-served"),
        ("image/png", "http.format-not-served"),
        ("image/svg+xml", "http.format-not-served"),
        ("image/png, application/fhir+json;q=0", "http.format-not-served"),
        ("application/fhir+json;q=0, application/fhir+xml;q=0, */*", "http.format-not-served"),
        ("application/fhir+json; fhirVersion=5.0", "http.fhir-version-not-served"),
        ("application/fhir+xml; fhirVersion=3.0", "http.fhir-version-not-served"),
    ],
)
def test_who_reads_neither_form_is_told_why_and_in_json(accept, rule):
    with pytest.raises(NotAcceptable) as refusal:
        negotiation.answer_format(accept)
    assert refusal.value.issues[0].rule == rule
    assert negotiation.spoken_format(accept, None) == "json"


@pytest.mark.parametrize(
    ("format_", "served"),
    [
        ("json", "json"),
        ("application/fhir+json", "json"),
        ("application/fhir json", "json"),
        ("xml", "xml"),
        ("text/xml", "xml"),
        ("application/xml", "xml"),
        ("application/fhir+xml", "xml"),
        ("application/fhir xml", "xml"),
    ],
)
def test_the_format_of_the_query_goes_before_accept(format_, served):
    other = "application/fhir+json" if served == "xml" else "application/fhir+xml"
    assert negotiation.answer_format(other, format_) == served


@pytest.mark.parametrize("format_", ["ttl", "html5", ""])
def test_a_format_that_is_not_served_is_refused(format_):
    with pytest.raises(NotAcceptable):
        negotiation.answer_format("application/fhir+json", format_)


@pytest.mark.parametrize("accept", ["", "*/*", "application/xml, application/json;q=0.1"])
def test_where_there_is_only_json_who_reads_it_is_answered(accept):
    negotiation.demand_json(accept)


def test_where_there_is_only_json_who_reads_xml_alone_is_told():
    with pytest.raises(NotAcceptable) as refusal:
        negotiation.demand_json("application/fhir+xml")
    assert refusal.value.issues[0].rule == "http.only-json-served"
    with pytest.raises(UnsupportedMedia) as unread:
        negotiation.demand_json_body("application/fhir+xml")
    assert unread.value.issues[0].rule == "http.only-json-read"


@pytest.mark.parametrize(
    ("content_type", "format_"),
    [
        ("application/fhir+json", "json"),
        ("application/json", "json"),
        ("application/fhir+json; charset=UTF-8", "json"),
        ('application/fhir+json; charset="utf-8"; fhirVersion=4.0', "json"),
        ("application/fhir+xml", "xml"),
        ("text/xml; charset=utf-8", "xml"),
        ("application/xml; fhirVersion=4.0", "xml"),
    ],
)
def test_a_body_is_read_in_both_forms(content_type, format_):
    assert negotiation.body_format(content_type) == format_


@pytest.mark.parametrize(
    ("content_type", "rule"),
    [
        ("", "http.content-type-missing"),
        ("text/plain", "http.content-type-not-read"),
        ("image/svg+xml", "http.content-type-not-read"),
        ("application/x-www-form-urlencoded", "http.content-type-not-read"),
        ("application/json; charset=latin-1", "http.charset-not-read"),
        ("application/fhir+xml; charset=utf-16", "http.charset-not-read"),
        ("application/fhir+json; fhirVersion=3.0", "http.fhir-version-not-read"),
    ],
)
def test_other_bodies_are_refused_by_name(content_type, rule):
    with pytest.raises(UnsupportedMedia) as refusal:
        negotiation.body_format(content_type)
    assert refusal.value.issues[0].rule == rule


def test_a_content_type_that_comes_twice_is_refused():
    with pytest.raises(UnsupportedMedia):
        negotiation.body_format("application/fhir+json, text/plain")


def test_preferences_are_read_and_what_is_unknown_is_left_out():
    assert negotiation.preference("return=minimal; foo=1, handling=strict") == (
        "minimal",
        "strict",
        False,
    )
    assert negotiation.preference("RETURN=OperationOutcome") == ("OperationOutcome", None, False)
    assert negotiation.preference("respond-async, wait=10") == (None, None, True)
    assert negotiation.preference("return=whole, handling=loose") == (None, None, False)
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
