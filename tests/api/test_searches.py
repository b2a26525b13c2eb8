"""Searches by GET and by POST, their links, and what is said of parameters that are not known."""

import pytest

pytestmark = pytest.mark.anyio
BASE = "http://127.0.0.1:8080/fhir"


@pytest.fixture
async def three(served):
    """Three patients, and a circle about the first."""
    for number, name in enumerate(("Martin", "Bernard", "Dubois")):
        await served.kept(
            {
                "resourceType": "Patient",
                "id": f"p{number}",
                "identifier": [{"system": "urn:x", "value": str(number)}],
                "name": [{"family": name}],
            }
        )
    await served.kept(
        {"resourceType": "CareTeam", "id": "c", "subject": {"reference": "Patient/p0"}}
    )
    return served


def ids(bundle):
    return [entry["resource"].get("id") for entry in bundle.get("entry", [])]


def link(bundle, relation):
    return next((each["url"] for each in bundle["link"] if each["relation"] == relation), None)


async def test_a_search_gives_the_matches_with_their_addresses(three):
    answer = await three.ask("GET", "/fhir/Patient?family=bernard")
    bundle = answer.json()
    assert (answer.status_code, bundle["type"]) == (200, "searchset")
    assert ids(bundle) == ["p1"]
    assert bundle["entry"][0]["fullUrl"] == f"{BASE}/Patient/p1"
    assert bundle["entry"][0]["search"] == {"mode": "match"}
    assert link(bundle, "self").startswith(f"{BASE}/Patient?family=bernard")


async def test_the_resource_in_a_page_is_the_very_bytes_of_a_read(three):
    read = await three.ask("GET", "/fhir/Patient/p1")
    page = await three.ask("GET", "/fhir/Patient?_id=p1")
    assert read.content in page.content


async def test_a_search_by_post_is_the_same_search(three):
    by_get = await three.ask("GET", "/fhir/Patient?identifier=urn:x%7C2")
    by_post = await three.ask(
        "POST",
        "/fhir/Patient/_search",
        b"identifier=urn:x%7C2",
        {"content-type": "application/x-www-form-urlencoded"},
    )
    both = await three.ask(
        "POST",
        "/fhir/Patient/_search?identifier=urn:x%7C2",
        b"family=dubois",
        {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"},
    )
    assert by_post.json() == by_get.json()
    assert ids(both.json()) == ["p2"]


async def test_a_search_by_post_must_be_a_form(three, rules):
    answer = await three.ask("POST", "/fhir/Patient/_search", {})
    assert (answer.status_code, rules(answer)) == (415, ["http.form-expected"])


async def test_the_next_link_leads_through_all_pages(three):
    seen, address, pages = [], f"{BASE}/Patient?_count=1&_sort=family", 0
    while address is not None:
        bundle = (await three.ask("GET", address)).json()
        seen += ids(bundle)
        address = link(bundle, "next")
        pages += 1
        assert pages < 6
    assert seen == ["p1", "p2", "p0"]


async def test_included_resources_are_marked(three):
    bundle = (await three.ask("GET", "/fhir/CareTeam?_include=CareTeam:patient")).json()
    assert [(e["resource"]["id"], e["search"]["mode"]) for e in bundle["entry"]] == [
        ("c", "match"),
        ("p0", "include"),
    ]
    bundle = (await three.ask("GET", "/fhir/Patient?_id=p0&_revinclude=CareTeam:patient")).json()
    assert [(e["resource"]["id"], e["search"]["mode"]) for e in bundle["entry"]] == [
        ("p0", "match"),
        ("c", "include"),
    ]


async def test_an_unknown_parameter_is_left_out_and_said_so(three):
    answer = await three.ask("GET", "/fhir/Patient?favourite-colour=blue&family=martin")
    bundle = answer.json()
    assert ids(bundle)[0] == "p0"
    outcome = bundle["entry"][-1]
    assert outcome["search"] == {"mode": "outcome"}
    (issue,) = outcome["resource"]["issue"]
    assert issue["severity"] == "warning"
    assert "favourite-colour" in issue["diagnostics"]
    assert "favourite-colour" not in link(bundle, "self")


async def test_a_name_that_may_be_a_value_is_not_repeated(three):
    bundle = (await three.ask("GET", "/fhir/Patient?Marie Dupont 1979=1&_count=1")).json()
    assert "Dupont" not in str(bundle)


async def test_an_unknown_parameter_is_refused_when_strict(three, rules):
    answer = await three.ask(
        "GET", "/fhir/Patient?favourite-colour=blue", headers={"Prefer": "handling=strict"}
    )
    assert (answer.status_code, rules(answer)) == (400, ["search.unknown-parameter"])
    kept = await three.ask(
        "GET", "/fhir/Patient?family=martin", headers={"Prefer": "handling=strict"}
    )
    assert kept.headers["preference-applied"] == "handling=strict"


async def test_the_total_alone_can_be_asked_for(three):
    bundle = (await three.ask("GET", "/fhir/Patient?_summary=count")).json()
    assert (bundle["total"], "entry" in bundle) == (3, False)


async def test_a_search_that_finds_nothing_has_no_entry(three):
    bundle = (await three.ask("GET", "/fhir/Patient?family=nobody")).json()
    assert "entry" not in bundle


@pytest.mark.parametrize(
    ("query", "rule"),
    [("family=%ff", "http.query-not-utf8"), ("&".join(["a=1"] * 1001), "http.too-many-parameters")],
)
async def test_a_query_out_of_bounds_is_refused(three, rules, query, rule):
    answer = await three.ask("GET", f"/fhir/Patient?{query}")
    assert (answer.status_code, rules(answer)) == (400, [rule])


async def test_a_form_says_what_form_it_wants_the_answer_in(three, rules):
    form = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
    pretty = await three.ask("POST", "/fhir/Patient/_search", b"family=dubois&_pretty=true", form)
    assert pretty.text.startswith('{\n  "resourceType": "Bundle"')
    assert ids(pretty.json()) == ["p2"]
    xml = await three.ask("POST", "/fhir/Patient/_search", b"_format=xml&family=dubois", form)
    assert xml.headers["content-type"] == "application/fhir+xml; charset=utf-8"
    assert b'<id value="p2"/>' in xml.content
    turtle = await three.ask("POST", "/fhir/Patient/_search", b"_format=ttl", form)
    assert (turtle.status_code, rules(turtle)) == (406, ["http.turtle-not-served"])
    odd = {"content-type": "application/x-www-form-urlencoded; charset=iso-8859-1"}
    latin = await three.ask("POST", "/fhir/Patient/_search", b"family=%E9", odd)
    assert (latin.status_code, rules(latin)) == (415, ["http.charset-not-read"])


async def test_a_form_of_nothing_is_a_search_by_the_address_alone(three):
    answer = await three.client.post("/fhir/Patient/_search?family=dubois")
    assert ids(answer.json()) == ["p2"]
