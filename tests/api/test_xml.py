"""The FHIR base in XML: every interaction takes it and gives it, refusals too."""

import base64

import pytest
from lxml import etree

from passerelle.fhir.xml import reader, writer

pytestmark = pytest.mark.anyio

XML = {"content-type": "application/fhir+xml; charset=UTF-8", "accept": "application/fhir+xml"}
READ = {"accept": "application/fhir+xml"}
SERVED_AS = "application/fhir+xml; charset=utf-8"
FHIR = "{http://hl7.org/fhir}"

PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "text": {
        "status": "generated",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Éléonore &amp; Cie</p></div>',
    },
    "active": True,
    "name": [{"family": "D'ALMEIDA", "given": ["Éléonore", "Anne"]}],
    "birthDate": "1979-03",
}


def read(answer):
    """Give the resource of an answer, read by our own reader once another one has read it."""
    assert answer.headers["content-type"] == SERVED_AS, answer.text
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    assert etree.XML(answer.content, parser).tag.startswith(FHIR)
    return reader.decode(answer.content)


def told(answer):
    """Give the rules that an OperationOutcome in XML names."""
    outcome = read(answer)
    assert outcome["resourceType"] == "OperationOutcome"
    return [issue["details"]["coding"][0]["code"] for issue in outcome["issue"]]


def content(resource):
    """Give a resource without what the server says of it."""
    return {name: value for name, value in resource.items() if name != "meta"}


@pytest.fixture
async def kept(served):
    """A gateway that was given a patient in XML."""
    answer = await served.ask("PUT", "/fhir/Patient/p", writer.encode(PATIENT), XML)
    assert answer.status_code == 201, answer.text
    assert content(read(answer)) == PATIENT
    return served


async def test_what_came_in_xml_is_kept_as_json(kept):
    answer = await kept.ask("GET", "/fhir/Patient/p")
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert content(answer.json()) == PATIENT
    assert answer.json()["meta"]["versionId"] == "1"


@pytest.mark.parametrize(
    "format_", ["xml", "text/xml", "application/xml", "application/fhir%2Bxml"]
)
async def test_the_format_of_the_address_goes_before_accept(kept, format_):
    answer = await kept.ask("GET", f"/fhir/Patient/p?_format={format_}")
    assert content(read(answer)) == PATIENT


async def test_a_read_and_a_version_are_served_in_xml_under_the_same_tag(kept):
    for address in ("/fhir/Patient/p", "/fhir/Patient/p/_history/1"):
        answer = await kept.ask("GET", address, headers=READ)
        assert content(read(answer)) == PATIENT
        assert answer.headers["etag"] == 'W/"1"'
        assert "accept" in answer.headers["vary"].lower()
        held = await kept.ask("GET", address, headers=READ | {"if-none-match": 'W/"1"'})
        assert (held.status_code, held.content) == (304, b"")
        head = await kept.ask("HEAD", address, headers=READ)
        assert head.headers["content-type"] == SERVED_AS
        assert int(head.headers["content-length"]) == len(answer.content)


async def test_a_create_takes_and_gives_xml(served):
    new = {name: value for name, value in PATIENT.items() if name != "id"}
    answer = await served.ask("POST", "/fhir/Patient", writer.encode(new), XML)
    assert answer.status_code == 201
    made = read(answer)
    assert content(made) == new | {"id": made["id"]}
    assert answer.headers["location"].endswith(f"/Patient/{made['id']}/_history/1")
    quiet = await served.ask(
        "POST", "/fhir/Patient", writer.encode(new), XML | {"prefer": "return=minimal"}
    )
    assert (quiet.status_code, quiet.content) == (201, b"")
    outcome = await served.ask(
        "POST", "/fhir/Patient", writer.encode(new), XML | {"prefer": "return=OperationOutcome"}
    )
    assert told(outcome) == ["http.done"]


async def test_one_form_comes_in_and_the_other_goes_out(served):
    answer = await served.ask("PUT", "/fhir/Patient/p", PATIENT, READ)
    assert content(read(answer)) == PATIENT
    changed = PATIENT | {"gender": "female"}
    back = await served.ask(
        "PUT",
        "/fhir/Patient/p",
        writer.encode(changed),
        {"content-type": "text/xml", "accept": "application/json"},
    )
    assert content(back.json()) == changed


async def test_the_same_content_in_the_other_form_makes_no_version(kept):
    answer = await kept.ask("PUT", "/fhir/Patient/p", PATIENT)
    assert (answer.status_code, answer.json()["meta"]["versionId"]) == (200, "1")


