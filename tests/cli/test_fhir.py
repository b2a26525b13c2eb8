"""passerelle fhir get, search, post, validate."""

import json

import pytest

PATIENT = b'{"resourceType":"Patient","id":"1","name":[{"family":"Durand","given":["Zo\xc3\xa9"]}]}'


def bundle(*ids, following=None, **more):
    made = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [
            {"resource": {"resourceType": "Patient", "id": id_, "name": [{"family": f"N{id_}"}]}}
            for id_ in ids
        ],
        **more,
    }
    if following:
        made["link"] = [{"relation": "next", "url": following}]
    return made


def test_get_writes_the_resource_as_it_is_served(passerelle, server):
    body = b'{"resourceType":"Observation","id":"1","valueQuantity":{"value":1.50}}'
    server.answer("GET", "/fhir/Observation/1", body)
    code, out, _ = passerelle("fhir", "get", "Observation/1")
    assert (code, '"value": 1.50' in out) == (0, True)
    assert json.loads(passerelle("fhir", "get", "Observation/1", "--json")[1])["id"] == "1"
    assert server.seen[0].headers["accept"] == "application/fhir+json"


@pytest.mark.parametrize(
    "reference", ["Patient", "Patient/", "Patient/1/../2", "../x", "Patient/1?"]
)
def test_what_is_no_reference_is_not_asked_for(passerelle, server, reference):
    assert passerelle("fhir", "get", reference)[0] == 2
    assert server.seen == []


def test_a_refusal_is_told_issue_by_issue_and_ends_with_1(passerelle, server, outcome):
    server.answer("GET", "/fhir/Patient/1", outcome("record.deleted", "x.y"), 410)
    code, out, err = passerelle("fhir", "get", "Patient/1")
    assert (code, out) == (1, "")
    assert "erreur  record.deleted  Patient.birthDate\n    Texte de record.deleted." in err
    assert "x.y" in err
    code, out, _ = passerelle("fhir", "get", "Patient/1", "--json")
    assert code == 1
    assert [i["rule"] for i in json.loads(out)["issues"]] == ["record.deleted", "x.y"]


@pytest.mark.parametrize(("status", "code"), [(500, 2), (501, 1), (503, 2)])
def test_a_gateway_that_fails_ends_with_2(passerelle, server, outcome, status, code):
    server.answer("GET", "/fhir/Patient/1", outcome("record.unavailable"), status)
    assert passerelle("fhir", "get", "Patient/1")[0] == code


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]"])
def test_what_is_no_gateway_ends_with_2(passerelle, server, body):
    server.answer("GET", "/fhir/Patient/1", body)
    code, _, err = passerelle("fhir", "get", "Patient/1")
    assert code == 2
    assert "cli.unexpected-answer" in err


def test_nobody_at_the_address_ends_with_2(passerelle, server):
    code, _, err = passerelle("fhir", "get", "Patient/1", "--server", "http://127.0.0.1:1")
    assert code == 2
    assert "cli.unreachable" in err
    for address in ("ftp://127.0.0.1", "127.0.0.1:8080", "http://", "http://a:b"):
        code, _, err = passerelle("fhir", "get", "Patient/1", "--server", address)
        assert (code, "cli.not-an-address" in err) == (2, True)


def test_the_terminal_is_not_given_control_characters(passerelle, server):
    server.answer("GET", "/fhir/Patient", bundle("1\x1b[2J"))
    _, out, _ = passerelle("fhir", "search", "Patient")
    assert "\x1b" not in out


def test_search_lists_a_page_and_says_that_more_follow(passerelle, server):
    server.answer("GET", "/fhir/Patient?family=n", bundle("1", "2", following="/?a", total=3))
    code, out, err = passerelle("fhir", "search", "Patient?family=n")
    assert code == 0
    assert "Patient/1" in out
    assert "N2" in out
    assert "2 sur 3." in out
    assert "cli.more-pages" in err


def test_search_follows_the_pages_under_the_address_it_was_given(passerelle, server):
    server.answer("GET", "/fhir/Patient", bundle("1", following="https://pub.example/x/fhir?c=2"))
    server.answer("GET", "/fhir?c=2", bundle("2", following="https://pub.example/fhir/Patient?c=3"))
    server.answer("GET", "/fhir/Patient?c=3", bundle("3"))
    code, out, _ = passerelle("fhir", "search", "Patient", "--all", "--json")
    whole = json.loads(out)
    assert code == 0
    assert [entry["resource"]["id"] for entry in whole["entry"]] == ["1", "2", "3"]
    assert "link" not in whole


