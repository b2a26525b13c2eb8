"""The rounds of the CRUD mix follow what the server answers."""

import json

from bench.crud_mix import MAKERS, MixPlan, Round, created_id
from bench.http_messages import Answer
from passerelle.dossiers import keeping
from passerelle.dossiers.gateway import InsPolicy


def asked(made):
    head, _, body = made.partition(b"\r\n\r\n")
    method, path = head.decode().split(" ")[:2]
    return method, path, json.loads(body) if body else None


def played(number=1, refuse=()):
    round_, seen = Round(MixPlan("/fhir"), number), []
    while (made := round_.next_request()) is not None:
        method, path, body = asked(made)
        seen.append((method, path, body))
        type_ = path.split("/")[2]
        if method == "POST":
            status = 422 if type_ in refuse else 201
            place = f"\r\nLocation: http://x/fhir/{type_}/{type_.lower()}-9/_history/1"
            round_.answered(Answer(status, place.encode(), b"", False))
        else:
            round_.answered(Answer(200, b"", b"", False))
    return seen


def test_a_round_creates_reads_updates_and_deletes_nine_types():
    seen = played()
    assert [method for method, _, _ in seen] == [
        method for method in ("POST", "GET", "PUT", "DELETE") for _ in range(9)
    ]
    assert [path for _, path, _ in seen[:9]] == [f"/fhir/{type_}" for type_ in MAKERS]
    assert seen[-1][1] == "/fhir/Patient/patient-9"


def test_what_is_sent_is_sound_and_an_update_changes_what_was_created():
    for method, path, body in played():
        if body is not None:
            assert keeping.demand(body, InsPolicy(allow_test=True)) == (), path
        if method == "PUT":
            assert body["id"] == path.rsplit("/", 1)[1]
            assert body["language"] == "fr"


def test_what_was_not_created_is_left_out_with_all_that_refers_to_it():
    paths = {path.split("/")[2] for method, path, _ in played(refuse=("Patient",)) if method != "x"}
    methods = {(method, path.split("/")[2]) for method, path, _ in played(refuse=("Patient",))}
    assert paths == {"Patient", "Location", "Organization", "Practitioner"}
    assert ("GET", "Patient") not in methods


def test_an_id_is_that_of_the_address_or_else_of_the_body():
    body = b'{"resourceType":"Patient","id":"in-body"}'
    assert created_id("Patient", Answer(201, b"\r\nLocation: Patient/a1", body, False)) == "a1"
    assert created_id("Patient", Answer(200, b"", body, False)) == "in-body"
    assert created_id("Patient", Answer(200, b"", b"[]", False)) is None
