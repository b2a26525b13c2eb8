"""passerelle dossier suspend, close, reopen."""

import json

import pytest

NAME = "https://coord.example/dossiers|D 1/é"
TARGET = "/dossiers/https%3A%2F%2Fcoord.example%2Fdossiers%7CD%201%2F%C3%A9"
RECEIPT = {
    "dossier": NAME,
    "version": "v17",
    "act": "close",
    "status": "closed",
    "dryRun": False,
    "entries": [
        {"section": "tasks", "key": "t1", "action": "updated", "reference": "Task/1"},
    ],
    "issues": [],
    "identity": {"status": "qualified"},
    "dossiers": [
        {
            "dossier": NAME,
            "changes": [
                {
                    "section": "tasks",
                    "key": "t1",
                    "kind": "changed",
                    "path": "/status",
                    "before": "requested",
                    "after": "cancelled",
                }
            ],
        }
    ],
}


@pytest.mark.parametrize("act", ["suspend", "reopen"])
def test_an_act_says_who_and_shows_what_changes(passerelle, server, act):
    server.answer("POST", f"{TARGET}:{act}", RECEIPT)
    code, out, _ = passerelle("dossier", act, NAME, "--by", "m1")
    assert code == 0
    assert "t1 /status" in out
    assert "Version v17" in out
    assert json.loads(server.seen[0].body) == {"by": "m1"}


def test_close_says_all_of_it_and_a_dry_run_is_asked_as_one(passerelle, server):
    server.answer("POST", f"{TARGET}:close?dryRun=true", RECEIPT | {"dryRun": True})
    at = "2026-02-22T08:00:00+01:00"
    options = ("--by", "m1", "--reason", "moved", "--text", "Part.", "--tasks", "cancel")
    more = ("--appointments", "keep", "--at", at, "--dry-run")
    code, out, _ = passerelle("dossier", "close", NAME, *options, *more)
    assert (code, "rien n'a été écrit" in out) == (0, True)
    assert json.loads(server.seen[0].body) == {
        "by": "m1",
        "reason": "moved",
        "text": "Part.",
        "tasks": "cancel",
        "appointments": "keep",
        "at": at,
    }


def test_an_act_gives_its_receipt_as_json(passerelle, server):
    server.answer("POST", f"{TARGET}:suspend", RECEIPT)
    code, out, _ = passerelle("dossier", "suspend", NAME, "--by", "m1", "--json")
    assert (code, json.loads(out)) == (0, RECEIPT)


def test_an_act_shows_a_refusal(passerelle, server, outcome):
    server.answer("POST", f"{TARGET}:reopen", outcome("act.state"), 409)
    code, _, err = passerelle("dossier", "reopen", NAME, "--by", "m1")
    assert code == 1
    assert "act.state" in err


def test_a_death_is_declared_with_its_facts_and_cancelled(passerelle, server):
    server.answer("POST", f"{TARGET}:declare-death", RECEIPT)
    options = ("--by", "m1", "--date", "2026-02", "--place", "Domicile", "--place-code", "81004")
    code, out, _ = passerelle("dossier", "declare-death", NAME, *options, "--close")
    assert (code, "t1 /status" in out) == (0, True)
    assert json.loads(server.seen[0].body) == {
        "by": "m1",
        "date": "2026-02",
        "place": "Domicile",
        "placeCode": "81004",
        "source": "declared",
        "close": True,
    }
    server.answer("POST", f"{TARGET}:cancel-death?dryRun=true", RECEIPT)
    code, _, _ = passerelle("dossier", "cancel-death", NAME, "--by", "m2", "--dry-run")
    assert code == 0
    assert json.loads(server.seen[1].body) == {"by": "m2"}
