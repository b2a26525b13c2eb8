"""passerelle dossier push, pull, diff, validate."""

import json

import pytest

NAME = "https://coord.example/dossiers|D 1/é"
TARGET = "/dossiers/https%3A%2F%2Fcoord.example%2Fdossiers%7CD%201%2F%C3%A9"


def dossier(**changes):
    return {
        "format": "dossier/1",
        "id": {"system": "https://coord.example/dossiers", "value": "D 1/é"},
        "version": "1",
        "circle": [{"key": "m1", "kind": "professional"}],
        **changes,
    }


def receipt(*actions, issues=()):
    return {
        "dossier": NAME,
        "version": "v17",
        "entries": [
            {
                "section": "circle",
                "key": f"m{n}",
                "action": action,
                "reference": f"PractitionerRole/{n}",
                "version": 1,
            }
            for n, action in enumerate(actions)
        ],
        "issues": list(issues),
        "identity": {"status": "qualified"},
    }


ISSUE = {
    "path": "/circle/0/role",
    "severity": "error",
    "code": "value",
    "text": "Ce rôle n'est pas connu.",
    "rule": "circle.role",
}


def test_push_sends_the_file_as_it_is_and_shows_the_receipt(passerelle, server, write):
    server.answer("PUT", TARGET, receipt("created", "unchanged"), 201)
    file = write(dossier())
    code, out, _ = passerelle("dossier", "push", file)
    assert code == 0
    assert "PractitionerRole/1" in out
    assert "unchanged" in out
    assert "Identité : qualified" in out
    assert "Version v17" in out
    asked = server.seen[0]
    assert (asked.path, asked.body) == (f"/dossiers/{NAME}", file.read_bytes())
    assert asked.headers["prefer"] == "handling=lenient"
    assert "if-match" not in asked.headers


def test_push_says_strict_dry_run_and_version(passerelle, server, write):
    server.answer("PUT", TARGET + "?dryRun=true", receipt("created"))
    code, out, _ = passerelle(
        "dossier", "push", write(dossier()), "--strict", "--dry-run", "--if-match", "v16"
    )
    assert (code, "rien n'a été écrit" in out) == (0, True)
    assert server.seen[0].headers["prefer"] == "handling=strict"
    assert server.seen[0].headers["if-match"] == '"v16"'


@pytest.mark.parametrize("status", [200, 422])
def test_push_ends_with_1_when_an_entry_is_refused(passerelle, server, write, status):
    server.answer("PUT", TARGET, receipt("created", "refused", issues=[ISSUE]), status)
    code, out, _ = passerelle("dossier", "push", write(dossier()))
    assert code == 1
    assert "erreur  circle.role  /circle/0/role\n    Ce rôle n'est pas connu." in out
    code, out, _ = passerelle("dossier", "push", write(dossier()), "--json")
    assert (code, json.loads(out)["issues"]) == (1, [ISSUE])


def test_push_of_an_old_version_tells_why_it_is_refused(passerelle, server, write, outcome):
    server.answer("PUT", TARGET, outcome("dossier.version-conflict"), 412)
    code, _, err = passerelle("dossier", "push", write(dossier()), "--if-match", "v1")
    assert code == 1
    assert "dossier.version-conflict" in err


def test_push_of_a_file_without_name_sends_nothing(passerelle, server, write):
    code, _, err = passerelle("dossier", "push", write({"format": "dossier/1"}))
    assert (code, "cli.not-a-dossier" in err, server.seen) == (1, True, [])


def test_pull_writes_json_to_the_screen_or_to_a_file(passerelle, server, tmp_path):
    server.answer("GET", TARGET, dossier())
    code, out, _ = passerelle("dossier", "pull", NAME)
    assert (code, json.loads(out)) == (0, dossier())
    assert json.loads(passerelle("dossier", "pull", NAME, "--json")[1]) == dossier()
    file = tmp_path / "pulled.json"
    code, out, _ = passerelle("dossier", "pull", NAME, "--output", file)
    assert (code, json.loads(file.read_bytes())) == (0, dossier())
    assert "version 1" in out


def test_pull_wants_system_and_value(passerelle, server):
    assert passerelle("dossier", "pull", "D-1")[0] == 2
    assert server.seen == []