async def test_searches_and_histories_are_bundles_in_xml(kept):
    found = read(await kept.ask("GET", "/fhir/Patient?family=d'almeida", headers=READ))
    assert (found["type"], len(found["entry"])) == ("searchset", 1)
    assert content(found["entry"][0]["resource"]) == PATIENT
    form = {"content-type": "application/x-www-form-urlencoded"} | READ
    posted = await kept.ask("POST", "/fhir/Patient/_search", b"family=d'almeida", form)
    assert read(posted)["entry"] == found["entry"]
    await kept.ask("DELETE", "/fhir/Patient/p")
    past = read(await kept.ask("GET", "/fhir/Patient/p/_history", headers=READ))
    assert [entry["request"]["method"] for entry in past["entry"]] == ["DELETE", "PUT"]


async def test_a_transaction_in_xml_is_answered_in_xml(served):
    entry = {
        "fullUrl": "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a",
        "resource": {name: value for name, value in PATIENT.items() if name != "id"},
        "request": {"method": "POST", "url": "Patient"},
    }
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    asked = XML | {"prefer": "return=representation"}
    done = read(await served.ask("POST", "/fhir", writer.encode(bundle), asked))
    assert done["type"] == "transaction-response"
    assert done["entry"][0]["response"]["status"] == "201 Created"
    assert done["entry"][0]["resource"]["name"] == PATIENT["name"]
    batch = bundle | {"type": "batch", "entry": [entry | {"request": {"method": "GET"}}]}
    answered = read(await served.ask("POST", "/fhir", writer.encode(batch), XML))
    assert answered["entry"][0]["response"]["outcome"]["resourceType"] == "OperationOutcome"


async def test_the_statement_is_served_in_xml_and_claims_it(served):
    json_form = (await served.ask("GET", "/fhir/metadata")).json()
    assert {"xml", "application/fhir+xml"} <= set(json_form["format"])
    for _ in range(2):
        assert read(await served.ask("GET", "/fhir/metadata?_format=xml")) == json_form
    pretty = await served.ask("GET", "/fhir/metadata?_format=xml&_pretty=true")
    assert pretty.text.count("\n") > 1000
    assert read(pretty) == json_form


@pytest.mark.parametrize(
    ("method", "address", "body", "status", "rule"),
    [
        ("GET", "/fhir/Patient/none", None, 404, "record.not-found"),
        ("GET", "/fhir/Patiente/1", None, 404, "http.type-unknown"),
        ("PATCH", "/fhir/metadata", None, 405, "http.method-not-allowed"),
        ("PUT", "/fhir/Patient/p", b"<Patient", 400, "xml.ill-formed"),
        ("PUT", "/fhir/Patient/p", b"", 400, "http.body-missing"),
        ("GET", "/fhir/Patient?_format=xml&family=%ff", None, 400, "http.query-not-utf8"),
    ],
)
async def test_a_refusal_is_told_in_the_form_that_the_client_reads(
    served, method, address, body, status, rule
):
    answer = await served.ask(method, address, body, XML if body is not None else READ)
    assert (answer.status_code, told(answer)) == (status, [rule])


async def test_a_refusal_follows_the_format_of_the_form(served):
    form = {"content-type": "application/x-www-form-urlencoded", "prefer": "handling=strict"}
    body = b"_format=xml&nothing=1"
    answer = await served.ask("POST", "/fhir/Patient/_search", body, form)
    assert answer.status_code == 400
    assert told(answer) == ["search.unknown-parameter"]


async def test_a_refusal_is_laid_out_for_people_on_demand(served):
    answer = await served.ask("GET", "/fhir/Patient/none?_format=xml&_pretty=true")
    assert "\n  <issue>\n" in answer.text
    assert told(answer) == ["record.not-found"]


async def test_all_faults_of_an_xml_body_are_told_at_once_each_with_place_and_line(served):
    body = b"""<Patient xmlns="http://hl7.org/fhir">
      <id value="p"/>
      <name><given value="a"/><family value="b"/></name>
      <active value="oui"/>
      <nom/>
    </Patient>"""
    answer = await served.ask("PUT", "/fhir/Patient/p", body, XML)
    assert answer.status_code == 400
    issues = [
        (issue["details"]["coding"][0]["code"], issue["expression"][0], issue["diagnostics"])
        for issue in read(answer)["issue"]
    ]
    assert [(rule, place) for rule, place, _ in issues] == [
        ("xml.order", "Patient.name[0].family"),
        ("xml.order", "Patient.active"),
        ("xml.value", "Patient.active"),
        ("xml.unknown-element", "Patient.nom"),
    ]
    assert [text[-9:] for *_, text in issues] == [f"(line {line})."[-9:] for line in (3, 4, 4, 5)]


async def test_a_patch_in_xml_is_taken(kept):
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Patient.birthDate"},
        {"name": "value", "valueDate": "1979-04"},
    ]
    change = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    answer = await kept.ask("PATCH", "/fhir/Patient/p", writer.encode(change), XML)
    assert (answer.status_code, content(read(answer))) == (200, PATIENT | {"birthDate": "1979-04"})


