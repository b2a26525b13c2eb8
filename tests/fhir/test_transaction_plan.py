"""A transaction is read whole, and all that is wrong with it is said at once."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors.refusals import Invalid, NotSupported
from passerelle.fhir.bundles.bundle_links import conditional_references, rewrite
from passerelle.fhir.bundles.transaction_plan import plan
from passerelle.fhir.resource import Key

TYPES = frozenset(
    {
        "Patient",
        "CareTeam",
        "Binary",
        "DocumentReference",
        "Bundle",
        "List",
        "Task",
        "Practitioner",
        "Parameters",
    }
)
MOTHER = "urn:uuid:5b6f3a52-94c5-4f0e-9a0b-3b1f2c8d7e60"
LETTER = "urn:uuid:0c1f9a8e-71a3-49f0-8a40-2a50f0c0b001"


def bundle(*entries, kind="transaction"):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def entry(method, url, resource=None, full_url=None, **request):
    made = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        made["resource"] = resource
    if full_url is not None:
        made["fullUrl"] = full_url
    return made


def patient(**elements):
    return {"resourceType": "Patient", **elements}


def json_patch(body):
    data = base64.b64encode(body).decode()
    return {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}


def said(refusal):
    return [(issue.rule, issue.expression) for issue in refusal.value.issues]


def test_entries_are_ordered_as_the_standard_says_and_keep_their_index():
    planned = plan(
        bundle(
            entry("GET", "Patient/1"),
            entry("PUT", "Patient/2", patient(id="2")),
            entry("POST", "Patient", patient()),
            entry("DELETE", "Patient/3"),
        ),
        types=TYPES,
    )
    assert [(e.method, e.index) for e in planned.entries] == [
        ("DELETE", 3),
        ("POST", 2),
        ("PUT", 1),
        ("GET", 0),
    ]


def test_a_batch_keeps_its_own_order():
    planned = plan(
        bundle(entry("GET", "Patient/1"), entry("DELETE", "Patient/1"), kind="batch"), types=TYPES
    )
    assert [e.method for e in planned.entries] == ["GET", "DELETE"]


def test_every_faulty_entry_is_named_at_once():
    with pytest.raises(Invalid) as refusal:
        plan(
            bundle(
                {"resource": patient()},
                entry("FETCH", "Patient"),
                entry("POST", "CareTeam", patient()),
                entry("PUT", "Patient/1", patient(id="2")),
                entry("PUT", "Patient/1", patient()),
                entry("PUT", "Patient", patient(id="1")),
                entry("POST", "Patient"),
                entry("GET", "Careteam/1"),
                entry("PUT", "Patient/1", patient(id="1"), ifMatch="one"),
                "no object",
                entry("GET", "Patient/a b"),
                entry("DELETE", "Patient"),
            ),
            types=TYPES,
        )
    assert said(refusal) == [
        ("bundle.request-missing", "Bundle.entry[0].request"),
        ("bundle.method-unknown", "Bundle.entry[1].request.method"),
        ("bundle.type-mismatch", "Bundle.entry[2].request.url"),
        ("bundle.id-mismatch", "Bundle.entry[3].resource.id"),
        ("bundle.id-missing", "Bundle.entry[4].resource.id"),
        ("bundle.url-malformed", "Bundle.entry[5].request.url"),
        ("bundle.resource-missing", "Bundle.entry[6].resource"),
        ("bundle.type-unknown", "Bundle.entry[7].request.url"),
        ("bundle.etag-malformed", "Bundle.entry[8].request.ifMatch"),
        ("bundle.request-missing", "Bundle.entry[9].request"),
        ("bundle.url-malformed", "Bundle.entry[10].request.url"),
        ("bundle.url-malformed", "Bundle.entry[11].request.url"),
    ]


def test_two_entries_with_one_full_url_are_refused():
    with pytest.raises(Invalid) as refusal:
        plan(
            bundle(
                entry("POST", "Patient", patient(), MOTHER),
                entry("POST", "Task", {"resourceType": "Task"}, MOTHER),
            ),
            types=TYPES,
        )
    assert said(refusal) == [("bundle.full-url-duplicate", "Bundle.entry[1].fullUrl")]


def test_two_entries_on_one_resource_are_refused():
    with pytest.raises(Invalid) as refusal:
        plan(
            bundle(entry("PUT", "Patient/1", patient(id="1")), entry("DELETE", "Patient/1")),
            types=TYPES,
        )
    assert said(refusal) == [("bundle.identity-duplicate", "Bundle.entry[1].request.url")]


def test_what_has_no_place_in_a_bundle_is_said_to_be_so():
    with pytest.raises(NotSupported) as refusal:
        plan(bundle(entry("GET", ".well-known/smart-configuration")), types=TYPES)
    said_so = [("bundle.interaction-not-supported", "Bundle.entry[0].request.url")]
    assert said(refusal) == said_so


def test_a_fault_weighs_more_than_what_has_no_place():
    with pytest.raises(Invalid):
        plan(bundle(entry("GET", ".well-known/x"), entry("POST", "Patient")), types=TYPES)


@pytest.mark.parametrize(
    ("resource", "fault"),
    [
        (None, ("bundle.resource-missing", "resource")),
        (patient(), ("bundle.patch-resource", "resource")),
        (
            {"resourceType": "Binary", "contentType": "text/plain", "data": "W10="},
            ("patch.binary-type", "resource.contentType"),
        ),
        (json_patch(b"{"), ("json.malformed", "resource")),
        (json_patch(b'[{"op":"x"}]'), ("patch.operation-unknown", "resource")),
        (json_patch(b"[]") | {"data": "*"}, ("patch.data", "resource.data")),
        (
            {"resourceType": "Parameters", "parameter": [{"name": "operation"}]},
            ("patch.operation-unknown", "resource.parameter[0]"),
        ),
    ],
)
def test_a_patch_is_read_with_the_bundle(resource, fault):
    with pytest.raises(Invalid) as refusal:
        plan(bundle(entry("PATCH", "Patient/1", resource)), types=TYPES)
    assert said(refusal) == [(fault[0], f"Bundle.entry[0].{fault[1]}")]


def test_names_of_things_are_no_links():
    there = f"{MOTHER}"
    resource = {
        "resourceType": "Task",
        "meta": {"source": there},
        "identifier": [{"system": there, "value": there}],
        "extension": [{"url": there, "valueUuid": there, "valueOid": there}],
        "instantiatesUri": there,
        "instantiatesCanonical": there,
    }
    made = rewrite(resource, lambda link: "Patient/1")
    assert made == resource | {
        "extension": [{"url": there, "valueUuid": "Patient/1", "valueOid": "Patient/1"}],
        "instantiatesUri": "Patient/1",
    }
    named = {"resourceType": "CodeSystem", "url": there}
    assert rewrite(named, lambda link: "Patient/1") is named


def test_a_batch_refuses_its_faulty_entries_one_by_one():
    planned = plan(
        bundle(
            entry("POST", "Patient"),
            entry("GET", "Patient/1"),
            entry("GET", ".well-known/x"),
            kind="batch",
        ),
        types=TYPES,
    )
    assert [e.index for e in planned.entries] == [1]
    assert {index: refusal.status for index, refusal in planned.refused.items()} == {0: 400, 2: 501}
    assert planned.size == 3


@pytest.mark.parametrize(
    ("url", "segments", "query"),
    [
        ("Patient/1", ("Patient", "1"), ""),
        ("/Patient/1", ("Patient", "1"), ""),
        ("https://pass.example/fhir/Patient/1", ("Patient", "1"), ""),
        ("https://pass.example/fhir", (), ""),
        ("?_type=Patient", (), "_type=Patient"),
        ("Patient/%31?_summary=true", ("Patient", "1"), "_summary=true"),
        ("Patient/1/_history/4", ("Patient", "1", "_history", "4"), ""),
        ("Patient/1/_history", ("Patient", "1", "_history"), ""),
        ("_history?_count=1", ("_history",), "_count=1"),
        ("Patient?name=x", ("Patient",), "name=x"),
        ("Patient/_search?name=x", ("Patient", "_search"), "name=x"),
        ("_search?_type=Patient", ("_search",), "_type=Patient"),
        ("Patient/1/Task", ("Patient", "1", "Task"), ""),
        ("Patient/1/$everything", ("Patient", "1", "$everything"), ""),
        ("Patient/$meta", ("Patient", "$meta"), ""),
        ("$meta", ("$meta",), ""),
        ("metadata", ("metadata",), ""),
    ],
)
def test_whatever_a_get_can_ask_an_entry_can(url, segments, query):
    planned = plan(
        bundle(entry("GET", url)), types=TYPES, base_url="https://pass.example/fhir"
    ).entries[0]
    assert (planned.interaction, planned.address) == ("ask", (segments, query))


@pytest.mark.parametrize("url", [".well-known/smart", ".well-known"])
def test_what_has_no_place_in_a_bundle_is_refused_by_name(url):
    with pytest.raises(NotSupported):
        plan(bundle(entry("GET", url)), types=TYPES)


@pytest.mark.parametrize(
    "url", ["Patient/a/b", "Patient/1/_history/1/2", "Patient//1", "Patient/_x"]
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(Invalid) as refusal:
        plan(bundle(entry("GET", url)), types=TYPES)
    assert said(refusal) == [("bundle.url-malformed", "Bundle.entry[0].request.url")]


def test_an_operation_is_asked_after_all_that_is_written():
    planned = plan(
        bundle(
            entry("POST", "Patient/$validate", patient()),
            entry("PUT", "Patient/1", patient(id="1")),
        ),
        types=TYPES,
    ).entries
    assert [(e.index, e.interaction) for e in planned] == [(1, "update"), (0, "ask")]
    assert planned[1].address.operation == "validate"


@pytest.mark.parametrize(
    ("request_", "rule"),
    [
        ({"ifNoneMatch": "1"}, "bundle.etag-malformed"),
        ({"ifNoneMatch": 1}, "bundle.etag-malformed"),
        ({"ifModifiedSince": "2026-01-01"}, "bundle.instant-malformed"),
        ({"ifModifiedSince": 1}, "bundle.instant-malformed"),
    ],
)
def test_what_a_client_holds_is_read(request_, rule):
    with pytest.raises(Invalid) as refusal:
        plan(bundle(entry("GET", "Patient/1", **request_)), types=TYPES)
    assert [name for name, _ in said(refusal)] == [rule]


def test_conditions_are_read():
    planned = plan(
        bundle(
            entry("POST", "Patient", patient(), ifNoneExist="Patient?identifier=a|b"),
            entry("PUT", "Patient/1", patient(id="1"), ifMatch='W/"3"'),
            entry("PUT", "Patient?identifier=a|b", patient()),
            entry("GET", "Patient/1", ifNoneMatch='W/"7", *'),
            entry("GET", "Patient/2", ifModifiedSince="1970-01-01T01:00:01+01:00"),
        ),
        types=TYPES,
    ).entries
    assert planned[0].if_none_exist == "identifier=a|b"
    assert planned[1].if_match == 3
    assert (planned[2].interaction, planned[2].criteria) == ("update_matching", "identifier=a|b")
    assert planned[3].if_none_match == 'W/"7", *'
    assert planned[4].if_modified_since == 1_000_000


def test_a_url_that_names_no_type_is_read_with_a_warning():
    planned = plan(bundle(entry("POST", "TDDUIPatient", patient())), types=TYPES).entries[0]
    assert planned.type == "Patient"
    assert [issue.rule for issue in planned.issues] == ["bundle.type-taken-from-resource"]


def test_a_post_to_an_id_creates_and_says_that_the_id_is_left():
    planned = plan(bundle(entry("POST", "Patient/9", patient(id="9"))), types=TYPES).entries[0]
    assert (planned.interaction, planned.key) == ("create", None)
    assert [issue.rule for issue in planned.issues] == ["bundle.id-ignored"]


def test_references_are_resolved_by_full_url_and_by_type_and_id():
    team = {
        "resourceType": "CareTeam",
        "subject": {"reference": MOTHER},
        "contained": [{"resourceType": "Task", "for": {"reference": "Patient/mother"}}],
        "extension": [{"url": "http://x", "valueReference": {"reference": MOTHER}}],
        "participant": [{"member": {"reference": "Patient/elsewhere"}}],
    }
    planned = plan(
        bundle(
            entry("POST", "Patient", patient(id="mother"), MOTHER), entry("POST", "CareTeam", team)
        ),
        types=TYPES,
    )
    resolve = planned.resolver({0: Key("Patient", "42"), 1: Key("CareTeam", "43")})
    done = rewrite(team, resolve)
    assert done["subject"] == {"reference": "Patient/42"}
    assert done["contained"][0]["for"] == {"reference": "Patient/42"}
    assert done["extension"][0]["valueReference"] == {"reference": "Patient/42"}
    assert done["participant"] == [{"member": {"reference": "Patient/elsewhere"}}]
    assert team["subject"] == {"reference": MOTHER}


def test_the_address_of_an_attachment_is_resolved_but_not_an_identifier_of_the_same_text():
    document = {
        "resourceType": "DocumentReference",
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": LETTER},
        "content": [{"attachment": {"contentType": "text/plain", "url": LETTER}}],
        "text": {"status": "generated", "div": f'<div><a href="{LETTER}">x</a> {LETTER}</div>'},
    }
    planned = plan(
        bundle(
            entry("POST", "DocumentReference", document),
            entry("POST", "Binary", {"resourceType": "Binary"}, LETTER),
        ),
        types=TYPES,
    )
    done = rewrite(document, planned.resolver({1: Key("Binary", "b")}))
    assert done["content"][0]["attachment"]["url"] == "Binary/b"
    assert done["masterIdentifier"]["value"] == LETTER
    assert done["text"]["div"] == f'<div><a href="Binary/b">x</a> {LETTER}</div>'


def test_a_full_url_on_a_server_is_known_by_its_relative_form_and_without_version():
    planned = plan(
        bundle(entry("PUT", "Patient/1", patient(id="1"), "https://else.example/fhir/Patient/1")),
        types=TYPES,
    )
    resolve = planned.resolver({0: Key("Patient", "1")})
    assert resolve("https://else.example/fhir/Patient/1/_history/2") == "Patient/1"
    assert resolve("Patient/1") == "Patient/1"
    assert resolve("Patient/2") is None


def test_a_urn_that_no_entry_has_is_named():
    team = {"resourceType": "CareTeam", "participant": [{}, {"member": {"reference": MOTHER}}]}
    with pytest.raises(Invalid) as refusal:
        plan(bundle(entry("POST", "CareTeam", team)), types=TYPES)
    assert said(refusal) == [
        (
            "bundle.reference-unresolved",
            "Bundle.entry[0].resource.participant[1].member.reference",
        )
    ]


def test_a_document_in_the_bundle_is_left_alone():
    document = {
        "resourceType": "Bundle",
        "type": "document",
        "entry": [{"fullUrl": MOTHER, "resource": {"subject": {"reference": MOTHER}}}],
    }
    planned = plan(
        bundle(entry("POST", "Bundle", document), entry("POST", "Patient", patient(), MOTHER)),
        types=TYPES,
    )
    assert rewrite(document, planned.resolver({1: Key("Patient", "1")})) is document


def test_conditional_references_are_found_each_with_its_place():
    resource = {
        "resourceType": "List",
        "subject": {"reference": "Patient?identifier=urn:oid:1|2"},
        "entry": [
            {"item": {"reference": "Patient?identifier=urn:oid:1|2"}},
            {"item": {"reference": "Practitioner?identifier=x"}},
            {"item": {"reference": "Practitioner/x"}},
        ],
    }
    assert conditional_references(resource, "Bundle.entry[3].resource") == [
        ("Patient?identifier=urn:oid:1|2", "Bundle.entry[3].resource.subject"),
        ("Patient?identifier=urn:oid:1|2", "Bundle.entry[3].resource.entry[0].item"),
        ("Practitioner?identifier=x", "Bundle.entry[3].resource.entry[1].item"),
    ]


@pytest.mark.parametrize(
    ("given_bundle", "rule"),
    [
        ({"resourceType": "Patient"}, "bundle.not-a-bundle"),
        ({"resourceType": "Bundle", "type": "document"}, "bundle.type"),
        ({"resourceType": "Bundle", "type": "batch", "entry": {}}, "bundle.entry-list"),
        (
            {"resourceType": "Bundle", "type": "batch", "entry": [{}] * 10_001},
            "bundle.too-many-entries",
        ),
    ],
)
def test_what_is_no_bundle_to_apply_is_refused(given_bundle, rule):
    with pytest.raises(Invalid) as refusal:
        plan(given_bundle, types=TYPES)
    assert [issue.rule for issue in refusal.value.issues] == [rule]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["reference", "url", "div", "name", "fullUrl", "request", "method", "id"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=50, deadline=None)
@given(st.lists(JSON, max_size=4), st.sampled_from(["transaction", "batch"]))
def test_no_entry_whatever_it_holds_makes_the_reading_fail(entries, kind):
    try:
        planned = plan({"resourceType": "Bundle", "type": kind, "entry": entries}, types=TYPES)
    except (Invalid, NotSupported):
        return
    assert planned.size == len(entries)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_a_resource_without_known_links_comes_back_itself(resource):
    assert rewrite(resource, lambda link: None) is resource