def test_pages_that_go_round_in_a_circle_are_left(passerelle, server):
    server.answer("GET", "/fhir/Patient?c=1", bundle("1", following="/fhir/Patient?c=1"))
    code, out, _ = passerelle("fhir", "search", "Patient?c=1", "--all")
    assert (code, len(server.seen), "1 ressource(s)." in out) == (0, 1, True)


def test_post_creates_and_says_where(passerelle, server, write):
    server.answer("POST", "/fhir/Patient", PATIENT, 201, Location="/fhir/Patient/1/_history/1")
    code, out, _ = passerelle("fhir", "post", write(PATIENT))
    assert (code, "Patient/1/_history/1" in out) == (0, True)
    assert server.seen[0].body == PATIENT
    assert server.seen[0].headers["content-type"] == "application/fhir+json"


def test_post_reads_standard_input(passerelle, server):
    server.answer("POST", "/fhir/Patient", PATIENT, 201)
    assert passerelle("fhir", "post", "-", "--json", stdin=PATIENT)[0] == 0


def test_post_of_a_batch_tells_each_entry_and_ends_with_1_when_one_is_refused(
    passerelle, server, write, outcome
):
    answer = {
        "resourceType": "Bundle",
        "type": "batch-response",
        "entry": [
            {"response": {"status": "201 Created", "location": "Patient/7/_history/1"}},
            {"response": {"status": "422 Unprocessable", "outcome": outcome("ins.key")}},
        ],
    }
    server.answer("POST", "/fhir", answer)
    file = write({"resourceType": "Bundle", "type": "batch", "entry": []})
    code, out, _ = passerelle("fhir", "post", file)
    assert code == 1
    assert "Patient/7" in out
    assert "ins.key" in out
    assert passerelle("fhir", "post", file, "--json")[0] == 1


@pytest.mark.parametrize(
    ("body", "slug"),
    [(b"{", "json."), (b"[]", "json.not-an-object"), (b"{}", "cli.not-a-resource")],
)
def test_post_sends_nothing_that_is_no_resource(passerelle, server, write, body, slug):
    code, _, err = passerelle("fhir", "post", write(body))
    assert (code, slug in err) == (1, True)
    assert server.seen == []


def test_validate_tells_a_right_resource(passerelle, write):
    code, out, _ = passerelle("fhir", "validate", write(PATIENT))
    assert (code, "Ressource valide." in out) == (0, True)


def wrong_patient():
    return {
        "resourceType": "Patient",
        "birthDate": "31/12/1975",
        "identifier": [
            {
                "use": "official",
                "system": "urn:oid:1.2.250.1.213.1.4.8",
                "value": "279035121518988",
            }
        ],
    }


def test_validate_tells_structure_and_identity_at_once(passerelle, write):
    code, out, _ = passerelle("fhir", "validate", write(wrong_patient()), "--json")
    told = json.loads(out)
    assert (code, told["valid"]) == (1, False)
    found = {(issue["rule"], issue["expression"]) for issue in told["issues"]}
    assert ("ins.key", "Patient.identifier[0].value") in found
    assert "Patient.birthDate" in {expression for _, expression in found}
    assert all(issue["line"] == 1 and issue["column"] > 1 for issue in told["issues"])


def test_validate_tells_a_second_opinion_that_decides_nothing(passerelle, write):
    code, out, _ = passerelle("fhir", "validate", write(PATIENT), "--second-opinion")
    assert (code, "Ressource valide." in out, "r4b" in out) == (0, True, False)
    only_here = b'{"resourceType":"Patient","gender":"sometimes"}'
    code, out, _ = passerelle("fhir", "validate", write(only_here), "--second-opinion", "--json")
    told = json.loads(out)
    assert (code, told["valid"]) == (1, False)
    assert told["issues"][-1]["rule"] == "structure.r4b-accepts"


def test_validate_looks_into_a_bundle(passerelle, write):
    made = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": "urn:uuid:1", "resource": wrong_patient()}],
    }
    code, out, _ = passerelle("fhir", "validate", write(made))
    assert code == 1
    assert "ins.key  Bundle.entry[0].resource.identifier[0].value" in out
    assert "Bundle.entry[0].resource.birthDate" in out


def test_validate_of_what_is_no_json_ends_with_1(passerelle, write):
    assert passerelle("fhir", "validate", write(b'{"a":1,"a":2}'))[0] == 1
