"""The edges of the interactions: conditions, heads, methods, formats, addresses, ids, deletions."""

import pytest

pytestmark = pytest.mark.anyio

PATIENT = {"resourceType": "Patient", "id": "a", "active": True}
PATCH = {"content-type": "application/json-patch+json"}


@pytest.fixture
async def filled(served):
    await served.kept(PATIENT)
    await served.kept(PATIENT | {"active": False})
    return served


async def read(served, method="GET", address="/fhir/Patient/a", **headers):
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await served.ask(method, address, headers=given)


OLD = "Mon, 12 Jan 1970 09:00:00 GMT"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_is_held_is_not_sent_again_and_the_tag_goes_before_the_date(filled, method):
    answer = await read(filled)
    at, tag = answer.headers["last-modified"], answer.headers["etag"]
    for given, status in (
        ({"if_none_match": tag}, 304),
        ({"if_none_match": tag.removeprefix("W/")}, 304),
        ({"if_none_match": f'W/"1", {tag}'}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": 'W/"1"'}, 200),
        ({"if_modified_since": at}, 304),
        ({"if_modified_since": OLD}, 200),
        ({"if_modified_since": "yesterday"}, 200),
        ({"if_none_match": 'W/"1"', "if_modified_since": at}, 200),
        ({"if_none_match": tag, "if_modified_since": OLD}, 304),
    ):
        answer = await read(filled, method, **given)
        assert (answer.status_code, answer.headers["etag"]) == (status, tag), given


@pytest.mark.parametrize("expected", ["*", 'W/"1", W/"2"', "2", "W/2", "", 'W/"x"'])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_if_match_names_the_one_version_that_was_read(filled, rules, method, expected):
    body = {"PUT": PATIENT, "PATCH": b"[]"}.get(method)
    headers = {"if-match": expected} | (PATCH if method == "PATCH" else {})
    answer = await filled.ask(method, "/fhir/Patient/a", body, headers)
    assert (answer.status_code, rules(answer)) == (400, ["http.if-match-malformed"])


@pytest.mark.parametrize("tag", ['W/"2"', '"2"'])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_every_write_takes_the_tag_weak_or_strong(filled, method, tag):
    body = {"PUT": PATIENT, "PATCH": b"[]"}.get(method)
    more = PATCH if method == "PATCH" else {}
    stale = {"if-match": tag.replace("2", "1")} | more
    assert (await filled.ask(method, "/fhir/Patient/a", body, stale)).status_code == 412
    fresh = {"if-match": tag} | more
    assert (await filled.ask(method, "/fhir/Patient/a", body, fresh)).status_code in (200, 204)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "?_type=Patient",
        "_search?_type=Patient",
        "_history",
        "metadata",
        "$meta",
        "Patient",
        "Patient?_count=1&_summary=true",
        "Patient/_search?active=false",
        "Patient/_history",
        "Patient/a",
        "Patient/a?_elements=active",
        "Patient/a/_history",
        "Patient/a/_history/1",
        "Patient/a/Observation",
        "Patient/a/$everything",
        "Patient/a/$meta-add",
        "Patient/none",
        "Patient/a/nothing",
    ],
)
async def test_the_head_of_whatever_a_get_serves_is_the_same(filled, address):
    whole = await filled.ask("GET", f"/fhir/{address}")
    head = await filled.ask("HEAD", f"/fhir/{address}")
    assert (head.status_code, head.content) == (whole.status_code, b"")
    names = set(whole.headers) - {"x-request-id"}
    assert {n: head.headers[n] for n in names} == {n: whole.headers[n] for n in names}
    assert "content-length" in names


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("", "GET, HEAD, OPTIONS, POST"),
        ("metadata", "GET, HEAD, OPTIONS"),
        ("Patient", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
        ("Patient/a", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("Patient/_search", "GET, HEAD, OPTIONS, POST"),
        ("Patient/a/_history", "GET, HEAD, OPTIONS"),
        ("Patient/a/_history/1", "GET, HEAD, OPTIONS"),
        ("Patient/$validate", "GET, HEAD, OPTIONS, POST"),
        ("Binary/b", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
    ],
)
async def test_every_address_tells_its_methods(filled, rules, address, allowed):
    told = await filled.ask("OPTIONS", f"/fhir/{address}")
    assert (told.status_code, told.content, told.headers["allow"]) == (204, b"", allowed)
    refused = await filled.ask("BREW", f"/fhir/{address}")
    assert (refused.status_code, rules(refused)) == (405, ["http.method-not-allowed"])
    assert refused.headers["allow"] == allowed


JSON, XML = "application/fhir+json", "application/fhir+xml"


@pytest.mark.parametrize(
    ("given", "served_as"),
    [
        ("json", JSON),
        ("xml", XML),
        ("application/fhir+json", JSON),  # the plus sign arrives as a space
        ("application/fhir%2Bxml", XML),
        ("text/json", JSON),
        ("text/xml", XML),
        ("application/json", JSON),
        ("application/xml", XML),
        ("application/json; fhirVersion=4.0", JSON),
        ("application/json; fhirVersion=5.0", None),
        ("text/turtle", None),
        ("ttl", None),
        ("html", None),
        ("pdf", None),
        ("", None),
    ],
)
async def test_the_format_goes_before_the_header(filled, given, served_as):
    other = XML if served_as == JSON else JSON
    answer = await filled.ask("GET", f"/fhir/Patient/a?_format={given}", headers={"accept": other})
    assert answer.status_code == (406 if served_as is None else 200)
    if served_as is not None:
        assert answer.headers["content-type"].startswith(served_as)


@pytest.mark.parametrize(
    ("accept", "served_as"),
    [
        ("*/*", JSON),
        (f"{JSON};q=0.5, {XML}", XML),
        (f"{JSON};q=0.5, {XML};q=0.4", JSON),
        (f"{JSON};q=0, */*", XML),
        ("image/png, */*;q=0.1", JSON),
        ("image/png", None),
        (f"{JSON}; fhirVersion=3.0", None),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", JSON),
    ],
)
async def test_the_weights_of_a_header_decide(filled, accept, served_as):
    answer = await read(filled, accept=accept)
    assert answer.status_code == (406 if served_as is None else 200)
    if served_as is not None:
        assert answer.headers["content-type"].startswith(served_as)


async def test_another_charset_is_not_served(filled):
    # https://www.rfc-editor.org/rfc/rfc9110#section-12.5.2 : the header may be left aside.
    answer = await read(filled, accept_charset="iso-8859-1")
    assert answer.headers["content-type"] == f"{JSON}; charset=utf-8"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/fhir/", 200),
        ("/fhir/Patient/", 200),
        ("/fhir/Patient/a/", 200),
        ("/fhir/Patient/%61", 200),
        ("/fhir/%50atient/a", 200),
        ("/fhir//Patient/a", 404),
        ("/fhir/Patient//a", 404),
        ("/fhir/Patient/a//", 404),
        ("/fhir/Patient/a%2Fb", 404),
        ("/fhir/patient/a", 404),
        ("/fhir/Patient/A", 404),
        ("/fhir/Patient/" + "a" * 64, 404),
        ("/fhir/Patient/" + "a" * 65, 400),
        ("/fhir/Patient/a_b", 400),
        ("/fhir/Patient/a%20b", 400),
        ("/fhir/Patient/a/_history/x", 404),
        ("/fhir/Patient/a/_history/0", 404),
        ("/fhir/Patient/a/_history/-1", 404),
        ("/fhir/Patient/a/_history/3", 404),
        ("/fhir/Patient/a/_history/" + "9" * 40, 404),
    ],
)
async def test_an_address_is_what_it_says(filled, address, status):
    assert (await filled.ask("GET", address)).status_code == status


