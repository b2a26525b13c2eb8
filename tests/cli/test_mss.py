"""passerelle mss send, track, inbox, whitelist."""

import json

import pytest

URL = "https://passerelle.example/fhir/StructureDefinition/"


def event(state, at, code=None):
    parts = [{"url": "state", "valueCode": state}, {"url": "at", "valueInstant": at}]
    if code:
        parts.append({"url": "code", "valueString": code})
    return {"url": URL + "mss-event", "extension": parts}


COMMUNICATION = {
    "resourceType": "Communication",
    "id": "c1",
    "status": "completed",
    "recipient": [{"identifier": {"value": "dr.martin@demo.mssante.fr"}}],
    "extension": [
        {"url": URL + "mss-state", "valueCode": "read"},
        event("queued", "2026-01-12T09:00:00Z"),
        event("sent", "2026-01-12T09:00:01Z", "250"),
        event("read", "2026-01-12T09:05:00Z"),
    ],
}


def test_send_asks_with_one_parameter_a_recipient(passerelle, server):
    made = [
        {"name": "communication", "valueReference": {"reference": f"Communication/{id_}"}}
        for id_ in ("c1", "c2")
    ]
    answer = {"resourceType": "Parameters", "parameter": made}
    server.answer("POST", "/fhir/DocumentReference/d1/$send-mss", answer, 202)
    arguments = ("mss", "send", "DocumentReference/d1", "--to", "a@b.fr", "--to", "c@d.fr")
    code, out, _ = passerelle(*arguments)
    assert code == 0
    assert "Communication/c1" in out
    assert "Communication/c2" in out
    assert server.seen[0].json == {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "recipient", "valueString": "a@b.fr"},
            {"name": "recipient", "valueString": "c@d.fr"},
        ],
    }
    code, out, _ = passerelle(*arguments, "--resend", "--json")
    assert json.loads(out) == {"communications": ["Communication/c1", "Communication/c2"]}
    assert server.seen[1].json["parameter"][2] == {"name": "resend", "valueBoolean": True}


def test_a_refused_sending_ends_with_1(passerelle, server, outcome):
    target = "/fhir/DocumentReference/d1/$send-mss"
    server.answer("POST", target, outcome("sending.not-on-white-list"), 422)
    code, _, err = passerelle("mss", "send", "DocumentReference/d1", "--to", "a@gmail.example")
    assert code == 1
    assert "sending.not-on-white-list" in err


def test_only_documents_are_sent(passerelle, server):
    assert passerelle("mss", "send", "Patient/1", "--to", "a@b.fr")[0] == 2
    assert server.seen == []


@pytest.mark.parametrize("name", ["c1", "Communication/c1"])
def test_track_shows_state_and_history(passerelle, server, name):
    server.answer("GET", "/fhir/Communication/c1", COMMUNICATION)
    code, out, _ = passerelle("mss", "track", name)
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "Destinataire : dr.martin@demo.mssante.fr"
    assert [line.split()[1] for line in lines[2:5]] == ["queued", "sent", "read"]
    assert lines[5] == "État : read"
    told = json.loads(passerelle("mss", "track", name, "--json")[1])
    assert told["state"] == "read"
    assert told["events"][1] == {"state": "sent", "at": "2026-01-12T09:00:01Z", "code": "250"}


def test_a_communication_that_was_never_a_sending_is_told(passerelle, server):
    plain = {"resourceType": "Communication", "id": "c1", "status": "completed"}
    server.answer("GET", "/fhir/Communication/c1", plain)
    code, _, err = passerelle("mss", "track", "c1")
    assert (code, "cli.not-a-transmission" in err) == (1, True)


def test_inbox_shows_what_came_in(passerelle, server):
    message = {
        "at": 1768208400000000,
        "account": "dac81@demo.mssante.fr",
        "identifier": "<1@demo.mssante.fr>",
        "state": "aside",
        "reason": "mss.unknown-receipt",
    }
    server.answer("GET", "/mss/messages?direction=in", {"messages": [message]})
    code, out, _ = passerelle("mss", "inbox")
    assert code == 0
    for shown in ("2026-01-12T09:00:00", "dac81@demo.mssante.fr", "aside", "1 message(s)."):
        assert shown in out
    assert json.loads(passerelle("mss", "inbox", "--json")[1]) == {"messages": [message]}


def test_white_list_is_listed_and_searched(passerelle, server):
    server.answer("GET", "/mss/white-list", {"domains": ["demo.mssante.fr", "x.mssante.fr"]})
    server.answer("GET", "/mss/white-list?domain=demo.mssante.fr", {"domains": ["demo.mssante.fr"]})
    server.answer("GET", "/mss/white-list?domain=gmail.example", {"domains": []})
    assert passerelle("mss", "whitelist")[:2] == (0, "demo.mssante.fr\nx.mssante.fr\n")
    assert passerelle("mss", "whitelist", "demo.mssante.fr")[0] == 0
    code, out, _ = passerelle("mss", "whitelist", "gmail.example")
    assert (code, "cli.not-on-white-list" in out) == (1, True)
    assert passerelle("mss", "whitelist", "not a domain")[0] == 2


def test_an_answer_of_another_shape_ends_with_2(passerelle, server):
    server.answer("GET", "/mss/messages?direction=in", {"x": 1})
    server.answer("GET", "/mss/white-list", {"domains": 1})
    assert passerelle("mss", "inbox")[0] == 2
    assert passerelle("mss", "whitelist")[0] == 2