async def test_operations_take_and_give_xml(kept):
    body = writer.encode(PATIENT | {"gender": "oui"})
    answer = await kept.ask("POST", "/fhir/Patient/$validate", body, XML)
    assert (answer.status_code, told(answer)) == (200, ["structure.code"])


async def test_an_answer_in_xml_is_compressed_on_demand(kept):
    plain = await kept.ask("GET", "/fhir/metadata", headers=READ | {"accept-encoding": "identity"})
    coded = await kept.ask("GET", "/fhir/metadata", headers=READ | {"accept-encoding": "gzip"})
    assert coded.headers["content-encoding"] == "gzip"
    assert read(coded) == read(plain)
    assert coded.headers["vary"].lower().replace(" ", "") == "accept,accept-encoding"


async def test_a_part_of_a_resource_is_served_in_xml(kept):
    part = read(await kept.ask("GET", "/fhir/Patient/p?_elements=birthDate", headers=READ))
    assert part["birthDate"] == PATIENT["birthDate"]
    assert "name" not in part


async def test_faults_of_the_structure_are_told_with_their_line_too(served):
    body = b"""<Patient xmlns="http://hl7.org/fhir"><id value="p"/>
      <gender value="oui"/><birthDate value="1979-02-30"/></Patient>"""
    outcome = read(await served.ask("PUT", "/fhir/Patient/p", body, XML))
    places = [
        (issue["expression"][0], *(one["valueInteger"] for one in issue["extension"]))
        for issue in outcome["issue"]
    ]
    assert places == [("Patient.gender", 2, 7), ("Patient.birthDate", 2, 28)]
    as_json = b'{"resourceType": "Patient", "id": "p",\n "gender": "oui"}'
    told_in_json = (await served.ask("PUT", "/fhir/Patient/p", as_json)).json()["issue"][0]
    assert [one["valueInteger"] for one in told_in_json["extension"]] == [2, 2]


async def test_an_other_type_or_id_than_the_address_is_refused(served):
    body = writer.encode(PATIENT)
    answer = await served.ask("PUT", "/fhir/Patient/other", body, XML)
    assert (answer.status_code, told(answer)) == (400, ["http.resource-id-mismatch"])
    answer = await served.ask("PUT", "/fhir/Observation/p", body, XML)
    assert (answer.status_code, told(answer)) == (400, ["http.type-mismatch"])


async def test_what_xml_cannot_carry_is_kept_and_refused_in_xml(served):
    odd = PATIENT | {"name": [{"family": "A\ufffe"}]}
    answer = await served.ask("PUT", "/fhir/Patient/p", odd, READ)
    assert (answer.status_code, told(answer)) == (201, ["xml.not-writable"])
    assert answer.headers["etag"] == 'W/"1"'
    refused = await served.ask("GET", "/fhir/Patient/p", headers=READ)
    assert (refused.status_code, told(refused)) == (406, ["xml.not-writable"])
    assert (await served.ask("GET", "/fhir/Patient/p")).json()["name"] == odd["name"]


async def test_large_bodies_and_answers_come_through_the_same(served):
    resources = [PATIENT | {"id": f"p{number}"} for number in range(400)]
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"Patient/{one['id']}"}}
        for one in resources
    ]
    bundle = writer.encode({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert len(bundle) > 150_000
    done = await served.ask("POST", "/fhir", bundle, XML)
    assert done.status_code == 200
    found = read(await served.ask("GET", "/fhir/Patient?_count=1000&_sort=_id", headers=READ))
    assert len(found["entry"]) == 400
    assert {entry["resource"]["id"] for entry in found["entry"]} == {one["id"] for one in resources}


@pytest.mark.parametrize("octets", [b"", b"a", b"ab", b"abc", bytes(range(256)) * 500])
async def test_a_binary_is_given_as_a_resource_in_xml(served, octets):
    made = await served.ask("POST", "/fhir/Binary", octets, {"content-type": "application/pdf"})
    address = "/fhir/Binary/" + made.json()["id"]
    shown = read(await served.ask("GET", address, headers=READ))
    assert shown["contentType"] == "application/pdf"
    assert base64.b64decode(shown.get("data", "")) == octets
    native = await served.ask("GET", address, headers={"accept": "application/pdf"})
    assert native.content == octets


async def test_a_binary_comes_in_as_a_resource_in_xml(served):
    data = base64.b64encode(b"<a/>").decode()
    binary = {"resourceType": "Binary", "contentType": "application/xml", "data": data}
    made = await served.ask("POST", "/fhir/Binary", writer.encode(binary), XML)
    assert made.status_code == 201, made.text
    address = "/fhir/Binary/" + read(made)["id"]
    native = await served.ask("GET", address, headers={"accept": "application/xml"})
    assert (native.content, native.headers["content-type"]) == (b"<a/>", "application/xml")