@pytest.mark.parametrize("id_", ["metadata", "Patient", "history", "A", "-", "1.2.3", "x" * 64])
async def test_an_id_of_the_clients_may_be_any_that_fhir_has(served, id_):
    await served.kept(PATIENT | {"id": id_})
    assert (await served.ask("GET", f"/fhir/Patient/{id_}")).json()["id"] == id_


async def test_ids_tell_capitals_apart(served):
    await served.kept(PATIENT | {"id": "x"})
    await served.kept(PATIENT | {"id": "X", "active": False})
    found = [(await served.ask("GET", f"/fhir/Patient/{id_}")).json() for id_ in "xX"]
    assert [each["active"] for each in found] == [True, False]


async def test_what_is_deleted_stays_to_be_told_and_may_come_back(filled):
    # https://hl7.org/fhir/R4/http.html#delete : what never was is deleted too, 204.
    for address in ("a", "a", "never"):
        assert (await filled.ask("DELETE", f"/fhir/Patient/{address}")).status_code == 204
    gone = await read(filled)
    assert (gone.status_code, gone.headers["etag"]) == (410, 'W/"3"')
    assert (await read(filled, address="/fhir/Patient/a/_history/3")).status_code == 410
    assert (await read(filled, address="/fhir/Patient/a/_history/2")).status_code == 200
    assert (await read(filled, address="/fhir/Patient/never")).status_code == 404
    patched = await filled.ask("PATCH", "/fhir/Patient/a", b"[]", PATCH)
    assert patched.status_code == 410
    back = await filled.ask("PUT", "/fhir/Patient/a", PATIENT)
    assert (back.status_code, back.headers["etag"]) == (201, 'W/"4"')
    past = (await read(filled, address="/fhir/Patient/a/_history")).json()["entry"]
    told = [(e["request"]["method"], e["response"]["status"][:3], "resource" in e) for e in past]
    assert told == [
        ("PUT", "200", True),
        ("DELETE", "204", False),
        ("PUT", "200", True),
        ("PUT", "201", True),
    ]