def test_diff_of_two_files_needs_no_gateway(passerelle, write):
    circle = [{"key": "m1", "kind": "structure"}, {"key": "m2", "kind": "relative"}]
    after = write(dossier(circle=circle, version="2"), "after.json")
    arguments = ("dossier", "diff", write(dossier()), after, "--server", "http://127.0.0.1:1")
    code, out, _ = passerelle(*arguments)
    assert code == 0
    assert out.splitlines() == [
        "circle",
        '  ~ m1 /kind: "professional" → "structure"',
        '  + m2: {"kind":"relative"}',
    ]
    assert passerelle(*arguments, "--exit-code")[0] == 1
    told = json.loads(passerelle(*arguments, "--json")[1])["changes"]
    assert [(c["kind"], c["key"], c["path"]) for c in told] == [
        ("changed", "m1", "/kind"),
        ("added", "m2", ""),
    ]


def test_diff_with_the_gateway_says_what_a_push_would_change(passerelle, server, write):
    server.answer("GET", TARGET, dossier(circle=[]))
    code, out, _ = passerelle("dossier", "diff", write(dossier()))
    assert (code, "  + m1:" in out) == (0, True)
    server.answer("GET", TARGET, dossier(version="9"))
    code, out, _ = passerelle("dossier", "diff", write(dossier()), "--exit-code")
    assert (code, out) == (0, "Aucune différence.\n")


def test_validate_tells_the_example_valid_or_every_fault(passerelle, write):
    minimal = {
        "format": "dossier/1",
        "id": {"system": "https://coord.example/dossiers", "value": "D-1"},
        "updatedAt": "2026-03-02T10:15:00+01:00",
        "source": {"platform": "https://coord.example", "software": "Essai"},
        "status": "active",
        "openedAt": "2026-01-12",
        "managing": {"name": "DAC", "finess": "810000000"},
        "person": {
            "identifiers": [{"system": "https://coord.example/patients", "value": "8842"}],
            "identity": {
                "birthName": "PAT-TROIS",
                "birthFirstNames": ["DOMINIQUE"],
                "sex": "F",
                "birthDate": "1979-03-28",
                "status": "provisional",
            },
        },
        "circle": [],
    }
    code, out, _ = passerelle("dossier", "validate", write(minimal))
    assert (code, "Dossier valide." in out) == (0, True)
    code, out, _ = passerelle("dossier", "validate", write(minimal | {"status": "x"}), "--json")
    told = json.loads(out)
    assert (code, told["valid"]) == (1, False)
    assert told["issues"][0]["expression"].startswith("/status")
    assert passerelle("dossier", "validate", write(b"[]"))[0] == 1


def test_the_example_of_the_form_is_valid_with_all_of_its_sections(passerelle, shared):
    code, out, _ = passerelle("dossier", "validate", shared / "design" / "dossier.example.json")
    assert (code, "Dossier valide." in out) == (0, True), out


def test_a_receipt_is_told_in_english_when_that_is_asked_for(
    passerelle, server, write, monkeypatch
):
    monkeypatch.setenv("PASSERELLE_LANG", "en")
    both = ISSUE | {"text": "Le motif.", "textEn": "The reason."}
    server.answer("PUT", TARGET, receipt("refused", issues=[both]), 422)
    _, out, err = passerelle("dossier", "push", write(dossier()))
    assert "The reason." in out + err
    assert "Le motif." not in out + err


def test_ack_says_who_and_shows_the_receipt(passerelle, server):
    server.answer("POST", TARGET + "/alerts/al%2F1:ack", receipt("updated"))
    at = "2026-02-22T08:00:00+01:00"
    code, out, _ = passerelle("dossier", "ack", NAME, "al/1", "--by", "m1", "--at", at)
    assert (code, "updated" in out) == (0, True)
    assert json.loads(server.seen[0].body) == {"by": "m1", "at": at}


def test_ack_shows_a_refusal(passerelle, server, outcome):
    server.answer("POST", TARGET + "/alerts/al1:ack", outcome("alert.over"), 409)
    code, _, err = passerelle("dossier", "ack", NAME, "al1", "--by", "m1")
    assert code == 1
    assert "alert.over" in err