async def test_the_server_numbers_the_versions_and_gives_the_ids(served):
    claimed = PATIENT | {"meta": {"versionId": "77", "lastUpdated": "2001-01-01T00:00:00Z"}}
    made = await served.ask("POST", "/fhir/Patient", claimed)
    put = await served.ask("PUT", "/fhir/Patient/a", claimed)
    assert made.json()["id"] != "a"
    for answer in (made, put):
        assert answer.json()["meta"]["versionId"] == "1"
        assert answer.json()["meta"]["lastUpdated"] > "2020"


@pytest.mark.parametrize(
    ("method", "address", "body", "rule"),
    [
        ("PUT", "Patient/b", PATIENT, "http.resource-id-mismatch"),
        ("PUT", "Patient/b", {"resourceType": "Patient"}, "http.resource-id-missing"),
        ("PUT", "Observation/a", PATIENT, "http.type-mismatch"),
        ("POST", "Observation", PATIENT, "http.type-mismatch"),
        ("PUT", "Patient", PATIENT, "http.criteria-missing"),
        ("DELETE", "Patient", None, "http.criteria-missing"),
    ],
)
async def test_what_does_not_go_with_its_address_is_refused(
    served, rules, method, address, body, rule
):
    answer = await served.ask(method, f"/fhir/{address}", body)
    assert (answer.status_code, rules(answer)) == (400, [rule])


async def test_a_document_is_kept_once_by_if_none_exist(served):
    first = await served.ask("POST", "/fhir/Binary", b"one", {"content-type": "text/plain"})
    id_ = first.headers["location"].split("/")[-3]
    headers = {"content-type": "text/plain", "if-none-exist": f"_id={id_}"}
    again = await served.ask("POST", "/fhir/Binary", b"two", headers)
    assert (again.status_code, again.headers["location"]) == (200, first.headers["location"])
    assert (await served.ask("GET", f"/fhir/Binary/{id_}")).content == b"one"
    other = await served.ask("POST", "/fhir/Binary", b"two", headers | {"if-none-exist": "_id=no"})
    assert other.status_code == 201


@pytest.mark.parametrize("returns", ["minimal", "representation", "OperationOutcome"])
async def test_a_preference_that_is_followed_is_said(served, returns):
    headers = {"Prefer": f"return={returns}; x=y, respond-async, wait=10"}
    bundle = {"resourceType": "Bundle", "type": "batch"}
    for method, address, body in (
        ("PUT", "Patient/a", PATIENT),
        ("POST", "Patient", PATIENT),
        ("POST", "", bundle),
    ):
        answer = await served.ask(method, f"/fhir/{address}", body, headers)
        assert answer.status_code in (200, 201)
        assert answer.headers["preference-applied"] == f"return={returns}"


async def test_a_preference_that_is_not_followed_is_not_mentioned(filled):
    answer = await read(filled, address="/fhir/Patient", prefer="respond-async")
    assert (answer.status_code, "preference-applied" in answer.headers) == (200, False)


FAULTY = b'{"resourceType":"Patient",\n "gender":"x"}'


@pytest.mark.parametrize(
    ("body", "media", "line"),
    [
        (FAULTY, JSON, 2),
        (b'<Patient xmlns="http://hl7.org/fhir">\n\n<gender value="x"/></Patient>', XML, 3),
        (
            b'{"resourceType":"Parameters","parameter":[\n{"name":"mode","valueCode":"create"},\n'
            b'{"name":"resource","resource":\n' + FAULTY + b"}]}",
            JSON,
            5,
        ),
    ],
)
async def test_a_validation_tells_the_lines(served, body, media, line):
    answer = await served.ask("POST", "/fhir/Patient/$validate", body, {"content-type": media})
    (told,) = answer.json()["issue"]
    assert told["expression"] == ["Patient.gender"]
    places = {each["url"].rpartition("-")[2]: each["valueInteger"] for each in told["extension"]}
    assert places["line"] == line


async def test_a_validation_never_speaks_for_a_profile(served, rules):
    declared = PATIENT | {"meta": {"profile": ["https://x.example/StructureDefinition/p"]}}
    answer = await served.ask("POST", "/fhir/Patient/$validate", declared)
    assert rules(answer) == ["operation.profiles-not-checked"]
    assert answer.json()["issue"][0]["severity"] == "information"
    asked = "/fhir/Patient/$validate?profile=https://x.example/StructureDefinition/p"
    answer = await served.ask("POST", asked, declared)
    assert rules(answer) == ["operation.profile-not-checked"]
    assert answer.json()["issue"][0]["severity"] == "error"
